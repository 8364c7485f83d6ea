/* vault_revocation.c - the table `revocation`.
 *
 * The token is sealed for its source, so that it is never sent to another endpoint. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "secret/secret.h"
#include "sqlite/statement.h"
#include "vault/sealed.h"

static struct sealed_row row_of(const char *id, const char *account, const char *source)
{
	return (struct sealed_row){ .id = id, .account = account, .detail = source, .org_id = "" };
}

void vault_revocation_done(struct vault_revocation *in)
{
	free(in->account);
	free(in->source);
	secret_free(in->token);
	*in = (struct vault_revocation){ 0 };
}

bool inside_revocation_insert(struct vault *in, const char *account, const char *source,
			      struct secret *token, int64_t now_ms, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db,
			      "INSERT INTO revocation (id, account, source, sealed, since_ms)"
			      " VALUES (:id, :account, :source, :sealed, :since_ms)",
			      err);
	char id[INSIDE_ID_SIZE];

	if (!s)
		return false;
	inside_make_id(id);
	const struct sealed_row row = row_of(id, account, source);

	statement_bind_text(s, ":id", id);
	statement_bind_text(s, ":account", account);
	statement_bind_text(s, ":source", source);
	sealed_bind(in, s, ":sealed", SEALED_REVOCATION, &row, token);
	statement_bind_int(s, ":since_ms", now_ms);
	return statement_run(s, err);
}

bool vault_revocation_add(struct vault *in, const char *account, const char *source,
			  struct secret *token, int64_t now_ms, struct error *err)
{
	return db_begin(in->db, err) &&
	       db_end(in->db, inside_revocation_insert(in, account, source, token, now_ms, err),
		      err);
}

/* False: it is sealed under a key that is not given, and waits for it. */
static bool read_entry(struct vault *in, struct statement *s, struct vault_revocation *ret)
{
	const struct sealed_row about =
		row_of(statement_text(s, "id"), statement_text(s, "account"),
		       statement_text(s, "source"));
	struct error why;
	struct secret *token = sealed_open(in, s, SEALED_REVOCATION, &about, &why);

	if (!token && strcmp(why.code, "wrong-key") == 0)
		return false;
	*ret = (struct vault_revocation){ .id = statement_int(s, "number"),
					  .account = mem_strdup(about.account),
					  .source = mem_strdup(about.detail),
					  .token = token,
					  .since_ms = statement_int(s, "since_ms") };
	return true;
}

bool vault_revocation_next(struct vault *in, int64_t after, struct vault_revocation *ret,
			   bool *ret_found, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db,
			      "SELECT number, id, account, source, sealed, since_ms FROM revocation"
			      " WHERE number > :after ORDER BY number",
			      err);

	if (!s)
		return false;
	statement_bind_int(s, ":after", after);
	while (statement_step(s, ret_found, err)) {
		if (!*ret_found || read_entry(in, s, ret))
			return true;
	}
	return false;
}

bool vault_revocation_delete(struct vault *in, int64_t id, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "DELETE FROM revocation WHERE number = :number", err);

	if (!s)
		return false;
	statement_bind_int(s, ":number", id);
	return inside_run_alone(in, s, err);
}
