/* grant.h - how one provider's token endpoint is asked and understood; keeper and login know no
 * provider.
 *
 * A provider's room (lib/salesforce) fills in one of these per account and flow. Starts cannot
 * fail; `done` comes once, from the loop, never from inside the start, with the handle dead; after
 * a cancel it never comes. Secrets and tokens that are passed in are borrowed during the start
 * only.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct error;
struct grant_request;
struct secret;
struct vault_token;

/* The end of one token request. `token` (contents now owned by the callee) or `err`, or both: see
 * below. Of the token, `generation` and `rotation` are the keeper's; `obtained_ms` and `expires_ms`
 * may be 0 for now and not said; a refresh_token of NULL means that the current one stays good.
 * ERROR_RETRY: no grant is lost, back off; ERROR_HUMAN: the grant or its configuration is refused,
 * a person must act; its code invalid_grant: the grant is dead, only a new login helps.
 *
 * Both, by_login only: a 200 that is refused for another reason (a host that is not admitted, a
 * missing scope, a wrong signature), but that brought a well-formed new refresh token. Of the token
 * only `refresh_token` is set then, and `unknown` is false: what was sent is used up, and this is
 * its successor, which the callee stores, or has revoked, before it does anything about `err`.
 *
 * `unknown` with an `err`: the request left, and no answer came that says what became of it (a lost
 * answer, a 200 that cannot be read): the refresh token that was sent may be used up. */
typedef void grant_done_fn(struct vault_token *token, const struct error *err, bool unknown,
			   void *arg);

/* What introspection (RFC 7662) said of an access token. `expires_ms` 0: its end was not said. Not
 * `active`: dead, or the server says no more to this app (section 2.2). An `err` of ERROR_HUMAN:
 * this app may not introspect. */
typedef void grant_looked_fn(bool active, int64_t expires_ms, const struct error *err, void *arg);

/* Revoked (RFC 7009), or not known there any more, which is as good; or `err`. */
typedef void grant_revoked_fn(const struct error *err, void *arg);

struct grant {
	void *self;
	const char *source; /* which endpoint is asked, and as which app: a stored token of another
			       one is not used */
	/* The first token comes from a person at a browser, the next from its refresh token. Else
	 * every token comes from start() alone. */
	bool by_login;

	/* Asks for the next token. `current` is the stored one, NULL if there is none; by_login it
	 * has a refresh_token. */
	struct grant_request *(*start)(void *self, const struct vault_token *current,
				       grant_done_fn *done, void *arg);

	/* by_login only, as the next. Where the browser is sent: RFC 6749 section 4.1.1 with RFC
	 * 7636 (S256). free() it. */
	char *(*authorize_url)(void *self, const char *state, const char *challenge);

	/* Turns the code of a login into the first token. Once only: a code is used up by asking.
	 */
	struct grant_request *(*exchange)(void *self, struct secret *code, struct secret *verifier,
					  grant_done_fn *done, void *arg);

	struct grant_request *(*introspect)(void *self, struct secret *access_token,
					    grant_looked_fn *done, void *arg);

	struct grant_request *(*revoke)(void *self, struct secret *token, grant_revoked_fn *done,
					void *arg);

	void (*cancel)(struct grant_request *request); /* NULL is allowed */
};
