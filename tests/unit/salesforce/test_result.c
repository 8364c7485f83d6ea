/* Answers to requests of sObject Collections: what became of each change, and what is no answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "record/mapping.h"
#include "salesforce/sf_result.h"
#include "salesforce/sf_write.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))
#define ID_A      "00Q8d00000BvT3xEAF"
#define ID_B      "00Q8d00000BvT3yEAF"
#define ID_B15    "00Q8d00000BvT3y"
#define DONE(id)  "{\"id\":\"" id "\",\"success\":true,\"errors\":[]}"
#define UPSERTED(id, created)                                                                      \
	"{\"id\":\"" id "\",\"success\":true,\"errors\":[],\"created\":" created "}"
#define ERROR(code, message, fields)                                                               \
	"{\"statusCode\":\"" code "\",\"message\":\"" message "\",\"fields\":[" fields "]}"
#define REFUSED(errors) "{\"success\":false,\"errors\":[" errors "]}"

static struct mapping_field fields[] = {
	{ .field = "LastName", .type = VALUE_TEXT, .direction = MAPPING_BOTH },
	{ .field = "Title", .type = VALUE_TEXT, .direction = MAPPING_BOTH },
	{ .field = "Email", .type = VALUE_TEXT, .direction = MAPPING_BOTH },
};
static struct mapping mapping = { .fields = fields, .count = LEN(fields) };
static const struct value values[] = { { "A", 1 }, { "B", 1 }, { 0 } };
static const bool set[] = { true, true, false }; /* Email was not sent */

static const struct remote_change by_id[] = { { ID_A, NULL, values, set },
					      { ID_B, NULL, values, set } };
static const struct remote_change by_key[] = { { NULL, "k1", values, set },
					       { NULL, "k2", values, set } };
static const struct remote_change by_nothing[] = { { NULL, NULL, values, set },
						   { NULL, NULL, values, set } };

static struct remote_batch batch_of(enum remote_operation operation, size_t count)
{
	return (struct remote_batch){ .operation = operation,
				      .object = "Lead",
				      .key_field = operation == REMOTE_UPSERT ? "Ext_Key__c" : NULL,
				      .mapping = &mapping,
				      .changes = operation == REMOTE_UPSERT   ? by_key
						 : operation == REMOTE_CREATE ? by_nothing
									      : by_id,
				      .count = count };
}

static struct remote_results *parse(enum remote_operation operation, size_t count, const char *body,
				    struct error *err)
{
	struct remote_batch batch = batch_of(operation, count);

	return sf_result_parse(&batch, body, strlen(body), err);
}

static void what_is_done(void **state)
{
	static const struct {
		enum remote_operation operation;
		const char *body;
		bool created[2];
	} rows[] = {
		{ REMOTE_CREATE, "[" DONE(ID_A) "," DONE(ID_B) "]", { true, true } },
		{ REMOTE_UPDATE, "[" DONE(ID_A) "," DONE(ID_B) "]\n", { false, false } },
		{ REMOTE_DELETE, " [" DONE(ID_A) "," DONE(ID_B) "]", { false, false } },
		{ REMOTE_UPSERT,
		  "[" UPSERTED(ID_A, "true") "," UPSERTED(ID_B, "false") "]",
		  { true, false } },
		/* 15 characters, members in another order, and some that are not known yet */
		{ REMOTE_UPDATE,
		  "[{\"errors\":[],\"new\":{\"a\":[1]},\"success\":true,\"id\":\"00Q8d00000BvT3x\"}"
		  ","
		  "{\"warnings\":null,\"id\":\"" ID_B "\",\"success\":true,\"errors\":[]}]",
		  { false, false } },
		{ REMOTE_CREATE,
		  "[" UPSERTED(ID_A, "true") "," UPSERTED(ID_B, "true") "]",
		  { true, true } },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct error err;
		CLEANUP(remote_results_free)
		struct remote_results *got = parse(rows[i].operation, 2, rows[i].body, &err);

		if (!got)
			fail_msg("row %zu: %s", i, err.text);
		assert_int_equal(got->count, 2);
		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(got->records[k].outcome, REMOTE_DONE);
			assert_string_equal(got->records[k].id, k ? ID_B : ID_A);
			assert_int_equal(got->records[k].created, rows[i].created[k]);
			assert_string_equal(got->records[k].holder, "");
			assert_int_equal(got->records[k].field_count, 0);
		}
	}
}

/* One refusal among successes stays its own. */
static void results_by_record(void **state)
{
	static const char body[] = "[" REFUSED(
		ERROR("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]",
		      "\"LastName\",\"Company\"")) "," UPSERTED(ID_B, "true") "]";
	struct error err;
	CLEANUP(remote_results_free)
	struct remote_results *got = parse(REMOTE_UPSERT, 2, body, &err);

	(void)state;
	assert_non_null(got);
	assert_int_equal(got->records[0].outcome, REMOTE_REFUSED);
	assert_int_equal(got->records[0].err.kind, ERROR_RECORD);
	assert_string_equal(got->records[0].err.code, "REQUIRED_FIELD_MISSING");
	assert_string_equal(got->records[0].id, "");
	assert_int_equal(got->records[0].field_count, 2);
	assert_string_equal(got->records[0].fields[0], "LastName");
	assert_string_equal(got->records[0].fields[1], "Company");
	assert_int_equal(got->records[1].outcome, REMOTE_DONE);
	assert_string_equal(got->records[1].id, ID_B);
}

/* Every code a record can meet. */
static void the_classes(void **state)
{
	static const struct {
		const char *code;
		enum error_kind kind;
		const char *message; /* "x" if NULL */
		int64_t wait_s;
	} rows[] = {
		{ "REQUIRED_FIELD_MISSING", ERROR_RECORD, NULL, 0 },
		{ "FIELD_CUSTOM_VALIDATION_EXCEPTION", ERROR_RECORD, NULL, 0 },
		{ "INVALID_EMAIL_ADDRESS", ERROR_FIELD, NULL, 0 },
		{ "STRING_TOO_LONG", ERROR_FIELD, NULL, 0 },
		{ "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ERROR_FIELD, NULL, 0 },
		{ "NUMBER_OUTSIDE_VALID_RANGE", ERROR_FIELD, NULL, 0 },
		{ "INVALID_TYPE_ON_FIELD_IN_RECORD", ERROR_FIELD, NULL, 0 },
		{ "JSON_PARSER_ERROR", ERROR_RECORD, NULL, 0 },
		{ "MALFORMED_ID", ERROR_RECORD, "malformed id 001", 0 },
		{ "DUPLICATES_DETECTED", ERROR_RECORD, NULL, 0 },
		{ "DUPLICATE_VALUE", ERROR_RECORD, NULL, 0 },
		{ "DUPLICATE_EXTERNAL_ID", ERROR_RECORD, NULL, 0 },
		{ "ENTITY_IS_DELETED", ERROR_RECORD, "entity is deleted", 0 },
		{ "NOT_FOUND", ERROR_RECORD, NULL, 0 },
		{ "CANNOT_UPDATE_CONVERTED_LEAD", ERROR_RECORD, NULL, 0 },
		{ "INVALID_FIELD", ERROR_HUMAN, "No such column 'Foo__c'", 0 },
		{ "INVALID_FIELD_FOR_INSERT_UPDATE", ERROR_FIELD, NULL, 0 },
		{ "INVALID_TYPE", ERROR_HUMAN, NULL, 0 },
		{ "INVALID_CROSS_REFERENCE_KEY", ERROR_RECORD, NULL, 0 },
		{ "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", ERROR_RECORD, NULL, 0 },
		{ "INSUFFICIENT_ACCESS_OR_READONLY", ERROR_RECORD, NULL, 0 },
		{ "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", ERROR_RECORD, "LeadTrigger: failed", 0 },
		{ "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", ERROR_RETRY,
		  "LeadTrigger: first error: UNABLE_TO_LOCK_ROW", 0 },
		{ "FIELD_INTEGRITY_EXCEPTION", ERROR_RECORD, NULL, 0 },
		{ "INVALID_STATUS", ERROR_RECORD, NULL, 0 },
		{ "CIRCULAR_DEPENDENCY", ERROR_RECORD, NULL, 0 },
		{ "FIELD_FILTER_VALIDATION_EXCEPTION", ERROR_RECORD, NULL, 0 },
		{ "DELETE_FAILED", ERROR_RECORD, NULL, 0 },
		{ "MISSING_ARGUMENT", ERROR_RECORD, "Id not specified in an update call", 0 },
		{ "BAD_EXTERNAL_ID", ERROR_RECORD, NULL, 0 },
		{ "INVALID_ID_FIELD", ERROR_RECORD, NULL, 0 },
		{ "STORAGE_LIMIT_EXCEEDED", ERROR_HUMAN, NULL, 0 },
		{ "ENTITY_IS_LOCKED", ERROR_RECORD, NULL, 3600 },
		{ "UNABLE_TO_LOCK_ROW", ERROR_RETRY, NULL, 0 },
		{ "ALL_OR_NONE_OPERATION_ROLLED_BACK", ERROR_RETRY, NULL, 0 },
		{ "PROCESSING_HALTED", ERROR_RETRY, NULL, 0 },
		{ "BATCH_PROCESSING_HALTED", ERROR_RETRY, NULL, 0 },
		{ "REQUEST_LIMIT_EXCEEDED", ERROR_QUOTA, "TotalRequests Limit exceeded.", 1800 },
		{ "REQUEST_LIMIT_EXCEEDED", ERROR_RETRY, "ConcurrentRequests Limit", 30 },
		{ "TOO_MANY_APEX_REQUESTS", ERROR_RETRY, NULL, 0 },
		{ "REQUEST_RUNNING_TOO_LONG", ERROR_RETRY, NULL, 0 },
		{ "SERVER_UNAVAILABLE", ERROR_RETRY, NULL, 0 },
		{ "UNKNOWN_EXCEPTION", ERROR_RETRY, NULL, 0 },
		{ "INTERNAL_ERROR", ERROR_RETRY, NULL, 0 },
		{ "COLLISION_DETECTED", ERROR_RETRY, NULL, 0 },
		{ "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", ERROR_RETRY, NULL, 300 },
		{ "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", ERROR_RETRY, NULL, 300 },
		{ "ORG_IN_MAINTENANCE", ERROR_RETRY, NULL, 300 },
		{ "TXN_SECURITY_METERING_ERROR", ERROR_RETRY, NULL, 300 },
		{ "TXN_SECURITY_RUNTIME_EXCEPTION", ERROR_RETRY, NULL, 300 },
		{ "TXN_SECURITY_NO_ACCESS", ERROR_HUMAN, NULL, 0 },
		{ "LIMIT_EXCEEDED", ERROR_BUG, NULL, 0 },
		{ "EXCEEDED_ID_LIMIT", ERROR_BUG, NULL, 0 },
		{ "INVALID_SESSION_ID", ERROR_LOGIN, NULL, 0 },
		{ "INSUFFICIENT_ACCESS", ERROR_HUMAN, NULL, 0 },
		{ "BRAND_NEW", ERROR_RECORD, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct error err;
		CLEANUP_FREE char *body =
			mem_format("[" REFUSED(ERROR("%s", "%s", "\"Title\"")) "]", rows[i].code,
				   rows[i].message ? rows[i].message : "x");
		CLEANUP(remote_results_free)
		struct remote_results *got = parse(REMOTE_UPDATE, 1, body, &err);
		const struct remote_result *one;

		if (!got)
			fail_msg("%s: %s", rows[i].code, err.text);
		one = &got->records[0];
		if (one->outcome != REMOTE_REFUSED || one->err.kind != rows[i].kind ||
		    strcmp(one->err.code, rows[i].code) != 0 ||
		    one->err.retry_after_s != rows[i].wait_s)
			fail_msg("%s: %s %s %lld \"%s\"", rows[i].code,
				 error_kind_name(one->err.kind), one->err.code,
				 (long long)one->err.retry_after_s, one->err.text);
		assert_true(strncmp(one->err.text, "Title: ", 7) == 0);
		assert_non_null(strstr(one->err.text, rows[i].message ? rows[i].message : "x"));
	}
}

static void what_a_code_says_beside(void **state)
{
#define MANY      "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLM"
#define LONG_WORD "00D8d0000008abc!AQEAQCanaryCanaryCanaryCanaryCanary"
	static const struct {
		const char *errors;
		const char *code;
		enum error_kind kind;
		const char *text;   /* what must be in it */
		const char *hidden; /* what must not */
		const char *field;  /* the first */
		size_t field_count;
	} rows[] = {
		/* whose the value is: ours, in our spelling; several; another's; nobody's */
		{ ERROR("STRING_TOO_LONG", "x", "\"title\""), "STRING_TOO_LONG", ERROR_FIELD,
		  "Title: ", NULL, "Title", 1 },
		{ ERROR("INVALID_FIELD_FOR_INSERT_UPDATE", "x", "\"Name\",\"Title\",\"LastName\""),
		  "INVALID_FIELD_FOR_INSERT_UPDATE", ERROR_FIELD, "Title and 1 more: ", NULL,
		  "Title", 2 },
		{ ERROR("STRING_TOO_LONG", "x", "\"Email\""), "STRING_TOO_LONG", ERROR_RECORD,
		  "Email: ", NULL, "Email", 1 },
		{ ERROR("STRING_TOO_LONG", "x", "\"Ext_Key__c\""), "STRING_TOO_LONG", ERROR_RECORD,
		  "Ext_Key__c: ", NULL, "Ext_Key__c", 1 },
		{ ERROR("STRING_TOO_LONG", "x", ""), "STRING_TOO_LONG", ERROR_RECORD, "longer",
		  NULL, NULL, 0 },
		{ ERROR("STRING_TOO_LONG", "y", "\"a b\",\"\",\"x\\ny\""), "STRING_TOO_LONG",
		  ERROR_RECORD, "longer", "a b", NULL, 0 },

		/* the first decides, all are told */
		{ ERROR("STRING_TOO_LONG", "x",
			"\"Title\"") "," ERROR("INVALID_FIELD", "y",
					       "") "," ERROR("STRING_TOO_LONG", "z",
							     "\"LastName\""),
		  "STRING_TOO_LONG", ERROR_FIELD, "STRING_TOO_LONG, INVALID_FIELD: Title: ", "z",
		  "Title", 1 },
		{ ERROR("A", "x", "") "," ERROR("B", "x", "") "," ERROR("C", "x", "") "," ERROR(
			  "D", "x", "") "," ERROR("E", "x", "") "," ERROR("F", "x", ""),
		  "A", ERROR_RECORD, "A, B, C, D and 2 more: ", NULL, NULL, 0 },

		/* codes that are not known */
		{ ERROR("BRAND_NEW", "some words", ""), "BRAND_NEW", ERROR_RECORD, "some words",
		  NULL, NULL, 0 },
		{ ERROR(MANY, "x", ""), "unknown-error", ERROR_RECORD, "not known here", MANY, NULL,
		  0 },
		{ ERROR(MANY, "x", "") "," ERROR("B", "x", ""), "unknown-error", ERROR_RECORD,
		  ", B: ", MANY, NULL, 0 },

		/* what a server says is shown as far as it may be */
		{ ERROR("BRAND_NEW", "token " LONG_WORD " echoed", ""), "BRAND_NEW", ERROR_RECORD,
		  "token … echoed", "Canary", NULL, 0 },
		{ ERROR("INVALID_STATUS", "token " LONG_WORD " echoed", ""), "INVALID_STATUS",
		  ERROR_RECORD, "token … echoed", "Canary", NULL, 0 },
		{ ERROR("INVALID_STATUS", "a\\nb\\u0007\\u001b[2J", ""), "INVALID_STATUS",
		  ERROR_RECORD, "Salesforce says: a", "\n", NULL, 0 },
		{ ERROR("INVALID_STATUS", "\\\"}],\\\"kind\\\":", ""), "INVALID_STATUS",
		  ERROR_RECORD, "\"}],\"kind\":", NULL, NULL, 0 },
		{ "{\"statusCode\":\"INVALID_STATUS\",\"message\":null,\"fields\":[]}",
		  "INVALID_STATUS", ERROR_RECORD, "refuses", NULL, NULL, 0 },
		{ "{\"statusCode\":\"INVALID_STATUS\",\"fields\":[]}", "INVALID_STATUS",
		  ERROR_RECORD, "refuses", NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct error err;
		CLEANUP_FREE char *body = mem_format("[" REFUSED("%s") "]", rows[i].errors);
		CLEANUP(remote_results_free)
		struct remote_results *got = parse(REMOTE_UPDATE, 1, body, &err);
		const struct remote_result *one;

		if (!got)
			fail_msg("row %zu: %s", i, err.text);
		one = &got->records[0];
		if (one->err.kind != rows[i].kind || strcmp(one->err.code, rows[i].code) != 0 ||
		    !strstr(one->err.text, rows[i].text) ||
		    (rows[i].hidden && strstr(one->err.text, rows[i].hidden)) ||
		    one->field_count != rows[i].field_count)
			fail_msg("row %zu: %s %s %zu \"%s\"", i, error_kind_name(one->err.kind),
				 one->err.code, one->field_count, one->err.text);
		if (rows[i].field)
			assert_string_equal(one->fields[0], rows[i].field);
	}
}

#define FOUND "duplicate value found: Ext_Key__c duplicates value on record with id: "

static void who_has_the_value(void **state)
{
	static const struct {
		const char *code, *message, *holder;
	} rows[] = {
		{ "DUPLICATE_VALUE", FOUND ID_B15, ID_B },
		{ "DUPLICATE_VALUE", FOUND ID_B, ID_B },
		{ "DUPLICATE_VALUE", FOUND ID_B15 ".", ID_B },
		{ "DUPLICATE_VALUE",
		  "doppelter Wert gefunden: Ext_Key__c dupliziert Wert in Datensatz mit "
		  "ID: " ID_B15,
		  ID_B },
		{ "DUPLICATE_VALUE", FOUND "<unknown>", "" },
		{ "DUPLICATE_VALUE", FOUND, "" },
		{ "DUPLICATE_VALUE", FOUND "00Q8d00000BvT3yAAA", "" }, /* the sum is wrong */
		{ "DUPLICATE_VALUE", FOUND ID_B15 " and more", "" },
		{ "DUPLICATE_VALUE", FOUND ID_A, "" }, /* the record itself */
		{ "DUPLICATE_VALUE", "Duplicate id specified: " ID_B, "" },
		{ "DUPLICATE_VALUE", "", "" },
		{ "STRING_TOO_LONG", FOUND ID_B15, "" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct error err;
		CLEANUP_FREE char *body = mem_format("[" REFUSED(ERROR("%s", "%s", "")) "]",
						     rows[i].code, rows[i].message);
		CLEANUP(remote_results_free)
		struct remote_results *got = parse(REMOTE_UPDATE, 1, body, &err);

		assert_non_null(got);
		if (strcmp(got->records[0].holder, rows[i].holder) != 0)
			fail_msg("row %zu: \"%s\"", i, got->records[0].holder);
		assert_string_equal(got->records[0].id, "");
	}
}

static void what_is_similar(void **state)
{
#define RULE                                                                                       \
	"{\"allowSave\":true,\"duplicateRule\":\"Standard_Lead\",\"matchResults\":["               \
	"{\"matchRecords\":[{\"record\":{\"Id\":\"" ID_B15 "\"}}]}]}"
#define DETECTED(more)                                                                             \
	"[" REFUSED("{\"statusCode\":\"DUPLICATES_DETECTED\",\"message\":\"Use one of these "      \
		    "records?\",\"fields\":[]" more "}") "]"
	static const struct {
		const char *body;
		const char *text; /* what it begins with */
	} rows[] = {
		{ DETECTED(""), "a duplicate rule" },
		{ DETECTED(",\"duplicateResult\":" RULE), "similar to " ID_B ": Standard_Lead: " },
		{ DETECTED(",\"duplicateResut\":" RULE), "similar to " ID_B ": Standard_Lead: " },
		{ DETECTED(",\"duplicateResult\":[]"), "a duplicate rule" },
		{ DETECTED(",\"duplicateResult\":{\"duplicateRule\":1,\"matchResults\":[]}"),
		  "a duplicate rule" },
		{ DETECTED(",\"duplicateResult\":{\"matchResults\":[null]}"), "a duplicate rule" },
		{ DETECTED(",\"duplicateResult\":{\"matchResults\":[{\"matchRecords\":[7]}]}"),
		  "a duplicate rule" },
		{ DETECTED(",\"duplicateResult\":{\"matchResults\":[{\"matchRecords\":[{\"record\":"
			   "{\"Id\":\"x\"}}]}]}"),
		  "a duplicate rule" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct error err;
		CLEANUP(remote_results_free)
		struct remote_results *got = parse(REMOTE_UPDATE, 1, rows[i].body, &err);

		assert_non_null(got);
		assert_int_equal(got->records[0].err.kind, ERROR_RECORD);
		if (strncmp(got->records[0].err.text, rows[i].text, strlen(rows[i].text)) != 0)
			fail_msg("row %zu: \"%s\"", i, got->records[0].err.text);
		assert_string_equal(got->records[0].holder, ""); /* similar is not the same */
	}
}

static void what_is_gone(void **state)
{
	static const struct {
		const char *code;
		enum remote_operation operation;
		enum remote_outcome outcome;
	} rows[] = {
		{ "ENTITY_IS_DELETED", REMOTE_DELETE, REMOTE_GONE },
		{ "NOT_FOUND", REMOTE_DELETE, REMOTE_GONE },
		{ "INSUFFICIENT_ACCESS_OR_READONLY", REMOTE_DELETE, REMOTE_REFUSED },
		{ "INVALID_CROSS_REFERENCE_KEY", REMOTE_DELETE, REMOTE_REFUSED },
		{ "DELETE_FAILED", REMOTE_DELETE, REMOTE_REFUSED },
		{ "ENTITY_IS_DELETED", REMOTE_UPDATE, REMOTE_REFUSED },
		{ "ENTITY_IS_DELETED", REMOTE_UPSERT, REMOTE_REFUSED },
		{ "NOT_FOUND", REMOTE_UPDATE, REMOTE_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct error err;
		CLEANUP_FREE char *body =
			mem_format("[{\"id\":\"" ID_A
				   "\",\"success\":false,\"errors\":[" ERROR("%s", "x", "") "]}]",
				   rows[i].code);
		CLEANUP(remote_results_free)
		struct remote_results *got = parse(rows[i].operation, 1, body, &err);

		assert_non_null(got);
		if (got->records[0].outcome != rows[i].outcome)
			fail_msg("row %zu", i);
		assert_string_equal(got->records[0].id, rows[i].outcome == REMOTE_GONE ? ID_A : "");
		assert_string_equal(got->records[0].err.code, rows[i].code);
	}
}

/* A delete sets nothing that could be set aside, and need not say so. */
static void a_delete_has_no_fields(void **state)
{
	static const struct remote_change bare[] = { { .id = ID_A } };
	static const char body[] = "[" REFUSED(ERROR("STRING_TOO_LONG", "x", "\"Title\"")) "]";
	struct remote_batch batch = { .operation = REMOTE_DELETE,
				      .object = "Lead",
				      .mapping = &mapping,
				      .changes = bare,
				      .count = 1 };
	struct error err;
	CLEANUP(remote_results_free)
	struct remote_results *got = sf_result_parse(&batch, body, strlen(body), &err);

	(void)state;
	assert_non_null(got);
	assert_int_equal(got->records[0].err.kind, ERROR_RECORD);
}

static void check_protocol(enum remote_operation operation, size_t count, const char *body,
			   size_t len)
{
	struct remote_batch batch = batch_of(operation, count);
	struct error err = { 0 };
	CLEANUP(remote_results_free)
	struct remote_results *got = sf_result_parse(&batch, body, len, &err);

	if (got)
		fail_msg("believed: %.*s", (int)(len < 200 ? len : 200), body);
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_string_equal(err.code, "protocol");
	assert_true(*err.text);
}

#define ONE_ERROR(error) "[" REFUSED(error) "]"

static void answers_that_are_none(void **state)
{
	static const struct {
		enum remote_operation operation;
		size_t count;
		const char *body;
	} rows[] = {
		/* not the array that is due */
		{ REMOTE_UPDATE, 1, "" },
		{ REMOTE_UPDATE, 1, "null" },
		{ REMOTE_UPDATE, 1, "true" },
		{ REMOTE_UPDATE, 1, "<html>please log in</html>" },
		{ REMOTE_UPDATE, 1, "{}" },
		{ REMOTE_UPDATE, 1, DONE(ID_A) },
		{ REMOTE_UPDATE, 1, "{\"results\":[" DONE(ID_A) "]}" },
		{ REMOTE_UPDATE, 1, "[]" },
		{ REMOTE_UPDATE, 1, "[" DONE(ID_A) "," DONE(ID_B) "]" },
		{ REMOTE_UPDATE, 2, "[" DONE(ID_A) "]" },
		{ REMOTE_UPDATE, 1, "[" DONE(ID_A) "]x" },
		{ REMOTE_UPDATE, 1, "[" DONE(ID_A) "][]" },
		{ REMOTE_UPDATE, 1, "[" DONE(ID_A) ",]" },
		{ REMOTE_UPDATE, 1, "[[" DONE(ID_A) "]]" },
		{ REMOTE_UPDATE, 1, "[{\"errorCode\":\"NOT_FOUND\",\"message\":\"x\"}]" },

		/* not the element that is due */
		{ REMOTE_UPDATE, 1, "[null]" },
		{ REMOTE_UPDATE, 1, "[1]" },
		{ REMOTE_UPDATE, 1, "[\"" ID_A "\"]" },
		{ REMOTE_UPDATE, 1, "[{}]" },
		{ REMOTE_UPDATE, 1, "[{\"id\":\"" ID_A "\",\"errors\":[]}]" },
		{ REMOTE_UPDATE, 1, "[{\"id\":\"" ID_A "\",\"success\":true}]" },
		{ REMOTE_UPDATE, 1, "[{\"id\":\"" ID_A "\",\"success\":\"true\",\"errors\":[]}]" },
		{ REMOTE_UPDATE, 1, "[{\"id\":\"" ID_A "\",\"success\":1,\"errors\":[]}]" },
		{ REMOTE_UPDATE, 1, "[{\"id\":\"" ID_A "\",\"success\":null,\"errors\":[]}]" },
		{ REMOTE_UPDATE, 1, "[{\"id\":\"" ID_A "\",\"success\":true,\"errors\":null}]" },
		{ REMOTE_UPDATE, 1, "[{\"id\":\"" ID_A "\",\"success\":true,\"errors\":{}}]" },
		{ REMOTE_UPDATE, 1, "[{\"success\":false,\"errors\":[]}]" },
		{ REMOTE_UPDATE, 1,
		  "[{\"id\":\"" ID_A "\",\"success\":true,\"errors\":[" ERROR("A", "x", "") "]}]" },
		{ REMOTE_UPDATE, 1,
		  "[{\"id\":7,\"success\":false,\"errors\":[" ERROR("A", "x", "") "]}]" },

		/* ids */
		{ REMOTE_UPDATE, 1, "[{\"success\":true,\"errors\":[]}]" },
		{ REMOTE_CREATE, 1, "[{\"success\":true,\"errors\":[]}]" },
		{ REMOTE_DELETE, 1, "[{\"success\":true,\"errors\":[]}]" },
		{ REMOTE_UPSERT, 1, "[{\"success\":true,\"errors\":[],\"created\":true}]" },
		{ REMOTE_CREATE, 1, "[{\"id\":null,\"success\":true,\"errors\":[]}]" },
		{ REMOTE_CREATE, 1, "[{\"id\":7,\"success\":true,\"errors\":[]}]" },
		{ REMOTE_CREATE, 1, "[" DONE("x") "]" },
		{ REMOTE_CREATE, 1, "[" DONE("00Q8d00000BvT3xAAA") "]" },
		{ REMOTE_CREATE, 1, "[" DONE(ID_A "\\u0000") "]" },
		{ REMOTE_UPDATE, 1, "[" DONE(ID_B) "]" },
		{ REMOTE_DELETE, 1, "[" DONE(ID_B) "]" },
		{ REMOTE_UPDATE, 2, "[" DONE(ID_B) "," DONE(ID_A) "]" },
		{ REMOTE_CREATE, 2, "[" DONE(ID_A) "," DONE(ID_A) "]" },
		{ REMOTE_UPSERT, 2, "[" UPSERTED(ID_A, "true") "," UPSERTED(ID_A, "false") "]" },

		/* created */
		{ REMOTE_UPSERT, 1, "[" DONE(ID_A) "]" },
		{ REMOTE_UPSERT, 1, "[" UPSERTED(ID_A, "null") "]" },
		{ REMOTE_UPSERT, 1, "[" UPSERTED(ID_A, "1") "]" },
		{ REMOTE_CREATE, 1, "[" UPSERTED(ID_A, "\"true\"") "]" },

		/* errors */
		{ REMOTE_UPDATE, 1, ONE_ERROR("null") },
		{ REMOTE_UPDATE, 1, ONE_ERROR("\"A\"") },
		{ REMOTE_UPDATE, 1, ONE_ERROR("{}") },
		{ REMOTE_UPDATE, 1, ONE_ERROR("[]") },
		{ REMOTE_UPDATE, 1,
		  ONE_ERROR("{\"errorCode\":\"A\",\"message\":\"x\",\"fields\":[]}") },
		{ REMOTE_UPDATE, 1,
		  ONE_ERROR("{\"statusCode\":1,\"message\":\"x\",\"fields\":[]}") },
		{ REMOTE_UPDATE, 1, ONE_ERROR(ERROR("", "x", "")) },
		{ REMOTE_UPDATE, 1, ONE_ERROR(ERROR("A B", "x", "")) },
		{ REMOTE_UPDATE, 1, ONE_ERROR(ERROR("A\\nB", "x", "")) },
		{ REMOTE_UPDATE, 1, ONE_ERROR(ERROR("A\\u0000", "x", "")) },
		{ REMOTE_UPDATE, 1,
		  ONE_ERROR("{\"statusCode\":\"A\",\"message\":1,\"fields\":[]}") },
		{ REMOTE_UPDATE, 1, ONE_ERROR(ERROR("A", "x\\u0000y", "")) },
		{ REMOTE_UPDATE, 1, ONE_ERROR("{\"statusCode\":\"A\",\"message\":\"x\"}") },
		{ REMOTE_UPDATE, 1,
		  ONE_ERROR("{\"statusCode\":\"A\",\"message\":\"x\",\"fields\":null}") },
		{ REMOTE_UPDATE, 1,
		  ONE_ERROR("{\"statusCode\":\"A\",\"message\":\"x\",\"fields\":\"a\"}") },
		{ REMOTE_UPDATE, 1, ONE_ERROR(ERROR("A", "x", "1")) },
		{ REMOTE_UPDATE, 1, ONE_ERROR(ERROR("A", "x", "null")) },
		{ REMOTE_UPDATE, 1, ONE_ERROR(ERROR("A", "x", "[\"Title\"]")) },
		{ REMOTE_UPDATE, 1, ONE_ERROR(ERROR("A", "x", "\"Title\\u0000\"")) },
		{ REMOTE_UPDATE, 1, ONE_ERROR(ERROR("A", "x", "") ",null") },
		{ REMOTE_UPDATE, 1, ONE_ERROR(ERROR("A", "\xff", "")) },

		/* a key twice */
		{ REMOTE_UPDATE, 1,
		  "[{\"id\":\"" ID_A "\",\"success\":false,\"success\":true,\"errors\":[]}]" },
		{ REMOTE_CREATE, 1,
		  "[{\"id\":\"" ID_B "\",\"id\":\"" ID_A "\",\"success\":true,\"errors\":[]}]" },
		{ REMOTE_UPDATE, 1,
		  "[{\"id\":\"" ID_A "\",\"success\":true,\"\\u0073uccess\":true,\"errors\":[]}]" },
		{ REMOTE_UPDATE, 1,
		  ONE_ERROR("{\"statusCode\":\"A\",\"statusCode\":\"B\",\"message\":\"x\","
			    "\"fields\":[]}") },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		check_protocol(rows[i].operation, rows[i].count, rows[i].body,
			       strlen(rows[i].body));
}

static void cut_anywhere(void **state)
{
	static const char whole[] =
		"[" UPSERTED(ID_A, "true") ",{\"id\":null,\"success\":false,\"errors\":[" ERROR(
			"STRING_TOO_LONG", "a \\\" :: Zo\xc3\xab", "\"Title\"") "]}]";
	struct error err;
	CLEANUP(remote_results_free)
	struct remote_results *got = parse(REMOTE_UPSERT, 2, whole, &err);

	(void)state;
	assert_non_null(got);
	for (size_t len = 0; len < strlen(whole); len++) {
		/* Of its own size, so that a byte read too far is seen. */
		CLEANUP_FREE char *cut = mem_strndup(whole, len);

		check_protocol(REMOTE_UPSERT, 2, cut, len);
	}
	/* A NUL and what follows it. */
	check_protocol(REMOTE_UPSERT, 2, whole, sizeof(whole));
}

static void huge(void **state)
{
	const size_t len = (size_t)5 * 1024 * 1024;
	CLEANUP_FREE char *body = mem_zeroed(len + 1, 1);
	CLEANUP_FREE char *message = mem_zeroed(1024 * 1024 + 1, 1);
	CLEANUP_FREE char *answer = NULL;
	struct error err;

	(void)state;
	/* A good answer, but for the blanks before it. */
	memset(body, ' ', len);
	memcpy(body + len - strlen("[" DONE(ID_A) "]"), "[" DONE(ID_A) "]",
	       strlen("[" DONE(ID_A) "]"));
	check_protocol(REMOTE_UPDATE, 1, body, len);
	memset(body, '[', len);
	check_protocol(REMOTE_UPDATE, 1, body, 100);
	check_protocol(REMOTE_UPDATE, 1, body, 1024 * 1024);

	memset(message, 'x', 1024 * 1024);
	answer = mem_format("[" REFUSED(ERROR("INVALID_STATUS", "%s", "\"%s\"")) "]", message,
			    message);
	{
		CLEANUP(remote_results_free)
		struct remote_results *got = parse(REMOTE_UPDATE, 1, answer, &err);

		assert_non_null(got);
		assert_string_equal(got->records[0].err.code, "INVALID_STATUS");
		assert_null(strstr(got->records[0].err.text, message));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_done),
		cmocka_unit_test(results_by_record),
		cmocka_unit_test(the_classes),
		cmocka_unit_test(what_a_code_says_beside),
		cmocka_unit_test(who_has_the_value),
		cmocka_unit_test(what_is_similar),
		cmocka_unit_test(what_is_gone),
		cmocka_unit_test(a_delete_has_no_fields),
		cmocka_unit_test(answers_that_are_none),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(huge),
	};

	return cmocka_run_group_tests_name("sf_result", tests, NULL, NULL);
}
