/* keeper.c - in order: keeper_new, keeper_get, turn (whoever waits is served, or a token is asked
 * for), ask, asked, commit, turn again. Decisions are in policy.c. */
#include "auth/keeper.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "auth/grant.h"
#include "auth/policy.h"
#include "base/error.h"
#include "loop/backoff.h"
#include "loop/loop.h"
#include "secret/secret.h"
#include "vault/vault.h"

#define LEAST_LEFT_MS      60000
#define WAIT_MS            120000
#define COMMIT_AGAIN_MS    30000
#define DEFAULT_LIFETIME_S 7200
#define REFRESH_JITTER     10 /* percent */
#define FIRST_BACKOFF_MS   2000
#define MOST_BACKOFF_MS    900000

struct keeper_wait {
	TAILQ_ENTRY(keeper_wait) entry;
	struct keeper *keeper;
	struct loop_timer *deadline;
	keeper_done_fn *done;
	void *arg;
};

struct keeper {
	struct keeper_args args;
	char *account;
	enum keeper_state state;

	struct vault_token token; /* as in the vault; org_id is the pin, whatever else is true */
	bool spent;               /* refused by a server, or not to be trusted any more */
	bool leased;              /* since it was obtained */
	bool due;                 /* its time to be replaced has come, but nobody used it */
	int64_t obtained_steady_ms, expires_steady_ms;
	unsigned refusals; /* of fresh tokens, in a row */

	struct grant_request *asking;   /* in KEEPER_REFRESHING only */
	struct vault_token uncommitted; /* in KEEPER_WAITING only: all zero otherwise */
	struct loop_timer *next;        /* a refresh ahead, or the next try, or the next commit */
	int64_t next_ms;
	struct backoff backoff;
	struct policy_budget budget;
	uint64_t requests;
	struct error trouble; /* in KEEPER_WAITING and KEEPER_PARKED */
	bool has_trouble;
	unsigned failures; /* in a row, of trouble.code */

	TAILQ_HEAD(, keeper_wait) waits;
	struct loop_timer *turn;
	struct loop_timer *tell;
	keeper_changed_fn *changed;
	void *changed_arg;
};

static bool load(struct keeper *in, struct error *err);
static void turn(void *arg);
static void ask(struct keeper *in);
static void ask_again(void *arg);
static void asked(struct vault_token *token, const struct error *err, bool unknown, void *arg);
static void commit(void *arg);
static void refresh_ahead(void *arg);
static void fail(struct keeper *in, const struct error *err);
static void park(struct keeper *in, const struct error *err);

/* States. */

static void tell_changed(void *arg)
{
	struct keeper *in = arg;

	in->tell = NULL;
	in->changed(in, KEEPER_NEWS_STATE, in->changed_arg);
}

/* The only place where the state changes. */
static void set_state(struct keeper *in, enum keeper_state state)
{
	if (in->state == state)
		return;
	in->state = state;
	if (in->changed && !in->tell)
		in->tell = loop_soon(in->args.loop, tell_changed, in);
}

static void turn_soon(struct keeper *in)
{
	if (!in->turn)
		in->turn = loop_soon(in->args.loop, turn, in);
}

static void set_next(struct keeper *in, int64_t wait_ms, loop_fn *fn)
{
	loop_timer_cancel(in->next);
	in->next = loop_after(in->args.loop, wait_ms, fn, in);
	in->next_ms = loop_now_ms(in->args.loop) + wait_ms;
}

static void clear_next(struct keeper *in)
{
	loop_timer_cancel(TAKE(in->next));
	in->next_ms = 0;
}

static void set_trouble(struct keeper *in, const struct error *err)
{
	bool same = in->has_trouble && strcmp(in->trouble.code, err->code) == 0;

	in->failures = same ? in->failures + 1 : 1;
	in->trouble = *err;
	in->has_trouble = true;
}

static void clear_trouble(struct keeper *in)
{
	in->has_trouble = false;
	in->failures = 0;
	backoff_reset(&in->backoff);
}

/* The token. */

static bool is_good(const struct keeper *in)
{
	/* A minute, save where a token lives so short that none would ever do. */
	int64_t life_ms = in->token.expires_ms - in->token.obtained_ms;
	int64_t ms = life_ms / 2 < LEAST_LEFT_MS ? life_ms / 2 : LEAST_LEFT_MS;

	/* The wall clock may be set back; the steady one does not know of time switched off. */
	return in->token.access_token && !in->spent &&
	       in->token.expires_ms - loop_now_ms(in->args.loop) >= ms &&
	       in->expires_steady_ms - loop_steady_ms(in->args.loop) >= ms;
}

static void plan_refresh(struct keeper *in)
{
	int64_t life_ms = in->token.expires_ms - in->token.obtained_ms;
	int64_t age_ms = loop_steady_ms(in->args.loop) - in->obtained_steady_ms;

	set_next(in, backoff_jitter_ms(policy_refresh_after_ms(life_ms), REFRESH_JITTER) - age_ms,
		 refresh_ahead);
}

/* `token` is now the account's; its contents are taken. */
static void use_token(struct keeper *in, struct vault_token *token)
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
	clear_trouble(in);
	clear_next(in);
	if (is_good(in)) {
		set_state(in, KEEPER_FRESH);
		plan_refresh(in);
	} else {
		set_state(in, KEEPER_EMPTY);
	}
}

static const char *source_of(const struct keeper *in)
{
	return in->args.grant->source ? in->args.grant->source : "";
}

static void spend(struct keeper *in)
{
	in->spent = true;
	clear_next(in);
	set_state(in, KEEPER_EMPTY);
}

static bool load(struct keeper *in, struct error *err)
{
	struct vault_token stored = { 0 };
	bool found;

	if (!vault_token_get(in->args.vault, in->account, &stored, &found, err))
		return false;
	if (found && stored.generation > in->token.generation) {
		use_token(in, &stored);
		/* Its org stays the pin, but the conf has meant another endpoint or app since,
		 * which must not even see it. */
		if (strcmp(in->token.source, source_of(in)) != 0) {
			secret_free(TAKE(in->token.access_token));
			secret_free(TAKE(in->token.refresh_token));
			spend(in);
		}
	}
	vault_token_done(&stored);
	return true;
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
	if (!load(in, err)) {
		if (err->kind != ERROR_STATE || strcmp(err->code, "tampered") != 0)
			return NULL;
		park(in, err);
	}
	return TAKE(in);
}

static void wait_free(struct keeper_wait *in)
{
	TAILQ_REMOVE(&in->keeper->waits, in, entry);
	loop_timer_cancel(in->deadline);
	free(in);
}

void keeper_free(struct keeper *in)
{
	if (!in)
		return;
	while (!TAILQ_EMPTY(&in->waits))
		wait_free(TAILQ_FIRST(&in->waits));
	if (in->asking)
		in->args.grant->cancel(in->asking);
	loop_timer_cancel(in->next);
	loop_timer_cancel(in->turn);
	loop_timer_cancel(in->tell);
	vault_token_done(&in->token);
	vault_token_done(&in->uncommitted);
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
		  in->has_trouble ? ": " : "", in->has_trouble ? in->trouble.text : "");
	answer_wait(wait, NULL, &err);
}

struct keeper_wait *keeper_get(struct keeper *in, keeper_done_fn *done, void *arg)
{
	struct keeper_wait *wait = mem_new(struct keeper_wait);

	*wait = (struct keeper_wait){ .keeper = in, .done = done, .arg = arg };
	wait->deadline = loop_after(in->args.loop, WAIT_MS, waited_too_long, wait);
	TAILQ_INSERT_TAIL(&in->waits, wait, entry);
	turn_soon(in);
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

	in->leased = true;
	/* It would have been replaced by now, had anybody used it. */
	if (in->due && in->state == KEEPER_FRESH)
		ask(in);
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
		turn_soon(in);
		answer_wait(wait, NULL, &err);
	} else if (is_good(in)) {
		turn_soon(in);
		lend(in, wait);
	} else if (in->state == KEEPER_EMPTY || in->state == KEEPER_FRESH) {
		ask(in);
	} /* else it is on its way */
}

/* Getting one. */

static void ask(struct keeper *in)
{
	int64_t now_ms = loop_steady_ms(in->args.loop);
	int64_t wait_ms = policy_budget_wait_ms(&in->budget, now_ms);

	if (wait_ms) {
		struct error err;

		error_set(&err, ERROR_RETRY, "token-budget",
			  "account %s: %d token requests within an hour; something uses up tokens",
			  in->account, POLICY_MOST_AN_HOUR);
		set_trouble(in, &err);
		set_state(in, KEEPER_WAITING);
		set_next(in, wait_ms, ask_again);
		return;
	}
	policy_budget_take(&in->budget, now_ms);
	in->requests++;
	clear_next(in);
	set_state(in, KEEPER_REFRESHING);
	in->asking = in->args.grant->start(in->args.grant->self,
					   in->token.access_token ? &in->token : NULL, asked, in);
}

static void ask_again(void *arg)
{
	struct keeper *in = arg;

	in->next = NULL;
	ask(in);
}

static void refresh_ahead(void *arg)
{
	struct keeper *in = arg;

	in->next = NULL;
	in->next_ms = 0;
	in->due = true;
	if (in->leased)
		ask(in);
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
	token->source = mem_strdup(source_of(in));
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
		use_token(in, &in->uncommitted);
		turn_soon(in);
		return;
	}
	error_prefix(&why, "account %s: the new token is not stored yet", in->account);
	set_trouble(in, &why);
	set_state(in, KEEPER_WAITING);
	set_next(in, COMMIT_AGAIN_MS, commit);
}

static void fail(struct keeper *in, const struct error *err)
{
	struct policy_verdict verdict;
	int64_t wait_ms;

	set_trouble(in, err);
	verdict = policy_after_failure(err, in->failures);
	if (verdict.park) {
		park(in, err);
		return;
	}
	wait_ms = backoff_next_ms(&in->backoff, err->retry_after_s);
	set_state(in, KEEPER_WAITING);
	set_next(in, wait_ms > verdict.least_wait_ms ? wait_ms : verdict.least_wait_ms, ask_again);
}

static void park(struct keeper *in, const struct error *err)
{
	set_trouble(in, err);
	clear_next(in);
	set_state(in, KEEPER_PARKED);
	turn_soon(in);
}

void keeper_unpark(struct keeper *in)
{
	struct error err;

	if (in->state != KEEPER_PARKED)
		return;
	clear_trouble(in);
	in->refusals = 0;
	in->spent = true;
	set_state(in, KEEPER_EMPTY);
	if (!load(in, &err))
		park(in, &err);
}

bool keeper_forget(struct keeper *in, struct error *err)
{
	if (!vault_token_delete(in->args.vault, in->account, err))
		return false;
	if (in->asking)
		in->args.grant->cancel(TAKE(in->asking));
	vault_token_done(&in->uncommitted);
	vault_token_done(&in->token);
	clear_trouble(in);
	in->refusals = 0;
	spend(in);
	turn_soon(in);
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
		park(in, &err);
	} else {
		spend(in);
		turn_soon(in);
	}
}

/* What the daemon shows. */

static const char *parked_name(const struct keeper *in)
{
	if (strcmp(in->trouble.code, "needs-login") == 0 || in->token.refresh_token)
		return "needs-login";
	return "needs-admin";
}

static const char *state_name(const struct keeper *in, enum keeper_state state)
{
	switch (state) {
	case KEEPER_EMPTY: return "empty";
	case KEEPER_FRESH: return "fresh";
	case KEEPER_REFRESHING: return "refreshing";
	case KEEPER_WAITING: return "waiting";
	case KEEPER_PARKED: return parked_name(in);
	}
	return "?";
}

void keeper_health(const struct keeper *in, struct keeper_health *ret)
{
	/* A token nobody used may have come to its end unnoticed. */
	enum keeper_state state =
		in->state == KEEPER_FRESH && !is_good(in) ? KEEPER_EMPTY : in->state;

	*ret = (struct keeper_health){
		.state = state,
		.state_name = state_name(in, state),
		.obtained_ms = in->token.obtained_ms,
		.expires_ms = in->token.expires_ms,
		.next_refresh_ms = in->next_ms,
		.instance_url = in->token.instance_url ? in->token.instance_url : "",
		.org_id = in->token.org_id ? in->token.org_id : "",
		.trouble = in->has_trouble ? &in->trouble : NULL,
		.token_requests = in->requests,
	};
}

void keeper_on_change(struct keeper *in, keeper_changed_fn *fn, void *arg)
{
	in->changed = fn;
	in->changed_arg = arg;
}
