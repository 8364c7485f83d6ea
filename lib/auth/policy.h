/* policy.h - what a keeper decides, as functions of values: no clock, no I/O. Private to lib/auth.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "vault/vault.h"

struct error;

/* How long after a token was obtained it is to be replaced, before jitter: at 3/4 of its life, and
 * 5 minutes before its end at the latest where it lives long enough for that. */
int64_t policy_refresh_after_ms(int64_t life_ms);

/* What may be done with a grant by_login, whose refresh token can be lost by sending it. */
enum policy_step {
	POLICY_SEND,
	POLICY_USE_OLD, /* the access token to its end, then decide again */
	POLICY_NEEDS_LOGIN,
	POLICY_ANSWER_LOST, /* sent once more already: only a login helps */
};
struct policy_grant {
	bool has_refresh_token;
	unsigned asked; /* as in struct vault_account */
	enum vault_rotation rotation;
	bool good; /* the access token is */
};
enum policy_step policy_next_step(const struct policy_grant *in);

/* What a failed token request leads to. `in_a_row` counts this failure and those before it with the
 * same code. */
struct policy_verdict {
	bool park;             /* a person must act: no more requests */
	int64_t least_wait_ms; /* otherwise: wait for the back-off, and at least so long */
};
struct policy_verdict policy_after_failure(const struct error *err, unsigned in_a_row);

/* Is it the login of a grant by_login that is wrong, so that a new one mends it? */
bool policy_login_mends(const char *code);

/* Would the same request only fail the same way, until somebody logged in? Then it is not made
 * again, whoever asks for it. */
bool policy_only_login_mends(const char *code);

/* How long a token is believed to live that says nothing of its end: `ceiling_s`, or what was
 * learned within 7 days. */
struct policy_life {
	int64_t life_s;
	enum vault_expiry expiry; /* VAULT_EXPIRY_ASSUMED or _LEARNED */
};
struct policy_life policy_life(int64_t ceiling_s, const struct vault_account *account,
			       int64_t now_ms);

/* What a session teaches that was refused `unused_ms` after its last proof of life: the next
 * shorter session timeout that can be set in Salesforce, in seconds; 0: nothing. */
int64_t policy_lesson_s(int64_t ceiling_s, const struct vault_account *account, int64_t unused_ms,
			int64_t now_ms);

/* Is such a life, as introspection has it, one that a session can have? Else the two clocks do not
 * agree, and it is not known. */
bool policy_is_life(int64_t life_ms);

/* Access tokens that were refused while still fresh: then it is not the token. One that was taken
 * before (`proved`) may have been ended by somebody, so it takes more of those; but an endpoint
 * that takes the token beside one that never does must not use up tokens for ever. An old one that
 * is refused has simply come to its end, and ends both rows. Zeroed: none yet. */
#define POLICY_MOST_REFUSALS        3 /* in a row, taken nowhere */
#define POLICY_MOST_PROVED_REFUSALS 5 /* in a row, within an hour */
struct policy_refusals {
	unsigned unproved;
	unsigned proved;
	int64_t proved_ms[POLICY_MOST_PROVED_REFUSALS]; /* a ring */
};

/* Counts one of `age_ms`. True: no further token is to be asked for. */
bool policy_refused(struct policy_refusals *in, bool proved, int64_t age_ms, int64_t now_ms);

/* Never more than 20 requests an hour, whatever asks for them. Zeroed: none yet. */
#define POLICY_MOST_AN_HOUR 20
struct policy_budget {
	int64_t asked_ms[POLICY_MOST_AN_HOUR]; /* a ring */
	uint64_t count;
};
int64_t policy_budget_wait_ms(const struct policy_budget *in, int64_t now_ms);
void policy_budget_take(struct policy_budget *in, int64_t now_ms);
