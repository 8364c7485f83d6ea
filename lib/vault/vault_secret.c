/* vault_secret.c - the table `secret`. */
#include "base/error.h"
#include "secret/keyring.h"
#include "secret/secret.h"
#include "sqlite/statement.h"
#include "vault/inside.h"

static struct seal_context context_of(const char *name, const char *id)
{
	return (struct seal_context){
		.table = "secret", .row = id, .purpose = name, .account = "", .org_id = ""
	};
}

bool vault_secret_set(struct vault *in, const char *name, struct secret *value, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "INSERT OR REPLACE INTO secret VALUES (:name, :id, :sealed)",
			      err);
	struct seal_context context;
	char id[INSIDE_ID_SIZE];

	if (!s)
		return false;
	inside_make_id(id);
	context = context_of(name, id);
	statement_bind_text(s, ":name", name);
	statement_bind_text(s, ":id", id);
	inside_bind_sealed(in, s, ":sealed", &context, value);
	return inside_run_alone(in, s, err);
}

struct secret *vault_secret_get(struct vault *in, const char *name, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "SELECT id, sealed FROM secret WHERE name = :name", err);
	struct seal_context context;
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
	context = context_of(name, statement_text(s, "id"));
	value = inside_open_sealed(in, s, "sealed", &context, err);
	if (!value)
		error_prefix(err, "secret %s (`leadsync secret set %s` replaces it)", name, name);
	return value;
}

bool vault_secret_delete(struct vault *in, const char *name, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db, "DELETE FROM secret WHERE name = :name", err);

	if (!s)
		return false;
	statement_bind_text(s, ":name", name);
	return inside_run_alone(in, s, err);
}
