/* keeper.h - one valid access token per account, one token request however many wait.
 *
 * States: empty (no token that is good), fresh, refreshing, waiting (a transient failure: back-off
 * runs), parked (a person must act). In every state:
 *
 * - A token is in the vault, and the vault's high-water mark is raised, before the first request
 *   uses it. If the vault cannot store it, nobody gets it until it can (waiting, code
 *   token-not-stored): tried every 2 s for a minute, then every 30 s, and once by keeper_free().
 * - Before a refresh token is sent, the vault knows that it will be (vault_account_set_asked); if
 *   that cannot be written, it is not sent. If no answer came, the old access token is used to its
 *   end (fresh, with a trouble), then the refresh token is sent exactly once more, unless the
 *   provider is known not to rotate; after that the account is parked (code answer-lost). The same
 *   holds for a process that was killed in between. Refused then, the text says that the lost
 *   answer may be why, and no later process sends it either.
 * - An answer that is refused, but that brought a new refresh token, leaves that in the vault
 *   beside the old access token, before anything comes of the refusal.
 * - A refresh token older than the high-water mark is never sent (parked, code stale-token).
 * - The token is replaced at 3/4 of its life with jitter while the account is in use, and once a
 *   day otherwise, so that the grant stays alive.
 * - How long it lives: what its answer said, else introspection where the app may, else
 *   session_lifetime or what was learned. Introspection's "inactive" says nothing: it may mean
 *   that the app may not look, and a refusal (401) decides.
 * - What is learned: a session that ended sooner though it was used less than that ago teaches the
 *   next shorter timeout Salesforce has, a step a day at most, 15 minutes at least, forgotten after
 *   7 days without such an end. One that ended within 15 minutes of its last use was revoked and
 *   teaches nothing.
 * - The org is pinned: a token of another org parks the account (code other-org). A new
 *   instance_url of the same org is taken, and told.
 * - Parked, no request at all is made until keeper_unpark() or keeper_login(). Never more than 20
 *   token requests an hour.
 * - Three tokens in a row that are refused within minutes of being obtained park it too (code
 *   token-refused): then it is not the token. So do five in a row within an hour that a server took
 *   first (keeper_proved()); fewer may be sessions that somebody ended.
 * - An endpoint that answers with no token and no reason, as under maintenance, never parks: after
 *   eight such answers it is asked every 15 minutes. */
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
struct vault_token;

struct keeper_args {
	struct loop *loop; /* borrowed, as all here */
	struct vault *vault;
	const struct grant *grant;
	const char *account;
	int64_t session_lifetime_s; /* how long a token is believed to live where nobody says */
};

/* Starts with the token of the vault, if it has one; one that was tampered with, is stale, or was
 * disconnected parks this account and is no failure here. A grant by_login without a token parks it
 * too (code needs-login). */
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

/* A server took the token of this generation: a proof of life. */
void keeper_proved(struct keeper *in, uint64_t generation);

/* A server refused the token of this generation (401). Marks it spent, unless a newer one is there
 * already. */
void keeper_refused(struct keeper *in, uint64_t generation);

/* The host of this generation's token does not serve its org any more: as keeper_refused(), but it
 * says nothing of the session, and does not count as a refusal. */
void keeper_moved(struct keeper *in, uint64_t generation);

enum keeper_state { KEEPER_EMPTY, KEEPER_FRESH, KEEPER_REFRESHING, KEEPER_WAITING, KEEPER_PARKED };

struct keeper_health {
	enum keeper_state state;
	const char *state_name; /* "empty", "fresh", "refreshing", "waiting"; parked: see below */
	int64_t obtained_ms;    /* 0: none */
	int64_t expires_ms;
	const char *expiry;       /* where that is known from: "introspection", "answer", "learned",
				     "session_lifetime"; "" if there is no token */
	const char *rotation;     /* "on", "off", "unknown"; "" for flows without refresh tokens */
	int64_t proved_ms;        /* the last proof of life; 0: none since start */
	int64_t idle_ends_ms;     /* by_login: 30 days after the last refresh, when Salesforce may
				     end an unused grant; 0 for other flows or none */
	int64_t next_refresh_ms;  /* or the next try; 0: none is planned */
	const char *instance_url; /* "" until known, as the next */
	const char *org_id;
	const struct error *trouble; /* as it came; NULL if all is well. Fresh, with a trouble: the
					answer to a refresh was lost */
	uint64_t token_requests;     /* since start */
};

/* Parked, `state_name` is "needs-login" where logging in mends it (by_login, and the trouble is the
 * grant: invalid_grant, needs-login, stale-token, answer-lost, tampered, other-org), "disconnected"
 * after keeper_disconnect(), else "needs-admin". */
void keeper_health(const struct keeper *in, struct keeper_health *ret);

/* Forgets why it was parked, so that the next keeper_get() asks again, unless a newer token stands
 * in the vault by now. Does nothing if it is not parked, or if only a login helps (needs-login,
 * stale-token, answer-lost, disconnected, a grant by_login that answered invalid_grant). A dead
 * grant is asked once a process: the next start tries it again. */
void keeper_unpark(struct keeper *in);

/* A login that the operator confirmed: its token becomes the account's, as old as its `obtained_ms`
 * says. Another org than the pinned one is refused (ERROR_HUMAN code other-org: keeper_disconnect()
 * first). Stored before it answers true; then whoever waits is served, and nothing of the past
 * keeps it parked. Takes the contents on success only. Busy (keeper_is_busy()), it is ERROR_RETRY
 * code token-on-its-way, and nothing has changed: dropped, a request could leave a grant at the
 * server that nobody holds. Another token request under way is dropped. */
bool keeper_login(struct keeper *in, struct vault_token *token, struct error *err);

/* The operator's end of it: vault_disconnect(), then parked (code disconnected) until
 * keeper_login(). Busy: as there. */
bool keeper_disconnect(struct keeper *in, struct error *err);

/* A refresh token is on its way (by_login), or a token is not stored yet: to stop now could lose
 * the grant. */
bool keeper_is_busy(const struct keeper *in);

/* Somebody waits for the end of that: no request is begun any more, whoever asks; what is on its
 * way is awaited and stored. Told from the loop whenever it has settled, soon if it is settled now,
 * perhaps more than once; at most one who waits. NULL forgets him, and requests are begun again. */
typedef void keeper_settled_fn(void *arg);
void keeper_on_settled(struct keeper *in, keeper_settled_fn *fn, void *arg);

/* Told, from the loop, whenever the state changed (also from empty by keeper_new()), the
 * instance_url changed (health says which) or a daily reminder of a parked state is due: the daemon
 * logs it. */
enum keeper_news { KEEPER_NEWS_STATE, KEEPER_NEWS_MOVED, KEEPER_NEWS_REMINDER };
typedef void keeper_changed_fn(struct keeper *in, enum keeper_news news, void *arg);
void keeper_on_change(struct keeper *in, keeper_changed_fn *fn, void *arg);
