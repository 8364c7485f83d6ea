/* All fields of a pair together: what each side is given, what a person chose, what an unanswered
 * write turns out to have been. Which field gets what is test_field_merge.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "record/mapping.h"
#include "record/record.h"
#include "store/due.h"
#include "sync/pair.h"

enum { NAME, EMAIL, TITLE, SCORE, FIELDS };

static struct mapping_field fields[FIELDS] = {
	{ .field = "Name", .direction = MAPPING_BOTH, .updateable = true, .createable = true },
	{ .field = "Email", .direction = MAPPING_BOTH, .updateable = true, .createable = true },
	{ .field = "Title", .direction = MAPPING_DOWN },
	{ .field = "Score", .direction = MAPPING_UP, .updateable = true, .createable = true },
};
static const struct mapping mapping = { .fields = fields, .count = FIELDS, .shares = 1 };

/* A pair in which both sides hold "a" in every field, and room for what comes of it. */
struct scene {
	struct value local[FIELDS], remote[FIELDS];
	struct link_field link[FIELDS], after[FIELDS];
	struct pair_field told[FIELDS];
	struct value given[FIELDS];
	bool to_local[FIELDS], to_remote[FIELDS];
	struct pair_input in;
	struct pair_result out;
};

static struct value text(const char *in)
{
	return in ? (struct value){ in, (uint32_t)strlen(in) } : (struct value){ 0 };
}

static void begin(struct scene *in)
{
	memset(in, 0, sizeof(*in));
	for (size_t i = 0; i < FIELDS; i++) {
		in->local[i] = in->remote[i] = text("a");
		in->link[i].base = (struct field_base){ true, text("a"), text("a") };
	}
	in->in = (struct pair_input){
		.mapping = &mapping, .local = in->local, .remote = in->remote, .fields = in->link
	};
	in->out = (struct pair_result){ .fields = in->told,
					.values = in->given,
					.local = in->to_local,
					.remote = in->to_remote,
					.link = in->after };
}

static void assert_text(const struct value *in, const char *want)
{
	struct value wanted = text(want);

	assert_true(value_equal(in, &wanted));
}

static void both_sides_at_once(void **state)
{
	struct scene in;

	(void)state;
	begin(&in);
	in.local[NAME] = text("b");
	in.remote[EMAIL] = text("c");
	pair_merge(&in.in, &in.out);
	assert_true(in.out.any_local && in.out.any_remote && !in.out.any_conflict);
	assert_true(in.to_remote[NAME] && in.to_local[EMAIL]);
	assert_text(&in.given[NAME], "b");
	assert_text(&in.given[EMAIL], "c");
	/* What the remote is to get is owed until it answered. */
	assert_text(&in.after[NAME].base.ours, "a");
	assert_text(&in.after[EMAIL].base.ours, "c");
	pair_settle(in.after, in.given, in.to_remote, FIELDS);
	assert_text(&in.after[NAME].base.ours, "b");
	assert_true(in.after[NAME].echo && !in.after[EMAIL].echo);
}

static void an_equal_pair_changes_nothing(void **state)
{
	struct scene in;

	(void)state;
	begin(&in);
	pair_merge(&in.in, &in.out);
	assert_false(in.out.any_local || in.out.any_remote || in.out.link_changed);
	in.link[NAME].echo = true;
	pair_merge(&in.in, &in.out);
	assert_true(in.out.link_changed); /* it has been read back */
	assert_false(in.after[NAME].echo);
}

static void without_reading_only_rows_are_put_back(void **state)
{
	struct scene in;

	(void)state;
	begin(&in);
	in.in.remote = NULL;
	in.local[TITLE] = text("mine");
	in.local[SCORE] = text("9");
	in.link[EMAIL] = (struct link_field){ 0 };
	in.link[NAME].echo = true;
	pair_merge(&in.in, &in.out);
	assert_true(in.to_local[TITLE] && in.to_remote[SCORE]);
	assert_text(&in.given[TITLE], "a");
	assert_int_equal(in.out.put_back, 1);
	assert_false(in.to_local[EMAIL] || in.to_remote[EMAIL]);
	assert_true(in.after[NAME].echo); /* still not read */
}

static void a_person_chose(void **state)
{
	struct scene in;

	(void)state;
	for (enum link_choice choice = LINK_CHOICE_REMOTE; choice <= LINK_CHOICE_LOCAL; choice++) {
		begin(&in);
		in.local[NAME] = text("ours");
		in.remote[NAME] = text("theirs");
		in.link[NAME].hold = FIELD_HELD_MANUAL;
		pair_merge(&in.in, &in.out);
		assert_false(in.out.any_local || in.out.any_remote);
		in.link[NAME].choice = choice;
		pair_merge(&in.in, &in.out);
		assert_int_equal(in.to_local[NAME], choice == LINK_CHOICE_REMOTE);
		assert_int_equal(in.to_remote[NAME], choice == LINK_CHOICE_LOCAL);
		/* The word stands until it is carried out on the other side. */
		assert_int_equal(in.after[NAME].choice,
				 choice == LINK_CHOICE_LOCAL ? choice : LINK_CHOICE_NONE);
		pair_settle(in.after, in.given, in.to_remote, FIELDS);
		assert_int_equal(in.after[NAME].hold, FIELD_FREE);
		assert_int_equal(in.after[NAME].choice, LINK_CHOICE_NONE);
	}
}

static void what_cannot_be_written_is_owed(void **state)
{
	struct scene in;

	(void)state;
	begin(&in);
	in.local[NAME] = text("b");
	fields[NAME].updateable = false;
	pair_merge(&in.in, &in.out);
	fields[NAME].updateable = true;
	assert_false(in.out.any_remote);
	assert_int_equal(in.told[NAME].reason, FIELD_REMOTE_READ_ONLY);
	assert_text(&in.after[NAME].base.ours, "a");
}

/* An unanswered write of "b" to Name and "x" to Email, sent at 1000. */
struct shown {
	const char *what;
	const char *name, *email; /* what the record holds */
	bool by_us;
	int64_t modified_ms;
	bool shows;
};

static const struct shown shown[] = {
	{ "as sent", "b", "x", false, 900, true },
	{ "as before", "a", "a", false, 900, false },
	{ "half of it", "b", "a", true, 2000, false },
	{ "made into something else, by us", "B", "x", true, 2000, true },
	{ "made into something else, not by us", "B", "x", false, 2000, false },
	{ "made into something else, before", "B", "x", true, 1000, false },
	{ "all made into something else", "B", "X", true, 2000, true },
};

static void what_an_unanswered_write_was(void **state)
{
	struct value sent_values[FIELDS] = { [NAME] = { "b", 1 }, [EMAIL] = { "x", 1 } };
	bool set[FIELDS] = { [NAME] = true, [EMAIL] = true };
	struct value before[FIELDS] = { [NAME] = { "a", 1 }, [EMAIL] = { "a", 1 } };
	const struct sent sent = {
		.sent_ms = 1000, .values = sent_values, .before = before, .set = set
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		struct record record = { .by_us = shown[i].by_us,
					 .modified_ms = shown[i].modified_ms };
		struct scene in;

		begin(&in);
		in.remote[NAME] = text(shown[i].name);
		in.remote[EMAIL] = text(shown[i].email);
		record.values = in.remote;
		if (pair_shows(&sent, &record, FIELDS) != shown[i].shows)
			fail_msg("%s", shown[i].what);
	}
}

static void what_counts_as_their_edit(void **state)
{
	struct scene in;
	struct record record = { .values = in.remote };

	(void)state;
	begin(&in);
	assert_false(pair_remote_edited(&mapping, in.link, &record, false));
	in.remote[SCORE] = text("9"); /* only goes up */
	assert_false(pair_remote_edited(&mapping, in.link, &record, false));
	in.remote[NAME] = text("A");
	assert_true(pair_remote_edited(&mapping, in.link, &record, false));
	in.link[NAME].echo = true;
	assert_false(pair_remote_edited(&mapping, in.link, &record, true));
	assert_true(pair_remote_edited(&mapping, in.link, &record, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_at_once),
		cmocka_unit_test(an_equal_pair_changes_nothing),
		cmocka_unit_test(without_reading_only_rows_are_put_back),
		cmocka_unit_test(a_person_chose),
		cmocka_unit_test(what_cannot_be_written_is_owed),
		cmocka_unit_test(what_an_unanswered_write_was),
		cmocka_unit_test(what_counts_as_their_edit),
	};

	return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
