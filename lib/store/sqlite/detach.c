/* detach.c - a job's triggers and lines taken away; the people's table stays as it is. */
#include <string.h>

#include "store/sqlite/session.h"

static bool run_for(struct db *db, const char *sql, int64_t job_number, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = statement_new(db, sql, err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", job_number);
	return statement_run(s, err);
}

static bool forget_runs(struct db *db, const char *job, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(db, "DELETE FROM leadsync_runs WHERE job = :job", err);

	if (!s)
		return false;
	statement_bind_text(s, ":job", job);
	return statement_run(s, err);
}

/* Made by us or not, the table is theirs once no job is left that fills it. */
static bool forget_lines(struct db *db, int64_t number, struct error *err)
{
	static const char *const lines[] = {
		"DELETE FROM leadsync_journal WHERE job = :job",
		"DELETE FROM leadsync_due WHERE job = :job",
		"DELETE FROM leadsync_link WHERE job = :job",
		"DELETE FROM leadsync_field WHERE job = :job",
		"DELETE FROM leadsync_rejects WHERE job = :job",
		"DELETE FROM leadsync_conflicts WHERE job = :job",
		"DELETE FROM leadsync_changes WHERE job = :job",
		"DELETE FROM leadsync_lineage WHERE job = :job",
		"DELETE FROM leadsync_tables WHERE name = (SELECT table_name FROM leadsync_cursor"
		" WHERE number = :job) AND NOT EXISTS (SELECT 1 FROM leadsync_cursor AS other"
		" WHERE other.table_name = leadsync_tables.name AND other.number <> :job)",
		"DELETE FROM leadsync_cursor WHERE number = :job",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!run_for(db, lines[i], number, err))
			return false;
	return true;
}

static bool detach_number(struct db *db, int64_t number, struct error *err)
{
	struct capture capture = { .db = db, .job = number };
	CLEANUP_FREE char *index =
		mem_format("DROP INDEX IF EXISTS main.leadsync_%lld_match", (long long)number);
	int64_t before;
	bool ok;

	if (!capture_version(&capture, &before, err))
		return false;
	ok = db_run(db, index, err) && capture_carry_over(&capture, before, err) &&
	     capture_drop(&capture, err) && forget_lines(db, number, err);
	capture_clear(&capture);
	return ok;
}

bool detach_job(struct db *db, const char *job, struct error *err)
{
	int64_t number;

	if (!cursor_number(db, job, &number, err))
		return false;
	return (!number || detach_number(db, number, err)) && forget_runs(db, job, err);
}
