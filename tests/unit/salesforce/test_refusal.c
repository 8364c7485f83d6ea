/* Answers of the OAuth endpoints that are no success: one row for each row of Salesforce's list of
 * errors, and of the table that says what becomes of a grant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "http/http.h"
#include "salesforce/sf_refusal.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))
#define NOW_MS    INT64_C(1767323045123)

#define OAUTH(code, text) "{\"error\":\"" code "\",\"error_description\":\"" text "\"}"
#define BARE(code)        "{\"error\":\"" code "\"}"

static struct http_response answer_of(int status, const char *body)
{
	return (struct http_response){ .status = status,
				       .body = body,
				       .body_len = strlen(body),
				       .content_type = "",
				       .limit_info = "",
				       .last_modified = "" };
}

struct row {
	const char *name;
	int status;
	const char *body;
	enum error_kind kind;
	const char *code;
	int64_t wait_s;
};

static void check_row(const struct row *row, enum sf_ask ask)
{
	struct http_response response = answer_of(row->status, row->body);
	struct error err = { 0 };

	assert_false(sf_refusal(&response, ask, NOW_MS, &err));
	if (err.kind != row->kind || strcmp(err.code, row->code) != 0 ||
	    err.retry_after_s != row->wait_s || !*err.text)
		fail_msg("%s: %s %s %lld \"%s\"", row->name, error_kind_name(err.kind), err.code,
			 (long long)err.retry_after_s, err.text);
	/* There is room for whose account it is, and how to log in again. */
	if (strlen(err.text) > 400)
		fail_msg("%s: \"%s\"", row->name, err.text);
	/* The server may lengthen the wait, not shorten it. */
	for (int64_t said_s = 7; said_s <= 7 + 2 * 3600; said_s += 3600) {
		response.retry_after_s = said_s;
		assert_false(sf_refusal(&response, ask, NOW_MS, &err));
		if (err.retry_after_s != (said_s > row->wait_s ? said_s : row->wait_s))
			fail_msg("%s: %lld s after Retry-After: %lld", row->name,
				 (long long)err.retry_after_s, (long long)said_s);
	}
}

static void check_rows(const struct row *rows, size_t count)
{
	static const enum sf_ask asks[] = { SF_ASK_REFRESH, SF_ASK_EXCHANGE, SF_ASK_JWT,
					    SF_ASK_CLIENT, SF_ASK_ABOUT };

	for (size_t i = 0; i < count * LEN(asks); i++)
		check_row(&rows[i / LEN(asks)], asks[i % LEN(asks)]);
}

#define GRANT "invalid_grant"

/* The errors Salesforce documents, whatever was asked. */
static void documented_errors(void **state)
{
#define HUMAN(code)                                                                                \
	{                                                                                          \
		code, 400, BARE(code), ERROR_HUMAN, code, 0                                        \
	}
#define RETRY(code)                                                                                \
	{                                                                                          \
		code, 400, BARE(code), ERROR_RETRY, code, 0                                        \
	}
#define TEXT_OF(why)                                                                               \
	{                                                                                          \
		why, 400, OAUTH(GRANT, why), ERROR_HUMAN, GRANT, 0                                 \
	}
#define MENDABLE(why, told)                                                                        \
	{                                                                                          \
		why, 400, OAUTH(GRANT, why), ERROR_HUMAN, told, 0                                  \
	}
	static const struct row rows[] = {
		TEXT_OF("expired access/refresh token"),
		{ "token request is already being processed", 400,
		  OAUTH(GRANT, "token request is already being processed"), ERROR_RETRY, GRANT, 5 },
		MENDABLE("inactive user", "inactive_user"),
		MENDABLE("inactive organization", "inactive_org"),
		MENDABLE("user is locked", "user_locked"),
		MENDABLE("ip restricted or invalid login hours", "ip_restricted"),
		MENDABLE("ip restricted", "ip_restricted"),
		MENDABLE("user hasn't approved this consumer", "not_approved"),
		MENDABLE("audience is invalid", "wrong_audience"),
		MENDABLE("Audience validation failed", "wrong_audience"),
		TEXT_OF("invalid assertion"),
		MENDABLE("no client credentials user enabled", "no_run_as_user"),
		MENDABLE("request not supported on this domain", "wrong_host"),
		TEXT_OF("authentication failure"),
		TEXT_OF("expired authorization code"),
		TEXT_OF("invalid authorization code"),
		TEXT_OF("invalid code verifier"),
		TEXT_OF("a text nobody knows"),
		HUMAN("invalid_grant"),
		HUMAN("invalid_client_id"),
		HUMAN("invalid_client"),
		{ "invalid_client, 401", 401, OAUTH("invalid_client", "invalid client credentials"),
		  ERROR_HUMAN, "invalid_client", 0 },
		HUMAN("invalid_client_credentials"),
		HUMAN("invalid_app_access"),
		HUMAN("invalid_request"),
		HUMAN("unsupported_grant_type"),
		HUMAN("unsupported_response_type"),
		HUMAN("invalid_scope"),
		HUMAN("redirect_uri_mismatch"),
		HUMAN("redirect_uri_missing"),
		HUMAN("invalid_assertion"),
		HUMAN("invalid_assertion_type"),
		HUMAN("oauth_flow_disabled"),
		HUMAN("invalid_basic_auth_header"),
		HUMAN("unauthorized_client"),
		HUMAN("app_blocked"),
		HUMAN("app_not_found"),
		HUMAN("fail_close_app_blocked"),
		HUMAN("oauth_policy_not_found"),
		HUMAN("ecapp_policy_not_found"),
		HUMAN("inactive_user"),
		HUMAN("inactive_org"),
		HUMAN("unsupported_token_type"),
		HUMAN("invalid_token"),
		HUMAN("use_dpop_nonce"),
		HUMAN("invalid_dpop_proof"),
		HUMAN("otp_error"),
		{ "rate_limit_exceeded", 400,
		  OAUTH("rate_limit_exceeded", "Number of logins exceeded"), ERROR_RETRY,
		  "rate_limit_exceeded", 3600 },
		RETRY("server_error"),
		RETRY("system_down"),
		RETRY("service_unavailable"),
		RETRY("temporarily_unavailable"),
		RETRY("unknown_error"),
		RETRY("login_error"),
		{ "slow_down", 400, BARE("slow_down"), ERROR_RETRY, "slow_down", 60 },
		{ "authorization_pending", 400, BARE("authorization_pending"), ERROR_RETRY,
		  "authorization_pending", 60 },
	};

	(void)state;
	check_rows(rows, LEN(rows));
}

/* --- the table of what an answer leads to, a test for each of its rows --- */

static void row_transient_status(void **state)
{
	static const struct row rows[] = {
		{ "408", 408, "", ERROR_RETRY, "http-408", 0 },
		{ "425", 425, "", ERROR_RETRY, "http-425", 0 },
		{ "429", 429, "", ERROR_RETRY, "http-429", 60 },
		{ "500", 500, "", ERROR_RETRY, "server-trouble", 0 },
		{ "502 as HTML", 502, "<html>", ERROR_RETRY, "server-trouble", 0 },
		{ "503 with its error", 503, BARE("system_down"), ERROR_RETRY, "system_down", 0 },
		/* None of these can end a grant. */
		{ "500 as a refusal", 500, OAUTH(GRANT, "expired access/refresh token"),
		  ERROR_RETRY, "server-trouble", 0 },
		{ "429 as a refusal", 429, BARE(GRANT), ERROR_RETRY, "http-429", 60 },
		{ "408 as a refusal", 408, BARE(GRANT), ERROR_RETRY, "http-408", 0 },
		{ "425 as a refusal", 425, BARE("app_blocked"), ERROR_RETRY, "http-425", 0 },
		{ "302 as a refusal", 302, BARE(GRANT), ERROR_RETRY, "protocol", 0 },
		{ "201 as a refusal", 201, BARE(GRANT), ERROR_RETRY, "protocol", 0 },
		{ "500, brand new", 500, BARE("brand_new"), ERROR_RETRY, "server-trouble", 0 },
	};

	(void)state;
	check_rows(rows, LEN(rows));
}

static void row_html_or_unparsable(void **state)
{
	static const struct row rows[] = {
		{ "400 as HTML", 400, "<html>", ERROR_RETRY, "protocol", 0 },
		{ "401 as HTML", 401, "<html>", ERROR_RETRY, "protocol", 0 },
		{ "404 as HTML", 404, "<html>", ERROR_RETRY, "protocol", 0 },
		{ "400, half of a refusal", 400, "{\"error\":\"invalid_grant\"", ERROR_RETRY,
		  "protocol", 0 },
		{ "400, more than a refusal", 400, BARE(GRANT) "x", ERROR_RETRY, "protocol", 0 },
		{ "400, empty", 400, "", ERROR_RETRY, "protocol", 0 },
		{ "400, no error in it", 400, "{}", ERROR_RETRY, "protocol", 0 },
		{ "400, an array", 400, "[" BARE(GRANT) "]", ERROR_RETRY, "protocol", 0 },
		{ "400, a number for an error", 400, "{\"error\":5}", ERROR_RETRY, "protocol", 0 },
		{ "302", 302, "", ERROR_RETRY, "protocol", 0 },
	};

	(void)state;
	check_rows(rows, LEN(rows));
}

static void row_already_being_processed(void **state)
{
	static const struct row rows[] = {
		{ "capital", 400, OAUTH(GRANT, "Token request is already being processed"),
		  ERROR_RETRY, GRANT, 5 },
		{ "temporarily_unavailable, 503", 503, BARE("temporarily_unavailable"), ERROR_RETRY,
		  "temporarily_unavailable", 0 },
		{ "server_error, 500", 500, BARE("server_error"), ERROR_RETRY, "server_error", 0 },
	};

	(void)state;
	check_rows(rows, LEN(rows));
}

static void row_login_rate(void **state)
{
	static const struct row rows[] = {
		{ "its own error", 400, BARE("rate_limit_exceeded"), ERROR_RETRY,
		  "rate_limit_exceeded", 3600 },
		{ "as a text", 400, OAUTH(GRANT, "login rate exceeded"), ERROR_RETRY, GRANT, 3600 },
		{ "as another", 400, OAUTH(GRANT, "Number of logins exceeded"), ERROR_RETRY, GRANT,
		  3600 },
		{ "429", 429, BARE("rate_limit_exceeded"), ERROR_RETRY, "rate_limit_exceeded",
		  3600 },
	};

	(void)state;
	check_rows(rows, LEN(rows));
}

static void row_firewall(void **state)
{
	static const struct row rows[] = {
		{ "403 as HTML", 403, "<html>", ERROR_RETRY, "http-403", 900 },
		{ "403, empty", 403, "", ERROR_RETRY, "http-403", 900 },
		{ "403, JSON of somebody else", 403, "{\"message\":\"x\"}", ERROR_RETRY, "http-403",
		  900 },
		{ "403 of Salesforce", 403, BARE("app_blocked"), ERROR_HUMAN, "app_blocked", 0 },
	};

	(void)state;
	check_rows(rows, LEN(rows));
}

/* Nobody knows what it means: asked again, and it is the keeper that gives up. */
static void row_unknown_error(void **state)
{
	static const struct row rows[] = {
		{ "400", 400, OAUTH("brand_new", "x"), ERROR_RETRY, "unknown-error", 0 },
		{ "401", 401, BARE("brand_new"), ERROR_RETRY, "unknown-error", 0 },
		{ "403", 403, BARE("brand_new"), ERROR_RETRY, "unknown-error", 0 },
		{ "no plain word", 400, BARE("Brand New9"), ERROR_RETRY, "unknown-error", 0 },
	};
	struct http_response response = answer_of(400, BARE("brand_new"));
	struct error err;

	(void)state;
	check_rows(rows, LEN(rows));
	sf_refusal(&response, SF_ASK_REFRESH, NOW_MS, &err);
	assert_non_null(strstr(err.text, "(brand_new)"));
}

/* --- remedies --- */

static void remedies_fit_the_flow(void **state)
{
	static const struct {
		enum sf_ask ask;
		const char *body, *remedy;
	} rows[] = {
		{ SF_ASK_REFRESH, OAUTH(GRANT, "expired access/refresh token"),
		  "pushed out by a sixth" },
		{ SF_ASK_REFRESH, BARE(GRANT), "pushed out by a sixth" },
		{ SF_ASK_EXCHANGE, OAUTH(GRANT, "expired authorization code"), "start another" },
		{ SF_ASK_EXCHANGE, OAUTH(GRANT, "invalid code verifier"), "PKCE" },
		{ SF_ASK_EXCHANGE, OAUTH("invalid_request", "invalid code verifier"), "PKCE" },
		{ SF_ASK_EXCHANGE, OAUTH("redirect_uri_mismatch", "x"), "callback URL" },
		{ SF_ASK_REFRESH, OAUTH("invalid_client", "x"), "Require Secret" },
		{ SF_ASK_JWT, OAUTH("invalid_client", "x"), "certificate" },
		{ SF_ASK_CLIENT, OAUTH("invalid_client", "x"), "leadsync secret set" },
		{ SF_ASK_REFRESH, BARE("oauth_flow_disabled"), "redirect_uri as callback" },
		{ SF_ASK_JWT, BARE("oauth_flow_disabled"), "JWT Bearer Flow" },
		{ SF_ASK_CLIENT, BARE("oauth_flow_disabled"), "Client Credentials Flow" },
		{ SF_ASK_ABOUT, BARE("oauth_flow_disabled"), "may not ask about its tokens" },
		{ SF_ASK_JWT, OAUTH(GRANT, "user hasn't approved this consumer"),
		  "pre-authorized" },
		{ SF_ASK_JWT, OAUTH(GRANT, "audience is invalid"), "set audience" },
		{ SF_ASK_JWT, OAUTH(GRANT, "invalid assertion"), "certificate" },
		{ SF_ASK_JWT, OAUTH(GRANT, "expired authorization code"), "counts as expired" },
		{ SF_ASK_JWT, BARE(GRANT), "username must be a user" },
		{ SF_ASK_CLIENT, BARE(GRANT), "Run As" },
		{ SF_ASK_CLIENT, OAUTH(GRANT, "no client credentials user enabled"), "Run As" },
		{ SF_ASK_CLIENT, OAUTH(GRANT, "request not supported on this domain"),
		  "My Domain" },
		{ SF_ASK_JWT, OAUTH("invalid_client_id", "x"), "10 minutes" },
		{ SF_ASK_CLIENT, OAUTH("invalid_app_access", "x"), "permission set" },
		{ SF_ASK_REFRESH, OAUTH(GRANT, "ip restricted"), "IP range" },
		{ SF_ASK_REFRESH, OAUTH(GRANT, "inactive user"), "must activate" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct http_response response = answer_of(400, rows[i].body);
		struct error err;

		sf_refusal(&response, rows[i].ask, NOW_MS, &err);
		if (!strstr(err.text, rows[i].remedy))
			fail_msg("%s: \"%s\"", rows[i].body, err.text);
	}
}

/* The row "JWT invalid_grant with expired or audience text". */
static void row_wrong_clock(void **state)
{
	static const struct {
		const char *name;
		enum sf_ask ask;
		const char *text;
		int64_t ahead_s; /* of our clock */
		const char *says, *code;
	} rows[] = {
		{ "ahead", SF_ASK_JWT, "expired authorization code", 200, "200 s ahead of",
		  "wrong_clock" },
		{ "behind", SF_ASK_JWT, "expired authorization code", -3600, "3600 s behind",
		  "wrong_clock" },
		{ "audience", SF_ASK_JWT, "audience is invalid", 200, "200 s ahead of",
		  "wrong_clock" },
		{ "assertion", SF_ASK_JWT, "invalid assertion", -200, "200 s behind",
		  "wrong_clock" },
		{ "barely", SF_ASK_JWT, "invalid assertion", 61, "61 s ahead of", "wrong_clock" },
		{ "right enough", SF_ASK_JWT, "audience is invalid", 60, "set audience",
		  "wrong_audience" },
		{ "right enough, behind", SF_ASK_JWT, "expired", -60, "counts as expired", GRANT },
		{ "another reason", SF_ASK_JWT, "inactive user", 200, "must activate",
		  "inactive_user" },
		{ "another flow", SF_ASK_REFRESH, "expired access/refresh token", 200,
		  "the login is over", GRANT },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		char body[200];
		struct http_response response;
		struct error err;

		snprintf(body, sizeof(body), OAUTH(GRANT, "%s"), rows[i].text);
		response = answer_of(400, body);
		response.date_ms = NOW_MS - rows[i].ahead_s * 1000;
		sf_refusal(&response, rows[i].ask, NOW_MS, &err);
		assert_int_equal(err.kind, ERROR_HUMAN);
		if (strcmp(err.code, rows[i].code) != 0)
			fail_msg("%s: %s", rows[i].name, err.code);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: \"%s\"", rows[i].name, err.text);
		if (strstr(rows[i].says, " s ") && !strstr(err.text, "NTP"))
			fail_msg("%s: \"%s\"", rows[i].name, err.text);

		response.date_ms = 0; /* not said */
		sf_refusal(&response, rows[i].ask, NOW_MS, &err);
		assert_null(strstr(err.text, "clock is"));
	}
}

/* The endpoint may say back what it was sent: no word of that reaches a log. */
static void a_secret_is_not_echoed(void **state)
{
#define CANARY "CANARY0f3Secret"
	static const char *const bodies[] = {
		OAUTH("invalid_client", "bad secret " CANARY),
		OAUTH("invalid_grant", CANARY " inactive user"),
		OAUTH("invalid_grant", CANARY " is already being processed"),
		OAUTH("invalid_grant", "expired " CANARY),
		OAUTH("brand_new", CANARY),
		OAUTH(CANARY, CANARY),
		OAUTH("client_secret=" CANARY, CANARY),
		OAUTH("server_error", CANARY),
		"<html>" CANARY,
		"{\"error_description\":\"" CANARY "\"}",
	};
	static const int statuses[] = { 201, 302, 400, 401, 403, 429, 500, 503 };
	static const enum sf_ask asks[] = { SF_ASK_REFRESH, SF_ASK_EXCHANGE, SF_ASK_JWT,
					    SF_ASK_CLIENT, SF_ASK_ABOUT };

	(void)state;
	for (size_t i = 0; i < LEN(bodies) * LEN(statuses) * LEN(asks); i++) {
		const char *body = bodies[i % LEN(bodies)];
		struct http_response response =
			answer_of(statuses[i / LEN(bodies) % LEN(statuses)], body);
		struct error err;

		sf_refusal(&response, asks[i / LEN(bodies) / LEN(statuses)], NOW_MS, &err);
		if (strcasestr(err.text, CANARY) || strcasestr(err.code, CANARY))
			fail_msg("%s: %s %s", body, err.code, err.text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(documented_errors),
		cmocka_unit_test(row_transient_status),
		cmocka_unit_test(row_html_or_unparsable),
		cmocka_unit_test(row_already_being_processed),
		cmocka_unit_test(row_login_rate),
		cmocka_unit_test(row_firewall),
		cmocka_unit_test(row_unknown_error),
		cmocka_unit_test(row_wrong_clock),
		cmocka_unit_test(remedies_fit_the_flow),
		cmocka_unit_test(a_secret_is_not_echoed),
	};

	return cmocka_run_group_tests_name("sf_refusal", tests, NULL, NULL);
}
