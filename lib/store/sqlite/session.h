/* session.h - what the files of this folder know of a job at work; no other folder includes it.
 *
 * One file a table of the ledger, with all its SQL: meta, cursor, link, dictionary, due, journal,
 * rejects, conflicts, changes, runs, lineage; then seen (not in the database), capture and marks
 * (capture.h) with scan, which follows them, table (making and checking the job's own), match and
 * rows (its SQL), own (what a write of ours leaves behind), orders and detach (without a session).
 */
#pragma once
#include "base/error.h"
#include "sqlite/db.h"
#include "sqlite/statement.h"
#include "store/sqlite/capture.h"
#include "store/store.h"

/* Statements of a session, prepared at their first use. */
enum kept {
	KEPT_CURSOR_SAVE,
	KEPT_CURSOR_MARKS,
	KEPT_FLAGS,
	KEPT_LINK_FIND,
	KEPT_LINK_OWNER,
	KEPT_LINK_PUT,
	KEPT_LINK_PUT_BASE,
	KEPT_LINK_BASE,
	KEPT_LINK_UNROW,
	KEPT_LINK_END_ROW,
	KEPT_LINK_MOVE_ROW,
	KEPT_DUE_FIND_PAIR,
	KEPT_DUE_FIND_ROW,
	KEPT_DUE_ADD,
	KEPT_DUE_RENEW,
	KEPT_DUE_SET,
	KEPT_DUE_DROP,
	KEPT_DUE_TAKE_PAIRS,
	KEPT_DUE_TAKE_ROWS,
	KEPT_DUE_END_ROW,
	KEPT_DUE_MOVE_ROW,
	KEPT_SENT_PUT,
	KEPT_SENT_FIND,
	KEPT_SENT_BIRTH,
	KEPT_SENT_OF_ROW,
	KEPT_SENT_UNANSWERED,
	KEPT_SENT_UNKNOWN,
	KEPT_SENT_DROP,
	KEPT_SENT_END_ROW,
	KEPT_SENT_MOVE_ROW,
	KEPT_REJECT_PUT,
	KEPT_REJECT_DROP,
	KEPT_REJECT_FIND_PAIR,
	KEPT_REJECT_FIND_ROW,
	KEPT_REJECT_UNREFUSE_PAIR,
	KEPT_REJECT_UNREFUSE_ROW,
	KEPT_REJECT_MOVE_ROW,
	KEPT_CONFLICT_LAST_PAIR,
	KEPT_CONFLICT_LAST_ROW,
	KEPT_CONFLICT_PUT,
	KEPT_CONFLICT_CARRY,
	KEPT_CONFLICT_DROP,
	KEPT_CONFLICT_REPLACE,
	KEPT_CONFLICT_CLOSE_PAIR,
	KEPT_CONFLICT_CLOSE_ROW,
	KEPT_CONFLICT_DONE,
	KEPT_CONFLICT_NOT_DONE,
	KEPT_CONFLICT_END_ROW,
	KEPT_CONFLICT_MOVE_ROW,
	KEPT_CHANGE_PUT,
	KEPT_CHANGE_RECENT,
	KEPT_CHANGE_DONE,
	KEPT_CHANGE_NOT_DONE,
	KEPT_LINEAGE_PUT,
	KEPT_SEEN_ADD,
	KEPT_ROW_FIND,
	KEPT_ROW_INSERT,
	KEPT_ROW_LAST,
	KEPT_ROW_DELETE,
	KEPT_MATCH_FIND,
	KEPT_MATCH_HELD,
	KEPT_MATCH_OTHERS,
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

/* What the ledger may hold of this job, so that nothing is looked for where nothing is. Asked when
 * a unit begins, and set by whoever adds something. */
struct flags {
	bool dues, row_dues, sent, rejects, conflicts;
};

/* Where the reading of marks stands; as it was, where the unit is rolled back. */
struct scan {
	int64_t after;  /* marks up to here are other jobs' */
	bool gone_owed; /* the ledger says that links whose row is gone must be looked for */
	bool gone_look; /* and this session will do so, once no mark is left */
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
	bool table_is_ours;      /* made by us */
	bool foreign_triggers;   /* the table has triggers of others */
	bool alone;              /* capture.h */
	int64_t schema_version;  /* when that was looked at */
	bool fills_by_itself;    /* a new row holds more than we give it: a default of a column that
				    only goes up */
	int64_t changes_before;  /* of the connection, when the unit began */
	int64_t changes_passing; /* since then, to what is not in the database */
	struct flags flags;
	uint32_t *numbers;    /* in leadsync_field, by the mapping's fields */
	size_t *field_of;     /* the other way round; SIZE_MAX: not mapped today */
	size_t number_count;  /* of field_of */
	const char **columns; /* the mapped ones, for capture */
	struct capture capture;
	struct mark_page taken; /* the marks just taken, in the taker's arena */
	struct scan scan, scan_before;
	struct statement *kept[KEPT_COUNT];
	struct rows_update updates[ROWS_UPDATES];
	size_t next_update;
};

static inline struct session *session_of(struct store_session *in)
{
	return (struct session *)in;
}

/* Ready to bind; NULL: failed. */
struct statement *session_kept(struct session *in, enum kept which, const char *sql,
			       struct error *err);

/* Runs it for this job alone: `sql` names :job. */
bool session_run(struct session *in, const char *sql, struct error *err);

/* Runs a kept one whose only parameter, ?1, is a number. */
bool session_run_number(struct session *in, enum kept which, const char *sql, int64_t number,
			struct error *err);

/* A key as its column stores it. */
void session_bind_key(const struct session *in, struct statement *s, int position,
		      const struct value *key);
void session_bind_key_as(struct statement *s, const char *name, const struct session *in,
			 const struct value *key);

/* By name; a null value binds null. The text must outlive the step. */
void session_bind_value(struct statement *s, const char *name, const struct value *value);

/* Of the current row, copied. */
struct value session_value_at(struct statement *s, int column, struct arena *arena);
const char *session_text(struct statement *s, const char *column, struct arena *arena);
struct value session_value(struct statement *s, const char *column, struct arena *arena);
struct record_hash session_hash(struct statement *s, const char *column);
void session_id(struct statement *s, const char *column, char out[19]);

size_t session_most_lines(const struct store_listing *what);

/* A whole number in canonical form that fits; false for anything else. */
bool session_number(const struct value *in, int64_t *ret);

/* What leadsync_ledger counts; each text is a step in its table's file. */
extern const char meta_step_1[], cursor_step_1[], table_step_1[], link_step_1[], runs_step_1[],
	rejects_step_1[], lineage_step_1[], cursor_step_2[], link_step_2[], dictionary_step_1[],
	due_step_1[], journal_step_1[], rejects_step_2[], conflicts_step_1[], changes_step_1[],
	runs_step_2[], views_step_1[];

/* meta: whose ledger this is. `org_id` "": not compared. */
bool meta_check(struct db *db, const char *org_id, const char *instance, bool *ret_ours,
		struct error *err); /* false in *ret_ours: nobody's yet */
bool meta_claim(struct db *db, const char *org_id, const char *instance, struct error *err);

/* cursor: finds or makes the job's line; `anew` forgets what was read. */
bool cursor_open(struct session *in, struct store_state *ret, struct error *err);
bool cursor_restart(struct session *in, struct store_state *state, struct error *err);
bool cursor_save(struct session *in, const struct store_state *state, struct error *err);
bool cursor_save_scan(struct session *in, struct error *err);
bool cursor_number(struct db *db, const char *job, int64_t *ret, struct error *err); /* 0: none */
bool cursor_summary(struct db *db, const char *job, int64_t *ret_number, struct cursor *ret,
		    struct error *err); /* number 0: there is no such job */

/* table: `ret_made` is true if it was not there. */
bool table_ensure(struct session *in, bool *ret_made, struct error *err);

/* match: the index of a table that we made. */
bool match_ensure_index(struct session *in, struct error *err);
bool match_has_index(struct session *in, size_t field, bool *ret, struct error *err);
bool match_folds(enum value_type type);
bool match_find(struct store_session *session, const struct value *values, size_t most,
		struct arena *arena, struct value *ret, size_t *ret_count, struct error *err);
bool match_is_elsewhere(struct store_session *session, const struct value *key, bool *ret,
			struct error *err);

/* dictionary: gives every mapped field its number. */
bool dictionary_open(struct session *in, struct error *err);
size_t dictionary_field(const struct session *in, uint32_t number); /* SIZE_MAX: not mapped */
bool dictionary_find(struct db *db, int64_t job_number, const char *field, uint32_t **ret,
		     size_t *ret_count, struct error *err); /* free() it */

bool link_find(struct session *in, const char *const *remote_ids, size_t count, struct arena *arena,
	       struct link *ret, struct error *err);
bool link_fields(struct store_session *session, const char *const *remote_ids, size_t count,
		 struct arena *arena, struct link *links, struct error *err);
bool link_owners(struct session *in, const struct value *keys, size_t count,
		 struct store_owner *ret, struct error *err);
bool link_put(struct session *in, const char *remote_id, const struct link *link,
	      struct arena *arena, struct error *err);
bool link_unrow(struct session *in, const char *remote_id, struct error *err);
bool link_park_unseen(struct session *in, int64_t *ret_parked, struct error *err);
bool link_forget_all(struct session *in, struct error *err);
bool link_summary(struct db *db, int64_t job_number, struct store_summary *ret, struct error *err);

/* The row `key` is no more, for links that knew of it when `sequence` was yet to come: told to
 * `ended`. Or it has another key now. */
typedef void link_ended_fn(const char *remote_id, void *arg);
bool link_end_row(struct session *in, const struct value *key, int64_t sequence,
		  link_ended_fn *ended, void *arg, struct error *err);
bool link_move_row(struct session *in, const struct value *old_key, const struct value *key,
		   int64_t sequence, struct error *err);

/* rows: an insert says which key the row was given. */
bool rows_find(struct session *in, const struct value *keys, size_t count, struct arena *arena,
	       struct store_row *ret, struct error *err);
bool rows_write(struct session *in, struct store_write *write, struct arena *arena,
		struct error *err);
void rows_forget(struct session *in);

/* own: rows_write(), and what it leaves behind; between own_begin() and own_end(), in one part. */
bool own_begin(struct session *in, int64_t *ret_youngest, struct error *err);
bool own_write(struct session *in, struct store_write *write, struct arena *arena,
	       struct error *err);
bool own_end(struct session *in, int64_t youngest, struct error *err);

/* scan: looks again where somebody changed the schema since the last unit. */
bool scan_look(struct session *in, int64_t schema_version, struct error *err);
bool scan_open(struct session *in, bool made, struct error *err);
bool scan_take(struct store_session *session, size_t most, struct arena *arena,
	       struct store_marks *ret, struct error *err);
bool scan_drop(struct store_session *session, struct error *err);

bool due_put(struct store_session *session, const struct due *due, bool anew, struct error *err);
bool due_take(struct store_session *session, bool pairs, int64_t after, size_t most, int64_t now_ms,
	      struct arena *arena, struct due **ret, size_t *ret_count, struct error *err);
bool due_find(struct store_session *session, const char *const *remote_ids, size_t count,
	      struct due *ret, struct error *err);
bool due_find_row(struct store_session *session, const struct value *key, struct due *ret,
		  struct error *err);
bool due_set(struct store_session *session, const struct due *due, struct error *err);
bool due_drop(struct store_session *session, int64_t number, struct error *err);
bool due_wake_held(struct store_session *session, struct error *err);
bool due_become_pair(struct session *in, const char *remote_id, const struct value *key,
		     struct error *err);
bool due_refuse(struct session *in, const struct store_reject *reject, struct error *err);
bool due_end_row(struct session *in, const struct value *key, struct error *err);
bool due_move_row(struct session *in, const struct value *old_key, const struct value *key,
		  struct error *err);
bool due_summary(struct db *db, int64_t job_number, struct store_summary *ret, struct error *err);
bool due_list(struct db *db, const struct store_listing *what, struct arena *arena,
	      struct store_due_line **ret, size_t *ret_count, struct error *err);

bool journal_open(struct session *in, struct error *err);
bool journal_put(struct store_session *session, struct sent *sent, struct error *err);
bool journal_find(struct store_session *session, const char *const *remote_ids, size_t count,
		  struct arena *arena, struct sent *ret, struct error *err);
bool journal_births(struct store_session *session, const struct value *keys, size_t count,
		    struct arena *arena, struct sent *ret, struct error *err);
bool journal_unanswered(struct store_session *session, int64_t before_ms, int64_t after,
			size_t most, struct arena *arena, struct sent **ret, size_t *ret_count,
			struct error *err);
bool journal_mark_unknown(struct store_session *session, int64_t number, struct error *err);
bool journal_end(struct store_session *session, int64_t number, bool done, struct error *err);
bool journal_has_row(struct session *in, const struct value *key, bool *ret, struct error *err);
bool journal_end_row(struct session *in, const struct value *key, int64_t sequence,
		     struct error *err);
bool journal_move_row(struct session *in, const struct value *old_key, const struct value *key,
		      int64_t sequence, struct error *err);
bool journal_summary(struct db *db, int64_t job_number, struct store_summary *ret,
		     struct error *err);

bool rejects_put(struct store_session *session, const struct store_reject *reject,
		 struct error *err);
bool rejects_drop(struct store_session *session, const char *const *remote_ids, size_t count,
		  struct error *err);
bool rejects_find(struct store_session *session, const char *remote_id, const struct value *key,
		  struct arena *arena, struct store_reject **ret, size_t *ret_count,
		  struct error *err);
bool rejects_unrefuse(struct store_session *session, const char *remote_id, const struct value *key,
		      const bool *set, struct error *err);
bool rejects_unrefuse_all(struct store_session *session, struct error *err);
bool rejects_end_row(struct session *in, const struct value *key, struct error *err);
bool rejects_move_row(struct session *in, const struct value *old_key, const struct value *key,
		      struct error *err);
bool rejects_count(struct db *db, int64_t job_number, int64_t *ret, struct error *err);
bool rejects_list(struct db *db, const struct store_listing *what, struct arena *arena,
		  struct store_reject_line **ret, size_t *ret_count, struct error *err);

bool conflicts_put(struct store_session *session, const struct store_conflict *conflict,
		   struct error *err);
bool conflicts_close(struct store_session *session, const char *remote_id, const struct value *key,
		     const char *field, struct error *err);
bool conflicts_end_sent(struct session *in, int64_t sent, bool done, struct error *err);
bool conflicts_end_row(struct session *in, const struct value *key, struct error *err);
bool conflicts_move_row(struct session *in, const struct value *old_key, const struct value *key,
			struct error *err);
bool conflicts_forget_old(struct session *in, int64_t before_ms, struct error *err);
bool conflicts_count(struct db *db, int64_t job_number, int64_t *ret, struct error *err);
bool conflicts_list(struct db *db, const struct store_listing *what, struct arena *arena,
		    struct store_conflict_line **ret, size_t *ret_count, struct error *err);

bool changes_put(struct store_session *session, const struct store_change *change,
		 struct error *err);
bool changes_recent(struct store_session *session, const char *remote_id, int64_t since_ms,
		    struct arena *arena, struct store_recent **ret, size_t *ret_count,
		    struct error *err);
bool changes_forget_old(struct store_session *session, int64_t before_ms, struct error *err);
bool changes_end_sent(struct session *in, int64_t sent, bool done, struct error *err);

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

/* Inside a unit. */
bool orders_follow(struct db *db, const struct store_order *order, int64_t *ret_count,
		   struct error *err);
bool detach_job(struct db *db, const char *job, struct error *err);
