/* keeper_private.h - what the files of the keeper share; nobody else includes it.
 *
 * keeper.c has the states, who waits, and the turn; keeper_ask.c gets a token and stores it;
 * keeper_life.c knows how long it is good; keeper_tell.c says how it stands. Decisions are in
 * policy.c. */
#pragma once
#include <sys/queue.h>

#include "auth/keeper.h"
#include "auth/policy.h"
#include "base/error.h"
#include "loop/backoff.h"
#include "loop/loop.h"
#include "vault/vault.h"

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

/* The only place where the state changes. */
void keeper_set_state(struct keeper *in, enum keeper_state state);
void keeper_turn_soon(struct keeper *in);
void keeper_set_next(struct keeper *in, int64_t wait_ms, loop_fn *fn);
void keeper_clear_next(struct keeper *in);
void keeper_set_trouble(struct keeper *in, const struct error *err);
void keeper_clear_trouble(struct keeper *in);
void keeper_park(struct keeper *in, const struct error *err);

/* Asks for a token, or waits until it may. */
void keeper_ask(struct keeper *in);

bool keeper_is_good(const struct keeper *in);

/* `token` is now the account's; its contents are taken. */
void keeper_use_token(struct keeper *in, struct vault_token *token);
void keeper_spend(struct keeper *in);

/* Takes the vault's token if it is newer. */
bool keeper_load(struct keeper *in, struct error *err);
const char *keeper_source(const struct keeper *in);

void keeper_tell_state(struct keeper *in);
