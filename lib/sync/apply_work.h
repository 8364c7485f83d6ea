/* apply_work.h - one unit of a run on the worker's thread, and what its steps share: records of a
 * page, a guard read or a search, each with all that the store knows of its pair. Only for the files
 * apply*.c and push_*.c.
 *
 *     work_begin -> work_subjects, work_deletions, work_pairs -> work_end */
#pragma once
#include "sync/apply.h"

struct record;

/* One record with its pair. All it points to is in the unit's arena. */
struct subject {
	struct record *record;
	struct record_hash hash;
	struct link link;
	struct store_row row;
	struct store_owner owner;
	struct due due;   /* of the pair; number 0: not due */
	struct sent sent; /* an unanswered write of it; number 0: none */
	struct merge_input input;
	struct merge_result result;
	bool frozen; /* that write may still come: nothing is done */
	bool shows;  /* it came */
};

struct reject_list {
	struct store_reject *items;
	size_t count, room;
};

struct work {
	struct apply *in;
	const struct store_ops *ops;
	struct arena *arena;
	struct run_counts counts; /* of this unit */
	struct subject *subjects;
	size_t count;
	const char **settled; /* ids that are no longer rejects */
	size_t settled_count, settled_room;
	struct reject_list rejects;
	struct reject_list kept; /* of earlier parts of the unit: only for the log */
	bool asked;              /* every subject is looked at, whatever its hash says */
	bool builds;             /* what is owed is about to be sent, so it is not made due */
	bool given_up;           /* unanswered writes are not waited for any longer */
};

/* `work` is filled in; its arena is borrowed. */
void work_start(struct work *work, struct apply *in, struct arena *arena);
void *work_take(struct work *work, size_t count, size_t size);

/* Begins; after it, commits or (if not `ok`) takes everything back, the run's counts included. */
bool work_begin(struct work *work, struct error *err);
bool work_end(struct work *work, bool ok, struct error *err);

/* For the log, once the unit of `to` is committed. */
void work_keep_rejects(struct work *to, const struct work *from);

/* What the steps counted, to the run's counts; the rejects, to the ledger. Before work_end(). */
bool work_close(struct work *work, struct error *err);

/* One subject a record, in their order. */
void work_subjects(struct work *work, struct record **records, size_t count);

/* All of them: what the store knows; the merge; what it writes; what is listed and due. */
bool work_pairs(struct work *work, struct error *err);
/* The first half: what the store knows. */
bool work_gather(struct work *work, struct error *err);
/* The same from the merge on: what the store knows is filled in already. */
bool work_merge(struct work *work, struct error *err);
/* The fields of a link that was never settled. */
struct link_field *work_no_fields(struct work *work);
/* Of these values by the mapping's fields, those that the store matches by. */
struct value *work_match_values(struct work *work, const struct value *values);

/* One of them after it was written: counted and listed, and made due if it owes. */
bool work_tell(struct work *work, const struct subject *subject, struct error *err);

/* Records that are deleted, one after the other; `subjects` are those left, which live. */
bool work_deletions(struct work *work, struct error *err);

/* All marks of other programs' changes, in this unit, so that no row is looked for under a key that it
 * has no longer, and nothing that was edited passes for what it was. First in the unit; many of them
 * are better met before, by apply_scan(). */
bool work_scan(struct work *work, struct error *err);

/* Marks' time by the server's clock, to the second as the server has it. */
int64_t work_server_time(const struct apply *in, int64_t local_ms);

/* What is listed of its record as rejected does not hold any more. */
void work_settled(struct work *work, const char *remote_id);
void work_reject(struct work *work, const struct store_reject *reject);

/* Makes the pair due, unless `due` (NULL: not looked up) says that it is and waits. */
bool work_owe(struct work *work, const char *remote_id, const struct due *due, int64_t edited_ms,
	      struct error *err);

/* What a merge says of a pair is listed: contests, and values overwritten on the local side. `sent`
 * is the write that gives the remote its part; 0: none. */
bool work_list(struct work *work, const struct subject *subject, int64_t sent, struct error *err);
