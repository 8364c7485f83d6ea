/* A ledger of the program before: brought up to date with everything it knew. */
#include "bench.h"

/* As the steps before this change left it, with a table that had been filled. */
static const char before[] =
	"CREATE TABLE leadsync_ledger (steps INTEGER NOT NULL);"
	"INSERT INTO leadsync_ledger VALUES (7);"
	"CREATE TABLE leadsync_meta (org_id TEXT, instance TEXT NOT NULL);"
	"INSERT INTO leadsync_meta VALUES ('00D1', 'ours');"
	"CREATE TABLE leadsync_cursor (number INTEGER PRIMARY KEY, job TEXT NOT NULL UNIQUE,"
	" object TEXT NOT NULL, table_name TEXT NOT NULL COLLATE NOCASE, key_column TEXT NOT NULL"
	" COLLATE NOCASE, phase TEXT NOT NULL, bound_ms INTEGER NOT NULL, since_ms INTEGER NOT"
	" NULL, last_ms INTEGER NOT NULL, last_id TEXT NOT NULL, deletions_ms INTEGER NOT NULL,"
	" whole_ms INTEGER NOT NULL, mapping TEXT, condition TEXT, compare_owed INTEGER NOT NULL"
	" -- as it was\n);"
	"INSERT INTO leadsync_cursor VALUES (1, 'contacts', 'Contact', 'contact', 'id', 'settled',"
	" 5, 0, 0, '', 5, 5, NULL, NULL, 0);"
	"CREATE TABLE leadsync_tables (name TEXT PRIMARY KEY COLLATE NOCASE) WITHOUT ROWID;"
	"INSERT INTO leadsync_tables VALUES ('contact');"
	"CREATE TABLE leadsync_link (job INTEGER NOT NULL, remote_id TEXT NOT NULL, hash BLOB NOT"
	" NULL, key, state INTEGER NOT NULL, PRIMARY KEY (job, remote_id)) WITHOUT ROWID;"
	"CREATE INDEX leadsync_link_key ON leadsync_link (job, key);"
	"INSERT INTO leadsync_link VALUES (1, 'A', zeroblob(16), 1, 0), (1, 'B', zeroblob(16), 9,"
	" 0);"
	"CREATE TABLE leadsync_runs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, job TEXT"
	" NOT NULL, outcome TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL, started_ms"
	" INTEGER NOT NULL, ended_ms INTEGER NOT NULL, read INTEGER NOT NULL, inserted INTEGER NOT"
	" NULL, updated INTEGER NOT NULL, deleted INTEGER NOT NULL, unchanged INTEGER NOT NULL,"
	" rejected INTEGER NOT NULL, out_of_sight INTEGER NOT NULL, repeats INTEGER NOT NULL);"
	"CREATE INDEX leadsync_runs_job ON leadsync_runs (job, number);"
	"INSERT INTO leadsync_runs VALUES (1, 'r1', 'contacts', 'done', '', '', 1, 2, 2, 2, 0, 0,"
	" 0, 1, 0, 1);"
	"CREATE TABLE leadsync_rejects (job INTEGER NOT NULL, remote_id TEXT NOT NULL, code TEXT"
	" NOT NULL, field TEXT, text TEXT NOT NULL, remedy TEXT NOT NULL, run TEXT NOT NULL, at_ms"
	" INTEGER NOT NULL, PRIMARY KEY (job, remote_id)) WITHOUT ROWID;"
	"INSERT INTO leadsync_rejects VALUES (1, 'C', 'bad-value', 'Score__c', 'text', 'remedy',"
	" 'r1', 7);"
	"CREATE TABLE leadsync_lineage (job INTEGER NOT NULL, loser TEXT NOT NULL, winner TEXT NOT"
	" NULL, run TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (job, loser)) WITHOUT ROWID;"
	"CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT, score TEXT,"
	" active INTEGER);"
	"INSERT INTO contact VALUES (1, 'Ann', '1', 0), (2, 'Bob', '2', 0);";

static void keeps_what_it_knew(void **state)
{
	static const char *const ids[] = { "A" };
	struct store_listing listing = { .limit = 10 };
	struct bench *in = *state;
	struct store_reject_line *lines;
	struct store_marks marks;
	struct store_run *runs;
	struct link link;
	size_t count;

	sql(in, before);
	must_prepare(in);
	assert_int_equal(in->state.cursor.phase, CURSOR_SETTLED);
	DO(in, links, ids, 1, in->arena, &link);
	assert_true(link.found && link.written_ms == 0);
	assert_string_equal(link.key.text, "1");
	DO(in, fields, ids, 1, in->arena, &link);
	assert_false(link.fields[0].base.settled);
	must(in,
	     in->store->ops->list_rejects(in->store, &listing, in->arena, &lines, &count, &in->err),
	     "list");
	assert_int_equal(count, 1);
	assert_int_equal(lines[0].reject.direction, TOLD_DOWN);
	assert_string_equal(lines[0].reject.remote_id, "C");
	assert_string_equal(lines[0].reject.field, "Score__c");
	assert_int_equal(lines[0].reject.at_ms, 7);
	must(in, in->store->ops->runs(in->store, NULL, 10, in->arena, &runs, &count, &in->err),
	     "runs");
	assert_true(count == 1 && runs[0].inserted == 2 && runs[0].sent_created == 0);
	/* Nobody has watched until now: every row is looked at, and so are links without one. */
	begin(in);
	DO(in, take_marks, 10, in->arena, &marks);
	DO(in, drop_marks);
	commit(in);
	assert_int_equal(marks.row_count, 2);
	assert_int_equal(marks.ended_count, 1);
	assert_string_equal(marks.ended[0].remote_id, "B");
}

/* Until the first run, what is asked of the old one is answered with nothing. */
static void is_asked_before_the_first_run(void **state)
{
	struct store_run run = {
		.id = "r2", .job = "contacts", .outcome = "failed", .code = "c", .text = "t"
	};
	struct bench *in = *state;
	struct store_summary summary;
	struct store_run *runs;
	size_t count;
	bool listed;

	sql(in, before);
	in->store = sqlite_store_open(in->path, &in->err);
	must(in, in->store->ops->summary(in->store, "contacts", &summary, &in->err), "summary");
	assert_int_equal(summary.linked, 0);
	must(in, in->store->ops->list_failure(in->store, "ours", &run, &listed, &in->err), "list");
	assert_true(listed); /* which brings it up to date, too */
	must(in, in->store->ops->runs(in->store, NULL, 10, in->arena, &runs, &count, &in->err),
	     "runs");
	assert_int_equal(count, 2);
	must(in, in->store->ops->summary(in->store, "contacts", &summary, &in->err), "summary");
	assert_int_equal(summary.linked, 2);
	assert_int_equal(summary.rejects, 1);
}

static void is_detached_as_it_is(void **state)
{
	struct bench *in = *state;

	sql(in, before);
	in->store = sqlite_store_open(in->path, &in->err);
	must(in, in->store->ops->detach(in->store, "ours", "contacts", &in->err), "detach");
	assert_string_equal(ask(in, "SELECT (SELECT count(*) FROM leadsync_link) ||"
				    " (SELECT count(*) FROM leadsync_cursor) ||"
				    " (SELECT count(*) FROM contact)"),
			    "002");
}

/* Views and triggers of the owner that are broken are no reason to fail. */
static void beside_broken_views(void **state)
{
	struct bench *in = *state;

	sql(in, before);
	sql(in, "CREATE TABLE gone (a); CREATE VIEW broken AS SELECT a FROM gone; DROP TABLE gone");
	must_prepare(in);
}

static void counters_of_a_run(void **state)
{
	struct store_run run = { .id = "r",
				 .job = "contacts",
				 .outcome = "failed",
				 .code = "c",
				 .text = "t",
				 .sent_created = 1,
				 .sent_updated = 2,
				 .sent_deleted = 3,
				 .refused = 4,
				 .conflicts = 5,
				 .put_back = 6 };
	struct bench *in = *state;
	struct store_run *runs;
	size_t count;

	must_prepare(in);
	for (int i = 0; i < 2; i++) { /* the second is no repetition: it did something */
		run.id = i ? "s" : "r";
		begin(in);
		DO(in, save_run, &run);
		DO(in, save_run, &run);
		commit(in);
	}
	must(in, in->store->ops->runs(in->store, NULL, 10, in->arena, &runs, &count, &in->err),
	     "runs");
	assert_int_equal(count, 2);
	assert_true(runs[0].sent_created == 1 && runs[0].sent_updated == 2 &&
		    runs[0].sent_deleted == 3 && runs[0].refused == 4 && runs[0].conflicts == 5 &&
		    runs[0].put_back == 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(keeps_what_it_knew),   ROW(is_asked_before_the_first_run),
		ROW(is_detached_as_it_is), ROW(beside_broken_views),
		ROW(counters_of_a_run),
	};

	return cmocka_run_group_tests_name("upgrade", tests, NULL, NULL);
}
