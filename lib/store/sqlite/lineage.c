/* lineage.c - leadsync_lineage: which record went up in which other one. */
#include "store/sqlite/session.h"

const char lineage_step_1[] = "CREATE TABLE leadsync_lineage ("
			      "	job INTEGER NOT NULL,     -- leadsync_cursor.number\n"
			      "	loser TEXT NOT NULL,      -- remote ids\n"
			      "	winner TEXT NOT NULL,\n"
			      "	run TEXT NOT NULL,\n"
			      "	at_ms INTEGER NOT NULL,\n"
			      "	PRIMARY KEY (job, loser)"
			      ") WITHOUT ROWID";

bool lineage_put(struct session *in, const char *loser, const char *winner, const char *run,
		 int64_t at_ms, struct error *err)
{
	struct statement *s = session_kept(
		in, KEPT_LINEAGE_PUT,
		"INSERT INTO leadsync_lineage (job, loser, winner, run, at_ms)"
		" VALUES (:job, :loser, :winner, :run, :at) ON CONFLICT DO UPDATE"
		" SET winner = excluded.winner, run = excluded.run, at_ms = excluded.at_ms"
		" WHERE winner <> excluded.winner",
		err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	statement_bind_text(s, ":loser", loser);
	statement_bind_text(s, ":winner", winner);
	statement_bind_text(s, ":run", run);
	statement_bind_int(s, ":at", at_ms);
	return statement_run(s, err);
}
