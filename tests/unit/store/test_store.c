/* A store on its own: the table made, grown and refused, whose ledger it is, what a page writes. */
#include "bench.h"

static void makes_the_table(void **state)
{
	struct bench *in = *state;

	must_prepare(in);
	assert_string_equal(ask(in, "SELECT sql FROM sqlite_schema WHERE name = 'contact'"),
			    "CREATE TABLE \"contact\" (\"id\" INTEGER PRIMARY KEY AUTOINCREMENT,"
			    " \"last_name\" TEXT, \"score\" TEXT, \"active\" INTEGER)");
	assert_int_equal(in->state.cursor.phase, CURSOR_NONE);
	map(in, "City", "city", VALUE_TEXT);
	must_prepare(in);
	assert_string_equal(ask(in, "SELECT type FROM pragma_table_info('contact') WHERE name ="
				    " 'city'"),
			    "TEXT");
}

static void makes_a_table_with_a_natural_key(void **state)
{
	struct bench *in = *state;

	in->job.key = "number";
	map(in, "Number__c", "number", VALUE_TEXT);
	must_prepare(in);
	assert_string_equal(ask(in, "SELECT sql FROM sqlite_schema WHERE name = 'contact'"),
			    "CREATE TABLE \"contact\" (\"number\" TEXT NOT NULL PRIMARY KEY,"
			    " \"last_name\" TEXT, \"score\" TEXT, \"active\" INTEGER)");
}

/* A new row is given its number without us. */
static void the_rowid_need_not_be_filled(void **state)
{
	struct bench *in = *state;

	in->job.key = "number";
	map(in, "Number__c", "number", VALUE_TEXT);
	sql(in,
	    "CREATE TABLE contact (id INTEGER NOT NULL PRIMARY KEY, number TEXT NOT NULL UNIQUE,"
	    " last_name TEXT, score TEXT, active INT)");
	must_prepare(in);
}

#define COLUMNS "last_name TEXT, score TEXT, active INTEGER"

static void judges_tables_of_others(void **state)
{
	static const struct {
		const char *table, *code; /* NULL: taken */
		unsigned problems;
	} rows[] = {
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, " COLUMNS ")", NULL,
		  0 },
		{ "CREATE TABLE CONTACT (ID INTEGER PRIMARY KEY AUTOINCREMENT, " COLUMNS
		  ", more TEXT)",
		  NULL, 0 },
		{ "CREATE TABLE contact (id TEXT NOT NULL UNIQUE DEFAULT "
		  "(hex(randomblob(8))), " COLUMNS ")",
		  NULL, 0 },
		{ "CREATE TABLE contact (id INT NOT NULL DEFAULT 1, " COLUMNS ");"
		  "CREATE UNIQUE INDEX one ON contact (id)",
		  NULL, 0 },
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name "
		  "VARCHAR(9), score REAL,"
		  " active BOOL NOT NULL)",
		  NULL, 0 },
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, " COLUMNS
		  ", made TEXT NOT NULL DEFAULT 'x', both TEXT GENERATED ALWAYS AS (made || id))",
		  NULL, 0 },
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT)",
		  "no-column", 2 },
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name INT, "
		  "score TEXT, active INT)",
		  "numeric-column", 1 },
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name STRING, "
		  "score TEXT,"
		  " active INT)",
		  "numeric-column", 1 },
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, first TEXT, "
		  "last_name TEXT AS (first),"
		  " score TEXT, active INT)",
		  "generated-column", 1 },
		{ "CREATE TABLE contact (" COLUMNS ")", "no-key-column", 1 },
		{ "CREATE TABLE contact (id TEXT PRIMARY KEY DEFAULT 'x', " COLUMNS ")", "key-null",
		  1 },
		{ "CREATE TABLE contact (id INTEGER NOT NULL DEFAULT 1, " COLUMNS ")",
		  "key-not-unique", 1 },
		{ "CREATE TABLE contact (id INTEGER NOT NULL DEFAULT 1, " COLUMNS ");"
		  "CREATE UNIQUE INDEX two ON contact (id, score);"
		  "CREATE UNIQUE INDEX some ON contact (id) WHERE id > 5",
		  "key-not-unique", 1 },
		{ "CREATE TABLE contact (id TEXT NOT NULL PRIMARY KEY, " COLUMNS ")",
		  "key-not-assigned", 1 },
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY, " COLUMNS ") WITHOUT ROWID",
		  "key-not-assigned", 1 },
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY, " COLUMNS ")", "key-reused", 1 },
		{ "CREATE TABLE contact (id NOT NULL UNIQUE DEFAULT 1, " COLUMNS ")", "key-untyped",
		  1 },
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, " COLUMNS
		  ", made TEXT NOT NULL)",
		  "required-column", 1 },
		{ "CREATE VIEW contact AS SELECT 1 AS id", "not-a-table", 1 },
	};
	struct bench *in = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char before[600];

		sql(in, rows[i].table);
		strcpy(before,
		       ask(in, "SELECT group_concat(sql) FROM sqlite_schema WHERE tbl_name ="
			       " 'contact' COLLATE NOCASE AND type <> 'trigger'"));
		if (prepare(in) != !rows[i].code ||
		    (rows[i].code && strcmp(in->err.code, rows[i].code) != 0) ||
		    in->problems != rows[i].problems)
			fail_msg("%s: %s %s (%u)", rows[i].table, in->err.code, in->err.text,
				 in->problems);
		if (rows[i].code)
			assert_int_equal(in->err.kind, ERROR_HUMAN);
		assert_string_equal(before,
				    ask(in, "SELECT group_concat(sql) FROM sqlite_schema WHERE"
					    " tbl_name = 'contact' COLLATE NOCASE"
					    " AND type <> 'trigger'"));
		if (in->session)
			in->store->ops->release(TAKE(in->session));
		sql(in, strstr(rows[i].table, "VIEW") ? "DROP VIEW contact" : "DROP TABLE contact");
	}
}

static void refuses_names(void **state)
{
	static const char *const names[] = { "sqlite_stat1", "leadsync_link", "a\"b", "a b", "" };
	struct bench *in = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		in->job.table = names[i];
		assert_false(prepare(in));
		assert_string_equal(in->err.code, "bad-name");
	}
}

/* Nothing half-made stays behind a refusal. */
static void refusal_leaves_nothing(void **state)
{
	struct bench *in = *state;

	sql(in, "CREATE TABLE contact (id TEXT)");
	assert_false(prepare(in));
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_meta"), "0");
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_cursor"), "0");
}

static void knows_whose_it_is(void **state)
{
	struct bench *in = *state;
	bool listed;
	struct store_run run = {
		.id = "1", .job = "contacts", .outcome = "failed", .code = "c", .text = "t"
	};

	must_prepare(in);
	in->job.instance = "theirs";
	assert_false(prepare(in));
	assert_int_equal(in->err.kind, ERROR_STATE);
	assert_string_equal(in->err.code, "other-instance");
	assert_false(in->store->ops->list_failure(in->store, "theirs", &run, &listed, &in->err));
	in->job.instance = "ours";
	in->job.org_id = "00D2";
	assert_false(prepare(in));
	assert_string_equal(in->err.code, "other-org");
	in->job.org_id = ""; /* not known yet */
	must_prepare(in);
	in->job.org_id = "00D1";
	must_prepare(in);
	in->store->ops->release(TAKE(in->session));
	sql(in, "UPDATE leadsync_ledger SET steps = steps + 1");
	assert_false(prepare(in));
	assert_string_equal(in->err.code, "newer-ledger");
	assert_int_equal(in->err.kind, ERROR_STATE);
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_runs"), "0");
}

static void a_job_keeps_its_table(void **state)
{
	struct bench *in = *state;

	must_prepare(in);
	in->job.table = "person"; /* nothing was read yet: a slip of the pen */
	must_prepare(in);
	in->state.cursor.phase = CURSOR_LOAD;
	assert_true(in->store->ops->begin(in->session, &in->err) &&
		    in->store->ops->save_state(in->session, &in->state, &in->err) &&
		    in->store->ops->commit(in->session, &in->err));
	in->job.object = "Lead";
	assert_false(prepare(in));
	assert_string_equal(in->err.code, "job-changed");
}

static struct store_write insert_of(const char *id, const struct value *values, const bool *set)
{
	return (struct store_write){ .remote_id = id,
				     .action = STORE_INSERT,
				     .values = values,
				     .set = set,
				     .puts_link = true,
				     .link = { .found = true, .hash = { { 7, 8 } } } };
}

static void one_refused_write_leaves_the_others(void **state)
{
	static const bool all[] = { true, true, true };
	static const struct value first[] = { { "Ann", 3 }, { "1.5", 3 }, { "1", 1 } },
				  same[] = { { "Ann", 3 }, { "2", 1 }, { "0", 1 } },
				  other[] = { { "Bob", 3 }, { 0 }, { "0", 1 } };
	struct bench *in = *state;
	const struct store_ops *ops;
	struct store_write writes[3];
	const char *ids[] = { "A", "B", "C" };
	struct link links[3];
	struct store_row row;

	sql(in, "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT "
		"UNIQUE, score REAL,"
		" active INT, CHECK (last_name <> 'x'))");
	must_prepare(in);
	ops = in->store->ops;
	writes[0] = insert_of("A", first, all);
	writes[1] = insert_of("B", same, all);
	writes[2] = insert_of("C", other, all);
	assert_true(ops->begin(in->session, &in->err));
	assert_false(ops->has_written(in->session));
	assert_true(ops->write(in->session, writes, 3, in->arena, &in->err));
	assert_null(writes[0].failed);
	assert_non_null(writes[1].failed);
	assert_int_equal(writes[1].failed->kind, ERROR_RECORD);
	assert_null(strstr(writes[1].failed->text, "Ann"));
	assert_null(writes[2].failed);
	assert_true(ops->has_written(in->session));
	assert_true(ops->commit(in->session, &in->err));
	assert_string_equal(ask(in, "SELECT group_concat(last_name || typeof(score)) FROM contact"),
			    "Annreal,Bobnull");
	assert_true(ops->links(in->session, ids, 3, in->arena, links, &in->err));
	assert_true(links[0].found && !links[1].found && links[2].found);
	assert_int_equal(links[0].hash.half[1], 8);
	assert_true(ops->rows(in->session, &links[0].key, 1, in->arena, &row, &in->err));
	assert_true(row.found && value_equal(&row.values[1], &first[1]));
	assert_true(ops->rows(in->session, &links[2].key, 1, in->arena, &row, &in->err));
	assert_true(value_is_null(&row.values[1]));
}

/* Neither by the table's own clauses nor by those of its triggers is a record lost in silence. */
static void conflict_clauses_of_others(void **state)
{
	static const struct {
		const char *make;
		bool taken;
	} rows[] = {
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT "
		  "UNIQUE ON"
		  " CONFLICT IGNORE, score TEXT, active INT)",
		  false },
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT "
		  "UNIQUE ON"
		  " CONFLICT REPLACE, score TEXT, active INT)",
		  false },
		{ "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT,"
		  " score TEXT, active INT); CREATE TABLE names (name TEXT UNIQUE);"
		  "CREATE TRIGGER named AFTER INSERT ON contact BEGIN"
		  " INSERT OR IGNORE INTO names VALUES (NEW.last_name); END",
		  true },
	};
	static const bool all[] = { true, true, true };
	static const struct value ann[] = { { "Ann", 3 }, { 0 }, { "1", 1 } },
				  bob[] = { { "Bob", 3 }, { 0 }, { "1", 1 } };
	struct bench *in = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_write writes[3] = { insert_of("A", ann, all), insert_of("B", ann, all),
						 insert_of("C", bob, all) },
				   rename;

		sql(in, rows[i].make);
		must_prepare(in);
		assert_true(in->store->ops->begin(in->session, &in->err));
		assert_true(in->store->ops->write(in->session, writes, 3, in->arena, &in->err));
		assert_null(writes[0].failed);
		assert_int_equal(!writes[1].failed, rows[i].taken);
		assert_null(writes[2].failed);
		rename = (struct store_write){ .remote_id = "C",
					       .action = STORE_UPDATE,
					       .row_key = writes[2].link.key,
					       .values = ann,
					       .set = all };
		assert_true(in->store->ops->write(in->session, &rename, 1, in->arena, &in->err));
		assert_int_equal(!rename.failed, rows[i].taken);
		assert_true(in->store->ops->commit(in->session, &in->err));
		assert_string_equal(ask(in, "SELECT count(*) FROM contact"),
				    rows[i].taken ? "3" : "2");
		in->store->ops->release(TAKE(in->session));
		sql(in, "DROP TABLE contact");
	}
}

static void a_deferred_foreign_key_refuses_one_record(void **state)
{
	static const bool all[] = { true, true, true };
	static const struct value ann[] = { { "Ann", 3 }, { 0 }, { "1", 1 } },
				  nobody[] = { { "Nobody", 6 }, { 0 }, { "0", 1 } };
	struct bench *in = *state;
	struct store_write writes[3];

	sql(in, "CREATE TABLE person (name TEXT PRIMARY KEY); INSERT INTO person VALUES ('Ann');"
		"CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT"
		" REFERENCES person DEFERRABLE INITIALLY DEFERRED, score TEXT, active INT)");
	must_prepare(in);
	writes[0] = insert_of("A", ann, all);
	writes[1] = insert_of("B", nobody, all);
	writes[2] = insert_of("C", ann, all);
	assert_true(in->store->ops->begin(in->session, &in->err));
	assert_true(in->store->ops->write(in->session, writes, 3, in->arena, &in->err));
	assert_null(writes[0].failed);
	assert_non_null(writes[1].failed);
	assert_string_equal(writes[1].failed->code, "constraint");
	assert_null(writes[2].failed);
	assert_true(in->store->ops->commit(in->session, &in->err));
	assert_string_equal(ask(in, "SELECT count(*) FROM contact"), "2");
	assert_string_equal(ask(in, "SELECT group_concat(remote_id) FROM leadsync_link"), "A,C");
}

/* A trigger of the table's owner that drops an insert leaves a link without a row. */
static void a_dropped_insert_takes_no_other_row(void **state)
{
	static const bool all[] = { true, true, true };
	static const struct value ann[] = { { "Ann", 3 }, { "1.5", 3 }, { "1", 1 } },
				  bob[] = { { "Bob", 3 }, { 0 }, { "0", 1 } };
	struct bench *in = *state;
	struct store_write writes[2];

	sql(in, "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT, score "
		"TEXT, active INT);"
		"CREATE TRIGGER no_bobs BEFORE INSERT ON contact WHEN NEW.last_name = 'Bob'"
		" BEGIN SELECT RAISE(IGNORE); END");
	must_prepare(in);
	writes[0] = insert_of("A", ann, all);
	writes[1] = insert_of("B", bob, all);
	assert_true(in->store->ops->begin(in->session, &in->err));
	assert_true(in->store->ops->write(in->session, writes, 2, in->arena, &in->err));
	assert_true(in->store->ops->commit(in->session, &in->err));
	assert_false(value_is_null(&writes[0].link.key));
	assert_true(value_is_null(&writes[1].link.key));
}

/* What other programs store, in the forms that records have. */
static void rows_are_read_in_canonical_form(void **state)
{
	struct bench *in = *state;
	const struct store_ops *ops;
	struct value key = { "5", 1 };
	struct store_row row;

	map(in, "Born", "born", VALUE_DATE);
	map(in, "Count", "count", VALUE_INTEGER);
	sql(in, "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT, score "
		"REAL, active,"
		" born DATE, count);"
		"INSERT INTO contact VALUES (5, '  Ann ', 0.1 + 0.2, NULL, 'never', 12.0)");
	must_prepare(in);
	ops = in->store->ops;
	assert_true(ops->rows(in->session, &key, 1, in->arena, &row, &in->err));
	assert_string_equal(arena_copy(in->arena, row.values[0].text, row.values[0].len), "Ann");
	assert_string_equal(arena_copy(in->arena, row.values[1].text, row.values[1].len), "0.3");
	assert_string_equal(arena_copy(in->arena, row.values[2].text, row.values[2].len), "0");
	assert_string_equal(arena_copy(in->arena, row.values[3].text, row.values[3].len), "never");
	assert_string_equal(arena_copy(in->arena, row.values[4].text, row.values[4].len), "12");
}

static void runs_are_listed_and_collapse(void **state)
{
	struct bench *in = *state;
	struct store_run run = {
		.job = "contacts", .outcome = "failed", .code = "down", .text = "t"
	};
	static const char *const ids[] = { "1", "2", "3" };
	struct store_run *rows;
	size_t count;
	bool listed;

	must_prepare(in);
	for (size_t i = 0; i < 3; i++) {
		run.id = ids[i];
		run.started_ms = (int64_t)i;
		assert_true(
			in->store->ops->list_failure(in->store, "ours", &run, &listed, &in->err));
		assert_true(listed);
	}
	run.id = "4";
	run.code = "other";
	assert_true(in->store->ops->list_failure(in->store, "ours", &run, &listed, &in->err));
	assert_true(in->store->ops->runs(in->store, NULL, 10, in->arena, &rows, &count, &in->err));
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].id, "4");
	assert_string_equal(rows[1].id, "3");
	assert_int_equal(rows[1].repeats, 3);
	assert_true(
		in->store->ops->runs(in->store, "leads", 10, in->arena, &rows, &count, &in->err));
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(makes_the_table),
		ROW(makes_a_table_with_a_natural_key),
		ROW(the_rowid_need_not_be_filled),
		ROW(judges_tables_of_others),
		ROW(refuses_names),
		ROW(refusal_leaves_nothing),
		ROW(knows_whose_it_is),
		ROW(a_job_keeps_its_table),
		ROW(one_refused_write_leaves_the_others),
		ROW(conflict_clauses_of_others),
		ROW(a_deferred_foreign_key_refuses_one_record),
		ROW(a_dropped_insert_takes_no_other_row),
		ROW(rows_are_read_in_canonical_form),
		ROW(runs_are_listed_and_collapse),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
