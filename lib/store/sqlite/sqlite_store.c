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
static const char *const steps[] = { meta_step_1, cursor_step_1,  table_step_1,  link_step_1,
				     runs_step_1, rejects_step_1, lineage_step_1 };

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

static struct session *of_session(struct store_session *in)
{
	return (struct session *)in;
}

static void close_store(struct store *in)
{
	db_close(of_store(in)->db);
	free(of_store(in)->path);
	free(in);
}

struct statement *session_kept(struct session *in, enum kept which, const char *sql,
			       struct error *err)
{
	if (!in->kept[which])
		in->kept[which] = statement_new(in->db, sql, err);
	return in->kept[which];
}

bool session_number(const struct value *in, int64_t *ret)
{
	uint64_t most, number = 0;
	bool minus = in->len && in->text[0] == '-';

	if (!in->text || in->len == minus)
		return false;
	most = minus ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	for (uint32_t i = minus; i < in->len; i++) {
		unsigned digit = (unsigned)in->text[i] - '0';

		if (digit > 9 || number > (most - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret = (int64_t)(minus ? -number : number);
	return true;
}

void session_bind_key(const struct session *in, struct statement *s, int position,
		      const struct value *key)
{
	int64_t number;

	if (!key->text)
		statement_bind_null_at(s, position);
	else if (in->key_is_number && session_number(key, &number))
		statement_bind_int_at(s, position, number);
	else
		statement_bind_text_at(s, position, key->text, key->len);
}

static void release(struct store_session *session)
{
	struct session *in = of_session(session);

	if (!in)
		return;
	for (size_t i = 0; i < KEPT_COUNT; i++)
		statement_free(in->kept[i]);
	rows_forget(in);
	seen_forget(in);
	free(in);
}

/* All in one unit, so that a job which cannot be prepared leaves nothing behind. */
static bool prepare_in_unit(struct session *in, struct store_state *state, struct error *err)
{
	bool made;

	return meta_claim(in->db, in->job.org_id, in->job.instance, err) &&
	       table_ensure(in, &made, err) && cursor_open(in, state, err) &&
	       (!made || cursor_restart(in, state, err)) &&
	       runs_cut_job(in->db, in->job.name, err) &&
	       rejects_count(in->db, in->job_number, &in->rejects, err);
}

static bool prepare_session(struct session *in, struct store_state *state, struct error *err)
{
	bool ours;

	/* Asked before the ledger's own tables are brought up to date: what is not ours stays as
	 * it is. */
	if (!meta_check(in->db, in->job.org_id, in->job.instance, &ours, err) ||
	    !db_migrate(in->db, "leadsync_ledger", steps, sizeof(steps) / sizeof(steps[0]), err) ||
	    !db_begin(in->db, err))
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

static bool begin(struct store_session *session, struct error *err)
{
	struct session *in = of_session(session);

	in->changes_before = db_total_changes(in->db);
	in->changes_passing = 0;
	return db_begin(in->db, err);
}

static bool commit(struct store_session *in, struct error *err)
{
	return db_commit(of_session(in)->db, err);
}

static void rollback(struct store_session *in)
{
	db_rollback(of_session(in)->db);
}

static bool has_written(const struct store_session *session)
{
	const struct session *in = (const struct session *)session;

	return db_total_changes(in->db) - in->changes_before > in->changes_passing;
}

static bool links(struct store_session *in, const char *const *remote_ids, size_t count,
		  struct arena *arena, struct link *ret, struct error *err)
{
	return link_find(of_session(in), remote_ids, count, arena, ret, err);
}

static bool owners(struct store_session *in, const struct value *keys, size_t count,
		   struct store_owner *ret, struct error *err)
{
	return link_owners(of_session(in), keys, count, ret, err);
}

static bool rows(struct store_session *in, const struct value *keys, size_t count,
		 struct arena *arena, struct store_row *ret, struct error *err)
{
	return rows_find(of_session(in), keys, count, arena, ret, err);
}

static bool write_one(struct session *in, struct store_write *write, struct arena *arena,
		      struct error *err)
{
	return rows_write(in, write, arena, err) &&
	       (!write->takes_from || link_unrow(in, write->takes_from, err)) &&
	       (!write->puts_link || link_put(in, write->remote_id, &write->link, err));
}

static bool write_together(struct session *in, struct store_write *writes, size_t count,
			   struct arena *arena, struct error *err)
{
	if (!db_part_begin(in->db, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!write_one(in, &writes[i], arena, err))
			return false;
	return db_part_end(in->db, err);
}

/* A refusal is rare, so a page is tried as one part first; only a page with a refused record pays
 * for a part a record. */
static bool write_all(struct store_session *session, struct store_write *writes, size_t count,
		      struct arena *arena, struct error *err)
{
	struct session *in = of_session(session);
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

static bool reject(struct store_session *in, const struct store_reject *what, struct error *err)
{
	return rejects_put(of_session(in), what, err);
}

static bool unreject(struct store_session *in, const char *const *remote_ids, size_t count,
		     struct error *err)
{
	return rejects_drop(of_session(in), remote_ids, count, err);
}

static bool lineage(struct store_session *in, const char *loser, const char *winner,
		    const char *run, int64_t at_ms, struct error *err)
{
	return lineage_put(of_session(in), loser, winner, run, at_ms, err);
}

static bool begin_seen(struct store_session *in, struct error *err)
{
	return seen_none(of_session(in), err);
}

static bool add_seen(struct store_session *in, const char *const *remote_ids, size_t count,
		     struct error *err)
{
	return seen_add(of_session(in), remote_ids, count, err);
}

static bool park_unseen(struct store_session *in, int64_t *ret_parked, struct error *err)
{
	return link_park_unseen(of_session(in), ret_parked, err);
}

static bool save_state(struct store_session *in, const struct store_state *state, struct error *err)
{
	return cursor_save(of_session(in), state, err);
}

static bool save_run(struct store_session *in, const struct store_run *run, struct error *err)
{
	return runs_save(of_session(in)->db, run, err);
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
	return db_begin(db, err) && db_end(db, runs_save(db, run, err), err);
}

static bool cut_run(struct store *store, const char *id, int64_t ended_ms, struct error *err)
{
	struct db *db = of_store(store)->db;

	return db_begin(db, err) && db_end(db, runs_cut(db, id, ended_ms, err), err);
}

static bool has_ledger(struct db *db, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		db, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'leadsync_ledger'",
		err);

	return s && statement_step(s, ret, err);
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

static bool summary(struct store *store, const char *job, struct store_summary *ret,
		    struct error *err)
{
	struct db *db = of_store(store)->db;
	struct store_summary made = { 0 };
	int64_t number = 0;
	bool there;

	if (!has_ledger(db, &there, err) ||
	    (there && !cursor_summary(db, job, &number, &made.cursor, err)) ||
	    (number && (!link_summary(db, number, &made, err) ||
			!rejects_count(db, number, &made.rejects, err))))
		return false;
	*ret = made;
	return true;
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
	.reject = reject,
	.unreject = unreject,
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
};
