/* Which row is which record: matched, made on either side, deleted on either side, merged, out of
 * sight; and what other programs may do to the rows of a table. */
#include <stdio.h>
#include <string.h>

#include "two_way.h"

/* --- rows that are there before the first run --- */

static void nilsson_here(struct world *in)
{
	world_sql(in, "INSERT INTO contact (last_name, email, city, active) VALUES"
		      " ('Nilsson', 'b.nilsson@example.com', 'Bergen', 0)");
}

static void seven_pairs(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(fake_alive(in->fake), 7);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link WHERE state = 0"
				       " AND key IS NOT NULL"),
			 7);
}

static void matched_oslo(struct world *in)
{
	seven_pairs(in);
	both_hold(in, 2, "City", "city", "Oslo");
	assert_int_equal(world_conflicts(in, "first-match", "City", "remote"), 1);
}

static void nilsson_here_local(struct world *in)
{
	nilsson_here(in);
	world_both(in, "City", FIELD_RULE_LOCAL, FIELD_BLANK_CLEAR);
}

static void matched_bergen(struct world *in)
{
	seven_pairs(in);
	both_hold(in, 2, "City", "city", "Bergen");
	assert_int_equal(world_conflicts(in, "first-match", "City", "local"), 1);
}

static void nilsson_here_manual(struct world *in)
{
	nilsson_here(in);
	world_both(in, "City", FIELD_RULE_MANUAL, FIELD_BLANK_CLEAR);
}

static void matched_neither(struct world *in)
{
	seven_pairs(in);
	record_holds(in, 2, "City", "Oslo");
	row_holds(in, 2, "city", "Bergen");
	assert_int_equal(world_open_conflicts(in, "City"), 1);
}

static void silva_here_nonblank(struct world *in)
{
	world_sql(in, "INSERT INTO contact (last_name, email, city, active) VALUES"
		      " ('Silva', 'f.silva@example.com', 'Porto', 1)");
	world_both(in, "City", FIELD_RULE_NONBLANK, FIELD_BLANK_CLEAR);
}

static void matched_porto(struct world *in)
{
	seven_pairs(in);
	both_hold(in, 6, "City", "city", "Porto");
	/* What the row had none of came from there. */
	both_hold(in, 6, "Score__c", "score", "7.1");
	assert_int_equal(world_conflicts(in, NULL, "City", NULL), 0);
}

static void nilsson_in_capitals(struct world *in)
{
	world_sql(in, "INSERT INTO contact (last_name, email, city, active) VALUES"
		      " ('Nilsson', 'B.Nilsson@Example.COM', 'Oslo', 0)");
}

static void matched_folded(struct world *in)
{
	seven_pairs(in);
	both_hold(in, 2, "Email", "email", "b.nilsson@example.com");
}

static void weber_without_email(struct world *in)
{
	world_sql(in, "INSERT INTO contact (last_name, city, active) VALUES"
		      " ('Weber', 'Paris', 1)");
}

static void two_webers(struct world *in)
{
	assert_int_equal(rows(in), 8);
	assert_int_equal(fake_alive(in->fake), 8);
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact WHERE last_name = 'Weber'"),
			 2);
}

static void two_nilssons_here(struct world *in)
{
	nilsson_here(in);
	nilsson_here(in);
}

static void nobody_guessed(struct world *in)
{
	assert_true(world_conflicts(in, "several-matches", NULL, "") >= 1);
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact WHERE city = 'Bergen'"), 2);
	assert_int_equal(rows(in), 8);
	assert_int_equal(fake_alive(in->fake), 7);
	record_holds(in, 2, "City", "Oslo");
	assert_int_equal(in->fake->writes, 0);
}

static void two_nilssons_there(struct world *in)
{
	nilsson_here(in);
	world_person(in, 8, "Nilsson", "b.nilsson@example.com");
}

static void neither_guessed(struct world *in)
{
	assert_true(world_conflicts(in, "several-matches", NULL, "") >= 1);
	assert_int_equal(fake_alive(in->fake), 8);
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact AS c JOIN leadsync_link AS l"
				       " ON l.key = c.id WHERE c.city = 'Bergen'"),
			 0);
	assert_int_equal(in->fake->writes, 0);
}

static void not_guessed(struct world *in)
{
	two_nilssons_here(in);
	world_run(in);
	world_wait(in, 3600);
	nobody_guessed(in);
}

static void one_is_another(struct world *in)
{
	world_sql(in, "UPDATE contact SET email = 'other@example.com', last_name = 'Other'"
		      " WHERE id = (SELECT max(id) FROM contact WHERE city = 'Bergen')");
}

static void both_are_somebody(struct world *in)
{
	assert_int_equal(rows(in), 8);
	assert_int_equal(fake_alive(in->fake), 8);
	assert_non_null(fake_with(in->fake, "LastName", "Other"));
	assert_int_equal(world_open_conflicts(in, NULL), 0);
}

static void matched_by_two_fields(struct world *in)
{
	in->match[1] = "City";
	in->job.match_count = 2;
	nilsson_here(in);
}

static void only_half_a_match(struct world *in)
{
	assert_int_equal(rows(in), 8);
	assert_int_equal(fake_alive(in->fake), 8);
	record_holds(in, 2, "City", "Oslo");
}

/* A row of a pair is no candidate for another record. */
static void second_with_the_email(struct world *in)
{
	world_person(in, 8, "Namesake", "b.nilsson@example.com");
}

static void second_has_a_row(struct world *in)
{
	assert_int_equal(rows(in), 8);
	row_holds(in, 2, "last_name", "Nilsson");
	row_holds(in, 8, "last_name", "Namesake");
}

/* --- made here, made there --- */

static void record_made(struct world *in)
{
	world_person(in, 8, "Novak", "g.novak@example.com");
}

static void row_made(struct world *in)
{
	assert_int_equal(rows(in), 8);
	assert_int_equal(fake_alive(in->fake), 8);
	row_holds(in, 8, "last_name", "Novak");
	assert_int_equal(in->fake->writes, 0);
}

static void insert_novak(struct world *in)
{
	world_sql(in, "INSERT INTO contact (last_name, email, score, active, city) VALUES"
		      " ('Novak', 'g.novak@example.com', '3.5', 1, 'Brno')");
}

static struct fake_record *novak(struct world *in)
{
	struct fake_record *found = fake_with(in->fake, "LastName", "Novak");

	assert_non_null(found);
	return found;
}

static void novak_there(struct world *in)
{
	assert_int_equal(rows(in), 8);
	assert_int_equal(fake_alive(in->fake), 8);
	assert_string_equal(fake_value(in->fake, novak(in), "City"), "Brno");
	assert_int_equal(strlen(fake_value(in->fake, novak(in), WORLD_KEY)), 32);
	assert_int_equal(world_dues(in, NULL), 0);
}

static void one_upsert(struct world *in)
{
	assert_int_equal(in->fake->writes, 1);
	for (size_t i = 0; i < in->fake->log_count; i++)
		if (in->fake->log[i].kind == FAKE_WRITE)
			assert_int_equal(in->fake->log[i].operation, REMOTE_UPSERT);
}

static void insert_three(struct world *in)
{
	insert_novak(in);
	world_sql(in, "INSERT INTO contact (last_name, email) VALUES ('Two', 'two@example.com'),"
		      " ('Three', NULL)");
}

static void three_keys(struct world *in)
{
	const char *keys[3] = { fake_value(in->fake, novak(in), WORLD_KEY) };

	assert_int_equal(fake_alive(in->fake), 10);
	keys[1] = fake_value(in->fake, fake_with(in->fake, "LastName", "Two"), WORLD_KEY);
	keys[2] = fake_value(in->fake, fake_with(in->fake, "LastName", "Three"), WORLD_KEY);
	assert_string_not_equal(keys[0], keys[1]);
	assert_string_not_equal(keys[1], keys[2]);
}

/* A row that matches a record which was there for long, and left out of every increment. */
static void insert_that_matches(struct world *in)
{
	drop(in, 2);
	world_run(in);
	nilsson_here(in);
}

static void lose_write(struct world *in, enum fake_fate fate)
{
	in->fake->lose_writes = 1;
	in->fake->fate = fate;
	in->fake->later_ms = (int64_t)5 * 60 * 1000;
}

/* The run after which nobody knows whether Novak was made. */
static void lost(struct world *in, enum fake_fate fate)
{
	loaded(in);
	insert_novak(in);
	world_wait(in, 60);
	lose_write(in, fate);
	world_run_any(in, false);
	assert_int_equal(in->fake->writes, 1);
	assert_int_equal(world_dues(in, "unknown"), 1);
	world_wait(in, 60);
}

static void lost_done(struct world *in)
{
	lost(in, FAKE_DONE);
}

static void lost_undone(struct world *in)
{
	lost(in, FAKE_NOT_DONE);
}

static void lost_later(struct world *in)
{
	lost(in, FAKE_DONE_LATER);
}

static void not_asked_again(struct world *in)
{
	assert_int_equal(fake_requests(in->fake, FAKE_WRITE), 0);
}

static void made_then_deleted(struct world *in)
{
	lost_done(in);
	fake_delete(in->fake, FAKE_MADE + 1);
}

static void tombstone(struct world *in)
{
	assert_int_equal(fake_alive(in->fake), 7);
	assert_null(fake_with(in->fake, "LastName", "Novak"));
	assert_int_equal(in->fake->made, 1);
}

static void edit_novak(struct world *in)
{
	world_sql(in, "UPDATE contact SET city = 'Praha' WHERE last_name = 'Novak'");
}

static void novak_in_praha(struct world *in)
{
	assert_int_equal(rows(in), 8);
	assert_int_equal(fake_alive(in->fake), 8);
	assert_string_equal(fake_value(in->fake, novak(in), "City"), "Praha");
	assert_string_equal(world_text(in, "SELECT city FROM contact WHERE last_name = 'Novak'"),
			    "Praha");
}

/* The one that carries our key is the pair, however well another matches. */
static void somebody_makes_novak(struct world *in)
{
	world_person(in, 8, "Impostor", "g.novak@example.com");
}

static void the_made_one_is_it(struct world *in)
{
	char sql[200];

	snprintf(sql, sizeof(sql),
		 "SELECT city FROM contact WHERE id = (SELECT key FROM leadsync_link WHERE"
		 " remote_id = '%s')",
		 novak(in)->id);
	assert_string_equal(world_text(in, sql), "Brno");
	assert_int_equal(rows(in), 9);
	assert_int_equal(fake_alive(in->fake), 9);
	row_holds(in, 8, "last_name", "Impostor");
}

static void edit_while_made(struct fake *fake, unsigned call, void *arg)
{
	struct world *in = arg;

	(void)call;
	if (fake->open_writes)
		edit_novak(in);
}

static void edited_while_made(struct world *in)
{
	insert_novak(in);
	in->fake->on_call = edit_while_made;
	in->fake->on_call_arg = in;
}

static void no_external_id(struct world *in)
{
	in->job.external_id = NULL;
	insert_novak(in);
	edit(in, 2, "city = 'Lyon'");
}

static void none_made(struct world *in)
{
	assert_int_equal(fake_alive(in->fake), 7);
	assert_int_equal(rows(in), 8);
	assert_int_equal(in->fake->made, 0);
	both_hold(in, 2, "City", "city", "Lyon");
}

static void unsafe(struct world *in)
{
	in->job.external_id = NULL;
	in->job.create_unsafe = true;
	insert_novak(in);
}

static void novak_without_key(struct world *in)
{
	assert_int_equal(rows(in), 8);
	assert_int_equal(fake_alive(in->fake), 8);
	assert_null(fake_value(in->fake, novak(in), WORLD_KEY));
}

static void rows_only(struct world *in)
{
	in->job.create_records = false;
	loaded(in);
}

static void records_only(struct world *in)
{
	loaded(in);
	in->job.create_rows = false;
}

static void both_made(struct world *in)
{
	insert_novak(in);
	world_person(in, 8, "There", "there@example.com");
}

static void novak_stays_here(struct world *in)
{
	assert_int_equal(fake_alive(in->fake), 8);
	assert_int_equal(rows(in), 9);
	assert_int_equal(in->fake->made, 0);
}

static void other_stays_there(struct world *in)
{
	assert_int_equal(fake_alive(in->fake), 9);
	assert_int_equal(rows(in), 8);
	assert_string_equal(fake_value(in->fake, novak(in), "City"), "Brno");
}

static void insert_incomplete(struct world *in)
{
	world_sql(in, "INSERT INTO contact (email) VALUES ('nameless@example.com')");
	edit(in, 2, "city = 'Lyon'");
}

static void nameless_listed(struct world *in)
{
	assert_int_equal(fake_alive(in->fake), 7);
	assert_int_equal(world_rejects(in, "REQUIRED_FIELD_MISSING", NULL), 1);
	both_hold(in, 2, "City", "city", "Lyon");
}

static void nameless(struct world *in)
{
	loaded(in);
	insert_incomplete(in);
	world_wait(in, 60);
	world_run(in);
	world_wait(in, 3600);
}

static void named(struct world *in)
{
	world_sql(in, "UPDATE contact SET last_name = 'Novak', city = 'Brno' WHERE last_name IS"
		      " NULL");
}

/* --- deletions --- */

static void loaded_delete_both(struct world *in)
{
	in->job.on_delete = RUN_DELETE_ROW;
	in->job.delete_remote = true;
	loaded(in);
}

static void loaded_mark(struct world *in)
{
	in->job.on_delete = RUN_DELETE_MARK;
	loaded(in);
}

static void row_dropped(struct world *in)
{
	drop(in, 2);
}

static void record_stays(struct world *in)
{
	assert_int_equal(rows(in), 6);
	assert_int_equal(fake_alive(in->fake), 7);
	assert_int_equal(in->fake->writes, 0);
}

static void record_went(struct world *in)
{
	assert_int_equal(rows(in), 6);
	assert_int_equal(fake_alive(in->fake), 6);
	assert_true(fake_find(in->fake, 2)->deleted);
	assert_int_equal(world_dues(in, NULL), 0);
}

static void one_delete(struct world *in)
{
	assert_int_equal(in->fake->writes, 1);
	assert_int_equal(in->counts.sent_deleted, 1);
}

static void record_deleted(struct world *in)
{
	fake_delete(in->fake, 2);
}

static void row_stays(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(fake_alive(in->fake), 6);
	assert_int_equal(in->fake->made, 0);
}

static void row_marked(struct world *in)
{
	row_stays(in);
	assert_string_equal(
		world_text(in, "SELECT is_deleted FROM contact WHERE last_name = 'Nilsson'"), "1");
}

static void both_deleted(struct world *in)
{
	row_dropped(in);
	record_deleted(in);
}

static void both_went(struct world *in)
{
	assert_int_equal(rows(in), 6);
	assert_int_equal(fake_alive(in->fake), 6);
}

static void edited_and_deleted_there(struct world *in)
{
	edit(in, 2, "city = 'Lyon'");
	world_wait(in, 60);
	record_deleted(in);
}

static void row_beats_delete(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact WHERE city = 'Lyon'"), 1);
	assert_int_equal(world_conflicts(in, "delete-edit", NULL, NULL), 1);
	assert_int_equal(in->fake->made, 0);
}

static void dropped_and_edited_there(struct world *in)
{
	row_dropped(in);
	world_wait(in, 60);
	fake_set(in->fake, 2, "City", "Lyon");
}

static void record_beats_delete(struct world *in)
{
	assert_int_equal(fake_alive(in->fake), 7);
	record_holds(in, 2, "City", "Lyon");
	assert_int_equal(world_conflicts(in, "delete-edit", NULL, NULL), 1);
}

static void long_deleted(struct world *in)
{
	loaded(in);
	record_deleted(in);
	world_wait(in, 60);
	world_run(in);
	world_wait(in, 3600);
}

static void edit_of_the_dead(struct world *in)
{
	world_sql(in, "UPDATE contact SET city = 'Lyon' WHERE last_name = 'Nilsson'");
}

static void not_made_again(struct world *in)
{
	assert_int_equal(fake_alive(in->fake), 6);
	assert_int_equal(in->fake->made, 0);
	assert_int_equal(in->fake->writes, 0);
}

static void consented(struct world *in)
{
	char id[19];

	fake_id(2, id);
	assert_int_equal(world_order(in, STORE_RESOLVE, id, NULL, TOLD_LOCAL), 1);
}

static void made_again(struct world *in)
{
	assert_int_equal(fake_alive(in->fake), 7);
	assert_int_equal(in->fake->made, 1);
	assert_int_equal(rows(in), 7);
}

static void undeleted(struct world *in)
{
	fake_undelete(in->fake, 2);
}

static void edited_then_undeleted(struct world *in)
{
	edit_of_the_dead(in);
	undeleted(in);
}

static void back_in_lyon(struct world *in)
{
	seven_pairs(in);
	both_hold(in, 2, "City", "city", "Lyon");
}

static void delete_on_call(struct fake *fake, unsigned call, void *arg)
{
	(void)call;
	(void)arg;
	if (fake->open_writes && !fake_find(fake, 2)->deleted)
		fake_delete(fake, 2);
}

/* Deleted by somebody at the very moment of our own deletion, or of our edit. */
static void dropped_and_deleted_meanwhile(struct world *in)
{
	row_dropped(in);
	in->fake->on_call = delete_on_call;
}

static void edited_and_deleted_meanwhile(struct world *in)
{
	edit(in, 2, "city = 'Lyon'");
	in->fake->on_call = delete_on_call;
}

static void lost_delete(struct world *in, enum fake_fate fate)
{
	loaded_delete_both(in);
	drop(in, 2);
	world_wait(in, 60);
	lose_write(in, fate);
	world_run_any(in, false);
	assert_int_equal(in->fake->writes, 1);
	world_wait(in, 60);
}

static void lost_delete_done(struct world *in)
{
	lost_delete(in, FAKE_DONE);
}

static void lost_delete_undone(struct world *in)
{
	lost_delete(in, FAKE_NOT_DONE);
}

static void lost_delete_later(struct world *in)
{
	lost_delete(in, FAKE_DONE_LATER);
}

/* --- merged, out of sight --- */

static void merged_with_edit(struct world *in)
{
	edit(in, 2, "score = '77'");
	world_person(in, 20, "Winner", NULL);
	fake_merge(in->fake, 2, 20);
}

static void row_inherited(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(fake_alive(in->fake), 7);
	row_holds(in, 20, "last_name", "Winner");
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_lineage"), 1);
}

static void second_hidden(struct world *in)
{
	fake_find(in->fake, 2)->hidden = true;
	edit(in, 2, "city = 'Lyon'");
}

static void nothing_lost(struct world *in)
{
	record_holds(in, 2, "City", "Oslo");
	row_holds(in, 2, "city", "Lyon");
	assert_int_equal(rows(in), 7);
	assert_int_equal(in->fake->made, 0);
}

static void was_hidden(struct world *in)
{
	loaded(in);
	second_hidden(in);
	world_wait(in, 60);
	world_run_full(in);
	world_wait(in, 3600);
	nothing_lost(in);
}

static void shown_again(struct world *in)
{
	fake_find(in->fake, 2)->hidden = false;
	fake_set(in->fake, 2, "Score__c", "9");
}

static void edit_arrived(struct world *in)
{
	both_hold(in, 2, "City", "city", "Lyon");
	both_hold(in, 2, "Score__c", "score", "9");
}

static void paris_only(struct world *in)
{
	in->job.where = "City = 'Paris'";
	loaded(in);
}

static void left_where(struct world *in)
{
	fake_set(in->fake, 1, "City", "Lyon");
	edit(in, 1, "last_name = 'Renamed'");
}

static void not_written(struct world *in)
{
	record_holds(in, 1, "LastName", "Okafor");
	record_holds(in, 1, "City", "Lyon");
	row_holds(in, 1, "last_name", "Renamed");
	assert_int_equal(fake_sent(in->fake, "LastName", 0), 0);
}

/* --- what other programs do to rows --- */

static void key_renamed(struct world *in)
{
	edit(in, 2, "id = 1000, city = 'Lyon'");
}

static void same_pair(struct world *in)
{
	seven_pairs(in);
	row_holds(in, 2, "id", "1000");
	both_hold(in, 2, "City", "city", "Lyon");
}

/* In the middle of the run that sends the row's edit: when its record is looked at once more, or
 * when the write is on its way. */
static struct world *renaming;
static bool renamed, at_guard;

static bool is_time(const struct fake *fake)
{
	const struct fake_request *last = &fake->log[fake->log_count - 1];

	return at_guard ? last->kind == FAKE_READ && last->order == REMOTE_PICKED
			: last->kind == FAKE_WRITE;
}

static void rename_on_call(struct fake *fake, unsigned call, void *arg)
{
	(void)call;
	(void)arg;
	if (!renamed && is_time(fake)) {
		renamed = true;
		edit(renaming, 2, "id = 1000");
	}
}

static void key_renamed_under_way(struct world *in)
{
	edit(in, 2, "city = 'Lyon'");
	renaming = in;
	renamed = at_guard = false;
	in->fake->on_call = rename_on_call;
}

static void key_renamed_at_guard(struct world *in)
{
	key_renamed_under_way(in);
	at_guard = true;
}

static void keys_swapped(struct world *in)
{
	world_sql(in, "BEGIN; CREATE TEMP TABLE two AS SELECT id, last_name FROM contact;"
		      "UPDATE contact SET id = -1 WHERE last_name = 'Nilsson';"
		      "UPDATE contact SET id = (SELECT id FROM two WHERE last_name = 'Nilsson')"
		      " WHERE last_name = 'Okafor';"
		      "UPDATE contact SET id = (SELECT id FROM two WHERE last_name = 'Okafor')"
		      " WHERE last_name = 'Nilsson'; DROP TABLE two; COMMIT");
}

static void names_as_before(struct world *in)
{
	seven_pairs(in);
	row_holds(in, 1, "last_name", "Okafor");
	row_holds(in, 2, "last_name", "Nilsson");
	assert_int_equal(in->fake->writes, 0);
}

static void made_anew(struct world *in, const char *email)
{
	char sql[400];

	snprintf(sql, sizeof(sql),
		 "CREATE TEMP TABLE old AS SELECT id FROM contact WHERE last_name = 'Nilsson';"
		 "DELETE FROM contact WHERE id = (SELECT id FROM old);"
		 "INSERT INTO contact (id, last_name, email, city, active)"
		 " SELECT id, 'Anew', '%s', 'Lyon', 0 FROM old; DROP TABLE old",
		 email);
	world_sql(in, sql);
}

static void same_key_same_email(struct world *in)
{
	made_anew(in, "b.nilsson@example.com");
}

static void matched_again(struct world *in)
{
	seven_pairs(in);
	/* As with any first match. */
	both_hold(in, 2, "City", "city", "Oslo");
	both_hold(in, 2, "LastName", "last_name", "Nilsson");
}

static void same_key_other_email(struct world *in)
{
	made_anew(in, "anew@example.com");
}

static void a_new_person(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(fake_alive(in->fake), 8);
	record_holds(in, 2, "LastName", "Nilsson");
	record_holds(in, 2, "City", "Oslo");
	assert_string_equal(fake_value(in->fake, fake_with(in->fake, "LastName", "Anew"), "Email"),
			    "anew@example.com");
}

static void replaced(struct world *in)
{
	world_sql(in, "INSERT OR REPLACE INTO contact (id, last_name, email, score, active, city)"
		      " SELECT id, last_name, email, score, active, 'Lyon' FROM contact WHERE"
		      " last_name = 'Nilsson'");
}

static void upserted(struct world *in)
{
	world_sql(in, "INSERT INTO contact (id, city) SELECT id, 'x' FROM contact WHERE last_name ="
		      " 'Nilsson' ON CONFLICT (id) DO UPDATE SET city = 'Lyon'");
}

static void upserted_lyon(struct world *in)
{
	seven_pairs(in);
	both_hold(in, 2, "City", "city", "Lyon");
}

static void trigger_of_others(struct world *in)
{
	world_sql(in, "CREATE TRIGGER capitals AFTER UPDATE OF city ON contact WHEN NEW.city <>"
		      " upper(NEW.city) BEGIN UPDATE contact SET city = upper(city) WHERE id ="
		      " NEW.id; END");
	loaded(in);
}

static void record_to_lyon(struct world *in)
{
	fake_set(in->fake, 2, "City", "Lyon");
}

static void capitals_here(struct world *in)
{
	record_holds(in, 2, "City", "Lyon");
	row_holds(in, 2, "city", "LYON");
	assert_int_equal(in->fake->writes, 0);
}

static void triggers_dropped(struct world *in)
{
	world_sql(in, "DROP TRIGGER leadsync_1_insert; DROP TRIGGER leadsync_1_update;"
		      "DROP TRIGGER leadsync_1_delete");
	edit(in, 2, "city = 'Lyon'");
	insert_novak(in);
}

static void all_noticed(struct world *in)
{
	both_hold(in, 2, "City", "city", "Lyon");
	novak_there(in);
}

/* Two jobs on one table: what is Paris's, and what is Oslo's. */
static void as_job(struct world *in, const char *name, const char *where)
{
	in->job.name = name;
	in->job.where = where;
	in->job.match_count = 0;
}

static void run_both_jobs(struct world *in)
{
	as_job(in, "oslo", "City = 'Oslo'");
	world_run(in);
	as_job(in, "paris", "City = 'Paris'");
	world_run(in);
}

static void two_jobs(struct world *in)
{
	run_both_jobs(in);
	world_wait(in, 3600);
	assert_int_equal(rows(in), 5);
}

static void one_of_each(struct world *in)
{
	edit(in, 1, "score = '41'");
	edit(in, 2, "score = '42'");
	fake_set(in->fake, 3, "Score__c", "43");
	world_wait(in, 60);
	run_both_jobs(in);
	world_wait(in, 60);
	run_both_jobs(in);
}

static void each_by_its_own(struct world *in)
{
	both_hold(in, 1, "Score__c", "score", "41");
	both_hold(in, 2, "Score__c", "score", "42");
	both_hold(in, 3, "Score__c", "score", "43");
	assert_int_equal(in->fake->made, 0);
	assert_int_equal(in->fake->writes, 2);
	assert_int_equal(rows(in), 5);
}

/* --- what nobody could say, and now somebody can --- */

static void lost_and_row_dropped(struct world *in)
{
	lost_undone(in);
	world_sql(in, "DELETE FROM contact WHERE last_name = 'Novak'");
}

static void nothing_left_of_it(struct world *in)
{
	seven_pairs(in);
	assert_int_equal(world_dues(in, NULL), 0);
}

static void neither_was_guessed(struct world *in)
{
	two_nilssons_there(in);
	world_run(in);
	world_wait(in, 3600);
	neither_guessed(in);
}

static void choose_eighth(struct world *in)
{
	char id[19], sql[400];

	fake_id(8, id);
	snprintf(sql, sizeof(sql),
		 "UPDATE leadsync_due SET chosen = '%s', state = 'waiting' WHERE key IS NOT NULL",
		 id);
	world_sql(in, sql);
}

static void chosen_and_deleted(struct world *in)
{
	choose_eighth(in);
	fake_delete(in->fake, 8);
}

static void email_is_no_text(struct world *in)
{
	insert_novak(in);
	world_sql(in, "UPDATE contact SET email = CAST(x'ff40' AS TEXT)"
		      " WHERE last_name = 'Novak'");
	edit(in, 2, "city = 'Lyon'");
}

static void others_flow(struct world *in)
{
	both_hold(in, 2, "City", "city", "Lyon");
	assert_int_equal(world_rejects(in, "bad-value", "Email"), 1);
}

static void email_is_a_novel(struct world *in)
{
	insert_novak(in);
	world_sql(in, "UPDATE contact SET email = hex(zeroblob(6000)) WHERE last_name = 'Novak'");
	edit(in, 2, "city = 'Lyon'");
	fake_field(in->fake, "Email")->length = 80;
}

static void novel_listed(struct world *in)
{
	both_hold(in, 2, "City", "city", "Lyon");
	assert_int_equal(world_rejects(in, "STRING_TOO_LONG", "Email"), 1);
}

/* Twelve rows by texts of which only two go into one query. */
static void long_emails(struct world *in)
{
	for (int i = 0; i < 12; i++) {
		char sql[200];

		snprintf(sql, sizeof(sql),
			 "INSERT INTO contact (last_name, email) VALUES"
			 " ('Long %d', '%d' || hex(zeroblob(500)))",
			 i, i + 10);
		world_sql(in, sql);
	}
	fake_field(in->fake, "Email")->length = 2000;
}

static void twelve_more(struct world *in)
{
	assert_int_equal(rows(in), 19);
	assert_int_equal(fake_alive(in->fake), 19);
	assert_int_equal(world_dues(in, NULL), 0);
}

static void bad_email_here(struct world *in)
{
	loaded(in);
	insert_novak(in);
	fake_refuse(in->fake, "Email", "g.novak@example.com", ERROR_FIELD, "INVALID_EMAIL_ADDRESS",
		    -1);
}

static void made_but_for_email(struct world *in)
{
	assert_int_equal(fake_alive(in->fake), 8);
	assert_null(fake_value(in->fake, novak(in), "Email"));
	assert_int_equal(world_rejects(in, NULL, NULL), 1);
	assert_int_equal(world_rejects(in, "INVALID_EMAIL_ADDRESS", "Email"), 1);
}

static void email_sent_once(struct world *in)
{
	assert_int_equal(fake_sent(in->fake, "Email", 0), 0); /* but with the creation */
}

static void was_made_but_for_email(struct world *in)
{
	bad_email_here(in);
	for (int i = 0; i < 3; i++) {
		world_run(in);
		world_wait(in, 60);
	}
}

static void email_mended(struct world *in)
{
	world_sql(in, "UPDATE contact SET email = 'novak@example.com' WHERE last_name = 'Novak'");
}

static void nothing_refused(struct world *in)
{
	assert_int_equal(world_rejects(in, NULL, NULL), 0);
	assert_string_equal(fake_value(in->fake, novak(in), "Email"), "novak@example.com");
}

static void one_is_deleted(struct world *in)
{
	fake_delete(in->fake, 8);
}

static void matched_with_the_other(struct world *in)
{
	seven_pairs(in);
	assert_int_equal(world_open_conflicts(in, NULL), 0);
}

static void one_row_is_deleted(struct world *in)
{
	world_sql(in, "DELETE FROM contact WHERE id = (SELECT max(id) FROM contact WHERE city ="
		      " 'Bergen')");
}

static void was_without_external_id(struct world *in)
{
	loaded(in);
	no_external_id(in);
	world_run(in);
	world_wait(in, 3600);
	none_made(in);
}

static void external_id_there(struct world *in)
{
	in->job.external_id = WORLD_KEY;
}

static void winner_without_row(struct world *in)
{
	in->job.delete_remote = false;
	loaded(in);
	drop(in, 3);
	world_run(in);
	world_wait(in, 3600);
}

static void merged_into_it(struct world *in)
{
	fake_merge(in->fake, 2, 3);
}

static void winner_stays(struct world *in)
{
	record_holds(in, 3, "LastName", "Weber");
	record_holds(in, 3, "City", "Paris");
	row_holds(in, 3, "last_name", "Weber");
	assert_int_equal(in->fake->writes, 0);
}

/* The row is edited once more before the guard read is answered: its mark is met when the write is
 * built, and it is by that edit that sides are compared. */
static struct world *meanwhile;
static int64_t mark_ms, journal_ms;

static void edit_on_call(struct fake *fake, unsigned call, void *arg)
{
	const struct fake_request *last = &fake->log[fake->log_count - 1];

	(void)call;
	(void)arg;
	if (last->kind == FAKE_READ && last->order == REMOTE_PICKED) {
		edit(meanwhile, 2, "city = 'Bergen'");
		mark_ms = world_int(meanwhile, "SELECT max(at_ms) FROM leadsync_mark");
	} else if (last->kind == FAKE_WRITE) {
		journal_ms = world_int(meanwhile, "SELECT edited_ms FROM leadsync_journal");
	}
}

static void edited_at_guard(struct world *in)
{
	edit(in, 2, "score = '5'");
	meanwhile = in;
	in->fake->on_call = edit_on_call;
}

static void bergen_and_five(struct world *in)
{
	both_hold(in, 2, "City", "city", "Bergen");
	both_hold(in, 2, "Score__c", "score", "5");
}

static void by_the_last_edit(struct world *in)
{
	assert_true(mark_ms);
	assert_int_equal(journal_ms, mark_ms);
	in->fake->on_call = NULL;
}

/* What was sent has arrived, as a record shows that cannot be taken for another value's sake. */
static void arrived_in_bad_company(struct world *in)
{
	loaded(in);
	edit(in, 2, "city = 'Lyon'");
	world_wait(in, 60);
	lose_write(in, FAKE_DONE);
	world_run_any(in, false);
	assert_int_equal(world_dues(in, "unknown"), 1);
	fake_set(in->fake, 2, "Score__c", "many");
	world_wait(in, 60);
	world_run(in);
	world_wait(in, 700);
	world_run(in);
	assert_int_equal(in->counts.conflicts, 0);
	world_wait(in, 60);
}

static void edited_and_mended(struct world *in)
{
	edit(in, 2, "city = 'Bergen'");
	fake_set(in->fake, 2, "Score__c", "5");
}

static void loaded_by_code(struct world *in)
{
	in->job.key = "code";
	world_sql(in, "DROP TABLE contact; CREATE TABLE contact (code TEXT NOT NULL UNIQUE DEFAULT"
		      " (lower(hex(randomblob(8)))), last_name TEXT, email TEXT, score TEXT, active"
		      " INT, city TEXT, is_deleted INT);"
		      "CREATE INDEX contact_email ON contact (email COLLATE NOCASE)");
	loaded(in);
}

static void insert_with_nul(struct world *in)
{
	world_sql(in, "INSERT INTO contact (code, last_name, email) VALUES"
		      " ('a' || char(0) || '1', 'One', 'one@example.com'),"
		      " ('a' || char(0) || '2', 'Two', 'two@example.com'),"
		      " ('a', 'Three', 'three@example.com')");
}

static void three_were_made(struct world *in)
{
	assert_int_equal(fake_alive(in->fake), 10);
	assert_int_equal(rows(in), 10);
	assert_int_equal(world_dues(in, NULL), 0);
}

static void nilsson_with_spaces(struct world *in)
{
	nilsson_here(in);
	world_sql(in, "UPDATE contact SET email = email || char(32, 9)");
}

static void matched_with_spaces(struct world *in)
{
	seven_pairs(in);
	row_holds(in, 2, "email", "b.nilsson@example.com \t");
}

static void bergen_is_refused(struct world *in)
{
	fake_refuse(in->fake, "City", "Bergen", ERROR_FIELD, "STRING_TOO_LONG", -1);
	edit(in, 2, "city = 'Bergen', score = '5'");
	fake_set(in->fake, 2, "City", "Lyon");
}

static void nothing_was_decided(struct world *in)
{
	record_holds(in, 2, "City", "Lyon");
	both_hold(in, 2, "Score__c", "score", "5");
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_conflicts WHERE state ="
				       " 'decided'"),
			 0);
}

static void loaded_ours(struct world *in)
{
	loaded_as(in, "City", FIELD_RULE_LOCAL, FIELD_BLANK_CLEAR);
}

static void just_made(struct world *in)
{
	loaded_delete_both(in);
	insert_novak(in);
	world_wait(in, 60);
	world_run(in);
	assert_int_equal(fake_alive(in->fake), 8);
	world_wait(in, 60);
}

static void novak_dropped(struct world *in)
{
	world_sql(in, "DELETE FROM contact WHERE last_name = 'Novak'");
}

/* The first attempt comes later than anybody waits, and the second was refused meanwhile. */
static void lost_for_long(struct world *in)
{
	in->job.match_count = 0;
	loaded(in);
	insert_novak(in);
	world_wait(in, 60);
	lose_write(in, FAKE_DONE_LATER);
	in->fake->later_ms = (int64_t)30 * 60 * 1000;
	world_run_any(in, false);
	assert_int_equal(world_dues(in, "unknown"), 1);
	fake_refuse(in->fake, "LastName", "Novak", ERROR_RETRY, "UNABLE_TO_LOCK_ROW", 1);
	world_wait(in, 700);
	world_run(in);
	assert_int_equal(fake_alive(in->fake), 7);
	assert_int_equal(world_dues(in, "waiting"), 1);
	world_wait(in, 3600);
	assert_int_equal(fake_alive(in->fake), 8);
}

static const struct two_way scenarios[] = {
	{ "matched, salesforce's", nilsson_here, NULL, matched_oslo },
	{ "matched, ours", nilsson_here_local, NULL, matched_bergen },
	{ "matched, a person's", nilsson_here_manual, NULL, matched_neither, .odd = true },
	{ "matched, what is not blank", silva_here_nonblank, NULL, matched_porto },
	{ "matched but for case", nilsson_in_capitals, NULL, matched_folded },
	{ "a null matches nothing", weber_without_email, NULL, two_webers, .runs = 2 },
	{ "several rows match", two_nilssons_here, NULL, nobody_guessed, .odd = true },
	{ "several records match", two_nilssons_there, NULL, neither_guessed, .odd = true },
	{ "several matched, one was mended", not_guessed, one_is_another, both_are_somebody,
	  .runs = 2 },
	{ "one of two columns matches", matched_by_two_fields, NULL, only_half_a_match, .runs = 2 },
	{ "a pair's row matches no other", loaded, second_with_the_email, second_has_a_row },
	{ "a new record", loaded, record_made, row_made },
	{ "a new row", loaded, insert_novak, novak_there, one_upsert, .runs = 2 },
	{ "three new rows", loaded, insert_three, three_keys, one_upsert, .runs = 2 },
	{ "a new row that matches", loaded, insert_that_matches, seven_pairs, .runs = 2 },
	{ "made, unanswered", lost_done, NULL, novak_there, not_asked_again },
	{ "not made, unanswered", lost_undone, NULL, novak_there, .runs = 3, .wait_s = 700 },
	{ "made later, unanswered", lost_later, NULL, novak_there, .runs = 3, .wait_s = 700 },
	{ "made, unanswered, deleted meanwhile", made_then_deleted, NULL, tombstone, .runs = 3,
	  .wait_s = 700, .odd = true },
	{ "made, unanswered, edited meanwhile", lost_done, edit_novak, novak_in_praha, .runs = 3,
	  .wait_s = 700 },
	{ "made later, unanswered, edited meanwhile", lost_later, edit_novak, novak_in_praha,
	  .runs = 3, .wait_s = 700 },
	{ "our key comes before a match", lost_done, somebody_makes_novak, the_made_one_is_it,
	  .runs = 3, .wait_s = 700 },
	{ "an unanswered creation is no candidate", lost_later, somebody_makes_novak,
	  the_made_one_is_it, .runs = 3, .wait_s = 700 },
	{ "edited while it is made", loaded, edited_while_made, novak_in_praha, .runs = 2 },
	{ "no external id", loaded, no_external_id, none_made, .odd = true },
	{ "no external id, allowed", loaded, unsafe, novak_without_key, .not_cut = true,
	  .runs = 2 },
	{ "rows are made only", rows_only, both_made, novak_stays_here, .odd = true },
	{ "records are made only", records_only, both_made, other_stays_there, .odd = true,
	  .runs = 2 },
	{ "a new row without what is required", loaded, insert_incomplete, nameless_listed,
	  .odd = true },
	{ "a new row completed", nameless, named, novak_there, .runs = 2 },
	{ "deleted here, keep", loaded, row_dropped, record_stays, .odd = true },
	{ "deleted here, delete", loaded_delete_both, row_dropped, record_went, one_delete },
	{ "deleted there, keep", loaded, record_deleted, row_stays, .odd = true },
	{ "deleted there, mark", loaded_mark, record_deleted, row_marked, .odd = true },
	{ "deleted there, delete", loaded_delete_both, record_deleted, both_went },
	{ "deleted on both sides", loaded_delete_both, both_deleted, both_went },
	{ "deleted there, edited here", loaded_delete_both, edited_and_deleted_there,
	  row_beats_delete, .odd = true },
	{ "deleted here, edited there", loaded_delete_both, dropped_and_edited_there,
	  record_beats_delete, .odd = true },
	{ "a deleted pair is not made again", long_deleted, edit_of_the_dead, not_made_again,
	  .odd = true },
	{ "a deleted pair is made again by consent", long_deleted, consented, made_again, .runs = 2,
	  .odd = true },
	{ "deleted and back", long_deleted, undeleted, seven_pairs },
	{ "deleted and back, edited meanwhile", long_deleted, edited_then_undeleted, back_in_lyon },
	{ "deleted here and there at once", loaded_delete_both, dropped_and_deleted_meanwhile,
	  both_went, .runs = 2 },
	{ "edited here and deleted there at once", loaded_delete_both, edited_and_deleted_meanwhile,
	  row_beats_delete, .runs = 2, .odd = true, .not_cut = true },
	{ "a deletion unanswered, done", lost_delete_done, NULL, record_went, .runs = 3,
	  .wait_s = 700 },
	{ "a deletion unanswered, not done", lost_delete_undone, NULL, record_went, .runs = 3,
	  .wait_s = 700 },
	{ "a deletion unanswered, done later", lost_delete_later, NULL, record_went, .runs = 3,
	  .wait_s = 700 },
	{ "merged, with an edit that waits", loaded, merged_with_edit, row_inherited, .runs = 2 },
	{ "edited out of sight", loaded, second_hidden, nothing_lost, .odd = true },
	{ "in sight again", was_hidden, shown_again, edit_arrived },
	{ "edited after it left where", paris_only, left_where, not_written, .odd = true },
	{ "a key renamed", loaded, key_renamed, same_pair },
	{ "a key renamed while it is under way", loaded_delete_both, key_renamed_under_way,
	  same_pair, .runs = 2 },
	{ "a key renamed just before it is sent", loaded_delete_both, key_renamed_at_guard,
	  same_pair, .runs = 2 },
	{ "two keys swapped", loaded, keys_swapped, names_as_before },
	{ "a key deleted and made, matches", loaded, same_key_same_email, matched_again,
	  .runs = 2 },
	{ "a key deleted and made, another person", loaded, same_key_other_email, a_new_person,
	  .runs = 2, .odd = true },
	{ "INSERT OR REPLACE", loaded, replaced, seven_pairs, .runs = 2 },
	{ "ON CONFLICT DO UPDATE", loaded, upserted, upserted_lyon },
	{ "a table with triggers of others", trigger_of_others, record_to_lyon, capitals_here,
	  .odd = true },
	{ "our triggers dropped", loaded, triggers_dropped, all_noticed, .runs = 2 },
	{ "two jobs on one table", two_jobs, one_of_each, each_by_its_own, .odd = true,
	  .not_cut = true },
	{ "not made, unanswered, its row gone", lost_and_row_dropped, NULL, nothing_left_of_it,
	  .runs = 3, .wait_s = 700 },
	{ "a chosen record that is deleted", neither_was_guessed, chosen_and_deleted,
	  matched_with_the_other, .runs = 2 },
	{ "a match column that holds no text", loaded, email_is_no_text, others_flow, .odd = true,
	  .runs = 2 },
	{ "a match column that holds a novel", loaded, email_is_a_novel, novel_listed, .odd = true,
	  .runs = 2 },
	{ "match columns that hold long texts", loaded, long_emails, twelve_more, .runs = 2,
	  .not_cut = true },
	{ "a field refused of a creation", bad_email_here, NULL, made_but_for_email,
	  email_sent_once, .runs = 3, .odd = true },
	{ "a field refused of a creation, mended", was_made_but_for_email, email_mended,
	  nothing_refused },
	{ "edited again just before it is sent", loaded, edited_at_guard, bergen_and_five,
	  by_the_last_edit, .not_cut = true },
	{ "arrived in a record that is rejected", arrived_in_bad_company, edited_and_mended,
	  bergen_and_five, .runs = 2 },
	{ "keys with NUL bytes", loaded_by_code, insert_with_nul, three_were_made, .runs = 2 },
	{ "matched but for white space", nilsson_with_spaces, NULL, matched_with_spaces },
	{ "a contest whose winner is refused", loaded_ours, bergen_is_refused, nothing_was_decided,
	  .odd = true },
	{ "deleted here, just made there", just_made, novak_dropped, seven_pairs },
	{ "made after all, when it was given up", lost_for_long, NULL, novak_there, .runs = 2 },
	{ "several matched, one record was deleted", neither_was_guessed, one_is_deleted,
	  matched_with_the_other, .runs = 2 },
	{ "several matched, one row was deleted", not_guessed, one_row_is_deleted,
	  matched_with_the_other, .runs = 2 },
	{ "no external id, then one", was_without_external_id, external_id_there, novak_there,
	  .runs = 2 },
	{ "merged into one without a row", winner_without_row, merged_into_it, winner_stays,
	  .odd = true },
};

int main(int argc, char **argv)
{
	return two_way_main(argc, argv, "pairs", scenarios,
			    sizeof(scenarios) / sizeof(scenarios[0]));
}
