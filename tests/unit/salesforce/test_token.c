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
	bool unknown;
	const char *secret;
	size_t len;

	(void)state;
	assert_true(sf_token_parse(body, strlen(body), &terms, &token, &unknown, &err));
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
		bool unknown;
		bool ok = sf_token_parse(rows[i].body, strlen(rows[i].body), &terms, &token,
					 &unknown, &err);

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
		bool unknown;
		bool ok;

		memcpy(body, good, sizeof(good));
		memcpy(body + sizeof(good) - 1, rows[i].tail, rows[i].len);
		ok = sf_token_parse(body, sizeof(good) - 1 + rows[i].len, &terms, &token, &unknown,
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
		bool unknown;

		assert_true(sf_token_parse(body, strlen(body), &terms, &token, &unknown, &err));
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
		bool unknown;
		bool ok;

		asked.ask = rows[i].ask;
		ok = sf_token_parse(rows[i].body, strlen(rows[i].body), &asked, &token, &unknown,
				    &err);
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
		bool unknown;
		bool ok = sf_token_parse(body, strlen(body), &terms, &token, &unknown, &err);

		if (ok != rows[i].good)
			fail_msg("%s: %s", rows[i].scope, ok ? "taken" : err.text);
		if (!ok) {
			assert_int_equal(err.kind, ERROR_HUMAN);
			assert_string_equal(err.code, "missing-scope");
		}
		vault_token_done(&token);
	}
}

/* The one that was sent is used up, whatever else is wrong with the answer. */
static void what_a_refused_answer_leaves(void **state)
{
#define NEXT ",\"refresh_token\":\"5Aep861x\""
	enum left { NOTHING, KEPT, UNKNOWN };
	static const struct {
		const char *name, *body;
		enum left left;
	} rows[] = {
		{ "a page", "<html>\"access_token\"", NOTHING },
		{ "no body", "", NOTHING },
		{ "blanks", " \r\n", NOTHING },
		{ "an array", "[{" TOKEN NEXT "}]", NOTHING },
		{ "half an array", "[{" TOKEN NEXT, NOTHING },
		{ "null", "null", NOTHING },
		{ "an empty object", "{}", NOTHING },
		{ "an error", "{\"error\":\"invalid_grant\"}", NOTHING },
		{ "an error, more behind it", "{\"error\":\"invalid_grant\"}x", NOTHING },
		{ "a script", "{ var a = 1; }", NOTHING },
		{ "null tokens", "{\"access_token\":null,\"refresh_token\":null}", NOTHING },
		{ "instance elsewhere, no new one",
		  "{" TOKEN ",\"instance_url\":\"https://evil.example\"," ID "}", NOTHING },
		{ "no scope, no new one", "{" TOKEN "," INSTANCE "," ID ",\"scope\":\"id\"}",
		  NOTHING },

		{ "half an object", "{\"access_token\":\"00D", UNKNOWN },
		{ "the first byte of one", " {", UNKNOWN },
		{ "half, the new one in it", "{" TOKEN NEXT, UNKNOWN },
		{ "spoilt before the new one", "{" TOKEN ",\"x\":\xff" NEXT "}", UNKNOWN },
		{ "spoilt", "{" TOKEN ",}", UNKNOWN },
		{ "more behind it", "{" TOKEN "," INSTANCE "," ID "}x", UNKNOWN },
		{ "more behind it, the new one in it", "{" TOKEN NEXT "}{}", UNKNOWN },
		{ "the new one with a line end", "{" TOKEN ",\"refresh_token\":\"a\\n\"}",
		  UNKNOWN },
		{ "the new one with a NUL", "{" TOKEN ",\"refresh_token\":\"a\\u0000b\"}",
		  UNKNOWN },
		{ "the new one a number", "{" TOKEN ",\"refresh_token\":5}", UNKNOWN },
		{ "the new one empty", "{" TOKEN ",\"refresh_token\":\"\"}", UNKNOWN },

		{ "no access token", "{" INSTANCE "," ID NEXT "}", KEPT },
		{ "an access token that is none", "{\"access_token\":5" NEXT "}", KEPT },
		{ "no instance", "{" TOKEN "," ID NEXT "}", KEPT },
		{ "instance elsewhere",
		  "{" TOKEN ",\"instance_url\":\"https://evil.example\"," ID NEXT "}", KEPT },
		{ "id elsewhere",
		  "{" TOKEN "," INSTANCE NEXT
		  ",\"id\":\"https://evil.example/id/00D8d0000004QxREAU/0058d000002Kp7ZAAS\"}",
		  KEPT },
		{ "another org's token",
		  "{\"access_token\":\"00D8d0000004QxS!AQ\"," INSTANCE "," ID NEXT "}", KEPT },
		{ "another type", "{" TOKEN "," INSTANCE "," ID NEXT ",\"token_type\":\"mac\"}",
		  KEPT },
		{ "no scope", "{" TOKEN "," INSTANCE "," ID NEXT ",\"scope\":\"id\"}", KEPT },
		{ "wrong signature", "{" TOKEN "," INSTANCE "," ID NEXT ",\"signature\":\"x\"}",
		  KEPT },
	};
	static const enum sf_ask asks[] = { SF_ASK_REFRESH, SF_ASK_EXCHANGE };
	CLEANUP(secret_free) struct secret *secret = secret_new("7F00EXAMPLE", 11);

	(void)state;
	for (size_t i = 0; i < LEN(rows) * LEN(asks); i++) {
		const struct sf_token_terms asked = { .policy = &policy,
						      .ask = asks[i % LEN(asks)],
						      .client_secret = secret,
						      .now_ms = NOW_MS };
		const char *name = rows[i / LEN(asks)].name, *body = rows[i / LEN(asks)].body;
		enum left left = rows[i / LEN(asks)].left;
		struct vault_token token = { 0 };
		struct error err;
		bool unknown;

		if (sf_token_parse(body, strlen(body), &asked, &token, &unknown, &err))
			fail_msg("%s: taken", name);
		if (unknown != (left == UNKNOWN) || (token.refresh_token != NULL) != (left == KEPT))
			fail_msg("%s: %s, %s: %s", name, unknown ? "unknown" : "known",
				 token.refresh_token ? "kept" : "nothing", err.text);
		assert_null(token.access_token);
		assert_null(token.instance_url);
		assert_null(token.org_id);
		assert_null(token.user_id);
		assert_null(token.scope);
		assert_int_equal(token.obtained_ms, 0);
		assert_int_equal(token.expires_ms, 0);
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
		bool unknown;
		bool ok;

		asked.client_secret = secret;
		ok = sf_token_parse(body, strlen(body), &asked, &token, &unknown, &err);
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
		bool unknown;

		assert_false(sf_token_parse(bodies[i], strlen(bodies[i]), &terms, &token, &unknown,
					    &err));
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
		cmocka_unit_test(what_a_refused_answer_leaves),
		cmocka_unit_test(signatures),
		cmocka_unit_test(nothing_is_echoed),
	};

	return cmocka_run_group_tests_name("sf_token", tests, start, NULL);
}
