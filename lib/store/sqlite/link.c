/* link.c - leadsync_link: which record is which row, and what both held when last settled. In the
 * order of remote ids, so that an unchanged record costs one look-up; what both held comes last in
 * its line and is not read then.
 *
 * In order: finding; fields; putting; rows that end or move; out of sight; all of them. */
#include <string.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "store/sqlite/pack.h"
#include "store/sqlite/session.h"

const char link_step_1[] =
	"CREATE TABLE leadsync_link ("
	"	job INTEGER NOT NULL,     -- leadsync_cursor.number\n"
	"	remote_id TEXT NOT NULL,\n"
	"	hash BLOB NOT NULL,       -- of the record's mapped fields when last settled\n"
	"	key,                      -- of the row; NULL: the row is gone\n"
	"	state INTEGER NOT NULL,   -- 0 live, 1 deleted at the remote, 2 out of sight\n"
	"	PRIMARY KEY (job, remote_id)"
	") WITHOUT ROWID;"
	"CREATE INDEX leadsync_link_key ON leadsync_link (job, key)";

/* In base, a field that is not mapped any more lasts until the link's fields are put again. */
const char link_step_2[] =
	"ALTER TABLE leadsync_link ADD COLUMN written_ms INTEGER NOT NULL DEFAULT 0"
	"	/* our last write was answered, server's clock */;"
	"ALTER TABLE leadsync_link ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0"
	"	/* the youngest leadsync_mark when it got its key */;"
	"ALTER TABLE leadsync_link ADD COLUMN base BLOB"
	"	/* per field what row and record held when last settled: pack.h */;";

static bool find_one(struct statement *s, const char *remote_id, struct arena *arena,
		     struct link *ret, struct error *err)
{
	const void *hash;
	size_t len;
	bool row;

	*ret = (struct link){ 0 };
	statement_bind_text_at(s, 2, remote_id, strlen(remote_id));
	if (!statement_step(s, &row, err) || !row)
		return !row;
	hash = statement_bytes(s, "hash", &len);
	ret->found = true;
	if (len == sizeof(ret->hash))
		memcpy(&ret->hash, hash, len);
	ret->key = session_value_at(s, 1, arena);
	ret->state = (enum link_state)statement_int_at(s, 2);
	ret->written_ms = statement_int_at(s, 3);
	return true;
}

bool link_find(struct session *in, const char *const *remote_ids, size_t count, struct arena *arena,
	       struct link *ret, struct error *err)
{
	struct statement *s = session_kept(in, KEPT_LINK_FIND,
					   "SELECT hash, key, state, written_ms FROM leadsync_link"
					   " WHERE job = ?1 AND remote_id = ?2",
					   err);
	bool ok = s;

	if (ok)
		statement_bind_int_at(s, 1, in->job_number);
	for (size_t i = 0; ok && i < count; i++)
		ok = find_one(s, remote_ids[i], arena, &ret[i], err);
	if (s)
		statement_reset(s); /* a read left open would keep the WAL from being emptied */
	return ok;
}

/* SQLite would rather look at every link of the job: of a job's links, as of those with a key, it
 * expects ten. */
#define BY_KEY "INDEXED BY leadsync_link_key"

bool link_owners(struct session *in, const struct value *keys, size_t count,
		 struct store_owner *ret, struct error *err)
{
	struct statement *s = session_kept(in, KEPT_LINK_OWNER,
					   "SELECT remote_id, state FROM leadsync_link " BY_KEY
					   " WHERE job = ?1 AND key = ?2 ORDER BY state LIMIT 1",
					   err);
	bool ok = s, row;

	for (size_t i = 0; ok && i < count; i++) {
		const char *id;
		size_t len;

		ret[i] = (struct store_owner){ 0 };
		statement_bind_int_at(s, 1, in->job_number);
		session_bind_key(in, s, 2, &keys[i]);
		ok = statement_step(s, &row, err);
		if (!ok || !row)
			continue;
		id = statement_text_at(s, 0, &len);
		ret[i].found = len < sizeof(ret[i].remote_id);
		if (ret[i].found)
			memcpy(ret[i].remote_id, id, len + 1);
		ret[i].state = (enum link_state)statement_int_at(s, 1);
	}
	if (s)
		statement_reset(s);
	return ok;
}

static struct link_field *fill_fields(const struct session *in, const struct pack_item *items,
				      size_t count, struct arena *arena)
{
	size_t size = in->job.mapping->count * sizeof(struct link_field);
	struct link_field *fields = memset(arena_take(arena, size), 0, size);

	for (size_t i = 0; i < count; i++) {
		size_t field = dictionary_field(in, items[i].number);

		if (field != SIZE_MAX)
			fields[field] = items[i].field;
	}
	return fields;
}

static bool read_fields(struct session *in, struct statement *s, struct arena *arena,
			struct link *link, struct error *err)
{
	struct pack_item *items = NULL;
	size_t count = 0, len;
	const void *bytes = statement_bytes(s, "base", &len);
	struct value base = { len ? arena_copy(arena, bytes, len) : NULL, (uint32_t)len };

	if (len && !unpack_fields(&base, arena, &items, &count, err))
		return false;
	link->fields = fill_fields(in, items, count, arena);
	return true;
}

bool link_fields(struct store_session *session, const char *const *remote_ids, size_t count,
		 struct arena *arena, struct link *links, struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s =
		session_kept(in, KEPT_LINK_BASE,
			     "SELECT base FROM leadsync_link WHERE job = ?1 AND remote_id = ?2",
			     err);
	bool ok = s, row;

	for (size_t i = 0; ok && i < count; i++) {
		if (!links[i].found)
			continue;
		statement_bind_int_at(s, 1, in->job_number);
		statement_bind_text_at(s, 2, remote_ids[i], strlen(remote_ids[i]));
		ok = statement_step(s, &row, err) &&
		     (!row || read_fields(in, s, arena, &links[i], err));
	}
	if (s)
		statement_reset(s);
	return ok;
}

static struct value pack(const struct session *in, const struct link_field *fields,
			 struct arena *arena)
{
	size_t count = in->job.mapping->count;
	struct pack_item *items = arena_take(arena, count * sizeof(*items));

	for (size_t i = 0; i < count; i++)
		items[i] = (struct pack_item){ in->numbers[i], fields[i] };
	return pack_fields(items, count, arena);
}

/* Without a key the sequence says nothing, and a link that keeps its key keeps it, too. One that is
 * made of a creation knows of its row what was known when that was sent. */
#define PUT(columns, values, sets)                                                                 \
	"INSERT INTO leadsync_link (job, remote_id, key, state, written_ms, sequence, "            \
	"hash" columns ") VALUES (?1, ?2, ?3, ?4, ?5,"                                             \
	" coalesce((SELECT sequence FROM leadsync_journal AS sent WHERE sent.job = ?1"             \
	" AND sent.key = ?3 AND sent.remote_id IS NULL), (SELECT max(sequence) FROM"               \
	" leadsync_mark), 0), :hash" values ")"                                                    \
	" ON CONFLICT DO UPDATE SET hash = excluded.hash, state = excluded.state,"                 \
	" written_ms = excluded.written_ms, sequence = CASE WHEN key IS excluded.key THEN"         \
	" sequence ELSE excluded.sequence END, key = excluded.key" sets

static struct statement *put_statement(struct session *in, bool with_base, struct error *err)
{
	return with_base ? session_kept(in, KEPT_LINK_PUT_BASE,
					PUT(", base", ", :base", ", base = excluded.base"), err)
			 : session_kept(in, KEPT_LINK_PUT, PUT("", "", ""), err);
}

bool link_put(struct session *in, const char *remote_id, const struct link *link,
	      struct arena *arena, struct error *err)
{
	struct statement *s = put_statement(in, link->fields, err);

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	statement_bind_text_at(s, 2, remote_id, strlen(remote_id));
	session_bind_key(in, s, 3, &link->key);
	statement_bind_int_at(s, 4, link->state);
	statement_bind_int_at(s, 5, link->written_ms);
	statement_bind_bytes(s, ":hash", &link->hash, sizeof(link->hash));
	if (link->fields) {
		struct value base = pack(in, link->fields, arena);

		statement_bind_bytes(s, ":base", base.text, base.len);
	}
	return statement_run(s, err) && (!link->key.text || link->state == LINK_DELETED ||
					 (due_become_pair(in, remote_id, &link->key, err) &&
					  rejects_become_pair(in, remote_id, &link->key, err)));
}

bool link_unrow(struct session *in, const char *remote_id, struct error *err)
{
	struct statement *s = session_kept(in, KEPT_LINK_UNROW,
					   "UPDATE leadsync_link SET key = NULL"
					   " WHERE job = ?1 AND remote_id = ?2",
					   err);

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	statement_bind_text_at(s, 2, remote_id, strlen(remote_id));
	return statement_run(s, err);
}

bool link_end_row(struct session *in, const struct value *key, int64_t sequence,
		  link_ended_fn *ended, void *arg, struct error *err)
{
	struct statement *s =
		session_kept(in, KEPT_LINK_END_ROW,
			     "UPDATE leadsync_link " BY_KEY
			     " SET key = NULL WHERE job = ?1 AND key = ?2 AND sequence < ?3"
			     " RETURNING remote_id, state",
			     err);
	bool ok = s, row = true;
	size_t len;

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	session_bind_key(in, s, 2, key);
	statement_bind_int_at(s, 3, sequence);
	while (ok && row) {
		ok = statement_step(s, &row, err);
		/* Of a tombstone nothing is left to be done. */
		if (ok && row && statement_int_at(s, 1) != LINK_DELETED)
			ended(statement_text_at(s, 0, &len), arg);
	}
	statement_reset(s);
	return ok;
}

bool link_move_row(struct session *in, const struct value *old_key, const struct value *key,
		   int64_t sequence, struct error *err)
{
	struct statement *s =
		session_kept(in, KEPT_LINK_MOVE_ROW,
			     "UPDATE leadsync_link " BY_KEY " SET key = ?4, sequence = ?3"
			     " WHERE job = ?1 AND key = ?2 AND sequence < ?3",
			     err);

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	session_bind_key(in, s, 2, old_key);
	statement_bind_int_at(s, 3, sequence);
	session_bind_key(in, s, 4, key);
	return statement_run(s, err);
}

/* Without a hash, so that the record is compared as soon as it is read. */
static bool unpark_seen(struct session *in, const char *seen, struct error *err)
{
	CLEANUP_FREE char *sql = mem_format(
		"UPDATE leadsync_link SET state = 0, hash = zeroblob(16)"
		" WHERE job = :job AND state = 2 AND EXISTS"
		" (SELECT 1 FROM temp.%s AS seen WHERE seen.remote_id = leadsync_link.remote_id)",
		seen);
	CLEANUP(statement_free) struct statement *s = statement_new(in->db, sql, err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	return statement_run(s, err);
}

bool link_park_unseen(struct session *in, int64_t *ret_parked, struct error *err)
{
	CLEANUP_FREE char *seen = seen_table(in);
	CLEANUP_FREE char *sql = mem_format(
		"UPDATE leadsync_link SET state = 2 WHERE job = :job AND state = 0 AND NOT EXISTS"
		" (SELECT 1 FROM temp.%s AS seen WHERE seen.remote_id = leadsync_link.remote_id)",
		seen);
	CLEANUP(statement_free) struct statement *s = statement_new(in->db, sql, err);
	int64_t before = db_total_changes(in->db);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	if (!statement_run(s, err))
		return false;
	*ret_parked = db_total_changes(in->db) - before;
	return unpark_seen(in, seen, err);
}

bool link_forget_all(struct session *in, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "DELETE FROM leadsync_link WHERE job = :job", err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	return statement_run(s, err);
}

/* Sums in one pass: GROUP BY would sort all links first, in memory. */
bool link_summary(struct db *db, int64_t job_number, struct store_summary *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(db,
					    "SELECT count(*) FILTER (WHERE state = :live) AS live,"
					    " count(*) FILTER (WHERE state = :deleted) AS deleted,"
					    " count(*) FILTER (WHERE state = :unseen) AS unseen"
					    " FROM leadsync_link WHERE job = :job",
					    err);
	bool row;

	if (!s)
		return false;
	statement_bind_int(s, ":job", job_number);
	statement_bind_int(s, ":live", LINK_LIVE);
	statement_bind_int(s, ":deleted", LINK_DELETED);
	statement_bind_int(s, ":unseen", LINK_OUT_OF_SIGHT);
	if (!statement_step(s, &row, err))
		return false;
	ret->linked = statement_int(s, "live");
	ret->deleted = statement_int(s, "deleted");
	ret->out_of_sight = statement_int(s, "unseen");
	return true;
}
