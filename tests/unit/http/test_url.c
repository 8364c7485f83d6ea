/* Which URLs may be spoken to, and how values are put into one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "http/url.h"

enum policy { PLAIN, LISTED, LOOPBACK };

static const char *const listed[] = { "sf.example", "10.0.0.5:8443", "gov.example:443",
				      "[::1]:8443" };
static const struct url_policy policies[] = {
	[PLAIN] = { 0 },
	[LISTED] = { .allow_hosts = listed, .allow_count = sizeof(listed) / sizeof(listed[0]) },
	[LOOPBACK] = { .loopback_test = true },
};

static void bases(void **state)
{
	static const struct {
		const char *url;
		enum policy policy;
		const char *want; /* NULL: refused */
	} rows[] = {
		{ "https://login.salesforce.com", PLAIN, "https://login.salesforce.com" },
		{ "https://LOGIN.Salesforce.com/", PLAIN, "https://login.salesforce.com" },
		{ "https://acme.my.salesforce.com:443", PLAIN, "https://acme.my.salesforce.com" },
		{ "https://acme--dev.sandbox.my.salesforce.com", PLAIN,
		  "https://acme--dev.sandbox.my.salesforce.com" },
		{ "https://acme.my.salesforce.com:8443", PLAIN, NULL },
		{ "http://login.salesforce.com", PLAIN, NULL },
		{ "ftp://login.salesforce.com", PLAIN, NULL },
		{ "login.salesforce.com", PLAIN, NULL },
		{ "https://salesforce.com", PLAIN, NULL },
		{ "https://evilsalesforce.com", PLAIN, NULL },
		{ "https://login.salesforce.com.evil.example", PLAIN, NULL },
		{ "https://login.salesforce.com.", PLAIN, NULL },
		{ "https://login.salesforce.com@evil.example", PLAIN, NULL },
		{ "https://evil.example@login.salesforce.com", PLAIN, NULL },
		{ "https://user:pw@login.salesforce.com", PLAIN, NULL },
		{ "https://@login.salesforce.com", PLAIN, NULL },
		{ "https://evil.example%2elogin.salesforce.com", PLAIN,
		  "https://evil.example.login.salesforce.com" },
		{ "https://evil.example%2flogin.salesforce.com", PLAIN, NULL },
		{ "https://evil.example%00.salesforce.com", PLAIN, NULL },
		{ "https://evil.example\\.salesforce.com", PLAIN, NULL },
		{ "https://evil.example#.salesforce.com", PLAIN, NULL },
		{ "https://login.salesforce.com/x", PLAIN, NULL },
		{ "https://login.salesforce.com/?", PLAIN, NULL },
		{ "https://login.salesforce.com?x=1", PLAIN, NULL },
		{ "https://login.salesforce.com#x", PLAIN, NULL },
		{ "https://l\xc3\xb6gin.salesforce.com", PLAIN, NULL },
		{ "https://login.salesforce.com\r\nx", PLAIN, NULL },
		{ " https://login.salesforce.com", PLAIN, NULL },
		{ "https://login.salesforce.com:0x1bb", PLAIN, NULL },
		{ "https://", PLAIN, NULL },
		{ "", PLAIN, NULL },
		{ "https://127.0.0.1", PLAIN, NULL },
		{ "https://[::1]", PLAIN, NULL },
		{ "https://2130706433", PLAIN, NULL },
		{ "https://sf.example", LISTED, "https://sf.example" },
		{ "https://sf.example:443/", LISTED, "https://sf.example" },
		{ "https://sf.example:8443", LISTED, NULL },
		{ "https://x.sf.example", LISTED, NULL },
		{ "http://sf.example", LISTED, NULL },
		{ "https://gov.example", LISTED, "https://gov.example" },
		{ "https://10.0.0.5:8443", LISTED, "https://10.0.0.5:8443" },
		{ "https://10.0.0.5", LISTED, NULL },
		{ "https://[::1]:8443", LISTED, "https://[::1]:8443" },
		{ "https://login.salesforce.com", LISTED, "https://login.salesforce.com" },
		{ "http://127.0.0.1:8080", LOOPBACK, "http://127.0.0.1:8080" },
		{ "http://[::1]:8080/", LOOPBACK, "http://[::1]:8080" },
		{ "https://127.0.0.1:8443", LOOPBACK, "https://127.0.0.1:8443" },
		{ "http://127.0.0.1:80", LOOPBACK, "http://127.0.0.1" },
		{ "http://localhost:8080", LOOPBACK, NULL },
		{ "http://127.0.0.1.evil.example", LOOPBACK, NULL },
		{ "http://127.0.0.1:8080@evil.example", LOOPBACK, NULL },
		{ "http://login.salesforce.com", LOOPBACK, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = { 0 };
		char *got = url_base(rows[i].url, &policies[rows[i].policy], "login_url", &err);

		if (!got != !rows[i].want)
			fail_msg("%s gave %s", rows[i].url, got ? got : "a refusal");
		if (got)
			assert_string_equal(got, rows[i].want);
		else
			assert_non_null(strstr(err.text, "login_url"));
		free(got);
	}
}

static void server_paths(void **state)
{
	static const struct {
		const char *path;
		bool want;
	} rows[] = {
		{ "/services/data/v66.0/query/01gRO0000016PIAYA2-2000", true },
		{ "/services/data/v66.0/jobs/query/750R/results?locator=abc&maxRecords=5", true },
		{ "/services/data/66.0/query/x", false },
		{ "/services/data/v", false },
		{ "/services/data", false },
		{ "/services/data/v66.0/../../x", false },
		{ "/services/data/v66.0/%2e%2E/x", false },
		{ "//evil.example/services/data/v66.0", false },
		{ "/services/data/v66.0//evil.example", false },
		{ "https://evil.example/services/data/v66.0", false },
		{ "/services/data/v66.0/x\r\nHost: y", false },
		{ "/services/data/v66.0/x y", false },
		{ "/services/data/v66.0/\xc3\xa9", false },
		{ "/services/data/v66.0/x#y", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (url_is_server_path(rows[i].path) != rows[i].want)
			fail_msg("%s", rows[i].path);
}

static void values_are_encoded(void **state)
{
	char *got;

	(void)state;
	got = url_encode("aZ09-._~ &=+%/\xc3\xa9\0x", 18);
	assert_string_equal(got, "aZ09-._~%20%26%3D%2B%25%2F%C3%A9%00x");
	free(got);
	got = url_encode("", 0);
	assert_string_equal(got, "");
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bases),
		cmocka_unit_test(server_paths),
		cmocka_unit_test(values_are_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
