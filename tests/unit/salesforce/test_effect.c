/* Which failures of a write leave no doubt that nothing was done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "http/http.h"
#include "salesforce/sf_effect.h"
#include "salesforce/sf_error.h"

#define LEN(rows)  (sizeof(rows) / sizeof(rows[0]))
#define CODE(code) "[{\"message\":\"x\",\"errorCode\":\"" code "\"}]"
#define HTML       "<html>sorry</html>"

static void each_answer(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum sf_effect effect;
	} rows[] = {
		{ 400, CODE("JSON_PARSER_ERROR"), SF_NOTHING_DONE },
		{ 400, CODE("INVALID_FIELD"), SF_NOTHING_DONE },
		{ 400, CODE("EXCEEDED_ID_LIMIT"), SF_NOTHING_DONE },
		{ 400, CODE("A_CODE_OF_TOMORROW"), SF_NOTHING_DONE },
		{ 400, CODE("UNKNOWN_EXCEPTION"), SF_MAY_BE_DONE },
		{ 400, CODE("INTERNAL_ERROR"), SF_MAY_BE_DONE },
		{ 400, CODE("REQUEST_RUNNING_TOO_LONG"), SF_MAY_BE_DONE },
		{ 400, CODE("QUERY_TIMEOUT"), SF_MAY_BE_DONE },
		{ 400, HTML, SF_MAY_BE_DONE },
		{ 400, "", SF_MAY_BE_DONE },
		{ 400, CODE("no code"), SF_MAY_BE_DONE },
		{ 401, CODE("INVALID_SESSION_ID"), SF_NOTHING_DONE },
		{ 401, "<response/>", SF_NOTHING_DONE },
		{ 401, "", SF_NOTHING_DONE },
		{ 403, CODE("REQUEST_LIMIT_EXCEEDED"), SF_NOTHING_DONE },
		{ 403, CODE("API_DISABLED_FOR_ORG"), SF_NOTHING_DONE },
		{ 403, HTML, SF_MAY_BE_DONE },
		{ 404, CODE("NOT_FOUND"), SF_NOTHING_DONE },
		{ 404, HTML, SF_MAY_BE_DONE },
		{ 405, CODE("METHOD_NOT_ALLOWED"), SF_NOTHING_DONE },
		{ 406, HTML, SF_MAY_BE_DONE },
		{ 406, CODE("NOT_ACCEPTABLE"), SF_MAY_BE_DONE },
		{ 408, HTML, SF_MAY_BE_DONE },
		{ 410, CODE("UNSUPPORTED_API_VERSION"), SF_NOTHING_DONE },
		{ 413, HTML, SF_NOTHING_DONE },
		{ 414, HTML, SF_NOTHING_DONE },
		{ 414, CODE("URI_TOO_LONG"), SF_NOTHING_DONE },
		{ 415, CODE("UNSUPPORTED_MEDIA_TYPE"), SF_NOTHING_DONE },
		{ 420, "", SF_NOTHING_DONE },
		{ 429, "", SF_NOTHING_DONE },
		{ 429, HTML, SF_NOTHING_DONE },
		{ 431, HTML, SF_NOTHING_DONE },
		{ 300, CODE("DUPLICATE_EXTERNAL_ID"), SF_MAY_BE_DONE },
		{ 301, "", SF_MAY_BE_DONE },
		{ 302, HTML, SF_MAY_BE_DONE },
		{ 307, "", SF_MAY_BE_DONE },
		{ 500, CODE("UNKNOWN_EXCEPTION"), SF_MAY_BE_DONE },
		{ 500, CODE("UNABLE_TO_LOCK_ROW"), SF_MAY_BE_DONE },
		{ 500, HTML, SF_MAY_BE_DONE },
		{ 502, HTML, SF_MAY_BE_DONE },
		{ 503, HTML, SF_MAY_BE_DONE },
		{ 503, "", SF_MAY_BE_DONE },
		{ 503, CODE("SERVER_UNAVAILABLE"), SF_NOTHING_DONE },
		{ 503, CODE("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"),
		  SF_NOTHING_DONE },
		{ 503, CODE("FUNCTIONALITY_TEMPORARILY_UNAVAILABLE"), SF_NOTHING_DONE },
		{ 503, CODE("ORG_IN_MAINTENANCE"), SF_NOTHING_DONE },
		{ 503, CODE("A_CODE_OF_TOMORROW"), SF_MAY_BE_DONE },
		{ 504, HTML, SF_MAY_BE_DONE },
		{ 504, CODE("SERVER_UNAVAILABLE"), SF_MAY_BE_DONE },
		{ 599, "", SF_MAY_BE_DONE },
		{ 204, "", SF_MAY_BE_DONE },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct http_response response = { .status = rows[i].status,
						  .content_type = "",
						  .limit_info = "",
						  .last_modified = "",
						  .body = rows[i].body,
						  .body_len = strlen(rows[i].body) };
		struct error err;

		sf_error_rest(&response, &err);
		if (sf_effect_of(rows[i].status, &err) != rows[i].effect)
			fail_msg("%d %s", rows[i].status, rows[i].body);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer),
	};

	return cmocka_run_group_tests_name("sf_effect", tests, NULL, NULL);
}
