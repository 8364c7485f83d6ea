/* Queries as Salesforce is sent them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "record/mapping.h"
#include "record/schema.h"
#include "remote/remote.h"
#include "salesforce/sf_page.h"
#include "salesforce/sf_soql.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))
#define FROM_MS   INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */
#define UNTIL_MS  INT64_C(1767326645000) /* 2026-01-02T04:04:05Z */
#define AN_ID     "0038d00000BvT4yAAF"

enum has {
	HAS_STAMP = 1,
	HAS_DELETED = 2,
	HAS_MASTER = 4,
	HAS_ALL = 7,
	HAS_MODIFIED = 8,
	HAS_MODIFIER = 16,
	HAS_NO_FORM = 32, /* LastModifiedDate, but as text */
};

static struct schema *new_schema(int has)
{
	struct schema *in = schema_new("Contact");
	static const struct {
		const char *name;
		enum value_type type;
		int when; /* 0: always */
	} fields[] = {
		{ "Id", VALUE_ID, 0 },
		{ "LastName", VALUE_TEXT, 0 },
		{ "Email", VALUE_TEXT, 0 },
		{ "OwnerId", VALUE_ID, 0 },
		{ "SystemModstamp", VALUE_DATETIME, HAS_STAMP },
		{ "IsDeleted", VALUE_BOOLEAN, HAS_DELETED },
		{ "MasterRecordId", VALUE_ID, HAS_MASTER },
		{ "LastModifiedDate", VALUE_DATETIME, HAS_MODIFIED },
		{ "LastModifiedById", VALUE_ID, HAS_MODIFIER },
		{ "LastModifiedDate", VALUE_TEXT, HAS_NO_FORM },
		{ "Key__c", VALUE_TEXT, 0 },
		{ "Active__c", VALUE_BOOLEAN, 0 },
		{ "Count__c", VALUE_INTEGER, 0 },
		{ "Revenue__c", VALUE_DECIMAL, 0 },
		{ "Birth__c", VALUE_DATE, 0 },
		{ "Seen__c", VALUE_DATETIME, 0 },
		{ "Wake__c", VALUE_TIME, 0 },
		{ "Tags__c", VALUE_SET, 0 },
	};

	for (size_t i = 0; i < LEN(fields); i++) {
		struct schema_field field = { .type = fields[i].type,
					      .scale = 2,
					      .readable = true };

		if (fields[i].when && !(has & fields[i].when))
			continue;
		field.name = mem_strdup(fields[i].name);
		if (strcmp(fields[i].name, "OwnerId") == 0)
			field.relationship = mem_strdup("Owner");
		schema_add(in, field);
	}
	schema_finish(in);
	return in;
}

static struct mapping *new_mapping(const char *const *names)
{
	struct mapping *mapping = mem_new(struct mapping);

	mapping->shares = 1;
	while (names[mapping->count])
		mapping->count++;
	mapping->fields = mem_array(struct mapping_field, mapping->count);
	for (size_t i = 0; i < mapping->count; i++)
		mapping->fields[i] = (struct mapping_field){ .field = mem_strdup(names[i]),
							     .column = mem_strdup("c") };
	return mapping;
}

struct row {
	struct remote_query query;
	int has;
	const char *want; /* the text, or the error's code */
	const char *fields[5];
};

static void check_row(const struct row *row)
{
	static const char *const usual[] = { "LastName", "Email", NULL };
	CLEANUP(schema_free) struct schema *schema = new_schema(row->has);
	CLEANUP(mapping_free)
	struct mapping *mapping = new_mapping(row->fields[0] ? row->fields : usual);
	CLEANUP_FREE char *text = NULL;
	struct remote_query query = row->query;
	struct sf_shape shape;
	struct error err;

	query.mapping = mapping;
	if (!query.object)
		query.object = "Contact";
	text = sf_soql_text(&query, schema, &shape, &err);
	assert_string_equal(text ? text : err.code, row->want);
	if (text) {
		bool all = query.order == REMOTE_BY_ID, values = !query.ids_only;

		assert_int_equal(shape.has_deleted, !all && (row->has & HAS_DELETED));
		assert_int_equal(shape.has_master, !all && (row->has & HAS_MASTER));
		assert_int_equal(shape.has_modified, values && (row->has & HAS_MODIFIED));
		assert_int_equal(shape.has_modifier, values && (row->has & HAS_MODIFIER));
		assert_int_equal(shape.ids_only, query.ids_only);
		assert_string_equal(shape.key_field ? shape.key_field : "",
				    query.key_field && values ? "Key__c" : "");
	}
}

static void by_id(void **state)
{
	static const struct row rows[] = {
		{ { 0 },
		  HAS_ALL,
		  "SELECT Id,SystemModstamp,LastName,Email FROM Contact ORDER BY Id" },
		{ { .after_id = AN_ID },
		  HAS_ALL,
		  "SELECT Id,SystemModstamp,LastName,Email FROM Contact WHERE Id > '" AN_ID
		  "' ORDER BY Id" },
		{ { .where = "A = 1 OR B = ')'" },
		  HAS_ALL,
		  "SELECT Id,SystemModstamp,LastName,Email FROM Contact WHERE (A = 1 OR B = ')') "
		  "ORDER BY Id" },
		{ { .where = "A = 1 OR B = 2", .after_id = AN_ID },
		  HAS_ALL,
		  "SELECT Id,SystemModstamp,LastName,Email FROM Contact WHERE (A = 1 OR B = 2) AND "
		  "Id > '" AN_ID "' ORDER BY Id" },
		{ { .ids_only = true },
		  HAS_ALL,
		  "SELECT Id,SystemModstamp FROM Contact ORDER BY Id" },
		{ { 0 }, 0, "SELECT Id,LastName,Email FROM Contact ORDER BY Id" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		check_row(&rows[i]);
}

#define CHANGES .order = REMOTE_BY_STAMP, .from_ms = FROM_MS, .until_ms = UNTIL_MS

static void by_stamp(void **state)
{
	static const struct row rows[] = {
		{ { CHANGES },
		  HAS_ALL,
		  "SELECT Id,SystemModstamp,IsDeleted,MasterRecordId,LastName,Email FROM Contact "
		  "WHERE SystemModstamp >= 2026-01-02T03:04:05Z AND "
		  "SystemModstamp < 2026-01-02T04:04:05Z ORDER BY SystemModstamp, Id" },
		{ { CHANGES, .after_id = AN_ID, .where = "A = 1" },
		  HAS_ALL,
		  "SELECT Id,SystemModstamp,IsDeleted,MasterRecordId,LastName,Email FROM Contact "
		  "WHERE (A = 1) AND (SystemModstamp > 2026-01-02T03:04:05Z OR "
		  "(SystemModstamp = 2026-01-02T03:04:05Z AND Id > '" AN_ID "')) AND "
		  "SystemModstamp < 2026-01-02T04:04:05Z ORDER BY SystemModstamp, Id" },
		{ { CHANGES, .ids_only = true },
		  HAS_STAMP | HAS_DELETED,
		  "SELECT Id,SystemModstamp,IsDeleted FROM Contact "
		  "WHERE SystemModstamp >= 2026-01-02T03:04:05Z AND "
		  "SystemModstamp < 2026-01-02T04:04:05Z ORDER BY SystemModstamp, Id" },
		{ { CHANGES }, HAS_DELETED, "no-stamp" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		check_row(&rows[i]);
}

static void fields_are_selected_once(void **state)
{
	static const struct row rows[] = {
		{ { 0 },
		  HAS_ALL,
		  "SELECT Id,SystemModstamp,Owner.Email,IsDeleted FROM Contact ORDER BY Id",
		  { "SystemModstamp", "Owner.Email", "Id", "IsDeleted" } },
		{ { CHANGES },
		  HAS_STAMP | HAS_DELETED,
		  "SELECT Id,SystemModstamp,IsDeleted,Owner.Email FROM Contact "
		  "WHERE SystemModstamp >= 2026-01-02T03:04:05Z AND "
		  "SystemModstamp < 2026-01-02T04:04:05Z ORDER BY SystemModstamp, Id",
		  { "SystemModstamp", "Owner.Email", "Id", "IsDeleted" } },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		check_row(&rows[i]);
}

static void who_changed_it_and_the_key(void **state)
{
	static const struct row rows[] = {
		{ { .key_field = "key__C" },
		  HAS_ALL | HAS_MODIFIED | HAS_MODIFIER,
		  "SELECT "
		  "Id,SystemModstamp,LastModifiedDate,LastModifiedById,Key__c,LastName,Email "
		  "FROM Contact ORDER BY Id" },
		{ { CHANGES, .key_field = "Key__c" },
		  HAS_ALL | HAS_MODIFIED | HAS_MODIFIER,
		  "SELECT Id,SystemModstamp,IsDeleted,MasterRecordId,LastModifiedDate,"
		  "LastModifiedById,Key__c,LastName,Email FROM Contact WHERE SystemModstamp >= "
		  "2026-01-02T03:04:05Z AND SystemModstamp < 2026-01-02T04:04:05Z "
		  "ORDER BY SystemModstamp, Id" },
		/* mapped, too */
		{ { .key_field = "Key__c" },
		  HAS_STAMP | HAS_MODIFIED | HAS_MODIFIER,
		  "SELECT Id,SystemModstamp,LastModifiedDate,LastModifiedById,Key__c,Email FROM "
		  "Contact ORDER BY Id",
		  { "Key__c", "Email", "LastModifiedById", "LastModifiedDate" } },
		/* the stamp, too */
		{ { CHANGES },
		  HAS_MODIFIED,
		  "SELECT Id,LastModifiedDate,LastName,Email FROM Contact WHERE LastModifiedDate "
		  ">= "
		  "2026-01-02T03:04:05Z AND LastModifiedDate < 2026-01-02T04:04:05Z "
		  "ORDER BY LastModifiedDate, Id" },
		{ { 0 },
		  HAS_STAMP | HAS_MODIFIER,
		  "SELECT Id,SystemModstamp,LastModifiedById,LastName,Email FROM Contact "
		  "ORDER BY Id" },
		{ { 0 },
		  HAS_STAMP | HAS_NO_FORM,
		  "SELECT Id,SystemModstamp,LastName,Email FROM Contact ORDER BY Id" },
		{ { .ids_only = true, .key_field = "Key__c" },
		  HAS_ALL | HAS_MODIFIED | HAS_MODIFIER,
		  "SELECT Id,SystemModstamp FROM Contact ORDER BY Id" },
		{ { .key_field = "Gone__c" }, HAS_ALL, "no-such-field" },
		{ { .key_field = "Owner.Key__c" }, HAS_ALL, "no-such-field" },
		{ { .key_field = "Email,Id" }, HAS_ALL, "no-such-field" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		check_row(&rows[i]);
}

static void picked(void **state)
{
	static const struct value ids[] = { { AN_ID, 18 }, { "0038d00000BvT4zAAE", 18 } };
	static const struct value mails[] = { { "a@b.example", 11 }, { "O'K@b.example", 13 } };
	static const struct row rows[] = {
		{ { .order = REMOTE_PICKED,
		    .picks = mails,
		    .pick_count = 2,
		    .pick_field = "email" },
		  HAS_ALL | HAS_MODIFIED,
		  "SELECT "
		  "Id,SystemModstamp,IsDeleted,MasterRecordId,LastModifiedDate,LastName,Email "
		  "FROM Contact WHERE Email IN ('a@b.example','O\\'K@b.example')" },
		{ { .order = REMOTE_PICKED,
		    .picks = mails,
		    .pick_count = 1,
		    .pick_field = "Email",
		    .where = "A = 1 OR B = 2",
		    .ids_only = true },
		  HAS_STAMP | HAS_DELETED,
		  "SELECT Id,SystemModstamp,IsDeleted FROM Contact WHERE (A = 1 OR B = 2) AND "
		  "Email IN ('a@b.example')" },
		{ { .order = REMOTE_PICKED, .picks = ids, .pick_count = 1, .key_field = "Key__c" },
		  0,
		  "SELECT Id,Key__c,LastName,Email FROM Contact WHERE Id IN ('" AN_ID "')" },
		{ { .order = REMOTE_PICKED, .picks = ids, .pick_count = 2 }, 0, "bad-pick" },
		{ { .order = REMOTE_PICKED, .picks = mails, .pick_count = 1 }, 0, "bad-pick" },
		{ { .order = REMOTE_PICKED }, 0, "no-picks" },
		{ { .order = REMOTE_PICKED,
		    .picks = ids,
		    .pick_count = 1,
		    .pick_field = "Gone__c" },
		  0,
		  "no-such-field" },
		{ { .order = REMOTE_PICKED,
		    .picks = ids,
		    .pick_count = 1,
		    .pick_field = "Owner.Email" },
		  0,
		  "no-such-field" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		check_row(&rows[i]);
}

static void each_type_as_a_literal(void **state)
{
	static const struct {
		const char *field, *text;
		const char *want; /* NULL: refused as bad-pick */
	} rows[] = {
		{ "LastName", "Okafor", "'Okafor'" },
		{ "LastName", "') OR (Id != '", "'\\') OR (Id != \\''" },
		{ "LastName", "\\' \\", "'\\\\\\' \\\\'" },
		{ "LastName", "a\n\t\b\f\"%_\x01z", "'a\\n\\t\\b\\f\"%_\\u0001z'" },
		{ "LastName", "\xc3\x89va", "'\xc3\x89va'" },
		{ "LastName", "null", "'null'" },
		{ "LastName", " Okafor", NULL },
		{ "LastName", "\xff", NULL },
		{ "LastName", "", NULL },
		{ "LastName", NULL, NULL },
		{ "Active__c", "1", "true" },
		{ "Active__c", "0", "false" },
		{ "Active__c", "true", NULL },
		{ "Active__c", NULL, NULL },
		{ "Count__c", "-12", "-12" },
		{ "Count__c", "012", NULL },
		{ "Count__c", "1) OR (1", NULL },
		{ "Revenue__c", "1234.5", "1234.5" },
		{ "Revenue__c", "1234.50", NULL },
		{ "Revenue__c", "1e3", NULL },
		{ "Revenue__c", "x", NULL },
		{ "Birth__c", "1979-02-28", "1979-02-28" },
		{ "Birth__c", "1979-02-30", NULL },
		{ "Birth__c", "2026-01-02T03:04:05Z", NULL },
		{ "Birth__c", "TODAY", NULL },
		{ "Seen__c", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z" },
		{ "Seen__c", "2026-01-02T03:04:05+00:00", NULL },
		{ "Seen__c", "2026-01-02", NULL },
		{ "Wake__c", "03:04:05", "03:04:05.000Z" },
		{ "Wake__c", "03:04", NULL },
		{ "OwnerId", "0058d000002Kp7ZAAS", "'0058d000002Kp7ZAAS'" },
		{ "OwnerId", "0058d000002Kp7Z", NULL },
		{ "OwnerId", "x", NULL },
		{ "Tags__c", "A;B", NULL },
	};
	CLEANUP(schema_free) struct schema *schema = new_schema(0);
	CLEANUP(mapping_free) struct mapping *mapping = new_mapping((const char *[]){ NULL });

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct value pick = { rows[i].text,
				      rows[i].text ? (uint32_t)strlen(rows[i].text) : 0 };
		struct remote_query query = { .object = "Contact",
					      .mapping = mapping,
					      .order = REMOTE_PICKED,
					      .pick_field = rows[i].field,
					      .picks = &pick,
					      .pick_count = 1 };
		CLEANUP_FREE char *want = mem_format("SELECT Id FROM Contact WHERE %s IN (%s)",
						     rows[i].field, rows[i].want);
		CLEANUP_FREE char *text = NULL;
		struct sf_shape shape;
		struct error err;

		text = sf_soql_text(&query, schema, &shape, &err);
		if (text) {
			assert_string_equal(text, want);
		} else if (rows[i].want || err.kind != ERROR_BUG ||
			   strcmp(err.code, "bad-pick") != 0) {
			fail_msg("row %zu: %s %s", i, err.code, err.text);
		}
		if (text && !rows[i].want)
			fail_msg("row %zu went through", i);
	}
}

/* The server takes 4,000 characters, however many bytes they are. */
static void a_long_pick(void **state)
{
	CLEANUP(schema_free) struct schema *schema = new_schema(0);
	CLEANUP(mapping_free) struct mapping *mapping = new_mapping((const char *[]){ NULL });
	CLEANUP_FREE char *long_text = mem_zeroed(8003, 1);

	(void)state;
	for (size_t i = 0; i < 4001; i++)
		memcpy(long_text + 2 * i, "\xc3\xa9", 2);
	for (uint32_t count = 4000; count <= 4001; count++) {
		struct value pick = { long_text, 2 * count };
		struct remote_query query = { .object = "Contact",
					      .mapping = mapping,
					      .order = REMOTE_PICKED,
					      .pick_field = "LastName",
					      .picks = &pick,
					      .pick_count = 1 };
		CLEANUP_FREE char *text = NULL;
		struct sf_shape shape;
		struct error err;

		text = sf_soql_text(&query, schema, &shape, &err);
		assert_int_equal(text != NULL, count == 4000);
		if (!text) {
			assert_int_equal(err.kind, ERROR_RETRY);
			assert_string_equal(err.code, "query-too-long");
		}
	}
}

static void nothing_strange_gets_in(void **state)
{
	static const struct row rows[] = {
		{ { 0 }, HAS_ALL, "no-such-field", { "Gone__c" } },
		{ { 0 }, HAS_ALL, "no-such-field", { "Email FROM User" } },
		{ { 0 }, HAS_ALL, "no-such-field", { "Owner.Email,Id" } },
		{ { 0 }, HAS_ALL, "no-such-field", { "Owner." } },
		{ { 0 }, HAS_ALL, "no-such-field", { "Nobody.Email" } },
		{ { .object = "User" }, HAS_ALL, "wrong-schema" },
		{ { .object = "Contact WHERE" }, HAS_ALL, "wrong-schema" },
		{ { .after_id = "x' OR Id > '" }, HAS_ALL, "bad-id" },
		{ { .after_id = "" }, HAS_ALL, "bad-id" },
		{ { .where = "A = 'x" }, HAS_ALL, "bad-where" },
		{ { .where = "A = 1) OR (B = 2" }, HAS_ALL, "bad-where" },
		{ { .where = "(A = 1" }, HAS_ALL, "bad-where" },
		{ { .where = "A = '\\'" }, HAS_ALL, "bad-where" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		check_row(&rows[i]);
}

static void paths_are_encoded_and_bounded(void **state)
{
	struct remote_query query = { .object = "Contact", .order = REMOTE_BY_STAMP };
	CLEANUP_FREE char *path = NULL;
	CLEANUP_FREE char *longest = mem_zeroed(10001, 1);
	CLEANUP_FREE char *too_long = mem_zeroed(10300, 1);
	CLEANUP_FREE char *other = NULL;
	struct error err;

	(void)state;
	path = sf_soql_path("66.0", &query, "SELECT Id FROM X WHERE A > '+&%'", &err);
	assert_string_equal(path, "/services/data/v66.0/queryAll/?q=SELECT%20Id%20FROM%20X%20WHERE"
				  "%20A%20%3E%20%27%2B%26%25%27");
	query.order = REMOTE_PICKED;
	free(TAKE(path));
	path = sf_soql_path("66.0", &query, "x", &err);
	assert_string_equal(path, "/services/data/v66.0/queryAll/?q=x");
	query.order = REMOTE_BY_ID;
	memset(longest, 'x', 10000);
	other = sf_soql_path("66.0", &query, longest, &err);
	assert_non_null(other);
	memset(too_long, 'x', 10299);
	assert_null(sf_soql_path("66.0", &query, too_long, &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "query-too-long");
	query.order = REMOTE_PICKED;
	assert_null(sf_soql_path("66.0", &query, too_long, &err));
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_string_equal(err.code, "query-too-long");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_id),
		cmocka_unit_test(by_stamp),
		cmocka_unit_test(fields_are_selected_once),
		cmocka_unit_test(who_changed_it_and_the_key),
		cmocka_unit_test(picked),
		cmocka_unit_test(each_type_as_a_literal),
		cmocka_unit_test(a_long_pick),
		cmocka_unit_test(nothing_strange_gets_in),
		cmocka_unit_test(paths_are_encoded_and_bounded),
	};

	return cmocka_run_group_tests_name("sf_soql", tests, NULL, NULL);
}
