/* login.h - one login by a person at a browser, from the authorize URL to the first token.
 *
 *     login_new -> (browser or login_paste) -> exchange -> done
 *
 * `state` (32 random bytes, compared in constant time) and the PKCE verifier (RFC 7636, S256) live
 * in guarded memory and are good for ten minutes, suspended time included, and for one answer.
 * A wrong or doubled parameter, another path, a foreign state or issuer (RFC 9207) leave the login
 * pending. A denial (error=...) with the right state ends it. Nothing is stored here: the token
 * goes to `done`. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct error;
struct grant;
struct login;
struct loop;
struct secret;
struct vault_token;

#define LOGIN_LASTS_S 600

/* The end, once, from the loop: the first token, its contents now the callee's, or `err`:
 * ERROR_HUMAN codes login-denied (the browser came back with an error), login-expired (ten minutes
 * passed), exchange-lost (the code was sent and no answer came: a code works once, log in again),
 * or what the grant said. Both, where the answer is refused but brought a refresh token: then only
 * that is set, and it is to be revoked. The handle is good until login_free(). */
typedef void login_done_fn(struct vault_token *token, const struct error *err, void *arg);

struct login_args {
	struct loop *loop;         /* borrowed, as the next two */
	const struct grant *grant; /* by_login */
	const char *redirect_uri;
	bool listen; /* else only login_paste() brings the answer */
	login_done_fn *done;
	void *arg;
};

/* Not listening possible: callback.h's errors. */
struct login *login_new(const struct login_args *args, struct error *err);
void login_free(struct login *in);
CLEANUP_DEFINE(struct login, login_free)

/* Where the browser is to go. Good as long as the login. */
const char *login_url(const struct login *in);

/* The address the browser ended at, as somebody copied it from its address bar: the same checks as
 * for the listener, path included. False: ERROR_HUMAN code not-the-answer (what is wrong with it)
 * or wrong-state, and the login stays pending; or login-expired, and `done` is on its way. */
bool login_paste(struct login *in, struct secret *url, struct error *err);
