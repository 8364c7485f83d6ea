/* What the token endpoint answers, and what of it is believed. */
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
static const struct sf_token_terms terms = { .policy = &policy,
					     .ask = SF_ASK_CLIENT,
					     .now_ms = NOW_MS };

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
	assert_true(sf_token_parse(body, strlen(body), &terms, &token, &err));
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
	assert_int_equal(token.expiry, VAULT_EXPIRY_SAID);
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
		bool ok = sf_token_parse(rows[i].body, strlen(rows[i].body), &terms, &token, &err);

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
		ok = sf_token_parse(body, sizeof(good) - 1 + rows[i].len, &terms, &token, &err);
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

		assert_true(sf_token_parse(body, strlen(body), &terms, &token, &err));
		assert_int_equal(token.expires_ms,
				 rows[i].want_s ? NOW_MS + rows[i].want_s * 1000 : 0);
		vault_token_done(&token);
	}
}

static void refresh_tokens_are_for_logins(void **state)
{
	static const char with[] = "{" TOKEN "," INSTANCE "," ID ",\"refresh_token\":\"5Aep861x\"}";
	static const char without[] = "{" TOKEN "," INSTANCE "," ID "}";
	static const struct {
		const char *name;
		enum sf_ask ask;
		const char *body;
		bool kept;
		const char *code; /* NULL: taken */
	} rows[] = {
		{ "refresh, rotating", SF_ASK_REFRESH, with, true, NULL },
		{ "refresh, not rotating", SF_ASK_REFRESH, without, false, NULL },
		{ "exchange", SF_ASK_EXCHANGE, with, true, NULL },
		{ "exchange without", SF_ASK_EXCHANGE, without, false, "no-refresh-token" },
		{ "jwt", SF_ASK_JWT, without, false, NULL },
		{ "jwt with one", SF_ASK_JWT, with, false, NULL },
		{ "client credentials with one", SF_ASK_CLIENT, with, false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct sf_token_terms asked = terms;
		struct vault_token token = { 0 };
		struct error err = { 0 };
		bool ok;

		asked.ask = rows[i].ask;
		ok = sf_token_parse(rows[i].body, strlen(rows[i].body), &asked, &token, &err);
		if (ok != !rows[i].code || (token.refresh_token != NULL) != rows[i].kept)
			fail_msg("%s: %s", rows[i].name, ok ? "taken" : err.text);
		if (!ok) {
			assert_string_equal(err.code, rows[i].code);
			assert_int_equal(err.kind, ERROR_HUMAN);
			assert_non_null(strstr(err.text, "Perform requests at any time"));
		}
		vault_token_done(&token);
	}
}

static void a_token_must_be_of_use(void **state)
{
	static const struct {
		const char *scope;
		bool good;
	} rows[] = {
		{ "\"api\"", true },
		{ "\"id api refresh_token\"", true },
		{ "\"refresh_token  api\"", true },
		{ "\"full\"", true },
		{ "\"\"", true },
		{ "null", true },
		{ "\"id refresh_token\"", false },
		{ "\"chatter_api\"", false },
		{ "\"api_x fuller\"", false },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		CLEANUP_FREE char *body =
			mem_format("{" TOKEN "," INSTANCE "," ID ",\"scope\":%s}", rows[i].scope);
		struct vault_token token = { 0 };
		struct error err;
		bool ok = sf_token_parse(body, strlen(body), &terms, &token, &err);

		if (ok != rows[i].good)
			fail_msg("%s: %s", rows[i].scope, ok ? "taken" : err.text);
		if (!ok) {
			assert_int_equal(err.kind, ERROR_HUMAN);
			assert_string_equal(err.code, "missing-scope");
		}
		vault_token_done(&token);
	}
}

/* By Python's hmac, for the secret "7F00EXAMPLE" and issued_at "1767323045123". */
#define SIGNATURE "XvstAFJifit8di26wwcxGGBM7ifd+yprOadxAWnkx7Y="

static void signatures(void **state)
{
	static const char issued[] = ",\"issued_at\":\"1767323045123\"";
	static const struct {
		const char *name, *secret, *tail;
		bool good;
	} rows[] = {
		{ "right", "7F00EXAMPLE", ",\"signature\":\"" SIGNATURE "\"", true },
		{ "absent", "7F00EXAMPLE", "", true },
		{ "no secret known", NULL, ",\"signature\":\"x\"", true },
		{ "another secret", "7F00EXAMPLF", ",\"signature\":\"" SIGNATURE "\"", false },
		{ "cut", "7F00EXAMPLE",
		  ",\"signature\":\"XvstAFJifit8di26wwcxGGBM7ifd+yprOadxAWnkx7Y\"", false },
		{ "longer", "7F00EXAMPLE", ",\"signature\":\"" SIGNATURE "=\"", false },
		{ "empty", "7F00EXAMPLE", ",\"signature\":\"\"", false },
		{ "null", "7F00EXAMPLE", ",\"signature\":null", false },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		CLEANUP(secret_free)
		struct secret *secret =
			rows[i].secret ? secret_new(rows[i].secret, strlen(rows[i].secret)) : NULL;
		CLEANUP_FREE char *body =
			mem_format("{" TOKEN "," INSTANCE "," ID "%s%s}", issued, rows[i].tail);
		struct sf_token_terms asked = terms;
		struct vault_token token = { 0 };
		struct error err = { 0 };
		bool ok;

		asked.client_secret = secret;
		ok = sf_token_parse(body, strlen(body), &asked, &token, &err);
		if (ok != rows[i].good || (!ok && strcmp(err.code, "protocol") != 0))
			fail_msg("%s: %s", rows[i].name, ok ? "taken" : err.text);
		vault_token_done(&token);
	}
}

static void nothing_is_echoed(void **state)
{
#define CANARY "CANARY0f3Token"
	static const char *const bodies[] = {
		"{\"access_token\":\"" CANARY " \"," INSTANCE "," ID "}",
		"{\"access_token\":\"" CANARY "\"," ID "}",
		"{\"access_token\":\"" CANARY "\"," INSTANCE "," ID ",\"scope\":\"" CANARY "\"}",
		"{" TOKEN "," INSTANCE ",\"id\":\"" CANARY "\"}",
		"{" TOKEN "," INSTANCE "," ID ",\"token_type\":\"" CANARY "\"}",
		"{" TOKEN "," INSTANCE "," ID ",\"refresh_token\":\"" CANARY " \"}",
		"{\"access_token\":\"" CANARY "\"",
	};

	(void)state;
	for (size_t i = 0; i < LEN(bodies); i++) {
		struct vault_token token = { 0 };
		struct error err;

		assert_false(sf_token_parse(bodies[i], strlen(bodies[i]), &terms, &token, &err));
		if (strcasestr(err.text, CANARY))
			fail_msg("%s", err.text);
		assert_null(token.access_token);
	}
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
		cmocka_unit_test(refresh_tokens_are_for_logins),
		cmocka_unit_test(a_token_must_be_of_use),
		cmocka_unit_test(signatures),
		cmocka_unit_test(nothing_is_echoed),
	};

	return cmocka_run_group_tests_name("sf_token", tests, start, NULL);
}
