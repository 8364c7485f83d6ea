/* keeper_ask.c - from one token to the next: keeper_ask, asked, commit; or fail.
 *
 * A refresh token may be used up by sending it. So the vault knows before that it is sent, and what
 * comes back is stored before anybody gets it. */
#include <stdlib.h>
#include <string.h>

#include "auth/keeper_private.h"
#include "base/mem.h"
#include "secret/secret.h"

#define WRITE_AGAIN_MS 30000

static void ask_again(void *arg);
static bool write_asked(struct keeper *in);
static void asked(struct vault_token *token, const struct error *err, bool unknown, void *arg);
static void commit(void *arg);
static void fail_login(struct keeper *in, const struct error *err, bool unknown);
static void fail(struct keeper *in, const struct error *err);

/* Also in KEEPER_FRESH: nobody's lease waits for it. */
static void use_old(struct keeper *in)
{
	in->due = false;
	keeper_set_state(in, KEEPER_FRESH);
	keeper_plan(in);
}

static void wait_then(struct keeper *in, const struct error *why, int64_t wait_ms, loop_fn *fn)
{
	keeper_set_trouble(in, why);
	keeper_set_next(in, wait_ms, fn);
	keeper_set_state(in, KEEPER_WAITING);
}

static void send_request(struct keeper *in)
{
	int64_t now_ms = loop_steady_ms(in->args.loop);
	int64_t wait_ms = policy_budget_wait_ms(&in->budget, now_ms);
	struct error err;

	if (wait_ms) {
		error_set(&err, ERROR_RETRY, "token-budget",
			  "account %s: %d token requests within an hour; something uses up tokens",
			  in->account, POLICY_MOST_AN_HOUR);
		wait_then(in, &err, wait_ms, ask_again);
		return;
	}
	if (!write_asked(in))
		return;
	policy_budget_take(&in->budget, now_ms);
	in->requests++;
	keeper_clear_next(in);
	keeper_set_state(in, KEEPER_REFRESHING);
	in->asking = in->args.grant->start(in->args.grant->self,
					   in->token.access_token ? &in->token : NULL, asked, in);
}

void keeper_ask(struct keeper *in)
{
	enum policy_step step = keeper_next_step(in);

	switch (step) {
	case POLICY_SEND: send_request(in); return;
	case POLICY_USE_OLD: use_old(in); return;
	case POLICY_NEEDS_LOGIN:
	case POLICY_ANSWER_LOST: keeper_park_step(in, step); return;
	}
}

static void ask_again(void *arg)
{
	struct keeper *in = arg;

	in->next = NULL;
	keeper_ask(in);
}

void keeper_drop_request(struct keeper *in)
{
	if (in->asking)
		in->args.grant->cancel(TAKE(in->asking));
	vault_token_done(&in->uncommitted);
}

/* Proves at the same time that the answer can be stored. Other flows use up nothing. */
static bool write_asked(struct keeper *in)
{
	struct error why;

	if (!in->args.grant->by_login)
		return true;
	if (!vault_account_set_asked(in->args.vault, in->account, in->known.asked + 1,
				     in->token.refresh_token, &why)) {
		error_prefix(&why, "account %s: no token is asked for while nothing can be stored",
			     in->account);
		wait_then(in, &why, WRITE_AGAIN_MS, ask_again);
		return false;
	}
	in->known.asked++;
	return true;
}

/* The pin: what the account is bound to since its first login. */
bool keeper_is_same_org(const struct keeper *in, const struct vault_token *token)
{
	return !in->token.org_id || !*in->token.org_id ||
	       strcmp(in->token.org_id, token->org_id ? token->org_id : "") == 0;
}

static void refuse_org(struct keeper *in, const char *org_id)
{
	struct error why;

	error_set(&why, ERROR_STATE, "other-org",
		  "account %s belongs to org %s, but the login answered with org %s: nothing "
		  "was used; check login_url and client_id, or, if it shall be the new one, %s",
		  in->account, in->token.org_id, org_id && *org_id ? org_id : "(none)",
		  in->args.grant->by_login
			  ? "`leadsync disconnect` the account, then `leadsync connect` it"
			  : "type the account's secret in again with `leadsync secret set NAME`");
	fail(in, &why);
}

/* Completes an answer by what the old token knows. */
static void inherit(const struct keeper *in, struct vault_token *token)
{
	struct secret *old = in->token.refresh_token;

	free(token->source);
	token->source = mem_strdup(in->args.grant->source ? in->args.grant->source : "");
	token->rotation = VAULT_ROTATION_UNKNOWN;
	if (!old)
		return;
	if (token->refresh_token && !secret_equal(token->refresh_token, old))
		token->rotation = VAULT_ROTATION_ON;
	else
		token->rotation = VAULT_ROTATION_OFF;
	if (!token->refresh_token)
		token->refresh_token = secret_copy(old);
}

static void asked(struct vault_token *token, const struct error *err, bool unknown, void *arg)
{
	struct keeper *in = arg;

	in->asking = NULL;
	if (err && in->args.grant->by_login) {
		fail_login(in, err, unknown);
	} else if (err) {
		fail(in, err);
	} else if (!keeper_is_same_org(in, token)) {
		/* It stays asked: the refresh token may be used up for that. */
		refuse_org(in, token->org_id);
		vault_token_done(token);
	} else {
		in->uncommitted = *token;
		*token = (struct vault_token){ 0 };
		inherit(in, &in->uncommitted);
		keeper_date(in, &in->uncommitted);
		commit(in);
	}
}

/* Nobody gets the token before the vault has it: what is used up by asking must not be lost. */
static void commit(void *arg)
{
	struct keeper *in = arg;
	struct error why;

	in->next = NULL;
	if (vault_token_put(in->args.vault, in->account, &in->uncommitted, &why)) {
		in->known = (struct vault_account){ .learned_life_s = in->known.learned_life_s,
						    .learned_ms = in->known.learned_ms };
		keeper_use_token(in, &in->uncommitted);
		keeper_turn_soon(in);
		keeper_look(in);
		return;
	}
	error_prefix(&why, "account %s: the new token is not stored yet", in->account);
	wait_then(in, &why, WRITE_AGAIN_MS, commit);
}

/* This request brought no token; those before it with no answer stay as they are. That this is not
 * written does no harm: it errs towards not sending. */
static void take_back_asked(struct keeper *in)
{
	struct error ignored;

	in->known.asked--;
	vault_account_set_asked(in->args.vault, in->account, in->known.asked,
				in->token.refresh_token, &ignored);
}

static void fail_refused(struct keeper *in, const struct error *err)
{
	struct error why = *err;

	/* It stays asked that often, so that the next start does not send it either. */
	error_set(&why, err->kind, err->code,
		  "the answer to an earlier refresh was lost, and the grant was probably replaced "
		  "then: log in again with `leadsync connect %s` (%.250s)",
		  in->account, err->text);
	fail(in, &why);
}

static void fail_lost(struct keeper *in, const struct error *err)
{
	enum policy_step step = keeper_next_step(in);

	switch (step) {
	case POLICY_SEND: fail(in, err); return;
	case POLICY_USE_OLD:
		keeper_set_trouble(in, err);
		use_old(in);
		return;
	case POLICY_NEEDS_LOGIN:
	case POLICY_ANSWER_LOST: keeper_park_step(in, step); return;
	}
}

static void fail_login(struct keeper *in, const struct error *err, bool unknown)
{
	if (unknown) {
		fail_lost(in, err);
	} else if (in->known.asked > 1 && strcmp(err->code, "invalid_grant") == 0 &&
		   err->kind == ERROR_HUMAN) {
		fail_refused(in, err);
	} else {
		take_back_asked(in);
		fail(in, err);
	}
}

/* The grant knows what is wrong, we know whose it is. */
static void park_failed(struct keeper *in, const struct error *err)
{
	struct error why = *err;

	if (!strstr(err->text, "`leadsync connect"))
		error_set(&why, err->kind, err->code,
			  "account %s: %.400s; then `leadsync connect %s`", in->account, err->text,
			  in->account);
	keeper_park(in, &why);
}

static void fail(struct keeper *in, const struct error *err)
{
	struct policy_verdict verdict;
	int64_t wait_ms;

	keeper_set_trouble(in, err);
	verdict = policy_after_failure(err, in->failures);
	if (verdict.park) {
		park_failed(in, err);
		return;
	}
	wait_ms = backoff_next_ms(&in->backoff, err->retry_after_s);
	keeper_set_next(in, wait_ms > verdict.least_wait_ms ? wait_ms : verdict.least_wait_ms,
			ask_again);
	keeper_set_state(in, KEEPER_WAITING);
}
