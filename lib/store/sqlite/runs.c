/* runs.c - leadsync_runs: runs that did something or failed. A run that found nothing new is not
 * here, as it writes nothing at all; failures just like the one before are one line with a count.
 */
#include <string.h>

#include "base/arena.h"
#include "store/sqlite/session.h"

#define MOST_RUNS_KEPT 1000 /* a job */

const char runs_step_1[] =
	"CREATE TABLE leadsync_runs ("
	"	number INTEGER PRIMARY KEY,\n"
	"	id TEXT NOT NULL UNIQUE,  -- as in the log\n"
	"	job TEXT NOT NULL,\n"
	"	outcome TEXT NOT NULL,    -- running, done, failed, cut\n"
	"	code TEXT NOT NULL,       -- of the failure\n"
	"	text TEXT NOT NULL,\n"
	"	started_ms INTEGER NOT NULL,\n"
	"	ended_ms INTEGER NOT NULL, -- 0: not known\n"
	"	read INTEGER NOT NULL,    -- records\n"
	"	inserted INTEGER NOT NULL, -- rows\n"
	"	updated INTEGER NOT NULL,\n"
	"	deleted INTEGER NOT NULL,\n"
	"	unchanged INTEGER NOT NULL,\n"
	"	rejected INTEGER NOT NULL,\n"
	"	out_of_sight INTEGER NOT NULL,\n"
	"	repeats INTEGER NOT NULL  -- failures in a row of which this is the last\n"
	");"
	"CREATE INDEX leadsync_runs_job ON leadsync_runs (job, number)";

const char runs_step_2[] =
	"ALTER TABLE leadsync_runs ADD COLUMN sent_created INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE leadsync_runs ADD COLUMN sent_updated INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE leadsync_runs ADD COLUMN sent_deleted INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE leadsync_runs ADD COLUMN refused INTEGER NOT NULL DEFAULT 0"
	"	/* of what was sent */;"
	"ALTER TABLE leadsync_runs ADD COLUMN conflicts INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE leadsync_runs ADD COLUMN put_back INTEGER NOT NULL DEFAULT 0"
	"	/* edits on the wrong side of a one-way field */;";

#define DID_NOTHING                                                                                \
	"read = 0 AND inserted = 0 AND updated = 0 AND deleted = 0 AND out_of_sight = 0"           \
	" AND sent_created = 0 AND sent_updated = 0 AND sent_deleted = 0 AND refused = 0"          \
	" AND conflicts = 0 AND put_back = 0"

static bool is_bare_failure(const struct store_run *run)
{
	return strcmp(run->outcome, "failed") == 0 && !run->read && !run->out_of_sight &&
	       !run->sent_created && !run->sent_updated && !run->sent_deleted && !run->refused &&
	       !run->conflicts && !run->put_back && !run->updated && !run->deleted;
}

/* Counts it in the line of the same failure before it, where there is one. */
static bool repeat(struct db *db, const struct store_run *run, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		db,
		"UPDATE leadsync_runs SET id = :id, text = :text, ended_ms = :ended,"
		" repeats = repeats + 1"
		" WHERE number = (SELECT max(number) FROM leadsync_runs WHERE job = :job)"
		" AND outcome = 'failed' AND code = :code AND id <> :id AND " DID_NOTHING,
		err);
	int64_t before = db_total_changes(db);

	if (!s)
		return false;
	statement_bind_text(s, ":id", run->id);
	statement_bind_text(s, ":text", run->text);
	statement_bind_int(s, ":ended", run->ended_ms);
	statement_bind_text(s, ":job", run->job);
	statement_bind_text(s, ":code", run->code);
	if (!statement_run(s, err))
		return false;
	*ret = db_total_changes(db) > before;
	return true;
}

static bool prune(struct db *db, const char *job, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(db,
			      "DELETE FROM leadsync_runs WHERE job = :job AND number <="
			      " (SELECT number FROM leadsync_runs WHERE job = :job"
			      "  ORDER BY number DESC LIMIT 1 OFFSET :kept)",
			      err);

	if (!s)
		return false;
	statement_bind_text(s, ":job", job);
	statement_bind_int(s, ":kept", MOST_RUNS_KEPT);
	return statement_run(s, err);
}

static bool put(struct db *db, const struct store_run *run, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		db,
		"INSERT INTO leadsync_runs (id, job, outcome, code, text, started_ms, ended_ms, "
		"read,"
		" inserted, updated, deleted, unchanged, rejected, out_of_sight, sent_created,"
		" sent_updated, sent_deleted, refused, conflicts, put_back, repeats)"
		" VALUES (:id, :job, :outcome, :code, :text, :started, :ended, :read, :inserted,"
		" :updated, :deleted, :unchanged, :rejected, :parked, :sent_created,"
		" :sent_updated, :sent_deleted, :refused, :conflicts, :put_back, 1)"
		" ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, code = excluded.code,"
		" text = excluded.text, ended_ms = excluded.ended_ms, read = excluded.read,"
		" inserted = excluded.inserted, updated = excluded.updated,"
		" deleted = excluded.deleted, unchanged = excluded.unchanged,"
		" rejected = excluded.rejected, out_of_sight = excluded.out_of_sight,"
		" sent_created = excluded.sent_created, sent_updated = excluded.sent_updated,"
		" sent_deleted = excluded.sent_deleted, refused = excluded.refused,"
		" conflicts = excluded.conflicts, put_back = excluded.put_back",
		err);

	if (!s)
		return false;
	statement_bind_text(s, ":id", run->id);
	statement_bind_text(s, ":job", run->job);
	statement_bind_text(s, ":outcome", run->outcome);
	statement_bind_text(s, ":code", run->code);
	statement_bind_text(s, ":text", run->text);
	statement_bind_int(s, ":started", run->started_ms);
	statement_bind_int(s, ":ended", run->ended_ms);
	statement_bind_int(s, ":read", run->read);
	statement_bind_int(s, ":inserted", run->inserted);
	statement_bind_int(s, ":updated", run->updated);
	statement_bind_int(s, ":deleted", run->deleted);
	statement_bind_int(s, ":unchanged", run->unchanged);
	statement_bind_int(s, ":rejected", run->rejected);
	statement_bind_int(s, ":parked", run->out_of_sight);
	statement_bind_int(s, ":sent_created", run->sent_created);
	statement_bind_int(s, ":sent_updated", run->sent_updated);
	statement_bind_int(s, ":sent_deleted", run->sent_deleted);
	statement_bind_int(s, ":refused", run->refused);
	statement_bind_int(s, ":conflicts", run->conflicts);
	statement_bind_int(s, ":put_back", run->put_back);
	return statement_run(s, err);
}

bool runs_save(struct db *db, const struct store_run *run, struct error *err)
{
	bool repeated = false;

	if (is_bare_failure(run) && !repeat(db, run, &repeated, err))
		return false;
	return repeated || (put(db, run, err) && prune(db, run->job, err));
}

bool runs_cut(struct db *db, const char *id, int64_t ended_ms, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(db,
			      "UPDATE leadsync_runs SET outcome = 'cut', ended_ms = :ended"
			      " WHERE id = :id AND outcome = 'running'",
			      err);

	if (!s)
		return false;
	statement_bind_text(s, ":id", id);
	statement_bind_int(s, ":ended", ended_ms);
	return statement_run(s, err);
}

/* A job has one run at a time: whatever else says it is running has died. */
bool runs_cut_job(struct db *db, const char *job, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(db,
					    "UPDATE leadsync_runs SET outcome = 'cut'"
					    " WHERE job = :job AND outcome = 'running'",
					    err);

	if (!s)
		return false;
	statement_bind_text(s, ":job", job);
	return statement_run(s, err);
}

static const char *copy_text(struct statement *s, const char *column, struct arena *arena)
{
	const char *text = statement_text(s, column);

	return text ? arena_copy(arena, text, strlen(text)) : "";
}

static struct store_run read_run(struct statement *s, struct arena *arena)
{
	return (struct store_run){ .id = copy_text(s, "id", arena),
				   .job = copy_text(s, "job", arena),
				   .outcome = copy_text(s, "outcome", arena),
				   .code = copy_text(s, "code", arena),
				   .text = copy_text(s, "text", arena),
				   .started_ms = statement_int(s, "started_ms"),
				   .ended_ms = statement_int(s, "ended_ms"),
				   .read = statement_int(s, "read"),
				   .inserted = statement_int(s, "inserted"),
				   .updated = statement_int(s, "updated"),
				   .deleted = statement_int(s, "deleted"),
				   .unchanged = statement_int(s, "unchanged"),
				   .rejected = statement_int(s, "rejected"),
				   .out_of_sight = statement_int(s, "out_of_sight"),
				   .sent_created = statement_int(s, "sent_created"),
				   .sent_updated = statement_int(s, "sent_updated"),
				   .sent_deleted = statement_int(s, "sent_deleted"),
				   .refused = statement_int(s, "refused"),
				   .conflicts = statement_int(s, "conflicts"),
				   .put_back = statement_int(s, "put_back"),
				   .repeats = statement_int(s, "repeats") };
}

bool runs_list(struct db *db, const char *job, size_t limit, struct arena *arena,
	       struct store_run **ret, size_t *ret_count, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		db,
		"SELECT id, job, outcome, code, text, started_ms, ended_ms, read, inserted, "
		"updated,"
		" deleted, unchanged, rejected, out_of_sight, sent_created, sent_updated,"
		" sent_deleted, refused, conflicts, put_back, repeats FROM leadsync_runs"
		" WHERE :job IS NULL OR job = :job ORDER BY number DESC LIMIT :limit",
		err);
	size_t most = limit < 10000 ? limit : 10000, count = 0;
	struct store_run *made;
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":job", job);
	statement_bind_int(s, ":limit", (int64_t)most);
	made = arena_take(arena, most * sizeof(*made));
	while (count < most) {
		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		made[count++] = read_run(s, arena);
	}
	*ret = made;
	*ret_count = count;
	return true;
}
