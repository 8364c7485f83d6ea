/* backoff.h - how long to wait before the next try. Pure but for the random source.
 *
 * Full jitter (a wait is anywhere between half the step and the step), doubling from `first_ms` to
 * `most_ms`. A server's Retry-After wins if longer, capped at one hour. */
#pragma once
#include <stdint.h>

struct backoff {
	int64_t first_ms;
	int64_t most_ms;
	unsigned tries; /* failures in a row so far */
};

/* Counts a failure and says how long to wait. */
int64_t backoff_next_ms(struct backoff *in, int64_t retry_after_s);
void backoff_reset(struct backoff *in);

/* `ms` give or take `percent`, evenly. */
int64_t backoff_jitter_ms(int64_t ms, unsigned percent);
