/* What a keeper decides, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "auth/policy.h"
#include "base/error.h"

#define MINUTE_MS ((int64_t)60000)
#define HOUR_MS   (60 * MINUTE_MS)

static void when_to_refresh(void **state)
{
	static const struct {
		int64_t life_ms, want_ms;
	} rows[] = {
		{ 2 * HOUR_MS, 90 * MINUTE_MS },
		{ 24 * HOUR_MS, 18 * HOUR_MS },
		{ 20 * MINUTE_MS, 15 * MINUTE_MS },
		{ 15 * MINUTE_MS, 10 * MINUTE_MS }, /* five minutes are left for six tries */
		{ 4 * MINUTE_MS, 3 * MINUTE_MS },
		{ 0, 0 },
		{ -HOUR_MS, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(policy_refresh_after_ms(rows[i].life_ms), rows[i].want_ms);
}

static void what_a_failure_leads_to(void **state)
{
	static const struct {
		enum error_kind kind;
		const char *code;
		unsigned in_a_row;
		bool park;
		int64_t least_wait_ms;
	} rows[] = {
		{ ERROR_RETRY, "dns", 1, false, 0 },
		{ ERROR_RETRY, "dns", 100000, false, 0 },
		{ ERROR_RETRY, "timeout", 100000, false, 0 },
		{ ERROR_RETRY, "tls", 50, false, 0 },
		{ ERROR_RETRY, "certificate", 1, false, 15 * MINUTE_MS },
		{ ERROR_RETRY, "certificate", 1000, false, 15 * MINUTE_MS },
		{ ERROR_RETRY, "protocol", 7, false, 0 },
		{ ERROR_RETRY, "protocol", 8, false, 15 * MINUTE_MS },
		{ ERROR_RETRY, "protocol", 100000, false, 15 * MINUTE_MS },
		{ ERROR_RETRY, "too-large", 7, false, 0 },
		{ ERROR_RETRY, "too-large", 8, false, 15 * MINUTE_MS },
		{ ERROR_QUOTA, "login-rate", 5, false, HOUR_MS },
		{ ERROR_HUMAN, "invalid_grant", 1, true, 0 },
		{ ERROR_STATE, "other-org", 1, true, 0 },
		{ ERROR_BUG, "odd", 1, false, 0 },
		{ ERROR_BUG, "odd", 3, false, 0 },
		{ ERROR_BUG, "odd", 4, true, 0 },
		{ ERROR_LOGIN, "odd", 4, true, 0 },
		{ ERROR_RECORD, "odd", 4, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_verdict got;
		struct error err;

		error_set(&err, rows[i].kind, rows[i].code, "x");
		got = policy_after_failure(&err, rows[i].in_a_row);
		if (got.park != rows[i].park ||
		    (!got.park && got.least_wait_ms != rows[i].least_wait_ms))
			fail_msg("row %zu", i);
	}
}

static void refusals_of_fresh_tokens_add_up(void **state)
{
	(void)state;
	assert_int_equal(policy_refusals(0, 0), 1);
	assert_int_equal(policy_refusals(2, 9 * MINUTE_MS), 3);
	assert_int_equal(policy_refusals(2, 10 * MINUTE_MS), 0);
}

static void twenty_an_hour(void **state)
{
	struct policy_budget in = { 0 };

	(void)state;
	for (int64_t i = 0; i < 20; i++) {
		assert_int_equal(policy_budget_wait_ms(&in, i * 1000), 0);
		policy_budget_take(&in, i * 1000);
	}
	assert_int_equal(policy_budget_wait_ms(&in, 20000), HOUR_MS - 20000);
	assert_int_equal(policy_budget_wait_ms(&in, HOUR_MS - 1), 1);
	assert_int_equal(policy_budget_wait_ms(&in, HOUR_MS), 0);
	policy_budget_take(&in, HOUR_MS);
	assert_int_equal(policy_budget_wait_ms(&in, HOUR_MS), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(when_to_refresh),
		cmocka_unit_test(what_a_failure_leads_to),
		cmocka_unit_test(refusals_of_fresh_tokens_add_up),
		cmocka_unit_test(twenty_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
