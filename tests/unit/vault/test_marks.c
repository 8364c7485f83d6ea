/* The rows of marks: a token that is older than its mark, or has none, is known as restored. */
#include "fixture.h"

#include <sqlite3.h>
#include <sys/resource.h>

static void marks_are_raised_with_each_token(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct vault *vault = must_open(place, ring);
	struct stat st;
	mode_t mask = umask(0);

	put_token(vault, "production", "a1", "r1");
	assert_marks(place, "production 1\n");
	put_token(vault, "sandbox", "b1", NULL);
	put_token(vault, "production", "a2", "r2");
	assert_marks(place, "production 2\nsandbox 1\n");
	umask(mask);
	assert_int_equal(stat(PATH_IN(place, "state/marks"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(access(PATH_IN(place, "state/marks.new"), F_OK), -1);
	assert_false(account_of(vault, "production").stale);
	vault_close(vault);
	vault = must_open(place, ring);
	assert_false(account_of(vault, "production").stale);
	assert_false(account_of(vault, "sandbox").stale);
	assert_marks(place, "production 2\nsandbox 1\n");
	vault_close(vault);
}

static void a_file_that_is_not_ours_marks_nothing(void **state)
{
#define OURS "production 2\nsandbox 1\n"
	static const struct {
		const char *name, *text;
		bool stale;
	} rows[] = {
		{ "as it was", OURS, false },
		{ "empty", "", true },
		{ "of another", "sandbox 1\n", true },
		{ "higher", "production 3\nsandbox 1\n", true },
		{ "no last newline", "production 2\nsandbox 1", true },
		{ "no number", "production\nsandbox 1\n", true },
		{ "no digits", "production \nsandbox 1\n", true },
		{ "negative", "production -2\n", true },
		{ "a sign", "production +2\n", true },
		{ "something behind", "production 2 \n", true },
		{ "two blanks", "production  2\n", true },
		{ "no name", " 2\nproduction 2\n", true },
		{ "twice", "production 2\nproduction 2\n", true },
		{ "an empty line", "\nproduction 2\n", true },
		{ "a bad line elsewhere", "production 2\nsandbox x\n", true },
		{ "beyond SQLite", "production 9223372036854775808\n", true },
		{ "beyond everything", "production 99999999999999999999999\n", true },
		{ "rubbish", "\x01\xff\xfe", true },
		/* One that a crash had no time to raise. */
		{ "lower", "production 1\nsandbox 1\n", false },
		{ "of the last before the first", "production 0\nsandbox 1\n", false },
	};
	const struct place *place = *state;
	const char *marks = PATH_IN(place, "state/marks");
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vault *vault = must_open(place, ring);
		uint64_t generation;

		put_token(vault, "production", "a1", "r1");
		put_token(vault, "production", "a2", "r2");
		put_token(vault, "sandbox", "b1", "s1");
		assert_marks(place, OURS);
		vault_close(vault);
		write_file(marks, rows[i].text, strlen(rows[i].text));
		vault = must_open(place, ring);
		if (account_of(vault, "production").stale != rows[i].stale)
			fail_msg("%s", rows[i].name);
		/* What is stale is not lost: the operator may look at it. */
		assert_token(vault, "production", "a2", "r2", 2);
		if (!rows[i].stale)
			assert_marks(place, OURS);
		/* Whatever stood there, a login mends it. */
		generation = put_token(vault, "production", "a3", "r3");
		assert_int_equal(generation, strcmp(rows[i].name, "higher") == 0 ? 4 : 3);
		assert_false(account_of(vault, "production").stale);
		assert_token(vault, "production", "a3", "r3", generation);
		vault_close(vault);
		assert_int_equal(unlink(PATH_IN(place, "state/state.db")), 0);
		assert_int_equal(unlink(marks), 0);
	}
#undef OURS
}

static void a_file_with_a_nul_marks_nothing(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	CLEANUP(vault_close) struct vault *vault = must_open(place, ring);

	put_token(vault, "production", "a1", "r1");
	write_file(PATH_IN(place, "state/marks"), "production 1\n\0", 14);
	assert_true(account_of(vault, "production").stale);
	write_file(PATH_IN(place, "state/marks"), "production 1\n", 13);
	assert_false(account_of(vault, "production").stale);
}

static void a_missing_file_marks_nothing(void **state)
{
	const struct place *place = *state;
	const char *marks = PATH_IN(place, "state/marks"), *away = PATH_IN(place, "away");
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct vault *vault = must_open(place, ring);

	put_token(vault, "production", "a1", "r1");
	put_token(vault, "sandbox", "b1", NULL);
	vault_close(vault);
	assert_int_equal(rename(marks, away), 0);
	vault = must_open(place, ring);
	assert_true(account_of(vault, "production").stale);
	assert_true(account_of(vault, "sandbox").stale);
	assert_false(account_of(vault, "other").stale);
	/* Opening makes none: that would be somebody's word that all is well. */
	assert_int_equal(access(marks, F_OK), -1);

	/* A link is not followed, even to what it was. */
	assert_int_equal(symlink("../away", marks), 0);
	assert_true(account_of(vault, "production").stale);
	put_token(vault, "production", "a2", "r2");
	assert_false(account_of(vault, "production").stale);
	assert_true(account_of(vault, "sandbox").stale);
	assert_marks(place, "production 2\n");
	size_t len;
	CLEANUP_FREE unsigned char *text = read_all(away, &len);
	assert_string_equal((char *)text, "production 1\nsandbox 1\n");

	/* Without its token an account has nothing that could be stale. */
	change_row(place, "DELETE FROM token WHERE account = 'sandbox'");
	assert_false(account_of(vault, "sandbox").stale);
	put_token(vault, "sandbox", "b2", NULL);
	assert_false(account_of(vault, "sandbox").stale);
	assert_marks(place, "production 2\nsandbox 2\n");
	vault_close(vault);
}

/* In the way of the file itself, and of the one that is to replace it: the token is the account's all
 * the same, since to call it not stored would lose it. The next put, or the next opening, makes up
 * for the mark. */
static void a_mark_that_cannot_be_raised_costs_no_token(void **state)
{
	static const char *const names[] = { "state/marks.new", "state/marks" };
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct vault *vault = must_open(place, ring);

	put_token(vault, "production", "a0", "r0");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *in_the_way = PATH_IN(place, names[i]);
		struct vault_token token = token_of("a1", "r1");
		struct error err;

		unlink(in_the_way);
		assert_int_equal(mkdir(in_the_way, 0700), 0);
		assert_true(vault_token_put(vault, "production", &token, &err));
		assert_token(vault, "production", "a1", "r1", token.generation);
		assert_int_equal(rmdir(in_the_way), 0);
		if (i == 0) {
			assert_marks(place, "production 1\n");
			vault_close(vault);
			vault = must_open(place, ring);
			assert_marks(place, "production 2\n");
		} else {
			put_token(vault, "production", "a2", "r2");
			assert_marks(place, "production 4\n");
		}
		assert_false(account_of(vault, "production").stale);
		vault_token_done(&token);
	}
	/* What a crash left behind is not in the way. */
	write_file(PATH_IN(place, "state/marks.new"), "production 99", 13);
	put_token(vault, "production", "a2", "r2");
	assert_int_equal(access(PATH_IN(place, "state/marks.new"), F_OK), -1);
	vault_close(vault);
}

static void names_that_a_line_cannot_hold_are_refused(void **state)
{
	static const char *const names[] = { "", " ", "a b", "a\nb 1" };
	CLEANUP(keyring_free) struct keyring *ring = ring_of(*state, KEY_A);
	CLEANUP(vault_close) struct vault *vault = must_open(*state, ring);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct vault_token token = token_of("a1", "r1"), got;
		struct error err;
		bool found;

		assert_false(vault_token_put(vault, names[i], &token, &err));
		assert_int_equal(err.kind, ERROR_BUG);
		assert_true(vault_token_get(vault, names[i], &got, &found, &err));
		assert_false(found);
		vault_token_done(&token);
	}
}

/* With no descriptor left nobody knows what the file says: it is neither missing nor replaced. */
static void a_file_that_cannot_be_opened_now_is_left(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	CLEANUP(vault_close) struct vault *vault = must_open(place, ring);
	struct vault_token token = token_of("a2", "r2");
	struct vault_account about;
	struct rlimit full, none;
	struct error err;
	bool asked, put;

	put_token(vault, "production", "a1", "r1");
	put_token(vault, "sandbox", "b1", "s1");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &full), 0);
	none = full;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	asked = vault_account_get(vault, "production", &about, &err);
	put = vault_token_put(vault, "production", &token, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &full), 0);
	assert_false(asked);
	assert_false(put);
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_non_null(strstr(err.text, "marks"));
	assert_false(account_of(vault, "production").stale);
	assert_false(account_of(vault, "sandbox").stale);
	assert_token(vault, "production", "a1", "r1", 1);
	assert_true(vault_token_put(vault, "production", &token, &err));
	assert_marks(place, "production 2\nsandbox 1\n");
	vault_token_done(&token);
}

/* As an operator's `sqlite3 FROM '.backup TO'`, and back. */
static void copy_database(const char *from, const char *to)
{
	sqlite3 *source, *target;
	sqlite3_backup *copy;

	assert_int_equal(sqlite3_open(from, &source), SQLITE_OK);
	assert_int_equal(sqlite3_open(to, &target), SQLITE_OK);
	copy = sqlite3_backup_init(target, "main", source, "main");
	assert_non_null(copy);
	assert_int_equal(sqlite3_backup_step(copy, -1), SQLITE_DONE);
	assert_int_equal(sqlite3_backup_finish(copy), SQLITE_OK);
	assert_int_equal(sqlite3_close(target), SQLITE_OK);
	assert_int_equal(sqlite3_close(source), SQLITE_OK);
}

static void a_restored_backup_is_known(void **state)
{
	static const char canary[] = "canary-backed-up-2Gs7D";
	const struct place *place = *state;
	const char *db = PATH_IN(place, "state/state.db"), *backup = PATH_IN(place, "backup.db"),
		   *inside = PATH_IN(place, "state/backup.db");
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct vault *vault = must_open(place, ring);

	put_token(vault, "production", "a1", "r1");
	put_token(vault, "production", canary, canary);
	put_token(vault, "sandbox", "b1", "s1");
	put_token(vault, "gone", "c1", "t1");
	copy_database(db, backup); /* while the vault is open */
	put_token(vault, "production", "a3", "r3");
	put_token(vault, "production", "a4", "r4");
	put_token(vault, "gone", "c2", "t2");
	change_row(place, "DELETE FROM token WHERE account = 'gone'");
	put_token(vault, "later", "d1", "u1");
	vault_close(vault);
	copy_database(backup, db);
	assert_int_equal(rename(backup, inside), 0);
	assert_int_equal(hits_in_state(place, canary), 0);

	vault = must_open(place, ring);
	assert_true(account_of(vault, "production").stale);
	assert_true(account_of(vault, "gone").stale);
	assert_false(account_of(vault, "sandbox").stale);
	assert_false(account_of(vault, "later").stale);
	assert_token(vault, "production", canary, canary, 2);
	assert_marks(place, "production 4\nsandbox 1\ngone 2\nlater 1\n");
	/* A new login is above all that the mark has seen, also where no row is left. */
	assert_int_equal(put_token(vault, "production", "a5", "r5"), 5);
	assert_int_equal(put_token(vault, "later", "d2", "u2"), 2);
	assert_false(account_of(vault, "production").stale);
	assert_false(account_of(vault, "later").stale);
	assert_marks(place, "production 5\nsandbox 1\ngone 2\nlater 2\n");
	vault_close(vault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_place(marks_are_raised_with_each_token),
		in_place(a_file_that_is_not_ours_marks_nothing),
		in_place(a_file_with_a_nul_marks_nothing),
		in_place(a_missing_file_marks_nothing),
		in_place(a_mark_that_cannot_be_raised_costs_no_token),
		in_place(a_file_that_cannot_be_opened_now_is_left),
		in_place(names_that_a_line_cannot_hold_are_refused),
		in_place(a_restored_backup_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
