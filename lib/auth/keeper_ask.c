/* keeper_ask.c - from one token to the next: keeper_ask, asked, commit. */
#include <string.h>

#include "auth/grant.h"
#include "auth/keeper_private.h"
#include "secret/secret.h"

#define COMMIT_AGAIN_MS 30000

static void ask_again(void *arg);
static void asked(struct vault_token *token, const struct error *err, bool unknown, void *arg);
static void commit(void *arg);
static void fail(struct keeper *in, const struct error *err);

void keeper_ask(struct keeper *in)
{
	int64_t now_ms = loop_steady_ms(in->args.loop);
	int64_t wait_ms = policy_budget_wait_ms(&in->budget, now_ms);

	if (wait_ms) {
		struct error err;

		error_set(&err, ERROR_RETRY, "token-budget",
			  "account %s: %d token requests within an hour; something uses up tokens",
			  in->account, POLICY_MOST_AN_HOUR);
		keeper_set_trouble(in, &err);
		keeper_set_state(in, KEEPER_WAITING);
		keeper_set_next(in, wait_ms, ask_again);
		return;
	}
	policy_budget_take(&in->budget, now_ms);
	in->requests++;
	keeper_clear_next(in);
	keeper_set_state(in, KEEPER_REFRESHING);
	in->asking = in->args.grant->start(in->args.grant->self,
					   in->token.access_token ? &in->token : NULL, asked, in);
}

static void ask_again(void *arg)
{
	struct keeper *in = arg;

	in->next = NULL;
	keeper_ask(in);
}

static struct secret *secret_copy(struct secret *in)
{
	size_t len;
	const char *bytes = secret_open(in, &len);
	struct secret *copy = secret_new(bytes, len);

	secret_close(in);
	return copy;
}

/* The pin: what the account is bound to since its first login. */
static bool is_same_org(const struct keeper *in, const struct vault_token *token, struct error *err)
{
	const char *org_id = token->org_id ? token->org_id : "";

	if (!in->token.org_id || !*in->token.org_id || strcmp(in->token.org_id, org_id) == 0)
		return true;
	return error_set(
		err, ERROR_STATE, "other-org",
		"account %s belongs to org %s, but the login answered with org %s: nothing "
		"was used; check login_url and client_id, or, if it shall be the new one, type the "
		"account's secret in again with `leadsync secret set NAME`",
		in->account, in->token.org_id, *org_id ? org_id : "(none)");
}

static void asked(struct vault_token *token, const struct error *err, bool unknown, void *arg)
{
	struct keeper *in = arg;
	struct error why;

	(void)unknown;
	in->asking = NULL;
	if (err) {
		fail(in, err);
		return;
	}
	in->uncommitted = *token;
	*token = (struct vault_token){ 0 };
	token = &in->uncommitted;
	token->source = mem_strdup(keeper_source(in));
	if (!is_same_org(in, token, &why)) {
		vault_token_done(token);
		fail(in, &why);
		return;
	}
	if (!token->obtained_ms)
		token->obtained_ms = loop_now_ms(in->args.loop);
	if (token->expires_ms <= token->obtained_ms)
		token->expires_ms = token->obtained_ms + in->args.session_lifetime_s * 1000;
	if (!token->refresh_token && in->token.refresh_token)
		token->refresh_token = secret_copy(in->token.refresh_token);
	commit(in);
}

/* Nobody gets the token before the vault has it: what is used up by asking must not be lost. */
static void commit(void *arg)
{
	struct keeper *in = arg;
	struct error why;

	in->next = NULL;
	if (vault_token_put(in->args.vault, in->account, &in->uncommitted, &why)) {
		keeper_use_token(in, &in->uncommitted);
		keeper_turn_soon(in);
		return;
	}
	error_prefix(&why, "account %s: the new token is not stored yet", in->account);
	keeper_set_trouble(in, &why);
	keeper_set_state(in, KEEPER_WAITING);
	keeper_set_next(in, COMMIT_AGAIN_MS, commit);
}

static void fail(struct keeper *in, const struct error *err)
{
	struct policy_verdict verdict;
	int64_t wait_ms;

	keeper_set_trouble(in, err);
	verdict = policy_after_failure(err, in->failures);
	if (verdict.park) {
		keeper_park(in, err);
		return;
	}
	wait_ms = backoff_next_ms(&in->backoff, err->retry_after_s);
	keeper_set_state(in, KEEPER_WAITING);
	keeper_set_next(in, wait_ms > verdict.least_wait_ms ? wait_ms : verdict.least_wait_ms,
			ask_again);
}
