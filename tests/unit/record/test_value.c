/* The rows of value.h: every type with what is good, what is mended and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "record/value.h"

#define BAD       "\x01refused"
#define NONE      NULL
#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))

struct row {
	const char *raw;
	const char *want; /* BAD, NONE, or the canonical text */
	int scale;
};

static void check_row(enum value_type type, const struct row *row)
{
	CLEANUP(arena_free) struct arena *arena = arena_new();
	struct value got = { "untouched", 9 };
	struct error err = { 0 };
	bool ok = value_canonical(type, row->scale, row->raw, row->raw ? strlen(row->raw) : 0,
				  arena, &got, &err);
	char shown[600];

	snprintf(shown, sizeof(shown), "%s",
		 !ok        ? BAD
		 : got.text ? arena_copy(arena, got.text, got.len)
			    : "(null)");
	if (strcmp(shown, row->want ? row->want : "(null)") != 0)
		fail_msg("%s \"%s\" gave \"%s\", not \"%s\"", value_type_name(type),
			 row->raw ? row->raw : "(null)", shown, row->want ? row->want : "(null)");
	if (!ok) {
		assert_int_equal(err.kind, ERROR_FIELD);
		assert_string_equal(err.code, "bad-value");
		assert_true(strlen(row->raw) < 4 || !strstr(err.text, row->raw));
		assert_string_equal(got.text, "untouched");
	}
}

static void check_rows(enum value_type type, const struct row *rows, size_t count)
{
	static const struct row nothing[] = { { NULL, NONE }, { "", NONE }, { " \t\r\n ", NONE } };

	for (size_t i = 0; i < count; i++)
		check_row(type, &rows[i]);
	for (size_t i = 0; i < LEN(nothing) && type != VALUE_BOOLEAN; i++)
		check_row(type, &nothing[i]);
}

static void text_is_trimmed(void **state)
{
	static const struct row rows[] = {
		{ "Ada", "Ada" },
		{ "  Ada \n", "Ada" },
		{ "\v\fAda\t", "Ada" },
		{ "a b", "a b" },
		{ "a\r\nb\rc\nd", "a\nb\nc\nd" },
		{ "a\r\r\nb", "a\n\nb" },
		{ "0123456789\r", "0123456789" },
		{ "01234567\r89abcdef", "01234567\n89abcdef" },
		{ "\xc3\xa9t\xc3\xa9\r\n1", "\xc3\xa9t\xc3\xa9\n1" },
		{ "\xc2\xa0nbsp stays", "\xc2\xa0nbsp stays" },
		{ "\x01stays", "\x01stays" },
		{ "broken \xc3", BAD },
		{ "long and plain, then broken \xff tail", BAD },
		{ "\xed\xa0\x80", BAD },
		{ "\xc0\x80", BAD },
	};

	(void)state;
	check_rows(VALUE_TEXT, rows, LEN(rows));
}

static void nul_is_refused(void **state)
{
	static const char raw[] = "before the NUL\0after";
	CLEANUP(arena_free) struct arena *arena = arena_new();
	struct value got;
	struct error err;

	(void)state;
	for (size_t start = 0; start < 14; start++)
		assert_false(value_canonical(VALUE_TEXT, 0, raw + start, sizeof(raw) - 1 - start,
					     arena, &got, &err));
	assert_false(value_canonical(VALUE_SET, 0, "a;\0b", 4, arena, &got, &err));
	assert_false(value_canonical(VALUE_ID, 0, "0038d00000BvT4\0", 15, arena, &got, &err));
}

static void booleans(void **state)
{
	static const struct row rows[] = {
		{ "true", "1" }, { "false", "0" }, { "TRUE", "1" },   { "t", "1" },
		{ "f", "0" },    { "1", "1" },     { "0", "0" },      { NULL, "0" },
		{ "", "0" },     { " 1 ", "1" },   { "yes", BAD },    { "2", BAD },
		{ "tru", BAD },  { "01", BAD },    { "truely", BAD },
	};

	(void)state;
	check_rows(VALUE_BOOLEAN, rows, LEN(rows));
}

static void integers(void **state)
{
	static const struct row rows[] = {
		{ "0", "0" },
		{ "-0", "0" },
		{ "12", "12" },
		{ "-12", "-12" },
		{ "+12", "12" },
		{ "007", "7" },
		{ "12.0", "12" },
		{ "1.0E7", "10000000" },
		{ "120E-1", "12" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "9223372036854775808", BAD },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "-9223372036854775809", BAD },
		{ "1E400", BAD },
		{ "12.5", BAD },
		{ "12a", BAD },
		{ "-", BAD },
		{ "1 2", BAD },
		{ "0x10", BAD },
	};

	(void)state;
	check_rows(VALUE_INTEGER, rows, LEN(rows));
}

static void decimals(void **state)
{
	static const struct row rows[] = {
		{ "123456789012345678.25", "123456789012345678.25", 2 },
		{ "1.0E7", "10000000", 2 },
		{ "250000.0", "250000", 2 },
		{ "1234.5", "1234.5", 2 },
		{ "1234.50", "1234.5", 2 },
		{ "0.005", "0.01", 2 },
		{ "-0.005", "-0.01", 2 },
		{ "0.004999999999999999999", "0", 2 },
		{ "-0.004", "0", 2 },
		{ "-0.0", "0", 2 },
		{ "-0", "0", 0 },
		{ "2.5", "3", 0 },
		{ "-2.5", "-3", 0 },
		{ "0.5", "1", 0 },
		{ "0.05", "0.1", 1 },
		{ "0.049", "0", 1 },
		{ "999.995", "1000", 2 },
		{ "9.99", "10", 1 },
		{ "99.5", "100", 0 },
		{ "1E2", "100", 0 },
		{ "1e+2", "100", 0 },
		{ "12.5e-1", "1.25", 2 },
		{ "1E-400", "0", 18 },
		{ "1E-9999999999999999999", "0", 18 },
		{ "0E9999999999999999999", "0", 18 },
		{ "1E9999999999999999999", BAD, 18 },
		{ "1E63", "1000000000000000000000000000000000000000000000000000000000000000", 2 },
		{ "1E64", BAD, 2 },
		{ "0000.10", "0.1", 2 },
		{ ".5", "0.5", 2 },
		{ "5.", "5", 2 },
		{ "+5", "5", 2 },
		{ "100", "100", -3 },
		{ ".", BAD, 2 },
		{ "-", BAD, 2 },
		{ "1.2.3", BAD, 2 },
		{ "1,5", BAD, 2 },
		{ "1e", BAD, 2 },
		{ "1e+", BAD, 2 },
		{ "1e1.5", BAD, 2 },
		{ "NaN", BAD, 2 },
		{ "Infinity", BAD, 2 },
		{ "--1", BAD, 2 },
	};

	(void)state;
	check_rows(VALUE_DECIMAL, rows, LEN(rows));
}

static void dates_and_times(void **state)
{
	static const struct row dates[] = {
		{ "2026-01-02", "2026-01-02" },  { "2024-02-29", "2024-02-29" },
		{ "2023-02-29", BAD },           { "2026-1-2", BAD },
		{ "2026-01-02T00:00:00Z", BAD }, { "1699-12-31", BAD },
		{ "4000-12-31", "4000-12-31" },
	};
	static const struct row datetimes[] = {
		{ "2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05Z" },
		{ "2026-01-02T03:04:05.999+0000", "2026-01-02T03:04:05Z" },
		{ "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z" },
		{ "2026-01-02T03:04:05+05:30", "2026-01-01T21:34:05Z" },
		{ "1969-12-31T23:59:59.500Z", "1969-12-31T23:59:59Z" },
		{ "2026-01-02 03:04:05", "2026-01-02T03:04:05Z" },
		{ "2026-01-02 03:04:05.123456+00", "2026-01-02T03:04:05Z" },
		{ "2026-01-02 05:04:05-02", "2026-01-02T07:04:05Z" },
		{ "2026-01-02T03:04:05", "2026-01-02T03:04:05Z" },
		{ "1700-01-01T00:00:00+01:00", BAD },
		{ "2026-01-03", BAD },
		{ "2026-01-02T24:00:00Z", BAD },
		{ "2026-01-02T03:04:60Z", BAD },
		{ "2026-02-30T03:04:05Z", BAD },
		{ "2026-01-02T03:04:05.Z", BAD },
		{ "2026-01-02T03:04:05 UTC", BAD },
		{ "2026-01-02T03:04:05.0000000000000000000000000000000000000000000Z", BAD },
		{ "1767323045", BAD },
	};
	static const struct row times[] = {
		{ "03:04:05", "03:04:05" },
		{ "03:04:05.000Z", "03:04:05" },
		{ "23:59:59Z", "23:59:59" },
		{ "03:04:05.5", "03:04:05" },
		{ "24:00:00", BAD },
		{ "03:60:00", BAD },
		{ "05:06", BAD },
		{ "03:04:05.Z", BAD },
		{ "03:04:05+01:00", BAD },
		{ "33:04:05", BAD },
	};

	(void)state;
	check_rows(VALUE_DATE, dates, LEN(dates));
	check_rows(VALUE_DATETIME, datetimes, LEN(datetimes));
	check_rows(VALUE_TIME, times, LEN(times));
}

static void ids_get_their_checksum(void **state)
{
	static const struct row rows[] = {
		{ "00Q8d00000BvT3x", "00Q8d00000BvT3xEAF" },
		{ "0038d00000BvT4y", "0038d00000BvT4yAAF" },
		{ "00D8d0000004QxR", "00D8d0000004QxREAU" },
		{ "0018d00000BvT5Z", "0018d00000BvT5ZAAV" },
		{ "0018d00000BvT5ZAAV", "0018d00000BvT5ZAAV" },
		{ "012000000000000AAA", "012000000000000AAA" },
		{ "0018d00000BvT5ZAAW", BAD },
		{ "0018d00000BvT5Zaav", BAD },
		{ "0018d00000BvT5ZA", BAD },
		{ "0018d00000BvT5-", BAD },
		{ "0018d00000BvT5'", BAD },
	};

	(void)state;
	check_rows(VALUE_ID, rows, LEN(rows));
}

static void sets_are_sorted(void **state)
{
	static const struct row rows[] = {
		{ "A", "A" },
		{ "A;B", "A;B" },
		{ "B;A", "A;B" },
		{ "B;A;B;", "A;B" },
		{ " b ; a ;; ", "a;b" },
		{ ";;", NONE },
		{ ";A", "A" },
		{ "a;B;\xc3\xa9", "B;a;\xc3\xa9" },
		{ "ab;a", "a;ab" },
		{ "A;\xff", BAD },
	};

	(void)state;
	check_rows(VALUE_SET, rows, LEN(rows));
}

static void canonical_input_is_borrowed(void **state)
{
	static const struct {
		enum value_type type;
		const char *raw;
	} rows[] = {
		{ VALUE_TEXT, "Ada Lovelace" }, { VALUE_TEXT, "h\xc3\xa9llo" },
		{ VALUE_INTEGER, "42" },        { VALUE_DECIMAL, "1234.5" },
		{ VALUE_DATE, "2026-01-02" },   { VALUE_DATETIME, "2026-01-02T03:04:05Z" },
		{ VALUE_TIME, "03:04:05" },     { VALUE_ID, "0018d00000BvT5ZAAV" },
	};
	CLEANUP(arena_free) struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct value got;
		struct error err;

		assert_true(value_canonical(rows[i].type, 2, rows[i].raw, strlen(rows[i].raw),
					    arena, &got, &err));
		assert_ptr_equal(got.text, rows[i].raw);
	}
	assert_int_equal(arena_used(arena), 0);
}

static void equal_means_equal(void **state)
{
	struct value null = { 0 }, a = { "a", 1 }, other_a = { "ab", 1 }, ab = { "ab", 2 };

	(void)state;
	assert_true(value_equal(&null, &null));
	assert_true(value_equal(&a, &other_a));
	assert_false(value_equal(&a, &ab));
	assert_false(value_equal(&a, &null));
	assert_false(value_equal(&null, &a));
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Bytes that matter to one type or another, so that random text is often half right. */
static size_t random_text(uint32_t *seed, char *out)
{
	static const char alphabet[] =
		"0123456789000555999...--++eE::TZ \t\r\n;;aAbB\xc3\xa9\x80tf";
	static const char *const seeds[] = { "2026-01-02T03:04:05.000+0000",
					     "-1234.5678E3",
					     "0018d00000BvT5ZAAV",
					     "b; a;b;c",
					     "03:04:05.000Z",
					     "99999999.9995",
					     "" };
	size_t len = 0;

	if (next_random(seed) % 2) {
		len = strlen(strcpy(out, seeds[next_random(seed) % LEN(seeds)]));
		for (size_t i = 0; len && i < next_random(seed) % 3; i++)
			out[next_random(seed) % len] =
				alphabet[next_random(seed) % (sizeof(alphabet) - 1)];
		return len;
	}
	while (len < next_random(seed) % 40)
		out[len++] = alphabet[next_random(seed) % (sizeof(alphabet) - 1)];
	return len;
}

static void canonical_is_a_fixed_point(void **state)
{
	uint32_t seed = 20260102;
	size_t accepted = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new();
		enum value_type type = next_random(&seed) % (VALUE_SET + 1);
		int scale = (int)(next_random(&seed) % 19);
		char raw[64];
		size_t len = random_text(&seed, raw);
		struct value once, twice;
		struct error err;

		if (!value_canonical(type, scale, raw, len, arena, &once, &err))
			continue;
		accepted++;
		if (!value_canonical(type, scale, once.text, once.len, arena, &twice, &err) ||
		    !value_equal(&once, &twice))
			fail_msg("%s of scale %d: \"%.*s\" became \"%.*s\", which is not canonical",
				 value_type_name(type), scale, (int)len, raw, (int)once.len,
				 once.text);
	}
	assert_true(accepted > 20000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_trimmed),
		cmocka_unit_test(nul_is_refused),
		cmocka_unit_test(booleans),
		cmocka_unit_test(integers),
		cmocka_unit_test(decimals),
		cmocka_unit_test(dates_and_times),
		cmocka_unit_test(ids_get_their_checksum),
		cmocka_unit_test(sets_are_sorted),
		cmocka_unit_test(canonical_input_is_borrowed),
		cmocka_unit_test(equal_means_equal),
		cmocka_unit_test(canonical_is_a_fixed_point),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
