/* keeper_life.c - the token at hand: how long it is good, and when it is to be replaced. */
#include <string.h>

#include "auth/grant.h"
#include "auth/keeper_private.h"
#include "secret/secret.h"

#define LEAST_LEFT_MS  60000
#define REFRESH_JITTER 10 /* percent */

bool keeper_is_good(const struct keeper *in)
{
	/* A minute, save where a token lives so short that none would ever do. */
	int64_t life_ms = in->token.expires_ms - in->token.obtained_ms;
	int64_t ms = life_ms / 2 < LEAST_LEFT_MS ? life_ms / 2 : LEAST_LEFT_MS;

	/* The wall clock may be set back; the steady one does not know of time switched off. */
	return in->token.access_token && !in->spent &&
	       in->token.expires_ms - loop_now_ms(in->args.loop) >= ms &&
	       in->expires_steady_ms - loop_steady_ms(in->args.loop) >= ms;
}

static void refresh_ahead(void *arg)
{
	struct keeper *in = arg;

	in->next = NULL;
	in->next_ms = 0;
	in->due = true;
	if (in->leased)
		keeper_ask(in);
}

static void plan_refresh(struct keeper *in)
{
	int64_t life_ms = in->token.expires_ms - in->token.obtained_ms;
	int64_t age_ms = loop_steady_ms(in->args.loop) - in->obtained_steady_ms;

	keeper_set_next(in,
			backoff_jitter_ms(policy_refresh_after_ms(life_ms), REFRESH_JITTER) -
				age_ms,
			refresh_ahead);
}

void keeper_use_token(struct keeper *in, struct vault_token *token)
{
	int64_t now_ms = loop_now_ms(in->args.loop), steady_ms = loop_steady_ms(in->args.loop);
	int64_t age_ms = now_ms - token->obtained_ms;

	vault_token_done(&in->token);
	in->token = *token;
	*token = (struct vault_token){ 0 };
	/* From the future: the clock was set back. Then it is taken for new. */
	if (age_ms < 0)
		age_ms = 0;
	in->obtained_steady_ms = steady_ms - age_ms;
	in->expires_steady_ms =
		in->obtained_steady_ms + in->token.expires_ms - in->token.obtained_ms;
	in->spent = false;
	in->leased = false;
	in->due = false;
	keeper_clear_trouble(in);
	keeper_clear_next(in);
	if (keeper_is_good(in)) {
		keeper_set_state(in, KEEPER_FRESH);
		plan_refresh(in);
	} else {
		keeper_set_state(in, KEEPER_EMPTY);
	}
}

const char *keeper_source(const struct keeper *in)
{
	return in->args.grant->source ? in->args.grant->source : "";
}

void keeper_spend(struct keeper *in)
{
	in->spent = true;
	keeper_clear_next(in);
	keeper_set_state(in, KEEPER_EMPTY);
}

bool keeper_load(struct keeper *in, struct error *err)
{
	struct vault_token stored = { 0 };
	bool found;

	if (!vault_token_get(in->args.vault, in->account, &stored, &found, err))
		return false;
	if (found && stored.generation > in->token.generation) {
		keeper_use_token(in, &stored);
		/* Its org stays the pin, but the conf has meant another endpoint or app since,
		 * which must not even see it. */
		if (strcmp(in->token.source, keeper_source(in)) != 0) {
			secret_free(TAKE(in->token.access_token));
			secret_free(TAKE(in->token.refresh_token));
			keeper_spend(in);
		}
	}
	vault_token_done(&stored);
	return true;
}

void keeper_refused(struct keeper *in, uint64_t generation)
{
	struct error err;

	if (in->state == KEEPER_PARKED || in->spent || generation != in->token.generation)
		return;
	in->spent = true;
	in->refusals = policy_refusals(in->refusals,
				       loop_steady_ms(in->args.loop) - in->obtained_steady_ms);
	if (in->state != KEEPER_FRESH)
		return; /* a new one is on its way already */
	if (in->refusals >= POLICY_MOST_REFUSALS) {
		error_set(&err, ERROR_HUMAN, "token-refused",
			  "account %s: %d new access tokens in a row were refused: look at the "
			  "user's API permission, IP ranges and session policy, then "
			  "`leadsync run JOB`",
			  in->account, POLICY_MOST_REFUSALS);
		keeper_park(in, &err);
	} else {
		keeper_spend(in);
		keeper_turn_soon(in);
	}
}
