/* Marks taken: what other programs did, what a write of ours leaves behind, what went unseen. */
#include "bench.h"

#define TABLE                                                                                      \
	"CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT, score TEXT,"  \
	" active INTEGER, note TEXT);"
#define THREE "INSERT INTO contact (id, last_name) VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cy');"

/* "1 2; A": rows to look at, then links that ended; "..." if there are more. */
static const char *take_some(struct bench *in, size_t most)
{
	static char list[600];
	struct store_marks marks;

	begin(in);
	DO(in, take_marks, most, in->arena, &marks);
	DO(in, drop_marks);
	commit(in);
	*list = '\0';
	for (size_t i = 0; i < marks.row_count; i++) {
		strcat(list, i ? " " : "");
		strcat(list, marks.rows[i].key.text);
	}
	strcat(list, ";");
	for (size_t i = 0; i < marks.ended_count; i++) {
		strcat(list, " ");
		strcat(list, marks.ended[i].remote_id);
	}
	return strcat(list, marks.more ? "..." : "");
}

static const char *taken(struct bench *in)
{
	return take_some(in, 100);
}

/* A session on a table of others with three rows that has been looked at once. */
static void open_table(struct bench *in, const char *more)
{
	sql(in, TABLE THREE);
	if (more)
		sql(in, more);
	must_prepare(in);
	assert_string_equal(taken(in), "1 2 3;");
}

static const char *key_of(struct bench *in, const char *id)
{
	struct link link;

	DO(in, links, &id, 1, in->arena, &link);
	return link.key.text ? link.key.text : "";
}

static void every_row_once_where_nobody_watched(void **state)
{
	struct bench *in = *state;

	open_table(in, NULL);
	assert_string_equal(taken(in), ";");
	must_prepare(in);
	assert_string_equal(taken(in), ";");
	sql(in, "DROP TRIGGER leadsync_1_update; UPDATE contact SET last_name = 'x' WHERE id = 2");
	must_prepare(in);
	assert_string_equal(taken(in), "1 2 3;");
	must_prepare(in);
	assert_string_equal(taken(in), ";");
}

static void not_where_the_table_was_just_made(void **state)
{
	struct bench *in = *state;

	must_prepare(in);
	assert_string_equal(taken(in), ";");
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_mark"), "0");
	map(in, "City", "city", VALUE_TEXT); /* a new column is captured, too */
	sql(in, "INSERT INTO contact (last_name) VALUES ('Ann')");
	must_prepare(in);
	sql(in, "UPDATE contact SET city = 'Paris'");
	assert_string_equal(taken(in), "1;");
}

/* Another job's table, index or triggers are no reason to compare every row again. */
static void nor_because_of_another_job(void **state)
{
	struct bench *in = *state;

	open_table(in, NULL);
	in->job.name = "others";
	in->job.table = "other";
	must_prepare(in);
	map(in, "City", "city", VALUE_TEXT);
	must_prepare(in);
	in->mapping.count--;
	in->job.name = "contacts";
	in->job.table = "contact";
	must_prepare(in);
	assert_string_equal(taken(in), ";");
}

static void edits_with_their_time(void **state)
{
	struct bench *in = *state;
	struct store_marks marks;

	open_table(in, NULL);
	sql(in, "UPDATE contact SET last_name = 'x' WHERE id = 2; UPDATE contact SET note = 'x'");
	begin(in);
	DO(in, take_marks, 10, in->arena, &marks);
	assert_int_equal(marks.row_count, 1);
	assert_string_equal(marks.rows[0].key.text, "2");
	assert_true(marks.rows[0].at_ms > 1600000000000);
	in->store->ops->rollback(in->session);
	assert_string_equal(taken(in), "2;"); /* nothing was lost */
	sql(in, "DROP TRIGGER leadsync_1_insert");
	must_prepare(in);
	begin(in);
	DO(in, take_marks, 10, in->arena, &marks);
	assert_int_equal(marks.rows[0].at_ms, 0); /* not known */
	in->store->ops->rollback(in->session);
}

static void in_portions(void **state)
{
	struct bench *in = *state;

	open_table(in, NULL);
	sql(in, "UPDATE contact SET score = 1");
	assert_string_equal(take_some(in, 2), "1 2;...");
	sql(in, "UPDATE contact SET score = 2 WHERE id = 1");
	assert_string_equal(take_some(in, 2), "3 1;");
	assert_string_equal(take_some(in, 2), ";");
}

static void links_follow_their_rows(void **state)
{
	struct bench *in = *state;

	open_table(in, NULL);
	link_row(in, "A", "1");
	link_row(in, "B", "2");
	link_row(in, "C", "3");
	sql(in, "DELETE FROM contact WHERE id = 1; UPDATE contact SET id = 9 WHERE id = 2");
	assert_string_equal(taken(in), "9; A");
	assert_string_equal(key_of(in, "A"), "");
	assert_string_equal(key_of(in, "B"), "9");
	assert_string_equal(key_of(in, "C"), "3");
	sql(in, "UPDATE contact SET id = -id; UPDATE contact SET id = 9 WHERE id = -3;"
		" UPDATE contact SET id = 3 WHERE id = -9");
	assert_string_equal(taken(in), "-3 -9 9 3;");
	assert_string_equal(key_of(in, "B"), "3");
	assert_string_equal(key_of(in, "C"), "9");
	sql(in, "INSERT OR REPLACE INTO contact (id, last_name) VALUES (3, 'new')");
	assert_string_equal(taken(in), "3; B"); /* another row, which must match again */
}

/* A link made later than the mark is of the later row. */
static void a_link_knows_better_than_an_older_mark(void **state)
{
	struct bench *in = *state;

	open_table(in, NULL);
	sql(in, "DELETE FROM contact WHERE id = 1; INSERT INTO contact (id) VALUES (1)");
	link_row(in, "A", "1");
	assert_string_equal(taken(in), "1;");
	assert_string_equal(key_of(in, "A"), "1");
	sql(in, "DELETE FROM contact WHERE id = 1; INSERT INTO contact (id) VALUES (1)");
	link_row(in, "A", "1"); /* put again with the key it had: nothing new is known of it */
	assert_string_equal(taken(in), "1; A");
}

static void a_tombstone_ends_without_a_word(void **state)
{
	struct bench *in = *state;
	struct store_write dead = { .remote_id = "A",
				    .puts_link = true,
				    .link = { .state = LINK_DELETED, .key = { "1", 1 } } };

	open_table(in, NULL);
	begin(in);
	DO(in, write, &dead, 1, in->arena);
	commit(in);
	sql(in, "DELETE FROM contact WHERE id = 1");
	assert_string_equal(taken(in), ";");
	assert_string_equal(key_of(in, "A"), "");
}

static void all_that_names_the_row_follows(void **state)
{
	struct bench *in = *state;
	struct due due = { .key = { "1", 1 } }, other = { .key = { "2", 1 } };
	struct sent sent = { .key = { "1", 1 }, .birth_key = "b", .run = "1" };
	struct store_reject reject = {
		.direction = TOLD_UP,
		.key = { "1", 1 },
		.code = "C",
		.text = "t",
		.remedy = "r",
		.run = "1",
	};
	struct store_conflict conflict = { .key = { "1", 1 },
					   .kind = "several-matches",
					   .winner = "",
					   .reason = "r",
					   .run = "1" };

	open_table(in, NULL);
	begin(in);
	DO(in, put_due, &due, false);
	DO(in, put_due, &other, false);
	DO(in, put_sent, &sent);
	DO(in, reject, &reject);
	DO(in, conflict, &conflict);
	commit(in);
	sql(in, "UPDATE contact SET id = 8 WHERE id = 1");
	assert_string_equal(taken(in), "8;");
#define KEYS                                                                                       \
	"SELECT (SELECT group_concat(key) FROM leadsync_due) || ' ' ||"                            \
	" coalesce((SELECT key FROM leadsync_journal), '-') || ' ' ||"                             \
	" coalesce((SELECT key FROM leadsync_rejects), '-') || ' ' ||"                             \
	" (SELECT key || state FROM leadsync_conflicts)"
	assert_string_equal(ask(in, KEYS), "8,2 8 8 8open");
	sql(in, "DELETE FROM contact WHERE id = 8");
	assert_string_equal(taken(in), ";");
	assert_string_equal(ask(in, KEYS), "2 - - 8resolved");
}

static struct store_write update_of(const char *key, const struct value *values, const bool *set)
{
	return (struct store_write){ .remote_id = "A",
				     .action = STORE_UPDATE,
				     .row_key = text(key),
				     .values = values,
				     .set = set };
}

static void write_one(struct bench *in, struct store_write *write)
{
	begin(in);
	DO(in, write, write, 1, in->arena);
	assert_null(write->failed);
	commit(in);
}

static const bool all[] = { true, true, true }, name_only[3] = { true };
static const struct value dee[] = { { "Dee", 3 }, { "1", 1 }, { "0", 1 } };

static void our_own_writes_leave_no_mark(void **state)
{
	struct bench *in = *state;
	struct store_write insert = { .remote_id = "A",
				      .action = STORE_INSERT,
				      .values = dee,
				      .set = all,
				      .puts_link = true };
	struct store_write drop = { .remote_id = "B",
				    .action = STORE_DELETE,
				    .row_key = text("2") };
	struct store_write update = update_of("1", dee, all);

	open_table(in, NULL);
	in->job.name = "others"; /* which maps the same columns */
	must_prepare(in);
	taken(in);
	in->job.name = "contacts";
	must_prepare(in);
	sql(in, "UPDATE contact SET score = '7' WHERE id = 1"); /* somebody's, before ours */
	write_one(in, &insert);
	write_one(in, &update);
	write_one(in, &drop);
	assert_string_equal(ask(in, "SELECT group_concat(job || operation || key) FROM"
				    " (SELECT * FROM leadsync_mark ORDER BY sequence)"),
			    "2update1,1update1,2insert4,2update1,2delete2");
	assert_string_equal(taken(in), "1;");
	in->job.name = "others";
	must_prepare(in);
	assert_string_equal(taken(in), "1 4;");
}

/* A trigger of the owner that touches what we set is settled, and what else it touches is seen. */
static void what_triggers_make_of_it(void **state)
{
	static const struct {
		const char *name, *trigger;
		bool read_back;
		const char *ours, *taken;
	} rows[] = {
		{ "another table", "UPDATE log SET n = n + 1", true, "Dee", ";" },
		{ "what we set",
		  "UPDATE contact SET last_name = upper(last_name) WHERE id = NEW.id", true, "DEE",
		  ";" },
		{ "what we set, and nobody reads it back",
		  "UPDATE contact SET last_name = upper(last_name) WHERE id = NEW.id", false, "Dee",
		  "1;" },
		{ "another mapped column", "UPDATE contact SET score = '7' WHERE id = NEW.id", true,
		  "Dee", "1;" },
		{ "a column that is not mapped", "UPDATE contact SET note = '7' WHERE id = NEW.id",
		  true, "Dee", ";" },
		{ "another row", "UPDATE contact SET score = '7' WHERE id = 2", true, "Dee", "2;" },
		{ "the row itself", "DELETE FROM contact WHERE id = NEW.id", true, "Dee", "1; A" },
	};
	struct bench *in = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *id = "A";
		struct link_field fields[3] = { { .base = { true, dee[0], dee[0] } } };
		struct store_write update = update_of("1", dee, name_only);
		const char *marks;
		struct link link;
		char trigger[300];

		sql(in, TABLE THREE "CREATE TABLE log (n); CREATE TABLE keep (n);");
		snprintf(trigger, sizeof(trigger),
			 "CREATE TRIGGER theirs AFTER UPDATE OF last_name ON contact BEGIN %s; END",
			 rows[i].trigger);
		sql(in, trigger);
		must_prepare(in);
		taken(in);
		link_row(in, "A", "1");
		update.puts_link = true;
		update.link = (struct link){ .found = true, .key = text("1"), .fields = fields };
		update.read_back = rows[i].read_back;
		write_one(in, &update);
		DO(in, links, &id, 1, in->arena, &link);
		DO(in, fields, &id, 1, in->arena, &link);
		if (!value_equal(&link.fields[0].base.ours, &(struct value){ rows[i].ours, 3 }))
			fail_msg("%s: %.*s", rows[i].name, (int)link.fields[0].base.ours.len,
				 link.fields[0].base.ours.text);
		assert_true(value_equal(&link.fields[0].base.theirs, &dee[0]));
		marks = taken(in);
		if (strcmp(marks, rows[i].taken) != 0)
			fail_msg("%s: %s", rows[i].name, marks);
		in->store->ops->release(TAKE(in->session));
		sql(in, "DROP TABLE contact; DROP TABLE log; DROP TABLE keep;"
			" DELETE FROM leadsync_link");
	}
}

/* Whatever else a write of ours sets off is not ours: by a trigger of another table on its way, or
 * by one that was made while the session lasted. */
static void what_a_write_sets_off(void **state)
{
	struct bench *in = *state;
	struct store_write update = update_of("1", dee, name_only);
	struct store_write drop = { .remote_id = "B",
				    .action = STORE_DELETE,
				    .row_key = text("3") };

	sql(in, "PRAGMA foreign_keys = ON");
	sql(in, "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT, score"
		" TEXT, active INTEGER, boss INTEGER REFERENCES contact ON DELETE CASCADE);"
		"INSERT INTO contact (id, last_name, boss) VALUES (1, 'Ann', NULL), (2, 'Bob', 3),"
		" (3, 'Cy', NULL)");
	must_prepare(in);
	taken(in);
	link_row(in, "B", "2");
	write_one(in, &drop);
	assert_string_equal(taken(in), "; B");
	sql(in, "DROP TABLE contact");
	sql(in, TABLE THREE);
	must_prepare(in);
	taken(in);
	write_one(in, &update);
	assert_string_equal(taken(in), ";");
	sql(in, "CREATE TRIGGER late AFTER UPDATE OF last_name ON contact BEGIN"
		" UPDATE contact SET score = '9' WHERE id = 2; END;"
		"UPDATE contact SET last_name = 'x' WHERE id = 1");
	assert_string_equal(taken(in), "2 1;");
	write_one(in, &update);
	assert_string_equal(taken(in), ";"); /* the trigger changed nothing more */
	sql(in, "DROP TRIGGER late; UPDATE contact SET last_name = 'y' WHERE id = 1;"
		" CREATE TRIGGER later AFTER UPDATE OF last_name ON contact BEGIN"
		" UPDATE contact SET score = '10' WHERE id = 2; END");
	assert_string_equal(taken(in), "1;");
	write_one(in, &update);
	assert_string_equal(taken(in), "2;");
}

/* A default of a column that only goes up is more than we gave the row. */
static void a_new_row_that_fills_itself(void **state)
{
	struct bench *in = *state;
	struct store_write insert = { .remote_id = "A",
				      .action = STORE_INSERT,
				      .values = dee,
				      .set = all,
				      .puts_link = true };

	in->fields[1].direction = MAPPING_UP;
	sql(in, "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT,"
		" score TEXT DEFAULT '5', active INTEGER)");
	must_prepare(in);
	taken(in);
	write_one(in, &insert);
	assert_string_equal(ask(in, "SELECT score FROM contact"), "5");
	assert_string_equal(taken(in), "1;");
	assert_string_equal(key_of(in, "A"), "1");
	sql(in, "DROP TABLE contact; CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT,"
		" last_name TEXT, score TEXT, active INTEGER)");
	must_prepare(in);
	taken(in);
	write_one(in, &insert);
	assert_string_equal(taken(in), ";");
}

static void rows_that_went_without_a_mark(void **state)
{
	struct bench *in = *state;

	open_table(in, NULL);
	link_row(in, "A", "1");
	link_row(in, "B", "2");
	link_row(in, "C", "3");
	sql(in, "DROP TRIGGER leadsync_1_delete; DELETE FROM contact WHERE id < 3");
	must_prepare(in);
	assert_string_equal(take_some(in, 1), "3; A...");
	must_prepare(in); /* what is owed outlives the session */
	assert_string_equal(take_some(in, 1), "; B...");
	assert_string_equal(take_some(in, 1), ";");
	assert_string_equal(ask(in, "SELECT gone_owed FROM leadsync_cursor"), "0");
	assert_string_equal(key_of(in, "A"), "");
}

static void rows_that_were_replaced(void **state)
{
	struct bench *in = *state;

	open_table(in, "CREATE UNIQUE INDEX one ON contact (last_name)");
	link_row(in, "A", "1");
	sql(in, "REPLACE INTO contact (id, last_name) VALUES (7, 'Ann')");
	must_prepare(in);
	assert_string_equal(taken(in), "7; A");
}

/* With another job's backlog before them, and none of its own, a job still takes its marks. */
static void beside_another_job(void **state)
{
	struct bench *in = *state;

	open_table(in, NULL);
	in->job.name = "others";
	must_prepare(in); /* and never takes any */
	in->job.name = "contacts";
	must_prepare(in);
	assert_string_equal(taken(in), ";");
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_mark"), "3");
	sql(in, "UPDATE contact SET score = 1 WHERE id = 2");
	assert_string_equal(taken(in), "2;");
	assert_string_equal(ask(in, "SELECT marks_after FROM leadsync_cursor WHERE number = 1"),
			    ask(in, "SELECT max(sequence) FROM leadsync_mark"));
	sql(in, "UPDATE contact SET score = 2 WHERE id = 3");
	must_prepare(in);
	assert_string_equal(taken(in), "3;");
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_mark WHERE job = 1"), "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(every_row_once_where_nobody_watched),
		ROW(not_where_the_table_was_just_made),
		ROW(nor_because_of_another_job),
		ROW(edits_with_their_time),
		ROW(in_portions),
		ROW(links_follow_their_rows),
		ROW(a_link_knows_better_than_an_older_mark),
		ROW(a_tombstone_ends_without_a_word),
		ROW(all_that_names_the_row_follows),
		ROW(our_own_writes_leave_no_mark),
		ROW(what_triggers_make_of_it),
		ROW(what_a_write_sets_off),
		ROW(a_new_row_that_fills_itself),
		ROW(rows_that_went_without_a_mark),
		ROW(rows_that_were_replaced),
		ROW(beside_another_job),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
