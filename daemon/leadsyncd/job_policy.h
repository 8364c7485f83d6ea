/* job_policy.h - what the end of a run leads to. Pure but for the jitter. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct backoff;
struct error;

struct job_verdict {
	bool parks;       /* somebody must act; tried again every hour all the same */
	int64_t delay_ms; /* until the next run */
};

/* `backoff` counts the failures in a row that pass by themselves. */
struct job_verdict job_after_failure(const struct error *why, struct backoff *backoff);

/* `spent_ms` is how long the run took: the period goes from start to start, give or take a tenth.
 */
int64_t job_delay_after_success(int64_t every_s, int64_t spent_ms);

/* What a parked job waits for is said when it parks, and again once a day; `said_ms` is when it was
 * said last on the steady clock, 0 for not yet. */
bool job_should_say(int64_t said_ms, int64_t now_ms);
