/* journal.c - leadsync_journal: changes on their way to the remote. A line is committed before its
 * request leaves, and deleted with what its answer settles.
 *
 * In order: values; putting; reading; finding; ending; rows that end or move. */
#include <string.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "store/sqlite/pack.h"
#include "store/sqlite/session.h"

const char journal_step_1[] =
	"CREATE TABLE leadsync_journal ("
	"	number INTEGER PRIMARY KEY AUTOINCREMENT,\n"
	"	job INTEGER NOT NULL,       -- leadsync_cursor.number\n"
	"	operation TEXT NOT NULL,    -- create, update, delete\n"
	"	unknown INTEGER NOT NULL,   -- 1: its request ended without an answer\n"
	"	remote_id TEXT,             -- NULL: of a creation\n"
	"	key,                        -- of the row; NULL: of a delete, or the row is gone\n"
	"	birth_key TEXT,             -- of a creation: what the external id field is given\n"
	"	sent_ms INTEGER NOT NULL,   -- server's clock before it left\n"
	"	edited_ms INTEGER NOT NULL, -- as in its due\n"
	"	tries INTEGER NOT NULL,\n"
	"	run TEXT NOT NULL,\n"
	"	sequence INTEGER NOT NULL,  -- the youngest leadsync_mark when it was written\n"
	"	hash BLOB NOT NULL,         -- of the record once it is done\n"
	"	payload BLOB NOT NULL,      -- hash of what is sent\n"
	"	sent BLOB                   -- what is sent: pack.h\n"
	");"
	"CREATE UNIQUE INDEX leadsync_journal_pair ON leadsync_journal (job, remote_id)"
	" WHERE remote_id IS NOT NULL;"
	"CREATE UNIQUE INDEX leadsync_journal_row ON leadsync_journal (job, key)"
	" WHERE remote_id IS NULL;"
	"CREATE INDEX leadsync_journal_key ON leadsync_journal (job, key);"
	"CREATE INDEX leadsync_journal_birth ON leadsync_journal (job, birth_key)"
	" WHERE birth_key IS NOT NULL;"
	"CREATE INDEX leadsync_journal_unknown ON leadsync_journal (job, unknown, number);";

static const char *const operations[] = {
	[SENT_CREATE] = "create", [SENT_UPDATE] = "update", [SENT_DELETE] = "delete"
};

#define COLUMNS                                                                                    \
	"number, operation, unknown, remote_id, key, birth_key, sent_ms, edited_ms, tries, run,"   \
	" hash, payload, sent"

/* A program that ended knows nothing of its answers. */
bool journal_open(struct session *in, struct error *err)
{
	return session_run(in,
			   "UPDATE leadsync_journal SET unknown = 1"
			   " WHERE job = :job AND unknown = 0",
			   err);
}

static struct value pack(const struct session *in, const struct sent *sent, struct arena *arena)
{
	size_t fields = in->job.mapping->count, count = 0;
	struct pack_item *items = arena_take(arena, fields * sizeof(*items));

	for (size_t i = 0; i < fields; i++) {
		struct value before = sent->before ? sent->before[i] : (struct value){ 0 };

		if (!sent->set[i])
			continue;
		items[count++] = (struct pack_item){
			in->numbers[i],
			{ .base = { true, sent->values[i], before } },
		};
	}
	return pack_fields(items, count, arena);
}

static void bind_line(const struct session *in, struct statement *s, const struct sent *sent)
{
	statement_bind_int(s, ":job", in->job_number);
	statement_bind_text(s, ":operation", operations[sent->operation]);
	statement_bind_int(s, ":unknown", sent->unknown);
	statement_bind_text(s, ":id", *sent->remote_id ? sent->remote_id : NULL);
	session_bind_key_as(s, ":key", in, &sent->key);
	statement_bind_text(s, ":birth", *sent->birth_key ? sent->birth_key : NULL);
	statement_bind_int(s, ":sent_ms", sent->sent_ms);
	statement_bind_int(s, ":edited", sent->edited_ms);
	statement_bind_int(s, ":tries", sent->tries);
	statement_bind_text(s, ":run", sent->run ? sent->run : "");
	statement_bind_bytes(s, ":hash", &sent->hash, sizeof(sent->hash));
	statement_bind_bytes(s, ":payload", &sent->payload, sizeof(sent->payload));
}

bool journal_put(struct store_session *session, struct sent *sent, struct error *err)
{
	struct session *in = session_of(session);
	CLEANUP(arena_free) struct arena *arena = arena_new();
	struct statement *s = session_kept(
		in, KEPT_SENT_PUT,
		"INSERT INTO leadsync_journal (job, operation, unknown, remote_id, key, birth_key,"
		" sent_ms, edited_ms, tries, run, sequence, hash, payload, sent) VALUES (:job,"
		" :operation, :unknown, :id, :key, :birth, :sent_ms, :edited, :tries, :run,"
		" coalesce((SELECT max(sequence) FROM leadsync_mark), 0), :hash, :payload, :sent)"
		" RETURNING number",
		err);
	bool row, ok;

	if (!s)
		return false;
	bind_line(in, s, sent);
	if (sent->set) {
		struct value packed = pack(in, sent, arena);

		statement_bind_bytes(s, ":sent", packed.text, packed.len);
	}
	ok = statement_step(s, &row, err);
	if (ok)
		sent->number = statement_int_at(s, 0);
	statement_reset(s);
	in->flags.sent = true;
	return ok;
}

static bool read_values(const struct session *in, struct statement *s, struct arena *arena,
			struct sent *sent, struct error *err)
{
	size_t fields = in->job.mapping->count, count = 0, len;
	const void *bytes = statement_bytes(s, "sent", &len);
	struct value packed = { len ? arena_copy(arena, bytes, len) : NULL, (uint32_t)len };
	struct pack_item *items = NULL;

	if (len && !unpack_fields(&packed, arena, &items, &count, err))
		return false;
	sent->values = arena_take(arena, fields * sizeof(*sent->values));
	sent->set = arena_take(arena, fields * sizeof(*sent->set));
	sent->before = arena_take(arena, fields * sizeof(*sent->before));
	memset(sent->values, 0, fields * sizeof(*sent->values));
	memset(sent->before, 0, fields * sizeof(*sent->before));
	memset(sent->set, 0, fields * sizeof(*sent->set));
	for (size_t i = 0; i < count; i++) {
		size_t field = dictionary_field(in, items[i].number);

		if (field == SIZE_MAX)
			continue;
		sent->values[field] = items[i].field.base.ours;
		sent->before[field] = items[i].field.base.theirs;
		sent->set[field] = true;
	}
	return true;
}

static bool read_operation(struct statement *s, enum sent_operation *ret, struct error *err)
{
	const char *operation = statement_text(s, "operation");
	enum sent_operation made = SENT_CREATE;

	while (made <= SENT_DELETE && strcmp(operation, operations[made]) != 0)
		made++;
	if (made > SENT_DELETE)
		return error_set(err, ERROR_STATE, "damaged-ledger",
				 "leadsync_journal holds what this program never wrote: restore a "
				 "backup of the store");
	*ret = made;
	return true;
}

static bool read_sent(const struct session *in, struct statement *s, struct arena *arena,
		      struct sent *ret, struct error *err)
{
	struct sent made = { .number = statement_int(s, "number") };
	const char *birth;

	if (!read_operation(s, &made.operation, err))
		return false;
	made.unknown = statement_int(s, "unknown");
	session_id(s, "remote_id", made.remote_id);
	made.key = session_value(s, "key", arena);
	birth = statement_text(s, "birth_key");
	if (birth && strlen(birth) < sizeof(made.birth_key))
		strcpy(made.birth_key, birth);
	made.sent_ms = statement_int(s, "sent_ms");
	made.edited_ms = statement_int(s, "edited_ms");
	made.tries = (unsigned)statement_int(s, "tries");
	made.run = session_text(s, "run", arena);
	made.hash = session_hash(s, "hash");
	made.payload = session_hash(s, "payload");
	if (!read_values(in, s, arena, &made, err))
		return false;
	*ret = made;
	return true;
}

static bool find_one(struct session *in, struct statement *s, const char *text, size_t len,
		     struct arena *arena, struct sent *ret, struct error *err)
{
	bool row;

	*ret = (struct sent){ 0 };
	statement_bind_int_at(s, 1, in->job_number);
	statement_bind_text_at(s, 2, text, len);
	return statement_step(s, &row, err) && (!row || read_sent(in, s, arena, ret, err));
}

bool journal_find(struct store_session *session, const char *const *remote_ids, size_t count,
		  struct arena *arena, struct sent *ret, struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s;
	bool ok = true;

	if (!in->flags.sent) {
		memset(ret, 0, count * sizeof(*ret));
		return true;
	}
	s = session_kept(in, KEPT_SENT_FIND,
			 "SELECT " COLUMNS " FROM leadsync_journal"
			 " WHERE job = ?1 AND remote_id = ?2",
			 err);
	if (!s)
		return false;
	for (size_t i = 0; ok && i < count; i++)
		ok = find_one(in, s, remote_ids[i], strlen(remote_ids[i]), arena, &ret[i], err);
	statement_reset(s);
	return ok;
}

bool journal_births(struct store_session *session, const struct value *keys, size_t count,
		    struct arena *arena, struct sent *ret, struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s;
	bool ok = true;

	memset(ret, 0, count * sizeof(*ret));
	if (!in->flags.sent)
		return true;
	s = session_kept(in, KEPT_SENT_BIRTH,
			 "SELECT " COLUMNS " FROM leadsync_journal"
			 " WHERE job = ?1 AND birth_key = ?2",
			 err);
	if (!s)
		return false;
	for (size_t i = 0; ok && i < count; i++)
		if (keys[i].text)
			ok = find_one(in, s, keys[i].text, keys[i].len, arena, &ret[i], err);
	statement_reset(s);
	return ok;
}

static bool read_all(struct session *in, struct statement *s, size_t most, struct arena *arena,
		     struct sent *ret, size_t *ret_count, struct error *err)
{
	size_t count = 0;
	bool row;

	for (; count < most; count++) {
		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		if (!read_sent(in, s, arena, &ret[count], err))
			return false;
	}
	*ret_count = count;
	return true;
}

bool journal_unanswered(struct store_session *session, int64_t before_ms, int64_t after,
			size_t most, struct arena *arena, struct sent **ret, size_t *ret_count,
			struct error *err)
{
	struct session *in = session_of(session);
	struct sent *made = arena_take(arena, most * sizeof(*made));
	struct statement *s = session_kept(in, KEPT_SENT_UNANSWERED,
					   "SELECT " COLUMNS " FROM leadsync_journal"
					   " WHERE job = ?1 AND unknown = 1 AND number > ?2"
					   " AND sent_ms < ?3 ORDER BY number LIMIT ?4",
					   err);
	size_t count;
	bool ok;

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	statement_bind_int_at(s, 2, after);
	statement_bind_int_at(s, 3, before_ms);
	statement_bind_int_at(s, 4, (int64_t)most);
	ok = read_all(in, s, most, arena, made, &count, err);
	statement_reset(s);
	if (!ok)
		return false;
	*ret = made;
	*ret_count = count;
	return true;
}

bool journal_mark_unknown(struct store_session *session, int64_t number, struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s = session_kept(
		in, KEPT_SENT_UNKNOWN,
		"UPDATE leadsync_journal SET unknown = 1 WHERE number = ?1 AND job = ?2", err);

	if (!s)
		return false;
	statement_bind_int_at(s, 1, number);
	statement_bind_int_at(s, 2, in->job_number);
	return statement_run(s, err);
}

bool journal_end(struct store_session *session, int64_t number, bool done, struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s =
		session_kept(in, KEPT_SENT_DROP,
			     "DELETE FROM leadsync_journal WHERE number = ?1 AND job = ?2", err);

	if (!s)
		return false;
	statement_bind_int_at(s, 1, number);
	statement_bind_int_at(s, 2, in->job_number);
	return statement_run(s, err) && changes_end_sent(in, number, done, err) &&
	       conflicts_end_sent(in, number, done, err);
}

bool journal_has_row(struct session *in, const struct value *key, bool *ret, struct error *err)
{
	struct statement *s;
	bool ok;

	*ret = false;
	if (!in->flags.sent)
		return true;
	s = session_kept(in, KEPT_SENT_OF_ROW,
			 "SELECT 1 FROM leadsync_journal WHERE job = ?1 AND key = ?2"
			 " AND remote_id IS NULL",
			 err);
	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	session_bind_key(in, s, 2, key);
	ok = statement_step(s, ret, err);
	statement_reset(s);
	return ok;
}

/* Also of pairs, so that nobody takes another row for the one that was sent. */
bool journal_end_row(struct session *in, const struct value *key, int64_t sequence,
		     struct error *err)
{
	struct statement *s;

	if (!in->flags.sent)
		return true;
	s = session_kept(in, KEPT_SENT_END_ROW,
			 "UPDATE leadsync_journal SET key = NULL"
			 " WHERE job = ?1 AND key = ?2 AND sequence < ?3",
			 err);
	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	session_bind_key(in, s, 2, key);
	statement_bind_int_at(s, 3, sequence);
	return statement_run(s, err);
}

/* Where a creation of a later row has the new key, this one's row is gone by now. */
bool journal_move_row(struct session *in, const struct value *old_key, const struct value *key,
		      int64_t sequence, struct error *err)
{
	struct statement *s;

	if (!in->flags.sent)
		return true;
	s = session_kept(in, KEPT_SENT_MOVE_ROW,
			 "UPDATE leadsync_journal SET sequence = ?3, key = CASE WHEN remote_id IS"
			 " NULL AND EXISTS (SELECT 1 FROM leadsync_journal AS other WHERE"
			 " other.job = ?1 AND other.key = ?4 AND other.remote_id IS NULL) THEN NULL"
			 " ELSE ?4 END WHERE job = ?1 AND key = ?2 AND sequence < ?3",
			 err);
	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	session_bind_key(in, s, 2, old_key);
	statement_bind_int_at(s, 3, sequence);
	session_bind_key(in, s, 4, key);
	return statement_run(s, err);
}

bool journal_summary(struct db *db, int64_t job_number, struct store_summary *ret,
		     struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(db,
					    "SELECT count(*) FILTER (WHERE unknown = 0) AS sent,"
					    " count(*) FILTER (WHERE unknown = 1) AS unknown"
					    " FROM leadsync_journal WHERE job = :job",
					    err);
	bool row;

	if (!s)
		return false;
	statement_bind_int(s, ":job", job_number);
	if (!statement_step(s, &row, err))
		return false;
	ret->sent = statement_int(s, "sent");
	ret->unknown = statement_int(s, "unknown");
	return true;
}
