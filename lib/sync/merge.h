/* merge.h - what a record means for its row. Pure: no I/O, no clock; nothing else decides.
 *
 * One-way fields (remote -> table) so far: the remote is the source of each, so a row's value that
 * differs is put back whenever its record is looked at.
 *
 *   never seen, live          a row is made. With a natural key (the key column is mapped) a row
 *                             that has that key already and belongs to no live record is taken over
 *   same hash, link live      nothing, whatever the row holds: it is not even read
 *   other hash                the columns that differ are written; none differs: only the link
 *   other hash, row is gone   somebody deleted the row, but the record changed since: made again
 *   whole read (`compare`)    rows are read and put right even where the hash is the same, and rows
 *                             that are gone are made again: it is how an operator asks for it
 *   deleted, never linked     nothing at all
 *   deleted, linked           `on_delete` says what becomes of the row; the link is a tombstone
 *   deleted by a merge        if the winner has no row of its own and is not known to be deleted
 *                             itself, it gets the loser's, key and all; else as any deletion
 *   live again                the row is put right or made again, the link lives
 *   rejected                  nothing: row and link stay as they are
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

enum merge_on_delete { MERGE_KEEP, MERGE_MARK, MERGE_DELETE };

struct merge_rules {
	const struct mapping *mapping;
	enum merge_on_delete on_delete;
	size_t mark_field; /* for MERGE_MARK: the field whose column says deleted */
	size_t key_field;  /* the field that is the key; SIZE_MAX: the database assigns keys */
	bool compare;      /* rows are put right even where the record did not change */
};

/* What record and store hold. `row` is that of the link's key (`row_is_linked`); where there is
 * none and the key is a natural one, that of the record's own key, whose owner is `owner`. */
struct merge_input {
	const struct record *record;
	struct record_hash hash; /* of the record */
	const struct link *link;
	const struct store_row *row;
	bool row_is_linked;
	const struct store_owner *owner; /* NULL: not a natural key, or not looked up */
	const struct link *winner;       /* of record->master_id; NULL if that is NULL */
};

/* How it is counted; MERGE_BURIED: unchanged, but what may be listed of it still holds. */
enum merge_count {
	MERGE_UNCHANGED,
	MERGE_BURIED,
	MERGE_INSERTED,
	MERGE_UPDATED,
	MERGE_DELETED,
	MERGE_REJECTED
};

struct merge_result {
	enum merge_count count;
	struct store_write write; /* of this record; `set` points to the caller's array */
	bool repoints;            /* the winner's link is to be `winner_link` */
	struct link winner_link;
	const char *reject_code; /* MERGE_REJECTED: why, in words without values; constants */
	const char *reject_text;
	const char *reject_remedy;
};

/* Is the row needed to decide? False where link and hash alone say that nothing is to be done. */
bool merge_needs_row(const struct merge_rules *rules, const struct merge_input *in);

/* `set` has room for one entry per mapped field. */
struct merge_result merge(const struct merge_rules *rules, const struct merge_input *in, bool *set);
