/* Which row may be a record's that has none: by columns with an index, held by no link. */
#include "bench.h"

static const size_t by_name[] = { 0 }, by_name_and_score[] = { 0, 1 }, by_active[] = { 2 };

#define PEOPLE                                                                                     \
	"INSERT INTO contact (id, last_name, score) VALUES (1, 'Ann', '1'), (2, 'ANN', '2'),"      \
	" (3, 'Bob', '1'), (4, NULL, '1'), (5, 'ann', NULL);"
#define TABLE                                                                                      \
	"CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT, score TEXT,"  \
	" active INTEGER);"

static void match_by(struct bench *in, const size_t *fields, size_t count)
{
	in->job.match = fields;
	in->job.match_count = count;
}

/* "1 2 5" */
static const char *found(struct bench *in, const char *name, const char *score, size_t most)
{
	static char list[100];
	struct value values[] = { text(name), text(score) }, keys[10];
	size_t count;

	begin(in);
	DO(in, matches, values, most, in->arena, keys, &count);
	commit(in);
	*list = '\0';
	for (size_t i = 0; i < count; i++) {
		strcat(list, i ? " " : "");
		strcat(list, keys[i].text);
	}
	return list;
}

static void folds_case(void **state)
{
	struct bench *in = *state;

	match_by(in, by_name, 1);
	must_prepare(in);
	sql(in, PEOPLE);
	assert_string_equal(found(in, "aNN", NULL, 10), "1 2 5");
	assert_string_equal(found(in, "aNN", NULL, 2), "1 2");
	assert_string_equal(found(in, "Bobby", NULL, 10), "");
	assert_string_equal(found(in, NULL, NULL, 10), "");
}

static void every_column_must_be_equal(void **state)
{
	struct bench *in = *state;

	match_by(in, by_name_and_score, 2);
	must_prepare(in);
	sql(in, PEOPLE);
	assert_string_equal(found(in, "ann", "1", 10), "1");
	assert_string_equal(found(in, "ann", NULL, 10), ""); /* a null matches nothing */
	match_by(in, NULL, 0);
	must_prepare(in);
	assert_string_equal(found(in, "ann", "1", 10), "");
}

static void only_rows_that_are_free(void **state)
{
	struct bench *in = *state;
	struct sent sent = {
		.operation = SENT_CREATE, .key = { "2", 1 }, .birth_key = "b", .run = "1"
	};
	struct store_write dead = { .remote_id = "D",
				    .puts_link = true,
				    .link = { .state = LINK_DELETED, .key = { "5", 1 } } };

	match_by(in, by_name, 1);
	must_prepare(in);
	sql(in, PEOPLE);
	begin(in);
	DO(in, write, &dead, 1, in->arena);
	commit(in);
	assert_string_equal(found(in, "ann", NULL, 10), "1 2 5");
	link_row(in, "A", "1");
	assert_string_equal(found(in, "ann", NULL, 1), "2");
	begin(in);
	DO(in, put_sent, &sent);
	commit(in);
	assert_string_equal(found(in, "ann", NULL, 10), "5");
	sql(in, "UPDATE leadsync_link SET state = 2");
	assert_string_equal(found(in, "ann", NULL, 10), "");
}

static void our_own_table_gets_its_index(void **state)
{
#define INDEX "SELECT sql FROM sqlite_schema WHERE name = 'leadsync_1_match'"
	struct bench *in = *state;

	match_by(in, by_name, 1);
	must_prepare(in);
	assert_string_equal(ask(in, INDEX), "CREATE INDEX leadsync_1_match ON \"contact\""
					    " (\"last_name\" COLLATE NOCASE)");
	match_by(in, by_name_and_score, 2);
	must_prepare(in);
	assert_string_equal(ask(in, INDEX), "CREATE INDEX leadsync_1_match ON \"contact\""
					    " (\"last_name\" COLLATE NOCASE, \"score\")");
	sql(in, "DROP INDEX leadsync_1_match");
	must_prepare(in);
	assert_string_equal(
		ask(in, "SELECT detail FROM (SELECT 1 AS one) JOIN (SELECT name AS detail FROM"
			" pragma_index_list('contact'))"),
		"leadsync_1_match");
}

static void others_must_have_one(void **state)
{
	static const struct {
		const char *index; /* NULL: none */
		const size_t *fields;
		size_t count;
		unsigned problems;
	} rows[] = {
		{ NULL, by_name, 1, 1 },
		{ NULL, by_name_and_score, 2, 2 },
		{ NULL, NULL, 0, 0 },
		{ "CREATE INDEX one ON contact (last_name)", by_name, 1, 1 },
		{ "CREATE INDEX one ON contact (last_name COLLATE NOCASE)", by_name, 1, 0 },
		{ "CREATE INDEX one ON contact (last_name COLLATE NOCASE, score)", by_name, 1, 0 },
		{ "CREATE INDEX one ON contact (score, last_name COLLATE NOCASE)", by_name, 1, 1 },
		{ "CREATE INDEX one ON contact (last_name COLLATE NOCASE) WHERE score = 1", by_name,
		  1, 1 },
		{ "CREATE INDEX one ON contact (last_name COLLATE NOCASE)", by_name_and_score, 2,
		  1 },
		{ "CREATE INDEX one ON contact (last_name COLLATE NOCASE);"
		  " CREATE INDEX two ON contact (score)",
		  by_name_and_score, 2, 0 },
		{ "CREATE INDEX one ON contact (active)", by_active, 1, 0 },
		{ "CREATE INDEX one ON contact (lower(last_name))", by_name, 1, 1 },
	};
	struct bench *in = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sql(in, TABLE);
		if (rows[i].index)
			sql(in, rows[i].index);
		match_by(in, rows[i].fields, rows[i].count);
		if (prepare(in) != !rows[i].problems || in->problems != rows[i].problems ||
		    (rows[i].problems && strcmp(in->err.code, "no-match-index") != 0))
			fail_msg("%zu: %s %s", i, in->err.code, in->err.text);
		if (in->session)
			in->store->ops->release(TAKE(in->session));
		sql(in, "DROP TABLE contact");
	}
}

/* What the problem says is what must be done. */
static void the_remedy_works(void **state)
{
	char remedy[512];
	struct bench *in = *state;
	const char *end;

	sql(in, TABLE);
	match_by(in, by_name, 1);
	assert_false(prepare(in));
	end = strstr(in->err.text, "CREATE INDEX");
	assert_non_null(end);
	strcpy(remedy, end);
	sql(in, remedy);
	must_prepare(in);
	sql(in, "DROP TABLE contact; CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT,"
		" last_name TEXT COLLATE NOCASE, score TEXT, active INTEGER);"
		" CREATE INDEX one ON contact (last_name)");
	must_prepare(in); /* by the column's own word */
}

static bool elsewhere(struct bench *in, const char *key)
{
	struct value value = text(key);
	bool answer;

	begin(in);
	DO(in, is_elsewhere, &value, &answer);
	commit(in);
	return answer;
}

static void rows_of_other_jobs(void **state)
{
	struct bench *in = *state;

	sql(in, "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT, score"
		" TEXT, active INTEGER, login TEXT NOT NULL UNIQUE DEFAULT (hex(randomblob(8))));"
		"INSERT INTO contact (id, login) VALUES (1, 'a'), (2, 'b'), (3, '7')");
	must_prepare(in);
	link_row(in, "A", "1"); /* its own do not count */
	in->job.name = "leads";
	in->job.object = "Lead";
	in->job.key = "login";
	must_prepare(in);
	assert_true(elsewhere(in, "a"));
	link_row(in, "B", "b");
	link_row(in, "C", "7");
	assert_false(elsewhere(in, "b"));
	in->job.name = "contacts";
	in->job.object = "Contact";
	in->job.key = "id";
	must_prepare(in);
	assert_false(elsewhere(in, "1"));
	assert_true(elsewhere(in, "2"));
	assert_true(elsewhere(in, "3"));
	assert_false(elsewhere(in, "4"));
	in->job.name = "more"; /* by the same key */
	must_prepare(in);
	assert_true(elsewhere(in, "1"));
	sql(in, "UPDATE leadsync_link SET state = 1");
	assert_false(elsewhere(in, "1"));
	in->job.name = "apart";
	in->job.table = "other";
	must_prepare(in);
	assert_false(elsewhere(in, "1"));
}

/* A column that only goes up is read and never written: it may be generated, or of any type. */
static void columns_that_only_go_up(void **state)
{
	struct bench *in = *state;
	static const bool all[] = { true, false, true };
	static const struct value ann[] = { { "Ann", 3 }, { "9", 1 }, { "1", 1 } };
	struct store_write insert = { .remote_id = "A",
				      .action = STORE_INSERT,
				      .values = ann,
				      .set = all,
				      .puts_link = true };
	struct store_row row;

	in->fields[1].direction = MAPPING_UP;
	sql(in, "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT,"
		" active INTEGER)");
	assert_false(prepare(in));
	assert_string_equal(in->err.code, "no-column");
	sql(in, "DROP TABLE contact; CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT,"
		" last_name TEXT, active INTEGER, score AS (last_name || '!'))");
	must_prepare(in);
	begin(in);
	DO(in, write, &insert, 1, in->arena);
	commit(in);
	assert_null(insert.failed);
	DO(in, rows, &insert.link.key, 1, in->arena, &row);
	assert_true(value_equal(&row.values[1], &(struct value){ "Ann!", 4 }));
}

/* Where nothing comes down no row is made, so nothing need be filled. */
static void a_job_that_makes_no_rows(void **state)
{
	struct bench *in = *state;

	sql(in, "CREATE TABLE contact (id TEXT NOT NULL PRIMARY KEY, last_name TEXT, score TEXT,"
		" active INTEGER, made TEXT NOT NULL)");
	assert_false(prepare(in));
	for (size_t i = 0; i < 3; i++)
		in->fields[i].direction = MAPPING_UP;
	must_prepare(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(folds_case),
		ROW(every_column_must_be_equal),
		ROW(only_rows_that_are_free),
		ROW(our_own_table_gets_its_index),
		ROW(others_must_have_one),
		ROW(the_remedy_works),
		ROW(rows_of_other_jobs),
		ROW(columns_that_only_go_up),
		ROW(a_job_that_makes_no_rows),
	};

	return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
