/* The states of a keeper: who waits, what is asked for, what parks it. */
#include <sqlite3.h>

#include "test_keeper_scene.h"

static void one_request_however_many_wait(void **state)
{
	struct keeper_wait *cancelled;

	(void)state;
	assert_int_equal(script.requests, 0);
	for (int i = 0; i < 25; i++)
		keeper_get(at.keeper, leased, NULL);
	cancelled = keeper_get(at.keeper, leased, NULL);
	for (int i = 0; i < 25; i++)
		keeper_get(at.keeper, leased, NULL);
	keeper_cancel(cancelled);
	keeper_cancel(NULL);
	while (at.leases < 50)
		loop_once(at.loop);
	settle();
	assert_int_equal(at.leases, 50);
	assert_int_equal(script.requests, 1);
	assert_false(script.asked_with_token);
	assert_string_equal(at.token, "access-1");
	assert_int_equal(at.generation, 1);
	assert_string_equal(at.names, "refreshing fresh ");
	assert_string_equal(health().org_id, ORG_A);
	assert_int_equal(health().token_requests, 1);
}

static void a_day_in_use(void **state)
{
	static const int64_t lives_ms[] = { 0, 15 * MINUTE_MS, 24 * HOUR_MS };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		unsigned before = script.requests;
		int64_t life_ms = lives_ms[i] ? lives_ms[i] : 2 * HOUR_MS;

		script.life_ms = lives_ms[i];
		for (int64_t ms = 0; ms < DAY_MS; ms += MINUTE_MS) {
			get();
			assert_true(health().expires_ms >= loop_now_ms(at.loop) + MINUTE_MS - 1000);
			pass(MINUTE_MS);
		}
		assert_int_equal(at.errors, 0);
		assert_in_range(script.requests - before, (unsigned)(DAY_MS / life_ms),
				(unsigned)(DAY_MS * 2 / life_ms + 2));
	}
}

static void refreshed_before_its_end_and_nobody_waits(void **state)
{
	(void)state;
	get();
	pass(65 * MINUTE_MS); /* 3/4 of two hours are 90 minutes, give or take 9 */
	assert_int_equal(script.requests, 1);
	script.say = HANG;
	pass(36 * MINUTE_MS);
	assert_int_equal(script.requests, 2);
	assert_int_equal(health().state, KEEPER_REFRESHING);
	get(); /* the old one is good still */
	assert_string_equal(at.token, "access-1");
}

static void idle_costs_nothing(void **state)
{
	(void)state;
	pass(DAY_MS);
	assert_int_equal(script.requests, 0);
	get();
	for (int i = 0; i < 44; i++)
		pass(HOUR_MS / 2);
	/* Replaced once, since the first was used; then nobody used the second. */
	assert_int_equal(script.requests, 2);
	assert_int_equal(health().state, KEEPER_EMPTY);
	get();
	assert_string_equal(at.token, "access-3");
}

static void used_late_in_its_life(void **state)
{
	(void)state;
	get();
	pass(100 * MINUTE_MS); /* the second is obtained ahead ... */
	assert_int_equal(script.requests, 2);
	pass(110 * MINUTE_MS); /* ... unused when its time to be replaced comes ... */
	assert_int_equal(script.requests, 2);
	get(); /* ... and used then: lent, and replaced behind it */
	assert_string_equal(at.token, "access-2");
	settle();
	assert_int_equal(script.requests, 3);
}

static void parked_asks_once_a_day(void **state)
{
	(void)state;
	fail_with(ERROR_HUMAN, "invalid_grant");
	keeper_get(at.keeper, leased, NULL);
	keeper_get(at.keeper, leased, NULL);
	settle();
	assert_int_equal(at.errors, 2);
	for (int64_t ms = 0; ms < DAY_MS; ms += 10 * MINUTE_MS) {
		get();
		assert_string_equal(at.code, "invalid_grant");
		assert_int_equal(at.kind, ERROR_HUMAN);
		keeper_refused(at.keeper, 0);
		pass(10 * MINUTE_MS);
	}
	assert_int_equal(script.requests, 1);
	assert_string_equal(health().state_name, "needs-admin");
	assert_string_equal(health().trouble->code, "invalid_grant");
	assert_string_equal(at.names, "refreshing needs-admin ");
	assert_int_equal(at.reminders, 1);

	keeper_unpark(at.keeper);
	pass(DAY_MS);
	assert_int_equal(script.requests, 1); /* only when somebody needs one */
	assert_null(health().trouble);
	script.say = GIVE;
	get();
	assert_int_equal(script.requests, 2);
	assert_int_equal(health().state, KEEPER_FRESH);
	keeper_unpark(at.keeper);
	assert_int_equal(health().state, KEEPER_FRESH);
}

static void a_parked_login_says_so(void **state)
{
	(void)state;
	get();
	fail_with(ERROR_HUMAN, "invalid_grant");
	keeper_refused(at.keeper, at.generation);
	get();
	assert_string_equal(health().state_name, "needs-login");
	assert_string_equal(script.had_refresh, "refresh-1");
}

static void a_burst_of_refusals_is_one_refresh(void **state)
{
	uint64_t old;

	(void)state;
	get();
	pass(HOUR_MS);
	old = at.generation;
	for (int i = 0; i < 20; i++) {
		keeper_refused(at.keeper, old);
		keeper_get(at.keeper, leased, NULL);
	}
	settle();
	while (at.leases < 21)
		loop_once(at.loop);
	assert_int_equal(script.requests, 2);
	assert_string_equal(at.token, "access-2");
	/* A late one of the old generation means nothing. */
	keeper_refused(at.keeper, old);
	get();
	assert_int_equal(script.requests, 2);
	assert_true(script.asked_with_token);
}

static void refused_while_a_refresh_runs(void **state)
{
	(void)state;
	get();
	script.say = HANG;
	pass(100 * MINUTE_MS);
	assert_int_equal(health().state, KEEPER_REFRESHING);
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	settle();
	assert_int_equal(at.leases, 1); /* waits for the new one */
	script.say = GIVE;
	answer();
	settle();
	assert_int_equal(at.leases, 2);
	assert_string_equal(at.token, "access-2");
}

static void fresh_tokens_refused_again_and_again(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		get();
		assert_int_equal(at.errors, 0);
		keeper_refused(at.keeper, at.generation);
	}
	get();
	assert_int_equal(at.errors, 1);
	assert_string_equal(at.code, "token-refused");
	assert_int_equal(at.kind, ERROR_HUMAN);
	assert_int_equal(script.requests, 3);
	for (int i = 0; i < 24; i++) {
		pass(HOUR_MS);
		get();
	}
	assert_int_equal(script.requests, 3);

	/* Sessions that end early are something else. */
	keeper_unpark(at.keeper);
	for (int i = 0; i < 10; i++) {
		at.errors = 0;
		get();
		assert_int_equal(at.errors, 0);
		pass(20 * MINUTE_MS);
		keeper_refused(at.keeper, at.generation);
	}
}

/* An endpoint that takes every token, beside one that takes none. */
static void taken_here_and_refused_there(void **state)
{
	(void)state;
	for (int i = 0; i < 24 * 60; i++) {
		at.generation = 0;
		get();
		keeper_proved(at.keeper, at.generation);
		keeper_refused(at.keeper, at.generation);
		pass(MINUTE_MS);
	}
	assert_int_equal(script.requests, 5);
	assert_int_equal(health().state, KEEPER_PARKED);
	assert_string_equal(at.code, "token-refused");
	assert_string_equal(health().state_name, "needs-admin");
	/* As often again where somebody says that it is mended, and it is not. */
	keeper_unpark(at.keeper);
	for (int i = 0; i < 60; i++) {
		at.generation = 0;
		get();
		keeper_proved(at.keeper, at.generation);
		keeper_refused(at.keeper, at.generation);
	}
	assert_int_equal(script.requests, 10);
}

static void sessions_that_an_administrator_ends(void **state)
{
	(void)state;
	/* Three, one after the other. */
	for (int i = 0; i < 3; i++) {
		get();
		keeper_proved(at.keeper, at.generation);
		keeper_refused(at.keeper, at.generation);
	}
	get();
	/* And one every twenty minutes. */
	for (int i = 0; i < 72; i++) {
		pass(20 * MINUTE_MS);
		keeper_refused(at.keeper, at.generation);
		get();
		keeper_proved(at.keeper, at.generation);
		keeper_refused(at.keeper, at.generation);
		get();
	}
	assert_int_equal(at.errors, 0);
	assert_int_equal(health().state, KEEPER_FRESH);
}

static void the_budget_holds(void **state)
{
	unsigned day = 0;

	(void)state;
	/* Whatever goes wrong: a server whose tokens die after eleven seconds. */
	script.life_ms = 11000;
	for (int64_t ms = 0; ms < DAY_MS; ms += 30000) {
		keeper_get(at.keeper, leased, NULL);
		pass(30000);
		if (ms == HOUR_MS - 2 * 30000)
			assert_int_equal(script.requests, 20);
	}
	day = script.requests;
	assert_in_range(day, 100, 24 * 20 + 20);
}

static void another_org_is_refused(void **state)
{
	(void)state;
	get();
	script.org_id = ORG_B;
	keeper_refused(at.keeper, at.generation); /* spent, but the pin stays */
	get();
	assert_int_equal(at.kind, ERROR_HUMAN);
	assert_string_equal(at.code, "other-org");
	assert_int_equal(health().trouble->kind, ERROR_STATE);
	assert_non_null(strstr(at.text, ORG_A));
	assert_non_null(strstr(at.text, ORG_B));
	assert_non_null(strstr(at.text, "`leadsync disconnect production`, then `leadsync connect "
					"production`"));
	assert_int_equal(health().state, KEEPER_PARKED);
	assert_string_equal(health().org_id, ORG_A);

	/* Also by one that remembers only the vault. */
	close_all();
	loop_test_advance(at.loop, DAY_MS);
	open_all();
	get();
	assert_string_equal(at.code, "other-org");
	script.org_id = ORG_A;
	keeper_unpark(at.keeper);
	get();
	assert_string_equal(at.org_id, ORG_A);
	assert_int_equal(health().state, KEEPER_FRESH);
}

static void passing_trouble_is_tried_again(void **state)
{
	unsigned errors;

	(void)state;
	fail_with(ERROR_RETRY, "connect");
	keeper_get(at.keeper, leased, NULL);
	for (int i = 0; i < 119; i++)
		pass(1000);
	assert_int_equal(at.errors, 0);
	assert_int_equal(health().state, KEEPER_WAITING);
	assert_true(health().next_refresh_ms >= loop_now_ms(at.loop) - 1000);
	pass(2000);
	assert_int_equal(at.errors, 1);
	assert_string_equal(at.code, "token-wait");
	assert_int_equal(at.kind, ERROR_RETRY);
	assert_non_null(strstr(at.text, "scripted connect"));
	/* 2, 4, 8 ... s, each halved at most */
	assert_in_range(script.requests, 5, 8);

	/* A day of it: each quarter of an hour, or twice. */
	for (int i = 0; i < 24 * 60; i++)
		pass(MINUTE_MS);
	assert_in_range(script.requests, 24 * 4, 24 * 8 + 30);
	/* And then it works. */
	script.say = GIVE;
	errors = at.errors;
	keeper_get(at.keeper, leased, NULL);
	pass(MINUTE_MS);
	for (int i = 0; i < 20 && !at.leases; i++) {
		keeper_get(at.keeper, leased, NULL);
		pass(MINUTE_MS);
	}
	assert_true(at.leases > 0);
	assert_true(at.errors - errors < 20);
	assert_int_equal(health().state, KEEPER_FRESH);
	assert_null(health().trouble);
}

static void retry_after_is_kept(void **state)
{
	(void)state;
	fail_with(ERROR_RETRY, "503");
	script.err.retry_after_s = 600;
	keeper_get(at.keeper, leased, NULL);
	settle();
	pass(599 * 1000);
	assert_int_equal(script.requests, 1);
	pass(2000);
	assert_int_equal(script.requests, 2);
}

static void trouble_ahead_of_time_hurts_nobody(void **state)
{
	(void)state;
	get();
	fail_with(ERROR_RETRY, "connect");
	pass(100 * MINUTE_MS);
	assert_int_equal(health().state, KEEPER_WAITING);
	get();
	assert_string_equal(at.token, "access-1");
	assert_int_equal(at.errors, 0);
}

static void odd_errors_are_tried_three_times_more(void **state)
{
	(void)state;
	fail_with(ERROR_BUG, "odd");
	keeper_get(at.keeper, leased, NULL);
	for (int i = 0; i < 60; i++)
		pass(1000);
	assert_int_equal(script.requests, 4);
	assert_int_equal(health().state, KEEPER_PARKED);
	assert_int_equal(at.errors, 1);
	assert_string_equal(at.code, "odd");
	assert_int_equal(at.kind, ERROR_HUMAN);
	assert_int_equal(health().trouble->kind, ERROR_BUG);
}

/* A page instead of a token, all night long: asked for patiently, and well without anybody. */
static void a_maintenance_page_heals_by_itself(void **state)
{
	unsigned before;

	(void)state;
	fail_with(ERROR_RETRY, "protocol");
	keeper_get(at.keeper, leased, NULL);
	pass(0);
	for (int64_t ms = 0; ms < 3 * HOUR_MS; ms += 10000)
		pass(10000);
	assert_int_equal(at.errors, 1);
	assert_int_equal(at.kind, ERROR_RETRY);
	assert_string_equal(at.code, "token-wait");
	assert_true(script.requests >= 8);
	assert_int_equal(health().state, KEEPER_WAITING);
	assert_string_equal(health().trouble->code, "protocol");
	before = script.requests;
	for (int64_t ms = 0; ms < 3 * HOUR_MS; ms += 10000)
		pass(10000);
	assert_in_range(script.requests - before, 11, 12);
	script.say = GIVE;
	pass(16 * MINUTE_MS);
	get();
	assert_int_equal(health().state, KEEPER_FRESH);
	assert_null(health().trouble);
}

static void stored_before_it_is_used(void **state)
{
	struct keeper_health got;

	(void)state;
	get();
	/* The disk takes nothing: the token is there, nobody gets it, nobody asks again. */
	fill_disk();
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	for (int i = 0; i < 20; i++)
		pass(2000);
	empty_disk();
	assert_int_equal(script.requests, 2);
	assert_int_equal(at.leases, 1);
	got = health();
	assert_int_equal(got.state, KEEPER_WAITING);
	assert_string_equal(got.trouble->code, "token-not-stored");
	assert_non_null(strstr(got.trouble->text, "the new token is not stored yet: "));
	assert_true(keeper_is_busy(at.keeper));
	/* It can again: tried every 2 s, as a stop waits 20 s only. */
	pass(2000);
	assert_false(keeper_is_busy(at.keeper));
	assert_int_equal(at.leases, 2);
	assert_string_equal(at.token, "access-2");
	assert_int_equal(script.requests, 2);
	assert_int_equal(health().state, KEEPER_FRESH);
}

static void not_stored_for_long_it_is_tried_less_often(void **state)
{
	struct keeper_health early, late;

	(void)state;
	get();
	fill_disk();
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	for (int i = 0; i < 25; i++)
		pass(2000);
	early = health();
	for (int i = 0; i < 10; i++)
		pass(2000);
	late = health();
	empty_disk();
	assert_in_range(early.next_refresh_ms, 1, loop_now_ms(at.loop) - 18000);
	assert_in_range(late.next_refresh_ms, loop_now_ms(at.loop) + 3000,
			loop_now_ms(at.loop) + 30000);
	pass(25000);
	assert_int_equal(at.leases, 2);
	assert_int_equal(script.requests, 2);
}

static void freed_before_it_is_stored(void **state)
{
	struct vault_token got;

	(void)state;
	get();
	fill_disk();
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	pass(0);
	empty_disk();
	assert_true(keeper_is_busy(at.keeper));
	keeper_free(TAKE(at.keeper));
	got = token_in_vault();
	assert_int_equal(got.generation, 2);
	vault_token_done(&got);
}

static void the_stored_token_is_used_after_a_crash(void **state)
{
	(void)state;
	script.say = GIVE_ROTATED;
	keeper_get(at.keeper, leased, NULL);
	while (health().state != KEEPER_FRESH)
		loop_once(at.loop);
	assert_int_equal(at.leases, 0); /* stored, and then the end */
	close_all();
	open_all();
	assert_int_equal(health().state, KEEPER_FRESH);
	get();
	assert_string_equal(at.token, "access-1");
	assert_int_equal(script.requests, 1);
	/* Refreshed in its time, though most of its life was before the crash. */
	pass(100 * MINUTE_MS);
	assert_int_equal(script.requests, 2);
	assert_string_equal(script.had_refresh, "refresh-1");

	/* Expired meanwhile: the pin and the refresh token stay. */
	close_all();
	loop_test_advance(at.loop, DAY_MS);
	script.say = GIVE;
	open_all();
	assert_int_equal(health().state, KEEPER_EMPTY);
	get();
	assert_string_equal(script.had_refresh, "refresh-2");
	keeper_refused(at.keeper, at.generation);
	get(); /* a grant that names no new refresh token leaves the old one */
	assert_string_equal(script.had_refresh, "refresh-2");
}

static void one_tampered_with_parks(void **state)
{
	CLEANUP_FREE char *path = mem_format("%s/state/state.db", at.dir);
	sqlite3 *db;

	(void)state;
	get();
	close_all();
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE token SET instance_url = 'https://evil.example'",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	open_all();
	assert_int_equal(health().state, KEEPER_PARKED);
	get();
	assert_string_equal(at.code, "tampered");
	assert_int_equal(at.kind, ERROR_HUMAN);
	assert_int_equal(script.requests, 1);
	keeper_unpark(at.keeper);
	get();
	assert_string_equal(at.code, "tampered");
	assert_int_equal(script.requests, 1);
}

static void a_token_from_elsewhere_is_not_used(void **state)
{
	(void)state;
	script.say = GIVE_ROTATED;
	get();
	close_all();
	grant.source = "elsewhere";
	open_all();
	assert_int_equal(health().state, KEEPER_EMPTY);
	assert_string_not_equal(health().org_id, ""); /* the pin holds */
	get();
	assert_string_equal(at.token, "access-2");
	assert_string_equal(script.had_refresh, ""); /* nor was it shown to the new one */
	close_all();
	open_all();
	get();
	assert_string_equal(at.token, "access-2");
	assert_int_equal(script.requests, 2);
}

static void a_host_that_moved_is_no_refusal(void **state)
{
	(void)state;
	get();
	for (unsigned i = 0; i < 6; i++) {
		keeper_moved(at.keeper, at.generation);
		get();
		assert_int_equal(health().state, KEEPER_FRESH);
		assert_int_equal(script.requests, i + 2);
	}
}

static void a_newer_token_in_the_vault_unparks(void **state)
{
	struct vault_token token = { 0 };
	struct error err;

	(void)state;
	fail_with(ERROR_HUMAN, "invalid_grant");
	get();
	token.access_token = secret_new("by-login", 8);
	token.source = mem_strdup(grant.source);
	token.instance_url = mem_strdup("https://acme.my.salesforce.com");
	token.org_id = mem_strdup(ORG_A);
	token.user_id = mem_strdup("005000000000001AAA");
	token.obtained_ms = loop_now_ms(at.loop);
	token.expires_ms = token.obtained_ms + HOUR_MS;
	assert_true(vault_token_put(at.vault, "production", &token, &err));
	vault_token_done(&token);
	keeper_unpark(at.keeper);
	get();
	assert_string_equal(at.token, "by-login");
	assert_int_equal(script.requests, 1);
}

static void freed_at_any_time(void **state)
{
	(void)state;
	/* With a request and waiters. */
	script.say = HANG;
	keeper_get(at.keeper, leased, NULL);
	keeper_get(at.keeper, leased, NULL);
	settle();
	assert_int_equal(script.requests, 1);
	keeper_free(at.keeper);
	assert_null(script.pending);
	settle();
	assert_int_equal(at.leases + at.errors, 0);
	/* In a lease, with others waiting. */
	script.say = GIVE;
	open_keeper();
	at.free_in_lease = true;
	keeper_get(at.keeper, leased, NULL);
	keeper_get(at.keeper, leased, NULL);
	while (at.keeper)
		loop_once(at.loop);
	settle();
	assert_int_equal(at.leases, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(one_request_however_many_wait),
		row(a_day_in_use),
		row(refreshed_before_its_end_and_nobody_waits),
		row(idle_costs_nothing),
		row(used_late_in_its_life),
		row(parked_asks_once_a_day),
		login_row(a_parked_login_says_so),
		row(a_burst_of_refusals_is_one_refresh),
		row(refused_while_a_refresh_runs),
		row(fresh_tokens_refused_again_and_again),
		row(taken_here_and_refused_there),
		row(sessions_that_an_administrator_ends),
		row(the_budget_holds),
		row(another_org_is_refused),
		row(passing_trouble_is_tried_again),
		row(retry_after_is_kept),
		row(trouble_ahead_of_time_hurts_nobody),
		row(odd_errors_are_tried_three_times_more),
		row(a_maintenance_page_heals_by_itself),
		row(stored_before_it_is_used),
		row(not_stored_for_long_it_is_tried_less_often),
		row(freed_before_it_is_stored),
		row(the_stored_token_is_used_after_a_crash),
		row(one_tampered_with_parks),
		row(a_token_from_elsewhere_is_not_used),
		row(a_newer_token_in_the_vault_unparks),
		row(a_host_that_moved_is_no_refusal),
		row(freed_at_any_time),
	};

	return scene_run("keeper", tests, sizeof(tests) / sizeof(tests[0]));
}
