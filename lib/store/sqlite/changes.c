/* changes.c - leadsync_changes: values of existing rows and records that a run overwrote, for a
 * time. */
#include <string.h>

#include "base/arena.h"
#include "store/sqlite/session.h"

const char changes_step_1[] =
	"CREATE TABLE leadsync_changes ("
	"	number INTEGER PRIMARY KEY AUTOINCREMENT,\n"
	"	job INTEGER NOT NULL,     -- leadsync_cursor.number\n"
	"	remote_id TEXT,\n"
	"	key,                      -- of the row\n"
	"	field TEXT NOT NULL,\n"
	"	side TEXT NOT NULL,       -- that was overwritten: local (the row), remote\n"
	"	before TEXT,\n"
	"	after TEXT,\n"
	"	reason TEXT NOT NULL,\n"
	"	run TEXT NOT NULL,\n"
	"	at_ms INTEGER NOT NULL,\n"
	"	sent INTEGER NOT NULL     -- leadsync_journal.number, unanswered; 0: done\n"
	");"
	"CREATE INDEX leadsync_changes_pair ON leadsync_changes (job, remote_id, number);"
	"CREATE INDEX leadsync_changes_time ON leadsync_changes (job, at_ms);"
	"CREATE INDEX leadsync_changes_sent ON leadsync_changes (sent) WHERE sent <> 0;";

/* Five turns of a hundred fields. */
#define MOST_RECENT 512

static const char *const sides[] = { [TOLD_LOCAL] = "local", [TOLD_REMOTE] = "remote" };

bool changes_put(struct store_session *session, const struct store_change *change,
		 struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s = session_kept(
		in, KEPT_CHANGE_PUT,
		"INSERT INTO leadsync_changes (job, remote_id, key, field, side, before, after,"
		" reason, run, at_ms, sent) VALUES (:job, :id, :key, :field, :side, :before,"
		" :after, :reason, :run, :at, :sent)",
		err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	statement_bind_text(s, ":id", change->remote_id);
	session_bind_key_as(s, ":key", in, &change->key);
	statement_bind_text(s, ":field", change->field);
	statement_bind_text(s, ":side", sides[change->side]);
	session_bind_value(s, ":before", &change->before);
	session_bind_value(s, ":after", &change->after);
	statement_bind_text(s, ":reason", change->reason);
	statement_bind_text(s, ":run", change->run);
	statement_bind_int(s, ":at", change->at_ms);
	statement_bind_int(s, ":sent", change->sent);
	return statement_run(s, err);
}

static bool read_recent(struct statement *s, struct arena *arena, struct store_recent *ret,
			size_t *ret_count, struct error *err)
{
	size_t count = 0;
	bool row;

	for (; count < MOST_RECENT; count++) {
		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		ret[count].field = session_text(s, "field", arena);
		ret[count].side = strcmp(statement_text(s, "side"), sides[TOLD_REMOTE]) == 0
					  ? TOLD_REMOTE
					  : TOLD_LOCAL;
	}
	*ret_count = count;
	return true;
}

/* Only the last few of the pair are looked at: numbers grow with time. */
bool changes_recent(struct store_session *session, const char *remote_id, int64_t since_ms,
		    struct arena *arena, struct store_recent **ret, size_t *ret_count,
		    struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s = session_kept(
		in, KEPT_CHANGE_RECENT,
		"SELECT field, side FROM (SELECT number, field, side, at_ms FROM leadsync_changes"
		" WHERE job = ?1 AND remote_id = ?2 ORDER BY number DESC LIMIT ?4)"
		" WHERE at_ms >= ?3 ORDER BY number DESC",
		err);
	struct store_recent made[MOST_RECENT];
	size_t count;
	bool ok;

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	statement_bind_text_at(s, 2, remote_id, strlen(remote_id));
	statement_bind_int_at(s, 3, since_ms);
	statement_bind_int_at(s, 4, MOST_RECENT);
	ok = read_recent(s, arena, made, &count, err);
	statement_reset(s);
	if (!ok)
		return false;
	*ret = arena_take(arena, (count + 1) * sizeof(**ret));
	memcpy(*ret, made, count * sizeof(*made));
	*ret_count = count;
	return true;
}

bool changes_forget_old(struct store_session *session, int64_t before_ms, struct error *err)
{
	struct session *in = session_of(session);
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"DELETE FROM leadsync_changes WHERE job = :job AND at_ms < :before AND sent = 0",
		err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	statement_bind_int(s, ":before", before_ms);
	return statement_run(s, err) && conflicts_forget_old(in, before_ms, err);
}

bool changes_end_sent(struct session *in, int64_t sent, bool done, struct error *err)
{
	return done ? session_run_number(in, KEPT_CHANGE_DONE,
					 "UPDATE leadsync_changes SET sent = 0"
					 " WHERE sent = ?1 AND sent <> 0",
					 sent, err)
		    : session_run_number(
			      in, KEPT_CHANGE_NOT_DONE,
			      "DELETE FROM leadsync_changes WHERE sent = ?1 AND sent <> 0", sent,
			      err);
}
