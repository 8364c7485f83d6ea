/* The rows of tamper: a sealed value opens unchanged, in its place, or not at all; and whatever is
 * done to one row is that row's trouble alone. */
#include "fixture.h"

#include <sqlite3.h>

static sqlite3 *open_beside(const struct place *place)
{
	sqlite3 *beside;

	assert_int_equal(sqlite3_open(PATH_IN(place, "state/state.db"), &beside), SQLITE_OK);
	/* Nothing here is to outlive the test. */
	assert_int_equal(sqlite3_exec(beside, "PRAGMA synchronous = OFF", NULL, NULL, NULL),
			 SQLITE_OK);
	return beside;
}

static bool secret_reads(struct vault *vault, struct error *err)
{
	CLEANUP(secret_free) struct secret *value = vault_secret_get(vault, "one", err);

	return value != NULL;
}

static bool token_reads(struct vault *vault, struct error *err)
{
	struct vault_token token = { 0 };
	bool found, reads = vault_token_get(vault, "production", &token, &found, err);

	if (reads)
		assert_true(found);
	vault_token_done(&token);
	return reads;
}

static bool revocation_reads(struct vault *vault, struct error *err)
{
	struct vault_revocation first = { 0 };
	bool found, reads = vault_revocation_next(vault, 0, &first, &found, err);

	/* Said without words: it is only to be deleted; or, by its key's id, that of a key that is
	 * not given, and waits. */
	if (reads && (!first.token || strcmp(first.account, "production") != 0))
		reads = error_set(err, ERROR_STATE, "tampered", "no token");
	vault_revocation_done(&first);
	return reads;
}

static const struct value {
	const char *table, *column, *where;
	bool (*reads)(struct vault *vault, struct error *err);
} values[] = {
	{ "secret", "sealed", "name = 'one'", secret_reads },
	{ "token", "access_token", "account = 'production'", token_reads },
	{ "token", "refresh_token", "account = 'production'", token_reads },
	{ "token", "facts", "account = 'production'", token_reads },
	{ "revocation", "sealed", "account = 'production'", revocation_reads },
};
#define VALUES (sizeof(values) / sizeof(values[0]))

static void assert_tampered(struct vault *vault, const struct value *value, const char *what)
{
	struct error err;

	if (value->reads(vault, &err))
		fail_msg("%s.%s, %s: was taken", value->table, value->column, what);
	assert_int_equal(err.kind, ERROR_STATE);
	if (strcmp(err.code, "tampered") != 0)
		fail_msg("%s.%s, %s: %s: %s", value->table, value->column, what, err.code,
			 err.text);
}

static void assert_reads(struct vault *vault, const struct value *value)
{
	struct error err;

	if (!value->reads(vault, &err))
		fail_msg("%s.%s: %s", value->table, value->column, err.text);
}

static void fill(struct vault *vault)
{
	set_secret(vault, "one", "hush one");
	set_secret(vault, "two", "hush two");
	put_token(vault, "production", "a1", "r1");
	put_token(vault, "sandbox", "b1", "s1");
	queue(vault, "production", "t1");
	queue(vault, "sandbox", "t2");
}

/* All others. */
static void assert_others_read(struct vault *vault)
{
	struct error err;
	CLEANUP(secret_free) struct secret *two = vault_secret_get(vault, "two", &err);

	assert_non_null(two);
	assert_token(vault, "sandbox", "b1", "s1", 1);
	assert_queued(vault, 1, "sandbox", "t2");
}

static unsigned char *fetch(sqlite3 *beside, const struct value *value, size_t *ret_len)
{
	CLEANUP_FREE char *sql =
		mem_format("SELECT %s FROM %s WHERE %s", value->column, value->table, value->where);
	sqlite3_stmt *s;
	unsigned char *bytes;

	assert_int_equal(sqlite3_prepare_v2(beside, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	*ret_len = (size_t)sqlite3_column_bytes(s, 0);
	bytes = mem_zeroed(*ret_len + 1, 1);
	memcpy(bytes, sqlite3_column_blob(s, 0), *ret_len);
	sqlite3_finalize(s);
	return bytes;
}

static void put_back(sqlite3_stmt *s, const unsigned char *bytes, size_t len)
{
	assert_int_equal(sqlite3_bind_blob(s, 1, bytes, (int)len, SQLITE_STATIC), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_DONE);
	sqlite3_reset(s);
}

static void every_bit_matters(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	CLEANUP(vault_close) struct vault *vault = must_open(place, ring);
	sqlite3 *beside;

	fill(vault);
	beside = open_beside(place);
	for (size_t i = 0; i < VALUES; i++) {
		size_t len;
		CLEANUP_FREE unsigned char *bytes = fetch(beside, &values[i], &len);
		CLEANUP_FREE char *sql =
			mem_format("UPDATE %s SET %s = ? WHERE %s", values[i].table,
				   values[i].column, values[i].where);
		sqlite3_stmt *s;

		assert_true(len > KEYRING_OVERHEAD);
		assert_int_equal(sqlite3_prepare_v2(beside, sql, -1, &s, NULL), SQLITE_OK);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
			put_back(s, bytes, len);
			assert_tampered(vault, &values[i], "a bit");
			bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
		for (size_t shorter = 0; shorter < len; shorter++) {
			put_back(s, bytes, shorter);
			assert_tampered(vault, &values[i], "cut");
		}
		put_back(s, bytes, len + 1);
		assert_tampered(vault, &values[i], "longer");
		assert_others_read(vault);
		put_back(s, bytes, len);
		sqlite3_finalize(s);
		assert_reads(vault, &values[i]);
	}
	assert_int_equal(sqlite3_close(beside), SQLITE_OK);
}

/* From every column into every other, and from the other row of the same. */
static void a_value_opens_in_its_place_only(void **state)
{
	static const struct {
		const char *table, *column, *where;
	} others[] = {
		{ "secret", "sealed", "name = 'one'" },
		{ "secret", "sealed", "name = 'two'" },
		{ "token", "access_token", "account = 'production'" },
		{ "token", "refresh_token", "account = 'production'" },
		{ "token", "facts", "account = 'production'" },
		{ "token", "access_token", "account = 'sandbox'" },
		{ "token", "refresh_token", "account = 'sandbox'" },
		{ "token", "facts", "account = 'sandbox'" },
		{ "revocation", "sealed", "account = 'production'" },
		{ "revocation", "sealed", "account = 'sandbox'" },
	};
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	CLEANUP(vault_close) struct vault *vault = must_open(place, ring);
	sqlite3 *beside;

	fill(vault);
	beside = open_beside(place);
	for (size_t i = 0; i < VALUES; i++) {
		const struct value *value = &values[i];
		size_t moved = 0;

		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
			char sql[400];

			if (strcmp(others[k].table, value->table) == 0 &&
			    strcmp(others[k].column, value->column) == 0 &&
			    strcmp(others[k].where, value->where) == 0)
				continue;
			snprintf(sql, sizeof(sql),
				 "UPDATE %s SET %s = (SELECT %s FROM %s WHERE %s) WHERE %s",
				 value->table, value->column, others[k].column, others[k].table,
				 others[k].where, value->where);
			size_t len;
			CLEANUP_FREE unsigned char *bytes = fetch(beside, value, &len);
			CLEANUP_FREE char *back =
				mem_format("UPDATE %s SET %s = ? WHERE %s", value->table,
					   value->column, value->where);
			sqlite3_stmt *s;

			change_row(place, sql);
			assert_tampered(vault, value, others[k].column);
			assert_others_read(vault);
			assert_int_equal(sqlite3_prepare_v2(beside, back, -1, &s, NULL), SQLITE_OK);
			put_back(s, bytes, len);
			sqlite3_finalize(s);
			moved++;
		}
		assert_int_equal(moved, 9);
		assert_reads(vault, value);
	}
	assert_int_equal(sqlite3_close(beside), SQLITE_OK);
}

/* A whole row, and with it what says which row it is. */
static void a_row_stays_what_it_was(void **state)
{
	static const struct {
		const char *name;
		size_t value; /* whose reader finds it tampered */
		const char *change;
	} rows[] = {
		{ "an older generation's values", 1,
		  "UPDATE token SET (access_token, refresh_token, facts) ="
		  " (SELECT access_token, refresh_token, facts FROM old)"
		  " WHERE account = 'production'" },
		{ "and its number", 1,
		  "UPDATE token SET (access_token, refresh_token, facts, id) ="
		  " (SELECT access_token, refresh_token, facts, id FROM old)"
		  " WHERE account = 'production'" },
		{ "an older generation under the new number", 1,
		  "DELETE FROM token WHERE account = 'production';"
		  "UPDATE old SET generation = 2; INSERT INTO token SELECT * FROM old" },
		{ "another account's row", 1,
		  "DELETE FROM token WHERE account = 'production';"
		  "UPDATE token SET account = 'production' WHERE account = 'spare'" },
		{ "another secret's row", 0,
		  "DELETE FROM secret WHERE name = 'one';"
		  "UPDATE secret SET name = 'one' WHERE name = 'spare'" },
		{ "another account's revocation", 4,
		  "DELETE FROM revocation WHERE account = 'production';"
		  "UPDATE revocation SET account = 'production', number = 1"
		  " WHERE account = 'spare'" },
		{ "a revocation elsewhere", 4,
		  "UPDATE revocation SET source = 'evil' WHERE account = 'production'" },
	};
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vault *vault = must_open(place, ring);

		fill(vault);
		change_row(place, "CREATE TABLE old AS SELECT * FROM token"
				  " WHERE account = 'production'");
		set_secret(vault, "spare", "hush");
		put_token(vault, "production", "a2", "r2");
		put_token(vault, "spare", "c1", "u1");
		queue(vault, "spare", "t3");
		for (size_t k = 0; k < VALUES; k++)
			assert_reads(vault, &values[k]);
		change_row(place, rows[i].change);
		assert_tampered(vault, &values[rows[i].value], rows[i].name);
		assert_others_read(vault);
		vault_close(vault);
		/* At the next start too: it opens, and all others read. */
		vault = must_open(place, ring);
		assert_tampered(vault, &values[rows[i].value], rows[i].name);
		assert_others_read(vault);
		vault_close(vault);
		assert_int_equal(unlink(PATH_IN(place, "state/state.db")), 0);
		assert_int_equal(unlink(PATH_IN(place, "state/marks")), 0);
	}
}

/* Sealed under a new key that was taken away again: the rows before it are still good. */
static void a_key_that_went_takes_its_rows_only(void **state)
{
	const struct place *place = *state;
	CLEANUP(keyring_free) struct keyring *ring = ring_of(place, KEY_A);
	CLEANUP(keyring_free) struct keyring *both = ring_of(place, KEY_B "\n" KEY_A);
	struct vault *vault = must_open(place, ring);
	struct error err;

	fill(vault);
	vault_close(vault);
	vault = must_open(place, both);
	set_secret(vault, "one", "hush under B");
	vault_close(vault);
	vault = must_open(place, ring);
	assert_tampered(vault, &values[0], "the other key");
	assert_false(secret_reads(vault, &err));
	assert_non_null(strstr(err.text, keyring_active_id(both)));
	assert_non_null(strstr(err.text, keyring_active_id(ring)));
	assert_others_read(vault);
	vault_close(vault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_place(every_bit_matters),
		in_place(a_value_opens_in_its_place_only),
		in_place(a_row_stays_what_it_was),
		in_place(a_key_that_went_takes_its_rows_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
