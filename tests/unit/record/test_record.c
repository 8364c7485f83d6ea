/* Schema look-ups, and pages of records with their hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "record/mapping.h"
#include "record/record.h"
#include "record/schema.h"

static void add(struct schema *in, const char *name, enum value_type type)
{
	schema_add(in,
		   (struct schema_field){ .name = strdup(name), .type = type, .readable = true });
}

static void fields_are_found_ignoring_case(void **state)
{
	CLEANUP(schema_free) struct schema *schema = schema_new("Lead");

	(void)state;
	assert_null(schema_find(schema, "Id"));
	add(schema, "LastName", VALUE_TEXT);
	add(schema, "CreatedDate", VALUE_DATETIME);
	add(schema, "Id", VALUE_ID);
	schema_finish(schema);
	assert_string_equal(schema_find(schema, "LASTNAME")->name, "LastName");
	assert_string_equal(schema_find(schema, "id")->name, "Id");
	assert_null(schema_find(schema, "Last"));
	assert_null(schema_find(schema, ""));
	assert_false(schema->has_deleted);
	assert_false(schema->has_master);
	assert_string_equal(schema->stamp_field, "CreatedDate");
}

static void the_best_stamp_is_taken(void **state)
{
	CLEANUP(schema_free) struct schema *schema = schema_new("Lead");
	CLEANUP(schema_free) struct schema *bare = schema_new("Bare");

	(void)state;
	add(schema, "CreatedDate", VALUE_DATETIME);
	add(schema, "LastModifiedDate", VALUE_DATETIME);
	schema_finish(schema);
	assert_string_equal(schema->stamp_field, "LastModifiedDate");
	add(schema, "SystemModstamp", VALUE_DATETIME);
	add(schema, "IsDeleted", VALUE_BOOLEAN);
	add(schema, "MasterRecordId", VALUE_ID);
	schema_finish(schema);
	assert_string_equal(schema->stamp_field, "SystemModstamp");
	assert_true(schema->has_deleted);
	assert_true(schema->has_master);
	schema_finish(bare);
	assert_null(bare->stamp_field);
}

static struct mapping *new_mapping(void)
{
	static const struct mapping_rule rules[] = { { "*", NULL, MAPPING_DOWN, 1 } };
	CLEANUP(schema_free) struct schema *schema = schema_new("Lead");
	struct mapping *mapping;
	struct error err;

	add(schema, "FirstName", VALUE_TEXT);
	add(schema, "LastName", VALUE_TEXT);
	schema_finish(schema);
	mapping = mapping_resolve(rules, 1, schema, NULL, NULL, NULL, &err);
	assert_non_null(mapping);
	return mapping;
}

static void a_page_grows(void **state)
{
	CLEANUP(mapping_free) struct mapping *mapping = new_mapping();
	CLEANUP(record_page_free) struct record_page *page = record_page_new(mapping);

	(void)state;
	assert_int_equal(page->total, -1);
	for (int i = 0; i < 2000; i++) {
		struct record *record = record_page_add(page);

		assert_true(value_is_null(&record->values[0]));
		assert_true(value_is_null(&record->values[1]));
		assert_null(record->id);
		record->stamp_ms = i;
	}
	assert_int_equal(page->count, 2000);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(page->records[i].stamp_ms, i);
	assert_int_equal(mapping->shares, 2);
}

static bool same(struct record_hash a, struct record_hash b)
{
	return a.half[0] == b.half[0] && a.half[1] == b.half[1];
}

static void hashes_tell_records_apart(void **state)
{
	static char large[5000] = { 'x' };
	struct value rows[][2] = {
		{ { "ab", 2 }, { "c", 1 } },         { { "a", 1 }, { "bc", 2 } },
		{ { "abc", 3 }, { NULL, 0 } },       { { NULL, 0 }, { "abc", 3 } },
		{ { NULL, 0 }, { NULL, 0 } },        { { "abc", 3 }, { "", 0 } },
		{ { large, sizeof(large) }, { 0 } }, { { large, sizeof(large) - 1 }, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		struct record one = { .values = rows[i] }, gone = { .values = rows[i] };

		gone.deleted = true;
		assert_true(same(record_hash_of(&one, 2), record_hash_of(&one, 2)));
		assert_false(same(record_hash_of(&one, 2), record_hash_of(&gone, 2)));
		for (size_t k = 0; k < i; k++) {
			struct record other = { .values = rows[k] };

			assert_false(same(record_hash_of(&one, 2), record_hash_of(&other, 2)));
		}
	}
}

/* The ledger keeps hashes: the same values must give the same hash in every version to come. */
static void hashes_stay(void **state)
{
	struct value values[] = { { "Ada", 3 }, { NULL, 0 } };
	struct record record = { .values = values };
	struct record_hash hash = record_hash_of(&record, 2);

	(void)state;
	assert_int_equal(hash.half[0], UINT64_C(0xaf3fe6102024e606));
	assert_int_equal(hash.half[1], UINT64_C(0x73961a588088bd52));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_ignoring_case),
		cmocka_unit_test(the_best_stamp_is_taken),
		cmocka_unit_test(a_page_grows),
		cmocka_unit_test(hashes_tell_records_apart),
		cmocka_unit_test(hashes_stay),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
