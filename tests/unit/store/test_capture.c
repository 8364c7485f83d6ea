/* Capture on real database files: what each way to change a row leaves behind, whatever else the
 * table and the writer's connection do; marks taken while another process writes and is killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <sqlite3.h>

#include "base/arena.h"
#include "base/error.h"
#include "sqlite/db.h"
#include "sqlite/statement.h"
#include "store/sqlite/capture.h"
#include "store/sqlite/session.h"

#define PEOPLE                                                                                     \
	"CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT COLLATE NOCASE,"    \
	" name TEXT, login TEXT UNIQUE, note TEXT);"
#define THREE                                                                                      \
	"INSERT INTO people (id, email, name, login) VALUES (1, 'ann@x.org', 'Ann', 'a'),"         \
	" (2, 'bob@x.org', 'Bob', 'b'), (3, 'cy@x.org', 'Cy', 'c');"

static const char *const email_and_name[] = { "email", "name" };

struct bench {
	char dir[40], path[64];
	struct db *db;      /* the daemon's connection */
	sqlite3 *app;       /* any other program's */
	struct capture one; /* job 1 */
	struct arena *arena;
	struct error err;
	const struct trap *trap;
};

static void run_on(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

static void app(struct bench *in, const char *sql)
{
	run_on(in->app, sql);
}

static void open_app(struct bench *in)
{
	assert_int_equal(sqlite3_open(in->path, &in->app), SQLITE_OK);
	sqlite3_busy_timeout(in->app, 5000);
}

static void open_daemon(struct bench *in)
{
	struct db_options options = { .path = in->path, .create = true, .shared = true };
	const char *const steps[] = { link_step_1, capture_step_1 };

	in->db = db_open(&options, &in->err);
	assert_non_null(in->db);
	assert_true(db_migrate(in->db, "leadsync_ledger", steps, 2, &in->err));
	in->one = (struct capture){ .db = in->db,
				    .job = 1,
				    .table = "people",
				    .key = "id",
				    .columns = email_and_name,
				    .column_count = 2 };
}

static void close_daemon(struct bench *in)
{
	capture_clear(&in->one);
	db_close(TAKE(in->db));
}

static struct bench *new_bench(void)
{
	struct bench *in = mem_new(struct bench);

	strcpy(in->dir, "/tmp/leadsync-test-XXXXXX");
	assert_non_null(mkdtemp(in->dir));
	snprintf(in->path, sizeof(in->path), "%s/crm.db", in->dir);
	in->arena = arena_new();
	open_daemon(in);
	open_app(in);
	return in;
}

static int set_up(void **state)
{
	struct bench *in = new_bench();

	app(in, PEOPLE THREE);
	*state = in;
	return 0;
}

static int set_up_trap(void **state)
{
	struct bench *in = new_bench();

	in->trap = *state;
	*state = in;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = { "", "-wal", "-shm" };
	struct bench *in = *state;
	char path[80];

	close_daemon(in);
	sqlite3_close(in->app);
	arena_free(in->arena);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", in->path, files[i]);
		unlink(path);
	}
	rmdir(in->dir);
	free(in);
	return 0;
}

static void begin(struct bench *in)
{
	if (!db_begin(in->db, &in->err))
		fail_msg("%s", in->err.text);
}

static void commit(struct bench *in)
{
	if (!db_commit(in->db, &in->err))
		fail_msg("%s", in->err.text);
}

static struct capture_state ensure(struct bench *in, struct capture *capture)
{
	struct capture_state state;

	begin(in);
	if (!capture_ensure(capture, &state, &in->err))
		fail_msg("%s", in->err.text);
	commit(in);
	return state;
}

static const char *ask_on(sqlite3 *db, const char *sql)
{
	static char answer[2000];
	sqlite3_stmt *s;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	snprintf(answer, sizeof(answer), "%s",
		 sqlite3_column_text(s, 0) ? (const char *)sqlite3_column_text(s, 0) : "");
	sqlite3_finalize(s);
	return answer;
}

static const char *ask(struct bench *in, const char *sql)
{
	return ask_on(in->app, sql);
}

/* "insert 4, rename 1>9": as they stand in the ledger. */
static const char *marks_of(struct bench *in, int job)
{
	char sql[400];

	snprintf(sql, sizeof(sql),
		 "SELECT coalesce(group_concat(operation || ' ' || CASE WHEN old_key IS NULL THEN"
		 " key ELSE old_key || '>' || key END, ', '), '')"
		 " FROM (SELECT * FROM leadsync_mark WHERE job = %d ORDER BY sequence)",
		 job);
	return ask(in, sql);
}

/* "ended 5, 1>9; 9 4": the steps, and the rows to look at. */
static const char *take(struct bench *in, int64_t after, size_t most, struct mark_page *ret)
{
	static char text[2000];
	size_t len = 0;

	if (!marks_take(&in->one, after, most, in->arena, ret, &in->err))
		fail_msg("%s", in->err.text);
	text[0] = '\0';
	for (size_t i = 0; i < ret->step_count; i++) {
		const struct mark_step *step = &ret->steps[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s%s", i ? ", " : "",
					step->kind == MARK_MOVED ? step->old_key.text : "ended ",
					step->kind == MARK_MOVED ? ">" : "", step->key.text);
	}
	len += (size_t)snprintf(text + len, sizeof(text) - len, ";");
	for (size_t i = 0; i < ret->row_count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, " %s",
					ret->rows[i].key.text);
	return text;
}

/* One way to change a table, and the marks it must leave. */
struct trap {
	const char *name;
	const char *sql;
	const char *marks;
	const char *table;  /* NULL: people; else also what makes it, and its rows */
	const char *before; /* run before our triggers are made, such as the owner's own */
	const char *after;  /* and after */
	const char *key;    /* NULL: id */
	const char *named;  /* NULL: people */
	const char *columns[2];
	const char *refused; /* the statement fails with that */
};

#define SET_NOTE                                                                                   \
	"CREATE TRIGGER theirs AFTER UPDATE OF email ON people"                                    \
	" BEGIN UPDATE people SET name = name || '!' WHERE id = NEW.id; END"
#define TIDY_EMAIL                                                                                 \
	"CREATE TRIGGER theirs AFTER INSERT ON people"                                             \
	" BEGIN UPDATE people SET email = lower(email) WHERE id = NEW.id; END"

static const struct trap traps[] = {
	{ "insert", "INSERT INTO people (name) VALUES ('Dee'), ('Eve')", "insert 4, insert 5" },
	{ "update of a mapped column", "UPDATE people SET name = 'Anna' WHERE id = 1", "update 1" },
	{ "update of another column", "UPDATE people SET note = 'x', login = 'z' WHERE id = 1",
	  "" },
	{ "update to the same value", "UPDATE people SET name = name, email = email", "" },
	{ "only one row of many differs", "UPDATE people SET name = 'Bob'", "update 1, update 3" },
	{ "a change of case under NOCASE", "UPDATE people SET email = 'ANN@x.org' WHERE id = 1",
	  "update 1" },
	{ "to null", "UPDATE people SET name = NULL WHERE id = 1", "update 1" },
	{ "from null", "UPDATE people SET name = 'x' WHERE id = 1", "update 1",
	  .before = "UPDATE people SET name = NULL" },
	{ "delete", "DELETE FROM people WHERE id = 2", "delete 2" },
	{ "delete of all", "DELETE FROM people", "delete 1, delete 2, delete 3" },
	{ "a new key", "UPDATE people SET id = 9 WHERE id = 1", "rename 1>9" },
	{ "a new key by the rowid's name", "UPDATE people SET rowid = 9 WHERE id = 1",
	  "rename 1>9" },
	{ "and by its others",
	  "UPDATE people SET oid = 9 WHERE id = 1; UPDATE people SET _rowid_ = 8 WHERE id = 2",
	  "rename 1>9, rename 2>8" },
	{ "every key moves", "UPDATE people SET id = -id",
	  "rename 1>-1, rename 2>-2, rename 3>-3" },

	{ "REPLACE of a key, recursive_triggers off",
	  "INSERT OR REPLACE INTO people (id, name) VALUES (2, 'new')", "insert 2" },
	{ "REPLACE of a key, recursive_triggers on",
	  "INSERT OR REPLACE INTO people (id, name) VALUES (2, 'new')", "delete 2, insert 2",
	  .after = "PRAGMA recursive_triggers = ON" },
	{ "REPLACE by another unique column, off: the victim is not seen",
	  "REPLACE INTO people (name, login) VALUES ('new', 'a')", "insert 4" },
	{ "REPLACE by another unique column, on",
	  "REPLACE INTO people (name, login) VALUES ('new', 'a')", "delete 1, insert 4",
	  .after = "PRAGMA recursive_triggers = ON" },
	{ "UPDATE OR REPLACE onto another key, off",
	  "UPDATE OR REPLACE people SET id = 2 WHERE id = 1", "rename 1>2" },
	{ "UPDATE OR REPLACE onto another key, on",
	  "UPDATE OR REPLACE people SET id = 2 WHERE id = 1", "delete 2, rename 1>2",
	  .after = "PRAGMA recursive_triggers = ON" },
	{ "upsert that changes",
	  "INSERT INTO people (id, name) VALUES (1, 'Anna') ON CONFLICT DO UPDATE SET name = "
	  "excluded.name",
	  "update 1" },
	{ "upsert that changes nothing",
	  "INSERT INTO people (id, name) VALUES (1, 'Ann') ON CONFLICT DO UPDATE SET name = "
	  "excluded.name",
	  "" },
	{ "upsert that does nothing",
	  "INSERT INTO people (id, name) VALUES (1, 'Anna') ON CONFLICT DO NOTHING", "" },
	{ "UPDATE OR IGNORE, one row refused",
	  "UPDATE OR IGNORE people SET login = 'b', name = 'same' WHERE id IN (1, 2)", "update 2" },
	{ "INSERT OR IGNORE, one row refused",
	  "INSERT OR IGNORE INTO people (id, name) VALUES (1, 'x'), (4, 'y')", "insert 4" },
	{ "INSERT OR FAIL keeps what came before",
	  "INSERT OR FAIL INTO people (id, name) VALUES (4, 'y'), (1, 'x')", "insert 4",
	  .refused = "UNIQUE" },
	{ "a statement that fails", "INSERT INTO people (id, name) VALUES (4, 'y'), (1, 'x')", "",
	  .refused = "UNIQUE" },
	{ "rolled back", "BEGIN; DELETE FROM people; ROLLBACK", "" },
	{ "rolled back in part",
	  "BEGIN; DELETE FROM people WHERE id = 1; SAVEPOINT s; DELETE FROM people; ROLLBACK TO s;"
	  " COMMIT",
	  "delete 1" },

	{ "a trigger of theirs that updates the row, older than ours",
	  "UPDATE people SET email = 'x' WHERE id = 1", "update 1, update 1", .before = SET_NOTE },
	{ "a trigger of theirs that updates the row, younger than ours",
	  "UPDATE people SET email = 'x' WHERE id = 1", "update 1, update 1", .after = SET_NOTE },
	{ "theirs updates the new row, older", "INSERT INTO people (email) VALUES ('D@X')",
	  "insert 4, update 4", .before = TIDY_EMAIL },
	{ "theirs updates the new row, younger: its mark comes first",
	  "INSERT INTO people (email) VALUES ('D@X')", "update 4, insert 4", .after = TIDY_EMAIL },
	{ "theirs, with recursive_triggers on", "UPDATE people SET email = 'x' WHERE id = 1",
	  "update 1, update 1", .before = SET_NOTE, .after = "PRAGMA recursive_triggers = ON" },
	{ "theirs refuses", "DELETE FROM people WHERE id = 1", "",
	  .after = "CREATE TRIGGER theirs BEFORE DELETE ON people BEGIN SELECT RAISE(ABORT, 'no'); "
		   "END",
	  .refused = "no" },
	{ "theirs ignores before", "DELETE FROM people WHERE id = 1", "",
	  .after =
		  "CREATE TRIGGER theirs BEFORE DELETE ON people BEGIN SELECT RAISE(IGNORE); END" },
	{ "theirs ignores after, and stands before ours: documented as not seen",
	  "UPDATE people SET name = 'x' WHERE id = 1", "",
	  .after = "CREATE TRIGGER theirs AFTER UPDATE ON people BEGIN SELECT RAISE(IGNORE); END" },

	{ "WITHOUT ROWID",
	  "INSERT INTO people VALUES ('c', 'C'); UPDATE people SET name = 'x' WHERE id = 'a';"
	  " UPDATE people SET id = 'd' WHERE id = 'b'; DELETE FROM people WHERE id = 'a';"
	  " REPLACE INTO people VALUES ('c', 'D')",
	  "insert c, update a, rename b>d, delete a, insert c",
	  .table = "CREATE TABLE people (id TEXT NOT NULL PRIMARY KEY, name TEXT) WITHOUT ROWID;"
		   "INSERT INTO people VALUES ('a', 'A'), ('b', 'B')",
	  .columns = { "name" } },
	{ "STRICT", "INSERT INTO people VALUES (2, 'B'); UPDATE people SET name = 'x' WHERE id = 1",
	  "insert 2, update 1",
	  .table = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT) STRICT;"
		   "INSERT INTO people VALUES (1, 'A')",
	  .columns = { "name" } },
	{ "a TEXT key whose case changes", "UPDATE people SET id = 'ANN'", "rename ann>ANN",
	  .table = "CREATE TABLE people (id TEXT NOT NULL UNIQUE COLLATE NOCASE, name);"
		   "INSERT INTO people VALUES ('ann', 'A')",
	  .columns = { "name" } },
	{ "text of digits is no number", "UPDATE people SET id = '07' WHERE id = '7'",
	  "rename 7>07",
	  .table = "CREATE TABLE people (id TEXT NOT NULL PRIMARY KEY, name);"
		   "INSERT INTO people VALUES ('7', 'A')",
	  .columns = { "name" } },
	{ "a mapped generated column", "UPDATE people SET first = 'Anna'", "update 1",
	  .table = "CREATE TABLE people (id INTEGER PRIMARY KEY, first, name AS (first || '!'),"
		   " note AS (1) STORED); INSERT INTO people (first) VALUES ('Ann')",
	  .columns = { "name" } },
	{ "a generated column besides", "UPDATE people SET note = 2; UPDATE people SET name = 'x'",
	  "update 1",
	  .table = "CREATE TABLE people (id INTEGER PRIMARY KEY, name, note, twice AS (note * 2));"
		   "INSERT INTO people (name) VALUES ('Ann')",
	  .columns = { "name" } },
	{ "a foreign key's actions", "PRAGMA foreign_keys = ON; DELETE FROM people WHERE id = 1",
	  "delete 3, update 2, delete 1",
	  .table = "CREATE TABLE people (id INTEGER PRIMARY KEY,"
		   " boss REFERENCES people ON DELETE SET NULL,"
		   " of REFERENCES people ON DELETE CASCADE);"
		   "INSERT INTO people VALUES (1, NULL, NULL), (2, 1, NULL), (3, NULL, 1)",
	  .columns = { "boss" } },
	{ "names of every kind",
	  "INSERT INTO \"p'e \"\"o[`\" VALUES (2, 'x', 'y'); UPDATE \"p'e \"\"o[`\" SET "
	  "\"sel\"\"ect\" "
	  "= 'z', \"größe ;--\" = 1 WHERE \"order\" = 1; UPDATE \"p'e \"\"o[`\" SET \"ORDER\" = 7 "
	  "WHERE \"order\" = 2; DELETE FROM \"p'e \"\"o[`\" WHERE \"order\" = 7",
	  "insert 2, update 1, rename 2>7, delete 7",
	  .table = "CREATE TABLE \"p'e \"\"o[`\" (\"order\" INTEGER PRIMARY KEY, \"sel\"\"ect\","
		   " \"größe ;--\"); INSERT INTO \"p'e \"\"o[`\" VALUES (1, 'a', 'b')",
	  .named = "p'e \"o[`", .key = "order", .columns = { "sel\"ect", "größe ;--" } },
	{ "a database attached under another name, beside a leadsync_mark of its own",
	  "UPDATE crm.people SET name = 'x' WHERE id = 1", "update 1", .after = "ATTACH" },
	{ "ALTER TABLE RENAME",
	  "ALTER TABLE people RENAME TO \"pe ople\"; UPDATE \"pe ople\" SET name = 'x' WHERE id = "
	  "1",
	  "update 1" },
	{ "ALTER TABLE RENAME COLUMN",
	  "ALTER TABLE people RENAME COLUMN name TO \"na me\"; UPDATE people SET \"na me\" = 'x' "
	  "WHERE id = 1;"
	  " ALTER TABLE people RENAME id TO nr; UPDATE people SET nr = 7 WHERE nr = 2",
	  "update 1, rename 2>7" },
	{ "DROP COLUMN of a mapped column", "ALTER TABLE people DROP COLUMN email", "",
	  .refused = "error in trigger leadsync_1_update after drop column: no such column: "
		     "OLD.email" },
	{ "DROP COLUMN of another",
	  "ALTER TABLE people DROP COLUMN note; DELETE FROM people WHERE id = 1", "delete 1" },
};

static sqlite3 *attached(struct bench *in)
{
	sqlite3 *other;
	char sql[200];

	assert_int_equal(sqlite3_open(":memory:", &other), SQLITE_OK);
	snprintf(sql, sizeof(sql), "CREATE TABLE leadsync_mark (x); ATTACH '%s' AS crm", in->path);
	run_on(other, sql);
	return other;
}

static void test_trap(void **state)
{
	struct bench *in = *state;
	const struct trap *trap = in->trap;
	bool attach = trap->after && strcmp(trap->after, "ATTACH") == 0;
	sqlite3 *writer = in->app;
	char *why = NULL;
	int code;

	app(in, trap->table ? trap->table : PEOPLE THREE);
	if (trap->before)
		app(in, trap->before);
	if (trap->key)
		in->one.key = trap->key;
	if (trap->named)
		in->one.table = trap->named;
	if (trap->columns[0]) {
		in->one.columns = trap->columns;
		in->one.column_count = trap->columns[1] ? 2 : 1;
	}
	assert_int_equal(ensure(in, &in->one).was, CAPTURE_MISSING);
	assert_int_equal(ensure(in, &in->one).was, CAPTURE_STOOD);
	if (attach)
		writer = attached(in);
	else if (trap->after)
		app(in, trap->after);
	code = sqlite3_exec(writer, trap->sql, NULL, NULL, &why);
	if (trap->refused) {
		assert_int_not_equal(code, SQLITE_OK);
		assert_non_null(strstr(why, trap->refused));
	} else if (code != SQLITE_OK) {
		fail_msg("%s", why);
	}
	sqlite3_free(why);
	if (attach)
		sqlite3_close(writer);
	assert_string_equal(marks_of(in, 1), trap->marks);
	assert_string_equal(ask(in, "PRAGMA integrity_check"), "ok");
}

/* Other programs must not notice. */
static void test_writer_sees_nothing_of_it(void **state)
{
	struct bench *in = *state;

	ensure(in, &in->one);
	app(in, "INSERT INTO people (name) VALUES ('Dee')");
	assert_int_equal(sqlite3_last_insert_rowid(in->app), 4);
	assert_int_equal(sqlite3_changes(in->app), 1);
	app(in, "UPDATE people SET name = 'x'");
	assert_int_equal(sqlite3_changes(in->app), 4);
	assert_string_equal(ask(in, "INSERT INTO people (name) VALUES ('Eve') RETURNING id"), "5");
	app(in, "PRAGMA trusted_schema = OFF; DELETE FROM people");
	assert_int_equal(sqlite3_changes(in->app), 5);
}

static void test_time_is_the_writers_clock(void **state)
{
	struct bench *in = *state;
	struct timespec now;
	struct mark_page page;
	int64_t before, after;

	ensure(in, &in->one);
	clock_gettime(CLOCK_REALTIME, &now);
	before = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	app(in, "UPDATE people SET name = 'x'");
	clock_gettime(CLOCK_REALTIME, &now);
	after = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	take(in, 0, 10, &page);
	assert_int_equal(page.row_count, 3);
	assert_in_range(page.rows[0].at_ms, before, after);
	assert_int_equal(page.rows[0].at_ms, page.rows[2].at_ms);
	/* Of several marks the youngest counts, also when the clock was put back. */
	app(in, "UPDATE leadsync_mark SET at_ms = 5000; UPDATE people SET name = 'y' WHERE id = 1;"
		"UPDATE leadsync_mark SET at_ms = 4000 WHERE at_ms > 5000");
	take(in, 0, 10, &page);
	assert_int_equal(page.rows[0].at_ms, 4000);
	assert_int_equal(page.rows[1].at_ms, 5000);
}

static void test_no_value_in_a_mark(void **state)
{
	struct bench *in = *state;

	ensure(in, &in->one);
	app(in, "INSERT INTO people (email, name) VALUES ('canary-4711', 'canary-4711');"
		"UPDATE people SET name = 'canary-4712'; DELETE FROM people");
	assert_string_equal(ask(in,
				"SELECT count(*) FROM leadsync_mark WHERE coalesce(sequence, '') ||"
				" coalesce(job, '') || operation || coalesce(key, '') ||"
				" coalesce(old_key, '') || at_ms LIKE '%canary%'"),
			    "0");
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_mark"), "9");
}

/* What takes the triggers away, or puts others in their place. */
static const struct gap {
	const char *sql;
	enum capture_was was;
} gaps[] = {
	{ "SELECT 1", CAPTURE_STOOD },
	{ "INSERT INTO people (name) VALUES ('x')", CAPTURE_STOOD },
	{ "DROP TRIGGER leadsync_1_insert", CAPTURE_MISSING },
	{ "DROP TRIGGER leadsync_1_update", CAPTURE_MISSING },
	{ "DROP TRIGGER leadsync_1_delete", CAPTURE_MISSING },
	{ "DROP TRIGGER leadsync_1_delete;"
	  "CREATE TRIGGER leadsync_1_delete AFTER DELETE ON people BEGIN SELECT 1; END",
	  CAPTURE_MISSING },
	{ "DROP TABLE people; " PEOPLE, CAPTURE_MISSING },
	{ "ALTER TABLE people RENAME TO old_people; " PEOPLE
	  "INSERT INTO people SELECT * FROM old_people",
	  CAPTURE_MISSING },
	{ "ALTER TABLE people RENAME TO away; ALTER TABLE away RENAME TO people",
	  CAPTURE_DOUBTFUL },
	{ "CREATE INDEX by_note ON people (note)", CAPTURE_DOUBTFUL },
	{ "VACUUM", CAPTURE_DOUBTFUL },
	{ "REBUILD", CAPTURE_DOUBTFUL },
};

/* As tools do that change a table: a new one is filled, and the old one's triggers are made again
 * as they stood. */
static void rebuild(struct bench *in)
{
	char *triggers = mem_strdup(ask(in, "SELECT group_concat(sql, ';') FROM sqlite_schema"
					    " WHERE type = 'trigger'"));

	app(in, "ALTER TABLE people RENAME TO old_people; " PEOPLE
		"INSERT INTO people SELECT id, email, 'changed on the way', login, note"
		" FROM old_people; DROP TABLE old_people");
	app(in, triggers);
	free(triggers);
}

static void test_gaps(void **state)
{
	struct bench *in = *state;

	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		app(in, "DROP TABLE people; DROP TABLE IF EXISTS old_people; " PEOPLE THREE);
		ensure(in, &in->one);
		assert_int_equal(ensure(in, &in->one).was, CAPTURE_STOOD);
		if (strcmp(gaps[i].sql, "REBUILD") == 0)
			rebuild(in);
		else
			app(in, gaps[i].sql);
		if (ensure(in, &in->one).was != gaps[i].was)
			fail_msg("%s", gaps[i].sql);
		assert_int_equal(ensure(in, &in->one).was, CAPTURE_STOOD);
		app(in,
		    "DELETE FROM leadsync_mark; INSERT INTO people (id, name) VALUES (70, 'x');"
		    "UPDATE people SET name = 'y' WHERE id = 70; DELETE FROM people WHERE id = 70");
		assert_string_equal(marks_of(in, 1), "insert 70, update 70, delete 70");
	}
}

static void test_a_gap_is_kept_with_its_unit(void **state)
{
	struct bench *in = *state;
	struct capture_state found;

	begin(in);
	assert_true(capture_ensure(&in->one, &found, &in->err));
	assert_int_equal(found.was, CAPTURE_MISSING);
	db_rollback(in->db);
	assert_int_equal(ensure(in, &in->one).was, CAPTURE_MISSING);
	assert_int_equal(ensure(in, &in->one).was, CAPTURE_STOOD);
}

static void test_mapping_changes(void **state)
{
	static const char *const with_note[] = { "email", "name", "note" };
	struct bench *in = *state;

	ensure(in, &in->one);
	in->one.columns = with_note;
	in->one.column_count = 3;
	assert_int_equal(ensure(in, &in->one).was, CAPTURE_MISSING);
	app(in, "UPDATE people SET note = 'x' WHERE id = 1");
	assert_string_equal(marks_of(in, 1), "update 1");
	in->one.column_count = 1;
	ensure(in, &in->one);
	app(in, "UPDATE people SET note = 'y' WHERE id = 1; ALTER TABLE people DROP COLUMN name");
	assert_string_equal(marks_of(in, 1), "update 1");
}

static struct capture second_job(struct bench *in)
{
	static const char *const name_and_note[] = { "name", "note" };
	struct capture made = in->one;

	memset(made.kept, 0, sizeof(made.kept));
	made.job = 2;
	made.columns = name_and_note;
	return made;
}

static void test_two_jobs_on_one_table(void **state)
{
	struct bench *in = *state;
	struct capture two = second_job(in);
	struct mark_page page;

	ensure(in, &in->one);
	assert_int_equal(ensure(in, &two).was, CAPTURE_MISSING);
	/* What we did to the schema for one is no doubt about the other. */
	assert_int_equal(ensure(in, &in->one).was, CAPTURE_STOOD);
	app(in, "UPDATE people SET email = 'x' WHERE id = 1; UPDATE people SET note = 'x' WHERE id "
		"= 2; UPDATE people SET name = 'x' WHERE id = 3");
	assert_string_equal(marks_of(in, 1), "update 1, update 3");
	assert_string_equal(marks_of(in, 2), "update 2, update 3");
	begin(in);
	assert_string_equal(take(in, 0, 10, &page), "; 1 3");
	assert_true(marks_delete(&in->one, &page, &in->err));
	commit(in);
	assert_string_equal(marks_of(in, 1), "");
	assert_string_equal(marks_of(in, 2), "update 2, update 3");
	begin(in);
	assert_true(capture_drop(&two, &in->err));
	assert_true(capture_drop(&two, &in->err));
	commit(in);
	assert_string_equal(marks_of(in, 2), "");
	assert_int_equal(ensure(in, &in->one).was, CAPTURE_STOOD);
	app(in, "UPDATE people SET name = 'z' WHERE id = 3");
	assert_string_equal(marks_of(in, 1), "update 3");
	assert_string_equal(ask(in, "SELECT count(*) FROM sqlite_schema WHERE name LIKE "
				    "'leadsync^_2^_%' ESCAPE '^'"),
			    "0");
	capture_clear(&two);
}

static void test_what_is_said_of_the_table(void **state)
{
	static const struct {
		const char *sql;
		bool foreign_triggers, may_replace;
	} tables[] = {
		{ "CREATE TABLE people (id INTEGER PRIMARY KEY, email, name)", false, false },
		{ "CREATE TABLE people (id TEXT NOT NULL PRIMARY KEY, email, name)", false, false },
		{ "CREATE TABLE people (id TEXT NOT NULL PRIMARY KEY, email, name) WITHOUT ROWID",
		  false, false },
		{ "CREATE TABLE people (id TEXT NOT NULL UNIQUE, email, name)", false, false },
		{ PEOPLE, false, true },
		{ "CREATE TABLE people (nr INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, email,"
		  " name)",
		  false, true },
		{ "CREATE TABLE people (id INTEGER PRIMARY KEY, email, name);"
		  "CREATE UNIQUE INDEX u ON people (lower(email))",
		  false, true },
		{ "CREATE TABLE people (id INTEGER PRIMARY KEY, email, name);"
		  "CREATE UNIQUE INDEX u ON people (email) WHERE name IS NULL",
		  false, true },
		{ "CREATE TABLE people (id INTEGER PRIMARY KEY, email, name);" SET_NOTE, true,
		  false },
	};
	struct bench *in = *state;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct capture_state found;

		app(in, "DROP TABLE people");
		app(in, tables[i].sql);
		ensure(in, &in->one);
		found = ensure(in, &in->one);
		if (found.foreign_triggers != tables[i].foreign_triggers ||
		    found.may_replace != tables[i].may_replace)
			fail_msg("%s", tables[i].sql);
	}
}

static const char *gone(struct bench *in, size_t most)
{
	static char text[200];
	struct value *keys;
	size_t count, len = 0;

	assert_true(capture_gone(&in->one, most, in->arena, &keys, &count, &in->err));
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
					keys[i].text);
	return text;
}

/* What triggers cannot see is found by looking. */
static void test_rows_gone_without_a_mark(void **state)
{
	struct bench *in = *state;

	ensure(in, &in->one);
	app(in, "INSERT INTO leadsync_link (job, remote_id, hash, key, state) VALUES"
		" (1, 'A', x'', 1, 0), (1, 'B', x'', 2, 0), (1, 'C', x'', 3, 0),"
		" (1, 'D', x'', NULL, 0), (2, 'E', x'', 99, 0)");
	assert_string_equal(gone(in, 10), "");
	app(in, "REPLACE INTO people (name, login) VALUES ('new', 'a'), ('new', 'c')");
	assert_string_equal(marks_of(in, 1), "insert 4, insert 5");
	assert_string_equal(gone(in, 10), "1 3");
	assert_string_equal(gone(in, 1), "1");
	app(in, "UPDATE leadsync_link SET key = NULL WHERE key = 1");
	assert_string_equal(gone(in, 1), "3");
}

/* A text key is compared as text. */
static void test_gone_with_odd_names(void **state)
{
	struct bench *in = *state;

	app(in, "CREATE TABLE \"se\"\"lect\" (\"or der\" TEXT NOT NULL PRIMARY KEY, x);"
		"INSERT INTO \"se\"\"lect\" VALUES ('07', 1);"
		"INSERT INTO leadsync_link (job, remote_id, hash, key, state) VALUES"
		" (1, 'A', x'', '07', 0), (1, 'B', x'', '7', 0)");
	in->one.table = "se\"lect";
	in->one.key = "or der";
	assert_string_equal(gone(in, 10), "7");
}

/* What became of the keys, told in order; then each row once. */
static const struct pages {
	const char *sql, *told;
} told[] = {
	{ "UPDATE people SET name = 'x' WHERE id = 1; UPDATE people SET name = 'y' WHERE id = 1",
	  "; 1" },
	{ "INSERT INTO people (name) VALUES ('x'); UPDATE people SET name = 'y' WHERE id = 4",
	  "ended 4; 4" },
	{ "DELETE FROM people WHERE id = 1", "ended 1;" },
	{ "DELETE FROM people WHERE id = 1; INSERT INTO people (id) VALUES (1);"
	  "DELETE FROM people WHERE id = 1",
	  "ended 1; 1" },
	{ "UPDATE people SET id = 9 WHERE id = 1", "1>9; 9" },
	{ "UPDATE people SET id = 9 WHERE id = 1; UPDATE people SET id = 8 WHERE id = 9",
	  "1>9, 9>8; 9 8" },
	{ "UPDATE people SET id = 9 WHERE id = 1; UPDATE people SET id = 1 WHERE id = 2;"
	  "UPDATE people SET id = 2 WHERE id = 9",
	  "1>9, 2>1, 9>2; 9 1 2" },
	{ "DELETE FROM people WHERE id = 1; UPDATE people SET id = 1 WHERE id = 2;"
	  "DELETE FROM people WHERE id = 1",
	  "ended 1, 2>1, ended 1; 1" },
	{ "UPDATE people SET id = 9 WHERE id = 1; INSERT INTO people (id) VALUES (1);"
	  "UPDATE people SET name = 'x' WHERE id = 9",
	  "1>9, ended 1; 9 1" },
};

static void test_what_a_page_tells(void **state)
{
	struct bench *in = *state;
	struct mark_page page;

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		app(in, "DROP TABLE people; " PEOPLE THREE);
		ensure(in, &in->one);
		app(in, told[i].sql);
		assert_string_equal(take(in, 0, 100, &page), told[i].told);
		assert_false(page.more);
		begin(in);
		assert_true(marks_delete(&in->one, &page, &in->err));
		commit(in);
		assert_string_equal(marks_of(in, 1), "");
		assert_string_equal(take(in, 0, 100, &page), ";");
		assert_int_equal(page.last, 0);
	}
}

static void test_pages(void **state)
{
	struct bench *in = *state;
	struct mark_page page;

	ensure(in, &in->one);
	app(in, "UPDATE people SET name = 'x'; UPDATE people SET id = 9 WHERE id = 2");
	assert_string_equal(take(in, 0, 2, &page), "; 1 2");
	assert_true(page.more);
	assert_string_equal(take(in, page.last, 1, &page), "; 3");
	assert_true(page.more);
	assert_string_equal(take(in, page.last, 1, &page), "2>9; 9");
	assert_false(page.more);
	assert_string_equal(take(in, page.last, 1, &page), ";");
}

/* The row that is 2 now is not the one whose mark is read: it would look like a new one. */
static void test_a_row_waits_for_the_mark_that_put_it_there(void **state)
{
	struct bench *in = *state;
	struct mark_page page;

	ensure(in, &in->one);
	app(in, "UPDATE people SET name = 'x' WHERE id = 2; DELETE FROM people WHERE id = 2;"
		"UPDATE people SET name = 'x' WHERE id = 3; UPDATE people SET id = 2 WHERE id = 1");
	assert_string_equal(take(in, 0, 3, &page), "ended 2; 3");
	assert_string_equal(take(in, page.last, 3, &page), "1>2; 2");
	assert_string_equal(take(in, 0, 9, &page), "ended 2, 1>2; 2 3");
}

static void test_marks_that_come_meanwhile_stay(void **state)
{
	struct bench *in = *state;
	struct mark_page page;

	ensure(in, &in->one);
	app(in, "UPDATE people SET name = 'x' WHERE id < 3");
	assert_string_equal(take(in, 0, 100, &page), "; 1 2");
	app(in, "UPDATE people SET name = 'y' WHERE id = 1");
	begin(in);
	assert_true(marks_delete(&in->one, &page, &in->err));
	commit(in);
	assert_string_equal(marks_of(in, 1), "update 1");
	/* The number of the last one deleted is not given again. */
	take(in, 0, 100, &page);
	begin(in);
	assert_true(marks_delete(&in->one, &page, &in->err));
	commit(in);
	app(in, "UPDATE people SET name = 'z' WHERE id = 3");
	assert_string_equal(take(in, page.last, 100, &page), "; 3");
}

static void test_damaged_marks_are_refused(void **state)
{
	struct bench *in = *state;
	struct mark_page page;

	app(in, "INSERT INTO leadsync_mark (job, operation, key) VALUES (1, 'scribble', 1)");
	assert_false(marks_take(&in->one, 0, 10, in->arena, &page, &in->err));
	assert_int_equal(in->err.kind, ERROR_STATE);
	assert_string_equal(in->err.code, "damaged-ledger");
}

/* A write of the job itself, as the daemon does it. */
static void own(struct bench *in, const char *sql, const char *key)
{
	struct value written = { key, (uint32_t)strlen(key) };
	int64_t before;

	assert_true(marks_youngest(&in->one, &before, &in->err));
	if (!db_run(in->db, sql, &in->err))
		fail_msg("%s", in->err.text);
	assert_true(marks_disown(&in->one, before, &written, &in->err));
}

static void test_own_writes(void **state)
{
	struct bench *in = *state;
	struct capture two = second_job(in);

	ensure(in, &in->one);
	ensure(in, &two);
	app(in, "UPDATE people SET name = 'theirs' WHERE id = 1; DELETE FROM leadsync_mark WHERE "
		"job = 2");
	begin(in);
	own(in, "UPDATE people SET name = 'ours', email = 'ours' WHERE id = 1", "1");
	own(in, "UPDATE people SET email = 'ours' WHERE id = 2", "2");
	own(in, "INSERT INTO people (name) VALUES ('ours')", "4");
	own(in, "DELETE FROM people WHERE id = 3", "3");
	commit(in);
	/* What somebody else did before is still to be seen. */
	assert_string_equal(marks_of(in, 1), "update 1");
	assert_string_equal(marks_of(in, 2), "update 1, insert 4, delete 3");
	app(in, "UPDATE people SET name = 'theirs again' WHERE id = 4");
	assert_string_equal(marks_of(in, 1), "update 1, update 4");
	capture_clear(&two);
}

static void test_own_writes_move_other_rows(void **state)
{
	struct bench *in = *state;

	app(in, "CREATE TRIGGER theirs AFTER UPDATE ON people WHEN NEW.id = 1"
		" BEGIN UPDATE people SET name = 'led by ' || NEW.name WHERE id = 2; END");
	assert_true(ensure(in, &in->one).foreign_triggers);
	begin(in);
	own(in, "UPDATE people SET name = 'ours' WHERE id = 1", "1");
	commit(in);
	assert_string_equal(marks_of(in, 1), "update 2");
}

static void test_own_write_undone_with_its_part(void **state)
{
	struct bench *in = *state;

	ensure(in, &in->one);
	begin(in);
	assert_true(db_part_begin(in->db, &in->err));
	own(in, "UPDATE people SET name = 'ours' WHERE id = 1", "1");
	assert_false(db_run(in->db, "UPDATE people SET login = 'b' WHERE id = 1", &in->err));
	assert_int_equal(in->err.kind, ERROR_RECORD);
	own(in, "UPDATE people SET name = 'ours' WHERE id = 2", "2");
	commit(in);
	assert_string_equal(marks_of(in, 1), "");
	assert_string_equal(ask(in, "SELECT group_concat(name) FROM people"), "Ann,ours,Cy");
}

/* This program again, as another one that uses the table. */
static pid_t start_other(struct bench *in, const char *what)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed case leaves nobody behind */
		execl("/proc/self/exe", "test_capture", what, in->path, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

static void kill_other(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void must(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK)
		return;
	fprintf(stderr, "%s: %s\n", sql, why);
	_exit(1);
}

/* The daemon, killed between its own write and the end of its unit. */
static int be_daemon(const char *path)
{
	struct db_options options = { .path = path, .shared = true };
	struct capture one = { .job = 1,
			       .table = "people",
			       .key = "id",
			       .columns = email_and_name,
			       .column_count = 2 };
	struct value key = { "1", 1 };
	struct error err;
	int64_t before;

	one.db = db_open(&options, &err);
	if (!one.db || !db_begin(one.db, &err) || !marks_youngest(&one, &before, &err) ||
	    !db_run(one.db, "UPDATE people SET name = 'ours' WHERE id = 1", &err) ||
	    !marks_disown(&one, before, &key, &err) ||
	    !db_run(one.db, "UPDATE people SET name = 'ours' WHERE id = 2", &err))
		return 1;
	return raise(SIGKILL);
}

static void test_daemon_killed_in_its_unit(void **state)
{
	struct bench *in = *state;
	int status;
	pid_t pid;

	ensure(in, &in->one);
	close_daemon(in);
	pid = start_other(in, "daemon");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	open_daemon(in);
	assert_int_equal(ensure(in, &in->one).was, CAPTURE_STOOD);
	assert_string_equal(marks_of(in, 1), "");
	app(in,
	    "UPDATE people SET name = 'x' WHERE id = 1; INSERT INTO people (name) VALUES ('y')");
	assert_string_equal(marks_of(in, 1), "update 1, insert 4");
}

/* While our unit is open nobody else sees its marks, and after it theirs are all there. */
static void test_others_during_our_unit(void **state)
{
	struct bench *in = *state;

	ensure(in, &in->one);
	begin(in);
	assert_true(db_run(in->db, "UPDATE people SET name = 'ours' WHERE id = 1", &in->err));
	assert_string_equal(marks_of(in, 1), "");
	sqlite3_busy_timeout(in->app, 0);
	assert_int_equal(sqlite3_exec(in->app, "UPDATE people SET name = 'x' WHERE id = 2", NULL,
				      NULL, NULL),
			 SQLITE_BUSY);
	db_rollback(in->db);
	app(in, "UPDATE people SET name = 'x' WHERE id = 2");
	assert_string_equal(marks_of(in, 1), "update 2");
}

/* A model of what will use this: links by key, each of one row's life, which `login` names. */
#define KEYS 16
struct model {
	struct {
		char life[24]; /* "": no link */
		int64_t made;
	} links[KEYS];
	size_t marks;
};

static void unlink_key(struct model *in, int key, int64_t sequence)
{
	if (in->links[key].made < sequence)
		in->links[key].life[0] = '\0';
}

static void model_steps(struct model *in, const struct mark_page *page)
{
	for (size_t i = 0; i < page->step_count; i++) {
		const struct mark_step *step = &page->steps[i];
		int key = atoi(step->key.text), old;

		unlink_key(in, key, step->sequence);
		if (step->kind != MARK_MOVED)
			continue;
		old = atoi(step->old_key.text);
		if (!in->links[old].life[0] || in->links[old].made >= step->sequence)
			continue;
		assert_string_equal(in->links[key].life, "");
		in->links[key] = in->links[old];
		in->links[old].life[0] = '\0';
	}
}

static void model_row(struct model *in, struct bench *bench, int key)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(bench->db, "SELECT login FROM people WHERE id = :id", &bench->err);
	const char *life;
	bool row;

	statement_bind_int(s, ":id", key);
	assert_true(statement_step(s, &row, &bench->err));
	if (!row)
		return;
	life = statement_text(s, "login");
	if (in->links[key].life[0]) {
		assert_string_equal(in->links[key].life, life); /* never another's */
		return;
	}
	for (int i = 0; i < KEYS; i++)
		assert_string_not_equal(in->links[i].life, life); /* never twice */
	snprintf(in->links[key].life, sizeof(in->links[key].life), "%s", life);
	assert_true(marks_youngest(&bench->one, &in->links[key].made, &bench->err));
}

static bool model_take(struct model *in, struct bench *bench, size_t most)
{
	struct arena *arena = arena_new();
	struct mark_page page;

	begin(bench);
	assert_true(marks_take(&bench->one, 0, most, arena, &page, &bench->err));
	model_steps(in, &page);
	for (size_t i = 0; i < page.row_count; i++)
		model_row(in, bench, atoi(page.rows[i].key.text));
	assert_true(marks_delete(&bench->one, &page, &bench->err));
	commit(bench);
	in->marks += page.count;
	arena_free(arena);
	return page.more;
}

static void model_is_the_table(struct model *in, struct bench *bench)
{
	for (int key = 0; key < KEYS; key++) {
		char sql[100];

		snprintf(sql, sizeof(sql),
			 "SELECT coalesce((SELECT login FROM people WHERE id = %d), '')", key);
		assert_string_equal(in->links[key].life, ask(bench, sql));
	}
}

/* One random change; the same for the same seed. */
static void change(sqlite3 *db, unsigned *seed, int *life, void (*run)(sqlite3 *, const char *))
{
	char sql[300];
	int a = rand_r(seed) % (KEYS - 1), b = rand_r(seed) % (KEYS - 1);

	switch (rand_r(seed) % 7) {
	case 0:
		snprintf(sql, sizeof(sql),
			 "INSERT OR IGNORE INTO people (id, login) VALUES (%d, "
			 "'life %d')",
			 a, ++*life);
		break;
	case 1:
		snprintf(sql, sizeof(sql), "REPLACE INTO people (id, login) VALUES (%d, 'life %d')",
			 a, ++*life);
		break;
	case 2: snprintf(sql, sizeof(sql), "DELETE FROM people WHERE id = %d", a); break;
	case 3:
		snprintf(sql, sizeof(sql), "UPDATE OR IGNORE people SET id = %d WHERE id = %d", b,
			 a);
		break;
	case 4:
		snprintf(sql, sizeof(sql), "UPDATE OR REPLACE people SET id = %d WHERE id = %d", b,
			 a);
		break;
	case 5: /* they change places; the last key is nobody's for long */
		snprintf(sql, sizeof(sql),
			 "UPDATE people SET id = 15 WHERE id = %d; UPDATE people SET id = %d WHERE"
			 " id = %d; UPDATE people SET id = %d WHERE id = 15",
			 a, a == b ? 15 : a, b, b);
		break;
	default:
		snprintf(sql, sizeof(sql), "UPDATE people SET name = '%d' WHERE id = %d", *life, a);
	}
	run(db, sql);
}

static void test_random_histories(void **state)
{
	struct bench *in = *state;
	struct model model = { 0 };
	unsigned seed = 4711;
	int life = 0;

	app(in, "DELETE FROM people; PRAGMA synchronous = OFF");
	ensure(in, &in->one);
	for (int round = 0; round < 400; round++) {
		size_t most = 1 + (size_t)rand_r(&seed) % 6;

		app(in, round % 2 ? "PRAGMA recursive_triggers = ON"
				  : "PRAGMA recursive_triggers = OFF");
		app(in, "BEGIN");
		for (int i = rand_r(&seed) % 12; i >= 0; i--)
			change(in->app, &seed, &life, run_on);
		app(in, "COMMIT");
		for (int i = rand_r(&seed) % 3; i >= 0; i--)
			model_take(&model, in, most);
		if (round % 10)
			continue;
		while (model_take(&model, in, most))
			;
		model_is_the_table(&model, in);
	}
}

/* Reading between them leaves the lock free for the greater part of the time: SQLite gives it to
 * whoever asks at the right moment, and a program that never lets go starves all others. */
#define BREATHE                                                                                    \
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"         \
	" SELECT count(*) FROM n"

/* Writes for ever, in small transactions. */
static int be_writer(const char *path)
{
	unsigned seed = 4712;
	int life = 0;
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK)
		return 1;
	sqlite3_busy_timeout(db, 60000);
	for (;;) {
		must(db, "BEGIN IMMEDIATE");
		for (int i = 0; i < 5; i++)
			change(db, &seed, &life, must);
		must(db, "COMMIT");
		must(db, BREATHE);
	}
}

static void test_writer_killed_while_we_read(void **state)
{
	struct bench *in = *state;
	struct model model = { 0 };

	app(in, "DELETE FROM people");
	ensure(in, &in->one);
	for (int round = 0; round < 3; round++) {
		size_t enough = model.marks + 150;
		pid_t pid = start_other(in, "writer");

		while (model.marks < enough) {
			assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
			model_take(&model, in, 7);
		}
		kill_other(pid);
		while (model_take(&model, in, 7))
			;
		model_is_the_table(&model, in);
		assert_string_equal(marks_of(in, 1), "");
		app(in, "DELETE FROM people"); /* the next one counts lives from 1 again */
		while (model_take(&model, in, 7))
			;
	}
	assert_string_equal(ask(in, "PRAGMA integrity_check"), "ok");
}

/* Why triggers go first, and the tables of the ledger after them. */
static void test_a_ledger_dropped_first_hinders_the_table(void **state)
{
	struct bench *in = *state;
	char *why = NULL;

	ensure(in, &in->one);
	app(in, "DROP TABLE leadsync_mark");
	assert_int_not_equal(sqlite3_exec(in->app, "DELETE FROM people", NULL, NULL, &why),
			     SQLITE_OK);
	assert_string_equal(why, "no such table: main.leadsync_mark");
	sqlite3_free(why);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define TRAPS      (sizeof(traps) / sizeof(traps[0]))

int main(int argc, char **argv)
{
	static const struct CMUnitTest others[] = {
		CASE(test_writer_sees_nothing_of_it),
		CASE(test_time_is_the_writers_clock),
		CASE(test_no_value_in_a_mark),
		CASE(test_gaps),
		CASE(test_a_gap_is_kept_with_its_unit),
		CASE(test_mapping_changes),
		CASE(test_two_jobs_on_one_table),
		CASE(test_what_is_said_of_the_table),
		CASE(test_rows_gone_without_a_mark),
		CASE(test_gone_with_odd_names),
		CASE(test_what_a_page_tells),
		CASE(test_pages),
		CASE(test_a_row_waits_for_the_mark_that_put_it_there),
		CASE(test_marks_that_come_meanwhile_stay),
		CASE(test_damaged_marks_are_refused),
		CASE(test_own_writes),
		CASE(test_own_writes_move_other_rows),
		CASE(test_own_write_undone_with_its_part),
		CASE(test_daemon_killed_in_its_unit),
		CASE(test_others_during_our_unit),
		CASE(test_random_histories),
		CASE(test_writer_killed_while_we_read),
		CASE(test_a_ledger_dropped_first_hinders_the_table),
	};
	struct CMUnitTest trapped[TRAPS];

	if (argc == 3 && strcmp(argv[1], "daemon") == 0)
		return be_daemon(argv[2]);
	if (argc == 3 && strcmp(argv[1], "writer") == 0)
		return be_writer(argv[2]);
	for (size_t i = 0; i < TRAPS; i++)
		trapped[i] = (struct CMUnitTest){ .name = traps[i].name,
						  .test_func = test_trap,
						  .setup_func = set_up_trap,
						  .teardown_func = tear_down,
						  .initial_state = (void *)&traps[i] };
	return cmocka_run_group_tests_name("traps", trapped, NULL, NULL) +
	       cmocka_run_group_tests_name("capture", others, NULL, NULL);
}
