/* link.c - leadsync_link: which record is which row. Narrow, and in the order of remote ids, so
 * that an unchanged record costs one look-up. */
#include <string.h>

#include "base/arena.h"
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

static struct value copy_key(struct statement *s, int column, struct arena *arena)
{
	size_t len;
	const char *text = statement_text_at(s, column, &len);

	return text ? (struct value){ arena_copy(arena, text, len), (uint32_t)len }
		    : (struct value){ 0 };
}

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
	ret->key = copy_key(s, 1, arena);
	ret->state = (enum link_state)statement_int_at(s, 2);
	return true;
}

bool link_find(struct session *in, const char *const *remote_ids, size_t count, struct arena *arena,
	       struct link *ret, struct error *err)
{
	struct statement *s = session_kept(in, KEPT_LINK_FIND,
					   "SELECT hash, key, state FROM leadsync_link"
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

bool link_owners(struct session *in, const struct value *keys, size_t count,
		 struct store_owner *ret, struct error *err)
{
	struct statement *s = session_kept(in, KEPT_LINK_OWNER,
					   "SELECT remote_id, state FROM leadsync_link"
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

bool link_put(struct session *in, const char *remote_id, const struct link *link, struct error *err)
{
	struct statement *s = session_kept(
		in, KEPT_LINK_PUT,
		"INSERT INTO leadsync_link (job, remote_id, key, state, hash)"
		" VALUES (?1, ?2, ?3, ?4, :hash) ON CONFLICT DO UPDATE"
		" SET hash = excluded.hash, key = excluded.key, state = excluded.state",
		err);

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job_number);
	statement_bind_text_at(s, 2, remote_id, strlen(remote_id));
	session_bind_key(in, s, 3, &link->key);
	statement_bind_int_at(s, 4, link->state);
	statement_bind_bytes(s, ":hash", &link->hash, sizeof(link->hash));
	return statement_run(s, err);
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
