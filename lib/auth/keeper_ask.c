/* keeper_ask.c - from one token to the next: keeper_ask, asked, commit; or fail. Or both, where an
 * answer is refused that brought a new refresh token.
 *
 * A refresh token may be used up by sending it. So the vault knows before that it is sent, and what
 * comes back is stored before anybody gets it. */
#include <stdlib.h>
#include <string.h>

#include "auth/keeper_private.h"
#include "base/mem.h"
#include "secret/secret.h"

#define WRITE_AGAIN_MS 30000

/* For a minute, as the daemon waits 20 s when it stops. */
#define COMMIT_SOON_MS  2000
#define COMMITS_SOON    30
#define COMMIT_AGAIN_MS 30000

static void ask_again(void *arg);
static bool write_asked(struct keeper *in);
static void asked(struct vault_token *token, const struct error *err, bool unknown, void *arg);
static void take_successor(struct keeper *in, struct vault_token *token, const struct error *why);
static void commit(void *arg);
static void fail_login(struct keeper *in, const struct error *err, bool unknown);
static void fail(struct keeper *in, const struct error *err);

/* Also in KEEPER_FRESH: nobody's lease waits for it. */
static void use_old(struct keeper *in)
{
	in->life.due = false;
	keeper_set_state(in, KEEPER_FRESH);
	keeper_plan(in);
}

static void ask_later(struct keeper *in, const struct error *why, int64_t wait_ms)
{
	keeper_set_trouble(in, why);
	keeper_set_next(in, wait_ms, ask_again);
	keeper_set_state(in, KEEPER_WAITING);
}

static void send_request(struct keeper *in)
{
	int64_t now_ms = loop_steady_ms(in->args.loop);
	int64_t wait_ms = policy_budget_wait_ms(&in->budget, now_ms);
	struct error err;

	if (in->settled) {
		keeper_clear_next(in);
		return;
	}
	if (wait_ms) {
		error_set(&err, ERROR_RETRY, "token-budget",
			  "account %s: %d token requests within an hour; something uses up tokens",
			  in->account, POLICY_MOST_AN_HOUR);
		ask_later(in, &err, wait_ms);
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
}

void keeper_resume(struct keeper *in)
{
	keeper_turn_soon(in);
	if (in->next)
		return;
	switch (in->state) {
	case KEEPER_WAITING: keeper_ask(in); return;
	case KEEPER_EMPTY:
	case KEEPER_FRESH: keeper_plan(in); return;
	case KEEPER_REFRESHING:
	case KEEPER_PARKED: return;
	}
}

/* Proves at the same time that the answer can be stored. Other flows use up nothing. */
static bool write_asked(struct keeper *in)
{
	struct error why;

	if (!in->args.grant->by_login)
		return true;
	if (!vault_account_set_asked(in->args.vault, in->account, in->known.asked + 1, &why)) {
		error_prefix(&why, "account %s: no token is asked for while nothing can be stored",
			     in->account);
		ask_later(in, &why, WRITE_AGAIN_MS);
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
		  "was used; check login_url and client_id, or, if it shall be the new one, "
		  "`leadsync disconnect %s`, then `leadsync connect %s`",
		  in->account, in->token.org_id, org_id && *org_id ? org_id : "(none)", in->account,
		  in->account);
	keeper_park(in, &why);
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
	if (err && token && in->args.grant->by_login) {
		take_successor(in, token, err);
	} else if (err && in->args.grant->by_login) {
		fail_login(in, err, unknown);
	} else if (err) {
		fail(in, err);
	} else if (!keeper_is_same_org(in, token)) {
		/* It stays asked: the refresh token may be used up for that. */
		refuse_org(in, token->org_id);
	} else {
		in->uncommitted = *token;
		*token = (struct vault_token){ 0 };
		inherit(in, &in->uncommitted);
		keeper_date(in, &in->uncommitted, loop_now_ms(in->args.loop));
		commit(in);
	}
	if (token)
		vault_token_done(token);
}

static char *copy_or_null(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

/* All of that answer is refused, but the refresh token that was sent is used up: its successor is
 * stored beside what the old one brought. */
static void take_successor(struct keeper *in, struct vault_token *token, const struct error *why)
{
	const struct vault_token *old = &in->token;
	bool same = secret_equal(token->refresh_token, old->refresh_token);

	in->uncommitted = *old;
	in->uncommitted.access_token = secret_copy(old->access_token);
	in->uncommitted.refresh_token = TAKE(token->refresh_token);
	in->uncommitted.instance_url = copy_or_null(old->instance_url);
	in->uncommitted.org_id = copy_or_null(old->org_id);
	in->uncommitted.user_id = copy_or_null(old->user_id);
	in->uncommitted.scope = copy_or_null(old->scope);
	in->uncommitted.source = copy_or_null(old->source);
	in->uncommitted.rotation = same ? VAULT_ROTATION_OFF : VAULT_ROTATION_ON;
	in->refusal = *why;
	commit(in);
}

/* The access token is the old one, and so is all that became of it. */
static void use_successor(struct keeper *in)
{
	struct error why = in->refusal;

	in->refusal = (struct error){ 0 };
	vault_token_done(&in->token);
	in->token = in->uncommitted;
	in->uncommitted = (struct vault_token){ 0 };
	in->known.asked = 0;
	keeper_set_state(in, keeper_is_good(in) ? KEEPER_FRESH : KEEPER_EMPTY);
	fail(in, &why);
}

static bool store(struct keeper *in, struct error *err)
{
	if (!*in->refusal.code)
		return keeper_store(in, &in->uncommitted, err);
	if (!vault_token_put(in->args.vault, in->account, &in->uncommitted, err))
		return false;
	use_successor(in);
	return true;
}

/* Nobody gets the token before the vault has it: what is used up by asking must not be lost. */
static void commit(void *arg)
{
	struct keeper *in = arg;
	struct error why, cause;

	in->next = NULL;
	if (store(in, &cause))
		return;
	error_set(&why, cause.kind, "token-not-stored",
		  "account %s: the new token is not stored yet: %s", in->account, cause.text);
	keeper_set_trouble(in, &why);
	keeper_set_next(in, in->failures <= COMMITS_SOON ? COMMIT_SOON_MS : COMMIT_AGAIN_MS,
			commit);
	keeper_set_state(in, KEEPER_WAITING);
}

/* This request brought no token; those before it with no answer stay as they are. That this is not
 * written does no harm: it errs towards not sending. */
static void take_back_asked(struct keeper *in)
{
	struct error ignored;

	in->known.asked--;
	vault_account_set_asked(in->args.vault, in->account, in->known.asked, &ignored);
}

static void park_refused(struct keeper *in, const struct error *err)
{
	struct error why;

	/* It stays asked that often, so that the next start does not send it either. */
	error_set(&why, err->kind, err->code,
		  "the answer to an earlier refresh was lost, and the grant was probably replaced "
		  "then: log in again with `leadsync connect %s` (%.250s)",
		  in->account, err->text);
	keeper_park(in, &why);
}

/* The grant knows what is wrong, we know whose it is. */
static void park_failed(struct keeper *in, const struct error *err)
{
	struct error why;

	error_set(&why, err->kind, err->code, "account %s: %.400s; then `leadsync connect %s`",
		  in->account, err->text, in->account);
	keeper_park(in, &why);
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
	if (unknown && err->kind == ERROR_HUMAN) {
		/* It stays asked; but that is what there is to mend first. */
		park_failed(in, err);
	} else if (unknown) {
		fail_lost(in, err);
	} else if (in->known.asked > 1 && strcmp(err->code, "invalid_grant") == 0 &&
		   err->kind == ERROR_HUMAN) {
		park_refused(in, err);
	} else {
		take_back_asked(in);
		fail(in, err);
	}
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
