/* vault_secret.c - the table `secret`. */
#include "base/error.h"
#include "base/utc.h"
#include "secret/secret.h"
#include "sqlite/statement.h"
#include "vault/sealed.h"

static struct sealed_row row_of(const char *id, const char *name)
{
	return (struct sealed_row){ .id = id, .account = "", .detail = name, .org_id = "" };
}

bool vault_secret_set(struct vault *in, const char *name, struct secret *value, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db,
			      "INSERT OR REPLACE INTO secret (name, id, set_ms, sealed)"
			      " VALUES (:name, :id, :set_ms, :sealed)",
			      err);
	char id[INSIDE_ID_SIZE];

	if (!s)
		return false;
	inside_make_id(id);
	const struct sealed_row row = row_of(id, name);

	statement_bind_text(s, ":name", name);
	statement_bind_text(s, ":id", id);
	statement_bind_int(s, ":set_ms", utc_now_ms());
	sealed_bind(in, s, ":sealed", SEALED_SECRET, &row, value);
	return inside_run_alone(in, s, err);
}

struct secret *vault_secret_get(struct vault *in, const char *name, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "SELECT id, sealed FROM secret WHERE name = :name", err);
	struct secret *value;
	bool row;

	if (!s)
		return NULL;
	statement_bind_text(s, ":name", name);
	if (!statement_step(s, &row, err))
		return NULL;
	if (!row) {
		error_set(err, ERROR_HUMAN, "no-secret",
			  "no secret %s is stored: type it in with `leadsync secret set %s`", name,
			  name);
		return NULL;
	}
	const struct sealed_row about = row_of(statement_text(s, "id"), name);

	value = sealed_open(in, s, SEALED_SECRET, &about, err);
	if (!value)
		error_prefix(err, "secret %s (`leadsync secret set %s` replaces it)", name, name);
	return value;
}

bool vault_secret_has(struct vault *in, const char *name, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db, "SELECT 1 FROM secret WHERE name = :name", err);

	if (!s)
		return false;
	statement_bind_text(s, ":name", name);
	return statement_step(s, ret, err);
}

bool vault_secret_delete(struct vault *in, const char *name, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db, "DELETE FROM secret WHERE name = :name", err);
	int64_t before = db_total_changes(in->db);

	if (!s)
		return false;
	statement_bind_text(s, ":name", name);
	if (!inside_run_alone(in, s, err))
		return false;
	return db_total_changes(in->db) > before ||
	       error_set(err, ERROR_HUMAN, "no-secret",
			 "no secret is named '%s'; `leadsync secret list` lists them", name);
}

bool vault_secret_list(struct vault *in, vault_secret_fn *fn, void *arg, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "SELECT name, set_ms FROM secret ORDER BY name", err);
	bool row;

	if (!s)
		return false;
	while (statement_step(s, &row, err)) {
		if (!row)
			return true;
		fn(statement_text(s, "name"), statement_int(s, "set_ms"), arg);
	}
	return false;
}
