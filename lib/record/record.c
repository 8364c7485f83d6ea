#include "record/record.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "record/mapping.h"

struct record_page *record_page_new(struct mapping *mapping)
{
	struct record_page *in = mem_new(struct record_page);

	in->arena = arena_new();
	in->mapping = mapping_share(mapping);
	in->total = -1;
	return in;
}

void record_page_free(struct record_page *in)
{
	if (!in)
		return;
	arena_free(in->arena);
	mapping_free(in->mapping);
	free(in->records);
	free(in->next);
	free(in);
}

struct record *record_page_add(struct record_page *in)
{
	size_t size = in->mapping->count * sizeof(struct value);
	struct record *record;

	if (in->count == in->capacity) {
		in->capacity = in->capacity ? 2 * in->capacity : 256;
		in->records = mem_resize(in->records, in->capacity, sizeof(*in->records));
	}
	record = &in->records[in->count++];
	*record = (struct record){ .values = arena_take(in->arena, size) };
	memset(record->values, 0, size);
	return record;
}

static char *put_number(char *at, uint32_t number)
{
	number = htole32(number);
	memcpy(at, &number, sizeof(number));
	return at + sizeof(number);
}

/* Values are hashed one behind the other with their lengths; null has a length no value has, and so
 * has one that is left out. */
#define LENGTH_NULL  UINT32_MAX
#define LENGTH_UNSET (UINT32_MAX - 1)

static struct record_hash hash_values(uint32_t first, const struct value *values, const bool *set,
				      size_t count)
{
	CLEANUP_FREE char *large = NULL;
	char small[2048], *bytes = small, *at;
	size_t size = sizeof(uint32_t);
	XXH128_hash_t hash;

	for (size_t i = 0; i < count; i++)
		size += sizeof(uint32_t) + values[i].len;
	if (size > sizeof(small))
		bytes = large = mem_resize(NULL, size, 1);
	at = put_number(bytes, first);
	for (size_t i = 0; i < count; i++) {
		const struct value *value = &values[i];
		bool out = set && !set[i];

		at = put_number(at, out ? LENGTH_UNSET : value->text ? value->len : LENGTH_NULL);
		if (!out && value->text)
			at = mempcpy(at, value->text, value->len);
	}
	hash = XXH3_128bits(bytes, (size_t)(at - bytes));
	return (struct record_hash){ { hash.low64, hash.high64 } };
}

struct record_hash record_hash_of(const struct record *in, size_t count)
{
	return hash_values(in->deleted, in->values, NULL, count);
}

struct record_hash record_hash_of_set(const struct value *values, const bool *set, size_t count)
{
	return hash_values(0, values, set, count);
}

bool record_hash_equal(const struct record_hash *a, const struct record_hash *b)
{
	return a->half[0] == b->half[0] && a->half[1] == b->half[1];
}
