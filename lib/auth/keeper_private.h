/* keeper_private.h - what the files of the keeper share; nobody else includes it.
 *
 * keeper.c has the states, who waits, and the turn; keeper_ask.c gets a token and stores it;
 * keeper_life.c knows how long it is good; keeper_account.c is the account as the vault has it, and
 * what persons do to it; keeper_tell.c says how it stands. Decisions are in policy.c. */
#pragma once
#include <sys/queue.h>

#include "auth/grant.h"
#include "auth/keeper.h"
#include "auth/policy.h"
#include "base/error.h"
#include "loop/backoff.h"
#include "loop/loop.h"
#include "vault/vault.h"

/* What became of the token at hand since it was obtained. */
struct keeper_life {
	int64_t obtained_steady_ms, expires_steady_ms;
	int64_t proved_steady_ms; /* its last proof of life; not before obtained_steady_ms */
	bool proved;              /* a server took it */
	bool leased;
	bool spent; /* refused by a server, or not to be trusted any more */
	bool due;   /* its time to be replaced has come, but nobody used it */
};

struct keeper {
	struct keeper_args args;
	char *account;
	enum keeper_state state;

	struct vault_token token;   /* as in the vault; org_id is the pin, whatever else is true */
	struct vault_account known; /* as in the vault, but for a write of it that failed */
	struct keeper_life life;
	int64_t proved_ms; /* the last proof of life of any token */
	struct policy_refusals refusals;

	struct grant_request *asking;   /* in KEEPER_REFRESHING only */
	struct grant_request *looking;  /* introspects the token at hand */
	int64_t look_after_ms;          /* on the steady clock: not before */
	struct vault_token uncommitted; /* in KEEPER_WAITING only: all zero otherwise */
	struct error refusal;           /* of all but the refresh token in `uncommitted`; all zero
					   if that is a whole answer */
	struct loop_timer *next;        /* a refresh ahead, or the next try, or the next commit */
	int64_t next_ms;
	struct backoff backoff;
	struct policy_budget budget;
	uint64_t requests;
	struct error trouble; /* why it waits or is parked, or why the old token is used up first */
	unsigned failures;    /* in a row, of trouble.code; 0: there is no trouble */

	TAILQ_HEAD(, keeper_wait) waits;
	struct loop_timer *turn;

	struct loop_timer *tell_state, *tell_moved, *tell_settled, *remind;
	keeper_changed_fn *changed;
	void *changed_arg;
	keeper_settled_fn *settled;
	void *settled_arg;
};

/* keeper.c */

/* The only place where the state changes. */
void keeper_set_state(struct keeper *in, enum keeper_state state);
void keeper_turn_soon(struct keeper *in);
void keeper_set_next(struct keeper *in, int64_t wait_ms, loop_fn *fn);
void keeper_clear_next(struct keeper *in);
void keeper_set_trouble(struct keeper *in, const struct error *err);
void keeper_clear_trouble(struct keeper *in);
void keeper_park(struct keeper *in, const struct error *err);

/* keeper_ask.c */

/* Asks for a token, or waits until it may, or parks. */
void keeper_ask(struct keeper *in);

/* Goes on with what was held back while somebody waited for the end. */
void keeper_resume(struct keeper *in);
void keeper_drop_request(struct keeper *in);
bool keeper_is_same_org(const struct keeper *in, const struct vault_token *token);

/* keeper_life.c */

bool keeper_is_good(const struct keeper *in);

/* `token` is now the account's; its contents are taken. */
void keeper_use_token(struct keeper *in, struct vault_token *token);

/* Not lent any more. */
void keeper_spend(struct keeper *in);

/* Sets the timer of whatever the token at hand needs next. */
void keeper_plan(struct keeper *in);

/* When a token was obtained, and when it is believed to end: by our own clock. */
void keeper_date(const struct keeper *in, struct vault_token *token, int64_t obtained_ms);

/* Asks in the background when the token at hand ends, if that is not said. */
void keeper_look(struct keeper *in);
void keeper_stop_looking(struct keeper *in);

/* keeper_account.c */

/* Takes the vault's token if it is newer. Parks if that was tampered with, or only a login helps.
 */
bool keeper_load(struct keeper *in, struct error *err);
enum policy_step keeper_next_step(const struct keeper *in);

/* Stores it, and then it is the account's, and whoever waits is served; its contents are taken.
 * False: nothing has changed. */
bool keeper_store(struct keeper *in, struct vault_token *token, struct error *err);

/* Parks by that step. */
void keeper_park_step(struct keeper *in, enum policy_step step);

/* keeper_tell.c */
void keeper_tell_state(struct keeper *in);
void keeper_tell_moved(struct keeper *in);
void keeper_tell_nobody(struct keeper *in);
