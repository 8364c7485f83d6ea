/* connect.h - one `leadsync connect` as the daemon sees it: from the login to the operator's yes.
 *
 *     browser (web) -> asking -> looking -> found -> connect_confirm(), or forgotten
 *
 * Nothing is stored before the yes: the credential that was typed in, the token, and what it is
 * for live in guarded memory. Who never says yes within ten minutes has said no. A refresh token
 * that nobody wanted is revoked. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "salesforce/salesforce.h"

struct account;
struct connect;
struct error;
struct loop;
struct secret;
struct vault;

/* It failed, or its time is over, and nobody waited to hear so: to be freed. From the loop. */
typedef void connect_ended_fn(struct connect *in, void *arg);

struct connect_args {
	struct loop *loop; /* borrowed, as the next two */
	struct vault *vault;
	struct account *account;
	struct secret *credential; /* typed in; taken. NULL: as the conf says */
	bool paste;                /* web: the browser is elsewhere, do not listen */
	connect_ended_fn *ended;
	void *arg;
};

struct connect *connect_new(const struct connect_args *args, struct error *err);

/* Who waits is told (ERROR_HUMAN code login-cancelled), as the last thing. NULL is allowed. */
void connect_free(struct connect *in);
CLEANUP_DEFINE(struct connect, connect_free)

struct account *connect_account(const struct connect *in);

/* Random: whoever pastes, confirms or cancels says which login is meant. */
const char *connect_id(const struct connect *in);

/* Where the browser is to go; NULL for flows without one. */
const char *connect_url(const struct connect *in);

/* The address the browser ended at. False: it is not the answer; the login stays pending. */
bool connect_paste(struct connect *in, struct secret *url, struct error *err);

/* What was found: good as long as the connect. */
struct connect_found {
	struct sf_whoami who;
	const char *org_id, *user_id, *instance_url;
	const char *scope;   /* "" if not said */
	char pinned_org[19]; /* the org the account belongs to so far; "" before the first */
};
const struct connect_found *connect_found(const struct connect *in); /* NULL before */

/* Told once, from the loop, when it is found or failed (at once, if it is already); the connect
 * stays until connect_free(). One waits at a time; NULL forgets him. */
typedef void connect_ready_fn(const struct connect_found *found, const struct error *err,
			      void *arg);
void connect_wait(struct connect *in, connect_ready_fn *ready, void *arg);

bool connect_is_awaited(const struct connect *in);

/* The operator's yes: the credential is sealed, the token becomes the account's, an older refresh
 * token of the account is queued for revocation. Only when found. */
bool connect_confirm(struct connect *in, struct error *err);
