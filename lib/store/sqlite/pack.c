/* pack.c - in order: writing, reading. */
#include "store/sqlite/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"

#define VERSION      1
#define MOST_NUMBER  5 /* bytes of a number of 32 bits */
#define FLAG_SETTLED 1
#define FLAG_ECHO    8
#define HOLD_AT      1
#define CHOICE_AT    4
#define FORM_AT      6

enum form { FORM_SAME, FORM_NULL, FORM_TWO };

static uint8_t *put_number(uint8_t *at, uint32_t number)
{
	for (; number >= 128; number >>= 7)
		*at++ = (uint8_t)(number | 128);
	*at++ = (uint8_t)number;
	return at;
}

static uint8_t *put_bytes(uint8_t *at, const struct value *value)
{
	return value->len ? (uint8_t *)mempcpy(at, value->text, value->len) : at;
}

static uint8_t *put_nullable(uint8_t *at, const struct value *value)
{
	if (!value->text)
		return put_number(at, 0);
	return put_bytes(put_number(at, value->len + 1), value);
}

static bool same_bytes(const struct value *a, const struct value *b)
{
	return !a->text == !b->text && a->len == b->len &&
	       (!a->len || memcmp(a->text, b->text, a->len) == 0);
}

static enum form form_of(const struct field_base *base)
{
	if (!base->settled || (!base->ours.text && !base->theirs.text))
		return FORM_NULL;
	return same_bytes(&base->ours, &base->theirs) ? FORM_SAME : FORM_TWO;
}

static bool says_nothing(const struct link_field *field)
{
	return !field->base.settled && field->hold == FIELD_FREE && !field->echo &&
	       field->choice == LINK_CHOICE_NONE;
}

static uint8_t *put_field(uint8_t *at, const struct link_field *field)
{
	enum form form = form_of(&field->base);

	*at++ = (uint8_t)((field->base.settled ? FLAG_SETTLED : 0) | (field->hold << HOLD_AT) |
			  (field->echo ? FLAG_ECHO : 0) | (field->choice << CHOICE_AT) |
			  (form << FORM_AT));
	if (form == FORM_SAME)
		return put_bytes(put_number(at, field->base.ours.len), &field->base.ours);
	if (form == FORM_TWO)
		return put_nullable(put_nullable(at, &field->base.ours), &field->base.theirs);
	return at;
}

static size_t most_bytes(const struct pack_item *items, size_t count)
{
	size_t most = 1;

	for (size_t i = 0; i < count; i++)
		most += 3 * MOST_NUMBER + 1 + (size_t)items[i].field.base.ours.len +
			items[i].field.base.theirs.len;
	return most;
}

static int by_number(const void *a, const void *b)
{
	uint32_t one = ((const struct pack_item *)a)->number;
	uint32_t other = ((const struct pack_item *)b)->number;

	return one < other ? -1 : one > other;
}

/* They come in order as a rule: a mapping's numbers are given in its order. */
static void sort(struct pack_item *items, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (items[i - 1].number >= items[i].number) {
			qsort(items, count, sizeof(*items), by_number);
			return;
		}
	}
}

struct value pack_fields(struct pack_item *items, size_t count, struct arena *arena)
{
	uint8_t *bytes, *at;
	uint32_t last = 0;

	sort(items, count);
	at = bytes = arena_take(arena, most_bytes(items, count));
	*at++ = VERSION;
	for (size_t i = 0; i < count; i++) {
		if (says_nothing(&items[i].field))
			continue;
		at = put_number(at, items[i].number - last);
		at = put_field(at, &items[i].field);
		last = items[i].number;
	}
	return (struct value){ (const char *)bytes, (uint32_t)(at - bytes) };
}

struct reading {
	const uint8_t *at, *end;
};

static bool get_number(struct reading *in, uint32_t *ret)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 7 * MOST_NUMBER; shift += 7) {
		uint8_t byte;

		if (in->at == in->end)
			return false;
		byte = *in->at++;
		number |= (uint64_t)(byte & 127) << shift;
		if (!(byte & 128)) {
			*ret = (uint32_t)number;
			/* Spelt in one way only: no last byte of nothing. */
			return number <= UINT32_MAX && (byte || !shift);
		}
	}
	return false;
}

static bool get_bytes(struct reading *in, uint32_t len, struct value *ret)
{
	if (len > (size_t)(in->end - in->at))
		return false;
	*ret = (struct value){ (const char *)in->at, len };
	in->at += len;
	return true;
}

static bool get_nullable(struct reading *in, struct value *ret)
{
	uint32_t len;

	if (!get_number(in, &len))
		return false;
	*ret = (struct value){ 0 };
	return !len || get_bytes(in, len - 1, ret);
}

static bool get_values(struct reading *in, unsigned form, struct field_base *base)
{
	uint32_t len;

	if (form == FORM_NULL)
		return true;
	if (!base->settled || form > FORM_TWO)
		return false;
	if (form == FORM_TWO)
		return get_nullable(in, &base->ours) && get_nullable(in, &base->theirs);
	if (!get_number(in, &len) || !get_bytes(in, len, &base->ours))
		return false;
	base->theirs = base->ours;
	return true;
}

static bool get_field(struct reading *in, struct link_field *ret)
{
	uint8_t flags;

	if (in->at == in->end)
		return false;
	flags = *in->at++;
	*ret = (struct link_field){
		.base.settled = flags & FLAG_SETTLED,
		.hold = (enum field_hold)(flags >> HOLD_AT & 3),
		.echo = flags & FLAG_ECHO,
		.choice = (enum link_choice)(flags >> CHOICE_AT & 3),
	};
	return ret->choice <= LINK_CHOICE_LOCAL && get_values(in, flags >> FORM_AT, &ret->base);
}

static bool get_item(struct reading *in, uint32_t last, struct pack_item *ret)
{
	uint32_t step;

	if (!get_number(in, &step) || !step || step > UINT32_MAX - last)
		return false;
	ret->number = last + step;
	return get_field(in, &ret->field);
}

/* Fills in `items` where there are any; their number is right either way. */
static bool get_items(const struct value *bytes, struct pack_item *items, size_t *ret_count)
{
	struct reading reading = { (const uint8_t *)bytes->text,
				   (const uint8_t *)bytes->text + bytes->len };
	struct pack_item item = { 0 };
	size_t count = 0;

	if (*reading.at++ != VERSION)
		return false;
	while (reading.at < reading.end) {
		if (!get_item(&reading, item.number, &item))
			return false;
		if (items)
			items[count] = item;
		count++;
	}
	*ret_count = count;
	return true;
}

bool unpack_fields(const struct value *bytes, struct arena *arena, struct pack_item **ret,
		   size_t *ret_count, struct error *err)
{
	struct pack_item *items;
	size_t count;

	if (!bytes->len || !get_items(bytes, NULL, &count))
		return error_set(err, ERROR_STATE, "damaged-ledger",
				 "the ledger holds of a pair's fields what this program never "
				 "wrote: restore a backup of the store");
	items = arena_take(arena, count * sizeof(*items));
	get_items(bytes, items, &count);
	*ret = items;
	*ret_count = count;
	return true;
}
