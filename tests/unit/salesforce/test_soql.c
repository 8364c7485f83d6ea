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

enum has { HAS_STAMP = 1, HAS_DELETED = 2, HAS_MASTER = 4, HAS_ALL = 7 };

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
	};

	for (size_t i = 0; i < LEN(fields); i++) {
		struct schema_field field = { .type = fields[i].type, .readable = true };

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
		assert_int_equal(shape.has_deleted,
				 query.order == REMOTE_BY_STAMP && (row->has & HAS_DELETED));
		assert_int_equal(shape.has_master,
				 query.order == REMOTE_BY_STAMP && (row->has & HAS_MASTER));
		assert_int_equal(shape.ids_only, query.ids_only);
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
	query.order = REMOTE_BY_ID;
	memset(longest, 'x', 10000);
	other = sf_soql_path("66.0", &query, longest, &err);
	assert_non_null(other);
	memset(too_long, 'x', 10299);
	assert_null(sf_soql_path("66.0", &query, too_long, &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "query-too-long");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_id),
		cmocka_unit_test(by_stamp),
		cmocka_unit_test(fields_are_selected_once),
		cmocka_unit_test(nothing_strange_gets_in),
		cmocka_unit_test(paths_are_encoded_and_bounded),
	};

	return cmocka_run_group_tests_name("sf_soql", tests, NULL, NULL);
}
