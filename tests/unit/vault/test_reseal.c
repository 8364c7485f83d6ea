/* The rows of reseal: which key holds what, and that nothing is left under an old one. */
#include "fixture.h"

#include <inttypes.h>
#include <sqlite3.h>

#define KEY_C "0f0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

struct keys {
	size_t count;
	struct {
		char id[20];
		size_t values;
		bool active;
	} list[8];
};

static void note_key(const char *key_id, size_t count, bool active, void *arg)
{
	struct keys *in = arg;

	assert_true(in->count < 8);
	snprintf(in->list[in->count].id, sizeof(in->list[0].id), "%s", key_id);
	in->list[in->count].values = count;
	in->list[in->count++].active = active;
}

static struct keys keys_of(struct vault *vault)
{
	struct keys keys = { 0 };
	struct error err;

	if (!vault_key_list(vault, note_key, &keys, &err))
		fail_msg("%s", err.text);
	return keys;
}

static void assert_key(const struct keys *keys, size_t at, const struct keyring *ring,
		       size_t values)
{
	assert_true(at < keys->count);
	assert_string_equal(keys->list[at].id, keyring_active_id(ring));
	assert_int_equal(keys->list[at].values, values);
	assert_int_equal(keys->list[at].active, at == 0);
}

/* Three secrets, three tokens (two with a refresh token), two revocations: 13 values, and the key
 * check. */
#define FILLED 14
static void fill(struct vault *vault)
{
	set_secret(vault, "one", "hush one");
	set_secret(vault, "two", "");
	set_secret(vault, "three", "hush three");
	put_token(vault, "production", "a1", "r1");
	put_token(vault, "sandbox", "b1", "s1");
	put_token(vault, "robot", "c1", NULL);
	queue(vault, "production", "t1");
	queue(vault, "sandbox", "t2");
}

static void assert_filled(struct vault *vault)
{
	static const struct {
		const char *name, *value;
	} secrets[] = { { "one", "hush one" }, { "two", "" }, { "three", "hush three" } };

	for (size_t i = 0; i < 3; i++) {
		struct error err;
		CLEANUP(secret_free)
		struct secret *value = vault_secret_get(vault, secrets[i].name, &err);

		if (!value)
			fail_msg("%s", err.text);
		assert_secret(value, secrets[i].value, strlen(secrets[i].value));
	}
	assert_token(vault, "production", "a1", "r1", 1);
	assert_token(vault, "sandbox", "b1", "s1", 1);
	assert_token(vault, "robot", "c1", NULL, 1);
	assert_queued(vault, 0, "production", "t1");
	assert_queued(vault, 1, "sandbox", "t2");
	assert_queued(vault, 2, NULL, NULL);
}

static void keys_are_counted(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *a = ring_of(place, KEY_A);
	CLEANUP(keyring_free) struct keyring *b = ring_of(place, KEY_B);
	CLEANUP(keyring_free) struct keyring *both = ring_of(place, KEY_B "\n" KEY_A);
	struct vault *vault = must_open(place, a);
	struct keys keys = keys_of(vault);

	/* The key check alone: that key cannot go. */
	assert_int_equal(keys.count, 1);
	assert_key(&keys, 0, a, 1);
	fill(vault);
	keys = keys_of(vault);
	assert_int_equal(keys.count, 1);
	assert_key(&keys, 0, a, FILLED);
	vault_close(vault);

	vault = must_open(place, both);
	keys = keys_of(vault);
	assert_int_equal(keys.count, 2);
	assert_key(&keys, 0, b, 0);
	assert_key(&keys, 1, a, FILLED);
	set_secret(vault, "one", "hush one");
	/* Three values in the place of three. */
	put_token(vault, "production", "a2", "r2");
	keys = keys_of(vault);
	assert_key(&keys, 0, b, 4);
	assert_key(&keys, 1, a, FILLED - 4);
	vault_close(vault);
}

/* Every value of every BLOB column of every table, whatever those are. */
struct blobs {
	size_t count;
	struct {
		unsigned char bytes[200];
		size_t len;
	} list[40];
};

static struct blobs all_blobs(const struct place *place)
{
	static const char columns[] = "SELECT t.name, c.name FROM sqlite_schema AS t,"
				      " pragma_table_info(t.name) AS c"
				      " WHERE t.type = 'table' AND c.type = 'BLOB'";
	struct blobs found = { 0 };
	sqlite3_stmt *s, *values;
	sqlite3 *beside;

	assert_int_equal(sqlite3_open(PATH_IN(place, "state/state.db"), &beside), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(beside, columns, -1, &s, NULL), SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW) {
		const char *table = (const char *)sqlite3_column_text(s, 0),
			   *column = (const char *)sqlite3_column_text(s, 1);
		CLEANUP_FREE char *sql =
			mem_format("SELECT %s FROM %s WHERE %s IS NOT NULL", column, table, column);

		assert_int_equal(sqlite3_prepare_v2(beside, sql, -1, &values, NULL), SQLITE_OK);
		while (sqlite3_step(values) == SQLITE_ROW) {
			size_t len = (size_t)sqlite3_column_bytes(values, 0);

			assert_true(found.count < 40 && len <= 200);
			memcpy(found.list[found.count].bytes, sqlite3_column_blob(values, 0), len);
			found.list[found.count++].len = len;
		}
		sqlite3_finalize(values);
	}
	sqlite3_finalize(s);
	assert_int_equal(sqlite3_close(beside), SQLITE_OK);
	return found;
}

static void key_bytes(const struct keyring *ring, unsigned char out[KEYRING_ID_SIZE])
{
	const char *text = keyring_active_id(ring);

	for (size_t i = 0; i < KEYRING_ID_SIZE; i++) {
		unsigned byte;

		assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
		out[i] = (unsigned char)byte;
	}
}

static bool file_holds(const char *path, const void *bytes, size_t len)
{
	size_t size;
	CLEANUP_FREE unsigned char *all = read_all(path, &size);

	return memmem(all, size, bytes, len) != NULL;
}

static void nothing_is_left_under_the_old_key(void **state)
{
	const struct place *place = *state;
	const char *db = PATH_IN(place, "state/state.db"),
		   *wal = PATH_IN(place, "state/state.db-wal");
	struct keyring *a = ring_of(place, KEY_A);
	CLEANUP(keyring_free) struct keyring *b = ring_of(place, KEY_B);
	CLEANUP(keyring_free) struct keyring *both = ring_of(place, KEY_B "\n" KEY_A);
	unsigned char old_id[KEYRING_ID_SIZE], new_id[KEYRING_ID_SIZE];
	struct vault *vault = must_open(place, a);
	struct blobs before, after;
	struct keys keys;
	struct error err;
	struct stat st;
	size_t count = 0;

	key_bytes(a, old_id);
	key_bytes(b, new_id);
	fill(vault);
	before = all_blobs(place);
	assert_int_equal(before.count, FILLED);
	/* That the search finds what it looks for. */
	assert_true(file_holds(db, old_id, sizeof(old_id)) ||
		    file_holds(wal, old_id, sizeof(old_id)));
	if (!vault_reseal(vault, both, &count, &err))
		fail_msg("%s", err.text);
	keyring_free(a); /* the vault's is the new one */
	assert_int_equal(count, FILLED);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_false(file_holds(db, old_id, sizeof(old_id)));
	for (size_t i = 0; i < before.count; i++)
		assert_false(file_holds(db, before.list[i].bytes, before.list[i].len));

	/* No column was forgotten. */
	after = all_blobs(place);
	assert_int_equal(after.count, FILLED);
	for (size_t i = 0; i < after.count; i++)
		assert_non_null(
			memmem(after.list[i].bytes, after.list[i].len, new_id, sizeof(new_id)));
	keys = keys_of(vault);
	assert_int_equal(keys.count, 1);
	assert_key(&keys, 0, b, FILLED);
	assert_filled(vault);

	/* What is written now is under the new key too. */
	set_secret(vault, "one", "hush one");
	keys = keys_of(vault);
	assert_key(&keys, 0, b, FILLED);
	vault_close(vault);

	CLEANUP(keyring_free) struct keyring *old = ring_of(place, KEY_A);
	assert_null(vault_open(PATH_IN(place, "state"), old, &err));
	assert_string_equal(err.code, "wrong-key");
	vault = must_open(place, b);
	assert_filled(vault);
	assert_false(account_of(vault, "production").stale);
	/* Under the same key again: other nonces, no harm. */
	assert_true(vault_reseal(vault, b, &count, &err));
	assert_int_equal(count, FILLED);
	assert_filled(vault);
	vault_close(vault);
}

static void a_missing_key_is_named_and_nothing_touched(void **state)
{
	static const struct {
		const char *ring;
		bool lacks_a, lacks_b;
	} rows[] = {
		{ KEY_C, true, true },
		{ KEY_C "\n" KEY_B, true, false },
		{ KEY_A, false, true },
		{ KEY_C "\n" KEY_A, false, true },
	};
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *a = ring_of(place, KEY_A);
	CLEANUP(keyring_free) struct keyring *b = ring_of(place, KEY_B);
	CLEANUP(keyring_free) struct keyring *both = ring_of(place, KEY_B "\n" KEY_A);
	struct vault *vault = must_open(place, a);
	struct blobs before, after;
	struct error err;
	size_t count = 77;

	fill(vault);
	vault_close(vault);
	vault = must_open(place, both);
	set_secret(vault, "one", "hush one");
	before = all_blobs(place);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(keyring_free) struct keyring *ring = ring_of(place, rows[i].ring);

		assert_false(vault_reseal(vault, ring, &count, &err));
		assert_int_equal(err.kind, ERROR_HUMAN);
		assert_string_equal(err.code, "key-missing");
		assert_int_equal(strstr(err.text, keyring_active_id(a)) != NULL, rows[i].lacks_a);
		assert_int_equal(strstr(err.text, keyring_active_id(b)) != NULL, rows[i].lacks_b);
	}
	assert_int_equal(count, 77);
	after = all_blobs(place);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_filled(vault); /* with the ring it had */
	vault_close(vault);
}

static void a_tampered_value_is_named_and_nothing_touched(void **state)
{
	static const struct {
		const char *change, *named;
	} rows[] = {
		{ "UPDATE secret SET sealed = (SELECT facts FROM token) WHERE name = 'three'",
		  "three" },
		{ "UPDATE token SET org_id = 'x' WHERE account = 'sandbox'", "sandbox" },
		{ "UPDATE revocation SET source = 'evil' WHERE account = 'production'",
		  "production" },
		{ "UPDATE secret SET sealed = x'0101' WHERE name = 'one'", "one" },
	};
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *a = ring_of(place, KEY_A);
	CLEANUP(keyring_free) struct keyring *both = ring_of(place, KEY_B "\n" KEY_A);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vault *vault = must_open(place, a);
		struct blobs before, after;
		struct error err;
		size_t count;

		fill(vault);
		change_row(place, rows[i].change);
		before = all_blobs(place);
		assert_false(vault_reseal(vault, both, &count, &err));
		assert_int_equal(err.kind, ERROR_STATE);
		assert_string_equal(err.code, "tampered");
		assert_non_null(strstr(err.text, rows[i].named));
		after = all_blobs(place);
		assert_memory_equal(&before, &after, sizeof(before));
		/* Still the old ring's vault. */
		set_secret(vault, "four", "hush");
		vault_close(vault);
		vault_close(must_open(place, a));
		assert_int_equal(unlink(PATH_IN(place, "state/state.db")), 0);
		assert_int_equal(unlink(PATH_IN(place, "state/marks")), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_place(keys_are_counted),
		in_place(nothing_is_left_under_the_old_key),
		in_place(a_missing_key_is_named_and_nothing_touched),
		in_place(a_tampered_value_is_named_and_nothing_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
