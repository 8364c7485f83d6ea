/* session.h - what the files of this folder know of a job at work; no other folder includes it.
 *
 * One file a table of the ledger, with all its SQL: meta, cursor, link, runs, rejects, lineage;
 * then seen (not in the database), table (making and checking the job's own) and rows (its SQL). */
#pragma once
#include "base/error.h"
#include "sqlite/db.h"
#include "sqlite/statement.h"
#include "store/store.h"

/* Statements of a session, prepared at their first use. */
enum kept {
	KEPT_CURSOR_SAVE,
	KEPT_LINK_FIND,
	KEPT_LINK_OWNER,
	KEPT_LINK_PUT,
	KEPT_LINK_UNROW,
	KEPT_REJECT_PUT,
	KEPT_REJECT_DROP,
	KEPT_LINEAGE_PUT,
	KEPT_SEEN_ADD,
	KEPT_ROW_FIND,
	KEPT_ROW_INSERT,
	KEPT_ROW_LAST,
	KEPT_ROW_DELETE,
	KEPT_COUNT
};

/* Which columns an UPDATE sets differs from record to record, but not much. */
#define ROWS_UPDATES 32
struct rows_update {
	bool *set;
	struct statement *statement;
};

struct sqlite_store {
	struct store store;
	struct db *db;
	char *path;
};

struct session {
	struct store_session session;
	struct db *db;
	struct store_job job;
	int64_t job_number; /* in leadsync_cursor */
	size_t key_field; /* the mapping's field that fills the key; SIZE_MAX: SQLite assigns it */
	bool key_is_number;      /* the key column stores numbers as such */
	bool key_is_rowid;       /* and SQLite says which one it gave */
	bool must_abort;         /* the table would have conflicts end otherwise */
	int64_t rejects;         /* listed for this job */
	int64_t changes_before;  /* of the connection, when the unit began */
	int64_t changes_passing; /* since then, to what is not in the database */
	struct statement *kept[KEPT_COUNT];
	struct rows_update updates[ROWS_UPDATES];
	size_t next_update;
};

/* Ready to bind; NULL: failed. */
struct statement *session_kept(struct session *in, enum kept which, const char *sql,
			       struct error *err);

/* A key as its column stores it. */
void session_bind_key(const struct session *in, struct statement *s, int position,
		      const struct value *key);

/* A whole number in canonical form that fits; false for anything else. */
bool session_number(const struct value *in, int64_t *ret);

/* What leadsync_ledger counts; each text is a step in its table's file. */
extern const char meta_step_1[], cursor_step_1[], table_step_1[], link_step_1[], runs_step_1[],
	rejects_step_1[], lineage_step_1[];

/* meta: whose ledger this is. `org_id` "": not compared. */
bool meta_check(struct db *db, const char *org_id, const char *instance, bool *ret_ours,
		struct error *err); /* false in *ret_ours: nobody's yet */
bool meta_claim(struct db *db, const char *org_id, const char *instance, struct error *err);

/* cursor: finds or makes the job's line; `anew` forgets what was read. */
bool cursor_open(struct session *in, struct store_state *ret, struct error *err);
bool cursor_restart(struct session *in, struct store_state *state, struct error *err);
bool cursor_save(struct session *in, const struct store_state *state, struct error *err);
bool cursor_summary(struct db *db, const char *job, int64_t *ret_number, struct cursor *ret,
		    struct error *err); /* number 0: there is no such job */

/* table: `ret_made` is true if it was not there. */
bool table_ensure(struct session *in, bool *ret_made, struct error *err);

bool link_find(struct session *in, const char *const *remote_ids, size_t count, struct arena *arena,
	       struct link *ret, struct error *err);
bool link_owners(struct session *in, const struct value *keys, size_t count,
		 struct store_owner *ret, struct error *err);
bool link_put(struct session *in, const char *remote_id, const struct link *link,
	      struct error *err);
bool link_unrow(struct session *in, const char *remote_id, struct error *err);
bool link_park_unseen(struct session *in, int64_t *ret_parked, struct error *err);
bool link_forget_all(struct session *in, struct error *err);
bool link_summary(struct db *db, int64_t job_number, struct store_summary *ret, struct error *err);

/* rows: an insert says which key the row was given. */
bool rows_find(struct session *in, const struct value *keys, size_t count, struct arena *arena,
	       struct store_row *ret, struct error *err);
bool rows_write(struct session *in, struct store_write *write, struct arena *arena,
		struct error *err);
void rows_forget(struct session *in);

bool rejects_put(struct session *in, const struct store_reject *reject, struct error *err);
bool rejects_drop(struct session *in, const char *const *remote_ids, size_t count,
		  struct error *err);
bool rejects_count(struct db *db, int64_t job_number, int64_t *ret, struct error *err);

bool runs_save(struct db *db, const struct store_run *run, struct error *err);
bool runs_cut(struct db *db, const char *id, int64_t ended_ms, struct error *err);
bool runs_cut_job(struct db *db, const char *job, struct error *err);
bool runs_list(struct db *db, const char *job, size_t limit, struct arena *arena,
	       struct store_run **ret, size_t *ret_count, struct error *err);

bool lineage_put(struct session *in, const char *loser, const char *winner, const char *run,
		 int64_t at_ms, struct error *err);

bool seen_none(struct session *in, struct error *err);
bool seen_add(struct session *in, const char *const *remote_ids, size_t count, struct error *err);
void seen_forget(struct session *in);
char *seen_table(const struct session *in); /* its name in SQL; free() it */
