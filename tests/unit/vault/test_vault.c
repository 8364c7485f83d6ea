/* The rows of vault: what is kept, what is refused, and that no secret reaches the disk. */
#include "fixture.h"

#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <sys/wait.h>

#include "base/utc.h"

static void everything_is_there_after_opening_again(void **state)
{
	CLEANUP(keyring_free) struct keyring *ring = ring_of(*state, KEY_A);
	struct vault *vault = must_open(*state, ring);
	struct error err;
	struct stat st;
	char instance[40];

	snprintf(instance, sizeof(instance), "%s", vault_instance(vault));
	assert_int_equal(strlen(instance), 32);
	assert_int_equal(strspn(instance, "0123456789abcdef"), 32);
	set_secret(vault, "production.client_secret", "old");
	set_secret(vault, "production.client_secret", "hush");
	set_secret(vault, "other", "");
	assert_int_equal(put_token(vault, "production", "a1", "r1"), 1);
	assert_int_equal(put_token(vault, "production", "a2", "r2"), 2);
	assert_int_equal(put_token(vault, "sandbox", "b1", NULL), 1);
	vault_close(vault);

	assert_int_equal(stat(PATH_IN(*state, "state"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(PATH_IN(*state, "state/state.db"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(PATH_IN(*state, "state/lock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	vault = must_open(*state, ring);
	assert_string_equal(vault_instance(vault), instance);
	CLEANUP(secret_free)
	struct secret *value = vault_secret_get(vault, "production.client_secret", &err);
	assert_non_null(value);
	assert_secret(value, "hush", 4);
	CLEANUP(secret_free) struct secret *empty = vault_secret_get(vault, "other", &err);
	assert_non_null(empty);
	assert_secret(empty, "", 0);
	assert_token(vault, "production", "a2", "r2", 2);
	assert_token(vault, "sandbox", "b1", NULL, 1);
	vault_close(vault);
}

static void what_is_absent_is_said(void **state)
{
	CLEANUP(keyring_free) struct keyring *ring = ring_of(*state, KEY_A);
	CLEANUP(vault_close) struct vault *vault = must_open(*state, ring);
	struct vault_token token;
	struct error err;
	bool found = true;

	assert_null(vault_secret_get(vault, "production.client_secret", &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "no-secret");
	assert_non_null(strstr(err.text, "`leadsync secret set production.client_secret`"));
	assert_false(vault_secret_delete(vault, "production.client_secret", &err));
	assert_string_equal(err.code, "no-secret");
	set_secret(vault, "s", "hush");
	assert_true(vault_secret_delete(vault, "s", &err));
	assert_null(vault_secret_get(vault, "s", &err));

	assert_true(vault_token_get(vault, "production", &token, &found, &err));
	assert_false(found);
	put_token(vault, "production", "a1", "r1");
	assert_true(vault_disconnect(vault, "production", 4000, &err));
	assert_true(vault_token_get(vault, "production", &token, &found, &err));
	assert_false(found);
	/* A generation never names two tokens. */
	assert_int_equal(put_token(vault, "production", "a2", "r2"), 3);

	vault_token_done(&(struct vault_token){ 0 });
}

struct listing {
	size_t count;
	char names[5][20];
	int64_t times[5];
};

static void note_secret(const char *name, int64_t set_ms, void *arg)
{
	struct listing *in = arg;

	assert_true(in->count < 5);
	snprintf(in->names[in->count], sizeof(in->names[0]), "%s", name);
	in->times[in->count++] = set_ms;
}

static void secrets_are_listed_by_name(void **state)
{
	CLEANUP(keyring_free) struct keyring *ring = ring_of(*state, KEY_A);
	CLEANUP(vault_close) struct vault *vault = must_open(*state, ring);
	struct listing seen = { 0 };
	struct error err;
	int64_t before = utc_now_ms(), changed;

	assert_true(vault_secret_list(vault, note_secret, &seen, &err));
	assert_int_equal(seen.count, 0);
	set_secret(vault, "sandbox.secret", "hush");
	set_secret(vault, "db.password", "hush");
	set_secret(vault, "gone", "hush");
	assert_true(vault_secret_delete(vault, "gone", &err));
	/* Nothing is opened: it can be seen what is to be typed in again. */
	change_row(*state, "UPDATE secret SET set_ms = 5, sealed = x'00' WHERE name LIKE 's%'");
	assert_true(vault_secret_list(vault, note_secret, &seen, &err));
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.names[0], "db.password");
	assert_in_range(seen.times[0], before, utc_now_ms());
	assert_string_equal(seen.names[1], "sandbox.secret");
	assert_int_equal(seen.times[1], 5);
	/* Setting again is another time. */
	changed = utc_now_ms();
	set_secret(vault, "sandbox.secret", "hush");
	seen.count = 0;
	assert_true(vault_secret_list(vault, note_secret, &seen, &err));
	assert_int_equal(seen.count, 2);
	assert_in_range(seen.times[1], changed, utc_now_ms());
}

static void one_vault_one_daemon(void **state)
{
	CLEANUP(keyring_free) struct keyring *ring = ring_of(*state, KEY_A);
	struct vault *vault = must_open(*state, ring);
	struct error err;

	assert_null(vault_open(PATH_IN(*state, "state"), ring, &err));
	assert_int_equal(err.kind, ERROR_STATE);
	assert_string_equal(err.code, "already-running");
	assert_non_null(strstr(err.text, PATH_IN(*state, "state")));
	/* The refused one has not taken the lock along. */
	assert_null(vault_open(PATH_IN(*state, "state"), ring, &err));
	vault_close(vault);
	vault_close(must_open(*state, ring));
	vault_close(NULL);
}

static void unsafe_places_are_refused(void **state)
{
	static const mode_t modes[] = { 0750, 0705, 0701, 0777, 0720 };
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	const char *dir = PATH_IN(place, "state"), *db = PATH_IN(place, "state/state.db"),
		   *lock = PATH_IN(place, "state/lock"), *elsewhere = PATH_IN(place, "elsewhere");
	struct error err;

	assert_null(vault_open(PATH_IN(place, "none/state"), ring, &err));
	assert_string_equal(err.code, "no-directory");
	assert_null(vault_open(PATH_IN(place, "seal.key"), ring, &err));
	assert_string_equal(err.code, "no-directory");

	assert_int_equal(mkdir(dir, 0700), 0);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		char remedy[PATH_SIZE + 20];

		assert_int_equal(chmod(dir, modes[i]), 0);
		assert_null(vault_open(dir, ring, &err));
		assert_int_equal(err.kind, ERROR_HUMAN);
		assert_string_equal(err.code, "unsafe-directory");
		snprintf(remedy, sizeof(remedy), "chmod 700 %s", dir);
		assert_non_null(strstr(err.text, remedy));
		assert_int_equal(access(lock, F_OK), -1);
	}
	assert_int_equal(chmod(dir, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(dir, 12345, 0), 0);
		assert_null(vault_open(dir, ring, &err));
		assert_string_equal(err.code, "unsafe-directory");
		assert_non_null(strstr(err.text, "user 12345"));
		assert_int_equal(chown(dir, 0, 0), 0);
	}

	assert_int_equal(symlink("../elsewhere", lock), 0);
	assert_null(vault_open(dir, ring, &err));
	assert_string_equal(err.code, "unsafe-directory");
	assert_non_null(strstr(err.text, "symbolic link"));
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(symlink("../elsewhere", db), 0);
	assert_null(vault_open(dir, ring, &err));
	assert_string_equal(err.code, "not-a-file");
	assert_int_equal(unlink(db), 0);
	assert_int_equal(access(elsewhere, F_OK), -1);

	/* The directory itself may be a link, as systemd makes one for a dynamic user. */
	assert_int_equal(symlink("state", elsewhere), 0);
	struct vault *vault = vault_open(elsewhere, ring, &err);
	assert_non_null(vault);
	assert_null(vault_open(dir, ring, &err));
	assert_string_equal(err.code, "already-running");
	vault_close(vault);
}

static void a_wrong_key_touches_nothing(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *right = ring_of(place, KEY_A);
	CLEANUP(keyring_free) struct keyring *wrong = ring_of(place, KEY_B);
	CLEANUP(keyring_free) struct keyring *both = ring_of(place, KEY_B "\n" KEY_A);
	const char *db = PATH_IN(place, "state/state.db");
	struct vault *vault;
	struct error err;
	size_t len, after_len;

	/* Even if nothing is sealed yet. */
	vault_close(must_open(place, right));
	assert_null(vault_open(PATH_IN(place, "state"), wrong, &err));
	assert_string_equal(err.code, "wrong-key");

	vault = must_open(place, right);
	set_secret(vault, "s", "hush");
	put_token(vault, "production", "a1", "r1");
	vault_close(vault);
	CLEANUP_FREE unsigned char *before = read_all(db, &len);
	assert_null(vault_open(PATH_IN(place, "state"), wrong, &err));
	assert_int_equal(err.kind, ERROR_STATE);
	assert_string_equal(err.code, "wrong-key");
	assert_non_null(strstr(err.text, keyring_active_id(right)));
	assert_non_null(strstr(err.text, keyring_active_id(wrong)));
	assert_non_null(strstr(err.text, "state.db"));
	assert_non_null(strstr(err.text, "seal_key"));
	CLEANUP_FREE unsigned char *after = read_all(db, &after_len);
	assert_int_equal(len, after_len);
	assert_memory_equal(before, after, len);

	/* Both keys, the new one first, as during a rotation. */
	vault = must_open(place, both);
	assert_token(vault, "production", "a1", "r1", 1);
	vault_close(vault);
	vault_close(must_open(place, right));
}

static void foreign_vaults_are_refused(void **state)
{
	static const struct {
		const char *name, *sql, *code;
	} rows[] = {
		{ "newer", "UPDATE vault_schema SET steps = 99", "newer-ledger" },
		{ "check changed", "UPDATE vault SET key_check = x'00'", "tampered" },
		{ "id changed", "UPDATE vault SET instance = 'x'", "tampered" },
	};
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	const char *db = PATH_IN(place, "state/state.db");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err;
		size_t len, after_len;

		vault_close(must_open(place, ring));
		change_row(place, rows[i].sql);
		CLEANUP_FREE unsigned char *before = read_all(db, &len);
		assert_null(vault_open(PATH_IN(place, "state"), ring, &err));
		assert_int_equal(err.kind, ERROR_STATE);
		assert_string_equal(err.code, rows[i].code);
		CLEANUP_FREE unsigned char *after = read_all(db, &after_len);
		assert_int_equal(len, after_len);
		assert_memory_equal(before, after, len);
		assert_int_equal(unlink(db), 0);
	}
}

static void a_damaged_vault_is_refused(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	const char *db = PATH_IN(place, "state/state.db");
	struct vault *vault = must_open(place, ring);
	struct error err;
	struct stat st;
	int fd;

	for (int i = 0; i < 40; i++) {
		char name[20];

		snprintf(name, sizeof(name), "account-%d", i);
		put_token(vault, name, "access", "refresh");
	}
	vault_close(vault);
	assert_int_equal(stat(db, &st), 0);
	assert_true(st.st_size > 4096 * 8);
	fd = open(db, O_WRONLY);
	assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, st.st_size - 4096), 8);
	close(fd);
	assert_null(vault_open(PATH_IN(place, "state"), ring, &err));
	assert_int_equal(err.kind, ERROR_STATE);
	assert_string_equal(err.code, "corrupt");
}

static void a_changed_token_is_that_account_only(void **state)
{
	static const char *const changes[] = {
		"UPDATE token SET access_token = refresh_token, refresh_token = access_token",
		"UPDATE token SET access_token = refresh_token",
		"UPDATE token SET refresh_token = NULL",
		"UPDATE token SET generation = 1",
		"UPDATE token SET generation = generation + 1",
		"UPDATE token SET instance_url = 'https://evil.example'",
		"UPDATE token SET user_id = '005000000000002AAA'",
		"UPDATE token SET org_id = '00D000000000002EAA'",
		"UPDATE token SET scope = 'full'",
		"UPDATE token SET source = 'elsewhere'",
		"UPDATE token SET scope = NULL",
		"UPDATE token SET obtained_ms = 999",
		"UPDATE token SET expires_ms = 9999",
		"UPDATE token SET expiry = 3",
		"UPDATE token SET rotation = 1",
		"UPDATE token SET access_token = substr(access_token, 1, length(access_token) - 1)",
		"UPDATE token SET facts = substr(facts, 2)",
		"UPDATE token SET id = 'x'",
		"UPDATE token SET facts = access_token",
		"UPDATE token SET access_token = x''",
		"UPDATE token SET access_token = zeroblob(length(access_token))",
		"UPDATE token SET account = 'staging'",
		("UPDATE token SET access_token = (SELECT access_token FROM token AS o"
		 " WHERE o.account = 'sandbox')"),
	};
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const char *account = strstr(changes[i], "staging") ? "staging" : "production";
		struct vault *vault = must_open(place, ring);
		struct vault_token token;
		struct error err;
		uint64_t generation;
		bool found;
		char sql[300];

		put_token(vault, "production", "a1", "r1");
		generation = put_token(vault, "production", "a2", "r2");
		put_token(vault, "sandbox", "b1", "s1");
		vault_close(vault);
		snprintf(sql, sizeof(sql), "%s WHERE account = 'production'", changes[i]);
		change_row(place, sql);

		vault = must_open(place, ring);
		if (vault_token_get(vault, account, &token, &found, &err))
			fail_msg("%s: taken", changes[i]);
		assert_int_equal(err.kind, ERROR_STATE);
		if (strcmp(err.code, "tampered") != 0)
			fail_msg("%s: %s", changes[i], err.code);
		assert_non_null(strstr(err.text, "`leadsync connect "));
		assert_non_null(strstr(err.text, "` replaces it"));
		assert_non_null(strstr(err.text, account));
		assert_token(vault, "sandbox", "b1", "s1", i + 1);
		/* A new login mends it. */
		assert_int_equal(put_token(vault, "production", "a3", "r3"), generation + 1);
		assert_token(vault, "production", "a3", "r3", generation + 1);
		vault_close(vault);
		change_row(place, "DELETE FROM token WHERE account = 'staging'");
	}
}

static void a_changed_secret_is_that_secret_only(void **state)
{
	static const char *const changes[] = {
		("UPDATE secret SET sealed = (SELECT sealed FROM secret AS o WHERE o.name = 'two')"
		 " WHERE name = 'one'"),
		"UPDATE secret SET id = 'x' WHERE name = 'one'",
		"UPDATE secret SET sealed = x'0101' WHERE name = 'one'",
		"UPDATE secret SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE name = "
		"'one'",
		("DELETE FROM secret WHERE name = 'one';"
		 "UPDATE secret SET name = 'one' WHERE name = 'three'"),
	};
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct vault *vault = must_open(place, ring);
		struct error err;

		set_secret(vault, "one", "hush one");
		set_secret(vault, "two", "hush two");
		set_secret(vault, "three", "hush three");
		vault_close(vault);
		change_row(place, changes[i]);
		vault = must_open(place, ring);
		assert_null(vault_secret_get(vault, "one", &err));
		assert_int_equal(err.kind, ERROR_STATE);
		assert_string_equal(err.code, "tampered");
		assert_non_null(strstr(err.text, "`leadsync secret set one`"));
		CLEANUP(secret_free) struct secret *two = vault_secret_get(vault, "two", &err);
		assert_non_null(two);
		vault_close(vault);
	}
}

static void no_secret_reaches_the_disk(void **state)
{
	static const char *const canaries[] = {
		"canary-client-secret-5Qm9Z", "canary-replaced-8Kc2T", "canary-access-token-1Vb7X",
		"canary-refresh-token-4Lp0R", "canary-deleted-6Hn3W"
	};
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	const char *planted = PATH_IN(place, "state/planted");
	struct vault *vault = must_open(place, ring);
	char form[200];
	struct error err;

	set_secret(vault, "client", canaries[1]);
	set_secret(vault, "client", canaries[0]);
	set_secret(vault, "gone", canaries[4]);
	put_token(vault, "production", canaries[4], canaries[1]);
	put_token(vault, "production", canaries[2], canaries[3]);
	assert_true(vault_secret_delete(vault, "gone", &err));
	queue(vault, "production", canaries[3]);
	put_token(vault, "sandbox", canaries[2], canaries[3]);
	assert_true(vault_disconnect(vault, "sandbox", 1, &err));
	/* With the write-ahead log beside it, and without. */
	assert_int_equal(access(PATH_IN(place, "state/state.db-wal"), F_OK), 0);
	for (size_t i = 0; i < sizeof(canaries) / sizeof(canaries[0]); i++)
		assert_int_equal(hits_in_state(place, canaries[i]), 0);
	vault_close(vault);
	for (size_t i = 0; i < sizeof(canaries) / sizeof(canaries[0]); i++)
		assert_int_equal(hits_in_state(place, canaries[i]), 0);
	/* The key neither. */
	assert_int_equal(hits_in_state(place, KEY_A), 0);

	/* That the search finds what it looks for. */
	write_file(planted, "..", 2);
	for (size_t shift = 0; shift < 3; shift++) {
		char text[100], coded[200];

		snprintf(text, sizeof(text), "%.*s%s..", (int)shift, "xx", canaries[0]);
		sodium_bin2base64(coded, sizeof(coded), (unsigned char *)text, strlen(text),
				  sodium_base64_VARIANT_ORIGINAL);
		write_file(planted, coded, strlen(coded));
		assert_true(hits_in_state(place, canaries[0]) > 0);
	}
	sodium_bin2hex(form, sizeof(form), (const unsigned char *)canaries[0], strlen(canaries[0]));
	write_file(planted, form, strlen(form));
	assert_true(hits_in_state(place, canaries[0]) > 0);
	write_file(planted, canaries[0], strlen(canaries[0]));
	assert_true(hits_in_state(place, canaries[0]) > 0);
}

/* Stores token after token, and says so after each, until it is killed. */
static void __attribute__((noreturn)) store_for_ever(const struct place *place, int told)
{
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct vault *vault = must_open(place, ring);

	for (;;) {
		struct vault_token token = token_of("canary-access-token-1Vb7X", "");
		struct error err;
		struct vault_token last = { 0 };
		bool found;
		char text[40];

		if (!vault_token_get(vault, "production", &last, &found, &err))
			_exit(2);
		/* Every part of a token carries the same number. */
		token.obtained_ms = found ? last.obtained_ms + 1 : 1;
		snprintf(text, sizeof(text), "canary-refresh-%06" PRId64, token.obtained_ms);
		secret_free(token.refresh_token);
		token.refresh_token = secret_new(text, strlen(text));
		token.expires_ms = token.obtained_ms;
		if (!vault_token_put(vault, "production", &token, &err))
			_exit(3);
		if (write(told, &token.obtained_ms, sizeof(token.obtained_ms)) < 0)
			_exit(4);
		vault_token_done(&last);
		vault_token_done(&token);
	}
}

static void a_killed_vault_holds_a_whole_token(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	uint32_t random = 20260102;
	int64_t last = 0;

	for (int round = 0; round < 25; round++) {
		struct vault_token token;
		struct error err;
		char text[40];
		bool found;
		int ends[2], status;
		pid_t child;

		assert_int_equal(pipe(ends), 0);
		child = fork();
		if (child == 0) {
			close(ends[0]);
			store_for_ever(place, ends[1]);
		}
		close(ends[1]);
		random = random * 1664525 + 1013904223;
		for (uint32_t i = 0; i <= (random >> 16) % 5; i++)
			assert_int_equal(read(ends[0], &last, sizeof(last)), sizeof(last));
		/* Somewhere within the next one. */
		for (volatile uint32_t spin = (random >> 8) % 300000; spin; spin--)
			;
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		while (read(ends[0], &last, sizeof(last)) == sizeof(last))
			;
		close(ends[0]);

		/* The write-ahead log is still there. */
		assert_int_equal(hits_in_state(place, "canary-access-token-1Vb7X"), 0);
		assert_int_equal(hits_in_state(place, "canary-refresh-"), 0);
		struct vault *vault = must_open(place, ring);
		if (!vault_token_get(vault, "production", &token, &found, &err))
			fail_msg("round %d: %s", round, err.text);
		assert_true(found);
		/* What was told is there; the one under way is there whole or not at all. */
		assert_in_range(token.obtained_ms, last, last + 1);
		snprintf(text, sizeof(text), "canary-refresh-%06" PRId64, token.obtained_ms);
		assert_secret(token.refresh_token, text, strlen(text));
		assert_int_equal(token.generation, token.obtained_ms);
		last = token.obtained_ms;
		vault_token_done(&token);
		vault_close(vault);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_place(everything_is_there_after_opening_again),
		in_place(what_is_absent_is_said),
		in_place(secrets_are_listed_by_name),
		in_place(one_vault_one_daemon),
		in_place(unsafe_places_are_refused),
		in_place(a_wrong_key_touches_nothing),
		in_place(foreign_vaults_are_refused),
		in_place(a_damaged_vault_is_refused),
		in_place(a_changed_token_is_that_account_only),
		in_place(a_changed_secret_is_that_secret_only),
		in_place(no_secret_reaches_the_disk),
		in_place(a_killed_vault_holds_a_whole_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
