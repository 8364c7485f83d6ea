/* The rows of base: text, time, errors, memory that ends together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/machine.h"
#include "base/str.h"
#include "base/utc.h"

static void snake_case_of_api_names(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "Email", "email" },
		{ "LastModifiedDate", "last_modified_date" },
		{ "Lead_Score__c", "lead_score" },
		{ "Leadsync_Key__c", "leadsync_key" },
		{ "Owner.Email", "owner_email" },
		{ "Id", "id" },
		{ "LastCURequestDate", "last_cu_request_date" },
		{ "DandbCompanyId", "dandb_company_id" },
		{ "ns__Field__c", "ns_field" },
		{ "Address2Line", "address2_line" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *got = str_snake_case(rows[i].name);

		assert_string_equal(got, rows[i].want);
		free(got);
	}
}

static void names_are_plain(void **state)
{
	(void)state;
	assert_true(str_is_name("Leadsync_Key__c"));
	assert_false(str_is_name(""));
	assert_false(str_is_name("1st"));
	assert_false(str_is_name("a b"));
	assert_false(str_is_name("a.b"));
	assert_false(str_is_name("_a"));
}

static void utf8_is_checked(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "plain", true },
		{ "\xc3\xa9", true },
		{ "\xf0\x9f\x98\x80", true },
		{ "\xc0\x80", false },
		{ "\xed\xa0\x80", false },
		{ "\xe2\x82", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\x80", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(str_is_utf8(rows[i].text, strlen(rows[i].text)), rows[i].want);
	assert_false(str_is_utf8("a\0b", 3));
}

static void printable_copies_have_no_controls(void **state)
{
	char out[8];

	(void)state;
	str_copy_printable(out, sizeof(out), "a\n\x1b[2J", 6);
	assert_string_equal(out, "a??[2J");
	str_copy_printable(out, sizeof(out), "12345\xc3\xa9\xc3\xa9", 9);
	assert_string_equal(out, "12345\xc3\xa9");
	str_copy_printable(out, sizeof(out),
			   "\xc2\x9b"
			   "x\xff",
			   4);
	assert_string_equal(out, "?x?");
	str_copy_printable(out, 1, "x", 1);
	assert_string_equal(out, "");
}

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t want;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", true, 0 },
		{ "2026-01-02T03:04:05.000+0000", true, 1767323045000 },
		{ "2026-01-02T03:04:05.678+00:00", true, 1767323045678 },
		{ "2026-01-02T05:04:05+0200", true, 1767323045000 },
		{ "1969-12-31T23:59:59.500Z", true, -500 },
		{ "1700-01-01T00:00:00Z", true, -8520336000000 },
		{ "2026-02-30T00:00:00Z", false, 0 },
		{ "2026-01-02T24:00:00Z", false, 0 },
		{ "2026-01-02T03:04:05", false, 0 },
		{ "2026-01-02T03:04:05.Z", false, 0 },
		{ "2026-01-02T03:04:05Zx", false, 0 },
		{ "4001-01-01T00:00:00Z", false, 0 },
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(utc_parse(rows[i].text, strlen(rows[i].text), &ms), rows[i].good);
		if (rows[i].good)
			assert_int_equal(ms, rows[i].want);
	}
	assert_true(utc_parse_http("Fri, 02 Jan 2026 03:04:05 GMT", &ms));
	assert_int_equal(ms, 1767323045000);
	assert_false(utc_parse_http("Fri, 02 Foo 2026 03:04:05 GMT", &ms));
	assert_false(utc_parse_http("Friday", &ms));
	assert_true(utc_is_date("2024-02-29", 10));
	assert_false(utc_is_date("2025-02-29", 10));
	assert_false(utc_is_date("2025-2-9", 8));
}

static void times_are_written(void **state)
{
	char out[UTC_TEXT_SIZE];

	(void)state;
	utc_format(1767323045678, out);
	assert_string_equal(out, "2026-01-02T03:04:05Z");
	utc_format_ms(-500, out);
	assert_string_equal(out, "1969-12-31T23:59:59.500Z");
}

static void errors_keep_kind_and_gain_context(void **state)
{
	struct error err;

	(void)state;
	assert_false(error_set(&err, ERROR_QUOTA, "REQUEST_LIMIT_EXCEEDED", "limit\nof %d", 5));
	assert_false(error_prefix(&err, "job %s", "contacts"));
	assert_int_equal(err.kind, ERROR_QUOTA);
	assert_string_equal(err.code, "REQUEST_LIMIT_EXCEEDED");
	assert_string_equal(err.text, "job contacts: limit?of 5");
	assert_string_equal(error_kind_name(err.kind), "quota");
}

static void arena_pieces_stay_where_they_are(void **state)
{
	struct arena *arena = arena_new();
	char *pieces[2000];

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		char text[512];
		size_t len = 1 + i % 500;

		memset(text, 'a' + (int)(i % 26), len);
		pieces[i] = arena_copy(arena, text, i % 100 == 7 ? 500 : len);
		assert_int_equal((uintptr_t)arena_take(arena, 24) % sizeof(void *), 0);
		if (i % 500 == 0)
			memset(arena_take(arena, 200000), 'z', 200000);
	}
	for (size_t i = 0; i < 2000; i++)
		assert_int_equal(pieces[i][0], 'a' + (int)(i % 26));
	arena_free(arena);
}

/* This machine may have an id or not; it is the same each time. */
static void the_machine_stays_the_same(void **state)
{
	char id[MACHINE_ID_SIZE], again[MACHINE_ID_SIZE];
	bool known = machine_id(id);

	(void)state;
	assert_int_equal(machine_id(again), known);
	assert_string_equal(id, again);
	assert_int_equal(strspn(id, "0123456789abcdef"), known ? MACHINE_ID_SIZE - 1 : 0);
	assert_int_equal(strlen(id), known ? MACHINE_ID_SIZE - 1 : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snake_case_of_api_names),
		cmocka_unit_test(names_are_plain),
		cmocka_unit_test(utf8_is_checked),
		cmocka_unit_test(printable_copies_have_no_controls),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(times_are_written),
		cmocka_unit_test(errors_keep_kind_and_gain_context),
		cmocka_unit_test(arena_pieces_stay_where_they_are),
		cmocka_unit_test(the_machine_stays_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
