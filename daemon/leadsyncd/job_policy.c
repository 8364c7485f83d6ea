#include "job_policy.h"

#include <stdlib.h>

#include "base/error.h"
#include "loop/backoff.h"

#define SECOND_MS ((int64_t)1000)
#define HOUR_MS   (3600 * SECOND_MS)

/* A spent quota grows again by the hour (a rolling window of 24 h): no sense in asking more often.
 */
#define QUOTA_PROBE_MS  (HOUR_MS / 2)
#define PARKED_PROBE_MS HOUR_MS
#define REMINDER_MS     (24 * HOUR_MS)

struct job_verdict job_after_failure(const struct error *why, struct backoff *backoff)
{
	switch (why->kind) {
	case ERROR_QUOTA: return (struct job_verdict){ .delay_ms = QUOTA_PROBE_MS };
	case ERROR_LOGIN:
	case ERROR_HUMAN:
	case ERROR_STATE:
	case ERROR_BUG: return (struct job_verdict){ .parks = true, .delay_ms = PARKED_PROBE_MS };
	case ERROR_RETRY:
	case ERROR_STALE:
	case ERROR_RECORD:
	case ERROR_FIELD:
		return (struct job_verdict){ .delay_ms =
						     backoff_next_ms(backoff, why->retry_after_s) };
	}
	abort();
}

int64_t job_delay_after_success(int64_t every_s, int64_t spent_ms)
{
	int64_t period_ms = backoff_jitter_ms(every_s * SECOND_MS, 10);

	return period_ms > spent_ms + SECOND_MS ? period_ms - spent_ms : SECOND_MS;
}

bool job_should_say(int64_t said_ms, int64_t now_ms)
{
	return !said_ms || now_ms - said_ms >= REMINDER_MS;
}
