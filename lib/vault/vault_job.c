/* vault_job.c - the table `paused_job`: those that are in it are paused. */
#include "sqlite/statement.h"
#include "vault/inside.h"

bool vault_job_set_paused(struct vault *in, const char *job, bool paused, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		paused ? "INSERT INTO paused_job (name) VALUES (:name) ON CONFLICT DO NOTHING"
		       : "DELETE FROM paused_job WHERE name = :name",
		err);

	if (!s)
		return false;
	statement_bind_text(s, ":name", job);
	return inside_run_alone(in, s, err);
}

bool vault_job_paused(struct vault *in, const char *job, bool *ret_paused, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "SELECT 1 FROM paused_job WHERE name = :name", err);

	if (!s)
		return false;
	statement_bind_text(s, ":name", job);
	return statement_step(s, ret_paused, err);
}
