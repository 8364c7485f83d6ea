/* grant.h - how one provider's token endpoint is asked and understood; the keeper knows no
 * provider.
 *
 * A provider's room (lib/salesforce) fills in one of these per account. */
#pragma once
#include <stdbool.h>

struct error;
struct grant_request;
struct vault_token;

/* The end of one token request. `token` (contents now owned by the callee; NULL on failure) or
 * `err`. Of the token, `generation` is the keeper's; `obtained_ms` and `expires_ms` may be 0 for
 * now and not said; a refresh_token of NULL means that the current one stays good. ERROR_RETRY: no
 * grant is lost, back off; ERROR_HUMAN: the grant or its configuration is refused, a person must
 * act. Once, from the loop, never from inside the start. */
typedef void grant_done_fn(struct vault_token *token, const struct error *err, void *arg);

struct grant {
	void *self;
	const char *source; /* which endpoint is asked, and as which app: a stored token of another
			       one is not used */
	/* `current` is the stored token, NULL if there is none. */
	struct grant_request *(*start)(void *self, const struct vault_token *current,
				       grant_done_fn *done, void *arg);
	void (*cancel)(struct grant_request *request);
};
