/* store.h - the SQL database with the people, and the ledger that lives beside them in it.
 *
 * A store is synchronous and transactional and belongs to its worker's thread: every function here
 * is called there. One database is a folder that fills in one table of functions (SQLite:
 * store/sqlite). The ledger's tables are named leadsync_*; they are the operator's to read.
 *
 *     prepare -> begin -> links, rows, write, reject, save -> commit -> begin ... -> release
 *
 * link.h has the pairs, due.h what owes the remote something, told.h what people are told.
 *
 * What is read lands in the caller's arena. Whatever answers ERROR_RECORD is about one record and
 * leaves the unit whole; after any other error the unit is gone, and only rollback is left. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "record/record.h"
#include "store/due.h"
#include "store/link.h"
#include "store/told.h"

struct arena;
struct error;
struct mapping;
struct store;
struct store_session;

/* Where a job's reading stands. Committed with the rows of each page. */
enum cursor_phase {
	CURSOR_NONE,    /* nothing read yet */
	CURSOR_LOAD,    /* a load by id is under way: `last_id` is the last one kept */
	CURSOR_CHANGES, /* an increment is under way: (last_ms, last_id) is the last pair kept */
	CURSOR_SETTLED, /* everything before `bound_ms` is kept */
};

struct cursor {
	enum cursor_phase phase;
	int64_t bound_ms; /* server's clock: the upper bound of the leg under way, or of the last
			     one ended */
	int64_t since_ms; /* CURSOR_CHANGES: where the increment began */
	int64_t last_ms;
	char last_id[19];     /* "" before the first */
	int64_t deletions_ms; /* server's clock up to which deletions are known */
	int64_t whole_ms;     /* server's clock when all links were last held against all ids */
};

/* The cursor, and what the table was filled with. */
struct store_state {
	struct cursor cursor;
	char *mapping;     /* owned: mapping_print() of it; NULL before the first load */
	char *where;       /* owned: the condition; NULL: none */
	char *schema;      /* owned: schema.version when it was last looked at; NULL: none */
	bool compare_owed; /* links must be held against all ids that the remote still shows */
};
void store_state_copy(struct store_state *to, const struct store_state *from); /* frees what was
										  in `to` */
void store_state_clear(struct store_state *in);
bool cursor_equal(const struct cursor *a, const struct cursor *b);

/* One thing that is wrong with a table, of perhaps several. */
typedef void store_problem_fn(const struct error *problem, void *arg);

/* A job as the ledger knows it. Borrowed until the session is released. */
struct store_job {
	const char *name;
	const char *object;
	const char *table;
	const char *key;
	const char *org_id;   /* "" if not known: then it is not compared */
	const char *instance; /* whose daemon */
	const struct mapping *mapping;
	const size_t *match; /* fields of the mapping whose columns tell which row is whose; */
	size_t match_count;  /* each needs an index that folds case. 0: nothing is matched */
	store_problem_fn *problem; /* may be NULL */
	void *problem_arg;
};

/* A row as the database holds it, in the mapping's canonical forms. What is not of its field's type
 * is given as it stands, so that it equals no record's value. */
struct store_row {
	bool found;
	struct value *values; /* by the mapping's fields */
};

/* Whose row a key is. */
struct store_owner {
	bool found;
	char remote_id[19];
	enum link_state state;
};

/* What one page does to one record; made by lib/sync, done by the store. */
enum store_action {
	STORE_NOTHING,
	STORE_INSERT, /* a row of `set` columns; its new key goes into the link */
	STORE_UPDATE, /* the `set` columns of the row with the key `row_key` */
	STORE_DELETE, /* the row with the key `row_key` */
};

struct store_write {
	const char *remote_id;
	enum store_action action;
	struct value row_key;
	const struct value *values; /* by the mapping's fields */
	const bool *set;            /* which of them are written; `values` and it may be NULL where
				       no row is written */
	bool puts_link;
	struct link link; /* as it shall be; its key is filled in by an insert that makes one */
	const char *takes_from; /* the remote id whose link gives up this row; NULL: none */
	bool read_back; /* `link.fields` is put; where the table has triggers of others, `ours` of
			   what was set becomes what the row holds after them */
	const struct error *failed; /* the answer: NULL if done, else why this one was not; in the
				       arena */
};

/* A run as leadsync_runs keeps it. */
struct store_run {
	const char *id, *job, *outcome, *code, *text;
	int64_t started_ms, ended_ms; /* 0: not ended */
	int64_t read, inserted, updated, deleted, unchanged, rejected, out_of_sight;
	int64_t sent_created, sent_updated, sent_deleted; /* at the remote */
	int64_t refused;                                  /* by it */
	int64_t conflicts, put_back;
	int64_t repeats; /* how many runs in a row ended just so, this one included */
};

struct store_summary {
	int64_t linked, deleted, out_of_sight, rejects;
	int64_t waiting, sent, unknown, rejected, held; /* what owes the remote something */
	int64_t oldest_due_ms;                          /* of those waiting; 0: none */
	int64_t conflicts;                              /* that wait for a person */
	struct cursor cursor;
};

/* What other programs did to the job's rows, as their marks say. */
struct store_touched {
	struct value key; /* of a row to be looked at */
	int64_t at_ms;    /* its youngest edit; 0: not known */
};
struct store_ended {
	char remote_id[19]; /* a link whose row is gone, which its key already says */
	int64_t at_ms;
};
struct store_marks {
	struct store_touched *rows;
	size_t row_count;
	struct store_ended *ended;
	size_t ended_count;
	bool more;
};

/* A line of a listing, for people: who it is about by the job's name. In the caller's arena. */
struct store_reject_line {
	const char *job, *table;
	struct store_reject reject;
};
struct store_conflict_line {
	const char *job;
	int64_t number;
	const char *state; /* "open": a person must say; "deciding", "decided", "resolved" */
	struct store_conflict conflict;
};
struct store_due_line {
	const char *job;
	const char *state; /* waiting, sent, unknown, rejected, held */
	struct due due;
};

/* What is listed. */
struct store_listing {
	const char *job; /* NULL: of all */
	bool all;        /* also what is decided, resolved or ignored */
	size_t limit;
};

/* What an operator asks for. */
enum store_act {
	STORE_RETRY,   /* rejects are forgotten, and what they held back is due again */
	STORE_IGNORE,  /* rejects are no longer listed; still not sent until something changed */
	STORE_RESOLVE, /* fields that wait for a person get `winner`'s value with the next run; or a
			  row that matched several records is `record_id`'s; or, LOCAL, a row whose
			  record was deleted may have one made again */
};
struct store_order {
	enum store_act act;
	const char *instance; /* whose daemon: another's ledger is ERROR_STATE, untouched */
	const char *job;
	const char *id;    /* a remote id (15 or 18 characters) or a row's key; NULL: all (not
			       RESOLVE) */
	const char *field; /* NULL: all */
	enum told_side winner;
	const char *record_id; /* NULL: none */
	int64_t now_ms;
};

struct store_ops {
	void (*close)(struct store *in); /* sessions are released before */

	/* Ensures ledger, ownership and table, and reads where the job stands (`ret_state`: to be
	 * cleared by the caller). Another org's or daemon's ledger, or one newer than this
	 * program, is ERROR_STATE and untouched; a table or job that does not fit is ERROR_HUMAN,
	 * its first problem told and every one given to the job's `problem`. */
	struct store_session *(*prepare)(struct store *in, const struct store_job *job,
					 struct store_state *ret_state, struct error *err);
	void (*release)(struct store_session *in);

	/* A unit of work. After a failed commit it is rolled back. */
	bool (*begin)(struct store_session *in, struct error *err);
	bool (*commit)(struct store_session *in, struct error *err);
	void (*rollback)(struct store_session *in);
	bool (*has_written)(const struct store_session *in); /* anything lasting, in this unit */

	bool (*links)(struct store_session *in, const char *const *remote_ids, size_t count,
		      struct arena *arena, struct link *ret, struct error *err);
	bool (*owners)(struct store_session *in, const struct value *keys, size_t count,
		       struct store_owner *ret, struct error *err);
	bool (*rows)(struct store_session *in, const struct value *keys, size_t count,
		     struct arena *arena, struct store_row *ret, struct error *err);

	/* In order. A write that a rule of the table refuses is marked `failed`, with all it
	 * would have done left undone; the others stand. */
	bool (*write)(struct store_session *in, struct store_write *writes, size_t count,
		      struct arena *arena, struct error *err);
	/* What the links' fields held when last settled: fills in `fields` of those found. A field
	 * that the link never had is not settled. */
	bool (*fields)(struct store_session *in, const char *const *remote_ids, size_t count,
		       struct arena *arena, struct link *links, struct error *err);

	/* Keys of rows whose match columns hold these values (one each of the job's `match`, case
	 * folded) and which no link but a tombstone and no unanswered creation has; at most
	 * `most`. A null among them: none. */
	bool (*matches)(struct store_session *in, const struct value *values, size_t most,
			struct arena *arena, struct value *ret, size_t *ret_count,
			struct error *err);

	/* Are there links of other jobs, of the same table, that live and hold this row? */
	bool (*is_elsewhere)(struct store_session *in, const struct value *key, bool *ret,
			     struct error *err);

	bool (*reject)(struct store_session *in, const struct store_reject *reject,
		       struct error *err);
	bool (*unreject)(struct store_session *in, const char *const *remote_ids, size_t count,
			 struct error *err); /* DOWN; costs nothing while the job has none */
	/* What was refused of this pair, or of this row if `remote_id` is NULL (UP). */
	bool (*refusals)(struct store_session *in, const char *remote_id, const struct value *key,
			 struct arena *arena, struct store_reject **ret, size_t *ret_count,
			 struct error *err);
	/* Forgets what was refused of it as a whole, and of the fields that are `set` (NULL: all).
	 */
	bool (*unrefuse)(struct store_session *in, const char *remote_id, const struct value *key,
			 const bool *set, struct error *err);
	bool (*unrefuse_all)(struct store_session *in, struct error *err); /* mapping or schema
									      changed: all of them
									      are due again */

	/* Equal to the last one of that pair and field, which is not done with: not listed again,
	 * but carried out by this write. */
	bool (*conflict)(struct store_session *in, const struct store_conflict *conflict,
			 struct error *err);
	/* The conflicts of this field (NULL: pair) are no longer open. */
	bool (*close_conflict)(struct store_session *in, const char *remote_id,
			       const struct value *key, const char *field, struct error *err);
	bool (*change)(struct store_session *in, const struct store_change *change,
		       struct error *err);
	bool (*recent)(struct store_session *in, const char *remote_id, int64_t since_ms,
		       struct arena *arena, struct store_recent **ret, size_t *ret_count,
		       struct error *err); /* youngest first, at most 512 */
	bool (*forget_old)(struct store_session *in, int64_t before_ms, struct error *err);

	/* At most `most` marks, followed: links whose row ended or was renamed are put right
	 * already. To be called in a unit, and dropped in it. */
	bool (*take_marks)(struct store_session *in, size_t most, struct arena *arena,
			   struct store_marks *ret, struct error *err);
	bool (*drop_marks)(struct store_session *in, struct error *err); /* those just taken */

	/* Makes it due; what is due already becomes waiting, keeps number and since_ms and gets the
	 * later edit. With `anew` it gets a number behind all others. */
	bool (*put_due)(struct store_session *in, const struct due *due, bool anew,
			struct error *err);
	/* Pairs (or else rows) that wait, by number, behind `after`. A row of which a creation is
	 * unanswered, and a pair of which a write is, are left out. */
	bool (*take_dues)(struct store_session *in, bool pairs, int64_t after, size_t most,
			  int64_t now_ms, struct arena *arena, struct due **ret, size_t *ret_count,
			  struct error *err);
	/* By pair; number 0 where it is not due. */
	bool (*find_dues)(struct store_session *in, const char *const *remote_ids, size_t count,
			  struct due *ret, struct error *err);
	bool (*find_row_due)(struct store_session *in, const struct value *key, struct due *ret,
			     struct error *err);
	/* A row, by what stands in the external id field of a creation that went out for it. */
	bool (*find_born_due)(struct store_session *in, const struct value *birth_key,
			      struct arena *arena, struct due *ret, struct error *err);
	/* State, not_before_ms and tries. */
	bool (*set_due)(struct store_session *in, const struct due *due, struct error *err);
	bool (*drop_due)(struct store_session *in, int64_t number, struct error *err);
	bool (*wake_held)(struct store_session *in, struct error *err); /* they wait again */
	/* Likewise rows that are held for nothing but that no record could be made. */
	bool (*wake_makeable)(struct store_session *in, struct error *err);

	/* The journal. `put_sent` gives the number. What is not unknown when a session is prepared
	 * becomes so. */
	bool (*put_sent)(struct store_session *in, struct sent *sent, struct error *err);
	bool (*find_sent)(struct store_session *in, const char *const *remote_ids, size_t count,
			  struct arena *arena, struct sent *ret, struct error *err);
	/* Creations, by what stands in the external id field. */
	bool (*find_births)(struct store_session *in, const struct value *keys, size_t count,
			    struct arena *arena, struct sent *ret, struct error *err);
	/* Unknown, sent before that time (server's clock). */
	bool (*unanswered)(struct store_session *in, int64_t before_ms, int64_t after, size_t most,
			   struct arena *arena, struct sent **ret, size_t *ret_count,
			   struct error *err);
	bool (*mark_unknown)(struct store_session *in, int64_t number, struct error *err);
	/* It is over: done (its changes and conflicts stand), or not (its changes never were). */
	bool (*end_sent)(struct store_session *in, int64_t number, bool done, struct error *err);
	bool (*lineage)(struct store_session *in, const char *loser, const char *winner,
			const char *run, int64_t at_ms, struct error *err);

	/* Which records a whole read has shown: kept by the session alone, never in the database.
	 */
	bool (*seen_none)(struct store_session *in, struct error *err);
	bool (*seen)(struct store_session *in, const char *const *remote_ids, size_t count,
		     struct error *err);
	/* Live links that were not seen are out of sight from now on, and those that were seen
	 * again are live. */
	bool (*park_unseen)(struct store_session *in, int64_t *ret_parked, struct error *err);

	bool (*save_state)(struct store_session *in, const struct store_state *state,
			   struct error *err);
	bool (*save_run)(struct store_session *in, const struct store_run *run, struct error *err);

	/* Without a session. `list_failure` adds a run that ended before it could prepare, and
	 * answers with *ret false, nothing written, where the ledger is not (yet) this instance's;
	 * a failure just like the job's last run is counted there instead. `cut_run` marks a run
	 * that was stopped. `runs`: newest first, `job` NULL: of all. */
	bool (*list_failure)(struct store *in, const char *instance, const struct store_run *run,
			     bool *ret, struct error *err);
	bool (*cut_run)(struct store *in, const char *id, int64_t ended_ms, struct error *err);
	bool (*runs)(struct store *in, const char *job, size_t limit, struct arena *arena,
		     struct store_run **ret, size_t *ret_count, struct error *err);
	bool (*summary)(struct store *in, const char *job, struct store_summary *ret,
			struct error *err);

	/* Listings, newest first. A job without a ledger: none. */
	bool (*list_rejects)(struct store *in, const struct store_listing *what,
			     struct arena *arena, struct store_reject_line **ret, size_t *ret_count,
			     struct error *err);
	bool (*list_conflicts)(struct store *in, const struct store_listing *what,
			       struct arena *arena, struct store_conflict_line **ret,
			       size_t *ret_count, struct error *err);
	bool (*list_dues)(struct store *in, const struct store_listing *what, struct arena *arena,
			  struct store_due_line **ret, size_t *ret_count, struct error *err);

	/* In a unit of its own; what it did something to is counted. Nothing to do is no failure. */
	bool (*order)(struct store *in, const struct store_order *order, int64_t *ret_count,
		      struct error *err);
	/* Takes the job's triggers and everything the ledger has of it away; the table stays. */
	bool (*detach)(struct store *in, const char *instance, const char *job, struct error *err);
};

/* A database embeds these first in its own structs. */
struct store {
	const struct store_ops *ops;
};
struct store_session {
	struct store *store;
};

void store_close(struct store *in); /* NULL is allowed */
CLEANUP_DEFINE(struct store, store_close)
