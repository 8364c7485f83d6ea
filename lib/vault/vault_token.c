/* vault_token.c - the tables `token` and `account`.
 *
 * The plain columns of a token are for people and other programs to look at; `facts` holds the same
 * sealed, so that a token is never sent to an address that somebody wrote into the row. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "secret/keyring.h"
#include "secret/secret.h"
#include "sqlite/statement.h"
#include "vault/inside.h"

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static char *copy_or_null(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

static struct seal_context context_of(const char *account, const char *id,
				      const struct vault_token *token, const char *purpose)
{
	return (struct seal_context){
		.table = "token",
		.row = id,
		.purpose = purpose,
		.account = account,
		.org_id = or_empty(token->org_id),
		.generation = token->generation,
	};
}

/* Each part behind its length, so that two tokens never have the same facts. */
static struct secret *facts_of(const struct vault_token *token)
{
	const char *url = or_empty(token->instance_url), *user = or_empty(token->user_id),
		   *scope = or_empty(token->scope), *source = or_empty(token->source);
	CLEANUP_FREE char *text =
		mem_format("%zu:%s%zu:%s%c%zu:%s%zu:%s%" PRId64 " %" PRId64 " %c", strlen(url), url,
			   strlen(user), user, token->scope ? 's' : '-', strlen(scope), scope,
			   strlen(source), source, token->obtained_ms, token->expires_ms,
			   token->refresh_token ? 'r' : '-');

	return secret_new(text, strlen(text));
}

void vault_token_done(struct vault_token *in)
{
	secret_free(in->access_token);
	secret_free(in->refresh_token);
	free(in->instance_url);
	free(in->org_id);
	free(in->user_id);
	free(in->scope);
	free(in->source);
	*in = (struct vault_token){ 0 };
}

static bool next_generation(struct vault *in, const char *account, uint64_t *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"INSERT INTO account VALUES (:name, 1) "
		"ON CONFLICT (name) DO UPDATE SET generation = generation + 1 RETURNING generation",
		err);
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":name", account);
	if (!statement_step(s, &row, err))
		return false;
	*ret = (uint64_t)statement_int(s, "generation");
	return true;
}

static bool write_row(struct vault *in, const char *account, const struct vault_token *token,
		      struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"INSERT OR REPLACE INTO token (account, id, generation, access_token,"
		" refresh_token, facts, instance_url, org_id, user_id, scope, source,"
		" obtained_ms, expires_ms) VALUES (:account, :id, :generation, :access_token,"
		" :refresh_token, :facts, :instance_url, :org_id, :user_id, :scope, :source,"
		" :obtained_ms, :expires_ms)",
		err);
	CLEANUP(secret_free) struct secret *facts = facts_of(token);
	char id[INSIDE_ID_SIZE];

	if (!s)
		return false;
	inside_make_id(id);
	const struct seal_context access = context_of(account, id, token, "access token"),
				  refresh = context_of(account, id, token, "refresh token"),
				  about = context_of(account, id, token, "facts");

	statement_bind_text(s, ":account", account);
	statement_bind_text(s, ":id", id);
	statement_bind_int(s, ":generation", (int64_t)token->generation);
	inside_bind_sealed(in, s, ":access_token", &access, token->access_token);
	inside_bind_sealed(in, s, ":refresh_token", &refresh, token->refresh_token);
	inside_bind_sealed(in, s, ":facts", &about, facts);
	statement_bind_text(s, ":instance_url", or_empty(token->instance_url));
	statement_bind_text(s, ":org_id", or_empty(token->org_id));
	statement_bind_text(s, ":user_id", or_empty(token->user_id));
	statement_bind_text(s, ":scope", token->scope);
	statement_bind_text(s, ":source", or_empty(token->source));
	statement_bind_int(s, ":obtained_ms", token->obtained_ms);
	statement_bind_int(s, ":expires_ms", token->expires_ms);
	return statement_run(s, err);
}

bool vault_token_put(struct vault *in, const char *account, struct vault_token *token,
		     struct error *err)
{
	struct vault_token stored = *token;

	if (!db_begin(in->db, err))
		return false;
	if (!next_generation(in, account, &stored.generation, err) ||
	    !write_row(in, account, &stored, err)) {
		db_rollback(in->db);
		return false;
	}
	if (!db_commit(in->db, err))
		return false;
	token->generation = stored.generation;
	return true;
}

/* Fills in `token`, which may be left half filled on failure. */
static bool read_row(struct vault *in, const char *account, struct statement *s,
		     struct vault_token *token, struct error *err)
{
	const char *id = statement_text(s, "id");
	CLEANUP(secret_free) struct secret *sealed_facts = NULL;
	CLEANUP(secret_free) struct secret *facts = NULL;
	struct seal_context context;

	token->instance_url = mem_strdup(statement_text(s, "instance_url"));
	token->org_id = mem_strdup(statement_text(s, "org_id"));
	token->user_id = mem_strdup(statement_text(s, "user_id"));
	token->scope = copy_or_null(statement_text(s, "scope"));
	token->source = mem_strdup(statement_text(s, "source"));
	token->obtained_ms = statement_int(s, "obtained_ms");
	token->expires_ms = statement_int(s, "expires_ms");
	token->generation = (uint64_t)statement_int(s, "generation");

	context = context_of(account, id, token, "access token");
	token->access_token = inside_open_sealed(in, s, "access_token", &context, err);
	if (!token->access_token)
		return false;
	if (!statement_is_null(s, "refresh_token")) {
		context = context_of(account, id, token, "refresh token");
		token->refresh_token = inside_open_sealed(in, s, "refresh_token", &context, err);
		if (!token->refresh_token)
			return false;
	}
	context = context_of(account, id, token, "facts");
	sealed_facts = inside_open_sealed(in, s, "facts", &context, err);
	if (!sealed_facts)
		return false;
	facts = facts_of(token);
	return secret_equal(facts, sealed_facts) ||
	       error_set(err, ERROR_STATE, "tampered",
			 "a column of its row is not what was stored");
}

bool vault_token_get(struct vault *in, const char *account, struct vault_token *ret_token,
		     bool *ret_found, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"SELECT id, instance_url, org_id, user_id, scope, source, obtained_ms,"
		" expires_ms, generation, access_token, refresh_token, facts"
		" FROM token WHERE account = :account",
		err);
	struct vault_token token = { 0 };
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":account", account);
	if (!statement_step(s, &row, err))
		return false;
	if (row && !read_row(in, account, s, &token, err)) {
		vault_token_done(&token);
		return error_prefix(err,
				    "token of account %s (typing the account's secret in again "
				    "with `leadsync secret set` replaces it)",
				    account);
	}
	if (row)
		*ret_token = token;
	*ret_found = row;
	return true;
}

bool vault_token_delete(struct vault *in, const char *account, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "DELETE FROM token WHERE account = :account", err);

	if (!s)
		return false;
	statement_bind_text(s, ":account", account);
	return inside_run_alone(in, s, err);
}
