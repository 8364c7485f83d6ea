/* cursor.c - leadsync_cursor: one line a job, with where its reading stands and what its table was
 * filled with.
 *
 * It is written with the rows of a page, never by itself while nothing else changed: a run that
 * found nothing new leaves the file as it was, and the next one begins at the older bound. That is
 * only a longer window of the same, unchanged records. lib/sync/course.h says when a bound is saved
 * although nothing else was. */
#include <string.h>
#include <strings.h>

#include "store/sqlite/session.h"

const char cursor_step_1[] =
	"CREATE TABLE leadsync_cursor ("
	"	number INTEGER PRIMARY KEY,\n"
	"	job TEXT NOT NULL UNIQUE,\n"
	"	object TEXT NOT NULL,\n"
	"	table_name TEXT NOT NULL COLLATE NOCASE,\n"
	"	key_column TEXT NOT NULL COLLATE NOCASE,\n"
	"	phase TEXT NOT NULL,              -- none, load, changes, settled\n"
	"	bound_ms INTEGER NOT NULL,        -- all before it is kept, or will be when the "
	"phase ends\n"
	"	since_ms INTEGER NOT NULL,        -- changes: where they began\n"
	"	last_ms INTEGER NOT NULL,         -- the last record kept in this phase\n"
	"	last_id TEXT NOT NULL,\n"
	"	deletions_ms INTEGER NOT NULL,    -- deletions before it are known\n"
	"	whole_ms INTEGER NOT NULL,        -- when all links were held against all ids\n"
	"	mapping TEXT,                     -- fields and columns the table was filled with\n"
	"	condition TEXT,                   -- where, as it was then\n"
	"	compare_owed INTEGER NOT NULL     -- 1: records out of sight are yet to be found\n"
	")";

/* A comment behind dashes would swallow what SQLite puts after the new column. */
const char cursor_step_2[] =
	"ALTER TABLE leadsync_cursor ADD COLUMN marks_after INTEGER NOT NULL DEFAULT 0"
	"	/* this job has no leadsync_mark up to it */;"
	"ALTER TABLE leadsync_cursor ADD COLUMN gone_owed INTEGER NOT NULL DEFAULT 0"
	"	/* 1: rows that went unseen are yet to be found */;"
	"ALTER TABLE leadsync_cursor ADD COLUMN schema TEXT"
	"	/* which state of the object was looked at last */;";

static const char *const phases[] = { [CURSOR_NONE] = "none",
				      [CURSOR_LOAD] = "load",
				      [CURSOR_CHANGES] = "changes",
				      [CURSOR_SETTLED] = "settled" };

static bool read_cursor(struct statement *s, struct cursor *ret, struct error *err)
{
	const char *phase = statement_text(s, "phase"), *last_id = statement_text(s, "last_id");
	struct cursor made = { .phase = CURSOR_NONE };

	while (phase && made.phase <= CURSOR_SETTLED && strcmp(phase, phases[made.phase]) != 0)
		made.phase++;
	if (!phase || made.phase > CURSOR_SETTLED || !last_id ||
	    strlen(last_id) >= sizeof(made.last_id))
		return error_set(err, ERROR_STATE, "damaged-ledger",
				 "leadsync_cursor holds what this program never wrote: restore a "
				 "backup of the store");
	made.bound_ms = statement_int(s, "bound_ms");
	made.since_ms = statement_int(s, "since_ms");
	made.last_ms = statement_int(s, "last_ms");
	strcpy(made.last_id, last_id);
	made.deletions_ms = statement_int(s, "deletions_ms");
	made.whole_ms = statement_int(s, "whole_ms");
	*ret = made;
	return true;
}

static bool make(struct session *in, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"INSERT INTO leadsync_cursor (job, object, table_name, key_column, phase, bound_ms,"
		" since_ms, last_ms, last_id, deletions_ms, whole_ms, compare_owed)"
		" VALUES (:job, :object, :table, :key, 'none', 0, 0, 0, '', 0, 0, 0)"
		" ON CONFLICT (job) DO UPDATE SET object = excluded.object,"
		" table_name = excluded.table_name, key_column = excluded.key_column",
		err);

	if (!s)
		return false;
	statement_bind_text(s, ":job", in->job.name);
	statement_bind_text(s, ":object", in->job.object);
	statement_bind_text(s, ":table", in->job.table);
	statement_bind_text(s, ":key", in->job.key);
	return statement_run(s, err);
}

/* Links of one table mean nothing in another. */
static bool check_same(const struct session *in, struct statement *s, struct error *err)
{
	const struct {
		const char *what, *then, *now;
	} parts[] = {
		{ "object", statement_text(s, "object"), in->job.object },
		{ "table", statement_text(s, "table_name"), in->job.table },
		{ "key", statement_text(s, "key_column"), in->job.key },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcasecmp(parts[i].then, parts[i].now) != 0)
			return error_set(
				err, ERROR_HUMAN, "job-changed",
				"job %s was filled with %s = %s, and the conf now says %s: put it "
				"back, or give the job another name and another table",
				in->job.name, parts[i].what, parts[i].then, parts[i].now);
	return true;
}

static bool find(struct session *in, struct store_state *ret, bool *ret_same, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"SELECT number, object, table_name, key_column, phase, bound_ms, since_ms, last_ms,"
		" last_id, deletions_ms, whole_ms, mapping, condition, schema, compare_owed,"
		" marks_after, gone_owed FROM leadsync_cursor"
		" WHERE job = :job",
		err);
	struct store_state made = { 0 };
	struct error why;
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":job", in->job.name);
	if (!statement_step(s, &row, err))
		return false;
	*ret_same = row && check_same(in, s, &why);
	if (!row)
		return true;
	if (!read_cursor(s, &made.cursor, err))
		return false;
	if (!*ret_same && made.cursor.phase != CURSOR_NONE) {
		*err = why;
		return false;
	}
	in->job_number = statement_int(s, "number");
	made.mapping = (char *)statement_text(s, "mapping");
	made.where = (char *)statement_text(s, "condition");
	made.schema = (char *)statement_text(s, "schema");
	made.compare_owed = statement_int(s, "compare_owed");
	in->scan.after = statement_int(s, "marks_after");
	in->scan.gone_owed = statement_int(s, "gone_owed");
	store_state_copy(ret, &made);
	return true;
}

bool cursor_open(struct session *in, struct store_state *ret, struct error *err)
{
	bool same;

	if (!find(in, ret, &same, err))
		return false;
	return same || (make(in, err) && find(in, ret, &same, err));
}

/* What is told of rows that are no more. Conflicts that were decided, and changes, are history. */
static bool forget_rows(struct session *in, struct error *err)
{
	static const char *const lines[] = {
		"DELETE FROM leadsync_mark WHERE job = :job",
		"DELETE FROM leadsync_due WHERE job = :job",
		"DELETE FROM leadsync_journal WHERE job = :job",
		"DELETE FROM leadsync_rejects WHERE job = :job",
		"DELETE FROM leadsync_conflicts WHERE job = :job AND state IN ('open', 'deciding')",
		"UPDATE leadsync_cursor SET gone_owed = 0 WHERE number = :job",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!session_run(in, lines[i], err))
			return false;
	in->scan.gone_owed = false;
	return link_forget_all(in, err);
}

/* The table was made now, but an older one had been filled: it was dropped, to begin anew. */
bool cursor_restart(struct session *in, struct store_state *state, struct error *err)
{
	if (state->cursor.phase == CURSOR_NONE)
		return true;
	store_state_clear(state);
	return forget_rows(in, err) && cursor_save(in, state, err);
}

bool cursor_save_scan(struct session *in, struct error *err)
{
	struct statement *s =
		session_kept(in, KEPT_CURSOR_MARKS,
			     "UPDATE leadsync_cursor SET marks_after = ?1, gone_owed = ?2"
			     " WHERE number = ?3",
			     err);

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->scan.after);
	statement_bind_int_at(s, 2, in->scan.gone_owed);
	statement_bind_int_at(s, 3, in->job_number);
	return statement_run(s, err);
}

bool cursor_save(struct session *in, const struct store_state *state, struct error *err)
{
	struct statement *s = session_kept(
		in, KEPT_CURSOR_SAVE,
		"UPDATE leadsync_cursor SET phase = :phase, bound_ms = :bound, since_ms = :since,"
		" last_ms = :last, last_id = :id, deletions_ms = :deletions, whole_ms = :whole,"
		" mapping = :mapping, condition = :condition, schema = :schema, compare_owed = "
		":owed"
		" WHERE number = :job",
		err);

	if (!s)
		return false;
	statement_bind_text(s, ":phase", phases[state->cursor.phase]);
	statement_bind_int(s, ":bound", state->cursor.bound_ms);
	statement_bind_int(s, ":since", state->cursor.since_ms);
	statement_bind_int(s, ":last", state->cursor.last_ms);
	statement_bind_text(s, ":id", state->cursor.last_id);
	statement_bind_int(s, ":deletions", state->cursor.deletions_ms);
	statement_bind_int(s, ":whole", state->cursor.whole_ms);
	statement_bind_text(s, ":mapping", state->mapping);
	statement_bind_text(s, ":condition", state->where);
	statement_bind_text(s, ":schema", state->schema);
	statement_bind_int(s, ":owed", state->compare_owed);
	statement_bind_int(s, ":job", in->job_number);
	return statement_run(s, err);
}

bool cursor_number(struct db *db, const char *job, int64_t *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(db, "SELECT number FROM leadsync_cursor WHERE job = :job", err);
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":job", job);
	if (!statement_step(s, &row, err))
		return false;
	*ret = row ? statement_int_at(s, 0) : 0;
	return true;
}

bool cursor_summary(struct db *db, const char *job, int64_t *ret_number, struct cursor *ret,
		    struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		db,
		"SELECT number, phase, bound_ms, since_ms, last_ms, last_id, deletions_ms, whole_ms"
		" FROM leadsync_cursor WHERE job = :job",
		err);
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":job", job);
	if (!statement_step(s, &row, err))
		return false;
	*ret_number = row ? statement_int(s, "number") : 0;
	return !row || read_cursor(s, ret, err);
}
