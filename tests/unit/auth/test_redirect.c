/* What a browser may bring, and what a person may paste: parsed, or refused with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "auth/paste.h"
#include "auth/redirect.h"
#include "base/error.h"
#include "base/mem.h"
#include "secret/secret.h"

#define STATE "q4W-Zp0n1s"

/* "-" for what is not there; allocated at its very size, so that a sanitizer sees a byte too far.
 */
static char *shown(struct secret *secret)
{
	char *text;
	size_t len;

	if (!secret)
		return mem_strdup("-");
	text = mem_strdup(secret_open(secret, &len));
	assert_int_equal(strlen(text), len);
	secret_close(secret);
	return text;
}

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static bool parse(const char *query, size_t len, struct redirect *ret, struct error *err)
{
	CLEANUP_FREE char *exact = malloc(len ? len : 1);

	if (len)
		memcpy(exact, query, len);
	return redirect_parse(exact, len, ret, err);
}

static void answers_are_read(void **state)
{
	static const struct {
		const char *query, *state, *code, *error, *description, *iss;
	} rows[] = {
		{ "code=abc&state=" STATE, STATE, "abc", "-", "-", "-" },
		{ "state=" STATE "&code=abc", STATE, "abc", "-", "-", "-" },
		{ "code=aPrxYz%3D%3D&state=s", "s", "aPrxYz==", "-", "-", "-" },
		{ "code=aPrxYz==&state=s", "s", "aPrxYz==", "-", "-", "-" },
		{ "code=a%3d%2B%25%26b+c&state=s", "s", "a=+%&b c", "-", "-", "-" },
		/* Once: what was encoded twice stays encoded once. */
		{ "code=a%253D&state=s", "s", "a%3D", "-", "-", "-" },
		{ "c%6Fde=abc&%73tate=s", "s", "abc", "-", "-", "-" },
		/* Others are nobody's, whatever they say. */
		{ "sfdc_community_url=x&code=abc&code2=x&&state=s&Code=x&STATE=x&x&=&=y&", "s",
		  "abc", "-", "-", "-" },
		{ "x=%C3%A9%0d%0a&code=abc&state=s", "s", "abc", "-", "-", "-" },
		{ "x=1&x=2&code=abc&state=s", "s", "abc", "-", "-", "-" },
		{ "error=access_denied&error_description=end-user+denied+authorization&state=s",
		  "s", "-", "access_denied", "end-user denied authorization", "-" },
		{ "error=access-denied&state=s", "s", "-", "access-denied", "-", "-" },
		{ "error=e&error_description=&state=s", "s", "-", "e", "", "-" },
		{ "code=a&state=s&iss=https%3A%2F%2Flogin.salesforce.com", "s", "a", "-", "-",
		  "https://login.salesforce.com" },
		{ "code=a&state=s&error_description=why", "s", "a", "-", "why", "-" },
		/* Hostile texts are shown, but harmless. */
		{ "error=%1b[31mx%0a%22%27%60%5c&error_description=%e2%80%ae%7f%09&state=s", "s",
		  "-", "?[31mx?????", "?????", "-" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CLEANUP_FREE char *got_state = NULL, *code = NULL;
		struct redirect in;
		struct error err;

		if (!parse(rows[i].query, strlen(rows[i].query), &in, &err))
			fail_msg("%s: %s", rows[i].query, err.text);
		got_state = shown(in.state);
		code = shown(in.code);
		assert_string_equal(got_state, rows[i].state);
		assert_string_equal(code, rows[i].code);
		assert_string_equal(or_none(in.error), rows[i].error);
		assert_string_equal(or_none(in.description), rows[i].description);
		assert_string_equal(or_none(in.iss), rows[i].iss);
		redirect_done(&in);
		assert_null(in.state);
	}
}

#define BYTES(text_) text_, sizeof(text_) - 1

static void no_answer_is_refused(void **state)
{
	static const struct {
		const char *query;
		size_t len;
		const char *says;
	} rows[] = {
		{ BYTES(""), "no state" },
		{ BYTES("code=canary"), "no state" },
		{ BYTES("state=canary"), "neither" },
		{ BYTES("state"), "neither" },
		{ BYTES("code&state"), "empty" },
		{ BYTES("code=canary&state="), "state is empty" },
		{ BYTES("code=canary&state"), "state is empty" },
		{ BYTES("code=&state=canary"), "code is empty" },
		{ BYTES("code&state=canary"), "code is empty" },
		{ BYTES("error=&state=canary"), "error is empty" },
		{ BYTES("code=a&state=s&iss="), "issuer is empty" },
		{ BYTES("code=canary&error=canary&state=s"), "both" },
		{ BYTES("code=canary&code=canary&state=s"), "twice" },
		{ BYTES("code=canary&code=&state=s"), "twice" },
		{ BYTES("code=&code=canary&state=s"), "twice" },
		{ BYTES("code=canary&code&state=s"), "twice" },
		{ BYTES("code=canary&c%6fde=canary&state=s"), "twice" },
		{ BYTES("code=canary&state=s&state=s"), "twice" },
		{ BYTES("state=s&%73%74%61%74%65=s&code=canary"), "twice" },
		{ BYTES("error=canary&error=canary&state=s"), "twice" },
		{ BYTES("error=e&error_description=a&error_description=a&state=s"), "twice" },
		{ BYTES("code=a&state=s&iss=https://a&iss=https://a"), "twice" },
		{ BYTES("code=canary%&state=s"), "escape" },
		{ BYTES("code=canary%4&state=s"), "escape" },
		{ BYTES("code=canary%4g&state=s"), "escape" },
		{ BYTES("code=canary%g4&state=s"), "escape" },
		{ BYTES("code=canary%-1&state=s"), "escape" },
		{ BYTES("code=canary%u0041&state=s"), "escape" },
		{ BYTES("code=canary&state=s&x=%"), "escape" },
		{ BYTES("code=canary&state=s&%=x"), "escape" },
		{ BYTES("code=canary%00x&state=s"), "escape" },
		{ BYTES("code=canary&state=s%00"), "escape" },
		{ BYTES("code=canary&state=s&x=%00"), "escape" },
		{ BYTES("code=canary\0x&state=s"), "bytes" },
		{ BYTES("code=canary&state=s\0"), "bytes" },
		{ BYTES("code=can ary&state=s"), "bytes" },
		{ BYTES("code=can\nary&state=s"), "bytes" },
		{ BYTES("code=canary&state=s\x7f"), "bytes" },
		{ BYTES("code=can\xc3\xa9&state=s"), "bytes" },
		{ BYTES("code=can%0aary&state=s"), "code is" },
		{ BYTES("code=can%7fary&state=s"), "code is" },
		{ BYTES("code=can%c3%a9&state=s"), "code is" },
		{ BYTES("code=canary&state=s%0d"), "state is" },
		{ BYTES("code=a&state=s&iss=%ff"), "issuer is" },
		{ BYTES("?code=canary&state=s"), "neither" },
		{ BYTES("code=canary;state=s"), "no state" },
		{ BYTES("{\"code\":\"canary\",\"state\":\"s\"}"), "no state" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct redirect in;
		struct error err;

		if (parse(rows[i].query, rows[i].len, &in, &err))
			fail_msg("%s was taken", rows[i].query);
		assert_int_equal(err.kind, ERROR_HUMAN);
		assert_string_equal(err.code, "not-the-answer");
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].query, err.text);
		assert_null(strstr(err.text, "canary"));
	}
}

static char *filled(const char *before, size_t fill, const char *after)
{
	char *text = mem_zeroed(strlen(before) + fill + strlen(after) + 1, 1);

	strcpy(text, before);
	memset(text + strlen(before), 'x', fill);
	return strcat(text, after);
}

static void lengths_are_bounded(void **state)
{
	static const struct {
		const char *before;
		size_t fill;
		const char *after;
		bool taken;
	} rows[] = {
		{ "state=s&code=", 4096, "", true },
		{ "state=s&code=", 4097, "", false },
		{ "state=s&code=%41", 4096, "", false },
		{ "code=c&state=", 256, "", true },
		{ "code=c&state=", 257, "", false },
		{ "code=c&state=s&iss=", 256, "", true },
		{ "code=c&state=s&iss=", 257, "", false },
		{ "code=c&state=s&x=", 8192 - 17, "", true },
		{ "code=c&state=s&x=", 8193 - 17, "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CLEANUP_FREE char *query = filled(rows[i].before, rows[i].fill, rows[i].after);
		struct redirect in;
		struct error err;

		if (parse(query, strlen(query), &in, &err) != rows[i].taken)
			fail_msg("%s... of %zu", rows[i].before, rows[i].fill);
		if (rows[i].taken)
			redirect_done(&in);
		else
			assert_non_null(strstr(err.text, "too long"));
	}
}

static void shown_texts_are_cut(void **state)
{
	CLEANUP_FREE char *error = filled("state=s&error=", 500, "&error_description=");
	CLEANUP_FREE char *query = filled(error, 500, "");
	struct redirect in;
	struct error err;

	(void)state;
	assert_true(parse(query, strlen(query), &in, &err));
	assert_int_equal(strlen(in.error), 48);
	assert_string_equal(in.error + 44, "x...");
	assert_int_equal(strlen(in.description), 160);
	redirect_done(&in);
}

/* Cut anywhere, an answer is refused, or is another state's or a shorter code's: never more than
 * what is there. */
static void every_prefix_is_safe(void **state)
{
	static const char *const queries[] = {
		"code=aPrx%3D%3D&state=q4W-Zp0n1s&iss=https%3A%2F%2Flogin.salesforce.com&x=%41",
		"state=q4W-Zp0n1s&error_description=end%2Duser+denied&error=access_denied",
	};
	unsigned taken = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t len = 0; len <= strlen(queries[i]); len++) {
			struct redirect in;
			struct error err;
			CLEANUP_FREE char *got_state = NULL;

			if (!parse(queries[i], len, &in, &err)) {
				assert_string_equal(err.code, "not-the-answer");
				continue;
			}
			taken++;
			got_state = shown(in.state);
			assert_int_equal(strncmp(got_state, STATE, strlen(got_state)), 0);
			assert_true(!in.code != !in.error);
			redirect_done(&in);
		}
	}
	assert_in_range(taken, 20, 100);
}

/* Every byte in every place: nothing crashes, and nothing unprintable comes through. */
static void every_byte_is_safe(void **state)
{
	static const char query[] = "code=a%3D&state=s%41&error_description=x&iss=h";

	(void)state;
	for (size_t at = 0; at < sizeof(query) - 1; at++) {
		for (int byte = 0; byte < 256; byte++) {
			char hurt[sizeof(query)];
			struct redirect in;
			struct error err;
			CLEANUP_FREE char *code = NULL;

			memcpy(hurt, query, sizeof(query));
			hurt[at] = (char)byte;
			if (!parse(hurt, sizeof(query) - 1, &in, &err))
				continue;
			if (byte <= ' ' || byte > '~')
				fail_msg("byte %d at %zu was taken", byte, at);
			code = shown(in.code);
			for (const char *look = code; *look; look++)
				assert_in_range(*look, ' ', '~');
			redirect_done(&in);
		}
	}
}

static void an_issuer_lives_where_the_browser_was_sent(void **state)
{
#define AUTHORIZE "https://login.salesforce.com/services/oauth2/authorize?x=https://evil.example"
	static const struct {
		const char *iss, *url;
		bool is_from;
	} rows[] = {
		{ NULL, AUTHORIZE, true },
		{ "https://login.salesforce.com", AUTHORIZE, true },
		{ "https://login.salesforce.com/", AUTHORIZE, true },
		{ "https://LOGIN.salesforce.com/tenant", AUTHORIZE, true },
		{ "https://login.salesforce.com", "https://login.salesforce.com", true },
		{ "https://login.salesforce.com", "https://login.salesforce.com?x", true },
		{ "http://login.salesforce.com", AUTHORIZE, false },
		{ "https://login.salesforce.com.evil.example", AUTHORIZE, false },
		{ "https://login.salesforce.com@evil.example", AUTHORIZE, false },
		{ "https://login.salesforce.com:444", AUTHORIZE, false },
		{ "https://login.salesforce.co", AUTHORIZE, false },
		{ "https://evil.example/https://login.salesforce.com", AUTHORIZE, false },
		{ "https://evil.example", AUTHORIZE, false },
		{ "https://test.salesforce.com", AUTHORIZE, false },
		{ "login.salesforce.com", AUTHORIZE, false },
		{ "x", "no url at all", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CLEANUP_FREE char *iss = rows[i].iss ? mem_strdup(rows[i].iss) : NULL;
		const struct redirect in = { .iss = iss };

		if (redirect_is_from(&in, rows[i].url) != rows[i].is_from)
			fail_msg("%s of %s", iss, rows[i].url);
	}
}

/* Pastes. */

static const struct paste_login login = {
	.redirect_uri = "http://localhost:8717/callback",
	.authorize_url = AUTHORIZE,
};

static bool find(const char *text, size_t len, char out[128], struct error *err)
{
	CLEANUP_FREE char *exact = malloc(len ? len : 1);
	const char *query;
	size_t query_len;

	if (len)
		memcpy(exact, text, len);
	if (!paste_find_query(&login, exact, len, &query, &query_len, err))
		return false;
	assert_true(query >= exact && query + query_len <= exact + len);
	snprintf(out, 128, "%.*s", (int)query_len, query);
	return true;
}

static void an_address_is_found_in_a_paste(void **state)
{
	static const struct {
		const char *text, *query;
	} rows[] = {
		{ "http://localhost:8717/callback?code=a&state=s", "code=a&state=s" },
		{ " \t\r\nhttp://localhost:8717/callback?code=a&state=s \r\n\n", "code=a&state=s" },
		{ "HTTP://LocalHost:8717/callback?code=a&state=s", "code=a&state=s" },
		{ "http://localhost:8717/callback?code=a&state=s#_=_", "code=a&state=s" },
		{ "http://localhost:8717/callback?code=a#&state=s", "code=a" },
		{ "http://localhost:8717/callback?", "" },
		{ "http://localhost:8717/callback?a?b", "a?b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char query[128];
		struct error err;

		if (!find(rows[i].text, strlen(rows[i].text), query, &err))
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_string_equal(query, rows[i].query);
	}
}

static void a_wrong_paste_is_told_what_it_is(void **state)
{
#define STARTS   "where the login starts"
#define SERVERS  "still a page of the login server"
#define ORIGIN   "another scheme, host or port"
#define PATH     "another path"
#define NO_URL   "the code alone"
#define MORE     "more than an address"
#define NOTHING_ "nothing behind it"
	static const struct {
		const char *text;
		size_t len;
		const char *says;
	} rows[] = {
		{ BYTES(""), "nothing was pasted" },
		{ BYTES(" \r\n"), "nothing was pasted" },
		{ BYTES(AUTHORIZE), STARTS },
		{ BYTES("https://login.salesforce.com/services/oauth2/authorize"), STARTS },
		{ BYTES("https://LOGIN.salesforce.com/services/oauth2/authorize?canary"), STARTS },
		{ BYTES("https://login.salesforce.com/setup/secur/Error.jsp?error=canary"),
		  SERVERS },
		{ BYTES("https://login.salesforce.com/?canary"), SERVERS },
		{ BYTES("https://login.salesforce.com/services/oauth2/authorizex"), SERVERS },
		{ BYTES("aPrxcanary=="), NO_URL },
		{ BYTES("code=canary&state=s"), NO_URL },
		{ BYTES("?code=canary&state=s"), NO_URL },
		{ BYTES("localhost:8717/callback?code=canary&state=s"), NO_URL },
		{ BYTES("https://localhost:8717/callback?code=canary&state=s"), ORIGIN },
		{ BYTES("http://127.0.0.1:8717/callback?code=canary&state=s"), ORIGIN },
		{ BYTES("http://localhost:8718/callback?code=canary&state=s"), ORIGIN },
		{ BYTES("http://localhost:87170/callback?code=canary&state=s"), ORIGIN },
		{ BYTES("http://localhost/callback?code=canary&state=s"), ORIGIN },
		{ BYTES("http://user@localhost:8717/callback?code=canary"), ORIGIN },
		{ BYTES("http://evil.example/?http://localhost:8717/callback?code=canary"),
		  ORIGIN },
		{ BYTES("https://acme.my.salesforce.com/home?canary"), ORIGIN },
		{ BYTES("chrome-error://chromewebdata/canary"), ORIGIN },
		{ BYTES("http://localhost:8717/callback/?code=canary&state=s"), PATH },
		{ BYTES("http://localhost:8717/Callback?code=canary&state=s"), PATH },
		{ BYTES("http://localhost:8717//callback?code=canary&state=s"), PATH },
		{ BYTES("http://localhost:8717/%63allback?code=canary&state=s"), PATH },
		{ BYTES("http://localhost:8717/callbackcanary"), PATH },
		{ BYTES("http://localhost:8717/callback&code=canary"), PATH },
		{ BYTES("http://localhost:8717"), PATH },
		{ BYTES("http://localhost:8717/callback"), NOTHING_ },
		{ BYTES("http://localhost:8717/callback#code=canary&state=s"), NOTHING_ },
		{ BYTES("http://localhost:8717/callback?code=can\nary&state=s"), MORE },
		{ BYTES("http://localhost:8717/callback?code=canary http://x"), MORE },
		{ BYTES("http://localhost:8717/callback?code=\0canary&state=s"), MORE },
		{ BYTES("http://localhost:8717/callback?code=can\xc3\xa9&state=s"), MORE },
		{ BYTES("\"http://localhost:8717/callback?code=canary\""), ORIGIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char query[128];
		struct error err;

		if (find(rows[i].text, rows[i].len, query, &err))
			fail_msg("%s was taken", rows[i].text);
		assert_int_equal(err.kind, ERROR_HUMAN);
		assert_string_equal(err.code, "not-the-answer");
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_non_null(strstr(err.text, "http://localhost:8717/callback?"));
		assert_null(strstr(err.text, "canary"));
	}
}

static void every_prefix_of_a_paste_is_safe(void **state)
{
	static const char *const texts[] = { "  http://localhost:8717/callback?code=a#x ",
					     AUTHORIZE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t len = 0; len <= strlen(texts[i]); len++) {
			char query[128];
			struct error err = { 0 };
			bool found = find(texts[i], len, query, &err);

			assert_int_equal(found, i == 0 && len > strlen("  http://localhost:8717/"
								       "callback"));
			assert_true(found || *err.text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_read),
		cmocka_unit_test(no_answer_is_refused),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(shown_texts_are_cut),
		cmocka_unit_test(every_prefix_is_safe),
		cmocka_unit_test(every_byte_is_safe),
		cmocka_unit_test(an_issuer_lives_where_the_browser_was_sent),
		cmocka_unit_test(an_address_is_found_in_a_paste),
		cmocka_unit_test(a_wrong_paste_is_told_what_it_is),
		cmocka_unit_test(every_prefix_of_a_paste_is_safe),
	};
	struct error err;
	bool locked;

	return secret_start(&locked, &err) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
