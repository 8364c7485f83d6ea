/* The rows of account: what is remembered beside a token, what ends it, and what is to be revoked.
 */
#include "fixture.h"

static void an_unknown_account_is_all_zero(void **state)
{
	CLEANUP(keyring_free) struct keyring *ring = ring_of(*state, KEY_A);
	CLEANUP(vault_close) struct vault *vault = must_open(*state, ring);
	const struct vault_account none = { 0 };
	struct vault_account got;
	struct error err;

	memset(&got, 0xff, sizeof(got));
	assert_true(vault_account_get(vault, "production", &got, &err));
	assert_int_equal(got.asked, 0);
	assert_false(got.stale);
	assert_false(got.disconnected);
	assert_int_equal(got.learned_life_s, none.learned_life_s);
	assert_int_equal(got.learned_ms, none.learned_ms);
}

static void set_asked(struct vault *vault, unsigned asked)
{
	struct error err;

	if (!vault_account_set_asked(vault, "production", asked, &err))
		fail_msg("%s", err.text);
}

static void a_question_is_remembered_until_it_is_answered(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct vault *vault = must_open(place, ring);
	struct error err;

	put_token(vault, "production", "a1", "r1");
	put_token(vault, "sandbox", "b1", "s1");
	set_asked(vault, 1);
	vault_close(vault);

	vault = must_open(place, ring);
	assert_int_equal(account_of(vault, "production").asked, 1);
	assert_int_equal(account_of(vault, "sandbox").asked, 0);
	set_asked(vault, 2);
	assert_int_equal(account_of(vault, "production").asked, 2);
	/* An answer without a token. */
	set_asked(vault, 0);
	assert_int_equal(account_of(vault, "production").asked, 0);
	/* One with a token. */
	set_asked(vault, 1);
	put_token(vault, "sandbox", "b2", "s2");
	assert_int_equal(account_of(vault, "production").asked, 1);
	put_token(vault, "production", "a2", "r2");
	assert_int_equal(account_of(vault, "production").asked, 0);
	/* A token that is gone was not sent. */
	set_asked(vault, 1);
	assert_true(vault_disconnect(vault, "production", 4000, &err));
	assert_int_equal(account_of(vault, "production").asked, 0);
	/* Of an account that had no row. */
	assert_true(vault_account_set_asked(vault, "new", 1, &err));
	assert_int_equal(account_of(vault, "new").asked, 1);
	assert_false(account_of(vault, "new").stale);
	vault_close(vault);
}

static void what_was_learned_stays_until_the_account_is_disconnected(void **state)
{
	CLEANUP(keyring_free) struct keyring *ring = ring_of(*state, KEY_A);
	struct vault *vault = must_open(*state, ring);
	struct error err;

	assert_true(vault_account_set_learned(vault, "production", 7200, 5, &err));
	assert_true(vault_account_set_learned(vault, "production", 3600, 6, &err));
	put_token(vault, "production", "a1", "r1");
	vault_close(vault);
	vault = must_open(*state, ring);
	assert_int_equal(account_of(vault, "production").learned_life_s, 3600);
	assert_int_equal(account_of(vault, "production").learned_ms, 6);
	assert_int_equal(account_of(vault, "sandbox").learned_life_s, 0);
	assert_true(vault_disconnect(vault, "production", 7, &err));
	assert_int_equal(account_of(vault, "production").learned_life_s, 0);
	assert_int_equal(account_of(vault, "production").learned_ms, 0);
	vault_close(vault);
}

static void a_disconnected_account_keeps_nothing(void **state)
{
	static const struct {
		const char *name, *access, *refresh, *change;
		const char *queued; /* NULL: nothing */
	} rows[] = {
		{ "refresh token", "a1", "r1", NULL, "r1" },
		{ "access token only", "a1", NULL, NULL, "a1" },
		{ "no token", NULL, NULL, NULL, NULL },
		{ "tampered", "a1", "r1", "UPDATE token SET source = 'evil'", NULL },
		{ "of another key", "a1", "r1",
		  "UPDATE token SET facts = CAST(substr(facts, 1, 2) || zeroblob(90) AS BLOB)",
		  NULL },
	};
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct vault *vault = must_open(place, ring);
	int64_t after = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vault_token token;
		struct error err;
		uint64_t generation = 0;
		char account[30], marks[200];
		bool found;

		snprintf(account, sizeof(account), "account-%zu", i);
		if (rows[i].access)
			generation = put_token(vault, account, rows[i].access, rows[i].refresh);
		if (rows[i].change)
			change_row(place, rows[i].change);
		assert_true(vault_account_set_asked(vault, account, 1, &err));
		if (!vault_disconnect(vault, account, 4000, &err))
			fail_msg("%s: %s", rows[i].name, err.text);
		vault_close(vault);

		vault = must_open(place, ring);
		assert_true(vault_token_get(vault, account, &token, &found, &err));
		assert_false(found);
		assert_true(account_of(vault, account).disconnected);
		assert_int_equal(account_of(vault, account).asked, 0);
		assert_false(account_of(vault, account).stale);
		assert_queued(vault, after, account, rows[i].queued);
		if (rows[i].queued)
			after++;
		/* Again is no harm, and queues nothing twice. */
		assert_true(vault_disconnect(vault, account, 5000, &err));
		assert_queued(vault, after, account, NULL);
		/* The mark stands above what a backup could bring back. */
		snprintf(marks, sizeof(marks), "%s %d\n", account, (int)generation + 1);
		{
			size_t len;
			CLEANUP_FREE unsigned char *text =
				read_all(PATH_IN(place, "state/marks"), &len);

			assert_non_null(strstr((char *)text, marks));
		}
		/* A login ends it, under a generation of its own. */
		assert_int_equal(put_token(vault, account, "a9", "r9"), generation + 2);
		assert_false(account_of(vault, account).disconnected);
		assert_false(account_of(vault, account).stale);
		assert_token(vault, account, "a9", "r9", generation + 2);
		vault_close(vault);
		change_row(place, "DELETE FROM token");
		vault = must_open(place, ring);
	}
	vault_close(vault);
}

static void a_disconnect_is_one_account_s(void **state)
{
	CLEANUP(keyring_free) struct keyring *ring = ring_of(*state, KEY_A);
	CLEANUP(vault_close) struct vault *vault = must_open(*state, ring);
	struct vault_revocation next;
	struct error err;
	bool found;

	put_token(vault, "production", "a1", "r1");
	put_token(vault, "sandbox", "b1", "s1");
	assert_true(vault_account_set_learned(vault, "sandbox", 3600, 6, &err));
	assert_true(vault_disconnect(vault, "production", 4000, &err));
	assert_token(vault, "sandbox", "b1", "s1", 1);
	assert_false(account_of(vault, "sandbox").disconnected);
	assert_int_equal(account_of(vault, "sandbox").learned_life_s, 3600);
	assert_true(vault_revocation_next(vault, 0, &next, &found, &err));
	assert_true(found);
	assert_string_equal(next.account, "production");
	assert_string_equal(next.source, "https://login.example client");
	assert_int_equal(next.since_ms, 4000);
	vault_revocation_done(&next);
	assert_null(next.token);
	vault_revocation_done(&next);
}

static void revocations_stand_in_a_queue(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct vault *vault = must_open(place, ring);
	struct vault_revocation next;
	struct error err;
	bool found = true;
	int64_t first, second, third, fourth;

	assert_true(vault_revocation_next(vault, 0, &next, &found, &err));
	assert_false(found);
	first = queue(vault, "production", "t1");
	second = queue(vault, "sandbox", "t2");
	third = queue(vault, "production", "t3");
	assert_true(0 < first && first < second && second < third);
	vault_close(vault);
	vault = must_open(place, ring);
	assert_queued(vault, 0, "production", "t1");
	assert_queued(vault, first, "sandbox", "t2");
	assert_queued(vault, second, "production", "t3");
	assert_queued(vault, third, NULL, NULL);
	assert_true(vault_revocation_delete(vault, third, &err));
	assert_true(vault_revocation_delete(vault, first, &err));
	assert_true(vault_revocation_delete(vault, first, &err));
	assert_queued(vault, 0, "sandbox", "t2");
	assert_queued(vault, second, NULL, NULL);
	/* Whoever stands at the last one misses nothing. */
	fourth = queue(vault, "production", "t4");
	assert_true(fourth > third);
	vault_close(vault);
}

static void a_tampered_revocation_is_passed(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	CLEANUP(vault_close) struct vault *vault = must_open(place, ring);
	int64_t first = queue(vault, "production", "t1"), second = queue(vault, "sandbox", "t2");
	struct vault_revocation next;
	struct error err;
	bool found;

	change_row(place, "UPDATE revocation SET source = 'evil' WHERE account = 'production'");
	found = false;
	assert_true(vault_revocation_next(vault, 0, &next, &found, &err));
	assert_true(found);
	assert_int_equal(next.id, first);
	assert_null(next.token);
	assert_queued(vault, first, "sandbox", "t2");
	assert_true(vault_revocation_delete(vault, next.id, &err));
	vault_revocation_done(&next);
	assert_queued(vault, 0, "sandbox", "t2");
	assert_queued(vault, second, NULL, NULL);
}

static void an_end_that_is_known_later_is_sealed(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct vault *vault = must_open(place, ring);
	struct vault_token token = { 0 }, got;
	struct error err;
	int64_t ids;
	bool found;

	assert_false(vault_token_set_expiry(vault, "production", &token, &err));
	assert_string_equal(err.code, "no-token");
	token = token_of("a1", "r1");
	token.expiry = VAULT_EXPIRY_ASSUMED;
	token.rotation = VAULT_ROTATION_ON;
	assert_true(vault_token_put(vault, "production", &token, &err));
	put_token(vault, "sandbox", "b1", "s1");
	ids = ask_row(place,
		      "SELECT hex(substr(id, 1, 7)) FROM token WHERE account = 'production'");
	token.expires_ms = 1500;
	token.expiry = VAULT_EXPIRY_INTROSPECTED;
	assert_true(vault_token_set_expiry(vault, "production", &token, &err));
	vault_close(vault);

	vault = must_open(place, ring);
	assert_true(vault_token_get(vault, "production", &got, &found, &err));
	assert_true(found);
	assert_int_equal(got.expires_ms, 1500);
	assert_int_equal(got.expiry, VAULT_EXPIRY_INTROSPECTED);
	assert_int_equal(got.rotation, VAULT_ROTATION_ON);
	assert_int_equal(got.obtained_ms, 1000);
	assert_int_equal(got.generation, 1);
	assert_secret(got.access_token, "a1", 2);
	assert_secret(got.refresh_token, "r1", 2);
	vault_token_done(&got);
	assert_int_equal(
		ask_row(place,
			"SELECT hex(substr(id, 1, 7)) FROM token WHERE account = 'production'"),
		ids);
	assert_token(vault, "sandbox", "b1", "s1", 1);

	/* Of the token before: it says nothing about this one. */
	put_token(vault, "production", "a2", "r2");
	token.expires_ms = 1200;
	assert_false(vault_token_set_expiry(vault, "production", &token, &err));
	assert_int_equal(err.kind, ERROR_BUG);
	assert_string_equal(err.code, "no-token");
	assert_token(vault, "production", "a2", "r2", 2);
	/* What somebody wrote into the row is not made ours. */
	token.generation = 2;
	change_row(place, "UPDATE token SET instance_url = 'https://evil.example'");
	assert_false(vault_token_set_expiry(vault, "production", &token, &err));
	assert_string_equal(err.code, "tampered");
	assert_false(vault_token_get(vault, "production", &got, &found, &err));
	vault_token_done(&token);
	vault_close(vault);
}

static void paused_jobs_stay_paused(void **state)
{
	CLEANUP(keyring_free) struct keyring *ring = ring_of(*state, KEY_A);
	struct vault *vault = must_open(*state, ring);
	struct error err;
	bool paused = true;

	assert_true(vault_job_paused(vault, "leads", &paused, &err));
	assert_false(paused);
	assert_true(vault_job_set_paused(vault, "leads", false, &err));
	assert_true(vault_job_set_paused(vault, "leads", true, &err));
	assert_true(vault_job_set_paused(vault, "leads", true, &err));
	vault_close(vault);
	vault = must_open(*state, ring);
	assert_true(vault_job_paused(vault, "leads", &paused, &err));
	assert_true(paused);
	assert_true(vault_job_paused(vault, "contacts", &paused, &err));
	assert_false(paused);
	assert_true(vault_job_set_paused(vault, "leads", false, &err));
	assert_true(vault_job_paused(vault, "leads", &paused, &err));
	assert_false(paused);
	vault_close(vault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_place(an_unknown_account_is_all_zero),
		in_place(a_question_is_remembered_until_it_is_answered),
		in_place(what_was_learned_stays_until_the_account_is_disconnected),
		in_place(a_disconnected_account_keeps_nothing),
		in_place(a_disconnect_is_one_account_s),
		in_place(revocations_stand_in_a_queue),
		in_place(a_tampered_revocation_is_passed),
		in_place(an_end_that_is_known_later_is_sealed),
		in_place(paused_jobs_stay_paused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
