/* keeper_account.c - the account as the vault has it: what it starts with, and what persons do. */
#include <stdlib.h>
#include <string.h>

#include "auth/keeper_private.h"
#include "base/mem.h"
#include "secret/secret.h"

static const char *source_of(const struct keeper *in)
{
	return in->args.grant->source ? in->args.grant->source : "";
}

enum policy_step keeper_next_step(const struct keeper *in)
{
	const struct policy_grant grant = { .has_refresh_token = in->token.refresh_token != NULL,
					    .asked = in->known.asked,
					    .rotation = in->token.rotation,
					    .good = keeper_is_good(in) };

	return in->args.grant->by_login ? policy_next_step(&grant) : POLICY_SEND;
}

void keeper_park_step(struct keeper *in, enum policy_step step)
{
	struct error err;

	if (step == POLICY_NEEDS_LOGIN)
		error_set(&err, ERROR_HUMAN, "needs-login",
			  "account %s has no login yet, or none for this login_url and client_id: "
			  "`leadsync connect %s`",
			  in->account, in->account);
	else
		error_set(&err, ERROR_HUMAN, "answer-lost",
			  "account %s: its refresh token was sent %u times and no answer came: it "
			  "may be used up, and is not sent again: `leadsync connect %s`",
			  in->account, in->known.asked, in->account);
	keeper_park(in, &err);
}

static void park_stale(struct keeper *in)
{
	struct error err;

	error_set(&err, ERROR_HUMAN, "stale-token",
		  "account %s: its token is older than the last one of this directory (restored "
		  "from a backup?): sent, it could end its successor, so it is not: `leadsync "
		  "connect %s`",
		  in->account, in->account);
	keeper_park(in, &err);
}

static void park_disconnected(struct keeper *in)
{
	struct error err;

	error_set(&err, ERROR_HUMAN, "disconnected",
		  "account %s was disconnected by `leadsync disconnect`: `leadsync connect %s`",
		  in->account, in->account);
	keeper_park(in, &err);
}

/* Its org stays the pin, but the conf has meant another endpoint or app since, which must not even
 * see it. */
static void drop_foreign(struct keeper *in)
{
	if (strcmp(in->token.source, source_of(in)) == 0)
		return;
	secret_free(TAKE(in->token.access_token));
	secret_free(TAKE(in->token.refresh_token));
	keeper_spend(in);
}

static void note_lost(struct keeper *in)
{
	struct error err;

	error_set(&err, ERROR_RETRY, "answer-lost",
		  "account %s: the last process did not learn what became of its refresh: the old "
		  "access token is used to its end first",
		  in->account);
	keeper_set_trouble(in, &err);
}

/* What is known beside the token decides what may be done with it. */
static void begin(struct keeper *in)
{
	enum policy_step step = keeper_next_step(in);

	if (in->known.disconnected)
		park_disconnected(in);
	else if (in->known.stale && in->args.grant->by_login)
		park_stale(in);
	else if (step == POLICY_NEEDS_LOGIN || step == POLICY_ANSWER_LOST)
		keeper_park_step(in, step);
	else if (step == POLICY_USE_OLD && in->known.asked)
		note_lost(in);
}

static void take_stored(struct keeper *in, const struct vault_account *known,
			struct vault_token *stored)
{
	bool newer = stored->generation > in->token.generation;

	if (!newer && in->token.access_token)
		return;
	in->known = *known;
	if (newer) {
		keeper_use_token(in, stored);
		drop_foreign(in);
	}
	begin(in);
}

bool keeper_load(struct keeper *in, struct error *err)
{
	struct vault_account known;
	struct vault_token stored = { 0 };
	bool found;

	if (!vault_account_get(in->args.vault, in->account, &known, err) ||
	    !vault_token_get(in->args.vault, in->account, &stored, &found, err)) {
		if (err->kind != ERROR_STATE || strcmp(err->code, "tampered") != 0)
			return false;
		keeper_park(in, err);
		return true;
	}
	take_stored(in, &known, &stored);
	vault_token_done(&stored);
	return true;
}

bool keeper_store(struct keeper *in, struct vault_token *token, struct error *err)
{
	if (!vault_token_put(in->args.vault, in->account, token, err))
		return false;
	keeper_drop_request(in);
	in->known = (struct vault_account){ .learned_life_s = in->known.learned_life_s,
					    .learned_ms = in->known.learned_ms };
	keeper_use_token(in, token);
	keeper_turn_soon(in);
	keeper_look(in);
	return true;
}

/* What persons do. */

void keeper_unpark(struct keeper *in)
{
	struct error ignored;

	if (in->state != KEEPER_PARKED || in->known.disconnected)
		return;
	in->refusals = (struct policy_refusals){ 0 };
	if (!in->args.grant->by_login || !policy_only_login_mends(in->trouble.code)) {
		keeper_clear_trouble(in);
		keeper_spend(in);
	}
	keeper_load(in, &ignored);
	keeper_turn_soon(in);
}

/* Dropped, a refresh token on its way may leave a successor at the server that nobody holds. */
static bool is_settled(const struct keeper *in, struct error *err)
{
	return !keeper_is_busy(in) ||
	       error_set(err, ERROR_RETRY, "token-on-its-way",
			 "account %s: a token request is on its way; try again in a moment",
			 in->account);
}

bool keeper_login(struct keeper *in, struct vault_token *token, struct error *err)
{
	struct vault_token taken = *token;

	if (!is_settled(in, err))
		return false;
	if (!keeper_is_same_org(in, token))
		return error_set(
			err, ERROR_HUMAN, "other-org",
			"account %s belongs to org %s, but this login is of org %s: nothing was "
			"changed; log in to the other org, or, if it shall be this one, `leadsync "
			"disconnect %s` first",
			in->account, in->token.org_id, token->org_id ? token->org_id : "(none)",
			in->account);
	taken.source = mem_strdup(source_of(in));
	taken.rotation = VAULT_ROTATION_UNKNOWN; /* the app may have been changed for it */
	/* It has aged while somebody thought about it. */
	keeper_date(in, &taken, token->obtained_ms);
	if (!keeper_store(in, &taken, err)) {
		free(taken.source);
		return error_prefix(err, "account %s: the login is not stored", in->account);
	}
	free(token->source);
	*token = (struct vault_token){ 0 };
	in->refusals = (struct policy_refusals){ 0 };
	return true;
}

bool keeper_disconnect(struct keeper *in, struct error *err)
{
	if (!is_settled(in, err) ||
	    !vault_disconnect(in->args.vault, in->account, loop_now_ms(in->args.loop), err))
		return false;
	keeper_drop_request(in);
	vault_token_done(&in->token);
	in->known = (struct vault_account){ .disconnected = true };
	in->refusals = (struct policy_refusals){ 0 };
	keeper_clear_trouble(in);
	keeper_spend(in);
	park_disconnected(in);
	return true;
}
