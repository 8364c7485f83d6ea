/* rejects.c - leadsync_rejects: records that could not be taken, each with what to do. */
#include <string.h>

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

bool rejects_put(struct session *in, const struct store_reject *reject, struct error *err)
{
	struct statement *s = session_kept(
		in, KEPT_REJECT_PUT,
		"INSERT INTO leadsync_rejects (job, remote_id, code, field, text, remedy, run, "
		"at_ms)"
		" VALUES (:job, :id, :code, :field, :text, :remedy, :run, :at)"
		" ON CONFLICT DO UPDATE SET code = excluded.code, field = excluded.field,"
		" text = excluded.text, remedy = excluded.remedy, run = excluded.run,"
		" at_ms = excluded.at_ms"
		" WHERE code <> excluded.code OR field IS NOT excluded.field OR text <> "
		"excluded.text",
		err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	statement_bind_text(s, ":id", reject->remote_id);
	statement_bind_text(s, ":code", reject->code);
	statement_bind_text(s, ":field", reject->field);
	statement_bind_text(s, ":text", reject->text);
	statement_bind_text(s, ":remedy", reject->remedy);
	statement_bind_text(s, ":run", reject->run);
	statement_bind_int(s, ":at", reject->at_ms);
	if (!statement_run(s, err))
		return false;
	in->rejects++; /* perhaps one too many, which costs a look-up */
	return true;
}

bool rejects_drop(struct session *in, const char *const *remote_ids, size_t count,
		  struct error *err)
{
	struct statement *s;

	if (!in->rejects)
		return true;
	s = session_kept(in, KEPT_REJECT_DROP,
			 "DELETE FROM leadsync_rejects WHERE job = ?1 AND remote_id = ?2", err);
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

bool rejects_count(struct db *db, int64_t job_number, int64_t *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(db,
			      "SELECT count(*) AS rejects FROM leadsync_rejects WHERE job = :job",
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
