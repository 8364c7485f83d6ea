/* seen.c - the ids that a whole read has shown: a temporary table of the connection, in memory.
 *
 * Nothing of it outlives the session, and nothing needs to: a read that was cut is begun again. A
 * mark in each link instead would write every link although no record changed. */
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/session.h"

char *seen_table(const struct session *in)
{
	return mem_format("leadsync_seen_%lld", (long long)in->job_number);
}

bool seen_none(struct session *in, struct error *err)
{
	CLEANUP_FREE char *table = seen_table(in);
	CLEANUP_FREE char *sql = mem_format("DROP TABLE IF EXISTS temp.%s; CREATE TEMP TABLE %s"
					    " (remote_id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
					    table, table);

	statement_free(TAKE(in->kept[KEPT_SEEN_ADD]));
	return db_run(in->db, sql, err);
}

bool seen_add(struct session *in, const char *const *remote_ids, size_t count, struct error *err)
{
	CLEANUP_FREE char *table = seen_table(in);
	CLEANUP_FREE char *sql =
		mem_format("INSERT OR IGNORE INTO temp.%s (remote_id) VALUES (?1)", table);
	struct statement *s = session_kept(in, KEPT_SEEN_ADD, sql, err);
	int64_t before = db_total_changes(in->db);

	if (!s)
		return false;
	for (size_t i = 0; i < count; i++) {
		statement_bind_text_at(s, 1, remote_ids[i], strlen(remote_ids[i]));
		if (!statement_run(s, err))
			return false;
	}
	in->changes_passing += db_total_changes(in->db) - before;
	return true;
}

void seen_forget(struct session *in)
{
	CLEANUP_FREE char *table = seen_table(in);
	CLEANUP_FREE char *sql = mem_format("DROP TABLE IF EXISTS temp.%s", table);
	struct error why;

	/* At worst it takes memory until the connection is closed. */
	if (in->job_number)
		db_run(in->db, sql, &why);
}
