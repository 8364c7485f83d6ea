/* meta.c - leadsync_meta: one line that says whose ledger this is. Its columns never change, so
 * that a ledger of any version can be told to be another's. */
#include <string.h>

#include "store/sqlite/session.h"

const char meta_step_1[] = "CREATE TABLE leadsync_meta ("
			   "	org_id TEXT,             -- whose records; NULL: not known yet\n"
			   "	instance TEXT NOT NULL   -- whose daemon\n"
			   ")";

static bool exists(struct db *db, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		db, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'leadsync_meta'",
		err);

	return s && statement_step(s, ret, err);
}

static bool refuse_instance(struct error *err, const char *theirs)
{
	return error_set(
		err, ERROR_STATE, "other-instance",
		"this store is kept by another leadsyncd (instance %s), nothing was touched: if it "
		"is this daemon's own, restore the state directory it was filled with; else give "
		"the job another store path",
		theirs);
}

static bool refuse_org(struct error *err, const char *theirs, const char *ours)
{
	return error_set(
		err, ERROR_STATE, "other-org",
		"this store holds records of org %s, and the account is now logged in to org %s, "
		"nothing was touched: let the account log in to the first again (its section of "
		"the conf), or give the job another store path",
		theirs, ours);
}

bool meta_check(struct db *db, const char *org_id, const char *instance, bool *ret_ours,
		struct error *err)
{
	CLEANUP(statement_free) struct statement *s = NULL;
	const char *org, *owner;
	bool there, row;

	if (!exists(db, &there, err))
		return false;
	if (!there) {
		*ret_ours = false;
		return true;
	}
	s = statement_new(db, "SELECT org_id, instance FROM leadsync_meta", err);
	if (!s || !statement_step(s, &row, err))
		return false;
	if (row) {
		org = statement_text(s, "org_id");
		owner = statement_text(s, "instance");
		if (!owner || strcmp(owner, instance) != 0)
			return refuse_instance(err, owner ? owner : "");
		if (org && *org_id && strcmp(org, org_id) != 0)
			return refuse_org(err, org, org_id);
	}
	*ret_ours = row;
	return true;
}

static bool learn_org(struct db *db, const char *org_id, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(db, "UPDATE leadsync_meta SET org_id = :org WHERE org_id IS NULL",
			      err);

	if (!s)
		return false;
	statement_bind_text(s, ":org", org_id);
	return statement_run(s, err);
}

bool meta_claim(struct db *db, const char *org_id, const char *instance, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = NULL;
	bool ours;

	if (!meta_check(db, org_id, instance, &ours, err))
		return false;
	if (ours)
		return !*org_id || learn_org(db, org_id, err);
	s = statement_new(db,
			  "INSERT INTO leadsync_meta (org_id, instance) VALUES (:org, :instance)",
			  err);
	if (!s)
		return false;
	statement_bind_text(s, ":org", *org_id ? org_id : NULL);
	statement_bind_text(s, ":instance", instance);
	return statement_run(s, err);
}
