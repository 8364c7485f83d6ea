/* push_work.h - what the building of a batch shares. Only for push_build.c and push_rows.c. */
#pragma once
#include "sync/apply_work.h"
#include "sync/push_batch.h"

struct push_work {
	struct work work;
	struct push_batch *batch;
};

/* Among what was found; NULL: it was not. */
struct record *push_find(const struct push_batch *batch, const char *id);
struct record *push_find_key(const struct push_batch *batch, const char *key);

/* Of one field by itself. */
struct record_hash push_field_payload(const struct work *work, const struct value *values,
				      size_t field);

/* Nobody can say yet to what it belongs, or how it can be made: it waits. */
bool push_hold(struct push_work *work, const struct due *due, struct error *err);

/* Journals it, and it is no longer due. `record` is what it changes; NULL: it is made. Without what
 * was refused before just so: if nothing is left, *ret_sends is false and it waits for a change. */
bool push_send(struct push_work *work, const struct due *due, const struct record *record,
	       struct sent *sent, bool *ret_sends, struct error *err);

/* What a merged pair owes is sent, and what came of the merge is listed. */
bool push_pair(struct push_work *work, const struct due *due, const struct subject *subject,
	       struct error *err);

/* PUSH_ROWS: each finds its record, or has one made. */
bool push_rows(struct push_work *work, struct error *err);
