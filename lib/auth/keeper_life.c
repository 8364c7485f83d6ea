/* keeper_life.c - the token at hand: how long it is good, when it is replaced, and what its end
 * teaches.
 *
 * Both clocks count: the wall clock may be set, the steady one does not know of time that passed
 * while the daemon was not there. */
#include <stdlib.h>
#include <string.h>

#include "auth/keeper_private.h"
#include "base/mem.h"
#include "secret/secret.h"

#define LEAST_LEFT_MS  ((int64_t)60000)
#define REFRESH_JITTER 10 /* percent */
#define DAY_MS         ((int64_t)24 * 3600 * 1000)
#define SOON_MS        60000 /* a start with several old tokens asks for them within this */
#define LOOK_AGAIN_MS  DAY_MS

/* A minute, save where a token lives so short that none would ever do. */
static int64_t least_left_ms(const struct keeper *in)
{
	int64_t life_ms = in->life.expires_steady_ms - in->life.obtained_steady_ms;

	return life_ms / 2 < LEAST_LEFT_MS ? life_ms / 2 : LEAST_LEFT_MS;
}

static int64_t left_ms(const struct keeper *in)
{
	int64_t wall_ms = in->token.expires_ms - loop_now_ms(in->args.loop);
	int64_t steady_ms = in->life.expires_steady_ms - loop_steady_ms(in->args.loop);

	return (wall_ms < steady_ms ? wall_ms : steady_ms) - least_left_ms(in);
}

bool keeper_is_good(const struct keeper *in)
{
	return in->token.access_token && !in->life.spent && left_ms(in) >= 0;
}

/* What is next. */

static void keep_alive(void *arg)
{
	struct keeper *in = arg;

	in->next = NULL;
	keeper_ask(in);
}

static void refresh_ahead(void *arg)
{
	struct keeper *in = arg;

	in->next = NULL;
	in->life.due = true;
	if (in->life.leased)
		keeper_ask(in);
	else
		keeper_plan(in);
}

/* Once a day, and rather sooner than later: a grant that is never used ends. */
static int64_t keep_alive_in_ms(const struct keeper *in)
{
	int64_t age_ms = loop_steady_ms(in->args.loop) - in->life.obtained_steady_ms;
	int64_t wait_ms = backoff_jitter_ms(DAY_MS / 100 * 95, REFRESH_JITTER / 2) - age_ms;

	return wait_ms > 0 ? wait_ms : backoff_jitter_ms(SOON_MS / 2, 100);
}

static int64_t refresh_in_ms(const struct keeper *in)
{
	int64_t life_ms = in->life.expires_steady_ms - in->life.obtained_steady_ms;
	int64_t age_ms = loop_steady_ms(in->args.loop) - in->life.obtained_steady_ms;
	int64_t wait_ms =
		backoff_jitter_ms(policy_refresh_after_ms(life_ms), REFRESH_JITTER) - age_ms;

	return wait_ms > 0 ? wait_ms : 0;
}

void keeper_plan(struct keeper *in)
{
	if (!in->token.access_token)
		keeper_clear_next(in);
	else if (in->life.due || !keeper_is_good(in))
		keeper_set_next(in, keep_alive_in_ms(in), keep_alive);
	else if (keeper_next_step(in) == POLICY_USE_OLD)
		keeper_set_next(in, left_ms(in) + 1, refresh_ahead);
	else
		keeper_set_next(in, refresh_in_ms(in), refresh_ahead);
}

/* Which one. */

static bool has_moved(const struct keeper *in, const struct vault_token *to)
{
	const char *from = in->token.instance_url;

	return from && *from && strcmp(from, to->instance_url ? to->instance_url : "") != 0;
}

void keeper_use_token(struct keeper *in, struct vault_token *token)
{
	int64_t age_ms = loop_now_ms(in->args.loop) - token->obtained_ms;
	bool moved = has_moved(in, token);
	int64_t obtained_ms;

	keeper_stop_looking(in);
	vault_token_done(&in->token);
	in->token = *token;
	*token = (struct vault_token){ 0 };
	/* From the future: the clock was set back. Then it is taken for new. */
	if (age_ms < 0)
		age_ms = 0;
	obtained_ms = loop_steady_ms(in->args.loop) - age_ms;
	in->life = (struct keeper_life){
		.obtained_steady_ms = obtained_ms,
		.expires_steady_ms = obtained_ms + in->token.expires_ms - in->token.obtained_ms,
		.proved_steady_ms = obtained_ms,
	};
	keeper_clear_trouble(in);
	keeper_plan(in);
	keeper_set_state(in, keeper_is_good(in) ? KEEPER_FRESH : KEEPER_EMPTY);
	if (moved)
		keeper_tell_moved(in);
}

void keeper_spend(struct keeper *in)
{
	in->life.spent = true;
	keeper_stop_looking(in);
	keeper_plan(in);
	keeper_set_state(in, KEEPER_EMPTY);
}

/* Its end. */

void keeper_date(const struct keeper *in, struct vault_token *token, int64_t obtained_ms)
{
	int64_t now_ms = loop_now_ms(in->args.loop);
	int64_t from_ms = token->obtained_ms ? token->obtained_ms : now_ms;
	struct policy_life life = policy_life(in->args.session_lifetime_s, &in->known, now_ms);

	/* Not said, or the clock was set back since. */
	if (!obtained_ms || obtained_ms > now_ms)
		obtained_ms = now_ms;
	if (token->expires_ms > from_ms) {
		token->expires_ms = obtained_ms + token->expires_ms - from_ms;
		token->expiry = VAULT_EXPIRY_SAID;
	} else {
		token->expires_ms = obtained_ms + life.life_s * 1000;
		token->expiry = life.expiry;
	}
	token->obtained_ms = obtained_ms;
}

static void take_end(struct keeper *in, int64_t expires_ms)
{
	int64_t now_ms = loop_now_ms(in->args.loop), steady_ms = loop_steady_ms(in->args.loop);
	int64_t expires_steady_ms = steady_ms + expires_ms - now_ms;
	struct error ignored;

	if (!policy_is_life(expires_steady_ms - in->life.obtained_steady_ms))
		return;
	in->token.expires_ms = expires_ms;
	in->token.expiry = VAULT_EXPIRY_INTROSPECTED;
	in->life.expires_steady_ms = expires_steady_ms;
	vault_token_set_expiry(in->args.vault, in->account, &in->token, &ignored);
	if (in->state == KEEPER_FRESH)
		keeper_plan(in);
}

static void looked(bool active, int64_t expires_ms, const struct error *err, void *arg)
{
	struct keeper *in = arg;

	in->looking = NULL;
	/* This app may not, and somebody may allow it later. RFC 7662 section 2.2 lets a server say
	 * "inactive" for that, too: whether the token is dead, a 401 decides. */
	if (err ? err->kind == ERROR_HUMAN : !active)
		in->look_after_ms = loop_steady_ms(in->args.loop) + LOOK_AGAIN_MS;
	else if (!err && expires_ms)
		take_end(in, expires_ms);
}

void keeper_look(struct keeper *in)
{
	const struct grant *grant = in->args.grant;

	if (!grant->introspect || in->state != KEEPER_FRESH ||
	    in->token.expiry == VAULT_EXPIRY_SAID ||
	    loop_steady_ms(in->args.loop) < in->look_after_ms)
		return;
	in->looking = grant->introspect(grant->self, in->token.access_token, looked, in);
}

void keeper_stop_looking(struct keeper *in)
{
	if (in->looking)
		in->args.grant->cancel(TAKE(in->looking));
}

void keeper_proved(struct keeper *in, uint64_t generation)
{
	if (generation != in->token.generation || !in->token.access_token)
		return;
	in->life.proved = true;
	in->proved_ms = loop_now_ms(in->args.loop);
	in->life.proved_steady_ms = loop_steady_ms(in->args.loop);
}

/* A session that ended sooner than was believed. */
static void learn(struct keeper *in)
{
	int64_t now_ms = loop_now_ms(in->args.loop);
	int64_t unused_ms = loop_steady_ms(in->args.loop) - in->life.proved_steady_ms;
	struct error ignored;
	int64_t life_s;

	if (in->token.expiry != VAULT_EXPIRY_ASSUMED && in->token.expiry != VAULT_EXPIRY_LEARNED)
		return;
	life_s = policy_lesson_s(in->args.session_lifetime_s, &in->known, unused_ms, now_ms);
	if (!life_s)
		return;
	in->known.learned_life_s = life_s;
	in->known.learned_ms = now_ms;
	/* Not written, it is learned again after the next start. */
	vault_account_set_learned(in->args.vault, in->account, life_s, now_ms, &ignored);
}

static void park_refused(struct keeper *in)
{
	static const char mend[] = "look at the user's API permission, IP ranges and session "
				   "policy, then `leadsync run JOB`";
	struct error err;

	in->life.spent = true;
	keeper_stop_looking(in);
	if (in->life.proved)
		error_set(&err, ERROR_HUMAN, "token-refused",
			  "account %s: %d new access tokens within an hour were taken first, and "
			  "refused minutes later: %s",
			  in->account, POLICY_MOST_PROVED_REFUSALS, mend);
	else
		error_set(&err, ERROR_HUMAN, "token-refused",
			  "account %s: %d new access tokens in a row were refused: %s", in->account,
			  POLICY_MOST_REFUSALS, mend);
	keeper_park(in, &err);
}

/* Another one is to be had. */
static void replace(struct keeper *in)
{
	if (in->state != KEEPER_FRESH) {
		in->life.spent = true; /* it is on its way already */
	} else {
		keeper_spend(in);
		keeper_turn_soon(in);
	}
}

static bool is_at_hand(const struct keeper *in, uint64_t generation)
{
	return in->state != KEEPER_PARKED && !in->life.spent && generation == in->token.generation;
}

void keeper_moved(struct keeper *in, uint64_t generation)
{
	if (is_at_hand(in, generation))
		replace(in);
}

void keeper_refused(struct keeper *in, uint64_t generation)
{
	int64_t now_ms = loop_steady_ms(in->args.loop);
	bool enough;

	if (!is_at_hand(in, generation))
		return;
	learn(in);
	enough = policy_refused(&in->refusals, in->life.proved,
				now_ms - in->life.obtained_steady_ms, now_ms);
	if (enough && in->state == KEEPER_FRESH)
		park_refused(in);
	else
		replace(in);
}
