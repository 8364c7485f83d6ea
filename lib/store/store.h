/* store.h - the SQL database with the people, and the ledger that lives beside them in it.
 *
 * A store is synchronous and transactional and belongs to its worker's thread: every function here
 * is called there. One database is a folder that fills in one table of functions (SQLite:
 * store/sqlite). The ledger's tables are named leadsync_*; they are the operator's to read.
 *
 *     prepare -> begin -> links, rows, write, reject, save -> commit -> begin ... -> release
 *
 * What is read lands in the caller's arena. Whatever answers ERROR_RECORD is about one record and
 * leaves the unit whole; after any other error the unit is gone, and only rollback is left. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "record/record.h"

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
	store_problem_fn *problem; /* may be NULL */
	void *problem_arg;
};

/* The pair that a job keeps equal. */
enum link_state {
	LINK_LIVE,
	LINK_DELETED,      /* a tombstone: the record is deleted at the remote */
	LINK_OUT_OF_SIGHT, /* not deleted, but no longer shown to us */
};

struct link {
	bool found;
	enum link_state state;
	struct record_hash hash; /* of the record when last settled */
	struct value key;        /* of the row; null if the row is gone */
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
	const char *takes_from;     /* the remote id whose link gives up this row; NULL: none */
	const struct error *failed; /* the answer: NULL if done, else why this one was not; in the
				       arena */
};

/* A record that cannot be taken. Equal to the one listed already: not written again. */
struct store_reject {
	const char *remote_id;
	const char *code;
	const char *field; /* NULL: not known */
	const char *text;
	const char *remedy;
	const char *run;
	int64_t at_ms;
};

/* A run as leadsync_runs keeps it. */
struct store_run {
	const char *id, *job, *outcome, *code, *text;
	int64_t started_ms, ended_ms; /* 0: not ended */
	int64_t read, inserted, updated, deleted, unchanged, rejected, out_of_sight;
	int64_t repeats; /* how many runs in a row ended just so, this one included */
};

struct store_summary {
	int64_t linked, deleted, out_of_sight, rejects;
	struct cursor cursor;
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
	bool (*reject)(struct store_session *in, const struct store_reject *reject,
		       struct error *err);
	bool (*unreject)(struct store_session *in, const char *const *remote_ids, size_t count,
			 struct error *err); /* costs nothing while the job has no rejects */
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
