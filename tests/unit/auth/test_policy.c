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
#define DAY_MS    (24 * HOUR_MS)

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
		{ ERROR_RETRY, "unknown-error", 1, false, MINUTE_MS },
		{ ERROR_RETRY, "unknown-error", 2, false, MINUTE_MS },
		{ ERROR_RETRY, "unknown-error", 3, true, 0 },
		{ ERROR_HUMAN, "unknown-error", 1, false, MINUTE_MS },
		{ ERROR_HUMAN, "unknown-error", 3, true, 0 },
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

/* T3: what may be lost by sending it is sent once more, and never twice more. */
static void a_grant_by_login_step_by_step(void **state)
{
	static const struct {
		struct policy_grant grant;
		enum policy_step want;
	} rows[] = {
		{ { false, 0, VAULT_ROTATION_UNKNOWN, false }, POLICY_NEEDS_LOGIN },
		{ { false, 0, VAULT_ROTATION_UNKNOWN, true }, POLICY_USE_OLD },
		{ { true, 0, VAULT_ROTATION_UNKNOWN, true }, POLICY_SEND },
		{ { true, 0, VAULT_ROTATION_ON, false }, POLICY_SEND },
		{ { true, 1, VAULT_ROTATION_UNKNOWN, true }, POLICY_USE_OLD },
		{ { true, 1, VAULT_ROTATION_ON, true }, POLICY_USE_OLD },
		{ { true, 1, VAULT_ROTATION_UNKNOWN, false }, POLICY_SEND },
		{ { true, 1, VAULT_ROTATION_ON, false }, POLICY_SEND },
		{ { true, 2, VAULT_ROTATION_ON, true }, POLICY_USE_OLD },
		{ { true, 2, VAULT_ROTATION_ON, false }, POLICY_ANSWER_LOST },
		{ { true, 2, VAULT_ROTATION_UNKNOWN, false }, POLICY_ANSWER_LOST },
		{ { true, 1, VAULT_ROTATION_OFF, true }, POLICY_SEND },
		{ { true, 1000, VAULT_ROTATION_OFF, false }, POLICY_SEND },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (policy_next_step(&rows[i].grant) != rows[i].want)
			fail_msg("row %zu", i);
}

static void whom_a_login_helps(void **state)
{
	static const struct {
		const char *code;
		bool mends, only;
	} rows[] = {
		{ "invalid_grant", true, true },    { "needs-login", true, true },
		{ "stale-token", true, true },      { "answer-lost", true, true },
		{ "tampered", true, false },        { "other-org", true, false },
		{ "invalid_client", false, false }, { "inactive_user", true, false },
		{ "token-refused", false, false },  { "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(policy_login_mends(rows[i].code), rows[i].mends);
		assert_int_equal(policy_only_login_mends(rows[i].code), rows[i].only);
	}
}

static void how_long_a_token_lives_that_does_not_say(void **state)
{
	static const int64_t now_ms = 1000 * DAY_MS;
	static const struct {
		int64_t ceiling_s, learned_s, age_ms;
		int64_t want_s;
		enum vault_expiry expiry;
	} rows[] = {
		{ 7200, 0, 0, 7200, VAULT_EXPIRY_ASSUMED },
		{ 7200, 3600, 0, 3600, VAULT_EXPIRY_LEARNED },
		{ 7200, 3600, 7 * DAY_MS - 1, 3600, VAULT_EXPIRY_LEARNED },
		{ 7200, 3600, 7 * DAY_MS, 7200, VAULT_EXPIRY_ASSUMED },
		{ 7200, 3600, -HOUR_MS, 3600, VAULT_EXPIRY_LEARNED }, /* a clock set back */
		{ 7200, 3600, -DAY_MS, 7200, VAULT_EXPIRY_ASSUMED },
		{ 1800, 3600, 0, 1800, VAULT_EXPIRY_ASSUMED }, /* the conf is the ceiling */
		{ 3600, 3600, 0, 3600, VAULT_EXPIRY_ASSUMED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vault_account account = { .learned_life_s = rows[i].learned_s,
						 .learned_ms = now_ms - rows[i].age_ms };
		struct policy_life got = policy_life(rows[i].ceiling_s, &account, now_ms);

		if (got.life_s != rows[i].want_s || got.expiry != rows[i].expiry)
			fail_msg("row %zu", i);
	}
}

static void what_an_early_end_teaches(void **state)
{
	static const int64_t now_ms = 1000 * DAY_MS;
	static const struct {
		int64_t ceiling_s, learned_s, age_ms, unused_ms;
		int64_t want_s;
	} rows[] = {
		/* each timeout that Salesforce has */
		{ 25 * 3600, 0, 0, HOUR_MS, 24 * 3600 },
		{ 24 * 3600, 0, 0, HOUR_MS, 12 * 3600 },
		{ 12 * 3600, 0, 0, HOUR_MS, 8 * 3600 },
		{ 8 * 3600, 0, 0, HOUR_MS, 4 * 3600 },
		{ 4 * 3600, 0, 0, HOUR_MS, 2 * 3600 },
		{ 5 * 3600, 0, 0, HOUR_MS, 4 * 3600 },
		{ 7200, 0, 0, HOUR_MS, 3600 },
		{ 3600, 0, 0, 20 * MINUTE_MS, 1800 },
		{ 1800, 0, 0, 20 * MINUTE_MS, 900 },
		{ 1000, 0, 0, 16 * MINUTE_MS, 900 },
		{ 900, 0, 0, 16 * MINUTE_MS, 0 }, /* the floor */
		{ 900, 0, 0, 15 * MINUTE_MS - 1, 0 },
		/* revoked */
		{ 7200, 0, 0, 15 * MINUTE_MS - 1, 0 },
		{ 7200, 0, 0, 15 * MINUTE_MS, 3600 },
		/* unused so long that it was to be expected */
		{ 7200, 0, 0, 2 * HOUR_MS - 1, 3600 },
		{ 7200, 0, 0, 2 * HOUR_MS, 0 },
		{ 7200, 3600, 2 * DAY_MS, HOUR_MS, 0 },
		/* a step a day */
		{ 7200, 3600, DAY_MS - 1, 20 * MINUTE_MS, 0 },
		{ 7200, 3600, -HOUR_MS, 20 * MINUTE_MS, 0 },
		{ 7200, 3600, DAY_MS, 20 * MINUTE_MS, 1800 },
		{ 7200, 3600, 8 * DAY_MS, 20 * MINUTE_MS, 3600 }, /* forgotten meanwhile */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vault_account account = { .learned_life_s = rows[i].learned_s,
						 .learned_ms = now_ms - rows[i].age_ms };

		if (policy_lesson_s(rows[i].ceiling_s, &account, rows[i].unused_ms, now_ms) !=
		    rows[i].want_s)
			fail_msg("row %zu", i);
	}
}

static void which_lives_are_believed(void **state)
{
	(void)state;
	assert_true(policy_is_life(2 * HOUR_MS));
	assert_true(policy_is_life(15 * MINUTE_MS - 5000));
	assert_true(policy_is_life(DAY_MS + 5000));
	assert_false(policy_is_life(9 * MINUTE_MS));
	assert_false(policy_is_life(-HOUR_MS));
	assert_false(policy_is_life(DAY_MS + 6 * MINUTE_MS));
	assert_false(policy_is_life(20000 * DAY_MS));
}

static void refusals_of_fresh_tokens_add_up(void **state)
{
	struct policy_refusals in = { 0 };

	(void)state;
	assert_false(policy_refused(&in, false, 0, 0));
	assert_false(policy_refused(&in, false, 9 * MINUTE_MS, 0));
	assert_true(policy_refused(&in, false, 0, 0));
	/* An old one ends the row, one that was taken before does not. */
	assert_false(policy_refused(&in, false, 10 * MINUTE_MS, 0));
	assert_false(policy_refused(&in, false, 0, 0));
	assert_false(policy_refused(&in, false, 0, 0));
	assert_false(policy_refused(&in, true, 0, 0));
	assert_true(policy_refused(&in, false, 0, 0));
}

static void refusals_of_tokens_that_were_taken_add_up_within_an_hour(void **state)
{
	struct policy_refusals in = { 0 };

	(void)state;
	for (int64_t i = 0; i < 4; i++)
		assert_false(policy_refused(&in, true, 0, i * MINUTE_MS));
	assert_false(policy_refused(&in, true, 0, HOUR_MS));
	assert_true(policy_refused(&in, true, 0, HOUR_MS + MINUTE_MS - 1));
	assert_true(policy_refused(&in, true, 0, HOUR_MS + MINUTE_MS));
	assert_false(policy_refused(&in, true, 10 * MINUTE_MS, HOUR_MS + MINUTE_MS));
	for (int64_t i = 0; i < 4; i++)
		assert_false(policy_refused(&in, true, 0, HOUR_MS + 2 * MINUTE_MS));
	assert_true(policy_refused(&in, true, 0, HOUR_MS + 2 * MINUTE_MS));
	/* For ever: one every quarter of an hour. */
	in = (struct policy_refusals){ 0 };
	for (int64_t i = 0; i < 1000; i++)
		assert_false(policy_refused(&in, true, 0, i * 15 * MINUTE_MS));
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
		cmocka_unit_test(a_grant_by_login_step_by_step),
		cmocka_unit_test(whom_a_login_helps),
		cmocka_unit_test(how_long_a_token_lives_that_does_not_say),
		cmocka_unit_test(what_an_early_end_teaches),
		cmocka_unit_test(which_lives_are_believed),
		cmocka_unit_test(refusals_of_fresh_tokens_add_up),
		cmocka_unit_test(refusals_of_tokens_that_were_taken_add_up_within_an_hour),
		cmocka_unit_test(twenty_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
