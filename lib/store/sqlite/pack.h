/* pack.h - the fields of a link, or the values of a write, as the bytes that the ledger keeps of
 * them. Pure.
 *
 *   version     one byte, 1
 *   per field   number    of leadsync_field, as the difference to the one before (the first: to 0)
 *               flags     one byte: settled 1, hold 2-4, echo 8, choice 16-32, and form 64-128
 *               values    form 0: one that both sides hold; 1: both are null; 2: ours, then theirs
 *
 * A value is its length and its bytes; in form 2 the length is one more, and 0 is null. Numbers are
 * written in sevens of bits, the low ones first, with the high bit where more follow. Of a field
 * that is not settled no value is kept, and of one about which there is nothing to say, nothing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/link.h"

struct arena;
struct error;

struct pack_item {
	uint32_t number; /* from 1 */
	struct link_field field;
};

/* What is packed lies in the arena. Sorts `items` by number; no number may stand there twice. */
struct value pack_fields(struct pack_item *items, size_t count, struct arena *arena);

/* Values are borrowed from `bytes`. What pack_fields() never made is ERROR_STATE, code
 * damaged-ledger. */
bool unpack_fields(const struct value *bytes, struct arena *arena, struct pack_item **ret,
		   size_t *ret_count, struct error *err);
