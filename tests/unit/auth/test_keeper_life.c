/* How long tokens live, what is learned of that, and grants that live for years. */
#include "test_keeper_scene.h"

/* Introspection. */

static int set_up_looking(void **state)
{
	set_up(state);
	close_all();
	grant.introspect = grant_introspect;
	open_all();
	return 0;
}
#define looking_row(name) cmocka_unit_test_setup_teardown(name, set_up_looking, tear_down)

static int64_t in_ms(int64_t ms)
{
	return loop_now_ms(at.loop) + ms;
}

static void introspection_says_when_it_ends(void **state)
{
	int64_t expires_ms = in_ms(HOUR_MS);

	(void)state;
	script.look_expires_ms = expires_ms;
	get();
	settle();
	assert_int_equal(script.looks, 1);
	assert_string_equal(health().expiry, "introspection");
	assert_int_equal(health().expires_ms, expires_ms);
	/* The refresh is planned anew: 45 minutes, give or take 4.5. */
	assert_in_range(health().next_refresh_ms, in_ms(40 * MINUTE_MS), in_ms(50 * MINUTE_MS));
	/* Once a token, and it is remembered. */
	close_all();
	open_all();
	settle();
	assert_string_equal(health().expiry, "introspection");
	assert_int_equal(health().expires_ms, expires_ms);
	get();
	assert_int_equal(script.looks, 1);
	script.look_expires_ms = in_ms(50 * MINUTE_MS + 2 * HOUR_MS);
	pass(50 * MINUTE_MS);
	assert_int_equal(script.requests, 2);
	assert_int_equal(script.looks, 2);
}

static void introspection_delays_nobody(void **state)
{
	(void)state;
	script.look = LOOK_HANG;
	get();
	assert_int_equal(at.leases, 1);
	assert_non_null(script.looking);
	get();
	assert_int_equal(at.leases, 2);
	assert_int_equal(script.looks, 1);
	assert_string_equal(health().expiry, "session_lifetime");
	assert_int_equal(health().token_requests, 1); /* it is none */
	/* The next token ends the question about the last. */
	keeper_refused(at.keeper, at.generation);
	assert_null(script.looking);
	get();
	assert_int_equal(script.looks, 2);
	keeper_free(TAKE(at.keeper));
	assert_null(script.looking);
}

static void introspection_that_fails_is_no_trouble(void **state)
{
	(void)state;
	error_set(&script.err, ERROR_RETRY, "timeout", "scripted");
	script.look = LOOK_FAIL;
	want_for(5 * HOUR_MS);
	assert_int_equal(at.errors, 0);
	assert_null(health().trouble);
	assert_int_equal(script.looks, script.requests);
	assert_string_equal(health().expiry, "session_lifetime");
}

static void introspection_not_allowed_is_asked_for_once_a_day(void **state)
{
	(void)state;
	error_set(&script.err, ERROR_HUMAN, "invalid_client", "scripted");
	script.look = LOOK_FAIL;
	want_for(23 * HOUR_MS);
	assert_true(script.requests > 10);
	assert_int_equal(script.looks, 1);
	want_for(4 * HOUR_MS);
	assert_int_equal(script.looks, 2);
	assert_int_equal(at.errors, 0);
}

/* Also what a server says of tokens that it lets this app not look at (RFC 7662 section 2.2). */
static void introspection_that_says_inactive_ends_nothing(void **state)
{
	(void)state;
	script.look = LOOK_INACTIVE;
	want_for(23 * HOUR_MS);
	assert_int_equal(at.errors, 0);
	assert_int_equal(in_vault().learned_life_s, 0);
	assert_in_range(script.requests, 11, 20);
	assert_string_equal(health().expiry, "session_lifetime");
	assert_int_equal(health().state, KEEPER_FRESH);
	assert_int_equal(script.looks, 1);
	want_for(4 * HOUR_MS);
	assert_int_equal(script.looks, 2);
	/* A server that refuses it does end it. */
	get();
	keeper_refused(at.keeper, at.generation);
	assert_int_equal(health().state, KEEPER_EMPTY);
}

static void introspection_is_not_needed_where_the_answer_said(void **state)
{
	(void)state;
	script.life_ms = HOUR_MS;
	get();
	settle();
	assert_int_equal(script.looks, 0);
	assert_string_equal(health().expiry, "answer");
	assert_in_range(health().expires_ms, in_ms(59 * MINUTE_MS), in_ms(HOUR_MS));
}

static void introspection_by_another_clock_is_not_believed(void **state)
{
	static const int64_t ends_ms[] = { -DAY_MS, 1000, 5 * MINUTE_MS, 2 * DAY_MS,
					   20000 * DAY_MS };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		script.look_expires_ms = in_ms(ends_ms[i]);
		get();
		settle();
		assert_string_equal(health().expiry, "session_lifetime");
		assert_int_equal(health().state, KEEPER_FRESH);
		pass(11 * MINUTE_MS); /* neither too new nor old enough to mean anything */
		keeper_refused(at.keeper, at.generation);
	}
}

/* Learning. */

static void early_ends_teach(void **state)
{
	static const int64_t want_s[] = { 3600, 1800, 900 };

	(void)state;
	for (size_t day = 0; day < 3; day++) {
		get();
		assert_string_equal(health().expiry, day ? "learned" : "session_lifetime");
		pass(MINUTE_MS);
		keeper_proved(at.keeper, at.generation);
		pass(16 * MINUTE_MS); /* used 16 minutes ago, and then: */
		keeper_refused(at.keeper, at.generation);
		assert_int_equal(in_vault().learned_life_s, want_s[day]);
		get();
		assert_int_equal(health().expires_ms - health().obtained_ms, want_s[day] * 1000);
		/* A step a day. */
		pass(12 * MINUTE_MS);
		keeper_refused(at.keeper, at.generation);
		assert_int_equal(in_vault().learned_life_s, want_s[day]);
		/* Remembered by the next process. */
		close_all();
		open_all();
		get();
		assert_string_equal(health().expiry, "learned");
		pass(DAY_MS);
		get();
		keeper_refused(at.keeper, at.generation);
	}
	/* Forgotten after seven quiet days. */
	pass(7 * DAY_MS);
	get();
	assert_string_equal(health().expiry, "session_lifetime");
	assert_int_equal(health().expires_ms - health().obtained_ms, 2 * HOUR_MS);
}

static void revoked_just_after_its_use_teaches_nothing(void **state)
{
	(void)state;
	get();
	pass(40 * MINUTE_MS);
	keeper_proved(at.keeper, at.generation);
	assert_true(health().proved_ms >= loop_now_ms(at.loop) - 1000);
	pass(14 * MINUTE_MS);
	keeper_proved(at.keeper, at.generation + 1); /* of no token we have */
	assert_true(health().proved_ms < loop_now_ms(at.loop) - 13 * MINUTE_MS);
	keeper_refused(at.keeper, at.generation);
	assert_int_equal(in_vault().learned_life_s, 0);
	get();
	assert_string_equal(health().expiry, "session_lifetime");
}

static void nor_does_one_whose_end_is_known(void **state)
{
	(void)state;
	script.life_ms = 2 * HOUR_MS;
	get();
	pass(40 * MINUTE_MS);
	keeper_refused(at.keeper, at.generation);
	assert_int_equal(in_vault().learned_life_s, 0);
}

/* T4. */

static void T4_six_tries_before_its_end(void **state)
{
	(void)state;
	get();
	fail_with(ERROR_RETRY, "connect");
	for (int64_t ms = 0; ms < 118 * MINUTE_MS; ms += 10000) {
		pass(10000);
		get();
	}
	assert_int_equal(at.errors, 0); /* the old one was good all the time */
	assert_true(script.requests - 1 >= 6);
}

static void T4_kept_alive_once_a_day(void **state)
{
	(void)state;
	get(); /* refresh-1 is from the login */
	pass(2 * HOUR_MS);
	script.requests = 0;
	for (int day = 0; day < 40; day++) {
		int64_t obtained_ms = health().obtained_ms;

		for (int hour = 0; hour < 24; hour++) {
			pass(HOUR_MS);
			assert_true(loop_now_ms(at.loop) - health().obtained_ms <=
				    DAY_MS + HOUR_MS);
		}
		assert_true(health().obtained_ms > obtained_ms);
	}
	assert_in_range(script.requests, 40, 45);
	assert_int_equal(health().idle_ends_ms, health().obtained_ms + 30 * DAY_MS);
}

static void T4_never_before_anything_was_obtained(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		pass(DAY_MS);
	assert_int_equal(script.requests, 0);
	assert_int_equal(health().next_refresh_ms, 0);
}

/* Many accounts, and a daemon that was off for a week. */
static void T4_after_a_week_not_all_at_once(void **state)
{
	static struct script scripts[12];
	struct grant grants[12];
	struct keeper *keepers[12];
	char name[16];
	unsigned first = 0, all = 0;

	(void)state;
	for (int i = 0; i < 12; i++) {
		scripts[i] = (struct script){ .org_id = ORG_A, .instance_url = ACME };
		grants[i] = grant_of(&scripts[i]);
		snprintf(name, sizeof(name), "account-%d", i);
		keepers[i] = new_keeper(name, &grants[i]);
		keeper_get(keepers[i], leased, NULL);
	}
	settle();
	settle();
	assert_int_equal(at.leases, 12);
	for (int i = 0; i < 12; i++)
		keeper_free(keepers[i]);
	loop_test_advance(at.loop, 7 * DAY_MS);
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "account-%d", i);
		keepers[i] = new_keeper(name, &grants[i]);
		scripts[i].requests = 0;
	}
	pass(30000);
	for (int i = 0; i < 12; i++)
		first += scripts[i].requests;
	pass(31000);
	for (int i = 0; i < 12; i++)
		all += scripts[i].requests;
	assert_in_range(first, 1, 11);
	assert_int_equal(all, 12);
	for (int i = 0; i < 12; i++)
		keeper_free(keepers[i]);
}

/* R13: the wall clock does what it likes. */

static void R13_a_clock_that_is_set(void **state)
{
	static const int64_t jumps_ms[] = { -HOUR_MS,     HOUR_MS,       -DAY_MS,        DAY_MS,
					    400 * DAY_MS, -400 * DAY_MS, -12000 * DAY_MS };

	(void)state;
	get();
	for (size_t i = 0; i < sizeof(jumps_ms) / sizeof(jumps_ms[0]); i++) {
		unsigned before = script.requests;

		at.wall_ms += jumps_ms[i];
		want_for(DAY_MS);
		/* 2 h tokens, and one for the jump. */
		assert_in_range(script.requests - before, 12, 20);
		assert_int_equal(at.errors, 0);
		assert_int_equal(health().state, KEEPER_FRESH);
	}
}

static void R13_a_clock_that_jumps_every_hour(void **state)
{
	(void)state;
	for (int i = 0; i < 24; i++) {
		at.wall_ms = i % 2 ? 100 * DAY_MS : -100 * DAY_MS;
		want_for(HOUR_MS);
	}
	assert_int_equal(at.errors, 0);
	assert_in_range(script.requests, 12, 50);
}

static void R13_a_start_before_the_clock_is_set(void **state)
{
	unsigned before;

	(void)state;
	/* No battery: it is 1990 at each start, and later it is today. */
	script.say = GIVE_ROTATED;
	get();
	for (int i = 0; i < 5; i++) {
		close_all();
		at.wall_ms = -13000 * DAY_MS;
		open_all();
		before = script.requests;
		want_for(10 * MINUTE_MS);
		assert_int_equal(script.requests, before);
		at.wall_ms = 0;
		want_for(3 * HOUR_MS);
		assert_in_range(script.requests - before, 1, 4);
	}
	/* And it stays 1990. */
	close_all();
	at.wall_ms = -13000 * DAY_MS;
	open_all();
	before = script.requests;
	want_for(DAY_MS);
	assert_in_range(script.requests - before, 12, 20);
	assert_int_equal(at.errors, 0);
}

static void R13_too_old_by_either_clock(void **state)
{
	char before[sizeof(at.token)];

	(void)state;
	get();
	/* The steady one: the wall clock was set back. */
	at.wall_ms = -10 * HOUR_MS;
	fail_with(ERROR_RETRY, "connect");
	pass(119 * MINUTE_MS + 1000);
	assert_int_equal(health().state, KEEPER_WAITING);
	keeper_get(at.keeper, leased, NULL);
	pass(3 * MINUTE_MS);
	assert_int_equal(at.leases, 1);
	script.say = GIVE;
	pass(HOUR_MS);
	get();
	assert_int_equal(at.leases, 2);
	/* The wall clock, where the steady one knows of an hour only. */
	at.wall_ms += 3 * HOUR_MS;
	snprintf(before, sizeof(before), "%s", at.token);
	get();
	assert_string_not_equal(at.token, before);
}

/* A server with sessions of two hours from their last use, and grants that end unused. */
struct session_server {
	struct script script;
	struct grant grant;
	struct keeper *keeper;
	int64_t used_ms[1024]; /* of each access token; 0: never given */
	unsigned day_requests, most_a_day;
	unsigned leases, dead;
};

static void used(const struct keeper_lease *lease, const struct error *err, void *arg)
{
	struct session_server *in = arg;
	unsigned number = 0;
	size_t len;

	if (err)
		fail_msg("%s", err->text);
	assert_int_equal(sscanf(secret_open(lease->access_token, &len), "access-%u", &number), 1);
	secret_close(lease->access_token);
	number %= 1024;
	in->leases++;
	if (in->used_ms[number] && loop_steady_ms(at.loop) - in->used_ms[number] > 2 * HOUR_MS)
		in->dead++;
	in->used_ms[number] = loop_steady_ms(at.loop);
	keeper_proved(in->keeper, lease->generation);
}

static void begin(struct session_server *in, const char *account)
{
	struct vault_token token;
	struct error err;

	in->script = (struct script){
		.org_id = ORG_A, .instance_url = ACME, .current = 1, .rotates = true
	};
	in->grant = grant_of(&in->script);
	in->grant.by_login = true;
	script = in->script;
	script.current = 0;
	in->keeper = new_keeper(account, &in->grant);
	token = a_login();
	assert_true(keeper_login(in->keeper, &token, &err));
}

static void thirty_days_of_two_accounts(void **state)
{
	static struct session_server busy, idle;

	(void)state;
	begin(&busy, "busy");
	begin(&idle, "idle");
	for (int day = 0; day < 30; day++) {
		unsigned busy_before = busy.script.requests, idle_before = idle.script.requests;

		for (int i = 0; i < 24 * 12; i++) {
			keeper_get(busy.keeper, used, &busy);
			pass(5 * MINUTE_MS);
		}
		assert_in_range(busy.script.requests - busy_before, 12, 20);
		assert_in_range(idle.script.requests - idle_before, day ? 1 : 0, 2);
	}
	assert_int_equal(busy.leases, 30 * 24 * 12);
	assert_int_equal(busy.dead, 0);
	assert_false(busy.script.ended);
	assert_false(idle.script.ended);
	/* And the one that nobody used is there at once. */
	keeper_get(idle.keeper, used, &idle);
	settle();
	settle();
	assert_int_equal(idle.leases, 1);
	assert_int_equal(idle.dead, 0);
	keeper_free(busy.keeper);
	keeper_free(idle.keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		looking_row(introspection_says_when_it_ends),
		looking_row(introspection_delays_nobody),
		looking_row(introspection_that_fails_is_no_trouble),
		looking_row(introspection_not_allowed_is_asked_for_once_a_day),
		looking_row(introspection_that_says_inactive_ends_nothing),
		looking_row(introspection_is_not_needed_where_the_answer_said),
		looking_row(introspection_by_another_clock_is_not_believed),
		row(early_ends_teach),
		row(revoked_just_after_its_use_teaches_nothing),
		row(nor_does_one_whose_end_is_known),
		row(T4_six_tries_before_its_end),
		login_row(T4_kept_alive_once_a_day),
		row(T4_never_before_anything_was_obtained),
		row(T4_after_a_week_not_all_at_once),
		row(R13_a_clock_that_is_set),
		row(R13_a_clock_that_jumps_every_hour),
		row(R13_a_start_before_the_clock_is_set),
		row(R13_too_old_by_either_clock),
		row(thirty_days_of_two_accounts),
	};

	return scene_run("keeper_life", tests, sizeof(tests) / sizeof(tests[0]));
}
