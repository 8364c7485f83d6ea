/* record.h - one remote record, and a page of them, between the borders: no JSON, no SQL.
 *
 * A page owns an arena with everything its records point to; it is handed from loop to worker
 * whole. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "record/value.h"

struct mapping;

struct record {
	const char *id;        /* 18 characters */
	const char *master_id; /* after a merge: the winner; NULL otherwise */
	int64_t stamp_ms;      /* the stamp increments are read by */
	int64_t modified_ms;   /* when a user changed it last; 0: not told */
	bool by_us;            /* and that was our own user */
	struct value key;      /* of the query's key_field; null: none, or not asked for */
	bool deleted;
	struct value *values;       /* one per field of the page's mapping, in its order */
	const struct error *reject; /* NULL; else this record cannot be taken: a value is not of its
				       field's type. Its values are null then */
	const char *reject_field;
};

struct record_page {
	struct arena *arena;
	struct mapping *mapping; /* shared */
	struct record *records;
	size_t count;
	size_t capacity;
	char *next;        /* the provider's word for the next page, owned; NULL after the last */
	int64_t total;     /* size of the whole result; -1 if not known */
	int64_t server_ms; /* the server's Date; 0 if unknown */
	size_t bytes;      /* decoded size on the wire, so that batch sizes can be lowered */
};

struct record_page *record_page_new(struct mapping *mapping); /* shares it */
void record_page_free(struct record_page *in);
CLEANUP_DEFINE(struct record_page, record_page_free)

/* A zeroed record with null values, at the end. The pointer is good until the next add. */
struct record *record_page_add(struct record_page *in);

/* 128-bit hash (XXH3, keyless: against chance, not against malice) over the deleted flag and
 * `count` canonical values with their nulls: equal records, equal hashes, on every machine. */
struct record_hash {
	uint64_t half[2];
};
struct record_hash record_hash_of(const struct record *in, size_t count);

/* Likewise over those of `values` that are `set`, and which they are. */
struct record_hash record_hash_of_set(const struct value *values, const bool *set, size_t count);

bool record_hash_equal(const struct record_hash *a, const struct record_hash *b);
