/* keeper.h - one valid access token per account, one token request however many wait.
 *
 * States: empty (no token yet), fresh, refreshing, waiting (a transient failure: back-off runs),
 * parked (a person must act). The keeper stores a new token in the vault before the first request
 * uses it, refreshes at 3/4 of its life with jitter while the account is in use, and pins the org:
 * a token of another org parks the account (code other-org). Parked, it makes no request at all
 * until keeper_unpark() or keeper_forget(). Never more than 20 token requests an hour. Three tokens
 * in a row refused within minutes of being obtained park it too (code token-refused): then it is
 * not the token. An endpoint that answers with no token and no reason, as under maintenance, never
 * parks: after eight such answers it is asked every 15 minutes. If the vault cannot store a new
 * token, nobody gets it until it can. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct error;
struct grant;
struct keeper;
struct keeper_wait;
struct loop;
struct secret;
struct vault;

struct keeper_args {
	struct loop *loop; /* borrowed, as all here */
	struct vault *vault;
	const struct grant *grant;
	const char *account;
	int64_t session_lifetime_s; /* how long a token is believed to live where nobody says: 2 h
				     */
};

/* Starts with the token of the vault, if it has one; one that was tampered with parks this account
 * and is no failure here. */
struct keeper *keeper_new(const struct keeper_args *args, struct error *err);

/* Those who still wait are not told. */
void keeper_free(struct keeper *in);
CLEANUP_DEFINE(struct keeper, keeper_free)

/* Lent for the call only. Callbacks may call anything here, keeper_free() too. */
struct keeper_lease {
	struct secret *access_token;
	const char *instance_url;
	const char *org_id;
	const char *user_id;
	uint64_t generation;
};
typedef void keeper_done_fn(const struct keeper_lease *lease, const struct error *err, void *arg);

/* A token that is good for a minute at least. Waits through a running refresh and its back-off for
 * at most two minutes, then ERROR_RETRY. Parked: the reason at once (from the loop), its code and
 * text, always as ERROR_HUMAN: what brought it here, even ERROR_STATE, is over only when a person
 * acted. */
struct keeper_wait *keeper_get(struct keeper *in, keeper_done_fn *done, void *arg);
void keeper_cancel(struct keeper_wait *in);

/* A server refused the token of this generation (401). Marks it spent, unless a newer one is there
 * already. */
void keeper_refused(struct keeper *in, uint64_t generation);

enum keeper_state { KEEPER_EMPTY, KEEPER_FRESH, KEEPER_REFRESHING, KEEPER_WAITING, KEEPER_PARKED };

struct keeper_health {
	enum keeper_state state;
	const char *state_name; /* "empty", "fresh", ...; parked is "needs-login" where a login
				   mends it (the grant's error has that code, or the account had a
				   refresh token), else "needs-admin" */
	int64_t obtained_ms;    /* 0: none */
	int64_t expires_ms;
	int64_t next_refresh_ms;  /* or the next try; 0: none is planned */
	const char *instance_url; /* "" until known, as the next */
	const char *org_id;
	const struct error *trouble; /* as it came; NULL if all is well */
	uint64_t token_requests;     /* since start */
};
void keeper_health(const struct keeper *in, struct keeper_health *ret);

/* Forgets why it was parked, so that the next keeper_get() asks again, unless a newer token stands
 * in the vault by now. Does nothing if it is not parked. */
void keeper_unpark(struct keeper *in);

/* The account starts anew, as after its first configuration: its token and its org are forgotten,
 * here and in the vault. */
bool keeper_forget(struct keeper *in, struct error *err);

/* Told, from the loop, whenever the state changed: the daemon logs it. */
typedef void keeper_changed_fn(struct keeper *in, void *arg);
void keeper_on_change(struct keeper *in, keeper_changed_fn *fn, void *arg);
