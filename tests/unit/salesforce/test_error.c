/* Answers that are no success, one row for each row of Salesforce's documented tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "http/http.h"
#include "salesforce/sf_error.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))

struct row {
	const char *name;
	int status;
	const char *body;
	enum error_kind kind;
	const char *code;
	int64_t wait_s;
};

#define REST(code, message) "[{\"message\":\"" message "\",\"errorCode\":\"" code "\"}]"

static void check_row(const struct row *row)
{
	struct http_response response = { .status = row->status,
					  .body = row->body,
					  .body_len = strlen(row->body),
					  .content_type = "",
					  .limit_info = "",
					  .last_modified = "" };
	struct error err = { 0 };

	assert_false(sf_error_rest(&response, &err));
	if (err.kind != row->kind || strcmp(err.code, row->code) != 0 ||
	    err.retry_after_s != row->wait_s || !*err.text)
		fail_msg("%s: %s %s %lld \"%s\"", row->name, error_kind_name(err.kind), err.code,
			 (long long)err.retry_after_s, err.text);
	response.retry_after_s = 77;
	assert_false(sf_error_rest(&response, &err));
	if (err.retry_after_s != 77)
		fail_msg("%s: Retry-After was not kept", row->name);
}

static void rest_answers(void **state)
{
	static const struct row rows[] = {
		/* statuses */
		{ "300", 300, "[\"/services/data/v66.0/sobjects/Lead/x\"]", ERROR_RECORD,
		  "DUPLICATE_EXTERNAL_ID", 0 },
		{ "301", 301, "", ERROR_RETRY, "host-moved", 0 },
		{ "302", 302, "<html>", ERROR_RETRY, "host-moved", 0 },
		{ "400 without a code", 400, "{}", ERROR_HUMAN, "http-4xx", 0 },
		{ "400 with another code", 400, REST("BRAND_NEW", "x"), ERROR_HUMAN, "BRAND_NEW",
		  0 },
		{ "401 as XML", 401, "<response><faultcode>LOGIN_OAUTH_INVALID_TOKEN", ERROR_LOGIN,
		  "http-401", 0 },
		{ "403 without JSON", 403, "<html>", ERROR_RETRY, "http-403", 900 },
		{ "403 with another code", 403, REST("BRAND_NEW", "x"), ERROR_HUMAN, "BRAND_NEW",
		  0 },
		{ "403 of identity", 403, "Bad_OAuth_Token", ERROR_LOGIN, "Bad_OAuth_Token", 0 },
		{ "404 as HTML", 404, "<html>", ERROR_RETRY, "host-moved", 0 },
		{ "404 as JSON", 404, REST("NOT_FOUND", "The requested resource does not exist"),
		  ERROR_RECORD, "NOT_FOUND", 0 },
		{ "405", 405, REST("METHOD_NOT_ALLOWED", "x"), ERROR_BUG, "METHOD_NOT_ALLOWED", 0 },
		{ "406", 406, "", ERROR_RETRY, "http-406", 0 },
		{ "409", 409, "", ERROR_RETRY, "http-409", 0 },
		{ "410", 410, "", ERROR_HUMAN, "http-410", 0 },
		{ "410 with a code", 410, REST("UNSUPPORTED_API_VERSION", "x"), ERROR_HUMAN,
		  "UNSUPPORTED_API_VERSION", 0 },
		{ "412", 412, "", ERROR_RECORD, "http-412", 0 },
		{ "414", 414, "", ERROR_HUMAN, "query-too-long", 0 },
		{ "415", 415, "", ERROR_BUG, "http-415", 0 },
		{ "420", 420, "", ERROR_RETRY, "host-moved", 0 },
		{ "428", 428, "", ERROR_BUG, "http-428", 0 },
		{ "429", 429, "", ERROR_RETRY, "http-429", 60 },
		{ "431", 431, "", ERROR_HUMAN, "query-too-long", 0 },
		{ "500", 500, REST("UNKNOWN_EXCEPTION", "x"), ERROR_RETRY, "UNKNOWN_EXCEPTION", 0 },
		{ "502", 502, "<html>", ERROR_RETRY, "server-trouble", 0 },
		{ "503", 503, REST("SERVER_UNAVAILABLE", "x"), ERROR_RETRY, "SERVER_UNAVAILABLE",
		  0 },
		{ "503 with another code", 503, REST("BRAND_NEW", "x"), ERROR_RETRY, "BRAND_NEW",
		  0 },
		{ "504", 504, "", ERROR_RETRY, "server-trouble", 0 },
		{ "a success with HTML", 200, "<html>", ERROR_RETRY, "not-json", 0 },
		{ "a success with an error", 200, REST("NOT_FOUND", "x"), ERROR_RETRY, "protocol",
		  0 },
		{ "a code that is none", 400, REST("a b\\nc", "x"), ERROR_HUMAN, "http-4xx", 0 },
		{ "a message that is none", 400, "[{\"errorCode\":\"INVALID_FIELD\"}]", ERROR_HUMAN,
		  "INVALID_FIELD", 0 },
		{ "the object form", 400, "{\"errorCode\":\"INVALID_FIELD\",\"message\":\"x\"}",
		  ERROR_HUMAN, "INVALID_FIELD", 0 },
		{ "an empty array", 400, "[]", ERROR_HUMAN, "http-4xx", 0 },

		/* the session */
		{ "session", 401, REST("INVALID_SESSION_ID", "Session expired or invalid"),
		  ERROR_LOGIN, "INVALID_SESSION_ID", 0 },
		{ "no REST for the session", 401,
		  REST("INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
		  ERROR_HUMAN, "INVALID_SESSION_ID", 0 },
		{ "no agent", 401,
		  REST("INVALID_SESSION_ID", "Connected app is not attached to Agent"), ERROR_HUMAN,
		  "INVALID_SESSION_ID", 0 },
		{ "auth header", 401, REST("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"),
		  ERROR_LOGIN, "INVALID_AUTH_HEADER", 0 },

		/* allowances */
		{ "daily calls", 403,
		  REST("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), ERROR_QUOTA,
		  "REQUEST_LIMIT_EXCEEDED", 1800 },
		{ "concurrent calls", 403,
		  REST("REQUEST_LIMIT_EXCEEDED",
		       "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
		  ERROR_RETRY, "REQUEST_LIMIT_EXCEEDED", 30 },
		{ "long transactions", 403,
		  REST("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."),
		  ERROR_RETRY, "REQUEST_LIMIT_EXCEEDED", 30 },
		{ "storage", 403, REST("STORAGE_LIMIT_EXCEEDED", "x"), ERROR_HUMAN,
		  "STORAGE_LIMIT_EXCEEDED", 0 },
		{ "limit", 400, REST("LIMIT_EXCEEDED", "x"), ERROR_BUG, "LIMIT_EXCEEDED", 0 },
		{ "ids", 400, REST("EXCEEDED_ID_LIMIT", "x"), ERROR_BUG, "EXCEEDED_ID_LIMIT", 0 },

		/* queries */
		{ "locator", 400, REST("INVALID_QUERY_LOCATOR", "invalid query locator"),
		  ERROR_STALE, "INVALID_QUERY_LOCATOR", 0 },
		{ "field", 400, REST("INVALID_FIELD", "No such column"), ERROR_HUMAN,
		  "INVALID_FIELD", 0 },
		{ "type", 400, REST("INVALID_TYPE", "sObject type 'X' is not supported."),
		  ERROR_HUMAN, "INVALID_TYPE", 0 },
		{ "query", 400, REST("MALFORMED_QUERY", "unexpected token"), ERROR_HUMAN,
		  "MALFORMED_QUERY", 0 },
		{ "operator", 400, REST("INVALID_QUERY_FILTER_OPERATOR", "x"), ERROR_HUMAN,
		  "INVALID_QUERY_FILTER_OPERATOR", 0 },
		{ "complicated", 400, REST("QUERY_TOO_COMPLICATED", "x"), ERROR_HUMAN,
		  "QUERY_TOO_COMPLICATED", 0 },
		{ "large", 400, REST("OPERATION_TOO_LARGE", "x"), ERROR_HUMAN,
		  "OPERATION_TOO_LARGE", 0 },
		{ "query time", 400, REST("QUERY_TIMEOUT", "x"), ERROR_RETRY, "QUERY_TIMEOUT", 0 },

		/* the service and the administrator */
		{ "maintenance", 400,
		  REST("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "x"), ERROR_RETRY,
		  "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", 300 },
		{ "unavailable", 400, REST("FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", "x"),
		  ERROR_RETRY, "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", 300 },
		{ "policy engine", 400, REST("TXN_SECURITY_METERING_ERROR", "x"), ERROR_RETRY,
		  "TXN_SECURITY_METERING_ERROR", 300 },
		{ "policy", 403, REST("TXN_SECURITY_NO_ACCESS", "x"), ERROR_HUMAN,
		  "TXN_SECURITY_NO_ACCESS", 0 },
		{ "API off", 403, REST("API_DISABLED_FOR_ORG", "x"), ERROR_HUMAN,
		  "API_DISABLED_FOR_ORG", 0 },
		{ "API off now", 403, REST("API_CURRENTLY_DISABLED", "x"), ERROR_HUMAN,
		  "API_CURRENTLY_DISABLED", 0 },
		{ "password", 403, REST("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "x"),
		  ERROR_HUMAN, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", 0 },
		{ "forbidden", 403, REST("FORBIDDEN", "x"), ERROR_HUMAN, "FORBIDDEN", 0 },
		{ "access", 403, REST("INSUFFICIENT_ACCESS", "x"), ERROR_HUMAN,
		  "INSUFFICIENT_ACCESS", 0 },

		/* records and fields */
		{ "required", 400, REST("REQUIRED_FIELD_MISSING", "[LastName]"), ERROR_RECORD,
		  "REQUIRED_FIELD_MISSING", 0 },
		{ "deleted", 404, REST("ENTITY_IS_DELETED", "entity is deleted"), ERROR_RECORD,
		  "ENTITY_IS_DELETED", 0 },
		{ "lock", 500, REST("UNABLE_TO_LOCK_ROW", "x"), ERROR_RETRY, "UNABLE_TO_LOCK_ROW",
		  0 },
		{ "approval", 400, REST("ENTITY_IS_LOCKED", "x"), ERROR_RECORD, "ENTITY_IS_LOCKED",
		  3600 },
		{ "trigger", 400, REST("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "x"), ERROR_RECORD,
		  "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 0 },
		{ "trigger with a lock", 400,
		  REST("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "t: UNABLE_TO_LOCK_ROW, x"),
		  ERROR_RETRY, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 0 },
		{ "too long", 400, REST("STRING_TOO_LONG", "x"), ERROR_FIELD, "STRING_TOO_LONG",
		  0 },
		{ "read-only", 400, REST("INVALID_FIELD_FOR_INSERT_UPDATE", "x"), ERROR_FIELD,
		  "INVALID_FIELD_FOR_INSERT_UPDATE", 0 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		check_row(&rows[i]);
}

/* A server can put anything into a message: it stays one line, and short. */
static void hostile_messages_are_tamed(void **state)
{
	char body[3000] = "[{\"errorCode\":\"INVALID_FIELD\",\"message\":\"a\\nlevel=err "
			  "event=forged \\u001b[2J\\u0085";
	struct http_response response = { .status = 400, .body = body };
	struct error err;
	size_t used = strlen(body);

	(void)state;
	for (size_t i = 0; i < 2000; i++)
		body[used + i] = i % 40 ? 'X' : ' ';
	strcpy(body + used + 2000, "\"}]");
	response.body_len = strlen(body);
	sf_error_rest(&response, &err);
	assert_string_equal(err.code, "INVALID_FIELD");
	assert_null(strpbrk(err.text, "\n\r\x1b\x85"));
	assert_true(strspn(strchr(err.text, 'X'), "X ") < 200);
}

/* Whatever the table makes of it: by code, by status with a code, by status alone. */
static void the_token_is_not_echoed(void **state)
{
#define CANARY "00D8d0000004QxR!AQ.CANARY_0123456789012345678901234567890123456789"
	static const struct {
		int status;
		const char *body;
	} rows[] = {
		{ 400, "[{\"errorCode\":\"MALFORMED_QUERY\",\"message\":\"Bearer " CANARY "\"}]" },
		{ 400,
		  "[{\"errorCode\":\"BRAND_NEW\",\"message\":\"in \\\"Bearer " CANARY "\\\"\"}]" },
		{ 400, "[{\"errorCode\":\"" CANARY "\",\"message\":\"x\"}]" },
		{ 400, "[{\"errorCode\":\"" CANARY "\",\"message\":\"" CANARY "\"}]" },
		{ 503, "Authorization: Bearer " CANARY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_response response = { .status = rows[i].status,
						  .body = rows[i].body,
						  .body_len = strlen(rows[i].body) };
		struct error err;

		sf_error_rest(&response, &err);
		if (strstr(err.text, "CANARY") || strstr(err.code, "CANARY"))
			fail_msg("%s: %s", err.code, err.text);
		if (i < 2)
			assert_non_null(strstr(err.text, "Bearer …"));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rest_answers),
		cmocka_unit_test(hostile_messages_are_tamed),
		cmocka_unit_test(the_token_is_not_echoed),
	};

	return cmocka_run_group_tests_name("sf_error", tests, NULL, NULL);
}
