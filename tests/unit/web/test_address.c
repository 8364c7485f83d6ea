/* Which redirect_uri is taken, and what it means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "web/address.h"

static void what_is_listened_on(void **state)
{
	static const struct {
		const char *uri, *host, *path, *sockets;
	} rows[] = {
		{ "http://127.0.0.1:8717/callback", "127.0.0.1:8717", "/callback",
		  "127.0.0.1:8717 " },
		{ "http://[::1]:1024/", "[::1]:1024", "/", "[::1]:1024 " },
		{ "http://localhost:65535/oauth/done/", "localhost:65535", "/oauth/done/",
		  "127.0.0.1:65535 [::1]:65535 " },
		{ "http://LocalHost:8717/a.b~c_d-e", "LocalHost:8717", "/a.b~c_d-e",
		  "127.0.0.1:8717 [::1]:8717 " },
		{ "http://localhost:8717/...", "localhost:8717", "/...",
		  "127.0.0.1:8717 [::1]:8717 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct address in;
		struct error err;
		char sockets[64] = "", one[ADDRESS_TEXT_SIZE];

		if (!address_parse(rows[i].uri, &in, &err))
			fail_msg("%s: %s", rows[i].uri, err.text);
		assert_string_equal(in.host, rows[i].host);
		assert_string_equal(in.path, rows[i].path);
		for (size_t j = 0; j < in.socket_count; j++) {
			address_format(&in.sockets[j], one);
			strcat(strcat(sockets, one), " ");
		}
		assert_string_equal(sockets, rows[i].sockets);
	}
}

static void what_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"http://",
		"http:/localhost:8717/callback",
		"https://localhost:8717/callback",
		"HTTP://localhost:8717/callback",
		" http://localhost:8717/callback",
		"http://localhost/callback",
		"http://localhost:8717",
		"http://localhost:/callback",
		"http://localhost:0/callback",
		"http://localhost:80/callback",
		"http://localhost:1023/callback",
		"http://localhost:65536/callback",
		"http://localhost:99999999999999999999/callback",
		"http://localhost:+8717/callback",
		"http://localhost: 8717/callback",
		"http://localhost:08717/callback",
		"http://localhost:8717x/callback",
		"http://:8717/callback",
		"http://localhost.:8717/callback",
		"http://localhost.example:8717/callback",
		"http://127.0.0.2:8717/callback",
		"http://127.1:8717/callback",
		"http://2130706433:8717/callback",
		"http://0.0.0.0:8717/callback",
		"http://::1:8717/callback",
		"http://[::]:8717/callback",
		"http://[0:0:0:0:0:0:0:1]:8717/callback",
		"http://user@localhost:8717/callback",
		"http://localhost:1@evil.example:8717/callback",
		"http://acme.example:8717/callback",
		"http://localhost:8717//callback",
		"http://localhost:8717/a//b",
		"http://localhost:8717/./callback",
		"http://localhost:8717/..",
		"http://localhost:8717/a/../callback",
		"http://localhost:8717/call%62ack",
		"http://localhost:8717/callback?a=b",
		"http://localhost:8717/callback#x",
		"http://localhost:8717/call back",
		"http://localhost:8717/callback\n",
		"http://localhost:8717/caf\xc3\xa9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct address in;
		struct error err;

		if (address_parse(rows[i], &in, &err))
			fail_msg("%s was taken", rows[i]);
		assert_int_equal(err.kind, ERROR_HUMAN);
		assert_string_equal(err.code, "bad-redirect-uri");
		assert_non_null(strstr(err.text, "redirect_uri"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_listened_on),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
