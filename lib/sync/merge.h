/* merge.h - what a record means for its pair: is a row made, written, deleted; what do the fields of
 * both sides get. Pure: no I/O, no clock; nothing else decides.
 *
 *   never seen, live          with a natural key (the key column is mapped) a row that has that key
 *                             already and belongs to no live record is taken over; else, if rows
 *                             look like its own by the match fields, it waits until the remote was
 *                             asked who else looks so; else a row is made, where that is allowed
 *   same hash, link live      nothing, whatever the row holds: it is not even read
 *   other hash                the fields are merged (pair.h)
 *   row is gone               somebody deleted it. Where such records are deleted too, that is
 *                             owed; but if the record was edited since, the edit is the stronger,
 *                             and a row is made again
 *   whole read (`compare`)    rows are read and merged even where the hash is the same, and rows
 *                             that are gone are made again: it is how an operator asks for it
 *   asked                     likewise, of one pair: it is due
 *   deleted, never linked     nothing at all
 *   deleted, linked           `on_delete` says what becomes of the row; the link is a tombstone. A
 *                             row that was edited since is kept
 *   deleted by a merge        if the winner has no row of its own and is not known to be deleted
 *                             itself, it gets the loser's, key and all; else as any deletion
 *   live again                the fields are merged or the row is made again, the link lives
 *   rejected                  nothing: row and link stay as they are
 *
 * In a row that is made, what only goes up is settled as the blank it is: it wipes nothing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"
#include "sync/pair.h"

enum merge_on_delete { MERGE_KEEP, MERGE_MARK, MERGE_DELETE };

struct merge_rules {
	const struct mapping *mapping;
	enum merge_on_delete on_delete;
	size_t mark_field; /* for MERGE_MARK: the field whose column says deleted */
	size_t key_field;  /* the field that is the key; SIZE_MAX: the database assigns keys */
	bool compare;      /* rows are looked at even where the record did not change */
	bool creates_rows;
	bool deletes_records; /* of rows that were deleted */
};

/* What record and store hold. `row` is that of the link's key (`row_is_linked`); where there is
 * none and the key is a natural one, that of the record's own key, whose owner is `owner`. */
struct merge_input {
	const struct record *record;
	struct record_hash hash; /* of the record */
	const struct link *link; /* with its fields, if it was found */
	const struct store_row *row;
	bool row_is_linked;
	bool asked;
	bool has_candidates;             /* rows that match it by the match fields */
	const struct store_owner *owner; /* NULL: not a natural key, or not looked up */
	const struct link *winner;       /* of record->master_id; NULL if that is NULL */
	const struct sent *sent;         /* as in pair.h */
	int64_t local_ms;                /* likewise, by the server's clock */
};

/* How it is counted; MERGE_BURIED: unchanged, but what may be listed of it still holds. */
enum merge_count {
	MERGE_UNCHANGED,
	MERGE_BURIED,
	MERGE_UNMATCHED, /* it has no row, and none is made */
	MERGE_WAITS,     /* it may have one */
	MERGE_INSERTED,
	MERGE_UPDATED,
	MERGE_DELETED,
	MERGE_REJECTED
};

struct merge_result {
	enum merge_count count;
	struct store_write write; /* of this record */
	struct pair_result pair;  /* what the fields came to; its arrays are the caller's */
	bool merged;              /* `pair` is filled in */
	bool owes_delete;         /* the record is to be deleted */
	const char *edit_beat;    /* an edit was stronger than a deletion: "local", "remote", which
				     edit; NULL: no */
	bool repoints;            /* the winner's link is to be `winner_link` */
	struct link winner_link;
	const char *reject_code; /* MERGE_REJECTED: why, in words without values; constants */
	const char *reject_text;
	const char *reject_remedy;
};

/* Is the row needed to decide, and are the link's fields? False where link and hash alone say that
 * nothing is to be done. */
bool merge_needs_row(const struct merge_rules *rules, const struct merge_input *in);

/* `ret->pair` has room (pair_room()) where merge_needs_row(). */
void merge(const struct merge_rules *rules, const struct merge_input *in, struct merge_result *ret);

/* Is the record to be written to, or deleted? */
bool merge_owes(const struct merge_result *in);

/* Is the record as our own last answered write left it? Nobody saved it since, so that what differs
 * from the write is what the remote made of it. */
bool merge_is_echo(const struct record *record, const struct link *link);
