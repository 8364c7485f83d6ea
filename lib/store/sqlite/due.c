/* due.c - leadsync_due: pairs, and rows that have no record yet, that owe the remote something.
 *
 * In order: one line; finding; putting; taking; what else makes a line another; listing. */
#include <string.h>

#include "base/arena.h"
#include "store/sqlite/session.h"

const char due_step_1[] =
	"CREATE TABLE leadsync_due ("
	"	number INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order in which they came\n"
	"	job INTEGER NOT NULL,           -- leadsync_cursor.number\n"
	"	state TEXT NOT NULL,            -- waiting, rejected, held\n"
	"	remote_id TEXT,                 -- of the pair; NULL: a row without a record,\n"
	"	key,                            -- which is this one; else NULL\n"
	"	edited_ms INTEGER NOT NULL,     -- its youngest edit; 0: not by an edit\n"
	"	since_ms INTEGER NOT NULL,\n"
	"	not_before_ms INTEGER NOT NULL, -- after passing trouble; 0: at once\n"
	"	tries INTEGER NOT NULL,         -- that ended so\n"
	"	seen BLOB,                      -- of a record without a row: its hash then\n"
	"	birth_key TEXT,                 -- of a row: a creation under it was never "
	"answered\n"
	"	chosen TEXT                     -- the record that a person gave this row\n"
	");"
	"CREATE UNIQUE INDEX leadsync_due_pair ON leadsync_due (job, remote_id)"
	" WHERE remote_id IS NOT NULL;"
	"CREATE UNIQUE INDEX leadsync_due_row ON leadsync_due (job, key) WHERE remote_id IS NULL;"
	"CREATE INDEX leadsync_due_pairs ON leadsync_due (job, number)"
	" WHERE state = 'waiting' AND remote_id IS NOT NULL;"
	"CREATE INDEX leadsync_due_rows ON leadsync_due (job, number)"
	" WHERE state = 'waiting' AND remote_id IS NULL;";

static const char *const states[] = {
	[DUE_WAITING] = "waiting", [DUE_REJECTED] = "rejected", [DUE_HELD] = "held"
};

#define COLUMNS                                                                                    \
	"number, state, remote_id, key, edited_ms, since_ms, not_before_ms, tries, seen, "         \
	"birth_key, chosen"

static void read_birth_key(struct statement *s, char out[33])
{
	const char *key = statement_text(s, "birth_key");

	*out = '\0';
	if (key && strlen(key) < 33)
		strcpy(out, key);
}

static bool read_due(struct statement *s, struct arena *arena, struct due *ret, struct error *err)
{
	struct due made = { .number = statement_int(s, "number") };
	const char *state = statement_text(s, "state");

	while (made.state <= DUE_HELD && strcmp(state, states[made.state]) != 0)
		made.state++;
	if (made.state > DUE_HELD)
		return error_set(err, ERROR_STATE, "damaged-ledger",
				 "leadsync_due holds what this program never wrote: restore a "
				 "backup of the store");
	session_id(s, "remote_id", made.remote_id);
	if (arena)
		made.key = session_value(s, "key", arena);
	made.edited_ms = statement_int(s, "edited_ms");
	made.since_ms = statement_int(s, "since_ms");
	made.not_before_ms = statement_int(s, "not_before_ms");
	made.tries = (unsigned)statement_int(s, "tries");
	made.seen = session_hash(s, "seen");
	read_birth_key(s, made.birth_key);
	session_id(s, "chosen", made.chosen);
	*ret = made;
	return true;
}

/* Without its key, which the asker has. */
static bool find_one(struct statement *s, struct due *ret, struct error *err)
{
	bool row;

	*ret = (struct due){ 0 };
	return statement_step(s, &row, err) && (!row || read_due(s, NULL, ret, err));
}

static bool find_pair(struct session *in, const char *remote_id, struct due *ret, struct error *err)
{
	struct statement *s = session_kept(in, KEPT_DUE_FIND_PAIR,
					   "SELECT " COLUMNS " FROM leadsync_due"
					   " WHERE job = ?1 AND remote_id = ?2",
					   err);
	bool ok;

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	statement_bind_text_at(s, 2, remote_id, strlen(remote_id));
	ok = find_one(s, ret, err);
	statement_reset(s);
	return ok;
}

static bool find_row(struct session *in, const struct value *key, struct due *ret,
		     struct error *err)
{
	struct statement *s = session_kept(in, KEPT_DUE_FIND_ROW,
					   "SELECT " COLUMNS " FROM leadsync_due"
					   " WHERE job = ?1 AND key = ?2 AND remote_id IS NULL",
					   err);
	bool ok;

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	session_bind_key(in, s, 2, key);
	ok = find_one(s, ret, err);
	statement_reset(s);
	return ok;
}

bool due_find(struct store_session *session, const char *const *remote_ids, size_t count,
	      struct due *ret, struct error *err)
{
	struct session *in = session_of(session);

	if (!in->flags.dues) {
		memset(ret, 0, count * sizeof(*ret));
		return true;
	}
	for (size_t i = 0; i < count; i++)
		if (!find_pair(in, remote_ids[i], &ret[i], err))
			return false;
	return true;
}

bool due_find_born(struct store_session *session, const struct value *birth_key,
		   struct arena *arena, struct due *ret, struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s;
	bool row = false, ok;

	*ret = (struct due){ 0 };
	if (!in->flags.row_dues || !birth_key->text)
		return true;
	s = session_kept(in, KEPT_DUE_FIND_BORN,
			 "SELECT " COLUMNS " FROM leadsync_due"
			 " WHERE job = ?1 AND birth_key = ?2 AND remote_id IS NULL",
			 err);
	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	statement_bind_text_at(s, 2, birth_key->text, birth_key->len);
	ok = statement_step(s, &row, err) && (!row || read_due(s, arena, ret, err));
	statement_reset(s);
	return ok;
}

bool due_find_row(struct store_session *session, const struct value *key, struct due *ret,
		  struct error *err)
{
	struct session *in = session_of(session);
	struct due found = { 0 };

	if (in->flags.row_dues && key->text && !find_row(in, key, &found, err))
		return false;
	if (found.number)
		found.key = *key;
	*ret = found;
	return true;
}

bool due_drop(struct store_session *session, int64_t number, struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s =
		session_kept(in, KEPT_DUE_DROP,
			     "DELETE FROM leadsync_due WHERE number = ?1 AND job = ?2", err);

	if (!s)
		return false;
	statement_bind_int_at(s, 1, number);
	statement_bind_int_at(s, 2, in->job_number);
	return statement_run(s, err);
}

static bool add(struct session *in, const struct due *due, struct error *err)
{
	struct statement *s = session_kept(
		in, KEPT_DUE_ADD,
		"INSERT INTO leadsync_due (job, state, remote_id, key, edited_ms, since_ms,"
		" not_before_ms, tries, seen, birth_key, chosen) VALUES (:job, :state, :id, :key, "
		":edited,"
		" :since, :not_before, :tries, :seen, :birth, :chosen)",
		err);
	bool is_pair = *due->remote_id;

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	statement_bind_text(s, ":state", states[due->state]);
	statement_bind_text(s, ":id", is_pair ? due->remote_id : NULL);
	session_bind_key_as(s, ":key", in, is_pair ? &(struct value){ 0 } : &due->key);
	statement_bind_int(s, ":edited", due->edited_ms);
	statement_bind_int(s, ":since", due->since_ms);
	statement_bind_int(s, ":not_before", due->not_before_ms);
	statement_bind_int(s, ":tries", due->tries);
	statement_bind_bytes(s, ":seen", &due->seen, sizeof(due->seen));
	statement_bind_text(s, ":birth", *due->birth_key ? due->birth_key : NULL);
	statement_bind_text(s, ":chosen", *due->chosen ? due->chosen : NULL);
	in->flags.dues = true;
	in->flags.row_dues |= !is_pair;
	return statement_run(s, err);
}

static bool renew(struct session *in, const struct due *due, struct error *err)
{
	struct statement *s = session_kept(
		in, KEPT_DUE_RENEW,
		"UPDATE leadsync_due SET state = :state, edited_ms = :edited, not_before_ms ="
		" :not_before, tries = :tries, seen = :seen, birth_key = :birth, chosen = :chosen"
		" WHERE number = :number",
		err);

	if (!s)
		return false;
	statement_bind_text(s, ":state", states[due->state]);
	statement_bind_int(s, ":edited", due->edited_ms);
	statement_bind_int(s, ":not_before", due->not_before_ms);
	statement_bind_int(s, ":tries", due->tries);
	statement_bind_bytes(s, ":seen", &due->seen, sizeof(due->seen));
	statement_bind_text(s, ":birth", *due->birth_key ? due->birth_key : NULL);
	statement_bind_text(s, ":chosen", *due->chosen ? due->chosen : NULL);
	statement_bind_int(s, ":number", due->number);
	return statement_run(s, err);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* What is due by `was` and by `now`. A back-off under way is not cut short by another edit; after a
 * rejection there is none. */
static struct due join(const struct due *was, const struct due *now)
{
	struct due joined = *was;

	joined.state = now->state;
	joined.key = now->key;
	joined.seen = now->seen;
	joined.edited_ms = later(was->edited_ms, now->edited_ms);
	joined.not_before_ms = now->not_before_ms;
	joined.tries = now->tries;
	if (was->state == DUE_WAITING) {
		joined.not_before_ms = later(was->not_before_ms, now->not_before_ms);
		joined.tries = was->tries > now->tries ? was->tries : now->tries;
	}
	if (*now->birth_key)
		strcpy(joined.birth_key, now->birth_key);
	if (*now->chosen)
		strcpy(joined.chosen, now->chosen);
	return joined;
}

static bool find_same(struct session *in, const struct due *due, struct due *ret, struct error *err)
{
	*ret = (struct due){ 0 };
	if (!in->flags.dues)
		return true;
	return *due->remote_id ? find_pair(in, due->remote_id, ret, err)
			       : find_row(in, &due->key, ret, err);
}

bool due_put(struct store_session *session, const struct due *due, bool anew, struct error *err)
{
	struct session *in = session_of(session);
	struct due was, joined;

	if (!find_same(in, due, &was, err))
		return false;
	if (!was.number)
		return add(in, due, err);
	joined = join(&was, due);
	if (anew)
		return due_drop(session, was.number, err) && add(in, &joined, err);
	return renew(in, &joined, err);
}

bool due_set(struct store_session *session, const struct due *due, struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s =
		session_kept(in, KEPT_DUE_SET,
			     "UPDATE leadsync_due SET state = ?1, not_before_ms = ?2, tries = ?3"
			     " WHERE number = ?4 AND job = ?5",
			     err);

	if (!s)
		return false;
	statement_bind_text_at(s, 1, states[due->state], strlen(states[due->state]));
	statement_bind_int_at(s, 2, due->not_before_ms);
	statement_bind_int_at(s, 3, due->tries);
	statement_bind_int_at(s, 4, due->number);
	statement_bind_int_at(s, 5, in->job_number);
	return statement_run(s, err);
}

bool due_wake_held(struct store_session *session, struct error *err)
{
	struct session *in = session_of(session);

	return !in->flags.dues || session_run(in,
					      "UPDATE leadsync_due SET state = 'waiting'"
					      " WHERE job = :job AND state = 'held'",
					      err);
}

/* Of what else is held it is listed why. */
bool due_wake_makeable(struct store_session *session, struct error *err)
{
	struct session *in = session_of(session);

	return !in->flags.row_dues ||
	       session_run(in,
			   "UPDATE leadsync_due SET state = 'waiting'"
			   " WHERE job = :job AND state = 'held' AND remote_id IS NULL"
			   " AND NOT EXISTS (SELECT 1 FROM leadsync_conflicts AS asked"
			   " WHERE asked.job = leadsync_due.job AND asked.remote_id IS NULL"
			   " AND asked.key = leadsync_due.key AND asked.state = 'open')"
			   " AND NOT EXISTS (SELECT 1 FROM leadsync_rejects AS reject"
			   " WHERE reject.job = leadsync_due.job AND reject.key ="
			   " leadsync_due.key AND reject.direction = 'down')",
			   err);
}

/* `which` is spelled as in the index. */
#define WAITING(which, in_journal)                                                                 \
	"SELECT " COLUMNS " FROM leadsync_due AS due WHERE job = ?1 AND state = 'waiting'"         \
	" AND due.remote_id " which " AND number > ?2 AND not_before_ms <= ?3"                     \
	" AND NOT EXISTS (SELECT 1 FROM leadsync_journal AS sent WHERE sent.job = due.job "        \
	"AND " in_journal ") ORDER BY number LIMIT ?4"

static struct statement *take_statement(struct session *in, bool pairs, struct error *err)
{
	return pairs ? session_kept(in, KEPT_DUE_TAKE_PAIRS,
				    WAITING("IS NOT NULL", "sent.remote_id = due.remote_id"), err)
		     : session_kept(in, KEPT_DUE_TAKE_ROWS,
				    WAITING("IS NULL",
					    "sent.remote_id IS NULL AND sent.key = due.key"),
				    err);
}

static bool read_dues(struct statement *s, size_t most, struct arena *arena, struct due *ret,
		      size_t *ret_count, struct error *err)
{
	size_t count = 0;
	bool row;

	for (; count < most; count++) {
		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		if (!read_due(s, arena, &ret[count], err))
			return false;
	}
	*ret_count = count;
	return true;
}

bool due_take(struct store_session *session, bool pairs, int64_t after, size_t most, int64_t now_ms,
	      struct arena *arena, struct due **ret, size_t *ret_count, struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s = take_statement(in, pairs, err);
	struct due *made = arena_take(arena, most * sizeof(*made));
	size_t count;
	bool ok;

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	statement_bind_int_at(s, 2, after);
	statement_bind_int_at(s, 3, now_ms);
	statement_bind_int_at(s, 4, (int64_t)most);
	ok = read_dues(s, most, arena, made, &count, err);
	statement_reset(s);
	if (!ok)
		return false;
	*ret = made;
	*ret_count = count;
	return true;
}

/* The row has a record now: what it owed, the pair owes. */
bool due_become_pair(struct session *in, const char *remote_id, const struct value *key,
		     struct error *err)
{
	struct due row, pair = { 0 };

	if (!in->flags.row_dues)
		return true;
	if (!find_row(in, key, &row, err))
		return false;
	if (!row.number)
		return true;
	if (strlen(remote_id) < sizeof(pair.remote_id))
		strcpy(pair.remote_id, remote_id);
	pair.edited_ms = row.edited_ms;
	pair.since_ms = row.since_ms;
	return due_drop(&in->session, row.number, err) &&
	       due_put(&in->session, &pair, false, err) && rejects_end_row(in, key, err);
}

bool due_refuse(struct session *in, const struct store_reject *reject, struct error *err)
{
	struct due due = { .state = DUE_REJECTED, .since_ms = reject->at_ms };

	if (!reject->remote_id)
		due.key = reject->key;
	else if (strlen(reject->remote_id) < sizeof(due.remote_id))
		strcpy(due.remote_id, reject->remote_id);
	return (!*due.remote_id && !due.key.text) || due_put(&in->session, &due, false, err);
}

/* One that was held was one of several that look alike: the others may be told apart now. */
bool due_end_row(struct session *in, const struct value *key, struct error *err)
{
	struct due was;

	if (!in->flags.row_dues)
		return true;
	if (!find_row(in, key, &was, err))
		return false;
	return !was.number || (due_drop(&in->session, was.number, err) &&
			       (was.state != DUE_HELD || due_wake_held(&in->session, err)));
}

/* The new key's own line ended before. */
bool due_move_row(struct session *in, const struct value *old_key, const struct value *key,
		  struct error *err)
{
	struct statement *s;

	if (!in->flags.row_dues)
		return true;
	s = session_kept(in, KEPT_DUE_MOVE_ROW,
			 "UPDATE leadsync_due SET key = ?3 WHERE job = ?1 AND key = ?2"
			 " AND remote_id IS NULL",
			 err);
	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	session_bind_key(in, s, 2, old_key);
	session_bind_key(in, s, 3, key);
	return statement_run(s, err);
}

bool due_summary(struct db *db, int64_t job_number, struct store_summary *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(db,
			      "SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,"
			      " count(*) FILTER (WHERE state = 'rejected') AS rejected,"
			      " count(*) FILTER (WHERE state = 'held') AS held,"
			      " min(since_ms) FILTER (WHERE state = 'waiting') AS oldest"
			      " FROM leadsync_due WHERE job = :job",
			      err);
	bool row;

	if (!s)
		return false;
	statement_bind_int(s, ":job", job_number);
	if (!statement_step(s, &row, err))
		return false;
	ret->waiting = statement_int(s, "waiting");
	ret->rejected = statement_int(s, "rejected");
	ret->held = statement_int(s, "held");
	ret->oldest_due_ms = statement_int(s, "oldest");
	return true;
}

/* What is on its way is listed with what waits. */
static const char list_sql[] =
	"SELECT cursor.job AS job, line.* FROM ("
	"SELECT job AS of, number, state, remote_id, key, edited_ms, since_ms, not_before_ms,"
	" tries, chosen FROM leadsync_due UNION ALL "
	"SELECT job, number, CASE unknown WHEN 1 THEN 'unknown' ELSE 'sent' END, remote_id,"
	" CASE WHEN remote_id IS NULL THEN key END, edited_ms, sent_ms, 0, tries, NULL"
	" FROM leadsync_journal) AS line JOIN leadsync_cursor AS cursor ON cursor.number = line.of"
	" WHERE :job IS NULL OR cursor.job = :job ORDER BY since_ms DESC, line.number DESC"
	" LIMIT :limit";

static void read_line(struct statement *s, struct arena *arena, struct store_due_line *ret)
{
	struct due *due = &ret->due;

	*ret = (struct store_due_line){ .job = session_text(s, "job", arena) };
	due->number = statement_int(s, "number");
	ret->state = session_text(s, "state", arena);
	for (enum due_state i = DUE_WAITING; i <= DUE_HELD; i++)
		if (strcmp(ret->state, states[i]) == 0)
			due->state = i;
	session_id(s, "remote_id", due->remote_id);
	due->key = session_value(s, "key", arena);
	due->edited_ms = statement_int(s, "edited_ms");
	due->since_ms = statement_int(s, "since_ms");
	due->not_before_ms = statement_int(s, "not_before_ms");
	due->tries = (unsigned)statement_int(s, "tries");
	session_id(s, "chosen", due->chosen);
}

bool due_list(struct db *db, const struct store_listing *what, struct arena *arena,
	      struct store_due_line **ret, size_t *ret_count, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = statement_new(db, list_sql, err);
	size_t most = session_most_lines(what), count = 0;
	struct store_due_line *made = arena_take(arena, most * sizeof(*made));
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":job", what->job);
	statement_bind_int(s, ":limit", (int64_t)most);
	while (count < most) {
		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		read_line(s, arena, &made[count++]);
	}
	*ret = made;
	*ret_count = count;
	return true;
}
