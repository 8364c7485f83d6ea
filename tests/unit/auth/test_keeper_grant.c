/* A grant by login: what is sent, how often, what is lost, and what only a person mends. */
#include "test_keeper_scene.h"

#include <fcntl.h>
#include <unistd.h>

/* The row of its table says it: whatever the token endpoint answers, so many requests a day. */
static void what_the_token_endpoint_says(void **state)
{
	static const struct {
		const char *says;
		bool by_login;
		enum error_kind kind;
		const char *code;
		int64_t retry_after_s;
		const char *state_name;
		unsigned least, most; /* requests in 24 hours */
	} rows[] = {
		/* transient: back-off, every token kept */
		{ "DNS", true, ERROR_RETRY, "dns", 0, "waiting", 96, 210 },
		{ "connect", true, ERROR_RETRY, "connect", 0, "waiting", 96, 210 },
		{ "timeout before send", true, ERROR_RETRY, "timeout", 0, "waiting", 96, 210 },
		{ "408", true, ERROR_RETRY, "http-408", 0, "waiting", 96, 210 },
		{ "425", true, ERROR_RETRY, "http-425", 0, "waiting", 96, 210 },
		{ "429", true, ERROR_RETRY, "http-429", 60, "waiting", 96, 210 },
		{ "429, wait an hour", true, ERROR_RETRY, "http-429", 3600, "waiting", 23, 25 },
		{ "429, wait a month", true, ERROR_RETRY, "http-429", 2592000, "waiting", 23, 25 },
		{ "5xx", true, ERROR_RETRY, "server-trouble", 0, "waiting", 96, 210 },
		{ "5xx, app of its own", false, ERROR_RETRY, "server-trouble", 0, "waiting", 96,
		  210 },
		/* protocol: never parks */
		{ "HTML", true, ERROR_RETRY, "protocol", 0, "waiting", 90, 110 },
		{ "HTML, app of its own", false, ERROR_RETRY, "protocol", 0, "waiting", 90, 110 },
		{ "too much", true, ERROR_RETRY, "too-large", 0, "waiting", 90, 110 },
		/* transient */
		{ "already being processed", true, ERROR_RETRY, "invalid_grant", 5, "waiting", 96,
		  210 },
		{ "temporarily_unavailable", true, ERROR_RETRY, "temporarily_unavailable", 0,
		  "waiting", 96, 210 },
		{ "server_error", true, ERROR_RETRY, "server_error", 0, "waiting", 96, 210 },
		/* login rate exceeded: an hour */
		{ "rate", true, ERROR_RETRY, "rate_limit_exceeded", 3600, "waiting", 23, 25 },
		{ "rate, as quota", true, ERROR_QUOTA, "login-rate", 0, "waiting", 23, 25 },
		/* permanent: no more calls */
		{ "invalid_grant", true, ERROR_HUMAN, "invalid_grant", 0, "needs-login", 1, 1 },
		{ "invalid_client", true, ERROR_HUMAN, "invalid_client", 0, "needs-admin", 1, 1 },
		{ "invalid_client_id", true, ERROR_HUMAN, "invalid_client_id", 0, "needs-admin", 1,
		  1 },
		{ "unauthorized_client", true, ERROR_HUMAN, "unauthorized_client", 0, "needs-admin",
		  1, 1 },
		{ "unsupported_grant_type", true, ERROR_HUMAN, "unsupported_grant_type", 0,
		  "needs-admin", 1, 1 },
		{ "invalid_scope", true, ERROR_HUMAN, "invalid_scope", 0, "needs-admin", 1, 1 },
		/* JWT invalid_grant */
		{ "JWT", false, ERROR_HUMAN, "invalid_grant", 0, "needs-admin", 1, 1 },
		/* slow: every 15 minutes */
		{ "certificate", true, ERROR_RETRY, "certificate", 0, "waiting", 90, 97 },
		{ "403 without JSON", true, ERROR_RETRY, "http-403", 900, "waiting", 90, 97 },
		/* an error of no table */
		{ "unknown", true, ERROR_RETRY, "unknown-error", 0, "needs-admin", 3, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct keeper_health got;

		if (rows[i].by_login)
			set_up_login(NULL);
		else
			set_up(NULL);
		get();
		script.requests = 0;
		fail_with(rows[i].kind, rows[i].code);
		script.err.retry_after_s = rows[i].retry_after_s;
		keeper_refused(at.keeper, at.generation);
		want_for(DAY_MS);
		got = health();
		if (strcmp(got.state_name, rows[i].state_name) != 0 ||
		    script.requests < rows[i].least || script.requests > rows[i].most)
			fail_msg("%s: %s after %u requests", rows[i].says, got.state_name,
				 script.requests);
		assert_string_equal(got.trouble->code, rows[i].code);
		assert_int_equal(at.leases, 1);
		assert_true(at.errors > 1000);
		/* Every token is kept. */
		script.say = GIVE;
		script.rotates = true;
		if (strcmp(rows[i].state_name, "waiting") == 0) {
			pass(61 * MINUTE_MS);
			get();
			assert_int_equal(health().state, KEEPER_FRESH);
		}
		tear_down(NULL);
	}
}

static void fifty_wait_and_one_asks(void **state)
{
	(void)state;
	get();
	at.leases = 0;
	keeper_refused(at.keeper, at.generation);
	for (int i = 0; i < 50; i++)
		keeper_get(at.keeper, leased, NULL);
	settle();
	for (int i = 0; i < 50 && at.leases < 50; i++)
		settle();
	assert_int_equal(at.leases, 50);
	assert_int_equal(script.requests, 1);
	assert_string_equal(at.token, "access-1");
}

/* T2. */

static unsigned asked_in_vault;
static bool busy_then;

static void look_into_vault(void)
{
	asked_in_vault = in_vault().asked;
	busy_then = keeper_is_busy(at.keeper);
}

static void T2_the_vault_knows_before_it_is_sent(void **state)
{
	(void)state;
	script.before = look_into_vault;
	script.rotates = true;
	assert_int_equal(in_vault().asked, 0);
	keeper_refused(at.keeper, 1);
	get();
	assert_int_equal(script.requests, 1);
	assert_int_equal(asked_in_vault, 1);
	assert_true(busy_then);
	assert_int_equal(in_vault().asked, 0);
	/* And the new one is there before it is lent. */
	assert_int_equal(at.generation, 2);
	close_all();
	open_all();
	get();
	assert_int_equal(script.requests, 1);
}

static void T2_other_flows_use_up_nothing(void **state)
{
	(void)state;
	script.before = look_into_vault;
	get();
	keeper_refused(at.keeper, at.generation);
	get();
	assert_int_equal(script.requests, 2);
	assert_int_equal(asked_in_vault, 0);
	assert_false(busy_then);
}

static void T2_nothing_is_sent_while_the_disk_is_full(void **state)
{
	struct keeper_health got;

	(void)state;
	get();
	fill_disk();
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	for (int i = 0; i < 3; i++)
		pass(29000);
	got = health();
	empty_disk();
	assert_int_equal(script.requests, 0);
	assert_int_equal(got.state, KEEPER_WAITING);
	assert_non_null(strstr(got.trouble->text, "while nothing can be stored"));
	assert_int_equal(at.leases, 1);
	/* Goes on alone, within 30 s; nothing counts as sent that was not. */
	pass(31000);
	assert_int_equal(script.requests, 1);
	assert_int_equal(at.leases, 2);
	assert_int_equal(health().state, KEEPER_FRESH);
	assert_null(health().trouble);
}

/* T3. */

static void T3_the_old_token_is_used_to_its_end(void **state)
{
	(void)state;
	get();
	script.say = LOSE;
	pass(100 * MINUTE_MS); /* refreshed ahead at 90 minutes or so */
	assert_int_equal(script.requests, 1);
	assert_int_equal(in_vault().asked, 1);
	assert_int_equal(health().state, KEEPER_FRESH);
	assert_string_equal(health().trouble->code, "timeout");
	assert_in_range(health().next_refresh_ms, health().expires_ms - MINUTE_MS - 1000,
			health().expires_ms);
	get();
	assert_string_equal(at.token, "access-901");
	pass(18 * MINUTE_MS);
	assert_int_equal(script.requests, 1); /* not tried again before its end */
	get();
	assert_int_equal(at.errors, 0);
	script.say = GIVE;
	pass(2 * MINUTE_MS);
	assert_int_equal(script.requests, 2);
	get();
	assert_string_equal(at.token, "access-2");
	assert_int_equal(in_vault().asked, 0);
	assert_null(health().trouble);
}

static void T3_refused_it_is_not_used_to_its_end(void **state)
{
	(void)state;
	get();
	script.say = LOSE;
	pass(100 * MINUTE_MS);
	assert_int_equal(script.requests, 1);
	script.say = GIVE;
	keeper_refused(at.keeper, at.generation);
	get();
	assert_int_equal(script.requests, 2);
	assert_string_equal(at.token, "access-2");
}

static void T3_sent_once_more_and_then_never(void **state)
{
	(void)state;
	get();
	script.say = LOSE;
	keeper_refused(at.keeper, at.generation);
	want_for(DAY_MS);
	assert_int_equal(script.requests, 2);
	assert_int_equal(script.sent[1], 2);
	assert_string_equal(health().state_name, "needs-login");
	assert_string_equal(health().trouble->code, "answer-lost");
	assert_string_equal(at.code, "answer-lost");
	assert_non_null(strstr(at.text, "leadsync connect production"));
	/* Neither an operator's word nor a restart sends it again. */
	keeper_unpark(at.keeper);
	want_for(HOUR_MS);
	close_all();
	open_all();
	assert_string_equal(health().trouble->code, "answer-lost");
	keeper_unpark(at.keeper);
	want_for(HOUR_MS);
	assert_int_equal(script.requests, 2);
	/* A login does help. */
	script.say = GIVE;
	log_in();
	assert_int_equal(in_vault().asked, 0);
	get();
	assert_int_equal(health().state, KEEPER_FRESH);
}

static void T3_what_never_left_says_nothing_of_what_was_lost(void **state)
{
	(void)state;
	get();
	script.say = LOSE;
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	settle();
	fail_with(ERROR_RETRY, "connect");
	want_for(HOUR_MS);
	assert_true(script.requests > 5);
	assert_int_equal(health().state, KEEPER_WAITING);
	assert_int_equal(in_vault().asked, 1);
	script.say = LOSE;
	want_for(HOUR_MS);
	assert_string_equal(health().trouble->code, "answer-lost");
}

static void T3_a_definite_failure_takes_it_back(void **state)
{
	(void)state;
	get();
	fail_with(ERROR_RETRY, "server-trouble");
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	settle();
	assert_int_equal(script.requests, 1);
	assert_int_equal(in_vault().asked, 0);
	/* Where that cannot be written, memory rules: one lost answer may follow. */
	script.say = HANG;
	pass(10 * 1000);
	assert_int_equal(script.requests, 2);
	fill_disk();
	fail_with(ERROR_RETRY, "server-trouble");
	answer();
	empty_disk();
	assert_int_equal(in_vault().asked, 1);
	script.say = LOSE;
	pass(20 * 1000);
	assert_int_equal(script.requests, 3);
	assert_int_equal(health().state, KEEPER_WAITING);
	script.say = GIVE;
	want_for(HOUR_MS);
	assert_int_equal(script.requests, 4);
	assert_int_equal(health().state, KEEPER_FRESH);
}

static void T3_without_rotation_it_is_tried_for_ever(void **state)
{
	(void)state;
	get();
	pass(100 * MINUTE_MS);
	assert_string_equal(health().rotation, "off");
	get();
	script.say = LOSE;
	keeper_refused(at.keeper, at.generation);
	want_for(DAY_MS);
	assert_in_range(script.requests, 90, 210);
	assert_int_equal(health().state, KEEPER_WAITING);
	/* Also after a start. */
	close_all();
	open_all();
	script.say = GIVE;
	loop_test_advance(at.loop, 3 * HOUR_MS);
	get();
	assert_int_equal(at.leases, 3);
}

static void T3_refused_after_a_lost_answer_says_why(void **state)
{
	(void)state;
	script.rotates = true;
	get();
	script.say = LOSE;
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	settle();
	script.say = GIVE;
	want_for(DAY_MS);
	assert_int_equal(script.requests, 2);
	assert_string_equal(at.code, "invalid_grant");
	assert_non_null(strstr(at.text, "the answer to an earlier refresh was lost"));
	assert_non_null(strstr(at.text, "probably replaced"));
	assert_non_null(strstr(at.text, "log in again"));
	assert_non_null(strstr(at.text, "expired access/refresh token"));
	assert_string_equal(health().state_name, "needs-login");
	/* A restart does not send it a third time. */
	close_all();
	open_all();
	want_for(DAY_MS);
	assert_int_equal(script.sent[1], 2);
}

static void T3_killed_with_the_answer_under_way(void **state)
{
	(void)state;
	get();
	script.say = HANG;
	pass(100 * MINUTE_MS);
	assert_int_equal(script.requests, 1);
	close_all();
	open_all();
	/* The old one is good still, and is used. */
	assert_int_equal(health().state, KEEPER_FRESH);
	assert_string_equal(health().trouble->code, "answer-lost");
	get();
	assert_string_equal(at.token, "access-901");
	pass(18 * MINUTE_MS);
	assert_int_equal(script.requests, 1);
	script.say = GIVE;
	pass(2 * MINUTE_MS);
	assert_int_equal(script.requests, 2);
	assert_int_equal(script.sent[1], 2);
	assert_null(health().trouble);
}

static void T3_lost_for_a_reason_that_a_person_must_mend(void **state)
{
	(void)state;
	get();
	fail_with(ERROR_HUMAN, "wrong-host");
	script.say = LOSE_SAID;
	keeper_refused(at.keeper, at.generation);
	get();
	assert_string_equal(at.code, "wrong-host");
	assert_non_null(strstr(at.text, "scripted wrong-host"));
	assert_int_equal(health().state, KEEPER_PARKED);
	assert_int_equal(in_vault().asked, 1);
	/* Mended, it is sent once more, and no third time. */
	keeper_unpark(at.keeper);
	get();
	assert_string_equal(at.code, "wrong-host");
	assert_int_equal(in_vault().asked, 2);
	keeper_unpark(at.keeper);
	get();
	assert_string_equal(at.code, "answer-lost");
	assert_int_equal(script.sent[1], 2);
}

/* An answer that is refused, but brought the successor of the refresh token that was sent. */

static void assert_successor(const char *access, const char *refresh, uint64_t generation)
{
	struct vault_token got = token_in_vault();
	size_t len;

	assert_string_equal(secret_open(got.access_token, &len), access);
	secret_close(got.access_token);
	assert_string_equal(secret_open(got.refresh_token, &len), refresh);
	secret_close(got.refresh_token);
	assert_int_equal(got.generation, generation);
	assert_string_equal(got.org_id, ORG_A);
	assert_string_equal(got.instance_url, ACME);
	assert_string_equal(got.source, "here");
	assert_int_equal(got.obtained_ms, health().obtained_ms);
	assert_int_equal(got.expires_ms, health().expires_ms);
	assert_int_equal(in_vault().asked, 0);
	assert_false(in_vault().stale);
	vault_token_done(&got);
}

static void a_refused_answer_leaves_its_refresh_token(void **state)
{
	(void)state;
	script.rotates = true;
	get();
	fail_with(ERROR_HUMAN, "wrong-host");
	script.say = FAIL_ROTATED;
	keeper_refused(at.keeper, at.generation);
	get();
	assert_string_equal(at.code, "wrong-host");
	assert_non_null(strstr(at.text, "scripted wrong-host"));
	assert_int_equal(health().state, KEEPER_PARKED);
	assert_string_equal(health().rotation, "on");
	assert_successor("access-901", "refresh-2", 2);
	/* The refused access token is not lent again, and what was sent is not sent again. */
	script.say = GIVE;
	keeper_unpark(at.keeper);
	get();
	assert_string_equal(at.token, "access-2");
	assert_string_equal(script.had_refresh, "refresh-2");
	assert_int_equal(script.sent[1], 1);
	assert_false(script.ended);
}

static void a_refused_answer_that_may_pass(void **state)
{
	int64_t expires_ms;

	(void)state;
	script.rotates = true;
	get();
	expires_ms = health().expires_ms;
	fail_with(ERROR_RETRY, "bad-signature");
	script.say = FAIL_ROTATED;
	pass(100 * MINUTE_MS); /* ahead of time: the old access token is good */
	assert_int_equal(script.requests, 1);
	assert_int_equal(health().state, KEEPER_WAITING);
	assert_string_equal(health().trouble->code, "bad-signature");
	assert_int_equal(health().expires_ms, expires_ms);
	assert_successor("access-901", "refresh-2", 2);
	get();
	assert_string_equal(at.token, "access-901");
	/* The next process sends the new one. */
	close_all();
	open_all();
	script.say = GIVE;
	get();
	pass(20 * MINUTE_MS);
	assert_string_equal(script.had_refresh, "refresh-2");
	assert_int_equal(script.sent[1], 1);
	assert_int_equal(health().state, KEEPER_FRESH);
}

static void a_refused_answer_revives_no_token(void **state)
{
	(void)state;
	script.rotates = true;
	get();
	fail_with(ERROR_RETRY, "bad-signature");
	script.say = FAIL_ROTATED;
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	settle();
	assert_int_equal(health().state, KEEPER_WAITING);
	assert_successor("access-901", "refresh-2", 2);
	assert_int_equal(at.leases, 1);
	script.say = GIVE;
	pass(5000);
	assert_int_equal(at.leases, 2);
	assert_string_equal(at.token, "access-2");
	assert_string_equal(script.had_refresh, "refresh-2");
}

static void told(void *arg);

static void a_refused_answer_on_a_full_disk(void **state)
{
	struct error trouble;
	unsigned settled = 0;
	bool busy;

	(void)state;
	script.rotates = true;
	get();
	script.say = HANG;
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	settle();
	keeper_on_settled(at.keeper, told, &settled);
	fail_with(ERROR_HUMAN, "wrong-host");
	script.say = FAIL_ROTATED;
	fill_disk();
	answer();
	settle();
	trouble = *health().trouble;
	busy = keeper_is_busy(at.keeper);
	empty_disk();
	assert_true(busy);
	assert_string_equal(trouble.code, "token-not-stored");
	assert_int_equal(settled, 0);
	assert_int_equal(at.errors, 0);
	pass(2000);
	assert_true(settled > 0);
	assert_successor("access-901", "refresh-2", 2);
	assert_int_equal(at.errors, 1);
	assert_string_equal(at.code, "wrong-host");
	assert_int_equal(health().state, KEEPER_PARKED);
}

static void a_dead_grant_costs_one_request(void **state)
{
	(void)state;
	get();
	script.ended = true;
	keeper_refused(at.keeper, at.generation);
	for (int i = 0; i < 24; i++) {
		want_for(HOUR_MS);
		keeper_unpark(at.keeper); /* `leadsync run` */
	}
	assert_int_equal(script.requests, 1);
	assert_string_equal(health().state_name, "needs-login");
	assert_string_equal(at.code, "invalid_grant");
	assert_int_equal(at.reminders, 1);
	assert_string_equal(at.names, "empty refreshing needs-login ");
	/* The next process asks once, and no more either. */
	close_all();
	open_all();
	for (int i = 0; i < 24; i++) {
		want_for(HOUR_MS);
		keeper_unpark(at.keeper);
	}
	assert_int_equal(script.requests, 2);
}

static void other_permanent_trouble_is_asked_for_again(void **state)
{
	static const struct {
		const char *code, *state_name;
	} rows[] = { { "invalid_client", "needs-admin" },
		     { "inactive_user", "needs-login" },
		     { "ip_restricted", "needs-login" } };

	(void)state;
	get();
	keeper_refused(at.keeper, at.generation);
	for (unsigned i = 0; i < 3; i++) {
		fail_with(ERROR_HUMAN, rows[i].code);
		get();
		want_for(HOUR_MS);
		assert_int_equal(script.requests, i + 1);
		assert_string_equal(health().state_name, rows[i].state_name);
		keeper_unpark(at.keeper);
	}
	script.say = GIVE;
	get();
	assert_int_equal(health().state, KEEPER_FRESH);
}

/* K7: an older state.db comes back. */
static void copy_file(const char *from, const char *to)
{
	char buffer[1 << 16];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(in >= 0 && out >= 0);
	for (ssize_t got; (got = read(in, buffer, sizeof(buffer))) > 0;)
		assert_int_equal(write(out, buffer, (size_t)got), got);
	close(in);
	close(out);
}

static void a_restored_database(bool by_login)
{
	CLEANUP_FREE char *db = mem_format("%s/state/state.db", at.dir);
	CLEANUP_FREE char *backup = mem_format("%s/backup", at.dir);

	grant.by_login = by_login;
	script.say = by_login ? GIVE : GIVE_ROTATED;
	script.rotates = by_login;
	get();
	close_all();
	copy_file(db, backup);
	open_all();
	keeper_refused(at.keeper, at.generation);
	get();
	close_all();
	copy_file(backup, db);
	open_all();
}

static void K7_a_stale_token_is_not_sent(void **state)
{
	unsigned requests;

	(void)state;
	a_restored_database(true);
	requests = script.requests;
	assert_true(in_vault().stale);
	want_for(3 * HOUR_MS);
	keeper_unpark(at.keeper);
	want_for(DAY_MS);
	assert_int_equal(script.requests, requests);
	assert_string_equal(at.code, "stale-token");
	assert_int_equal(at.kind, ERROR_HUMAN);
	assert_string_equal(health().state_name, "needs-login");
	assert_false(script.ended);
	log_in();
	get();
	assert_int_equal(health().state, KEEPER_FRESH);
	close_all();
	open_all();
	assert_int_equal(health().state, KEEPER_FRESH);
}

static void K7_other_flows_carry_on(void **state)
{
	(void)state;
	a_restored_database(false);
	assert_true(in_vault().stale);
	assert_int_equal(health().state, KEEPER_FRESH);
	get();
	keeper_refused(at.keeper, at.generation);
	get();
	assert_int_equal(at.errors, 0);
	assert_string_equal(at.token, "access-3");
}

static void without_a_login_nothing_is_asked_for(void **state)
{
	(void)state;
	close_all();
	grant.by_login = true;
	open_all();
	settle();
	assert_string_equal(at.names, "needs-login "); /* told, though it began so */
	want_for(DAY_MS);
	keeper_unpark(at.keeper);
	want_for(HOUR_MS);
	assert_int_equal(script.requests, 0);
	assert_string_equal(at.code, "needs-login");
	assert_non_null(strstr(at.text, "leadsync connect production"));
	assert_int_equal(at.kind, ERROR_HUMAN);
}

static void without_a_refresh_token_it_lasts_as_long_as_the_session(void **state)
{
	struct vault_token token;
	struct error err;

	(void)state;
	token = a_login();
	secret_free(TAKE(token.refresh_token));
	assert_true(keeper_login(at.keeper, &token, &err));
	want_for(118 * MINUTE_MS);
	assert_int_equal(at.errors, 0);
	want_for(DAY_MS);
	assert_int_equal(script.requests, 0);
	assert_string_equal(at.code, "needs-login");
	assert_int_equal(health().idle_ends_ms, 0);
}

static void a_login_ends_whatever_was(void **state)
{
	struct vault_token token;
	struct error err;

	(void)state;
	/* A back-off, and somebody who waits. */
	get();
	fail_with(ERROR_RETRY, "connect");
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	settle();
	assert_int_equal(health().state, KEEPER_WAITING);
	log_in();
	settle();
	assert_int_equal(at.leases, 2);
	assert_string_equal(at.token, "access-902");
	assert_string_equal(health().rotation, "unknown");
	assert_string_equal(health().expiry, "session_lifetime");
	/* Parked. */
	script.say = GIVE;
	script.ended = true;
	keeper_refused(at.keeper, at.generation);
	get();
	assert_int_equal(health().state, KEEPER_PARKED);
	log_in();
	get();
	assert_string_equal(at.token, "access-903");
	assert_null(health().trouble);

	/* Another org, or a full disk: nothing changed, and the token stays the caller's. */
	script.org_id = ORG_B;
	token = a_login();
	assert_false(keeper_login(at.keeper, &token, &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "other-org");
	assert_non_null(strstr(err.text, ORG_A));
	assert_non_null(strstr(err.text, ORG_B));
	assert_non_null(token.access_token);
	get();
	assert_string_equal(at.token, "access-903");
	assert_true(keeper_disconnect(at.keeper, &err));
	fill_disk();
	(void)!keeper_login(at.keeper, &token, &err);
	empty_disk();
	assert_non_null(token.access_token);
	assert_non_null(strstr(err.text, "not stored"));
	assert_true(keeper_login(at.keeper, &token, &err));
	get();
	assert_string_equal(at.org_id, ORG_B);
}

/* Dropped, the request could leave a successor at the server that nobody holds. */
static void not_while_a_token_is_on_its_way(void **state)
{
	struct vault_token token;
	struct error err;

	(void)state;
	script.rotates = true;
	get();
	script.say = HANG;
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	settle();
	assert_non_null(script.pending);
	assert_false(keeper_disconnect(at.keeper, &err));
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_string_equal(err.code, "token-on-its-way");
	token = a_login();
	assert_false(keeper_login(at.keeper, &token, &err));
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_string_equal(err.code, "token-on-its-way");
	assert_non_null(token.access_token);
	assert_non_null(script.pending);
	assert_false(in_vault().disconnected);
	/* Nor while it is not stored. */
	script.say = GIVE;
	fill_disk();
	answer();
	settle();
	(void)!keeper_disconnect(at.keeper, &err);
	empty_disk();
	assert_string_equal(err.code, "token-on-its-way");
	pass(2000);
	assert_int_equal(at.leases, 2);
	assert_true(keeper_login(at.keeper, &token, &err));
	assert_true(keeper_disconnect(at.keeper, &err));
	/* A token of an app of its own can be had again. */
	tear_down(NULL);
	set_up(NULL);
	script.say = HANG;
	keeper_get(at.keeper, leased, NULL);
	settle();
	assert_non_null(script.pending);
	assert_true(keeper_disconnect(at.keeper, &err));
	assert_null(script.pending);
}

static void a_login_is_as_old_as_its_token(void **state)
{
	struct vault_token token = a_login();
	int64_t obtained_ms = token.obtained_ms;
	struct error err;

	(void)state;
	loop_test_advance(at.loop, 9 * MINUTE_MS);
	assert_true(keeper_login(at.keeper, &token, &err));
	assert_int_equal(health().obtained_ms, obtained_ms);
	assert_int_equal(health().expires_ms, obtained_ms + 2 * HOUR_MS);
	assert_in_range(health().next_refresh_ms, obtained_ms + 80 * MINUTE_MS,
			obtained_ms + 100 * MINUTE_MS);
	/* One whose answer said when it ends. */
	script.life_ms = HOUR_MS;
	token = a_login();
	obtained_ms = token.obtained_ms;
	loop_test_advance(at.loop, 9 * MINUTE_MS);
	assert_true(keeper_login(at.keeper, &token, &err));
	assert_int_equal(health().expires_ms, obtained_ms + HOUR_MS);
	/* One that says nothing, or that the clock was set back after. */
	token = a_login();
	token.obtained_ms = token.expires_ms = 0;
	assert_true(keeper_login(at.keeper, &token, &err));
	assert_in_range(health().obtained_ms, loop_now_ms(at.loop) - 1000, loop_now_ms(at.loop));
	token = a_login();
	at.wall_ms -= DAY_MS;
	assert_true(keeper_login(at.keeper, &token, &err));
	assert_in_range(health().obtained_ms, loop_now_ms(at.loop) - 1000, loop_now_ms(at.loop));
	assert_in_range(health().expires_ms - health().obtained_ms, HOUR_MS, HOUR_MS);
}

static void disconnected_until_somebody_logs_in(void **state)
{
	unsigned told_before;
	struct error err;

	(void)state;
	get();
	fail_with(ERROR_RETRY, "connect");
	keeper_refused(at.keeper, at.generation);
	keeper_get(at.keeper, leased, NULL);
	settle();
	assert_true(keeper_disconnect(at.keeper, &err));
	settle();
	assert_int_equal(at.errors, 1);
	assert_string_equal(at.code, "disconnected");
	assert_string_equal(health().state_name, "disconnected");
	assert_string_equal(health().org_id, "");
	told_before = at.states;
	keeper_unpark(at.keeper);
	settle();
	assert_int_equal(at.states, told_before);
	close_all();
	open_all();
	assert_string_equal(health().state_name, "disconnected");
	keeper_unpark(at.keeper);
	want_for(2 * DAY_MS);
	assert_int_equal(script.requests, 1);
	assert_string_equal(at.code, "disconnected");
	script.say = GIVE;
	script.org_id = ORG_B; /* the pin went with the token */
	log_in();
	get();
	assert_string_equal(at.org_id, ORG_B);
	close_all();
	open_all();
	assert_int_equal(health().state, KEEPER_FRESH);
}

static void rotation_is_learned_from_answers(void **state)
{
	(void)state;
	assert_string_equal(health().rotation, "unknown");
	script.rotates = true;
	keeper_refused(at.keeper, 1);
	get();
	assert_string_equal(health().rotation, "on");
	close_all();
	open_all();
	assert_string_equal(health().rotation, "on");
	/* None, which is as good as the same. */
	script.rotates = false;
	keeper_refused(at.keeper, at.generation);
	get();
	assert_string_equal(health().rotation, "off");
	close_all();
	open_all();
	assert_string_equal(health().rotation, "off");
	/* The same one again, named: the request after this names itself. */
	script.requests = script.current - 1;
	script.say = GIVE_ROTATED;
	keeper_refused(at.keeper, at.generation);
	get();
	assert_string_equal(health().rotation, "off");
	/* For another login the app may have been changed. */
	log_in();
	assert_string_equal(health().rotation, "unknown");
}

static void told(void *arg)
{
	++*(unsigned *)arg;
}

static void busy_until_it_is_stored(void **state)
{
	unsigned settled = 0;

	(void)state;
	script.say = HANG;
	keeper_refused(at.keeper, 1);
	keeper_get(at.keeper, leased, NULL);
	settle();
	assert_true(keeper_is_busy(at.keeper));
	keeper_on_settled(at.keeper, told, &settled);
	settle();
	assert_int_equal(settled, 0);
	/* Here, and not stored: still busy. */
	script.say = GIVE;
	fill_disk();
	answer();
	settle();
	empty_disk();
	assert_true(keeper_is_busy(at.keeper));
	assert_int_equal(settled, 0);
	pass(2000);
	assert_false(keeper_is_busy(at.keeper));
	assert_int_equal(settled, 1);
	/* Nobody is told who asked not to be. */
	keeper_on_settled(at.keeper, NULL, NULL);
	script.say = HANG;
	keeper_refused(at.keeper, 2);
	keeper_get(at.keeper, leased, NULL);
	settle();
	keeper_on_settled(at.keeper, told, &settled);
	keeper_on_settled(at.keeper, NULL, NULL);
	script.say = GIVE;
	answer();
	settle();
	assert_int_equal(settled, 1);
	assert_false(keeper_is_busy(at.keeper));
	keeper_on_settled(at.keeper, told, &settled);
	settle();
	assert_int_equal(settled, 2); /* it is not busy */
}

/* The daemon is stopping: what is under way comes to its end, and nothing begins. */
static void no_request_begins_while_somebody_waits_for_the_end(void **state)
{
	static const struct {
		const char *says;
		int say;
	} rows[] = { { "it failed", FAIL }, { "lost", LOSE }, { "a token", GIVE } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		unsigned settled = 0;

		set_up_login(NULL);
		script.rotates = true;
		get();
		script.say = HANG;
		keeper_refused(at.keeper, at.generation);
		keeper_get(at.keeper, leased, NULL);
		settle();
		keeper_on_settled(at.keeper, told, &settled);
		if (rows[i].say == FAIL)
			fail_with(ERROR_RETRY, "connect");
		script.say = rows[i].say;
		answer();
		settle();
		if (!settled)
			fail_msg("%s: not told", rows[i].says);
		/* Neither a back-off that ends, nor an age, nor a refusal, nor a person. */
		script.say = GIVE;
		want_for(5 * MINUTE_MS);
		keeper_refused(at.keeper, at.generation);
		keeper_unpark(at.keeper);
		want_for(2 * DAY_MS);
		if (script.requests != 1 || keeper_is_busy(at.keeper))
			fail_msg("%s: %u requests", rows[i].says, script.requests);
		assert_true(at.errors > 0);
		/* And on it goes, if nobody waits for the end any more. */
		keeper_get(at.keeper, leased, NULL);
		keeper_on_settled(at.keeper, NULL, NULL);
		settle();
		settle();
		assert_int_equal(script.requests, 2);
		tear_down(NULL);
	}
}

static void a_move_is_told_and_taken(void **state)
{
	(void)state;
	get();
	assert_string_equal(at.instance_url, ACME);
	script.instance_url = "https://acme2.my.salesforce.com";
	keeper_refused(at.keeper, at.generation);
	get();
	assert_string_equal(at.instance_url, "https://acme2.my.salesforce.com");
	settle();
	assert_int_equal(at.moves, 1);
	keeper_refused(at.keeper, at.generation);
	get();
	settle();
	assert_int_equal(at.moves, 1);
}

static void a_reminder_a_day(void **state)
{
	(void)state;
	script.ended = true;
	keeper_refused(at.keeper, 1);
	get();
	for (int i = 0; i < 10 * 24 + 1; i++)
		pass(HOUR_MS);
	assert_int_equal(at.reminders, 10);
	assert_int_equal(at.states, 2 + 1 + 1); /* fresh; refreshing, parked */
	log_in();
	pass(10 * MINUTE_MS);
	for (int i = 0; i < 48; i++)
		pass(HOUR_MS);
	assert_int_equal(at.reminders, 10);
}

/* Somebody needs a new token; the process ends after so many turns of the loop. Says whether he got
 * it. */
static bool cut_after(int turns)
{
	bool through;

	loop_test_advance(at.loop, 3 * HOUR_MS);
	keeper_get(at.keeper, leased, NULL);
	at.leases = 0;
	for (int i = 0; i < turns; i++) {
		unsigned came = 0;

		loop_soon(at.loop, told, &came);
		while (!came)
			loop_once(at.loop);
	}
	through = at.leases > 0;
	close_all();
	open_all();
	return through;
}

/* Also a second time while it recovers from the first. */
static void killed_at_every_step(void **state)
{
	bool through = false;
	unsigned lost = 0;

	(void)state;
	for (int first = 0; !through; first++) {
		for (int second = 0; second < 6; second++) {
			assert_true(first < 20);
			set_up_login(NULL);
			script.rotates = true;
			get();
			through = cut_after(first);
			cut_after(second);
			want_for(6 * HOUR_MS);
			/* No refresh token went out three times, whatever came between. */
			for (size_t i = 0; i < sizeof(script.sent) / sizeof(script.sent[0]); i++)
				assert_in_range(script.sent[i], 0, 2);
			get();
			if (script.ended) {
				assert_int_equal(health().state, KEEPER_PARKED);
				assert_true(strstr(at.text, "was lost") ||
					    strstr(at.text, "no answer came"));
				lost++;
			} else {
				assert_int_equal(health().state, KEEPER_FRESH);
			}
			tear_down(NULL);
		}
	}
	assert_true(lost > 0); /* or it was not cut where it hurts */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_token_endpoint_says),
		login_row(fifty_wait_and_one_asks),
		login_row(T2_the_vault_knows_before_it_is_sent),
		row(T2_other_flows_use_up_nothing),
		login_row(T2_nothing_is_sent_while_the_disk_is_full),
		login_row(T3_the_old_token_is_used_to_its_end),
		login_row(T3_refused_it_is_not_used_to_its_end),
		login_row(T3_sent_once_more_and_then_never),
		login_row(T3_what_never_left_says_nothing_of_what_was_lost),
		login_row(T3_a_definite_failure_takes_it_back),
		login_row(T3_without_rotation_it_is_tried_for_ever),
		login_row(T3_refused_after_a_lost_answer_says_why),
		login_row(T3_killed_with_the_answer_under_way),
		login_row(T3_lost_for_a_reason_that_a_person_must_mend),
		login_row(a_refused_answer_leaves_its_refresh_token),
		login_row(a_refused_answer_that_may_pass),
		login_row(a_refused_answer_revives_no_token),
		login_row(a_refused_answer_on_a_full_disk),
		login_row(a_dead_grant_costs_one_request),
		login_row(other_permanent_trouble_is_asked_for_again),
		login_row(K7_a_stale_token_is_not_sent),
		row(K7_other_flows_carry_on),
		row(without_a_login_nothing_is_asked_for),
		login_row(without_a_refresh_token_it_lasts_as_long_as_the_session),
		login_row(a_login_ends_whatever_was),
		login_row(not_while_a_token_is_on_its_way),
		login_row(a_login_is_as_old_as_its_token),
		login_row(disconnected_until_somebody_logs_in),
		login_row(rotation_is_learned_from_answers),
		login_row(busy_until_it_is_stored),
		cmocka_unit_test(no_request_begins_while_somebody_waits_for_the_end),
		login_row(a_move_is_told_and_taken),
		login_row(a_reminder_a_day),
		cmocka_unit_test(killed_at_every_step),
	};

	return scene_run("keeper_grant", tests, sizeof(tests) / sizeof(tests[0]));
}
