/* policy.h - what a keeper decides, as functions of values: no clock, no I/O. Private to lib/auth.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct error;

/* How long after a token was obtained it is to be replaced, before jitter: at 3/4 of its life, and
 * 5 minutes before its end at the latest where it lives long enough for that. */
int64_t policy_refresh_after_ms(int64_t life_ms);

/* What a failed token request leads to. `in_a_row` counts this failure and those before it with the
 * same code. */
struct policy_verdict {
	bool park;             /* a person must act: no more requests */
	int64_t least_wait_ms; /* otherwise: wait for the back-off, and at least so long */
};
struct policy_verdict policy_after_failure(const struct error *err, unsigned in_a_row);

/* How many tokens in a row were refused while still fresh, now that one of `age_ms` is refused. An
 * old one that is refused has simply come to its end. */
unsigned policy_refusals(unsigned before, int64_t age_ms);
#define POLICY_MOST_REFUSALS 3

/* Never more than 20 requests an hour, whatever asks for them. Zeroed: none yet. */
#define POLICY_MOST_AN_HOUR 20
struct policy_budget {
	int64_t asked_ms[POLICY_MOST_AN_HOUR]; /* a ring */
	uint64_t count;
};
int64_t policy_budget_wait_ms(const struct policy_budget *in, int64_t now_ms);
void policy_budget_take(struct policy_budget *in, int64_t now_ms);
