/* How edits of the table get to the remote: batches, the guard read, what is refused and how,
 * answers that never come, and what happens on either side meanwhile. */
#include <stdio.h>
#include <string.h>

#include "two_way.h"

static void row_to_lyon(struct world *in)
{
	edit(in, 2, "city = 'Lyon'");
}

static void both_in_lyon(struct world *in)
{
	both_hold(in, 2, "City", "city", "Lyon");
}

static void seven_to_lyon(struct world *in)
{
	for (unsigned i = 1; i <= 7; i++)
		edit(in, i, "city = 'Lyon'");
}

static void seven_in_lyon(struct world *in)
{
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact WHERE city = 'Lyon'"), 7);
	assert_int_equal(world_dues(in, NULL), 0);
}

static void one_write(struct world *in)
{
	assert_int_equal(fake_requests(in->fake, FAKE_WRITE), 1);
}

/* --- many --- */

static void many(struct world *in, unsigned count)
{
	char name[24], email[40];

	in->fake->page_size = 1000;
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "Name %u", i);
		snprintf(email, sizeof(email), "p%u@example.com", i);
		world_person(in, 101 + i, name, email);
	}
	loaded(in);
}

static void many_loaded(struct world *in)
{
	in->job.guard_s = 0;
	many(in, 443); /* and the seven */
}

static void all_edited(struct world *in)
{
	world_sql(in, "UPDATE contact SET city = 'Lyon'");
}

static void all_arrived(struct world *in)
{
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact WHERE city = 'Lyon'"), 450);
	for (unsigned i = 101; i < 101 + 443; i++)
		record_holds(in, i, "City", "Lyon");
}

static void three_guards_three_writes(struct world *in)
{
	unsigned guards = 0, most = 0;

	for (size_t i = 0; i < in->fake->log_count; i++) {
		const struct fake_request *request = &in->fake->log[i];

		guards += request->kind == FAKE_READ && request->order == REMOTE_PICKED;
		if (request->kind == FAKE_WRITE && request->count > most)
			most = (unsigned)request->count;
	}
	assert_int_equal(fake_requests(in->fake, FAKE_WRITE), 3);
	assert_int_equal(guards, 3);
	assert_int_equal(most, 200);
	assert_int_equal(fake_sent(in->fake, "LastName", 0), 0);
	assert_int_equal(fake_sent(in->fake, "Email", 0), 0);
}

/* 200 changes, of which seven are bad, each in its way. */
static void seven_bad_kinds(struct world *in)
{
	static const struct {
		enum error_kind kind;
		const char *code;
	} kinds[] = {
		{ ERROR_RECORD, "FIELD_CUSTOM_VALIDATION_EXCEPTION" },
		{ ERROR_RECORD, "DUPLICATES_DETECTED" },
		{ ERROR_RECORD, "CANNOT_UPDATE_CONVERTED_LEAD" },
		{ ERROR_RECORD, "INSUFFICIENT_ACCESS_OR_READONLY" },
		{ ERROR_FIELD, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" },
		{ ERROR_FIELD, "INVALID_EMAIL_ADDRESS" },
		{ ERROR_FIELD, "STRING_TOO_LONG" },
	};
	static char cities[7][8];

	many(in, 193); /* and the seven */
	for (unsigned i = 0; i < 7; i++) {
		snprintf(cities[i], sizeof(cities[i]), "bad %u", i);
		fake_refuse(in->fake, "City", cities[i], kinds[i].kind, kinds[i].code, -1);
	}
}

static void all_edited_seven_badly(struct world *in)
{
	all_edited(in);
	for (unsigned i = 0; i < 7; i++) {
		char set[40];

		snprintf(set, sizeof(set), "city = 'bad %u'", i);
		edit(in, 1 + i, set);
	}
}

static void seven_listed(struct world *in)
{
	assert_int_equal(world_rejects(in, NULL, NULL), 7);
	assert_int_equal(world_rejects(in, "DUPLICATES_DETECTED", NULL), 1);
	assert_int_equal(world_rejects(in, "STRING_TOO_LONG", "City"), 1);
	for (unsigned i = 101; i < 101 + 193; i++)
		record_holds(in, i, "City", "Lyon");
	record_holds(in, 2, "City", "Oslo");
}

static void seven_refused(struct world *in)
{
	assert_int_equal(in->counts.refused, 7);
	assert_int_equal(in->counts.sent_updated, 193);
	one_write(in);
}

static void seven_were_listed(struct world *in)
{
	seven_bad_kinds(in);
	all_edited_seven_badly(in);
	world_run(in);
	world_wait(in, 3600);
	seven_listed(in);
}

static void second_mended(struct world *in)
{
	row_to_lyon(in);
}

static void six_listed(struct world *in)
{
	assert_int_equal(world_rejects(in, NULL, NULL), 6);
	both_in_lyon(in);
}

static void only_that_one_sent(struct world *in)
{
	one_write(in);
	assert_int_equal(in->fake->log[in->fake->log_count - 1].count, 1);
	assert_int_equal(in->counts.sent_updated, 1);
}

/* --- refused one by one --- */

static struct fake_refusal *refuse_lyon(struct world *in, enum error_kind kind, const char *code,
					int times)
{
	return fake_refuse(in->fake, "City", "Lyon", kind, code, times);
}

static void lyon_refused(struct world *in)
{
	loaded(in);
	refuse_lyon(in, ERROR_RECORD, "FIELD_CUSTOM_VALIDATION_EXCEPTION", 1);
	row_to_lyon(in);
	world_wait(in, 60);
	world_run(in);
	assert_int_equal(world_rejects(in, "FIELD_CUSTOM_VALIDATION_EXCEPTION", NULL), 1);
	world_wait(in, 3600);
}

static void nothing_sent_again(struct world *in)
{
	record_holds(in, 2, "City", "Oslo");
	row_holds(in, 2, "city", "Lyon");
	assert_int_equal(fake_requests(in->fake, FAKE_WRITE), 0);
	assert_int_equal(world_rejects(in, NULL, NULL), 1);
}

static void other_row_edited(struct world *in)
{
	edit(in, 5, "city = 'Lille'");
}

static void only_the_other_sent(struct world *in)
{
	record_holds(in, 2, "City", "Oslo");
	both_hold(in, 5, "City", "city", "Lille");
	assert_int_equal(sent(in, 2, "City"), 1);
	assert_int_equal(world_rejects(in, NULL, NULL), 1);
}

static void same_row_edited(struct world *in)
{
	edit(in, 2, "score = '5'");
}

static void its_record_edited(struct world *in)
{
	fake_set(in->fake, 2, "Score__c", "5");
}

static void lyon_and_five(struct world *in)
{
	both_in_lyon(in);
	both_hold(in, 2, "Score__c", "score", "5");
	assert_int_equal(world_rejects(in, NULL, NULL), 0);
}

static void mapping_changed(struct world *in)
{
	world_unmap(in, "Active__c");
}

static void object_changed(struct world *in)
{
	in->fake->version = "another";
}

static void retried(struct world *in)
{
	char id[19];

	fake_id(2, id);
	assert_int_equal(world_order(in, STORE_RETRY, id, NULL, TOLD_LOCAL), 1);
}

static void lyon_at_last(struct world *in)
{
	both_in_lyon(in);
	assert_int_equal(world_rejects(in, NULL, NULL), 0);
}

static void taken_back(struct world *in)
{
	edit(in, 2, "city = 'Oslo'");
}

static void oslo_again(struct world *in)
{
	both_hold(in, 2, "City", "city", "Oslo");
	assert_int_equal(world_rejects(in, NULL, NULL), 0);
}

static void loaded_refuses_field(struct world *in)
{
	loaded(in);
	refuse_lyon(in, ERROR_FIELD, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", -1);
}

static void city_and_name(struct world *in)
{
	edit(in, 2, "city = 'Lyon', last_name = 'Berg'");
}

static void only_name_arrived(struct world *in)
{
	record_holds(in, 2, "City", "Oslo");
	row_holds(in, 2, "city", "Lyon");
	both_hold(in, 2, "LastName", "last_name", "Berg");
	assert_int_equal(world_rejects(in, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "City"), 1);
}

static void field_was_refused(struct world *in)
{
	loaded_refuses_field(in);
	city_and_name(in);
	world_run(in);
	world_wait(in, 60);
	world_run(in);
	world_wait(in, 3600);
	only_name_arrived(in);
}

static void name_again(struct world *in)
{
	edit(in, 2, "last_name = 'Fjord'");
}

static void only_fjord_arrived(struct world *in)
{
	record_holds(in, 2, "City", "Oslo");
	both_hold(in, 2, "LastName", "last_name", "Fjord");
	assert_int_equal(world_rejects(in, NULL, "City"), 1);
}

static void city_mended(struct world *in)
{
	edit(in, 2, "city = 'Lille'");
}

static void lille_arrived(struct world *in)
{
	both_hold(in, 2, "City", "city", "Lille");
	assert_int_equal(world_rejects(in, NULL, NULL), 0);
}

static void loaded_locked(struct world *in)
{
	loaded(in);
	refuse_lyon(in, ERROR_RETRY, "UNABLE_TO_LOCK_ROW", 2);
}

static void two_to_lyon_one_to_lille(struct world *in)
{
	row_to_lyon(in);
	edit(in, 5, "city = 'Lille'");
}

static void all_unlocked(struct world *in)
{
	both_in_lyon(in);
	both_hold(in, 5, "City", "city", "Lille");
	assert_int_equal(world_rejects(in, NULL, NULL), 0);
	assert_int_equal(world_dues(in, NULL), 0);
}

static void too_long(struct world *in)
{
	edit(in, 2, "last_name = hex(zeroblob(50)), city = 'Lyon'");
}

static void long_name_listed(struct world *in)
{
	record_holds(in, 2, "LastName", "Nilsson");
	record_holds(in, 2, "City", "Lyon");
	assert_int_equal(world_rejects(in, NULL, "LastName"), 1);
}

static void read_only_there(struct world *in)
{
	fake_find(in->fake, 2)->hidden = true; /* from now on: no look, no write */
	row_to_lyon(in);
	edit(in, 5, "city = 'Lille'");
}

static void others_flow(struct world *in)
{
	record_holds(in, 2, "City", "Oslo");
	row_holds(in, 2, "city", "Lyon");
	both_hold(in, 5, "City", "city", "Lille");
}

/* --- refused as a whole --- */

static void loaded_poison_unnamed(struct world *in)
{
	struct fake_refusal *refusal;

	loaded(in);
	refusal = fake_refuse(in->fake, "City", "poison", ERROR_RECORD, "JSON_PARSER_ERROR", -1);
	refusal->whole = refusal->unnamed = true;
}

static void loaded_poison(struct world *in)
{
	loaded_poison_unnamed(in);
	in->fake->refusals[0].unnamed = false;
}

static void seven_with_poison(struct world *in)
{
	seven_to_lyon(in);
	edit(in, 4, "city = 'poison'");
}

static void six_in_lyon(struct world *in)
{
	for (unsigned i = 1; i <= 7; i++)
		record_holds(in, i, "City", i == 4 ? "Roma" : "Lyon");
	assert_int_equal(world_rejects(in, NULL, NULL), 1);
	assert_int_equal(world_rejects(in, "JSON_PARSER_ERROR", NULL), 1);
}

static void found_by_halves(struct world *in)
{
	assert_in_range(fake_requests(in->fake, FAKE_WRITE), 3, 8);
}

static void left_out_at_once(struct world *in)
{
	assert_in_range(fake_requests(in->fake, FAKE_WRITE), 2, 3);
}

static void loaded_small_batches(struct world *in)
{
	loaded(in);
	in->fake->most_changes = 2;
}

static void at_write(struct world *in, unsigned count, enum error_kind kind, const char *code)
{
	in->fake->fail_writes = count;
	error_set(&in->fake->fail, kind, code, "not now");
}

static void quota_at_write(struct world *in)
{
	row_to_lyon(in);
	at_write(in, 1, ERROR_QUOTA, "REQUEST_LIMIT_EXCEEDED");
}

static void all_kept_for_later(struct world *in)
{
	row_holds(in, 2, "city", "Lyon");
	record_holds(in, 2, "City", "Oslo");
	assert_int_equal(world_dues(in, "waiting"), 1);
	world_wait(in, 3600);
	world_run(in);
	both_in_lyon(in);
	world_wait(in, 60);
	world_assert_idle(in);
}

static void down_at_write(struct world *in)
{
	row_to_lyon(in);
	at_write(in, 2, ERROR_RETRY, "SERVER_UNAVAILABLE");
}

/* --- without an answer --- */

static void lost_at_write(struct world *in, enum fake_fate fate)
{
	loaded(in);
	row_to_lyon(in);
	world_wait(in, 60);
	in->fake->lose_writes = 1;
	in->fake->fate = fate;
	in->fake->later_ms = (int64_t)5 * 60 * 1000;
	world_run_any(in, false);
	assert_int_equal(in->counts.unknown, 1);
	assert_int_equal(world_dues(in, "unknown"), 1);
	world_wait(in, 60);
}

static void lost_done(struct world *in)
{
	lost_at_write(in, FAKE_DONE);
}

static void lost_undone(struct world *in)
{
	lost_at_write(in, FAKE_NOT_DONE);
}

static void lost_later(struct world *in)
{
	lost_at_write(in, FAKE_DONE_LATER);
}

static void sent_once(struct world *in)
{
	assert_int_equal(sent(in, 2, "City"), 1);
}

static void sent_twice(struct world *in)
{
	assert_int_equal(sent(in, 2, "City"), 2);
}

/* Twice in vain. */
static void sent_thrice(struct world *in)
{
	assert_int_equal(sent(in, 2, "City"), 3);
}

static void settled_in_lyon(struct world *in)
{
	both_in_lyon(in);
	assert_int_equal(world_dues(in, NULL), 0);
	assert_int_equal(world_conflicts(in, NULL, NULL, NULL), 0);
}

static void row_to_lille(struct world *in)
{
	edit(in, 2, "city = 'Lille'");
}

static void both_in_lille(struct world *in)
{
	both_hold(in, 2, "City", "city", "Lille");
	assert_int_equal(world_dues(in, NULL), 0);
}

static void row_back_to_oslo(struct world *in)
{
	edit(in, 2, "city = 'Oslo'");
}

static void both_in_oslo(struct world *in)
{
	both_hold(in, 2, "City", "city", "Oslo");
}

static void record_to_lille(struct world *in)
{
	fake_set(in->fake, 2, "City", "Lille");
}

static void record_renamed(struct world *in)
{
	fake_set(in->fake, 2, "LastName", "Berg");
}

static void lyon_and_berg(struct world *in)
{
	both_in_lyon(in);
	both_hold(in, 2, "LastName", "last_name", "Berg");
}

/* Both are there, whatever they agreed on: the late write may come after his edit. */
static void agreed(struct world *in)
{
	assert_int_equal(world_dues(in, NULL), 0);
}

static void others_go_on(struct world *in)
{
	edit(in, 5, "city = 'Lille'");
}

static void frozen_alone(struct world *in)
{
	both_hold(in, 5, "City", "city", "Lille");
	row_holds(in, 2, "city", "Lyon");
}

/* --- at the same moment --- */

static struct world *hooked;
static bool happened;

static void hook(struct world *in, fake_call_fn *then)
{
	hooked = in;
	happened = false;
	in->fake->on_call = then;
}

static void edit_row_at_write(struct fake *fake, unsigned call, void *arg)
{
	(void)call;
	(void)arg;
	if (fake->open_writes && !happened) {
		happened = true;
		edit(hooked, 2, "city = 'Lille'");
	}
}

static void edited_under_way(struct world *in)
{
	row_to_lyon(in);
	hook(in, edit_row_at_write);
}

static void take_back_at_write(struct fake *fake, unsigned call, void *arg)
{
	(void)call;
	(void)arg;
	if (fake->open_writes && !happened) {
		happened = true;
		edit(hooked, 2, "city = 'Oslo'");
	}
}

static void taken_back_under_way(struct world *in)
{
	row_to_lyon(in);
	hook(in, take_back_at_write);
}

static void rename_record_at_write(struct fake *fake, unsigned call, void *arg)
{
	(void)call;
	(void)arg;
	if (fake->open_writes && !happened) {
		happened = true;
		fake_set(fake, 2, "LastName", "Berg");
	}
}

static void renamed_under_way(struct world *in)
{
	row_to_lyon(in);
	hook(in, rename_record_at_write);
}

/* The first read of records by id, after the run's page was read. */
static void edit_record_at_guard(struct fake *fake, unsigned call, void *arg)
{
	const struct fake_request *last = &fake->log[fake->log_count - 1];

	(void)call;
	(void)arg;
	if (fake->log_count && last->order == REMOTE_PICKED && last->kind == FAKE_READ &&
	    !happened) {
		happened = true;
		fake_set(fake, 2, "City", "Lille");
	}
}

static void loaded_always_guarded(struct world *in)
{
	in->job.guard_s = 0;
	loaded(in);
}

static void edited_before_the_guard(struct world *in)
{
	row_to_lyon(in);
	hook(in, edit_record_at_guard);
}

static void lille_by_rule(struct world *in)
{
	both_in_lille(in);
	assert_int_equal(sent(in, 2, "City"), 0);
	assert_int_equal(world_conflicts(in, "both-changed", "City", "remote"), 1);
}

static void edit_during_load(struct fake *fake, unsigned call, void *arg)
{
	(void)arg;
	if (call == 3 && !happened) {
		happened = true;
		fake_set(fake, 1, "City", "Lyon");
	}
	if (call == 4 && happened && world_int(hooked, "SELECT count(*) FROM contact"))
		world_sql(hooked, "UPDATE contact SET city = 'Lille' WHERE last_name = 'Okafor'");
}

static void edited_during_load(struct world *in)
{
	hook(in, edit_during_load);
}

/* Pages that a read began before an answered write would show are stale. */
static void many_pages_and_edits(struct world *in)
{
	in->fake->page_size = 1;
	seven_to_lyon(in);
	for (unsigned i = 1; i <= 7; i++)
		fake_set(in->fake, i, "Score__c", "9");
}

static void lyon_and_nine(struct world *in)
{
	seven_in_lyon(in);
	for (unsigned i = 1; i <= 7; i++)
		both_hold(in, i, "Score__c", "score", "9");
}

/* The table is put back to what it was a day ago, ledger and all. */
static void restored_from_backup(struct world *in)
{
	loaded(in);
	world_sql(in, "VACUUM");
	world_snap_at(in, 1);
	row_to_lyon(in);
	world_wait(in, 60);
	in->fake->is_cut = NULL; /* the run goes on: what is put back is older than what it did */
	world_run(in);
	in->fake->is_cut = world_is_cut;
	record_holds(in, 2, "City", "Lyon");
	assert_true(world_snap_restore(in));
	world_wait(in, 3600);
}

static const struct two_way scenarios[] = {
	{ "seven rows", loaded, seven_to_lyon, seven_in_lyon, one_write },
	{ "450 rows", many_loaded, all_edited, all_arrived, three_guards_three_writes,
	  .not_cut = true },
	{ "seven bad ones of 200", seven_bad_kinds, all_edited_seven_badly, seven_listed,
	  seven_refused, .odd = true, .not_cut = true },
	{ "one of the seven mended", seven_were_listed, second_mended, six_listed,
	  only_that_one_sent, .odd = true, .not_cut = true },
	{ "refused, not sent again", lyon_refused, NULL, nothing_sent_again, .runs = 3,
	  .odd = true },
	{ "refused, another row edited", lyon_refused, other_row_edited, only_the_other_sent,
	  .odd = true },
	{ "refused, its row edited", lyon_refused, same_row_edited, lyon_and_five },
	{ "refused, its record edited", lyon_refused, its_record_edited, lyon_and_five },
	{ "refused, the mapping changed", lyon_refused, mapping_changed, lyon_at_last },
	{ "refused, the object changed", lyon_refused, object_changed, lyon_at_last },
	{ "refused, an operator asks again", lyon_refused, retried, lyon_at_last },
	{ "refused, taken back", lyon_refused, taken_back, oslo_again },
	{ "one field refused, the rest sent", loaded_refuses_field, city_and_name,
	  only_name_arrived, .runs = 2, .odd = true },
	{ "one field refused, another edited", field_was_refused, name_again, only_fjord_arrived,
	  .runs = 2, .odd = true },
	{ "one field refused, mended", field_was_refused, city_mended, lille_arrived },
	{ "a locked record", loaded_locked, two_to_lyon_one_to_lille, all_unlocked, .runs = 4,
	  .wait_s = 700 },
	{ "a text too long", loaded, too_long, long_name_listed, .runs = 2, .odd = true },
	{ "a record we may not see", loaded, read_only_there, others_flow, .runs = 2, .odd = true },
	{ "poison, unnamed", loaded_poison_unnamed, seven_with_poison, six_in_lyon, found_by_halves,
	  .odd = true },
	{ "poison, named", loaded_poison, seven_with_poison, six_in_lyon, left_out_at_once,
	  .odd = true },
	{ "batches too large", loaded_small_batches, seven_to_lyon, seven_in_lyon },
	{ "quota spent at a write", loaded, quota_at_write, all_kept_for_later,
	  .fails = "REQUEST_LIMIT_EXCEEDED" },
	{ "down at a write", loaded, down_at_write, both_in_lyon, sent_thrice, .runs = 3,
	  .wait_s = 700, .not_cut = true },
	{ "unanswered, done", lost_done, NULL, settled_in_lyon, sent_once },
	{ "unanswered, not done", lost_undone, NULL, settled_in_lyon, sent_twice, .runs = 3,
	  .wait_s = 700 },
	{ "unanswered, done later", lost_later, NULL, settled_in_lyon, sent_once, .runs = 3,
	  .wait_s = 700 },
	{ "unanswered, done, edited meanwhile", lost_done, row_to_lille, both_in_lille, .runs = 3,
	  .wait_s = 700 },
	{ "unanswered, not done, edited meanwhile", lost_undone, row_to_lille, both_in_lille,
	  .runs = 3, .wait_s = 700 },
	{ "unanswered, done later, edited meanwhile", lost_later, row_to_lille, both_in_lille,
	  .runs = 3, .wait_s = 700 },
	{ "unanswered, done, taken back", lost_done, row_back_to_oslo, both_in_oslo, .runs = 3,
	  .wait_s = 700 },
	{ "unanswered, done later, taken back", lost_later, row_back_to_oslo, both_in_oslo,
	  .runs = 3, .wait_s = 700 },
	{ "unanswered, done, edited there", lost_done, record_to_lille, both_in_lille, .runs = 3,
	  .wait_s = 700 },
	{ "unanswered, done later, edited there", lost_later, record_to_lille, agreed, .runs = 3,
	  .wait_s = 700 },
	{ "unanswered, not done, renamed there", lost_undone, record_renamed, lyon_and_berg,
	  .runs = 3, .wait_s = 700 },
	{ "unanswered, done later, renamed there", lost_later, record_renamed, lyon_and_berg,
	  .runs = 3, .wait_s = 700 },
	{ "unanswered, others go on", lost_undone, others_go_on, frozen_alone, .odd = true },
	{ "edited while it is under way", loaded, edited_under_way, both_in_lille, .runs = 2 },
	{ "taken back while it is under way", loaded, taken_back_under_way, both_in_oslo,
	  .runs = 2 },
	{ "renamed there while it is under way", loaded, renamed_under_way, lyon_and_berg,
	  .runs = 2 },
	{ "edited there just before the write", loaded_always_guarded, edited_before_the_guard,
	  lille_by_rule, .not_cut = true },
	{ "edited during the load", edited_during_load, NULL, NULL, .runs = 3 },
	{ "many pages and edits", loaded, many_pages_and_edits, lyon_and_nine, .runs = 2 },
	{ "a store from a backup", restored_from_backup, NULL, both_in_lyon, sent_once },
};

int main(int argc, char **argv)
{
	return two_way_main(argc, argv, "push", scenarios,
			    sizeof(scenarios) / sizeof(scenarios[0]));
}
