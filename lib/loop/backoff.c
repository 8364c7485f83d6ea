#include "loop/backoff.h"

#include <stdlib.h>
#include <sys/random.h>

#define MOST_RETRY_AFTER_S 3600

/* 0 to `most`, evenly enough: the rest of dividing 64 random bits is nothing against jitter. */
static int64_t random_up_to(int64_t most)
{
	uint64_t bits;

	if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
		abort(); /* not possible on a Linux that has finished booting */
	return (int64_t)(bits % ((uint64_t)most + 1));
}

int64_t backoff_next_ms(struct backoff *in, int64_t retry_after_s)
{
	int64_t step_ms = in->first_ms, wait_ms, asked_ms;

	for (unsigned i = 0; i < in->tries && step_ms < in->most_ms; i++)
		step_ms *= 2;
	if (step_ms > in->most_ms)
		step_ms = in->most_ms;
	in->tries++;
	wait_ms = step_ms - random_up_to(step_ms / 2);
	asked_ms = (retry_after_s < MOST_RETRY_AFTER_S ? retry_after_s : MOST_RETRY_AFTER_S) * 1000;
	return asked_ms > wait_ms ? asked_ms : wait_ms;
}

void backoff_reset(struct backoff *in)
{
	in->tries = 0;
}

int64_t backoff_jitter_ms(int64_t ms, unsigned percent)
{
	int64_t most_ms = ms * percent / 100;

	return ms - most_ms + random_up_to(2 * most_ms);
}
