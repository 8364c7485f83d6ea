/* The rows of sqlite: opening, units that hold or go whole, classes of failure, migrations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "sqlite/db.h"
#include "sqlite/filesystem.h"
#include "sqlite/statement.h"

struct place {
	char folder[200];
	char path[240]; /* a database that is not there yet */
};

static int make_place(void **state)
{
	struct place *place = mem_new(struct place);
	const char *tmp = getenv("TMPDIR");

	snprintf(place->folder, sizeof(place->folder), "%s/leadsync-sqlite-XXXXXX",
		 tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s/crm.db", place->folder);
	*state = place;
	return 0;
}

static int drop_place(void **state)
{
	struct place *place = *state;
	DIR *folder = opendir(place->folder);

	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		if (entry->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(folder), entry->d_name, 0), 0);
	closedir(folder);
	assert_int_equal(rmdir(place->folder), 0);
	free(place);
	return 0;
}

static struct db *open_new(const struct place *place)
{
	struct error err;
	struct db *db = db_open(&(struct db_options){ .path = place->path, .create = true }, &err);

	if (!db)
		fail_msg("%s", err.text);
	return db;
}

static void must_run(struct db *db, const char *sql)
{
	struct error err;

	if (!db_run(db, sql, &err))
		fail_msg("%s: %s", sql, err.text);
}

static void must_begin(struct db *db)
{
	struct error err;

	if (!db_begin(db, &err))
		fail_msg("%s", err.text);
}

static void must_commit(struct db *db)
{
	struct error err;

	if (!db_commit(db, &err))
		fail_msg("%s", err.text);
}

static int64_t number(struct db *db, const char *sql)
{
	struct error err;
	bool row = false;
	CLEANUP(statement_free) struct statement *s = statement_new(db, sql, &err);

	if (!s || !statement_step(s, &row, &err))
		fail_msg("%s: %s", sql, err.text);
	assert_true(row);
	return statement_int_at(s, 0);
}

static void assert_pragma(struct db *db, const char *pragma, const char *want)
{
	char sql[80];
	struct error err;
	bool row;
	size_t len;

	snprintf(sql, sizeof(sql), "PRAGMA %s", pragma);
	CLEANUP(statement_free) struct statement *s = statement_new(db, sql, &err);
	assert_non_null(s);
	assert_true(statement_step(s, &row, &err) && row);
	assert_string_equal(statement_text_at(s, 0, &len), want);
}

/* By SQLite itself, as another program would. */
static void foreign(const char *path, const char *sql)
{
	sqlite3 *other;

	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
}

static unsigned char *read_all(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "r");
	unsigned char *bytes;
	struct stat st;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	bytes = mem_zeroed(1, (size_t)st.st_size + 1);
	*ret_len = fread(bytes, 1, (size_t)st.st_size, file);
	fclose(file);
	return bytes;
}

/* The write version in the file's header: 1 for a rollback journal, 2 for WAL. Not by the pragma,
 * which counts as a write. Only for a database that nobody has open, or whose locks do not matter
 * to the test: closing it drops them. */
static bool is_wal(const char *path)
{
	size_t len;
	CLEANUP_FREE unsigned char *bytes = read_all(path, &len);

	assert_true(len > 18);
	return bytes[18] == 2;
}

static void a_connection_is_set_up(void **state)
{
	static const struct {
		const char *pragma, *want;
	} rows[] = {
		{ "synchronous", "2" },
		{ "foreign_keys", "1" },
		{ "trusted_schema", "0" },
		{ "cell_size_check", "1" },
		{ "busy_timeout", "5000" },
		{ "cache_size", "-2048" },
		{ "wal_autocheckpoint", "4000" },
		{ "journal_size_limit", "16777216" },
		{ "temp_store", "2" },
	};
	struct place *place = *state;
	CLEANUP(db_close) struct db *db = open_new(place);
	struct stat st;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_pragma(db, rows[i].pragma, rows[i].want);
	assert_true(is_wal(place->path));
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void what_is_dangerous_is_off(void **state)
{
	static const char *const refused[] = {
		"ATTACH ':memory:' AS other",
		"SELECT \"not a column\"",
		"CREATE TABLE t (a CHECK (a <> \"text\"))",
		"SELECT load_extension('x')",
		"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = ''",
		"BEGIN",
		"BEGIN; SELECT 1",
	};
	CLEANUP(db_close) struct db *db = open_new(*state);
	struct error err;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (db_run(db, refused[i], &err))
			fail_msg("ran: %s", refused[i]);
		assert_int_equal(err.kind, ERROR_BUG);
	}
	must_begin(db);
	must_run(db, "CREATE TABLE t (a)");
	assert_false(db_run(db, "COMMIT", &err));
	assert_string_equal(err.code, "unit-lost");
	db_rollback(db);
}

static void opening_refuses(void **state)
{
	struct place *place = *state;
	char link[260], missing[260];
	struct error err;

	assert_null(db_open(&(struct db_options){ .path = place->path }, &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "no-database");

	snprintf(missing, sizeof(missing), "%s/none/crm.db", place->folder);
	assert_null(db_open(&(struct db_options){ .path = missing, .create = true }, &err));
	assert_string_equal(err.code, "no-directory");

	db_close(open_new(place));
	snprintf(link, sizeof(link), "%s/link.db", place->folder);
	assert_int_equal(symlink("crm.db", link), 0);
	assert_null(db_open(&(struct db_options){ .path = link, .create = true }, &err));
	assert_string_equal(err.code, "not-a-file");
	assert_non_null(strstr(err.text, "symbolic link"));

	assert_null(db_open(&(struct db_options){ .path = place->folder }, &err));
	assert_string_equal(err.code, "not-a-file");

	assert_null(db_open(&(struct db_options){ .path = "/proc/none.db", .create = true }, &err));
	assert_string_equal(err.code, "cannot-open");
	assert_int_equal(err.kind, ERROR_HUMAN);
}

static void a_folder_may_be_a_link(void **state)
{
	struct place *place = *state;
	char link[260], path[300];
	struct error err;
	struct db *db;

	snprintf(link, sizeof(link), "%s/folder", place->folder);
	snprintf(path, sizeof(path), "%s/crm.db", link);
	assert_int_equal(symlink(".", link), 0);
	db = db_open(&(struct db_options){ .path = path, .create = true }, &err);
	assert_non_null(db);
	db_close(db);
	assert_int_equal(access(place->path, F_OK), 0);
}

static void remote_filesystems_are_known(void **state)
{
	static const struct {
		unsigned long type;
		const char *name;
	} rows[] = {
		{ 0x6969, "NFS" },
		{ 0xff534d42, "CIFS" },
		{ (unsigned long)(long)(int)0xff534d42, "CIFS" },
		{ 0xfe534d42, "SMB2" },
		{ 0x517b, "SMB" },
		{ 0x65735546, "FUSE" },
		{ 0xef53, NULL },     /* ext4 */
		{ 0x9123683e, NULL }, /* btrfs */
		{ 0x58465342, NULL }, /* xfs */
		{ 0x01021994, NULL }, /* tmpfs */
		{ 0x794c7630, NULL }, /* overlay */
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = filesystem_remote_name(rows[i].type);

		if (rows[i].name)
			assert_string_equal(got, rows[i].name);
		else
			assert_null(got);
	}
	assert_true(filesystem_check_local("/", &err));
	assert_false(filesystem_check_local("/no/such/folder", &err));
}

static void a_shared_database_keeps_its_journal_mode(void **state)
{
	static const struct {
		const char *name, *before;
		bool wal;
	} rows[] = {
		{ "absent", NULL, true },
		{ "empty", "", true },
		{ "rollback", "CREATE TABLE theirs (a)", false },
		{ "wal", "PRAGMA journal_mode = WAL; CREATE TABLE theirs (a)", true },
	};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[260];
		struct error err;
		mode_t mask;

		snprintf(path, sizeof(path), "%s/%s.db", place->folder, rows[i].name);
		if (rows[i].before)
			foreign(path, rows[i].before);
		mask = umask(0007);
		struct db *db = db_open(
			&(struct db_options){ .path = path, .create = true, .shared = true }, &err);
		umask(mask);
		if (!db)
			fail_msg("%s: %s", rows[i].name, err.text);
		if (!rows[i].before) {
			struct stat st;

			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_mode & 07777, 0660);
		}
		must_begin(db);
		must_run(db, "CREATE TABLE ours (a)");
		must_commit(db);
		db_close(db);
		assert_int_equal(is_wal(path), rows[i].wal);
	}
}

static void a_unit_is_all_or_nothing(void **state)
{
	CLEANUP(db_close) struct db *db = open_new(*state);
	struct error err;

	must_run(db, "CREATE TABLE t (a)");
	must_begin(db);
	assert_false(db_begin(db, &err));
	assert_int_equal(err.kind, ERROR_BUG);
	must_run(db, "INSERT INTO t VALUES (1)");
	must_commit(db);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);

	must_begin(db);
	must_run(db, "INSERT INTO t VALUES (2)");
	db_rollback(db);
	db_rollback(db);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
	assert_int_equal(db_total_changes(db), 2);

	assert_false(db_commit(db, &err));
	assert_string_equal(err.code, "no-unit");
	CLEANUP(statement_free)
	struct statement *s = statement_new(db, "INSERT INTO t VALUES (3)", &err);
	assert_false(statement_run(s, &err));
	assert_int_equal(err.kind, ERROR_BUG);
	assert_string_equal(err.code, "no-unit");
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
}

/* After SQLITE_FULL SQLite has rolled back by itself; the next statement would be a transaction of
 * its own, and the cursor would move past rows that were lost. */
static void a_full_disk_loses_the_whole_unit(void **state)
{
	struct place *place = *state;
	CLEANUP(db_close) struct db *db = open_new(place);
	struct error err, later;
	bool full = false;

	must_run(db, "CREATE TABLE t (a); CREATE TABLE cursor (at);"
		     "INSERT INTO cursor VALUES (0); PRAGMA max_page_count = 20");
	CLEANUP(statement_free)
	struct statement *insert = statement_new(db, "INSERT INTO t VALUES (zeroblob(3000))", &err);
	CLEANUP(statement_free)
	struct statement *move = statement_new(db, "UPDATE cursor SET at = :at", &err);

	must_begin(db);
	for (int i = 0; i < 100 && !full; i++)
		full = !statement_run(insert, &err);
	assert_true(full);
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_string_equal(err.code, "disk-full");
	assert_non_null(strstr(err.text, "crm.db"));
	assert_non_null(strstr(err.text, "free some"));

	statement_bind_int(move, ":at", 7);
	assert_false(statement_run(move, &later));
	assert_string_equal(later.code, "disk-full");
	assert_false(db_run(db, "UPDATE cursor SET at = 8", &later));
	assert_string_equal(later.code, "disk-full");
	assert_false(db_part_begin(db, &later));
	assert_false(db_commit(db, &later));
	assert_string_equal(later.code, "disk-full");
	assert_int_equal(number(db, "SELECT at FROM cursor"), 0);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 0);

	/* Room again: the next unit goes through. */
	must_run(db, "PRAGMA max_page_count = 2000");
	must_begin(db);
	assert_true(statement_run(insert, &err));
	statement_bind_int(move, ":at", 9);
	assert_true(statement_run(move, &err));
	must_commit(db);
	assert_int_equal(number(db, "SELECT at FROM cursor"), 9);
}

static void a_deferred_foreign_key_fails_its_part(void **state)
{
	CLEANUP(db_close) struct db *db = open_new(*state);
	struct error err;

	must_run(db, "CREATE TABLE town (name TEXT PRIMARY KEY); CREATE TABLE t (town TEXT"
		     " REFERENCES town DEFERRABLE INITIALLY DEFERRED)");
	must_begin(db);
	assert_true(db_part_begin(db, &err));
	must_run(db, "INSERT INTO t VALUES ('Nowhere')");
	assert_false(db_part_end(db, &err));
	assert_int_equal(err.kind, ERROR_RECORD);
	assert_string_equal(err.code, "constraint");
	assert_true(db_part_begin(db, &err));
	must_run(db, "INSERT INTO t VALUES ('Oslo'); INSERT INTO town VALUES ('Oslo')");
	assert_true(db_part_end(db, &err));
	must_commit(db);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);

	must_begin(db);
	must_run(db, "INSERT INTO t VALUES ('Nowhere')");
	assert_false(db_commit(db, &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
}

static void a_part_fails_by_itself(void **state)
{
	CLEANUP(db_close) struct db *db = open_new(*state);
	struct error err;

	must_run(db, "CREATE TABLE t (a NOT NULL); CREATE TABLE log (a)");
	must_begin(db);
	assert_false(db_part_end(db, &err));
	for (int i = 0; i < 3; i++) {
		assert_true(db_part_begin(db, &err));
		assert_false(db_part_begin(db, &err));
		must_run(db, "INSERT INTO log VALUES (1)");
		if (i == 1) {
			assert_false(db_run(db, "INSERT INTO t VALUES (NULL)", &err));
			assert_int_equal(err.kind, ERROR_RECORD);
			assert_string_equal(err.code, "constraint");
			continue;
		}
		must_run(db, "INSERT INTO t VALUES (1)");
		if (i == 2) {
			db_part_undo(db);
			db_part_undo(db);
			continue;
		}
		assert_true(db_part_end(db, &err));
	}
	must_commit(db);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
	assert_int_equal(number(db, "SELECT count(*) FROM log"), 1);

	/* Without a part the unit goes, and what still comes is not taken for bad records. */
	must_begin(db);
	must_run(db, "INSERT INTO t VALUES (2)");
	assert_false(db_run(db, "INSERT INTO t VALUES (NULL)", &err));
	assert_int_equal(err.kind, ERROR_RECORD);
	assert_false(db_run(db, "INSERT INTO t VALUES (3)", &err));
	assert_int_equal(err.kind, ERROR_BUG);
	assert_false(db_commit(db, &err));
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);

	/* A table whose own rule ends the transaction. */
	must_run(db, "CREATE TABLE harsh (a NOT NULL ON CONFLICT ROLLBACK)");
	must_begin(db);
	must_run(db, "INSERT INTO t VALUES (4)");
	assert_true(db_part_begin(db, &err));
	assert_false(db_run(db, "INSERT INTO harsh VALUES (NULL)", &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "constraint-rollback");
	assert_false(db_run(db, "INSERT INTO t VALUES (5)", &err));
	db_rollback(db);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
}

static void failures_have_classes(void **state)
{
	static const struct {
		const char *name, *set_up, *sql;
		enum error_kind kind;
		const char *code, *text;
	} rows[] = {
		{ "unique", "INSERT INTO t (a) VALUES ('hush')",
		  "INSERT INTO t (a) VALUES ('hush')", ERROR_RECORD, "constraint",
		  "UNIQUE constraint failed: t.a" },
		{ "check", "", "INSERT INTO t (b) VALUES ('hush')", ERROR_RECORD, "constraint",
		  "CHECK constraint failed: no_hush" },
		{ "foreign key", "", "INSERT INTO t (c) VALUES (99)", ERROR_RECORD, "constraint",
		  "FOREIGN KEY constraint failed" },
		{ "type", "", "INSERT INTO t (id) VALUES ('hush')", ERROR_RECORD, "constraint",
		  "of that type" },
		{ "trigger", "", "INSERT INTO t (d) VALUES ('hush')", ERROR_RECORD, "constraint",
		  "a trigger of the table" },
		{ "value in SQLite's text", "",
		  "INSERT INTO t (d) SELECT json_extract('{}', 'hush')", ERROR_BUG, "sqlite",
		  "crm.db" },
		{ "read only", "PRAGMA query_only = ON", "INSERT INTO t (a) VALUES (1)",
		  ERROR_RETRY, "read-only", "write permission" },
		{ "busy", "PRAGMA query_only = OFF; PRAGMA busy_timeout = 0", NULL, ERROR_RETRY,
		  "store-busy", "another program" },
	};
	struct place *place = *state;
	CLEANUP(db_close) struct db *db = open_new(place);
	sqlite3 *other;

	must_run(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE,"
		     " b CONSTRAINT no_hush CHECK (b <> 'hush'), c REFERENCES t (id), d);"
		     "CREATE TRIGGER r BEFORE INSERT ON t WHEN new.d = 'hush' BEGIN"
		     " SELECT raise(ABORT, 'hush'); END");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err;

		must_run(db, rows[i].set_up);
		if (rows[i].sql) {
			if (db_begin(db, &err) && db_run(db, rows[i].sql, &err))
				fail_msg("%s: ran", rows[i].name);
			db_rollback(db);
		} else {
			assert_int_equal(sqlite3_open(place->path, &other), SQLITE_OK);
			sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
			assert_false(db_begin(db, &err));
			sqlite3_close(other);
			must_begin(db);
			db_rollback(db);
		}
		if (err.kind != rows[i].kind || strcmp(err.code, rows[i].code) != 0 ||
		    !strstr(err.text, rows[i].text) || !strstr(err.text, place->path))
			fail_msg("%s: %s %s: %s", rows[i].name, error_kind_name(err.kind), err.code,
				 err.text);
		if (strstr(err.text, "'hush'") || strstr(err.text, ": hush"))
			fail_msg("%s: a value is in the text: %s", rows[i].name, err.text);
	}
}

static void foreign_and_damaged_files_are_left_alone(void **state)
{
	struct place *place = *state;
	struct error err;
	size_t len, after_len;
	struct db *db;
	int fd;

	fd = open(place->path, O_WRONLY | O_CREAT, 0600);
	for (int i = 0; i < 100; i++)
		assert_int_equal(write(fd, "no database at all, but long enough for a header\n",
				       49),
				 49);
	close(fd);
	{
		CLEANUP_FREE unsigned char *before = read_all(place->path, &len);

		assert_null(
			db_open(&(struct db_options){ .path = place->path, .create = true }, &err));
		assert_int_equal(err.kind, ERROR_STATE);
		assert_string_equal(err.code, "not-a-database");
		CLEANUP_FREE unsigned char *after = read_all(place->path, &after_len);
		assert_int_equal(len, after_len);
		assert_memory_equal(before, after, len);
	}

	assert_int_equal(unlink(place->path), 0);
	db = open_new(place);
	must_run(db, "CREATE TABLE t (a); WITH n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n "
		     "WHERE i < 500) INSERT INTO t SELECT hex(zeroblob(100)) FROM n");
	db_close(db);
	fd = open(place->path, O_WRONLY);
	for (int page = 1; page < 20; page++)
		assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 4096 * page), 8);
	close(fd);
	db = db_open(&(struct db_options){ .path = place->path }, &err);
	assert_non_null(db);
	assert_false(db_run(db, "SELECT count(a) FROM t WHERE a = 'x'", &err));
	assert_int_equal(err.kind, ERROR_STATE);
	assert_string_equal(err.code, "corrupt");
	assert_non_null(strstr(err.text, "restore a backup"));
	db_close(db);
}

static void statements_bind_and_read(void **state)
{
	CLEANUP(db_close) struct db *db = open_new(*state);
	struct error err;
	char text[] = "volatile";
	const unsigned char bytes[] = { 1, 0, 2 };
	size_t len;
	bool row;

	must_run(db, "CREATE TABLE t (i, r, s, b, n, e)");
	must_begin(db);
	{
		CLEANUP(statement_free)
		struct statement *s =
			statement_new(db,
				      "INSERT INTO t VALUES (:i, 1.5, :s, :b, :n, :e) RETURNING i",
				      &err);

		statement_bind_int(s, ":i", INT64_MIN);
		statement_bind_text(s, ":s", text);
		memset(text, 'x', sizeof(text) - 1);
		statement_bind_bytes(s, ":b", bytes, sizeof(bytes));
		statement_bind_text(s, ":n", NULL);
		statement_bind_bytes(s, ":e", NULL, 0);
		assert_true(statement_step(s, &row, &err) && row);
		assert_int_equal(statement_int(s, "i"), INT64_MIN);
		assert_true(statement_step(s, &row, &err) && !row);
	}
	must_commit(db);
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(db, "SELECT i, r, s, b, n, e FROM t WHERE s = :s AND i <> :i", &err);
	assert_int_equal(statement_position(s, ":i"), 2);
	for (int round = 0; round < 2; round++) {
		/* Rebinding in the middle of a result rewinds. */
		statement_bind_text_at(s, 1, "volatile", 8);
		statement_bind_int_at(s, 2, 5);
		assert_true(statement_step(s, &row, &err) && row);
		assert_true(statement_is_null(s, "n"));
		assert_int_equal(statement_int(s, "i"), INT64_MIN);
		assert_string_equal(statement_text(s, "s"), "volatile");
		assert_memory_equal(statement_bytes(s, "b", &len), bytes, 3);
		assert_int_equal(len, 3);
		assert_null(statement_text(s, "n"));
		assert_null(statement_text_at(s, 4, &len));
		assert_int_equal(len, 0);
		assert_int_equal(statement_type_at(s, 0), STATEMENT_INT);
		assert_int_equal(statement_type_at(s, 1), STATEMENT_REAL);
		assert_true(statement_real_at(s, 1) == 1.5);
		assert_int_equal(statement_type_at(s, 2), STATEMENT_TEXT);
		assert_int_equal(statement_type_at(s, 3), STATEMENT_BLOB);
		assert_int_equal(statement_type_at(s, 4), STATEMENT_NULL);
		assert_int_equal(statement_type_at(s, 5), STATEMENT_BLOB);
	}
	statement_reset(s);
	assert_true(statement_step(s, &row, &err) && !row);
	statement_bind_null_at(s, 1);
	assert_true(statement_step(s, &row, &err) && !row);

	assert_null(statement_new(db, "SELECT nothing FROM t", &err));
	assert_int_equal(err.kind, ERROR_BUG);
	assert_null(statement_new(db, " -- nothing", &err));
}

static void columns_are_found_after_the_schema_changed(void **state)
{
	CLEANUP(db_close) struct db *db = open_new(*state);
	struct error err;
	bool row;

	must_run(db, "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2)");
	CLEANUP(statement_free) struct statement *s = statement_new(db, "SELECT * FROM t", &err);
	assert_true(statement_step(s, &row, &err) && row);
	assert_int_equal(statement_int(s, "b"), 2);
	statement_reset(s);
	must_run(db, "ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN c DEFAULT 3");
	assert_true(statement_step(s, &row, &err) && row);
	assert_int_equal(statement_int(s, "b"), 2);
	assert_int_equal(statement_int(s, "c"), 3);
}

static void too_long_a_value_fails_the_step(void **state)
{
	CLEANUP(db_close) struct db *db = open_new(*state);
	struct error err;
	const size_t len = (size_t)257 * 1024 * 1024;
	CLEANUP_FREE char *text = mem_zeroed(1, len);

	must_run(db, "CREATE TABLE t (a)");
	CLEANUP(statement_free)
	struct statement *s = statement_new(db, "INSERT INTO t VALUES (:a)", &err);
	must_begin(db);
	assert_true(db_part_begin(db, &err));
	statement_bind_text_at(s, 1, text, len);
	assert_false(statement_run(s, &err));
	assert_int_equal(err.kind, ERROR_RECORD);
	assert_string_equal(err.code, "too-big");
	statement_bind_text_at(s, 1, "short", 5);
	assert_true(statement_run(s, &err));
	must_commit(db);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
}

static const char *const steps[] = {
	"CREATE TABLE person (id INTEGER PRIMARY KEY); INSERT INTO person VALUES (1)",
	"ALTER TABLE person ADD COLUMN name DEFAULT 'nobody'",
	"UPDATE person SET name = 'somebody'; CREATE INDEX by_name ON person (name)",
};

static void migrations_reach_the_newest_from_every_older(void **state)
{
	struct place *place = *state;

	for (size_t older = 0; older <= 3; older++) {
		char path[260];
		struct error err;

		snprintf(path, sizeof(path), "%s/%zu.db", place->folder, older);
		CLEANUP(db_close)
		struct db *db = db_open(&(struct db_options){ .path = path, .create = true }, &err);
		assert_true(db_migrate(db, "leadsync_\"schema", steps, older, &err));
		if (!db_migrate(db, "leadsync_\"schema", steps, 3, &err))
			fail_msg("%s", err.text);
		assert_int_equal(number(db, "SELECT steps FROM \"leadsync_\"\"schema\""), 3);
		assert_int_equal(number(db, "SELECT count(*) FROM \"leadsync_\"\"schema\""), 1);
		assert_int_equal(number(db, "SELECT count(*) FROM person WHERE name = 'somebody'"),
				 1);
		/* Nothing to do writes nothing, not even the count. */
		int64_t changes = db_total_changes(db);
		assert_true(db_migrate(db, "leadsync_\"schema", steps, 3, &err));
		assert_int_equal(db_total_changes(db), changes);
	}
}

static void a_newer_database_is_refused_untouched(void **state)
{
	struct place *place = *state;
	struct db *db = open_new(place);
	struct error err;
	size_t len, after_len;

	assert_true(db_migrate(db, "schema", steps, 3, &err));
	db_close(db);
	CLEANUP_FREE unsigned char *before = read_all(place->path, &len);
	db = open_new(place);
	assert_false(db_migrate(db, "schema", steps, 2, &err));
	assert_int_equal(err.kind, ERROR_STATE);
	assert_string_equal(err.code, "newer-ledger");
	db_close(db);
	CLEANUP_FREE unsigned char *after = read_all(place->path, &after_len);
	assert_int_equal(len, after_len);
	assert_memory_equal(before, after, len);

	db = open_new(place);
	must_run(db, "DELETE FROM schema");
	assert_false(db_migrate(db, "schema", steps, 3, &err));
	assert_string_equal(err.code, "damaged-ledger");
	db_close(db);
}

static void a_failed_migration_leaves_the_old_version(void **state)
{
	const char *const broken[] = { steps[0], steps[1], "CREATE TABLE half (a); not SQL" };
	CLEANUP(db_close) struct db *db = open_new(*state);
	struct error err;

	assert_true(db_migrate(db, "schema", steps, 1, &err));
	assert_false(db_migrate(db, "schema", broken, 3, &err));
	assert_non_null(strstr(err.text, "step 3"));
	assert_int_equal(number(db, "SELECT steps FROM schema"), 1);
	assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
	assert_int_equal(number(db, "SELECT count(*) FROM pragma_table_info('person')"), 1);
	assert_true(db_migrate(db, "schema", steps, 3, &err));
}

int main(void)
{
#define in_place(test) cmocka_unit_test_setup_teardown(test, make_place, drop_place)
	const struct CMUnitTest tests[] = {
		in_place(a_connection_is_set_up),
		in_place(what_is_dangerous_is_off),
		in_place(opening_refuses),
		in_place(a_folder_may_be_a_link),
		cmocka_unit_test(remote_filesystems_are_known),
		in_place(a_shared_database_keeps_its_journal_mode),
		in_place(a_unit_is_all_or_nothing),
		in_place(a_full_disk_loses_the_whole_unit),
		in_place(a_deferred_foreign_key_fails_its_part),
		in_place(a_part_fails_by_itself),
		in_place(failures_have_classes),
		in_place(foreign_and_damaged_files_are_left_alone),
		in_place(statements_bind_and_read),
		in_place(columns_are_found_after_the_schema_changed),
		in_place(too_long_a_value_fails_the_step),
		in_place(migrations_reach_the_newest_from_every_older),
		in_place(a_newer_database_is_refused_untouched),
		in_place(a_failed_migration_leaves_the_old_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
