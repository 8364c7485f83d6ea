/* rejects.c - leadsync_rejects: records that could not be taken and rows that could not be sent, or
 * one field of them, each with what to do.
 *
 * In order: putting; dropping; refusals; rows that end or move; counting and listing. */
#include <string.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "store/sqlite/session.h"

const char rejects_step_1[] =
	"CREATE TABLE leadsync_rejects ("
	"	job INTEGER NOT NULL,     -- leadsync_cursor.number\n"
	"	remote_id TEXT NOT NULL,\n"
	"	code TEXT NOT NULL,\n"
	"	field TEXT,               -- NULL: not known, or the record as a whole\n"
	"	text TEXT NOT NULL,       -- what is wrong\n"
	"	remedy TEXT NOT NULL,     -- what to do\n"
	"	run TEXT NOT NULL,        -- which run met it first in this form\n"
	"	at_ms INTEGER NOT NULL,   -- and when\n"
	"	PRIMARY KEY (job, remote_id)"
	") WITHOUT ROWID";

/* Without AUTOINCREMENT, which would write although there is nothing new. Renaming a table would look
 * at every view and trigger of the owner's, and fail with theirs. */
const char rejects_step_2[] =
	"CREATE TABLE leadsync_rejects_1 AS SELECT * FROM leadsync_rejects;"
	"DROP TABLE leadsync_rejects;"
	"CREATE TABLE leadsync_rejects ("
	"	number INTEGER PRIMARY KEY,\n"
	"	job INTEGER NOT NULL,     -- leadsync_cursor.number\n"
	"	direction TEXT NOT NULL,  -- down: a record into the table; up: a row to the "
	"remote\n"
	"	remote_id TEXT,           -- NULL: a row without a record\n"
	"	key,                      -- of the row; NULL: none\n"
	"	part TEXT NOT NULL,       -- the field, where the rest of the pair flows; else ''\n"
	"	code TEXT NOT NULL,\n"
	"	field TEXT,               -- NULL: not known, or the record as a whole\n"
	"	text TEXT NOT NULL,       -- what is wrong\n"
	"	remedy TEXT NOT NULL,     -- what to do\n"
	"	run TEXT NOT NULL,        -- which run met it first in this form\n"
	"	at_ms INTEGER NOT NULL,   -- and when\n"
	"	payload BLOB NOT NULL,    -- up: hash of what was refused\n"
	"	ignored INTEGER NOT NULL  -- 1: an operator does not want to hear of it\n"
	");"
	"INSERT INTO leadsync_rejects (job, direction, remote_id, part, code, field, text, remedy,"
	" run, at_ms, payload, ignored) SELECT job, 'down', remote_id, '', code, field, text,"
	" remedy, run, at_ms, zeroblob(16), 0 FROM leadsync_rejects_1 ORDER BY at_ms;"
	"DROP TABLE leadsync_rejects_1;"
	"CREATE UNIQUE INDEX leadsync_rejects_pair ON leadsync_rejects"
	" (job, remote_id, direction, part) WHERE remote_id IS NOT NULL;"
	"CREATE UNIQUE INDEX leadsync_rejects_row ON leadsync_rejects (job, key, direction, part)"
	" WHERE remote_id IS NULL;";

/* An operator who ignores it hears of it again once it is about something else. */
static const char put_sql[] =
	"INSERT INTO leadsync_rejects (job, direction, remote_id, key, part, code, field, text,"
	" remedy, run, at_ms, payload, ignored) VALUES (:job, :direction, :id, :key, :part, :code,"
	" :field, :text, :remedy, :run, :at, :payload, 0)"
	" ON CONFLICT DO UPDATE SET key = excluded.key, code = excluded.code,"
	" field = excluded.field, text = excluded.text, remedy = excluded.remedy,"
	" run = excluded.run, at_ms = excluded.at_ms, payload = excluded.payload, ignored ="
	" CASE WHEN code = excluded.code AND field IS excluded.field THEN ignored ELSE 0 END"
	" WHERE code <> excluded.code OR field IS NOT excluded.field OR text <> excluded.text"
	" OR payload <> excluded.payload";

static const char *const directions[] = { [TOLD_DOWN] = "down", [TOLD_UP] = "up" };

bool rejects_put(struct store_session *session, const struct store_reject *reject,
		 struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s = session_kept(in, KEPT_REJECT_PUT, put_sql, err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	statement_bind_text(s, ":direction", directions[reject->direction]);
	statement_bind_text(s, ":id", reject->remote_id);
	session_bind_key_as(s, ":key", in, &reject->key);
	statement_bind_text(s, ":part", reject->field_only && reject->field ? reject->field : "");
	statement_bind_text(s, ":code", reject->code);
	statement_bind_text(s, ":field", reject->field);
	statement_bind_text(s, ":text", reject->text);
	statement_bind_text(s, ":remedy", reject->remedy);
	statement_bind_text(s, ":run", reject->run);
	statement_bind_int(s, ":at", reject->at_ms);
	statement_bind_bytes(s, ":payload", &reject->payload, sizeof(reject->payload));
	if (!statement_run(s, err))
		return false;
	in->flags.rejects = true;
	return reject->direction != TOLD_UP || reject->field_only || due_refuse(in, reject, err);
}

bool rejects_drop(struct store_session *session, const char *const *remote_ids, size_t count,
		  struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s;

	if (!in->flags.rejects)
		return true;
	s = session_kept(in, KEPT_REJECT_DROP,
			 "DELETE FROM leadsync_rejects WHERE job = ?1 AND remote_id = ?2"
			 " AND direction = 'down'",
			 err);
	if (!s)
		return false;
	for (size_t i = 0; i < count; i++) {
		statement_bind_int_at(s, 1, in->job_number);
		statement_bind_text_at(s, 2, remote_ids[i], strlen(remote_ids[i]));
		if (!statement_run(s, err))
			return false;
	}
	return true;
}

static void bind_whose(struct session *in, struct statement *s, const char *remote_id,
		       const struct value *key)
{
	statement_bind_int_at(s, 1, in->job_number);
	if (remote_id)
		statement_bind_text_at(s, 2, remote_id, strlen(remote_id));
	else
		session_bind_key(in, s, 2, key);
}

static struct store_reject read_reject(struct statement *s, struct arena *arena)
{
	struct store_reject made = { .remote_id = session_text(s, "remote_id", arena) };

	made.direction = strcmp(statement_text(s, "direction"), directions[TOLD_UP]) == 0
				 ? TOLD_UP
				 : TOLD_DOWN;
	made.key = session_value(s, "key", arena);
	made.code = session_text(s, "code", arena);
	made.field = session_text(s, "field", arena);
	made.field_only = *statement_text(s, "part");
	made.text = session_text(s, "text", arena);
	made.remedy = session_text(s, "remedy", arena);
	made.run = session_text(s, "run", arena);
	made.at_ms = statement_int(s, "at_ms");
	made.payload = session_hash(s, "payload");
	made.ignored = statement_int(s, "ignored");
	return made;
}

#define COLUMNS                                                                                    \
	"remote_id, direction, leadsync_rejects.key AS key, code, field, part, text, remedy, run," \
	" at_ms, payload, ignored"

/* As many as fields at most, of one pair. */
static bool read_refusals(struct statement *s, struct arena *arena, struct store_reject **ret,
			  size_t *ret_count, struct error *err)
{
	struct store_reject *made = NULL, *larger;
	size_t count = 0, room = 0;
	bool row;

	for (;; count++) {
		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		if (count == room) {
			room = room ? 2 * room : 4;
			larger = arena_take(arena, room * sizeof(*made));
			if (count)
				memcpy(larger, made, count * sizeof(*made));
			made = larger;
		}
		made[count] = read_reject(s, arena);
	}
	*ret = made;
	*ret_count = count;
	return true;
}

#define PAIR "remote_id = ?2"
#define ROW  "key = ?2 AND remote_id IS NULL"

bool rejects_find(struct store_session *session, const char *remote_id, const struct value *key,
		  struct arena *arena, struct store_reject **ret, size_t *ret_count,
		  struct error *err)
{
#define FIND(whose)                                                                                \
	"SELECT " COLUMNS " FROM leadsync_rejects WHERE job = ?1 AND " whose " AND direction = "   \
	"'up'"
	struct session *in = session_of(session);
	struct statement *s;
	bool ok;

	*ret = NULL;
	*ret_count = 0;
	if (!in->flags.rejects)
		return true;
	s = remote_id ? session_kept(in, KEPT_REJECT_FIND_PAIR, FIND(PAIR), err)
		      : session_kept(in, KEPT_REJECT_FIND_ROW, FIND(ROW), err);
	if (!s)
		return false;
	bind_whose(in, s, remote_id, key);
	ok = read_refusals(s, arena, ret, ret_count, err);
	statement_reset(s);
	return ok;
}

/* What they held back may be tried again. */
static bool wait_again(struct session *in, const char *remote_id, const struct value *key,
		       struct error *err)
{
	struct due due;

	if (!(remote_id ? due_find(&in->session, &remote_id, 1, &due, err)
			: due_find_row(&in->session, key, &due, err)))
		return false;
	if (!due.number || due.state != DUE_REJECTED)
		return true;
	due.state = DUE_WAITING;
	return due_set(&in->session, &due, err);
}

#define UNREFUSE(whose)                                                                            \
	"DELETE FROM leadsync_rejects WHERE job = ?1 AND " whose " AND direction = 'up'"           \
	" AND (?3 IS NULL OR part = ?3)"

static bool unrefuse_part(struct session *in, const char *remote_id, const struct value *key,
			  const char *part, struct error *err)
{
	struct statement *s =
		remote_id ? session_kept(in, KEPT_REJECT_UNREFUSE_PAIR, UNREFUSE(PAIR), err)
			  : session_kept(in, KEPT_REJECT_UNREFUSE_ROW, UNREFUSE(ROW), err);

	if (!s)
		return false;
	bind_whose(in, s, remote_id, key);
	if (part)
		statement_bind_text_at(s, 3, part, strlen(part));
	else
		statement_bind_null_at(s, 3);
	return statement_run(s, err);
}

bool rejects_unrefuse(struct store_session *session, const char *remote_id, const struct value *key,
		      const bool *set, struct error *err)
{
	struct session *in = session_of(session);
	const struct mapping *mapping = in->job.mapping;

	if (!in->flags.rejects)
		return true;
	if (!unrefuse_part(in, remote_id, key, set ? "" : NULL, err))
		return false;
	for (size_t i = 0; set && i < mapping->count; i++)
		if (set[i] && !unrefuse_part(in, remote_id, key, mapping->fields[i].field, err))
			return false;
	return wait_again(in, remote_id, key, err);
}

/* Where only a field was refused, the pair itself owes nothing yet. */
bool rejects_unrefuse_all(struct store_session *session, struct error *err)
{
	struct session *in = session_of(session);

	if (!in->flags.rejects)
		return true;
	in->flags.dues = in->flags.row_dues = true;
	return session_run(in,
			   "INSERT INTO leadsync_due (job, state, remote_id, key, edited_ms,"
			   " since_ms, not_before_ms, tries) SELECT job, 'waiting', remote_id,"
			   " CASE WHEN remote_id IS NULL THEN key END, 0, min(at_ms), 0, 0"
			   " FROM leadsync_rejects AS reject"
			   " WHERE job = :job AND direction = 'up'"
			   " GROUP BY job, remote_id, CASE WHEN remote_id IS NULL THEN key END"
			   " ON CONFLICT DO NOTHING",
			   err) &&
	       session_run(in,
			   "UPDATE leadsync_due SET state = 'waiting', not_before_ms = 0, tries = 0"
			   " WHERE job = :job AND state = 'rejected'",
			   err) &&
	       session_run(in, "DELETE FROM leadsync_rejects WHERE job = :job AND direction = 'up'",
			   err);
}

bool rejects_end_row(struct session *in, const struct value *key, struct error *err)
{
	return rejects_unrefuse(&in->session, NULL, key, NULL, err);
}

bool rejects_move_row(struct session *in, const struct value *old_key, const struct value *key,
		      struct error *err)
{
	struct statement *s;

	if (!in->flags.rejects)
		return true;
	s = session_kept(in, KEPT_REJECT_MOVE_ROW,
			 "UPDATE leadsync_rejects SET key = ?3 WHERE job = ?1 AND " ROW, err);
	if (!s)
		return false;
	bind_whose(in, s, NULL, old_key);
	session_bind_key(in, s, 3, key);
	return statement_run(s, err);
}

bool rejects_count(struct db *db, int64_t job_number, int64_t *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(db,
					    "SELECT count(*) AS rejects FROM leadsync_rejects"
					    " WHERE job = :job AND ignored = 0",
					    err);
	bool row;

	if (!s)
		return false;
	statement_bind_int(s, ":job", job_number);
	if (!statement_step(s, &row, err))
		return false;
	*ret = row ? statement_int(s, "rejects") : 0;
	return true;
}

bool rejects_list(struct db *db, const struct store_listing *what, struct arena *arena,
		  struct store_reject_line **ret, size_t *ret_count, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		db,
		"SELECT " COLUMNS ", cursor.job AS job, table_name FROM leadsync_rejects"
		" JOIN leadsync_cursor AS cursor ON cursor.number = leadsync_rejects.job"
		" WHERE (:job IS NULL OR cursor.job = :job) AND (:all = 1 OR ignored = 0)"
		" ORDER BY at_ms DESC, leadsync_rejects.number DESC LIMIT :limit",
		err);
	size_t most = session_most_lines(what), count = 0;
	struct store_reject_line *made = arena_take(arena, most * sizeof(*made));
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":job", what->job);
	statement_bind_int(s, ":all", what->all);
	statement_bind_int(s, ":limit", (int64_t)most);
	for (; count < most; count++) {
		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		made[count].reject = read_reject(s, arena);
		made[count].job = session_text(s, "job", arena);
		made[count].table = session_text(s, "table_name", arena);
	}
	*ret = made;
	*ret_count = count;
	return true;
}
