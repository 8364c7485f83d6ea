/* sqlite_store.c - in order: open and close; prepare and release; units; the writes of a page; what
 * needs no session; the table of functions. */
#include "store/sqlite/sqlite_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/sqlite/session.h"

#define CACHE_KIB 4096

static const struct store_ops sqlite_ops;

/* Only ever appended to. */
static const char *const steps[] = {
	meta_step_1,       cursor_step_1,  table_step_1,   link_step_1,    runs_step_1,
	rejects_step_1,    lineage_step_1, capture_step_1, cursor_step_2,  link_step_2,
	dictionary_step_1, due_step_1,     journal_step_1, rejects_step_2, conflicts_step_1,
	changes_step_1,    runs_step_2,    views_step_1,
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

struct store *sqlite_store_open(const char *path, struct error *err)
{
	struct db_options options = {
		.path = path, .cache_kib = CACHE_KIB, .create = true, .shared = true
	};
	struct db *db = db_open(&options, err);
	struct sqlite_store *in;

	if (!db)
		return NULL;
	in = mem_new(struct sqlite_store);
	*in = (struct sqlite_store){ .store.ops = &sqlite_ops, .db = db, .path = mem_strdup(path) };
	return &in->store;
}

static struct sqlite_store *of_store(struct store *in)
{
	return (struct sqlite_store *)in;
}

static void close_store(struct store *in)
{
	db_close(of_store(in)->db);
	free(of_store(in)->path);
	free(in);
}

static void release(struct store_session *session)
{
	struct session *in = session_of(session);

	if (!in)
		return;
	for (size_t i = 0; i < KEPT_COUNT; i++)
		statement_free(in->kept[i]);
	capture_clear(&in->capture);
	rows_forget(in);
	seen_forget(in);
	free(in->columns);
	free(in->numbers);
	free(in->field_of);
	free(in);
}

/* What the ledger may hold of the job; each answer is one look into an index. */
static bool raise_flags(struct session *in, struct error *err)
{
	struct statement *s = session_kept(
		in, KEPT_FLAGS,
		"SELECT EXISTS (SELECT 1 FROM leadsync_due WHERE job = ?1 AND remote_id IS NULL),"
		" EXISTS (SELECT 1 FROM leadsync_due WHERE job = ?1 AND remote_id IS NOT NULL),"
		" EXISTS (SELECT 1 FROM leadsync_journal WHERE job = ?1),"
		" EXISTS (SELECT 1 FROM leadsync_rejects WHERE job = ?1 AND remote_id IS NULL),"
		" EXISTS (SELECT 1 FROM leadsync_rejects WHERE job = ?1 AND remote_id IS NOT NULL),"
		" EXISTS (SELECT 1 FROM leadsync_conflicts WHERE job = ?1"
		" AND state IN ('open', 'deciding')),"
		" (SELECT schema_version FROM pragma_schema_version)",
		err);
	int64_t version = 0;
	bool row, ok;

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	ok = statement_step(s, &row, err);
	if (ok) {
		in->flags.row_dues = statement_int_at(s, 0);
		in->flags.dues = in->flags.row_dues || statement_int_at(s, 1);
		in->flags.sent = statement_int_at(s, 2);
		in->flags.row_rejects = statement_int_at(s, 3);
		in->flags.rejects = in->flags.row_rejects || statement_int_at(s, 4);
		in->flags.conflicts = statement_int_at(s, 5);
		version = statement_int_at(s, 6);
	}
	statement_reset(s);
	return ok && scan_look(in, version, err);
}

/* Tables and indexes that are made here are no reason to compare every row. */
static bool ensure_table(struct session *in, struct store_state *state, bool *ret_made,
			 struct error *err)
{
	struct capture db_only = { .db = in->db };
	int64_t before, after;

	return capture_version(&db_only, &before, err) && table_ensure(in, ret_made, err) &&
	       cursor_open(in, state, err) && (!*ret_made || cursor_restart(in, state, err)) &&
	       match_ensure_index(in, err) && capture_version(&db_only, &after, err) &&
	       (before == after || capture_carry_over(&db_only, before, err));
}

/* All in one unit, so that a job which cannot be prepared leaves nothing behind. */
static bool prepare_in_unit(struct session *in, struct store_state *state, struct error *err)
{
	bool made;

	return meta_claim(in->db, in->job.org_id, in->job.instance, err) &&
	       ensure_table(in, state, &made, err) && dictionary_open(in, err) &&
	       scan_open(in, made, err) && journal_open(in, err) &&
	       runs_cut_job(in->db, in->job.name, err) && raise_flags(in, err);
}

static bool prepare_session(struct session *in, struct store_state *state, struct error *err)
{
	bool ours;

	/* Asked before the ledger's own tables are brought up to date: what is not ours stays as
	 * it is. */
	if (!meta_check(in->db, in->job.org_id, in->job.instance, &ours, err) ||
	    !db_migrate(in->db, "leadsync_ledger", steps, STEPS, err) || !db_begin(in->db, err))
		return false;
	return db_end(in->db, prepare_in_unit(in, state, err), err);
}

static struct store_session *prepare(struct store *store, const struct store_job *job,
				     struct store_state *ret_state, struct error *err)
{
	struct session *in = mem_new(struct session);
	struct store_state state = { 0 };

	*in = (struct session){ .session.store = store,
				.db = of_store(store)->db,
				.job = *job,
				.key_field = SIZE_MAX };
	if (!prepare_session(in, &state, err)) {
		release(&in->session);
		store_state_clear(&state);
		return NULL;
	}
	*ret_state = state;
	return &in->session;
}

static void restore_scan(struct session *in)
{
	in->scan = in->scan_before;
	in->taken = (struct mark_page){ 0 };
}

static bool begin(struct store_session *session, struct error *err)
{
	struct session *in = session_of(session);

	in->changes_before = db_total_changes(in->db);
	in->changes_passing = 0;
	in->scan_before = in->scan;
	if (!db_begin(in->db, err))
		return false;
	if (raise_flags(in, err))
		return true;
	db_rollback(in->db);
	return false;
}

static bool commit(struct store_session *session, struct error *err)
{
	struct session *in = session_of(session);
	bool ok = db_commit(in->db, err);

	if (!ok)
		restore_scan(in);
	return ok;
}

static void rollback(struct store_session *session)
{
	struct session *in = session_of(session);

	db_rollback(in->db);
	restore_scan(in);
}

static bool has_written(const struct store_session *session)
{
	const struct session *in = (const struct session *)session;

	return db_total_changes(in->db) - in->changes_before > in->changes_passing;
}

static bool links(struct store_session *in, const char *const *remote_ids, size_t count,
		  struct arena *arena, struct link *ret, struct error *err)
{
	return link_find(session_of(in), remote_ids, count, arena, ret, err);
}

static bool owners(struct store_session *in, const struct value *keys, size_t count,
		   struct store_owner *ret, struct error *err)
{
	return link_owners(session_of(in), keys, count, ret, err);
}

static bool rows(struct store_session *in, const struct value *keys, size_t count,
		 struct arena *arena, struct store_row *ret, struct error *err)
{
	return rows_find(session_of(in), keys, count, arena, ret, err);
}

static bool write_one(struct session *in, struct store_write *write, struct arena *arena,
		      struct error *err)
{
	return own_write(in, write, arena, err) &&
	       (!write->takes_from || link_unrow(in, write->takes_from, err)) &&
	       (!write->puts_link || link_put(in, write->remote_id, &write->link, arena, err));
}

static bool write_together(struct session *in, struct store_write *writes, size_t count,
			   struct arena *arena, struct error *err)
{
	int64_t youngest;

	if (!db_part_begin(in->db, err) || !own_begin(in, &youngest, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!write_one(in, &writes[i], arena, err))
			return false;
	return own_end(in, youngest, err) && db_part_end(in->db, err);
}

/* A refusal is rare, so a page is tried as one part first; only a page with a refused record pays
 * for a part a record. */
static bool write_all(struct store_session *session, struct store_write *writes, size_t count,
		      struct arena *arena, struct error *err)
{
	struct session *in = session_of(session);
	struct error why;

	if (!count || write_together(in, writes, count, arena, &why))
		return true;
	if (why.kind != ERROR_RECORD) {
		*err = why;
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (write_together(in, &writes[i], 1, arena, &why))
			continue;
		if (why.kind != ERROR_RECORD) {
			*err = why;
			return false;
		}
		writes[i].failed = memcpy(arena_take(arena, sizeof(why)), &why, sizeof(why));
	}
	return true;
}

static bool lineage(struct store_session *in, const char *loser, const char *winner,
		    const char *run, int64_t at_ms, struct error *err)
{
	return lineage_put(session_of(in), loser, winner, run, at_ms, err);
}

static bool begin_seen(struct store_session *in, struct error *err)
{
	return seen_none(session_of(in), err);
}

static bool add_seen(struct store_session *in, const char *const *remote_ids, size_t count,
		     struct error *err)
{
	return seen_add(session_of(in), remote_ids, count, err);
}

static bool park_unseen(struct store_session *in, int64_t *ret_parked, struct error *err)
{
	return link_park_unseen(session_of(in), ret_parked, err);
}

static bool save_state(struct store_session *in, const struct store_state *state, struct error *err)
{
	return cursor_save(session_of(in), state, err);
}

static bool save_run(struct store_session *in, const struct store_run *run, struct error *err)
{
	return runs_save(session_of(in)->db, run, err);
}

static bool list_failure(struct store *store, const char *instance, const struct store_run *run,
			 bool *ret, struct error *err)
{
	struct db *db = of_store(store)->db;
	bool ours;

	if (!meta_check(db, "", instance, &ours, err))
		return false;
	*ret = ours;
	if (!ours)
		return true;
	return db_migrate(db, "leadsync_ledger", steps, STEPS, err) && db_begin(db, err) &&
	       db_end(db, runs_save(db, run, err), err);
}

static bool cut_run(struct store *store, const char *id, int64_t ended_ms, struct error *err)
{
	struct db *db = of_store(store)->db;

	return db_begin(db, err) && db_end(db, runs_cut(db, id, ended_ms, err), err);
}

static bool exists(struct db *db, const char *name, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(db, "SELECT 1 FROM sqlite_schema WHERE name = :name", err);

	if (!s)
		return false;
	statement_bind_text(s, ":name", name);
	return statement_step(s, ret, err);
}

/* Of today's shape: an older one is brought up to date by the next run, and says nothing before. */
static bool has_ledger(struct db *db, bool *ret, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = NULL;
	bool row;

	if (!exists(db, "leadsync_ledger", ret, err))
		return false;
	if (!*ret)
		return true;
	s = statement_new(db, "SELECT steps FROM leadsync_ledger", err);
	if (!s || !statement_step(s, &row, err))
		return false;
	*ret = row && statement_int_at(s, 0) >= (int64_t)STEPS;
	return true;
}

static bool list_runs(struct store *store, const char *job, size_t limit, struct arena *arena,
		      struct store_run **ret, size_t *ret_count, struct error *err)
{
	struct db *db = of_store(store)->db;
	bool there;

	if (!has_ledger(db, &there, err))
		return false;
	if (there)
		return runs_list(db, job, limit, arena, ret, ret_count, err);
	*ret = NULL;
	*ret_count = 0;
	return true;
}

static bool sum_up(struct db *db, int64_t number, struct store_summary *ret, struct error *err)
{
	return link_summary(db, number, ret, err) && due_summary(db, number, ret, err) &&
	       journal_summary(db, number, ret, err) &&
	       rejects_count(db, number, &ret->rejects, err) &&
	       conflicts_count(db, number, &ret->conflicts, err);
}

static bool summary(struct store *store, const char *job, struct store_summary *ret,
		    struct error *err)
{
	struct db *db = of_store(store)->db;
	struct store_summary made = { 0 };
	int64_t number = 0;
	bool there;

	if (!has_ledger(db, &there, err) ||
	    (there && !cursor_summary(db, job, &number, &made.cursor, err)) ||
	    (number && !sum_up(db, number, &made, err)))
		return false;
	*ret = made;
	return true;
}

#define LIST(what, line, list)                                                                     \
	static bool what(struct store *store, const struct store_listing *listing,                 \
			 struct arena *arena, struct line **ret, size_t *ret_count,                \
			 struct error *err)                                                        \
	{                                                                                          \
		struct db *db = of_store(store)->db;                                               \
		bool there;                                                                        \
                                                                                                   \
		if (!has_ledger(db, &there, err))                                                  \
			return false;                                                              \
		if (there)                                                                         \
			return list(db, listing, arena, ret, ret_count, err);                      \
		*ret = NULL;                                                                       \
		*ret_count = 0;                                                                    \
		return true;                                                                       \
	}
LIST(list_rejects, store_reject_line, rejects_list)
LIST(list_conflicts, store_conflict_line, conflicts_list)
LIST(list_dues, store_due_line, due_list)

static bool order(struct store *store, const struct store_order *what, int64_t *ret_count,
		  struct error *err)
{
	struct db *db = of_store(store)->db;
	int64_t count = 0;
	bool there, ours;

	if (!meta_check(db, "", what->instance, &ours, err) || !has_ledger(db, &there, err))
		return false;
	if (there && (!db_begin(db, err) || !db_end(db, orders_follow(db, what, &count, err), err)))
		return false;
	*ret_count = count;
	return true;
}

static bool detach(struct store *store, const char *instance, const char *job, struct error *err)
{
	struct db *db = of_store(store)->db;
	bool there, ours;

	if (!meta_check(db, "", instance, &ours, err) ||
	    !exists(db, "leadsync_ledger", &there, err))
		return false;
	return !there || (db_migrate(db, "leadsync_ledger", steps, STEPS, err) &&
			  db_begin(db, err) && db_end(db, detach_job(db, job, err), err));
}

static const struct store_ops sqlite_ops = {
	.close = close_store,
	.prepare = prepare,
	.release = release,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.has_written = has_written,
	.links = links,
	.owners = owners,
	.rows = rows,
	.write = write_all,
	.fields = link_fields,
	.matches = match_find,
	.is_elsewhere = match_is_elsewhere,
	.reject = rejects_put,
	.unreject = rejects_drop,
	.refusals = rejects_find,
	.unrefuse = rejects_unrefuse,
	.unrefuse_all = rejects_unrefuse_all,
	.conflict = conflicts_put,
	.close_conflict = conflicts_close,
	.change = changes_put,
	.recent = changes_recent,
	.forget_old = changes_forget_old,
	.take_marks = scan_take,
	.drop_marks = scan_drop,
	.put_due = due_put,
	.take_dues = due_take,
	.find_dues = due_find,
	.find_row_due = due_find_row,
	.find_born_due = due_find_born,
	.set_due = due_set,
	.drop_due = due_drop,
	.wake_held = due_wake_held,
	.wake_makeable = due_wake_makeable,
	.put_sent = journal_put,
	.find_sent = journal_find,
	.find_births = journal_births,
	.unanswered = journal_unanswered,
	.mark_unknown = journal_mark_unknown,
	.end_sent = journal_end,
	.lineage = lineage,
	.seen_none = begin_seen,
	.seen = add_seen,
	.park_unseen = park_unseen,
	.save_state = save_state,
	.save_run = save_run,
	.list_failure = list_failure,
	.cut_run = cut_run,
	.runs = list_runs,
	.summary = summary,
	.list_rejects = list_rejects,
	.list_conflicts = list_conflicts,
	.list_dues = list_dues,
	.order = order,
	.detach = detach,
};
