/* sf_error.c - the table, then how an answer is looked up in it. */
#include "salesforce/sf_error.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/http.h"
#include "salesforce/sf_json.h"
#include "salesforce/sf_quote.h"

#define MINUTE_S (60)
#define HOUR_S   (60 * MINUTE_S)

/* The first row wins whose code is the answer's and whose `hint` (if any) is in its text. */
struct row {
	const char *code;
	const char *hint;
	enum error_kind kind;
	int wait_s; /* if the server names none */
	const char *remedy;
};

#define SESSION_POLICY                                                                             \
	"this session may not use the REST API: give the app the scope 'api' and the user the "    \
	"permission 'API Enabled'"
#define TRY_LATER      "passing trouble at Salesforce"
#define MAINTENANCE    "Salesforce is under maintenance: writes wait until it is over"
#define ASK_ADMIN      "our user may not do this: an administrator must grant it"
#define VALUE_REFUSED  "Salesforce refuses the value of a field"
#define RECORD_REFUSED "Salesforce refuses this record"
#define RECORD_GONE    "the record is deleted, or our user cannot see it"
#define SCHEMA_CHANGED                                                                             \
	"a field or object of the mapping or of 'where' is not there for our user: mend the job, " \
	"or the user's object and field-level security in Setup"
#define QUERY_REFUSED                                                                              \
	"Salesforce does not understand the query: look at 'where' of the job, which is sent as "  \
	"it stands"
#define QUERY_TOO_BIG "the query is too much for Salesforce: narrow 'where' or map fewer fields"

static const struct row rows[] = {
	/* the session */
	{ "INVALID_SESSION_ID", "not valid for use with the REST API", ERROR_HUMAN, 0,
	  SESSION_POLICY },
	{ "INVALID_SESSION_ID", "not attached to Agent", ERROR_HUMAN, 0, SESSION_POLICY },
	{ "INVALID_SESSION_ID", NULL, ERROR_LOGIN, 0, "the access token is spent" },
	{ "INVALID_AUTH_HEADER", "not valid for use with the REST API", ERROR_HUMAN, 0,
	  SESSION_POLICY },
	{ "INVALID_AUTH_HEADER", NULL, ERROR_LOGIN, 0, "the access token is not understood" },

	/* allowances */
	{ "REQUEST_LIMIT_EXCEEDED", "Concurrent", ERROR_RETRY, 30,
	  "too many long requests of this org at once" },
	{ "REQUEST_LIMIT_EXCEEDED", NULL, ERROR_QUOTA, 30 * MINUTE_S,
	  "the org's API calls of 24 hours are used up" },
	{ "STORAGE_LIMIT_EXCEEDED", NULL, ERROR_HUMAN, 0,
	  "the org's storage is full: an administrator must free or buy some" },
	{ "LIMIT_EXCEEDED", NULL, ERROR_BUG, 0, "a request larger than Salesforce takes" },
	{ "EXCEEDED_ID_LIMIT", NULL, ERROR_BUG, 0, "a request with too many ids" },

	/* queries */
	{ "INVALID_QUERY_LOCATOR", NULL, ERROR_STALE, 0,
	  "the server has forgotten where the query stood" },
	{ "INVALID_FIELD", NULL, ERROR_HUMAN, 0, SCHEMA_CHANGED },
	{ "INVALID_TYPE", NULL, ERROR_HUMAN, 0, SCHEMA_CHANGED },
	{ "MALFORMED_QUERY", NULL, ERROR_HUMAN, 0, QUERY_REFUSED },
	{ "INVALID_QUERY_FILTER_OPERATOR", NULL, ERROR_HUMAN, 0, QUERY_REFUSED },
	{ "QUERY_TOO_COMPLICATED", NULL, ERROR_HUMAN, 0, QUERY_TOO_BIG },
	{ "OPERATION_TOO_LARGE", NULL, ERROR_HUMAN, 0, QUERY_TOO_BIG },
	{ "QUERY_TIMEOUT", NULL, ERROR_RETRY, 0, "the query ran longer than Salesforce allows" },

	/* the service */
	{ "SERVER_UNAVAILABLE", NULL, ERROR_RETRY, 0, TRY_LATER },
	{ "UNKNOWN_EXCEPTION", NULL, ERROR_RETRY, 0, TRY_LATER },
	{ "INTERNAL_ERROR", NULL, ERROR_RETRY, 0, TRY_LATER },
	{ "COLLISION_DETECTED", NULL, ERROR_RETRY, 0, TRY_LATER },
	{ "TOO_MANY_APEX_REQUESTS", NULL, ERROR_RETRY, 0, TRY_LATER },
	{ "REQUEST_RUNNING_TOO_LONG", NULL, ERROR_RETRY, 0, TRY_LATER },
	{ "TXN_SECURITY_METERING_ERROR", NULL, ERROR_RETRY, 5 * MINUTE_S, TRY_LATER },
	{ "TXN_SECURITY_RUNTIME_EXCEPTION", NULL, ERROR_RETRY, 5 * MINUTE_S, TRY_LATER },
	{ "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", NULL, ERROR_RETRY, 5 * MINUTE_S,
	  MAINTENANCE },
	{ "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", NULL, ERROR_RETRY, 5 * MINUTE_S, MAINTENANCE },
	{ "ORG_IN_MAINTENANCE", NULL, ERROR_RETRY, 5 * MINUTE_S, MAINTENANCE },

	/* the administrator */
	{ "TXN_SECURITY_NO_ACCESS", NULL, ERROR_HUMAN, 0,
	  "a transaction security policy blocks our user" },
	{ "API_DISABLED_FOR_ORG", NULL, ERROR_HUMAN, 0,
	  "the org's edition has no REST API, or it is switched off" },
	{ "API_CURRENTLY_DISABLED", NULL, ERROR_HUMAN, 0,
	  "the org's edition has no REST API, or it is switched off" },
	{ "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", NULL, ERROR_HUMAN, 0,
	  "our user's password has expired: set a new one, best with 'password never expires'" },
	{ "FORBIDDEN", NULL, ERROR_HUMAN, 0, ASK_ADMIN },
	{ "INSUFFICIENT_ACCESS", NULL, ERROR_HUMAN, 0, ASK_ADMIN },
	{ "UNSUPPORTED_API_VERSION", NULL, ERROR_HUMAN, 0,
	  "set api_version of the account to one the org still has" },
	{ "METHOD_NOT_ALLOWED", NULL, ERROR_BUG, 0, "a request Salesforce has no use for" },

	/* one record */
	{ "NOT_FOUND", NULL, ERROR_RECORD, 0, RECORD_GONE },
	{ "ENTITY_IS_DELETED", NULL, ERROR_RECORD, 0, RECORD_GONE },
	{ "REQUIRED_FIELD_MISSING", NULL, ERROR_RECORD, 0, "fields that must not be empty are" },
	{ "FIELD_CUSTOM_VALIDATION_EXCEPTION", NULL, ERROR_RECORD, 0,
	  "a validation rule of the org refuses this record" },
	{ "JSON_PARSER_ERROR", NULL, ERROR_RECORD, 0, VALUE_REFUSED },
	{ "MALFORMED_ID", NULL, ERROR_RECORD, 0, VALUE_REFUSED },
	{ "INVALID_CROSS_REFERENCE_KEY", NULL, ERROR_RECORD, 0,
	  "a reference leads to nothing our user may use" },
	{ "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", NULL, ERROR_RECORD, 0,
	  "a reference leads to nothing our user may use" },
	{ "DUPLICATES_DETECTED", NULL, ERROR_RECORD, 0,
	  "a duplicate rule of the org refuses this record" },
	{ "DUPLICATE_VALUE", NULL, ERROR_RECORD, 0, "another record has this unique value" },
	{ "DUPLICATE_EXTERNAL_ID", NULL, ERROR_RECORD, 0, "several records have this external id" },
	{ "CANNOT_UPDATE_CONVERTED_LEAD", NULL, ERROR_RECORD, 0,
	  "the lead is converted and cannot be changed any more" },
	{ "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "UNABLE_TO_LOCK_ROW", ERROR_RETRY, 0,
	  "somebody else is writing this record" },
	{ "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", NULL, ERROR_RECORD, 0,
	  "a trigger of the org refuses this record" },
	{ "INSUFFICIENT_ACCESS_OR_READONLY", NULL, ERROR_RECORD, 0,
	  "our user may not write this record" },
	{ "FIELD_INTEGRITY_EXCEPTION", NULL, ERROR_RECORD, 0, RECORD_REFUSED },
	{ "FIELD_FILTER_VALIDATION_EXCEPTION", NULL, ERROR_RECORD, 0, RECORD_REFUSED },
	{ "INVALID_STATUS", NULL, ERROR_RECORD, 0, RECORD_REFUSED },
	{ "CIRCULAR_DEPENDENCY", NULL, ERROR_RECORD, 0, RECORD_REFUSED },
	{ "DELETE_FAILED", NULL, ERROR_RECORD, 0, RECORD_REFUSED },
	{ "MISSING_ARGUMENT", NULL, ERROR_RECORD, 0, RECORD_REFUSED },
	{ "BAD_EXTERNAL_ID", NULL, ERROR_RECORD, 0, RECORD_REFUSED },
	{ "INVALID_ID_FIELD", NULL, ERROR_RECORD, 0, RECORD_REFUSED },
	{ "ENTITY_IS_LOCKED", NULL, ERROR_RECORD, HOUR_S,
	  "an approval locks the record: it is tried again later" },
	{ "UNABLE_TO_LOCK_ROW", NULL, ERROR_RETRY, 0, "somebody else is writing this record" },
	{ "ALL_OR_NONE_OPERATION_ROLLED_BACK", NULL, ERROR_RETRY, 0,
	  "another record of the request was refused" },
	{ "PROCESSING_HALTED", NULL, ERROR_RETRY, 0, "another record of the request was refused" },
	{ "BATCH_PROCESSING_HALTED", NULL, ERROR_RETRY, 0,
	  "another record of the request was refused" },

	/* one field */
	{ "INVALID_EMAIL_ADDRESS", NULL, ERROR_FIELD, 0, VALUE_REFUSED },
	{ "STRING_TOO_LONG", NULL, ERROR_FIELD, 0, "a text is longer than its field" },
	{ "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", NULL, ERROR_FIELD, 0,
	  "the value is not on the picklist, which takes no other" },
	{ "NUMBER_OUTSIDE_VALID_RANGE", NULL, ERROR_FIELD, 0, VALUE_REFUSED },
	{ "INVALID_TYPE_ON_FIELD_IN_RECORD", NULL, ERROR_FIELD, 0, VALUE_REFUSED },
	{ "INVALID_FIELD_FOR_INSERT_UPDATE", NULL, ERROR_FIELD, 0,
	  "the field is read-only to our user: grant edit access or map it with ->" },
};

/* Where no code of the table is in the body. `named` is the kind if it holds another code. */
static const struct {
	int first, last;
	enum error_kind kind, named;
	int wait_s;
	const char *code;
	const char *text;
} status_rows[] = {
	{ 300, 300, ERROR_RECORD, ERROR_RECORD, 0, "DUPLICATE_EXTERNAL_ID",
	  "several records have this external id" },
	{ 301, 399, ERROR_RETRY, ERROR_RETRY, 0, "host-moved", "the host sends us elsewhere" },
	{ 401, 401, ERROR_LOGIN, ERROR_LOGIN, 0, "http-401", "the access token is refused" },
	{ 403, 403, ERROR_RETRY, ERROR_HUMAN, 15 * MINUTE_S, "http-403",
	  "something before Salesforce (a proxy, an IP range, a firewall) refuses us" },
	{ 404, 404, ERROR_RETRY, ERROR_HUMAN, 0, "host-moved", "the host does not know the API" },
	{ 405, 405, ERROR_BUG, ERROR_BUG, 0, "http-405", "a request Salesforce has no use for" },
	{ 406, 406, ERROR_RETRY, ERROR_RETRY, 0, "http-406", TRY_LATER },
	{ 408, 408, ERROR_RETRY, ERROR_RETRY, 0, "http-408", TRY_LATER },
	{ 409, 409, ERROR_RETRY, ERROR_HUMAN, 0, "http-409", TRY_LATER },
	{ 410, 410, ERROR_HUMAN, ERROR_HUMAN, 0, "http-410",
	  "this API version is retired: set api_version of the account to one the org still "
	  "has" },
	{ 412, 412, ERROR_RECORD, ERROR_RECORD, 0, "http-412", "the record changed meanwhile" },
	{ 414, 414, ERROR_HUMAN, ERROR_HUMAN, 0, "query-too-long",
	  "the request is too long: map fewer fields" },
	{ 415, 415, ERROR_BUG, ERROR_BUG, 0, "http-415", "a body Salesforce does not take" },
	{ 420, 420, ERROR_RETRY, ERROR_RETRY, 0, "host-moved",
	  "the host does not know the org: it is moving" },
	{ 425, 425, ERROR_RETRY, ERROR_RETRY, 0, "http-425", TRY_LATER },
	{ 428, 428, ERROR_BUG, ERROR_BUG, 0, "http-428", "a header is missing" },
	{ 429, 429, ERROR_RETRY, ERROR_RETRY, MINUTE_S, "http-429", "too many requests" },
	{ 431, 431, ERROR_HUMAN, ERROR_HUMAN, 0, "query-too-long",
	  "the request is too long: map fewer fields" },
	{ 400, 499, ERROR_HUMAN, ERROR_HUMAN, 0, "http-4xx", "Salesforce refuses the request" },
	{ 500, 599, ERROR_RETRY, ERROR_RETRY, 0, "server-trouble", TRY_LATER },
	{ 0, 999, ERROR_RETRY, ERROR_RETRY, 0, "protocol", "no answer HTTP knows" },
};

static const struct row *find_row(const char *code, const char *text)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].code, code) == 0 &&
		    (!rows[i].hint || strcasestr(text, rows[i].hint)))
			return &rows[i];
	return NULL;
}

static bool set_from_row(const struct row *row, const char *message, int64_t retry_after_s,
			 struct error *err)
{
	char said[SF_QUOTE_SIZE];

	if (*message)
		error_set(err, row->kind, row->code, "%s (Salesforce says: %s)", row->remedy,
			  sf_quote(message, said));
	else
		error_set(err, row->kind, row->code, "%s", row->remedy);
	err->retry_after_s = retry_after_s ? retry_after_s : row->wait_s;
	return false;
}

/* The object that describes the error: the first of an array, or the body itself. */
static struct json_object *first_error(struct json_object *body)
{
	if (json_object_is_type(body, json_type_array) && json_object_array_length(body))
		body = json_object_array_get_idx(body, 0);
	return json_object_is_type(body, json_type_object) ? body : NULL;
}

/* Error codes are upper or lower case words; anything else is not quoted as one. */
static bool is_code(const char *text)
{
	return strlen(text) < sizeof(((struct error *)NULL)->code) && str_is_name(text);
}

static bool set_from_status(const struct http_response *response, const char *code,
			    const char *message, struct error *err)
{
	char said[SF_QUOTE_SIZE];
	size_t i = 0;

	while (response->status < status_rows[i].first || response->status > status_rows[i].last)
		i++;
	if (*code)
		error_set(err, status_rows[i].named, code, "%s (status %d%s%s)",
			  status_rows[i].text, response->status,
			  *message ? ", Salesforce says: " : "", sf_quote(message, said));
	else
		error_set(err, status_rows[i].kind, status_rows[i].code, "%s (status %d)",
			  status_rows[i].text, response->status);
	err->retry_after_s = *code ? 0 : status_rows[i].wait_s;
	return false;
}

bool sf_error_code(const char *code, const char *message, struct error *err)
{
	const struct row *row = find_row(code, message);

	if (row)
		set_from_row(row, message, 0, err);
	return row;
}

bool sf_error_rest(const struct http_response *response, struct error *err)
{
	struct json_object *body = sf_json_whole(response->body, response->body_len);
	struct json_object *first = first_error(body);
	const char *code = sf_json_text_or_empty(first, "errorCode");
	const char *message = sf_json_text_or_empty(first, "message");
	const struct row *row;

	row = find_row(code, message);
	if (row && response->status >= 300)
		set_from_row(row, message, response->retry_after_s, err);
	/* A success that holds an error is neither. */
	else if (response->status < 300)
		error_set(err, ERROR_RETRY, body ? "protocol" : "not-json", "%s",
			  body ? "the answer is not what Salesforce sends"
			       : "a login or maintenance page instead of JSON");
	/* What the identity endpoints say with 403 instead of 401. */
	else if (!body && str_starts_with(response->body, "Bad_OAuth_Token"))
		set_from_status(&(struct http_response){ .status = 401 }, "Bad_OAuth_Token", "",
				err);
	else
		set_from_status(response, is_code(code) ? code : "", message, err);
	if (response->retry_after_s)
		err->retry_after_s = response->retry_after_s;
	json_object_put(body);
	return false;
}
