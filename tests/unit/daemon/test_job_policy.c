/* What the end of a run leads to, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "loop/backoff.h"
#include "leadsyncd/job_policy.h"

#define MINUTE_MS (60 * 1000)

static void each_kind_has_its_delay(void **state)
{
	static const struct {
		enum error_kind kind;
		bool parks;
		int64_t least_ms, most_ms;
	} rows[] = {
		{ ERROR_RETRY, false, 15000, 30000 },
		{ ERROR_STALE, false, 15000, 30000 },
		{ ERROR_QUOTA, false, 30 * MINUTE_MS, 30 * MINUTE_MS },
		{ ERROR_LOGIN, true, 60 * MINUTE_MS, 60 * MINUTE_MS },
		{ ERROR_HUMAN, true, 60 * MINUTE_MS, 60 * MINUTE_MS },
		{ ERROR_STATE, true, 60 * MINUTE_MS, 60 * MINUTE_MS },
		{ ERROR_BUG, true, 60 * MINUTE_MS, 60 * MINUTE_MS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct backoff backoff = { .first_ms = 30000, .most_ms = 15 * MINUTE_MS };
		struct error why = { .kind = rows[i].kind };
		struct job_verdict verdict = job_after_failure(&why, &backoff);

		assert_int_equal(verdict.parks, rows[i].parks);
		assert_in_range(verdict.delay_ms, rows[i].least_ms, rows[i].most_ms);
	}
}

/* However short the job's period: a server in trouble is asked less and less often. */
static void trouble_is_met_with_patience(void **state)
{
	struct backoff backoff = { .first_ms = 30000, .most_ms = 15 * MINUTE_MS };
	struct error why = { .kind = ERROR_RETRY };
	int64_t day_ms = 0;
	int tries = 0;

	(void)state;
	while (day_ms < 24 * 60 * MINUTE_MS) {
		day_ms += job_after_failure(&why, &backoff).delay_ms;
		tries++;
	}
	assert_in_range(tries, 96, 200);
	why.retry_after_s = 1800;
	assert_true(job_after_failure(&why, &backoff).delay_ms >= 30 * MINUTE_MS);
}

static void the_period_goes_from_start_to_start(void **state)
{
	(void)state;
	assert_in_range(job_delay_after_success(300, 0), 270000, 330000);
	assert_in_range(job_delay_after_success(300, 100000), 170000, 230000);
	assert_int_equal(job_delay_after_success(300, 400000), 1000);
}

static void a_parked_job_is_told_of_once_a_day(void **state)
{
	int64_t said_ms = 0;
	int said = 0;

	(void)state;
	/* Three days of hourly probes. */
	for (int64_t hour = 1; hour <= 72; hour++) {
		if (!job_should_say(said_ms, hour * 60 * MINUTE_MS))
			continue;
		said_ms = hour * 60 * MINUTE_MS;
		said++;
	}
	assert_int_equal(said, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_delay),
		cmocka_unit_test(trouble_is_met_with_patience),
		cmocka_unit_test(the_period_goes_from_start_to_start),
		cmocka_unit_test(a_parked_job_is_told_of_once_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
