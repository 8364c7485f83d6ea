/* The rows of machine: a state directory that was moved or cloned waits for somebody's word. */
#include "fixture.h"

static bool opens(const struct place *place, struct keyring *ring, struct error *err)
{
	struct vault *vault = vault_open(PATH_IN(place, "state"), ring, err);
	bool opened = vault != NULL;

	vault_close(vault);
	return opened;
}

static void assert_refused(const struct place *place, struct keyring *ring)
{
	const char *db = PATH_IN(place, "state/state.db");
	size_t len, after_len;
	CLEANUP_FREE unsigned char *before = read_all(db, &len);
	struct error err;

	assert_false(opens(place, ring, &err));
	assert_int_equal(err.kind, ERROR_STATE);
	assert_string_equal(err.code, "other-machine");
	assert_non_null(strstr(err.text, "state.db"));
	assert_non_null(strstr(err.text, "if the directory was moved here"));
	assert_non_null(strstr(err.text, "run `leadsync adopt`"));
	CLEANUP_FREE unsigned char *after = read_all(db, &after_len);
	assert_int_equal(len, after_len);
	assert_memory_equal(before, after, len);
}

static bool adopt(const struct place *place)
{
	struct error err;
	bool changed;

	if (!vault_adopt(PATH_IN(place, "state"), &changed, &err))
		fail_msg("%s", err.text);
	return changed;
}

static void a_moved_vault_is_adopted(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct vault *vault = must_open(place, ring);
	struct error err;

	put_token(vault, "production", "a1", "r1");
	vault_close(vault);
	be_machine("there");
	assert_refused(place, ring);
	assert_true(adopt(place));
	assert_false(adopt(place));
	vault = must_open(place, ring);
	assert_token(vault, "production", "a1", "r1", 1);
	assert_false(account_of(vault, "production").stale);
	vault_close(vault);
	/* Where it came from, it is a stranger now. */
	be_machine("here");
	assert_refused(place, ring);
	be_machine("there");
	assert_true(opens(place, ring, &err));
}

static void an_edited_row_is_another_machine(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct error err;

	assert_true(opens(place, ring, &err));
	assert_int_equal(ask_row(place, "SELECT length(machine) FROM vault"), 32);
	change_row(place, "UPDATE vault SET machine = 'x'");
	assert_refused(place, ring);
	assert_true(adopt(place));
	assert_true(opens(place, ring, &err));
}

static void a_machine_without_an_id_is_one_more(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct error err;

	be_machine("");
	assert_true(opens(place, ring, &err));
	assert_int_equal(ask_row(place, "SELECT machine = '' FROM vault"), 1);
	assert_false(adopt(place));
	/* Bound as soon as there is one. */
	be_machine("here");
	assert_true(opens(place, ring, &err));
	assert_int_equal(ask_row(place, "SELECT length(machine) FROM vault"), 32);
	be_machine("there");
	assert_refused(place, ring);
	/* And no other for want of one. */
	be_machine("");
	assert_refused(place, ring);
	assert_true(adopt(place));
	assert_true(opens(place, ring, &err));
	assert_int_equal(ask_row(place, "SELECT machine = '' FROM vault"), 1);
	be_machine("there");
	assert_true(opens(place, ring, &err));
}

static void a_wrong_key_comes_first(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	CLEANUP(keyring_free) struct keyring *wrong = ring_of(place, KEY_B);
	struct error err;

	assert_true(opens(place, ring, &err));
	be_machine("there");
	assert_false(opens(place, wrong, &err));
	assert_string_equal(err.code, "wrong-key");
}

static void only_a_vault_nobody_uses_is_adopted(void **state)
{
	const struct place *place = *state;
	const char *dir = PATH_IN(place, "state"), *db = PATH_IN(place, "state/state.db");
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	struct vault *vault;
	struct error err;
	bool changed = true;

	assert_false(vault_adopt(dir, &changed, &err));
	assert_string_equal(err.code, "no-directory");
	assert_int_equal(access(dir, F_OK), -1);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_false(vault_adopt(dir, &changed, &err));
	assert_string_equal(err.code, "no-database");
	assert_int_equal(access(db, F_OK), -1);
	/* Begun before a crash: whoever opens it first has it. */
	write_file(db, "", 0);
	assert_true(vault_adopt(dir, &changed, &err));
	assert_false(changed);

	vault = must_open(place, ring);
	be_machine("there");
	assert_false(vault_adopt(dir, &changed, &err));
	assert_int_equal(err.kind, ERROR_STATE);
	assert_string_equal(err.code, "already-running");
	vault_close(vault);
	assert_int_equal(chmod(dir, 0750), 0);
	assert_false(vault_adopt(dir, &changed, &err));
	assert_string_equal(err.code, "unsafe-directory");
	assert_int_equal(chmod(dir, 0700), 0);
	assert_refused(place, ring);
	write_file(db, "rubbish, and more than enough of it", 35);
	assert_false(vault_adopt(dir, &changed, &err));
	assert_string_equal(err.code, "not-a-database");
}

static int be_here(void **state)
{
	be_machine("here");
	return make_place(state);
}

#define here(test) cmocka_unit_test_setup_teardown(test, be_here, drop_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		here(a_moved_vault_is_adopted),
		here(an_edited_row_is_another_machine),
		here(a_machine_without_an_id_is_one_more),
		here(a_wrong_key_comes_first),
		here(only_a_vault_nobody_uses_is_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
