/* vault_token.c - the table `token`, and the generations and marks of its rows.
 *
 * The plain columns of a token are for people and other programs to look at; `facts` holds the same
 * sealed, so that a token is never sent to an address that somebody wrote into the row. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "secret/secret.h"
#include "sqlite/statement.h"
#include "vault/marks.h"
#include "vault/sealed.h"

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static char *copy_or_null(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

static struct sealed_row row_of(const char *account, const char *id,
				const struct vault_token *token)
{
	return (struct sealed_row){
		.id = id,
		.account = account,
		.detail = "",
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
		mem_format("%zu:%s%zu:%s%c%zu:%s%zu:%s%" PRId64 " %" PRId64 " %d %d %c",
			   strlen(url), url, strlen(user), user, token->scope ? 's' : '-',
			   strlen(scope), scope, strlen(source), source, token->obtained_ms,
			   token->expires_ms, (int)token->expiry, (int)token->rotation,
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

/* Never one that a mark is above: after a restored backup it would be stale at once. */
static bool next_generation(struct vault *in, const char *account, uint64_t mark, uint64_t *ret,
			    struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"INSERT INTO account (name, generation) VALUES (:name, :mark + 1)"
		" ON CONFLICT (name) DO UPDATE SET generation = max(generation, :mark) + 1,"
		" asked = 0, disconnected = 0 RETURNING generation",
		err);
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":name", account);
	statement_bind_int(s, ":mark", (int64_t)mark);
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
		" obtained_ms, expires_ms, expiry, rotation)"
		" VALUES (:account, :id, :generation, :access_token, :refresh_token, :facts,"
		" :instance_url, :org_id, :user_id, :scope, :source, :obtained_ms, :expires_ms,"
		" :expiry, :rotation)",
		err);
	CLEANUP(secret_free) struct secret *facts = facts_of(token);
	char id[INSIDE_ID_SIZE];

	if (!s)
		return false;
	inside_make_id(id);
	const struct sealed_row row = row_of(account, id, token);

	statement_bind_text(s, ":account", account);
	statement_bind_text(s, ":id", id);
	statement_bind_int(s, ":generation", (int64_t)token->generation);
	sealed_bind(in, s, ":access_token", SEALED_ACCESS_TOKEN, &row, token->access_token);
	sealed_bind(in, s, ":refresh_token", SEALED_REFRESH_TOKEN, &row, token->refresh_token);
	sealed_bind(in, s, ":facts", SEALED_FACTS, &row, facts);
	statement_bind_text(s, ":instance_url", or_empty(token->instance_url));
	statement_bind_text(s, ":org_id", or_empty(token->org_id));
	statement_bind_text(s, ":user_id", or_empty(token->user_id));
	statement_bind_text(s, ":scope", token->scope);
	statement_bind_text(s, ":source", or_empty(token->source));
	statement_bind_int(s, ":obtained_ms", token->obtained_ms);
	statement_bind_int(s, ":expires_ms", token->expires_ms);
	statement_bind_int(s, ":expiry", token->expiry);
	statement_bind_int(s, ":rotation", token->rotation);
	return statement_run(s, err);
}

/* An account's first token has no mark yet, and would be stale if we ended between storing it and
 * marking it. So there is one before, which no token is older than: of the last generation that was
 * given out. Where a token already stands without a mark, it stays so until the new one is in. */
static bool mark_before(struct vault *in, struct marks *marks, const char *account,
			struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db,
			      "SELECT coalesce(max(generation), 0) AS generation,"
			      " EXISTS (SELECT 1 FROM token WHERE account = :name) AS has_token"
			      " FROM account WHERE name = :name",
			      err);
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":name", account);
	if (!statement_step(s, &row, err))
		return false;
	if (statement_int(s, "has_token"))
		return true;
	marks_raise(marks, account, (uint64_t)statement_int(s, "generation"));
	return marks_write(marks, in->folder, err);
}

bool inside_token_mark_past(struct vault *in, const char *account, struct error *err)
{
	CLEANUP(marks_free) struct marks *marks = marks_read(in->folder, err);
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db,
					    "SELECT coalesce(max(generation), 0) + 1 AS generation"
					    " FROM account WHERE name = :name",
					    err);
	bool row;

	if (!marks || !s)
		return false;
	statement_bind_text(s, ":name", account);
	if (!statement_step(s, &row, err))
		return false;
	marks_raise(marks, account, (uint64_t)statement_int(s, "generation"));
	return marks_write(marks, in->folder, err);
}

static bool store(struct vault *in, const char *account, uint64_t mark, struct vault_token *token,
		  struct error *err)
{
	return db_begin(in->db, err) &&
	       db_end(in->db,
		      next_generation(in, account, mark, &token->generation, err) &&
			      write_row(in, account, token, err),
		      err);
}

bool vault_token_put(struct vault *in, const char *account, struct vault_token *token,
		     struct error *err)
{
	CLEANUP(marks_free) struct marks *marks = marks_read(in->folder, err);
	struct vault_token stored = *token;
	struct error why;
	uint64_t mark = 0;

	if (!marks)
		return false;
	if (!marks_is_name(account))
		return error_set(err, ERROR_BUG, "bad-name", "\"%s\" cannot name an account",
				 account);
	if (!marks_find(marks, account, &mark) && !mark_before(in, marks, account, err))
		return false;
	if (!store(in, account, mark, &stored, err))
		return false;
	/* The token is the account's now, whatever becomes of its mark: one too low makes nothing
	 * stale, and the next put or start raises it. */
	marks_raise(marks, account, stored.generation);
	if (!marks_write(marks, in->folder, &why))
		log_warning("mark_not_raised", LOG_STR("account", account),
			    LOG_STR("code", why.code), LOG_STR("text", why.text));
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
	struct sealed_row row;

	token->instance_url = mem_strdup(statement_text(s, "instance_url"));
	token->org_id = mem_strdup(statement_text(s, "org_id"));
	token->user_id = mem_strdup(statement_text(s, "user_id"));
	token->scope = copy_or_null(statement_text(s, "scope"));
	token->source = mem_strdup(statement_text(s, "source"));
	token->obtained_ms = statement_int(s, "obtained_ms");
	token->expires_ms = statement_int(s, "expires_ms");
	token->expiry = (enum vault_expiry)statement_int(s, "expiry");
	token->rotation = (enum vault_rotation)statement_int(s, "rotation");
	token->generation = (uint64_t)statement_int(s, "generation");

	row = row_of(account, id, token);
	token->access_token = sealed_open(in, s, SEALED_ACCESS_TOKEN, &row, err);
	if (!token->access_token)
		return false;
	if (!statement_is_null(s, "refresh_token")) {
		token->refresh_token = sealed_open(in, s, SEALED_REFRESH_TOKEN, &row, err);
		if (!token->refresh_token)
			return false;
	}
	sealed_facts = sealed_open(in, s, SEALED_FACTS, &row, err);
	if (!sealed_facts)
		return false;
	facts = facts_of(token);
	return secret_equal(facts, sealed_facts) ||
	       error_set(err, ERROR_STATE, "tampered",
			 "a column of its row is not what was stored");
}

/* Also tells the row's own id. */
static bool find(struct vault *in, const char *account, struct vault_token *ret_token,
		 char ret_id[INSIDE_ID_SIZE], bool *ret_found, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"SELECT id, instance_url, org_id, user_id, scope, source, obtained_ms,"
		" expires_ms, expiry, rotation, generation, access_token, refresh_token, facts"
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
		return error_prefix(err, "token of account %s (`leadsync connect %s` replaces it)",
				    account, account);
	}
	if (row) {
		*ret_token = token;
		snprintf(ret_id, INSIDE_ID_SIZE, "%s", statement_text(s, "id"));
	}
	*ret_found = row;
	return true;
}

bool vault_token_get(struct vault *in, const char *account, struct vault_token *ret_token,
		     bool *ret_found, struct error *err)
{
	char id[INSIDE_ID_SIZE];

	return find(in, account, ret_token, id, ret_found, err);
}

/* `token` is what stands in the row, but for its end. */
static bool rewrite_expiry(struct vault *in, const char *account, const char *id,
			   const struct vault_token *token, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db,
			      "UPDATE token SET expires_ms = :expires_ms, expiry = :expiry,"
			      " facts = :facts WHERE id = :id",
			      err);
	CLEANUP(secret_free) struct secret *facts = facts_of(token);
	const struct sealed_row row = row_of(account, id, token);

	if (!s)
		return false;
	statement_bind_text(s, ":id", id);
	statement_bind_int(s, ":expires_ms", token->expires_ms);
	statement_bind_int(s, ":expiry", token->expiry);
	sealed_bind(in, s, ":facts", SEALED_FACTS, &row, facts);
	return inside_run_alone(in, s, err);
}

bool vault_token_set_expiry(struct vault *in, const char *account, const struct vault_token *token,
			    struct error *err)
{
	struct vault_token stored = { 0 };
	char id[INSIDE_ID_SIZE];
	bool found, ok;

	/* Read first: what somebody wrote into the row must not be sealed by us. */
	if (!find(in, account, &stored, id, &found, err))
		return false;
	if (!found || stored.generation != token->generation) {
		vault_token_done(&stored);
		return error_set(err, ERROR_BUG, "no-token",
				 "account %s has no token of generation %" PRIu64, account,
				 token->generation);
	}
	stored.expires_ms = token->expires_ms;
	stored.expiry = token->expiry;
	ok = rewrite_expiry(in, account, id, &stored, err);
	vault_token_done(&stored);
	return ok;
}

bool inside_token_remove(struct vault *in, const char *account, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "DELETE FROM token WHERE account = :account", err);

	if (!s)
		return false;
	statement_bind_text(s, ":account", account);
	return statement_run(s, err);
}

bool inside_token_mark_all(struct vault *in, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		/* The account's number: the token's may be what somebody wrote into its row. */
		statement_new(in->db,
			      "SELECT account, account.generation AS generation"
			      " FROM token JOIN account ON name = account",
			      err);
	CLEANUP(marks_free) struct marks *marks = s ? marks_read(in->folder, err) : NULL;
	bool row, raised = false;

	if (!marks)
		return false;
	for (;;) {
		uint64_t mark, generation;

		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		generation = (uint64_t)statement_int(s, "generation");
		if (marks_find(marks, statement_text(s, "account"), &mark) && mark < generation) {
			marks_raise(marks, statement_text(s, "account"), generation);
			raised = true;
		}
	}
	return !raised || marks_write(marks, in->folder, err);
}
