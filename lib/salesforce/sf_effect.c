#include "salesforce/sf_effect.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"

#define ANY_CODE "*" /* of the server's */

/* The first row wins that has the answer's status, and its code where it has one. */
static const struct {
	int first, last;
	const char *code;
	enum sf_effect effect;
} rows[] = {
	/* Refused before anybody looked into the request. */
	{ 401, 401, NULL, SF_NOTHING_DONE },
	{ 413, 414, NULL, SF_NOTHING_DONE },
	{ 420, 420, NULL, SF_NOTHING_DONE },
	{ 429, 429, NULL, SF_NOTHING_DONE },
	{ 431, 431, NULL, SF_NOTHING_DONE },

	/* Only the answer may have been refused. */
	{ 406, 406, NULL, SF_MAY_BE_DONE },

	/* Said by the API, but of something that it had begun. */
	{ 400, 499, "UNKNOWN_EXCEPTION", SF_MAY_BE_DONE },
	{ 400, 499, "INTERNAL_ERROR", SF_MAY_BE_DONE },
	{ 400, 499, "REQUEST_RUNNING_TOO_LONG", SF_MAY_BE_DONE },
	{ 400, 499, "QUERY_TIMEOUT", SF_MAY_BE_DONE },

	/* Said by the API of the request as a whole, which it did not take. */
	{ 400, 499, ANY_CODE, SF_NOTHING_DONE },
	{ 503, 503, "SERVER_UNAVAILABLE", SF_NOTHING_DONE },
	{ 503, 503, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", SF_NOTHING_DONE },
	{ 503, 503, "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", SF_NOTHING_DONE },
	{ 503, 503, "ORG_IN_MAINTENANCE", SF_NOTHING_DONE },

	/* The rest may come from something between the API and us, which knows nothing of what
	 * the API did: redirects, an edge's 403 or 404, 408, a 5xx. */
	{ 0, 999, NULL, SF_MAY_BE_DONE },
};

/* The server's codes are names; those we give are not, save "protocol", which no failure is. */
static bool is_code(const char *wanted, const char *code)
{
	return strcmp(wanted, ANY_CODE) == 0 ? str_is_name(code) : strcmp(wanted, code) == 0;
}

enum sf_effect sf_effect_of(int status, const struct error *err)
{
	size_t i = 0;

	while (status < rows[i].first || status > rows[i].last ||
	       (rows[i].code && !is_code(rows[i].code, err->code)))
		i++;
	return rows[i].effect;
}
