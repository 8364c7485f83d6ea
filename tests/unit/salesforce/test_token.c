/* What the token endpoint answers, and the form it is asked with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "http/url.h"
#include "salesforce/sf_token.h"
#include "secret/secret.h"
#include "vault/vault.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))
#define NOW_MS    INT64_C(1767323045123)

#define TOKEN       "\"access_token\":\"00D8d0000004QxR!AQ0AQKexample.n0tAReal_token\""
#define INSTANCE    "\"instance_url\":\"https://acme-dev-ed.develop.my.salesforce.com\""
#define ID          "\"id\":\"https://login.salesforce.com/id/00D8d0000004QxREAU/0058d000002Kp7ZAAS\""
#define ID_OF(path) "\"id\":\"https://login.salesforce.com/" path "\""

static const struct url_policy policy = { 0 };

static void a_whole_answer(void **state)
{
	static const char body[] =
		"{" TOKEN ",\"signature\":\"qQ0x=\",\"scope\":\"api id\"," INSTANCE "," ID
		",\"token_type\":\"Bearer\",\"issued_at\":\"1767323045123\",\"expires_in\":7200}\n";
	struct vault_token token = { 0 };
	struct error err;
	const char *secret;
	size_t len;

	(void)state;
	assert_true(sf_token_parse(body, strlen(body), &policy, NOW_MS, &token, &err));
	secret = secret_open(token.access_token, &len);
	assert_string_equal(secret, "00D8d0000004QxR!AQ0AQKexample.n0tAReal_token");
	secret_close(token.access_token);
	assert_null(token.refresh_token);
	assert_string_equal(token.instance_url, "https://acme-dev-ed.develop.my.salesforce.com");
	assert_string_equal(token.org_id, "00D8d0000004QxREAU");
	assert_string_equal(token.user_id, "0058d000002Kp7ZAAS");
	assert_string_equal(token.scope, "api id");
	assert_int_equal(token.obtained_ms, NOW_MS);
	assert_int_equal(token.expires_ms, NOW_MS + 7200 * 1000);
	vault_token_done(&token);
}

static void answers(void **state)
{
	static const struct {
		const char *name, *body;
		const char *code; /* NULL: taken */
	} rows[] = {
		{ "the least", "{" TOKEN "," INSTANCE "," ID "}", NULL },
		{ "bearer", "{" TOKEN "," INSTANCE "," ID ",\"token_type\":\"bearer\"}", NULL },
		{ "a JWT", "{\"access_token\":\"eyJ0.eyJz.c2ln\"," INSTANCE "," ID "}", NULL },
		{ "html", "<html>Down</html>", "protocol" },
		{ "empty", "", "protocol" },
		{ "an array", "[]", "protocol" },
		{ "half", "{" TOKEN "," INSTANCE, "protocol" },
		{ "no token", "{" INSTANCE "," ID "}", "protocol" },
		{ "token null", "{\"access_token\":null," INSTANCE "," ID "}", "protocol" },
		{ "token empty", "{\"access_token\":\"\"," INSTANCE "," ID "}", "protocol" },
		{ "token a number", "{\"access_token\":5," INSTANCE "," ID "}", "protocol" },
		{ "token with a line end",
		  "{\"access_token\":\"a\\r\\nHost: x\"," INSTANCE "," ID "}", "protocol" },
		{ "token with a NUL", "{\"access_token\":\"a\\u0000b\"," INSTANCE "," ID "}",
		  "protocol" },
		{ "no instance", "{" TOKEN "," ID "}", "protocol" },
		{ "no id", "{" TOKEN "," INSTANCE "}", "protocol" },
		{ "another type", "{" TOKEN "," INSTANCE "," ID ",\"token_type\":\"mac\"}",
		  "protocol" },
		{ "instance elsewhere",
		  "{" TOKEN ",\"instance_url\":\"https://evil.example\"," ID "}", "url" },
		{ "instance plain",
		  "{" TOKEN ",\"instance_url\":\"http://acme.my.salesforce.com\"," ID "}", "url" },
		{ "instance with a user",
		  "{" TOKEN ",\"instance_url\":\"https://a@acme.my.salesforce.com\"," ID "}",
		  "url" },
		{ "instance look-alike",
		  "{" TOKEN ",\"instance_url\":\"https://my-salesforce.com\"," ID "}", "url" },
		{ "id elsewhere",
		  "{" TOKEN "," INSTANCE
		  ",\"id\":\"https://evil.example/id/00D8d0000004QxREAU/0058d000002Kp7ZAAS\"}",
		  "url" },
		{ "id short", "{" TOKEN "," INSTANCE "," ID_OF("id/00D8d0000004QxREAU") "}",
		  "protocol" },
		{ "id of 15",
		  "{" TOKEN "," INSTANCE "," ID_OF("id/00D8d0000004QxR/0058d000002Kp7Z") "}",
		  "protocol" },
		{ "id checksum",
		  "{" TOKEN "," INSTANCE "," ID_OF("id/00D8d0000004QxREAA/0058d000002Kp7ZAAS") "}",
		  "protocol" },
		{ "id of no user",
		  "{" TOKEN "," INSTANCE "," ID_OF("id/00D8d0000004QxREAU/0018d00000BvT5ZAAV") "}",
		  "protocol" },
		{ "another org's token",
		  "{\"access_token\":\"00D8d0000004QxS!AQ\"," INSTANCE "," ID "}", "protocol" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct vault_token token = { 0 };
		struct error err = { 0 };
		bool ok = sf_token_parse(rows[i].body, strlen(rows[i].body), &policy, NOW_MS,
					 &token, &err);

		if (ok != !rows[i].code || (!ok && strcmp(err.code, rows[i].code) != 0))
			fail_msg("%s: %s %s", rows[i].name, ok ? "taken" : err.code, err.text);
		if (ok)
			assert_int_equal(token.expires_ms, 0);
		else
			assert_int_equal(err.kind,
					 strcmp(err.code, "url") == 0 ? ERROR_HUMAN : ERROR_RETRY);
		assert_null(strstr(err.text, "AQ0AQK"));
		vault_token_done(&token);
	}
}

static void nothing_may_follow(void **state)
{
	static const struct {
		const char *tail;
		size_t len;
		bool good;
	} rows[] = {
		{ "", 0, true },    { " \r\n", 3, true }, { "x", 1, false },
		{ "{}", 2, false }, { "\0", 1, false },   { "\0{\"a\":1}", 8, false },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		static const char good[] = "{" TOKEN "," INSTANCE "," ID "}";
		struct vault_token token = { 0 };
		char body[sizeof(good) + 16];
		struct error err;
		bool ok;

		memcpy(body, good, sizeof(good));
		memcpy(body + sizeof(good) - 1, rows[i].tail, rows[i].len);
		ok = sf_token_parse(body, sizeof(good) - 1 + rows[i].len, &policy, NOW_MS, &token,
				    &err);
		if (ok != rows[i].good || (!ok && strcmp(err.code, "protocol") != 0))
			fail_msg("row %zu: %s", i, ok ? "taken" : err.text);
		vault_token_done(&token);
	}
}

static void lives_are_believed_within_reason(void **state)
{
	static const struct {
		const char *life;
		int64_t want_s;
	} rows[] = {
		{ "7200", 7200 },
		{ "\"7200\"", 7200 },
		{ "0", 0 },
		{ "-5", 0 },
		{ "99999999999999999999", 0 },
		{ "null", 0 },
		{ "\"x\"", 0 },
		{ "{}", 0 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		CLEANUP_FREE char *body =
			mem_format("{" TOKEN "," INSTANCE "," ID ",\"expires_in\":%s}",
				   rows[i].life);
		struct vault_token token = { 0 };
		struct error err;

		assert_true(sf_token_parse(body, strlen(body), &policy, NOW_MS, &token, &err));
		assert_int_equal(token.expires_ms,
				 rows[i].want_s ? NOW_MS + rows[i].want_s * 1000 : 0);
		vault_token_done(&token);
	}
}

static void the_form_is_encoded(void **state)
{
	CLEANUP(secret_free) struct secret *secret = secret_new("a+b&c=%\xc3\xa9 ~", 11);
	CLEANUP(secret_free) struct secret *form = NULL;
	struct error err;
	size_t len;

	(void)state;
	form = sf_token_form("3MVG9.example&x", secret, &err);
	assert_non_null(form);
	assert_string_equal(secret_open(form, &len),
			    "grant_type=client_credentials&client_id=3MVG9.example%26x&"
			    "client_secret=a%2Bb%26c%3D%25%C3%A9%20~");
	secret_close(form);
}

static void an_endless_secret_is_refused(void **state)
{
	static const char bytes[9000] = { 'x' };
	CLEANUP(secret_free) struct secret *secret = secret_new(bytes, sizeof(bytes));
	CLEANUP(secret_free) struct secret *bare = secret_new("x", 1);
	CLEANUP(secret_free) struct secret *form = NULL;
	char id[8192 - 40 - 15];
	struct error err;

	(void)state;
	assert_null(sf_token_form("id", secret, &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "secret-too-long");

	memset(id, 'i', sizeof(id));
	id[sizeof(id) - 1] = '\0'; /* 8 KiB, all in all */
	form = sf_token_form(id, bare, &err);
	assert_non_null(form);
	id[0] = '&';
	assert_null(sf_token_form(id, bare, &err));
}

static int start(void **state)
{
	struct error err;
	bool locked;

	(void)state;
	return secret_start(&locked, &err) ? 0 : -1;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_answer),
		cmocka_unit_test(answers),
		cmocka_unit_test(nothing_may_follow),
		cmocka_unit_test(lives_are_believed_within_reason),
		cmocka_unit_test(the_form_is_encoded),
		cmocka_unit_test(an_endless_secret_is_refused),
	};

	return cmocka_run_group_tests_name("sf_token", tests, start, NULL);
}
