/* What the fields of a pair come to: edits on either side and on both, each rule and each blank
 * policy, fields of one direction, our own writes coming back. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "two_way.h"

/* one side */
static void nothing_sent(struct world *in)
{
	assert_int_equal(in->fake->writes, 0);
}

static void seven_rows(struct world *in)
{
	assert_int_equal(rows(in), 7);
	assert_int_equal(fake_alive(in->fake), 7);
	nothing_sent(in);
	assert_int_equal(world_conflicts(in, NULL, NULL, NULL), 0);
}

static void remote_to_lyon(struct world *in)
{
	fake_set(in->fake, 2, "City", "Lyon");
}

static void row_to_lyon(struct world *in)
{
	edit(in, 2, "city = 'Lyon'");
}

static void both_in_lyon(struct world *in)
{
	both_hold(in, 2, "City", "city", "Lyon");
	assert_int_equal(world_conflicts(in, NULL, NULL, NULL), 0);
}

/* And nothing but what was edited. */
static void one_city_sent(struct world *in)
{
	static const char *const others[] = { "LastName", "Email", "Score__c", "Active__c" };

	assert_int_equal(in->fake->writes, 1);
	assert_int_equal(in->counts.sent_updated, 1);
	assert_int_equal(sent(in, 2, "City"), 1);
	assert_int_equal(fake_sent(in->fake, "City", 2), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(fake_sent(in->fake, others[i], 0), 0);
}

static void three_requests(struct world *in)
{
	assert_true(in->fake->calls <= 3);
}

static void row_twice(struct world *in)
{
	edit(in, 2, "city = 'Bergen'");
	edit(in, 2, "city = 'Lyon'");
}

static void row_there_and_back(struct world *in)
{
	edit(in, 2, "city = 'Lyon'");
	edit(in, 2, "city = 'Oslo'");
}

static void still_oslo(struct world *in)
{
	both_hold(in, 2, "City", "city", "Oslo");
}

static void column_unmapped(struct world *in)
{
	world_sql(in, "ALTER TABLE contact ADD COLUMN note TEXT");
	loaded(in);
	world_sql(in, "UPDATE contact SET note = 'mine'");
}

/* An update that names a mapped column and does not change it. */
static void row_touched(struct world *in)
{
	edit(in, 2, "city = city");
}

static void row_is_null(struct world *in)
{
	edit(in, 2, "city = NULL");
}

static void both_null(struct world *in)
{
	both_hold(in, 2, "City", "city", NULL);
}

static void record_is_null(struct world *in)
{
	fake_set(in->fake, 2, "City", NULL);
}

/* both sides */
static void other_fields(struct world *in)
{
	fake_set(in->fake, 2, "LastName", "Berg");
	edit(in, 2, "city = 'Lyon'");
}

static void both_survive(struct world *in)
{
	both_hold(in, 2, "LastName", "last_name", "Berg");
	both_in_lyon(in);
}

static void same_edit(struct world *in)
{
	remote_to_lyon(in);
	row_to_lyon(in);
}

static void loaded_remote(struct world *in)
{
	loaded_as(in, "City", FIELD_RULE_REMOTE, FIELD_BLANK_CLEAR);
}

static void loaded_local(struct world *in)
{
	loaded_as(in, "City", FIELD_RULE_LOCAL, FIELD_BLANK_CLEAR);
}

static void loaded_newest(struct world *in)
{
	loaded_as(in, "City", FIELD_RULE_NEWEST, FIELD_BLANK_CLEAR);
}

static void loaded_nonblank(struct world *in)
{
	loaded_as(in, "City", FIELD_RULE_NONBLANK, FIELD_BLANK_CLEAR);
}

static void loaded_manual(struct world *in)
{
	loaded_as(in, "City", FIELD_RULE_MANUAL, FIELD_BLANK_CLEAR);
}

static void lyon_against_bergen(struct world *in)
{
	fake_set(in->fake, 2, "City", "Lyon");
	world_wait(in, 300);
	edit(in, 2, "city = 'Bergen'");
}

static void bergen_then_lyon(struct world *in)
{
	edit(in, 2, "city = 'Bergen'");
	world_wait(in, 300);
	fake_set(in->fake, 2, "City", "Lyon");
}

static void lyon_won(struct world *in)
{
	both_hold(in, 2, "City", "city", "Lyon");
	assert_int_equal(world_conflicts(in, "both-changed", "City", "remote"), 1);
	assert_int_equal(world_conflicts(in, NULL, NULL, NULL), 1);
	assert_int_equal(sent(in, 2, "City"), 0);
}

static void bergen_won(struct world *in)
{
	both_hold(in, 2, "City", "city", "Bergen");
	assert_int_equal(world_conflicts(in, "both-changed", "City", "local"), 1);
	assert_int_equal(world_conflicts(in, NULL, NULL, NULL), 1);
}

static void lyon_against_nothing(struct world *in)
{
	fake_set(in->fake, 2, "City", "Lyon");
	edit(in, 2, "city = NULL");
}

static void nothing_against_bergen(struct world *in)
{
	fake_set(in->fake, 2, "City", NULL);
	edit(in, 2, "city = 'Bergen'");
}

/* Three fields of a pair, of which only one is contested. */
static void contested_among_others(struct world *in)
{
	fake_set(in->fake, 2, "City", "Lyon");
	fake_set(in->fake, 2, "Score__c", "5");
	edit(in, 2, "city = 'Bergen', last_name = 'Berg'");
}

static void frozen_among_others(struct world *in)
{
	record_holds(in, 2, "City", "Lyon");
	row_holds(in, 2, "city", "Bergen");
	both_hold(in, 2, "LastName", "last_name", "Berg");
	both_hold(in, 2, "Score__c", "score", "5");
	assert_int_equal(world_open_conflicts(in, "City"), 1);
	assert_int_equal(world_conflicts(in, NULL, NULL, NULL), 1);
	assert_int_equal(sent(in, 2, "City"), 0);
}

static void frozen(struct world *in)
{
	loaded_manual(in);
	contested_among_others(in);
	world_wait(in, 60);
	world_run(in);
	world_wait(in, 3600);
	frozen_among_others(in);
}

static void frozen_and_edited(struct world *in)
{
	edit(in, 2, "city = 'Trondheim', last_name = 'Fjord'");
	fake_set(in->fake, 2, "City", "Lille");
}

static void still_frozen(struct world *in)
{
	record_holds(in, 2, "City", "Lille");
	row_holds(in, 2, "city", "Trondheim");
	both_hold(in, 2, "LastName", "last_name", "Fjord");
	assert_int_equal(world_open_conflicts(in, "City"), 1);
}

static void resolve(struct world *in, enum told_side winner)
{
	char id[19];

	fake_id(2, id);
	assert_int_equal(world_order(in, STORE_RESOLVE, id, "City", winner), 1);
}

static void resolved_as_remote(struct world *in)
{
	resolve(in, TOLD_REMOTE);
}

static void resolved_as_local(struct world *in)
{
	resolve(in, TOLD_LOCAL);
}

static void thawed_lyon(struct world *in)
{
	both_hold(in, 2, "City", "city", "Lyon");
	assert_int_equal(world_open_conflicts(in, NULL), 0);
}

static void thawed_bergen(struct world *in)
{
	both_hold(in, 2, "City", "city", "Bergen");
	assert_int_equal(world_open_conflicts(in, NULL), 0);
}

static void thawed(struct world *in)
{
	frozen(in);
	resolve(in, TOLD_LOCAL);
	world_run(in);
	world_wait(in, 3600);
}

/* blank policies */
static void loaded_keep(struct world *in)
{
	loaded_as(in, "City", FIELD_RULE_REMOTE, FIELD_BLANK_KEEP);
}

static void loaded_fill(struct world *in)
{
	loaded_as(in, "City", FIELD_RULE_REMOTE, FIELD_BLANK_FILL);
}

static void row_kept(struct world *in)
{
	record_holds(in, 2, "City", NULL);
	row_holds(in, 2, "city", "Oslo");
}

static void record_kept(struct world *in)
{
	record_holds(in, 2, "City", "Oslo");
	row_holds(in, 2, "city", NULL);
	assert_int_equal(in->fake->writes, 0);
}

static void kept_a_difference(struct world *in)
{
	loaded_keep(in);
	record_is_null(in);
	world_wait(in, 60);
	world_run(in);
	world_wait(in, 3600);
	row_kept(in);
}

static void fill_refuses(struct world *in)
{
	record_holds(in, 2, "City", "Lyon");
	row_holds(in, 2, "city", "Oslo");
}

static void blank_row_gets_city(struct world *in)
{
	edit(in, 6, "city = 'Porto'");
}

static void blank_record_gets_city(struct world *in)
{
	fake_set(in->fake, 6, "City", "Porto");
}

static void both_in_porto(struct world *in)
{
	both_hold(in, 6, "City", "city", "Porto");
}

static void boolean_null(struct world *in)
{
	edit(in, 1, "active = NULL");
}

static void is_false(struct world *in)
{
	record_holds(in, 1, "Active__c", "false");
}

/* one way */
static void loaded_city_down(struct world *in)
{
	world_down(in, "City");
	loaded(in);
}

static void loaded_city_up(struct world *in)
{
	world_both(in, "City", FIELD_RULE_LOCAL, FIELD_BLANK_CLEAR);
	loaded(in);
	world_up(in, "City");
	world_run(in);
	world_wait(in, 3600);
}

static void put_back_once(struct world *in)
{
	assert_int_equal(in->counts.put_back, 1);
}

static void both_edited_down(struct world *in)
{
	edit(in, 2, "city = 'Bergen'");
	fake_set(in->fake, 2, "City", "Lyon");
}

/* our own writes coming back */
static char *in_capitals(const char *text)
{
	char *made = mem_strdup(text);

	for (char *at = made; *at; at++)
		*at = (char)toupper(*at);
	return made;
}

static void loaded_capitals(struct world *in)
{
	loaded(in);
	fake_field(in->fake, "City")->keeps = in_capitals;
}

static void loaded_up_capitals(struct world *in)
{
	loaded_city_up(in);
	fake_field(in->fake, "City")->keeps = in_capitals;
}

static void both_in_capitals(struct world *in)
{
	both_hold(in, 2, "City", "city", "LYON");
	assert_int_equal(world_conflicts(in, NULL, NULL, NULL), 0);
}

static void capitals_up_there(struct world *in)
{
	record_holds(in, 2, "City", "LYON");
	row_holds(in, 2, "city", "Lyon");
}

static void sent_once(struct world *in)
{
	assert_int_equal(sent(in, 2, "City"), 1);
}

/* The row is edited again before its first write is read back. */
static void capitals_and_again(struct world *in)
{
	loaded_capitals(in);
	row_to_lyon(in);
	world_run(in);
	world_wait(in, 60);
}

static void row_to_lille(struct world *in)
{
	edit(in, 2, "city = 'Lille'");
}

static void lille_in_capitals(struct world *in)
{
	both_hold(in, 2, "City", "city", "LILLE");
	assert_int_equal(world_conflicts(in, NULL, NULL, NULL), 0);
}

/* And a record that somebody else edits before it is read back is his. */
static void record_to_lille(struct world *in)
{
	fake_set(in->fake, 2, "City", "Lille");
}

static void lille_from_there(struct world *in)
{
	both_hold(in, 2, "City", "city", "Lille");
}

static void row_with_blanks(struct world *in)
{
	edit(in, 2, "city = '  Lyon '");
}

static void lyon_without_blanks(struct world *in)
{
	record_holds(in, 2, "City", "Lyon");
	row_holds(in, 2, "city", "  Lyon ");
}

static void row_all_blank(struct world *in)
{
	edit(in, 2, "city = '   '");
}

static void record_is_blank(struct world *in)
{
	record_holds(in, 2, "City", NULL);
}

static void row_with_three_places(struct world *in)
{
	edit(in, 2, "score = '12.345'");
}

static void rounded(struct world *in)
{
	record_holds(in, 2, "Score__c", "12.35");
}

/* values that are none */
static void row_with_bad_score(struct world *in)
{
	edit(in, 2, "score = 'much', city = 'Lyon'");
}

static void bad_score_listed(struct world *in)
{
	record_holds(in, 2, "Score__c", "0");
	record_holds(in, 2, "City", "Lyon");
	row_holds(in, 2, "score", "much");
	assert_int_equal(world_rejects(in, "bad-value", "Score__c"), 1);
	assert_int_equal(fake_sent(in->fake, "Score__c", 0), 0);
}

static void with_bad_score(struct world *in)
{
	loaded(in);
	row_with_bad_score(in);
	world_wait(in, 60);
	world_run(in);
	world_wait(in, 3600);
}

static void score_mended(struct world *in)
{
	edit(in, 2, "score = '5'");
}

static void score_arrived(struct world *in)
{
	both_hold(in, 2, "Score__c", "score", "5");
	assert_int_equal(world_rejects(in, NULL, NULL), 0);
}

/* Somebody at the remote undoes what we write, and somebody here does it again. */
static void flapping(struct world *in)
{
	loaded(in);
	for (unsigned n = 0; n < 8; n++) {
		edit(in, 2, "city = 'Lyon'");
		world_wait(in, 60);
		world_run(in);
		fake_set(in->fake, 2, "City", "Oslo");
		world_wait(in, 60);
		world_run(in);
	}
}

static void flapped_enough(struct world *in)
{
	unsigned before = sent(in, 2, "City");

	assert_in_range(before, 1, 5);
	edit(in, 2, "city = 'Lille', last_name = 'Berg'");
	world_run(in);
	assert_int_equal(sent(in, 2, "City"), before);
	both_hold(in, 2, "LastName", "last_name", "Berg");
}

/* A new field both ways: nothing is known of it, so its rule decides. */
static void with_age(struct world *in)
{
	world_sql(in, "ALTER TABLE contact ADD COLUMN age INTEGER");
	loaded(in);
}

static void age_mapped(struct world *in)
{
	world_map(in, "Age__c", "age");
	world_both(in, "Age__c", FIELD_RULE_NONBLANK, FIELD_BLANK_CLEAR);
	edit(in, 2, "age = 40");
	fake_set(in->fake, 3, "Age__c", NULL);
	edit(in, 3, "age = 50");
}

static void ages_filled(struct world *in)
{
	both_hold(in, 1, "Age__c", "age", "30");
	both_hold(in, 2, "Age__c", "age", "30");
	both_hold(in, 3, "Age__c", "age", "50");
	assert_int_equal(world_conflicts(in, "first-match", "Age__c", "remote"), 1);
}

static const struct two_way scenarios[] = {
	{ "first load", NULL, NULL, seven_rows },
	{ "nothing to do", loaded, NULL, nothing_sent, three_requests },
	{ "edited at the remote", loaded, remote_to_lyon, both_in_lyon, nothing_sent },
	{ "edited in the table", loaded, row_to_lyon, both_in_lyon, one_city_sent },
	{ "edited twice in the table", loaded, row_twice, both_in_lyon, one_city_sent },
	{ "edited there and back", loaded, row_there_and_back, still_oslo, nothing_sent },
	{ "edited in another column", column_unmapped, NULL, NULL, nothing_sent },
	{ "touched, not changed", loaded, row_touched, still_oslo, nothing_sent },
	{ "blanked in the table", loaded, row_is_null, both_null, one_city_sent },
	{ "blanked at the remote", loaded, record_is_null, both_null, nothing_sent },
	{ "one field each at the same time", loaded, other_fields, both_survive, one_city_sent },
	{ "the same edit on both sides", loaded, same_edit, both_in_lyon, nothing_sent },
	{ "conflict: salesforce", loaded_remote, lyon_against_bergen, lyon_won },
	{ "conflict: local", loaded_local, bergen_then_lyon, bergen_won },
	{ "conflict: newest is here", loaded_newest, lyon_against_bergen, bergen_won },
	{ "conflict: newest is there", loaded_newest, bergen_then_lyon, lyon_won },
	{ "conflict: nonblank, two values", loaded_nonblank, lyon_against_bergen, lyon_won },
	{ "conflict: nonblank, none here", loaded_nonblank, lyon_against_nothing, lyon_won },
	{ "conflict: nonblank, none there", loaded_nonblank, nothing_against_bergen, bergen_won },
	{ "conflict: local, a value lost to a blank", loaded_local, lyon_against_nothing,
	  both_null },
	{ "conflict: manual freezes the field alone", loaded_manual, contested_among_others,
	  frozen_among_others, .odd = true },
	{ "a frozen field edited", frozen, frozen_and_edited, still_frozen, .odd = true },
	{ "resolved as the remote's", frozen, resolved_as_remote, thawed_lyon },
	{ "resolved as ours", frozen, resolved_as_local, thawed_bergen },
	{ "edited after it was resolved", thawed, row_to_lyon, thawed_lyon },
	{ "keep: blanked at the remote", loaded_keep, record_is_null, row_kept, .odd = true },
	{ "keep: blanked in the table", loaded_keep, row_is_null, record_kept, .odd = true },
	{ "keep: edited after a kept blank", kept_a_difference, row_to_lyon, both_in_lyon },
	{ "keep: edited there after a kept blank", kept_a_difference, remote_to_lyon,
	  both_in_lyon },
	{ "fill: a value over a value", loaded_fill, remote_to_lyon, fill_refuses, .odd = true },
	{ "fill: a blank in the table", loaded_fill, blank_record_gets_city, both_in_porto },
	{ "fill: a blank at the remote", loaded_fill, blank_row_gets_city, both_in_porto },
	{ "a boolean that is null is false", loaded, boolean_null, is_false },
	{ "->: edited in the table, put back", loaded_city_down, row_to_lyon, still_oslo,
	  put_back_once },
	{ "->: edited on both sides", loaded_city_down, both_edited_down, both_in_lyon,
	  put_back_once },
	{ "<-: edited in the table", loaded_city_up, row_to_lyon, both_in_lyon, one_city_sent },
	{ "<-: edited at the remote, put back", loaded_city_up, remote_to_lyon, still_oslo,
	  put_back_once },
	{ "<-: formatted there, not put back", loaded_up_capitals, row_to_lyon, capitals_up_there,
	  sent_once, .runs = 2, .odd = true },
	{ "<->: formatted there, comes back once", loaded_capitals, row_to_lyon, both_in_capitals,
	  sent_once, .runs = 2 },
	{ "<->: edited before it came back", capitals_and_again, row_to_lille, lille_in_capitals,
	  .runs = 2 },
	{ "<->: edited there before it came back", capitals_and_again, record_to_lille,
	  lille_from_there, .runs = 2 },
	{ "white space around", loaded, row_with_blanks, lyon_without_blanks, sent_once },
	{ "nothing but white space", loaded, row_all_blank, record_is_blank, sent_once },
	{ "more decimals than the field", loaded, row_with_three_places, rounded },
	{ "a value not of its type", loaded, row_with_bad_score, bad_score_listed, .odd = true },
	{ "a value mended", with_bad_score, score_mended, score_arrived },
	{ "a field that flaps", flapping, NULL, flapped_enough, .odd = true, .not_cut = true },
	{ "the mapping grows", with_age, age_mapped, ages_filled },
};

int main(int argc, char **argv)
{
	return two_way_main(argc, argv, "two ways", scenarios,
			    sizeof(scenarios) / sizeof(scenarios[0]));
}
