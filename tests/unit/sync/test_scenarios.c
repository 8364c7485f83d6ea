/* Before, run, after; each scenario also run twice (the second run writes nothing), cut at every
 * call of the remote and at every commit of the store, and then resumed to the same end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"
#include "world.h"

struct scenario {
	const char *name;
	void (*before)(struct world *in); /* what is there; may be NULL */
	void (*change)(struct world *in); /* then, before the run that is looked at; may be NULL */
	void (*after)(struct world *in);  /* what it must have come to; may be NULL */
	bool full;
	const char *fails; /* the code of the run's failure: then it is neither repeated nor cut */
	bool odd;          /* the table is not simply what the remote holds: `after` says all */
	bool not_cut;
};

static void loaded(struct world *in)
{
	world_run(in);
	world_wait(in, 3600);
}

static int64_t rows(struct world *in)
{
	char sql[100];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM \"%s\"", in->job.table);
	return world_int(in, sql);
}

/* first load */
static void seven_rows(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link"), 7);
	assert_string_equal(world_text(in,
				       "SELECT email FROM contact WHERE last_name = 'Kowalski'"),
			    "007");
	assert_string_equal(world_text(in, "SELECT score FROM contact WHERE last_name = 'Okafor'"),
			    "12.5");
	assert_string_equal(world_text(in, "SELECT phase FROM leadsync_cursor"), "settled");
}

static void nobody(struct world *in)
{
	for (unsigned i = 1; i <= 7; i++)
		fake_find(in->fake, i)->purged = true;
}

static void no_rows(struct world *in)
{
	assert_int_equal(rows(in), 0);
}

/* one change */
static void new_email(struct world *in)
{
	fake_set(in->fake, 2, "Email", "new@example.com");
}

static void one_updated(struct world *in)
{
	assert_string_equal(world_text(in, "SELECT email FROM contact WHERE last_name = 'Nilsson'"),
			    "new@example.com");
}

static void watched_columns(struct world *in)
{
	loaded(in);
	world_sql(in, "CREATE TABLE touched (what TEXT);"
		      "CREATE TRIGGER t1 AFTER UPDATE OF last_name, score, active, city, is_deleted"
		      " ON contact BEGIN INSERT INTO touched VALUES ('other'); END;"
		      "CREATE TRIGGER t2 AFTER UPDATE OF email ON contact"
		      " BEGIN INSERT INTO touched VALUES ('email'); END");
}

static void only_email_touched(struct world *in)
{
	assert_string_equal(world_text(in, "SELECT group_concat(what) FROM touched"), "email");
}

static void created(struct world *in)
{
	fake_create(in->fake, 20,
		    (const char *[]){ "Novak", NULL, "1", "true", "Brno", "C-20", NULL });
}

static void eight_rows(struct world *in)
{
	assert_int_equal(rows(in), 8);
}

/* five records of one stamp over pages of three */
static void same_stamp(struct world *in)
{
	for (unsigned i = 1; i <= 5; i++)
		fake_set(in->fake, i, "City", "Lyon");
}

static void five_in_lyon(struct world *in)
{
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact WHERE city = 'Lyon'"), 5);
}

/* stamped before the last bound, shown after it */
static void late_commit(struct world *in)
{
	struct fake_record *late;

	world_wait(in, -3600);
	late = fake_create(in->fake, 21,
			   (const char *[]){ "Late", NULL, "1", "true", "Brno", "C-21", NULL });
	late->stamp_ms -= (int64_t)9 * 60 * 1000;
	late->shows_ms = in->fake->now_ms + 1;
	world_wait(in, 60);
}

/* positions that expire */
static void expires_in_load(struct world *in)
{
	in->fake->expire_at = 3;
}

static void expires_in_changes(struct world *in)
{
	same_stamp(in);
	in->fake->expire_at = in->fake->calls + 3;
}

static void always_expires(struct world *in)
{
	in->fake->fail_at = 2;
	in->fake->fail_count = 100;
	error_set(&in->fake->fail, ERROR_STALE, "INVALID_QUERY_LOCATOR", "gone");
}

static void fails_from(struct world *in, unsigned call, unsigned count, enum error_kind kind,
		       const char *code)
{
	in->fake->fail_at = in->fake->calls + call;
	in->fake->fail_count = count;
	error_set(&in->fake->fail, kind, code, "not now");
}

static void hiccup_describe(struct world *in)
{
	fails_from(in, 1, 3, ERROR_RETRY, "SERVER_UNAVAILABLE");
}

static void hiccup_first_page(struct world *in)
{
	fails_from(in, 2, 2, ERROR_RETRY, "SERVER_UNAVAILABLE");
}

static void hiccup_second_page(struct world *in)
{
	fails_from(in, 3, 2, ERROR_RETRY, "SERVER_UNAVAILABLE");
}

static void down_for_long(struct world *in)
{
	fails_from(in, 3, 100, ERROR_RETRY, "SERVER_UNAVAILABLE");
}

static void quota_spent(struct world *in)
{
	fails_from(in, 3, 1, ERROR_QUOTA, "REQUEST_LIMIT_EXCEEDED");
}

static void first_page_kept(struct world *in)
{
	int64_t read;

	assert_int_equal(rows(in), 3);
	assert_string_equal(world_text(in, "SELECT outcome FROM leadsync_runs"), "failed");
	assert_string_equal(world_text(in, "SELECT phase FROM leadsync_cursor"), "load");
	in->fake->fail_at = 0;
	world_run(in);
	read = in->counts.read;
	assert_int_equal(read, 4); /* not the first page again */
	world_assert_equal(in);
}

static void quota_at_once(struct world *in)
{
	assert_int_equal(in->fake->calls, 3);
	first_page_kept(in);
}

static void quota_before_anything(struct world *in)
{
	fails_from(in, 1, 100, ERROR_QUOTA, "REQUEST_LIMIT_EXCEEDED");
}

static void failures_collapse(struct world *in)
{
	world_run_any(in, false);
	world_run_any(in, false);
	assert_int_equal(world_int(in,
				   "SELECT count(*) FROM leadsync_runs WHERE outcome = 'failed'"),
			 1);
	assert_int_equal(world_int(in,
				   "SELECT repeats FROM leadsync_runs WHERE outcome = 'failed'"),
			 3);
}

/* deletions */
static void loaded_mark(struct world *in)
{
	in->job.on_delete = RUN_DELETE_MARK;
	loaded(in);
}

static void loaded_row(struct world *in)
{
	in->job.on_delete = RUN_DELETE_ROW;
	loaded(in);
}

static void deleted(struct world *in)
{
	fake_delete(in->fake, 2);
}

static void row_kept(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_string_equal(
		world_text(in, "SELECT is_deleted FROM contact WHERE last_name = 'Nilsson'"), "0");
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link WHERE state = 1"), 1);
}

static void row_marked(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_string_equal(
		world_text(in, "SELECT is_deleted FROM contact WHERE last_name = 'Nilsson'"), "1");
}

static void row_deleted(struct world *in)
{
	assert_int_equal(rows(in), 6);
}

static void loaded_with_invoice(struct world *in)
{
	loaded_row(in);
	world_sql(in, "CREATE TABLE invoice (contact INTEGER REFERENCES contact(id));"
		      "INSERT INTO invoice SELECT id FROM contact WHERE last_name = 'Weber'");
}

static void third_deleted(struct world *in)
{
	fake_delete(in->fake, 3);
}

static void row_refused_to_go(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link JOIN contact ON id = key"
				       " WHERE state = 1 AND last_name = 'Weber'"),
			 1);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_rejects"
				       " WHERE remedy LIKE '%by hand%'"),
			 1);
	/* Shown once more by the overlap: still listed. */
	world_wait(in, 60);
	world_run(in);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_rejects"), 1);
}

static void then_deleted(struct world *in)
{
	fake_delete(in->fake, 2);
	world_wait(in, 60);
	world_run(in);
	world_wait(in, 3600);
}

static void gone_keep(struct world *in)
{
	loaded(in);
	then_deleted(in);
}

static void gone_mark(struct world *in)
{
	loaded_mark(in);
	then_deleted(in);
}

static void gone_row(struct world *in)
{
	loaded_row(in);
	then_deleted(in);
}

static void undeleted(struct world *in)
{
	fake_undelete(in->fake, 2);
}

static void all_back(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link WHERE state = 0"), 7);
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact WHERE is_deleted = 1"), 0);
}

static void never_linked(struct world *in)
{
	created(in);
	fake_delete(in->fake, 20);
}

static void no_trace(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link"), 7);
}

/* merges */
static int64_t old_key;

static void merged_into_new(struct world *in)
{
	old_key = world_int(in, "SELECT id FROM contact WHERE last_name = 'Nilsson'");
	created(in);
	fake_merge(in->fake, 2, 20);
}

static void row_inherited(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(world_int(in, "SELECT id FROM contact WHERE last_name = 'Novak'"),
			 old_key);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_lineage"), 1);
}

static void merged_into_known(struct world *in)
{
	fake_merge(in->fake, 2, 3);
}

static void loser_deleted(struct world *in)
{
	assert_int_equal(rows(in), 6);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_lineage"), 1);
}

static void merge_chain(struct world *in)
{
	merged_into_new(in);
	fake_create(in->fake, 30,
		    (const char *[]){ "Last", NULL, "1", "true", "Brno", "C-30", NULL });
	fake_merge(in->fake, 20, 30);
	/* The middle one never lived long enough to be seen alive. */
}

static void chain_inherited(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(world_int(in, "SELECT id FROM contact WHERE last_name = 'Last'"), old_key);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_lineage"), 2);
}

/* rejects */
static void bad_score(struct world *in)
{
	fake_set(in->fake, 2, "Score__c", "much");
	fake_set(in->fake, 3, "City", "Lyon");
}

static void listed(struct world *in)
{
	assert_string_equal(world_text(in, "SELECT code || ' ' || field FROM leadsync_rejects"),
			    "bad-value Score__c");
	assert_string_equal(world_text(in, "SELECT score FROM contact WHERE last_name = 'Nilsson'"),
			    "0");
	assert_string_equal(world_text(in, "SELECT city FROM contact WHERE last_name = 'Weber'"),
			    "Lyon");
}

static void with_reject(struct world *in)
{
	loaded(in);
	bad_score(in);
	world_wait(in, 60);
	world_run(in);
	world_wait(in, 3600);
}

static void mended(struct world *in)
{
	fake_set(in->fake, 2, "Score__c", "5");
}

static void mended_as_before(struct world *in)
{
	fake_set(in->fake, 2, "Score__c", "0");
}

static void not_listed(struct world *in)
{
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_rejects"), 0);
}

/* mapping */
static void grown(struct world *in)
{
	world_map(in, "Age__c", "age");
}

static void ages_filled(struct world *in)
{
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact WHERE age = 30"), 7);
}

static struct fake_field *city(struct world *in)
{
	return &in->fake->fields[4];
}

static void city_hidden(struct world *in)
{
	city(in)->gone = true;
	fake_set(in->fake, 1, "LastName", "Renamed");
}

static void city_kept(struct world *in)
{
	assert_int_equal(in->counts.set_aside, 1);
	assert_string_equal(world_text(in, "SELECT city FROM contact WHERE last_name = 'Renamed'"),
			    "Paris");
}

static void city_was_hidden(struct world *in)
{
	loaded(in);
	city(in)->gone = true;
	world_run(in);
	world_wait(in, 3600);
	fake_set(in->fake, 1, "City", "Lyon"); /* while we cannot see it */
	world_wait(in, 60);
	world_run(in);
	world_wait(in, 3600 * 24);
}

static void city_back(struct world *in)
{
	city(in)->gone = false;
}

static void lyon_seen(struct world *in)
{
	assert_string_equal(world_text(in, "SELECT city FROM contact WHERE last_name = 'Okafor'"),
			    "Lyon");
}

static void everything_hidden(struct world *in)
{
	for (size_t i = 0; i < in->fake->field_count; i++)
		in->fake->fields[i].gone = true;
	world_unmap(in, "IsDeleted");
}

/* tables of others */
static void foreign_table(struct world *in)
{
	world_sql(in,
		  "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name "
		  "VARCHAR(80), email TEXT"
		  " COLLATE NOCASE, score REAL, active BOOLEAN NOT NULL, city TEXT, is_deleted INT,"
		  " made TEXT NOT NULL DEFAULT 'them');"
		  "INSERT INTO contact (id, last_name, active) VALUES (100, 'Theirs', 1)");
}

static void theirs_untouched(struct world *in)
{
	assert_int_equal(rows(in), 8);
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact WHERE made = 'them'"), 8);
	assert_string_equal(world_text(in, "SELECT typeof(score) FROM contact WHERE last_name ="
					   " 'Okafor'"),
			    "real");
}

static void foreign_full(struct world *in)
{
	foreign_table(in);
	loaded(in);
}

static void foreign_text_key(struct world *in)
{
	world_sql(
		in,
		"CREATE TABLE contact (id TEXT NOT NULL UNIQUE DEFAULT (lower(hex(randomblob(8)))),"
		" last_name TEXT, email TEXT, score TEXT, active INT, city TEXT, is_deleted INT)");
}

static void keys_are_text(struct world *in)
{
	assert_int_equal(world_int(in,
				   "SELECT count(*) FROM contact AS c JOIN leadsync_link AS l ON"
				   " l.key = c.id WHERE length(c.id) = 16"),
			 7);
}

static void foreign_unique(struct world *in)
{
	world_sql(in, "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT, "
		      "email TEXT,"
		      " score TEXT, active INT, city TEXT UNIQUE, is_deleted INT)");
}

static void two_more_from_paris(struct world *in)
{
	assert_int_equal(rows(in), 4); /* Paris, Oslo, Roma and none */
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_rejects WHERE code ="
				       " 'constraint' AND field = 'City'"),
			 3);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link"), 4);
}

/* natural keys */
static void natural(struct world *in)
{
	in->job.key = "number";
	world_map(in, "Number__c", "number");
}

static void natural_with_rows(struct world *in)
{
	natural(in);
	world_sql(in,
		  "CREATE TABLE contact (number TEXT NOT NULL PRIMARY KEY, last_name TEXT,"
		  " email TEXT, score TEXT, active INT, city TEXT, is_deleted INT, note TEXT);"
		  "INSERT INTO contact (number, last_name, note) VALUES ('C-2', 'Older', 'mine'),"
		  " ('X-1', 'Alone', 'mine')");
}

static void row_taken_over(struct world *in)
{
	assert_int_equal(rows(in), 8);
	assert_string_equal(world_text(in, "SELECT last_name || note FROM contact WHERE number ="
					   " 'C-2'"),
			    "Nilssonmine");
	assert_string_equal(world_text(in, "SELECT last_name FROM contact WHERE number = 'X-1'"),
			    "Alone");
}

static void natural_loaded(struct world *in)
{
	natural(in);
	loaded(in);
}

static void number_changed(struct world *in)
{
	fake_set(in->fake, 2, "Number__c", "C-22");
}

static void key_moved(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_string_equal(world_text(in,
				       "SELECT key FROM leadsync_link JOIN contact ON number = key"
				       " WHERE last_name = 'Nilsson'"),
			    "C-22");
}

static void number_twice(struct world *in)
{
	created(in);
	fake_set(in->fake, 20, "Number__c", "C-3");
}

static void second_refused(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_string_equal(world_text(in, "SELECT code || ' ' || field FROM leadsync_rejects"),
			    "key-taken Number__c");
}

/* two records of one page, and a row that nobody has yet */
static void natural_twice_with_row(struct world *in)
{
	natural_with_rows(in);
	fake_set(in->fake, 3, "Number__c", "C-2");
}

static void taken_over_once(struct world *in)
{
	assert_int_equal(rows(in), 7); /* 'X-1' is nobody's */
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link WHERE key = 'C-2'"), 1);
	assert_string_equal(world_text(in, "SELECT code || ' ' || field FROM leadsync_rejects"),
			    "key-taken Number__c");
}

static void all_on_one_page(struct world *in)
{
	in->fake->page_size = 100;
}

/* keys that the table folds */
static void natural_folded(struct world *in)
{
	natural(in);
	world_sql(in, "CREATE TABLE contact (number TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,"
		      " last_name TEXT, email TEXT, score TEXT, active INTEGER, city TEXT,"
		      " is_deleted INTEGER)");
	loaded(in);
}

static void same_number_in_small(struct world *in)
{
	created(in);
	fake_set(in->fake, 20, "Number__c", "c-2");
}

static void second_folded_refused(struct world *in)
{
	second_refused(in);
	assert_string_equal(world_text(in, "SELECT last_name || number FROM contact"
					   " WHERE number = 'C-2'"),
			    "NilssonC-2");
}

static void number_empty(struct world *in)
{
	created(in);
	fake_set(in->fake, 20, "Number__c", NULL);
}

static void keyless_refused(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_string_equal(world_text(in, "SELECT code FROM leadsync_rejects"), "key-missing");
}

static void number_inherited(struct world *in)
{
	fake_delete(in->fake, 2);
	created(in);
	fake_set(in->fake, 20, "Number__c", "C-2");
}

static void row_passed_on(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_string_equal(world_text(in, "SELECT last_name FROM contact WHERE number = 'C-2'"),
			    "Novak");
}

/* whose */
static void other_org(struct world *in)
{
	in->fake->org_id = "00D000000000002EAA";
	fake_set(in->fake, 1, "City", "Lyon");
}

static void other_daemon(struct world *in)
{
	in->instance = "theirs";
}

static void from_the_future(struct world *in)
{
	world_sql(in, "UPDATE leadsync_ledger SET steps = 99");
}

static void untouched(struct world *in)
{
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_runs"), 1);
	assert_string_equal(world_text(in, "SELECT city FROM contact WHERE last_name = 'Okafor'"),
			    "Paris");
	assert_int_equal(in->err.kind, ERROR_STATE);
}

/* out of sight */
static void two_hidden(struct world *in)
{
	fake_find(in->fake, 2)->hidden = true;
	fake_find(in->fake, 5)->hidden = true;
}

static void two_parked(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link WHERE state = 2"), 2);
	assert_int_equal(world_int(in, "SELECT compare_owed FROM leadsync_cursor"), 0);
}

static void hidden_for_long(struct world *in)
{
	loaded(in);
	two_hidden(in);
	world_run_full(in);
	two_parked(in);
	world_wait(in, 3600);
}

static void a_month_of_hiding(struct world *in)
{
	hidden_for_long(in);
	world_wait(in, 16 * 86400);
}

static void all_live(struct world *in)
{
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link WHERE state = 0"), 7);
}

static void shown_again(struct world *in)
{
	fake_find(in->fake, 2)->hidden = false;
	fake_find(in->fake, 5)->hidden = false;
}

static void paris_only(struct world *in)
{
	in->job.where = "City = 'Paris'";
}

static void three_parked(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link WHERE state = 2"), 3);
}

static void paris_loaded(struct world *in)
{
	paris_only(in);
	loaded(in);
	assert_int_equal(rows(in), 4);
}

static void everywhere(struct world *in)
{
	in->job.where = NULL;
}

static void a_month_off(struct world *in)
{
	fake_delete(in->fake, 2);
	fake_find(in->fake, 2)->purged = true; /* the bin has forgotten it */
	world_wait(in, 3600 * 24 * 30);
}

static void one_parked(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link WHERE state = 2"), 1);
}

static void purged_between_runs(struct world *in)
{
	fake_find(in->fake, 2)->purged = true;
	for (unsigned day = 0; day < 8; day++) {
		world_wait(in, 86400);
		world_run(in);
	}
}

static void left_where(struct world *in)
{
	fake_set(in->fake, 1, "City", "Lyon");
	for (unsigned day = 0; day < 2; day++) {
		world_wait(in, 86400);
		world_run(in);
	}
}

static void lyon_parked(struct world *in)
{
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link WHERE state = 2"), 1);
}

/* edits on our side */
static void row_edited(struct world *in)
{
	world_sql(in,
		  "UPDATE contact SET city = 'Here', email = 'here' WHERE last_name = 'Nilsson'");
}

static void edited_and_changed(struct world *in)
{
	row_edited(in);
	fake_set(in->fake, 2, "Score__c", "9");
}

static void put_back(struct world *in)
{
	assert_string_equal(world_text(in, "SELECT city FROM contact WHERE last_name = 'Nilsson'"),
			    "Oslo");
}

static void row_removed(struct world *in)
{
	world_sql(in, "DELETE FROM contact WHERE last_name = 'Nilsson'");
}

static void stays_removed(struct world *in)
{
	assert_int_equal(rows(in), 6);
}

static void removed_and_changed(struct world *in)
{
	row_removed(in);
	fake_set(in->fake, 2, "Score__c", "9");
}

static void equal_already(struct world *in)
{
	world_sql(in, "UPDATE contact SET score = '9.00' WHERE last_name = 'Nilsson'");
	fake_set(in->fake, 2, "Score__c", "9");
}

static void not_rewritten(struct world *in)
{
	assert_string_equal(world_text(in, "SELECT score FROM contact WHERE last_name = 'Nilsson'"),
			    "9.00");
}

static void table_dropped(struct world *in)
{
	world_sql(in, "DROP TABLE contact");
}

/* conf */
static void other_table(struct world *in)
{
	in->job.table = "person";
}

static void nothing_made(struct world *in)
{
	assert_int_equal(world_int(in, "SELECT count(*) FROM sqlite_schema WHERE name = 'person'"),
			 0);
}

static void mark_without_column(struct world *in)
{
	in->job.on_delete = RUN_DELETE_MARK;
	world_unmap(in, "IsDeleted");
}

/* one answer said tomorrow */
static void a_day_ahead_once(struct world *in)
{
	loaded(in);
	world_wait(in, 86400);
	world_run(in);
	world_wait(in, -86400 + 60);
	fake_set(in->fake, 1, "City", "Lyon");
	fake_delete(in->fake, 2);
	world_wait(in, 3600);
}

static void edited_and_deleted(struct world *in)
{
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact WHERE city = 'Lyon'"), 1);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link WHERE state = 1"), 1);
}

/* the last record of a page is edited while paging, then the next page fails */
static void nine_over_three_hours(struct world *in)
{
	loaded(in);
	for (unsigned i = 8; i <= 9; i++)
		fake_create(in->fake, i,
			    (const char *[]){ "More", NULL, "1", "true", "Brno", NULL, NULL });
	for (unsigned i = 1; i <= 9; i++) {
		world_wait(in, 1200);
		fake_set(in->fake, i, "City", "Lyon");
	}
	world_wait(in, 7200);
}

static void edit_sixth(struct fake *fake, unsigned call, void *arg)
{
	(void)arg;
	if (call == fake->fail_at - 1)
		fake_set(fake, 6, "Email", "again@example.com");
}

static void sixth_edited_then_cut_off(struct world *in)
{
	in->fake->on_call = edit_sixth;
	in->fake->fail_at = 4; /* describe, page 1, page 2 (edited before), page 3 */
	in->fake->fail_count = 1;
	error_set(&in->fake->fail, ERROR_RETRY, "reset", "connection reset");
}

static void nine_in_lyon(struct world *in)
{
	in->fake->on_call = NULL;
	world_wait(in, 60);
	world_run(in);
	world_assert_equal(in);
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact WHERE city = 'Lyon'"), 9);
}

static void pages_repeat(struct world *in)
{
	same_stamp(in);
	in->fake->repeats = true;
}

static void asked_a_few_times(struct world *in)
{
	assert_true(in->fake->calls < 60);
}

static void long_ago(struct world *in)
{
	in->fake->now_ms = 1000;
}

/* changes while a run is under way */
static void edit_on_call(struct fake *fake, unsigned call, void *arg)
{
	(void)arg;
	if (call == 3) {
		fake_set(fake, 1, "City", "Lyon"); /* on a page already read */
		fake_delete(fake, 7);              /* on a page to come */
	}
}

static void edited_meanwhile(struct world *in)
{
	in->fake->on_call = edit_on_call;
}

static void settled_next_time(struct world *in)
{
	in->fake->on_call = NULL;
	world_wait(in, 60);
	world_run(in);
	world_assert_equal(in);
}

static const struct scenario scenarios[] = {
	{ "first load", NULL, NULL, seven_rows },
	{ "nobody there", nobody, NULL, no_rows },
	{ "one field of one record", loaded, new_email, one_updated },
	{ "only the column that differs", watched_columns, new_email, only_email_touched,
	  .not_cut = true },
	{ "a new record", loaded, created, eight_rows },
	{ "one stamp over a page's end", loaded, same_stamp, five_in_lyon },
	{ "shown after its stamp", loaded, late_commit, eight_rows },
	{ "position lost in a load", NULL, expires_in_load, seven_rows },
	{ "position lost in an increment", loaded, expires_in_changes, five_in_lyon },
	{ "position always lost", NULL, always_expires, NULL, .fails = "INVALID_QUERY_LOCATOR" },
	{ "hiccups at describe", NULL, hiccup_describe, seven_rows },
	{ "hiccups at the first page", NULL, hiccup_first_page, seven_rows },
	{ "hiccups at the second page", NULL, hiccup_second_page, seven_rows },
	{ "down for long", NULL, down_for_long, first_page_kept, .fails = "SERVER_UNAVAILABLE" },
	{ "quota spent", NULL, quota_spent, quota_at_once, .fails = "REQUEST_LIMIT_EXCEEDED" },
	{ "the same failure again", loaded, quota_before_anything, failures_collapse,
	  .fails = "REQUEST_LIMIT_EXCEEDED" },
	{ "deleted, keep", loaded, deleted, row_kept },
	{ "deleted, mark", loaded_mark, deleted, row_marked },
	{ "deleted, delete", loaded_row, deleted, row_deleted },
	{ "deleted, but the table keeps the row", loaded_with_invoice, third_deleted,
	  row_refused_to_go, .odd = true },
	{ "undeleted, keep", gone_keep, undeleted, all_back },
	{ "undeleted, mark", gone_mark, undeleted, all_back },
	{ "undeleted, delete", gone_row, undeleted, all_back },
	{ "deleted before it was seen", loaded, never_linked, no_trace },
	{ "merged into a new one", loaded_row, merged_into_new, row_inherited },
	{ "merged into one with a row", loaded_row, merged_into_known, loser_deleted },
	{ "merged twice", loaded_row, merge_chain, chain_inherited },
	{ "merged into a new one, keep", loaded, merged_into_new, row_inherited },
	{ "a bad value", loaded, bad_score, listed },
	{ "a bad value mended", with_reject, mended, not_listed },
	{ "a bad value taken back", with_reject, mended_as_before, not_listed },
	{ "the mapping grows", loaded, grown, ages_filled },
	{ "a field hidden", loaded, city_hidden, city_kept, .not_cut = true },
	{ "a field back", city_was_hidden, city_back, lyon_seen },
	{ "every field hidden", loaded, everything_hidden, NULL, .fails = "no-fields" },
	{ "a table of others", foreign_table, NULL, theirs_untouched },
	{ "a table of others again", foreign_full, new_email, one_updated },
	{ "a table with text keys", foreign_text_key, NULL, keys_are_text },
	{ "a table that refuses a record", foreign_unique, NULL, two_more_from_paris },
	{ "natural key", natural, NULL, NULL },
	{ "natural key, rows there", natural_with_rows, NULL, row_taken_over },
	{ "natural key changed", natural_loaded, number_changed, key_moved },
	{ "natural key twice", natural_loaded, number_twice, second_refused },
	{ "natural key twice on a page, row there", natural_twice_with_row, all_on_one_page,
	  taken_over_once },
	{ "natural key twice, folded", natural_folded, same_number_in_small,
	  second_folded_refused },
	{ "natural key empty", natural_loaded, number_empty, keyless_refused },
	{ "natural key passed on", natural_loaded, number_inherited, row_passed_on },
	{ "another org", loaded, other_org, untouched, .fails = "other-org" },
	{ "another daemon", loaded, other_daemon, untouched, .fails = "other-instance" },
	{ "a newer ledger", loaded, from_the_future, untouched, .fails = "newer-ledger" },
	{ "a full read, two out of sight", loaded, two_hidden, two_parked, .full = true },
	{ "in sight again", hidden_for_long, shown_again, all_back, .full = true },
	{ "in sight again, compared", a_month_of_hiding, shown_again, all_live },
	{ "where narrowed", loaded, paris_only, three_parked },
	{ "where widened", paris_loaded, everywhere, seven_rows },
	{ "a month without us", loaded, a_month_off, one_parked },
	{ "purged between two runs", loaded, purged_between_runs, one_parked, .not_cut = true },
	{ "a record that left where", paris_loaded, left_where, lyon_parked, .not_cut = true },
	{ "a row edited, its record changed", loaded, edited_and_changed, put_back },
	{ "a row edited, a full read", loaded, row_edited, put_back, .full = true },
	{ "a row removed", loaded, row_removed, stays_removed, .odd = true },
	{ "a row removed, its record changed", loaded, removed_and_changed, all_back },
	{ "a row removed, a full read", loaded, row_removed, all_back, .full = true },
	{ "a row that is equal already", loaded, equal_already, not_rewritten },
	{ "the table dropped", loaded, table_dropped, seven_rows },
	{ "the job turned to another table", loaded, other_table, nothing_made,
	  .fails = "job-changed" },
	{ "mark without a column", NULL, mark_without_column, NULL, .fails = "no-mark-column" },
	{ "a server's clock a day ahead once", a_day_ahead_once, NULL, edited_and_deleted },
	{ "a server's clock without a date", loaded, long_ago, NULL, .fails = "server-clock" },
	{ "edited on the page before a cut", nine_over_three_hours, sixth_edited_then_cut_off,
	  nine_in_lyon, .odd = true, .not_cut = true },
	{ "a page that is its own next, in a load", NULL, pages_repeat, asked_a_few_times,
	  .fails = "no-progress" },
	{ "a page that is its own next", loaded, pages_repeat, asked_a_few_times,
	  .fails = "no-progress" },
	{ "edits during the load", NULL, edited_meanwhile, settled_next_time, .odd = true,
	  .not_cut = true },
};

static struct world *begin(const struct scenario *of)
{
	struct world *in = world_new();

	if (of->before)
		of->before(in);
	in->fake->calls = 0;
	if (of->change)
		of->change(in);
	world_wait(in, 60);
	return in;
}

static void check(const struct scenario *of, struct world *in)
{
	if (!of->odd)
		world_assert_equal(in);
	if (of->after)
		of->after(in);
}

/* What is left to do after a cut is done by plain runs. */
static void resume(const struct scenario *of, struct world *in)
{
	in->fake->fail_at = in->fake->expire_at = in->fake->hang_at = 0;
	if (of->full)
		world_run_full(in);
	else
		world_run(in);
	check(of, in);
	world_assert_idle(in);
}

static void plainly(const struct scenario *of)
{
	struct world *in = begin(of);

	world_run_any(in, of->full);
	if (of->fails) {
		assert_true(in->failed);
		assert_string_equal(in->err.code, of->fails);
	} else {
		if (in->failed)
			fail_msg("%s: %s", in->err.code, in->err.text);
		check(of, in);
		if (of->after != settled_next_time)
			world_assert_idle(in);
	}
	if (of->fails && of->after)
		of->after(in);
	world_free(in);
}

static bool cut_at_call(const struct scenario *of, unsigned call)
{
	struct world *in = begin(of);
	bool cut;

	in->fake->hang_at = call;
	world_run_any(in, of->full);
	cut = !in->done;
	if (cut) {
		world_reopen(in);
		resume(of, in);
		assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_runs WHERE outcome ="
					       " 'running'"),
				 0);
	}
	world_free(in);
	return cut;
}

static bool cut_at_commit(const struct scenario *of, unsigned commit)
{
	struct world *in = begin(of);
	bool cut;

	world_snap_at(in, commit);
	world_run_any(in, of->full);
	cut = world_snap_restore(in);
	if (cut)
		resume(of, in);
	world_free(in);
	return cut;
}

static void play(void **state)
{
	const struct scenario *of = *state;

	plainly(of);
	if (of->fails || of->not_cut)
		return;
	for (unsigned call = 1; cut_at_call(of, call); call++)
		;
	for (unsigned commit = 1; cut_at_commit(of, commit); commit++)
		;
}

int main(int argc, char **argv)
{
	enum { COUNT = sizeof(scenarios) / sizeof(scenarios[0]) };
	struct CMUnitTest tests[COUNT];
	size_t count = 0;

	for (size_t i = 0; i < COUNT; i++)
		if (argc < 2 || strcmp(argv[1], scenarios[i].name) == 0)
			tests[count++] =
				(struct CMUnitTest){ .name = scenarios[i].name,
						     .test_func = play,
						     .initial_state = (void *)&scenarios[i] };
	return _cmocka_run_group_tests("scenarios", tests, count, NULL, NULL);
}
