/* keeper.c - in order: the states; keeper_new, keeper_get, turn (whoever waits is served, or a
 * token is asked for); what persons do to it. */
#include <stdlib.h>
#include <string.h>

#include "auth/grant.h"
#include "auth/keeper_private.h"

#define WAIT_MS            120000
#define DEFAULT_LIFETIME_S 7200
#define FIRST_BACKOFF_MS   2000
#define MOST_BACKOFF_MS    900000

struct keeper_wait {
	TAILQ_ENTRY(keeper_wait) entry;
	struct keeper *keeper;
	struct loop_timer *deadline;
	keeper_done_fn *done;
	void *arg;
};

static void turn(void *arg);

/* States. */

void keeper_set_state(struct keeper *in, enum keeper_state state)
{
	if (in->state == state)
		return;
	in->state = state;
	keeper_tell_state(in);
}

void keeper_turn_soon(struct keeper *in)
{
	if (!in->turn)
		in->turn = loop_soon(in->args.loop, turn, in);
}

void keeper_set_next(struct keeper *in, int64_t wait_ms, loop_fn *fn)
{
	loop_timer_cancel(in->next);
	in->next = loop_after(in->args.loop, wait_ms, fn, in);
	in->next_ms = loop_now_ms(in->args.loop) + wait_ms;
}

void keeper_clear_next(struct keeper *in)
{
	loop_timer_cancel(TAKE(in->next));
	in->next_ms = 0;
}

void keeper_set_trouble(struct keeper *in, const struct error *err)
{
	bool same = in->failures && strcmp(in->trouble.code, err->code) == 0;

	in->failures = same ? in->failures + 1 : 1;
	in->trouble = *err;
}

void keeper_clear_trouble(struct keeper *in)
{
	in->failures = 0;
	backoff_reset(&in->backoff);
}

void keeper_park(struct keeper *in, const struct error *err)
{
	keeper_set_trouble(in, err);
	keeper_clear_next(in);
	keeper_set_state(in, KEEPER_PARKED);
	keeper_turn_soon(in);
}

struct keeper *keeper_new(const struct keeper_args *args, struct error *err)
{
	CLEANUP(keeper_free) struct keeper *in = mem_new(struct keeper);

	*in = (struct keeper){
		.args = *args,
		.account = mem_strdup(args->account),
		.backoff = { .first_ms = FIRST_BACKOFF_MS, .most_ms = MOST_BACKOFF_MS },
	};
	TAILQ_INIT(&in->waits);
	if (in->args.session_lifetime_s <= 0)
		in->args.session_lifetime_s = DEFAULT_LIFETIME_S;
	if (!keeper_load(in, err))
		return NULL;
	return TAKE(in);
}

static void wait_free(struct keeper_wait *in)
{
	TAILQ_REMOVE(&in->keeper->waits, in, entry);
	loop_timer_cancel(in->deadline);
	free(in);
}

/* The last chance of a grant that would be lost otherwise. */
static void keep_uncommitted(struct keeper *in)
{
	struct error ignored;

	if (in->uncommitted.access_token)
		vault_token_put(in->args.vault, in->account, &in->uncommitted, &ignored);
	vault_token_done(&in->uncommitted);
}

void keeper_free(struct keeper *in)
{
	if (!in)
		return;
	while (!TAILQ_EMPTY(&in->waits))
		wait_free(TAILQ_FIRST(&in->waits));
	keeper_tell_nobody(in);
	keeper_drop_request(in);
	keeper_stop_looking(in);
	keep_uncommitted(in);
	loop_timer_cancel(in->next);
	loop_timer_cancel(in->turn);
	vault_token_done(&in->token);
	free(in->account);
	free(in);
}

/* Waiting for a token. */

static void answer_wait(struct keeper_wait *wait, const struct keeper_lease *lease,
			const struct error *err)
{
	keeper_done_fn *done = wait->done;
	void *arg = wait->arg;

	wait_free(wait);
	done(lease, err, arg);
}

static void waited_too_long(void *arg)
{
	struct keeper_wait *wait = arg;
	struct keeper *in = wait->keeper;
	struct error err;

	wait->deadline = NULL;
	error_set(&err, ERROR_RETRY, "token-wait",
		  "account %s: no access token within 2 minutes%s%s", in->account,
		  in->failures ? ": " : "", in->failures ? in->trouble.text : "");
	answer_wait(wait, NULL, &err);
}

struct keeper_wait *keeper_get(struct keeper *in, keeper_done_fn *done, void *arg)
{
	struct keeper_wait *wait = mem_new(struct keeper_wait);

	*wait = (struct keeper_wait){ .keeper = in, .done = done, .arg = arg };
	wait->deadline = loop_after(in->args.loop, WAIT_MS, waited_too_long, wait);
	TAILQ_INSERT_TAIL(&in->waits, wait, entry);
	keeper_turn_soon(in);
	return wait;
}

void keeper_cancel(struct keeper_wait *in)
{
	if (in)
		wait_free(in);
}

static void lend(struct keeper *in, struct keeper_wait *wait)
{
	const struct keeper_lease lease = {
		.access_token = in->token.access_token,
		.instance_url = in->token.instance_url,
		.org_id = in->token.org_id,
		.user_id = in->token.user_id,
		.generation = in->token.generation,
	};

	in->life.leased = true;
	/* It would have been replaced by now, had anybody used it. */
	if (in->life.due && in->state == KEEPER_FRESH)
		keeper_ask(in);
	answer_wait(wait, &lease, NULL);
}

static void turn(void *arg)
{
	struct keeper *in = arg;
	struct keeper_wait *wait = TAILQ_FIRST(&in->waits);
	struct error err;

	in->turn = NULL;
	if (!wait)
		return;
	/* One waiter a turn, and last: its callback may do anything to the keeper. */
	if (in->state == KEEPER_PARKED) {
		err = in->trouble;
		/* Whatever it was, waiting does not mend it. */
		err.kind = ERROR_HUMAN;
		err.retry_after_s = 0;
		keeper_turn_soon(in);
		answer_wait(wait, NULL, &err);
	} else if (keeper_is_good(in)) {
		keeper_turn_soon(in);
		lend(in, wait);
	} else if (in->state == KEEPER_EMPTY || in->state == KEEPER_FRESH) {
		keeper_ask(in);
	} /* else it is on its way */
}
