/* The bytes that the ledger keeps of a pair's fields: there and back, small, and never trusted. */
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
#include "store/sqlite/pack.h"

#define V(text)                                                                                    \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

/* One field, and how many bytes it takes. */
static const struct {
	const char *name;
	struct link_field field;
	size_t bytes; /* with the version and the number of one byte; 0: nothing of it is kept */
} rows[] = {
	{ "never settled", { .base = { false, { 0 }, { 0 } } }, 0 },
	{ "never settled, whatever it held", { .base = { false, V("a"), V("b") } }, 0 },
	{ "both null", { .base = { true, { 0 }, { 0 } } }, 3 },
	{ "both the same", { .base = { true, V("Ann"), V("Ann") } }, 7 },
	{ "both the same zero", { .base = { true, V("0"), V("0") } }, 5 },
	{ "different", { .base = { true, V("Ann"), V("Anna") } }, 12 },
	{ "ours null", { .base = { true, { 0 }, V("Ann") } }, 8 },
	{ "theirs null", { .base = { true, V("Ann"), { 0 } } }, 8 },
	{ "one begins as the other", { .base = { true, V("An"), V("Ann") } }, 10 },
	{ "held by a person", { .base = { true, V("a"), V("b") }, .hold = FIELD_HELD_MANUAL }, 7 },
	{ "flapping", { .base = { true, V("a"), V("a") }, .hold = FIELD_HELD_FLAP }, 5 },
	{ "undone, and chosen", { .hold = FIELD_HELD_UNDONE, .choice = LINK_CHOICE_LOCAL }, 3 },
	{ "chosen", { .choice = LINK_CHOICE_REMOTE }, 3 },
	{ "an echo awaited", { .base = { true, V("a"), V("a") }, .echo = true }, 5 },
	{ "an echo awaited of what was never settled", { .echo = true }, 3 },
	{ "bytes of all kinds", { .base = { true, V("\xff\x80;\n"), V("\x01") } }, 10 },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool same_value(const struct value *a, const struct value *b)
{
	return !a->text == !b->text && a->len == b->len &&
	       (!a->len || memcmp(a->text, b->text, a->len) == 0);
}

static bool same_field(const struct link_field *a, const struct link_field *b)
{
	return a->hold == b->hold && a->echo == b->echo && a->choice == b->choice &&
	       a->base.settled == b->base.settled &&
	       (!a->base.settled || (same_value(&a->base.ours, &b->base.ours) &&
				     same_value(&a->base.theirs, &b->base.theirs)));
}

static void comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new();
		struct pack_item item = { 7, rows[i].field }, *back;
		struct value packed = pack_fields(&item, 1, arena);
		struct error err;
		size_t count;

		if (!unpack_fields(&packed, arena, &back, &count, &err))
			fail_msg("%s: %s", rows[i].name, err.text);
		if (packed.len != (rows[i].bytes ? rows[i].bytes : 1) || count != !!rows[i].bytes ||
		    (count && (back->number != 7 || !same_field(&back->field, &rows[i].field))))
			fail_msg("%s: %u bytes", rows[i].name, packed.len);
	}
}

static void all_together_in_any_order(void **state)
{
	static const uint32_t numbers[] = { 1,     2,    3, 127, 128, 129,        16383,   16384,
					    16385, 9999, 5, 77,  6,   UINT32_MAX, 1000000, 4 };
	CLEANUP(arena_free) struct arena *arena = arena_new();
	struct pack_item items[ROWS], *back;
	struct value packed;
	struct error err;
	size_t count, kept = 0;

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		items[i] = (struct pack_item){ numbers[i], rows[i].field };
		kept += rows[i].bytes > 0;
	}
	packed = pack_fields(items, ROWS, arena);
	assert_true(unpack_fields(&packed, arena, &back, &count, &err));
	assert_int_equal(count, kept);
	for (size_t i = 0; i < count; i++) {
		size_t k = 0;

		assert_true(!i || back[i - 1].number < back[i].number);
		while (numbers[k] != back[i].number)
			k++;
		if (!same_field(&back[i].field, &rows[k].field))
			fail_msg("%s", rows[k].name);
	}
}

static void long_values(void **state)
{
	static char text[300000];
	CLEANUP(arena_free) struct arena *arena = arena_new();
	struct pack_item item = { 1, { .base = { true, { text, 0 }, { text, 0 } } } }, *back;
	struct error err;
	size_t count;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (uint32_t len = 1; len < sizeof(text); len = len * 2 + 1) {
		struct value packed;

		item.field.base.ours.len = len;
		item.field.base.theirs.len = len + 1;
		packed = pack_fields(&item, 1, arena);
		assert_true(unpack_fields(&packed, arena, &back, &count, &err));
		assert_true(count == 1 && same_field(&back->field, &item.field));
	}
}

/* Each in the one spelling that pack_fields() has for it, or not at all. */
static void refuses_what_it_never_wrote(void **state)
{
	static const struct {
		const char *name;
		struct value bytes;
	} damaged[] = {
		{ "nothing", { "", 0 } },
		{ "another version", V("\2") },
		{ "a number alone", V("\1\1") },
		{ "number 0", V("\1\0\101") },
		{ "a number without an end", V("\1\200\200") },
		{ "a number of more than 32 bits", V("\1\377\377\377\377\177\101") },
		{ "a number with a last byte of nothing", V("\1\201\0\101") },
		{ "numbers that pass the last one", V("\1\377\377\377\377\17\101\1\101") },
		{ "an unknown form", V("\1\1\301") },
		{ "an unknown choice", V("\1\1\160") },
		{ "values of what is not settled", V("\1\1\0\1a") },
		{ "no length", V("\1\1\1") },
		{ "a value cut short", V("\1\1\1\3ab") },
		{ "a length beyond everything", V("\1\1\1\377\377\377\377\17ab") },
		{ "the second value missing", V("\1\1\201\2a") },
		{ "a rest", V("\1\1\1\1ab") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new();
		struct pack_item *back;
		struct error err;
		size_t count;

		if (unpack_fields(&damaged[i].bytes, arena, &back, &count, &err) ||
		    err.kind != ERROR_STATE || strcmp(err.code, "damaged-ledger") != 0)
			fail_msg("%s", damaged[i].name);
	}
}

static uint64_t next_random(uint64_t *in)
{
	*in ^= *in << 13;
	*in ^= *in >> 7;
	*in ^= *in << 17;
	return *in >> 40;
}

/* Whatever the bytes are, nothing beyond them is touched (the sanitizers watch); what is accepted
 * can be packed again. */
static void any_bytes(void **state)
{
	uint64_t random = 88172645463325252u;
	unsigned accepted = 0;

	(void)state;
	for (unsigned round = 0; round < 50000; round++) {
		CLEANUP(arena_free) struct arena *arena = arena_new();
		CLEANUP_FREE char *bytes = mem_zeroed(round % 40 + 1, 1);
		struct value packed = { bytes, round % 40 + 1 };
		struct pack_item *back;
		struct error err;
		size_t count;

		bytes[0] = 1;
		for (size_t i = 1; i < packed.len; i++)
			bytes[i] = (char)(next_random(&random) & (round & 1 ? 0x43 : 0xff));
		if (!unpack_fields(&packed, arena, &back, &count, &err))
			continue;
		pack_fields(back, count, arena);
		accepted++;
	}
	assert_true(accepted > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),  cmocka_unit_test(all_together_in_any_order),
		cmocka_unit_test(long_values), cmocka_unit_test(refuses_what_it_never_wrote),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
