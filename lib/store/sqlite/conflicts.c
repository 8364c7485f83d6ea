/* conflicts.c - leadsync_conflicts: contests, and how they were decided.
 *
 *     open -> resolved             a person must say, and has said
 *     deciding -> decided          the write that carries it out is on its way, and arrived
 *
 * In order: putting; closing; the end of a write; rows that end or move; counting and listing. */
#include <string.h>

#include "base/arena.h"
#include "store/sqlite/session.h"

const char conflicts_step_1[] =
	"CREATE TABLE leadsync_conflicts ("
	"	number INTEGER PRIMARY KEY AUTOINCREMENT,\n"
	"	job INTEGER NOT NULL,      -- leadsync_cursor.number\n"
	"	state TEXT NOT NULL,       -- open: a person must say; deciding, decided, "
	"resolved\n"
	"	remote_id TEXT,            -- NULL: none, or several\n"
	"	key,                       -- likewise\n"
	"	field TEXT,                -- NULL: the pair as a whole\n"
	"	kind TEXT NOT NULL,\n"
	"	local TEXT,                -- what the sides held\n"
	"	remote TEXT,\n"
	"	local_ms INTEGER NOT NULL, -- when they were edited; 0: not known\n"
	"	remote_ms INTEGER NOT NULL,\n"
	"	winner TEXT NOT NULL,      -- local, remote, neither; '' where a person must "
	"say\n"
	"	reason TEXT NOT NULL,\n"
	"	run TEXT NOT NULL,\n"
	"	at_ms INTEGER NOT NULL,\n"
	"	sent INTEGER NOT NULL      -- leadsync_journal.number that carries it out; 0: "
	"none\n"
	");"
	"CREATE INDEX leadsync_conflicts_pair ON leadsync_conflicts (job, remote_id, key);"
	"CREATE INDEX leadsync_conflicts_state ON leadsync_conflicts (job, state, at_ms);"
	"CREATE INDEX leadsync_conflicts_sent ON leadsync_conflicts (sent) WHERE sent <> 0;";

/* The last one of that pair and field that is not done with. */
struct last {
	int64_t number; /* 0: none */
	bool equal, open;
};

static bool same_value(struct statement *s, const char *column, const struct value *value)
{
	const char *text = statement_text(s, column);

	if (!text || !value->text)
		return !text && !value->text;
	return strlen(text) == value->len && memcmp(text, value->text, value->len) == 0;
}

static void bind_whose(struct session *in, struct statement *s, const char *remote_id,
		       const struct value *key, const char *field)
{
	statement_bind_int_at(s, 1, in->job_number);
	if (remote_id)
		statement_bind_text_at(s, 2, remote_id, strlen(remote_id));
	else
		session_bind_key(in, s, 2, key);
	statement_bind_text_at(s, 3, field, field ? strlen(field) : 0);
}

/* A pair is told by its record, if it has one. SQLite would rather look at all that are open. */
#define BY_PAIR "INDEXED BY leadsync_conflicts_pair"
#define OF_PAIR " WHERE job = ?1 AND remote_id = ?2 AND field IS ?3 AND "
#define OF_ROW  " WHERE job = ?1 AND remote_id IS NULL AND key IS ?2 AND field IS ?3 AND "

static struct statement *last_statement(struct session *in, bool of_pair, struct error *err)
{
#define LAST(whose)                                                                                \
	"SELECT number, state, kind, local, remote, winner FROM leadsync_conflicts " BY_PAIR whose \
	"state IN ('open', 'deciding') ORDER BY number DESC LIMIT 1"
	return of_pair ? session_kept(in, KEPT_CONFLICT_LAST_PAIR, LAST(OF_PAIR), err)
		       : session_kept(in, KEPT_CONFLICT_LAST_ROW, LAST(OF_ROW), err);
}

static bool find_last(struct session *in, const struct store_conflict *conflict, struct last *ret,
		      struct error *err)
{
	struct statement *s;
	bool row;

	*ret = (struct last){ 0 };
	if (!in->flags.conflicts)
		return true;
	s = last_statement(in, conflict->remote_id, err);
	if (!s)
		return false;
	bind_whose(in, s, conflict->remote_id, &conflict->key, conflict->field);
	if (!statement_step(s, &row, err))
		return false;
	if (row) {
		ret->number = statement_int(s, "number");
		ret->open = strcmp(statement_text(s, "state"), "open") == 0;
		ret->equal = strcmp(statement_text(s, "kind"), conflict->kind) == 0 &&
			     same_value(s, "local", &conflict->local) &&
			     same_value(s, "remote", &conflict->remote) &&
			     strcmp(statement_text(s, "winner"), conflict->winner) == 0;
	}
	statement_reset(s);
	return true;
}

static const char *state_of(const struct store_conflict *conflict)
{
	if (!*conflict->winner)
		return "open";
	return conflict->sent ? "deciding" : "decided";
}

static bool carry_out(struct session *in, int64_t number, const struct store_conflict *conflict,
		      struct error *err)
{
	struct statement *s = session_kept(
		in, KEPT_CONFLICT_CARRY,
		"UPDATE leadsync_conflicts SET sent = :sent, state = :state WHERE number = :number"
		" AND (sent <> :sent OR state <> :state)",
		err);

	if (!s)
		return false;
	statement_bind_int(s, ":sent", conflict->sent);
	statement_bind_text(s, ":state", state_of(conflict));
	statement_bind_int(s, ":number", number);
	return statement_run(s, err);
}

/* Another contest of the same field takes its place: what was never carried out never was, and of
 * what a person was asked the answer came by itself. */
static bool replace(struct session *in, const struct last *last, struct error *err)
{
	struct statement *s =
		last->open ? session_kept(in, KEPT_CONFLICT_REPLACE,
					  "UPDATE leadsync_conflicts SET state = 'resolved'"
					  " WHERE number = :number",
					  err)
			   : session_kept(in, KEPT_CONFLICT_DROP,
					  "DELETE FROM leadsync_conflicts WHERE number = :number",
					  err);

	if (!s)
		return false;
	statement_bind_int(s, ":number", last->number);
	return statement_run(s, err);
}

static bool add(struct session *in, const struct store_conflict *conflict, struct error *err)
{
	struct statement *s = session_kept(
		in, KEPT_CONFLICT_PUT,
		"INSERT INTO leadsync_conflicts (job, state, remote_id, key, field, kind, local,"
		" remote, local_ms, remote_ms, winner, reason, run, at_ms, sent) VALUES (:job,"
		" :state, :id, :key, :field, :kind, :local, :remote, :local_ms, :remote_ms,"
		" :winner, :reason, :run, :at, :sent)",
		err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	statement_bind_text(s, ":id", conflict->remote_id);
	session_bind_key_as(s, ":key", in, &conflict->key);
	statement_bind_text(s, ":field", conflict->field);
	statement_bind_text(s, ":state", state_of(conflict));
	statement_bind_text(s, ":kind", conflict->kind);
	session_bind_value(s, ":local", &conflict->local);
	session_bind_value(s, ":remote", &conflict->remote);
	statement_bind_int(s, ":local_ms", conflict->local_ms);
	statement_bind_int(s, ":remote_ms", conflict->remote_ms);
	statement_bind_text(s, ":winner", conflict->winner);
	statement_bind_text(s, ":reason", conflict->reason);
	statement_bind_text(s, ":run", conflict->run);
	statement_bind_int(s, ":at", conflict->at_ms);
	statement_bind_int(s, ":sent", conflict->sent);
	in->flags.conflicts = true;
	return statement_run(s, err);
}

bool conflicts_put(struct store_session *session, const struct store_conflict *conflict,
		   struct error *err)
{
	struct session *in = session_of(session);
	struct last last;

	if (!find_last(in, conflict, &last, err))
		return false;
	if (last.equal)
		return carry_out(in, last.number, conflict, err);
	return (!last.number || replace(in, &last, err)) && add(in, conflict, err);
}

#define CLOSE(whose)                                                                               \
	"UPDATE leadsync_conflicts " BY_PAIR " SET state = 'resolved'" whose "state = 'open'"

/* Also what was asked of the row when it had no partner. */
bool conflicts_close(struct store_session *session, const char *remote_id, const struct value *key,
		     const char *field, struct error *err)
{
	struct session *in = session_of(session);
	struct statement *pair, *row;

	if (!in->flags.conflicts)
		return true;
	pair = session_kept(in, KEPT_CONFLICT_CLOSE_PAIR, CLOSE(OF_PAIR), err);
	row = pair ? session_kept(in, KEPT_CONFLICT_CLOSE_ROW, CLOSE(OF_ROW), err) : NULL;
	if (!row)
		return false;
	if (remote_id) {
		bind_whose(in, pair, remote_id, NULL, field);
		if (!statement_run(pair, err))
			return false;
	}
	if (!key || !key->text)
		return true;
	bind_whose(in, row, NULL, key, field);
	return statement_run(row, err);
}

/* One that was not carried out stays, so that the next write for it is not another conflict. */
bool conflicts_end_sent(struct session *in, int64_t sent, bool done, struct error *err)
{
	if (!in->flags.conflicts)
		return true;
	return done ? session_run_number(in, KEPT_CONFLICT_DONE,
					 "UPDATE leadsync_conflicts SET sent = 0, state = 'decided'"
					 " WHERE sent = ?1 AND sent <> 0",
					 sent, err)
		    : session_run_number(in, KEPT_CONFLICT_NOT_DONE,
					 "UPDATE leadsync_conflicts SET sent = 0"
					 " WHERE sent = ?1 AND sent <> 0",
					 sent, err);
}

#define ALL_OF_ROW                                                                                 \
	" WHERE job = ?1 AND key = ?2 AND remote_id IS NULL AND state IN ('open', 'deciding')"

bool conflicts_end_row(struct session *in, const struct value *key, struct error *err)
{
	struct statement *s;

	if (!in->flags.conflicts)
		return true;
	s = session_kept(in, KEPT_CONFLICT_END_ROW,
			 "UPDATE leadsync_conflicts " BY_PAIR " SET state = 'resolved'" ALL_OF_ROW,
			 err);
	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	session_bind_key(in, s, 2, key);
	return statement_run(s, err);
}

bool conflicts_move_row(struct session *in, const struct value *old_key, const struct value *key,
			struct error *err)
{
	struct statement *s;

	if (!in->flags.conflicts)
		return true;
	s = session_kept(in, KEPT_CONFLICT_MOVE_ROW,
			 "UPDATE leadsync_conflicts " BY_PAIR " SET key = ?3" ALL_OF_ROW, err);
	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	session_bind_key(in, s, 2, old_key);
	session_bind_key(in, s, 3, key);
	return statement_run(s, err);
}

bool conflicts_forget_old(struct session *in, int64_t before_ms, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"DELETE FROM leadsync_conflicts WHERE job = :job AND at_ms < :before AND sent = 0"
		" AND state IN ('deciding', 'decided', 'resolved')",
		err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	statement_bind_int(s, ":before", before_ms);
	return statement_run(s, err);
}

bool conflicts_count(struct db *db, int64_t job_number, int64_t *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(db,
					    "SELECT count(*) FROM leadsync_conflicts"
					    " WHERE job = :job AND state = 'open'",
					    err);
	bool row;

	if (!s)
		return false;
	statement_bind_int(s, ":job", job_number);
	if (!statement_step(s, &row, err))
		return false;
	*ret = statement_int_at(s, 0);
	return true;
}

static void read_line(struct statement *s, struct arena *arena, struct store_conflict_line *ret)
{
	struct store_conflict *conflict = &ret->conflict;

	ret->job = session_text(s, "job_name", arena);
	ret->number = statement_int(s, "number");
	ret->state = session_text(s, "state", arena);
	conflict->remote_id = session_text(s, "remote_id", arena);
	conflict->key = session_value(s, "key", arena);
	conflict->field = session_text(s, "field", arena);
	conflict->kind = session_text(s, "kind", arena);
	conflict->local = session_value(s, "local", arena);
	conflict->remote = session_value(s, "remote", arena);
	conflict->local_ms = statement_int(s, "local_ms");
	conflict->remote_ms = statement_int(s, "remote_ms");
	conflict->winner = session_text(s, "winner", arena);
	conflict->reason = session_text(s, "reason", arena);
	conflict->run = session_text(s, "run", arena);
	conflict->at_ms = statement_int(s, "at_ms");
	conflict->sent = statement_int(s, "sent");
}

bool conflicts_list(struct db *db, const struct store_listing *what, struct arena *arena,
		    struct store_conflict_line **ret, size_t *ret_count, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		db,
		"SELECT cursor.job AS job_name, conflict.number AS number, state, remote_id, key,"
		" field, kind, local, remote, local_ms, remote_ms, winner, reason, run, at_ms, sent"
		" FROM leadsync_conflicts AS conflict JOIN leadsync_cursor AS cursor"
		" ON cursor.number = conflict.job WHERE (:job IS NULL OR cursor.job = :job)"
		" AND (:all = 1 OR state IN ('open', 'deciding'))"
		" ORDER BY conflict.number DESC LIMIT :limit",
		err);
	size_t most = session_most_lines(what), count = 0;
	struct store_conflict_line *made = arena_take(arena, most * sizeof(*made));
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
		made[count] = (struct store_conflict_line){ 0 };
		read_line(s, arena, &made[count]);
	}
	*ret = made;
	*ret_count = count;
	return true;
}
