/* Where reading stands and where it goes next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "record/mapping.h"
#include "record/record.h"
#include "remote/remote.h"
#include "sync/course.h"

#define NOW     ((int64_t)1767323045000)
#define MINUTE  ((int64_t)60 * 1000)
#define DAY     (24 * 60 * MINUTE)
#define OVERLAP (10 * MINUTE)

static struct course_args args_at(int64_t now_ms)
{
	return (struct course_args){ .server_ms = now_ms, .overlap_ms = OVERLAP, .mapping = "a\n" };
}

static struct store_state settled_at(int64_t bound_ms)
{
	return (struct store_state){ .cursor = { .phase = CURSOR_SETTLED,
						 .bound_ms = bound_ms,
						 .deletions_ms = bound_ms,
						 .whole_ms = bound_ms },
				     .mapping = (char *)"a\n" };
}

/* A page whose only record is this; the leg's last or not. */
static void page(struct course *in, const char *id, int64_t stamp_ms, bool last, int64_t server_ms)
{
	struct record record = { .id = id, .stamp_ms = stamp_ms };
	struct record_page made = { .records = &record,
				    .count = id ? 1 : 0,
				    .server_ms = server_ms,
				    .next = last ? NULL : (char *)"more" };

	course_page(in, &made);
}

#define ID "003000000000001AAA"

static void first_load_then_changes(void **state)
{
	struct course in;
	struct course_args args = args_at(NOW);
	struct remote_query query = { 0 };

	(void)state;
	assert_true(course_begin(&in, &(struct store_state){ 0 }, NULL, &args));
	assert_int_equal(course_next(&in), COURSE_LOAD);
	assert_int_equal(in.state.cursor.bound_ms, NOW - 5000);
	page(&in, ID, NOW - DAY, false, NOW + MINUTE);
	course_query(&in, &query);
	assert_int_equal(query.order, REMOTE_BY_ID);
	assert_string_equal(query.after_id, ID);
	page(&in, NULL, 0, true, NOW + 60 * MINUTE);
	assert_int_equal(in.state.cursor.phase, CURSOR_SETTLED);
	assert_int_equal(course_next(&in), COURSE_CHANGES);
	query = (struct remote_query){ 0 };
	course_query(&in, &query);
	/* From before the load to what the clock said at its end. */
	assert_int_equal(query.from_ms, NOW - 5000 - OVERLAP);
	assert_int_equal(query.until_ms, NOW + 60 * MINUTE - 5000);
	page(&in, NULL, 0, true, NOW + 60 * MINUTE);
	assert_int_equal(course_next(&in), COURSE_END);
	assert_int_equal(in.state.cursor.bound_ms, NOW + 60 * MINUTE - 5000);
	course_clear(&in);
}

static void cut_increment_keeps_its_bounds(void **state)
{
	struct store_state held = settled_at(NOW - DAY);
	struct course_args args = args_at(NOW);
	struct course in;
	struct remote_query query = { 0 };

	(void)state;
	held.cursor.phase = CURSOR_CHANGES;
	held.cursor.since_ms = NOW - 2 * DAY;
	held.cursor.last_ms = NOW - DAY - MINUTE;
	strcpy(held.cursor.last_id, ID);
	assert_false(course_begin(&in, &held, NULL, &args));
	assert_int_equal(course_next(&in), COURSE_CHANGES);
	course_query(&in, &query);
	assert_int_equal(query.from_ms, NOW - DAY - MINUTE);
	assert_string_equal(query.after_id, ID);
	assert_int_equal(query.until_ms, NOW - DAY);
	page(&in, NULL, 0, true, NOW);
	assert_true(course_must_save(&in, false)); /* or it would be resumed again */
	assert_int_equal(course_next(&in), COURSE_CHANGES);
	course_query(&in, &query);
	assert_int_equal(query.from_ms, NOW - DAY - OVERLAP);
	assert_int_equal(query.until_ms, NOW - 5000);
	course_clear(&in);
}

/* A load shows no deletions: the increment after it begins where they are known. */
static void later_load_keeps_the_bound(void **state)
{
	struct store_state held = settled_at(NOW - DAY);
	struct course_args args = args_at(NOW);
	struct course in;
	struct remote_query query = { 0 };

	(void)state;
	args.mapping = "a\nb\n";
	assert_true(course_begin(&in, &held, NULL, &args));
	assert_false(in.state.compare_owed);
	assert_int_equal(course_next(&in), COURSE_LOAD);
	page(&in, NULL, 0, true, NOW);
	assert_int_equal(course_next(&in), COURSE_CHANGES);
	course_query(&in, &query);
	assert_int_equal(query.from_ms, NOW - DAY - OVERLAP);
	course_clear(&in);
}

static void what_calls_for_what(void **state)
{
	static const struct {
		const char *name;
		int64_t behind_ms;
		const char *mapping, *where;
		bool full;
		enum course_leg want;
		bool compare, saves;
	} rows[] = {
		{ "nothing", MINUTE, "a\n", NULL, false, COURSE_CHANGES, false, false },
		{ "no where is an empty where", MINUTE, "a\n", "", false, COURSE_CHANGES, false,
		  false },
		{ "full", MINUTE, "a\n", NULL, true, COURSE_LOAD, true, true },
		{ "where", MINUTE, "a\n", "x = 1", false, COURSE_LOAD, true, true },
		{ "grown", MINUTE, "a\nb\n", NULL, false, COURSE_LOAD, false, true },
		{ "shrunk", MINUTE, "", NULL, false, COURSE_CHANGES, false, true },
		{ "6 days", 6 * DAY, "a\n", NULL, false, COURSE_CHANGES, false, false },
		{ "8 days", 8 * DAY, "a\n", NULL, false, COURSE_COMPARE, true, true },
		{ "16 days", 16 * DAY, "a\n", NULL, false, COURSE_COMPARE, true, true },
		{ "16 days and grown", 16 * DAY, "a\nb\n", NULL, false, COURSE_LOAD, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_state held = settled_at(NOW - rows[i].behind_ms);
		struct course_args args = args_at(NOW);
		struct course in;

		args.mapping = rows[i].mapping;
		args.where = rows[i].where;
		args.full = rows[i].full;
		if (course_begin(&in, &held, NULL, &args) != rows[i].saves ||
		    course_next(&in) != rows[i].want || in.state.compare_owed != rows[i].compare)
			fail_msg("%s", rows[i].name);
		course_clear(&in);
	}
}

static void cut_full_read_is_followed_by_a_compare(void **state)
{
	struct store_state held = settled_at(NOW - MINUTE);
	struct course_args args = args_at(NOW);
	struct course in;

	(void)state;
	held.cursor.phase = CURSOR_LOAD;
	strcpy(held.cursor.last_id, ID);
	held.compare_owed = true;
	course_begin(&in, &held, NULL, &args);
	assert_int_equal(course_next(&in), COURSE_LOAD);
	assert_false(in.tracks_seen);
	page(&in, NULL, 0, true, NOW);
	assert_true(in.state.compare_owed);
	assert_int_equal(course_next(&in), COURSE_COMPARE);
	assert_true(in.tracks_seen);
	page(&in, NULL, 0, true, NOW);
	assert_false(in.state.compare_owed);
	assert_int_equal(course_next(&in), COURSE_CHANGES);
	course_clear(&in);
}

static void idle_bound_is_saved_once_an_hour(void **state)
{
	static const struct {
		int64_t behind_ms;
		bool saved;
	} rows[] = { { MINUTE, false }, { 59 * MINUTE, false }, { 62 * MINUTE, true } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct store_state held = settled_at(NOW - rows[i].behind_ms);
		struct course_args args = args_at(NOW);
		struct course in;

		course_begin(&in, &held, NULL, &args);
		assert_int_equal(course_next(&in), COURSE_CHANGES);
		page(&in, ID, NOW - rows[i].behind_ms, true, NOW);
		assert_false(course_must_save(&in, false));
		assert_true(course_must_save(&in, true));
		assert_int_equal(course_must_save_at_end(&in), rows[i].saved);
		course_clear(&in);
	}
}

static void what_is_known_beyond_the_ledger_counts(void **state)
{
	struct store_state held = settled_at(NOW - 50 * MINUTE);
	struct cursor known = held.cursor;
	struct course_args args = args_at(NOW);
	struct course in;
	struct remote_query query = { 0 };

	(void)state;
	known.bound_ms = known.deletions_ms = NOW - MINUTE;
	assert_false(course_begin(&in, &held, &known, &args));
	course_next(&in);
	course_query(&in, &query);
	assert_int_equal(query.from_ms, NOW - MINUTE - OVERLAP);
	course_clear(&in);
}

static void a_bound_in_the_future_is_not_waited_for(void **state)
{
	static const enum cursor_phase phases[] = { CURSOR_SETTLED, CURSOR_LOAD, CURSOR_CHANGES };
	struct remote_query query = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct store_state held = settled_at(NOW);
		struct course_args args = args_at(NOW - 20 * MINUTE);
		struct course in;

		held.cursor.phase = phases[i];
		held.cursor.since_ms = NOW - DAY;
		strcpy(held.cursor.last_id, ID);
		assert_true(course_begin(&in, &held, NULL, &args));
		assert_true(in.was_ahead);
		assert_int_equal(course_next(&in), COURSE_LOAD);
		assert_true(in.tracks_seen);
		page(&in, ID, NOW - DAY, true, NOW - 20 * MINUTE);
		/* Deletions that were passed over are told of once more. */
		assert_int_equal(course_next(&in), COURSE_CHANGES);
		course_query(&in, &query);
		assert_true(query.from_ms <= NOW - 20 * MINUTE - 15 * DAY);
		assert_int_equal(query.until_ms, NOW - 20 * MINUTE - 5000);
		page(&in, NULL, 0, true, NOW - 20 * MINUTE);
		assert_int_equal(course_next(&in), COURSE_END);
		course_clear(&in);
	}
}

static void a_clock_a_little_back_is_within_the_overlap(void **state)
{
	struct store_state held = settled_at(NOW);
	struct course_args args = args_at(NOW - 9 * MINUTE);
	struct course in;

	(void)state;
	assert_false(course_begin(&in, &held, NULL, &args));
	assert_int_equal(course_next(&in), COURSE_CHANGES);
	course_clear(&in);
}

#define ID2 "003000000000002AAA"

/* What was edited since its page was asked for shows its new stamp at its old place. */
static void position_never_passes_what_is_unread(void **state)
{
	struct store_state held = settled_at(NOW - DAY);
	struct course_args args = args_at(NOW);
	struct course in;
	struct record records[] = { { .id = ID, .stamp_ms = NOW - DAY },
				    { .id = ID2, .stamp_ms = NOW + 10 } };
	struct record_page made = {
		.records = records, .count = 2, .server_ms = NOW, .next = (char *)"more"
	};

	(void)state;
	course_begin(&in, &held, NULL, &args);
	assert_int_equal(course_next(&in), COURSE_CHANGES);
	course_page(&in, &made);
	assert_int_equal(in.state.cursor.last_ms, NOW - DAY);
	assert_string_equal(in.state.cursor.last_id, ID);
	page(&in, ID2, NOW + 20, false, NOW);      /* nothing of the window */
	page(&in, ID2, NOW - 2 * DAY, false, NOW); /* before the position */
	assert_int_equal(in.state.cursor.last_ms, NOW - DAY);
	assert_string_equal(in.state.cursor.last_id, ID);
	assert_int_equal(in.still_pages, 2);
	page(&in, ID2, NOW - DAY, false, NOW);
	assert_string_equal(in.state.cursor.last_id, ID2);
	assert_int_equal(in.still_pages, 0);
	course_clear(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_load_then_changes),
		cmocka_unit_test(cut_increment_keeps_its_bounds),
		cmocka_unit_test(later_load_keeps_the_bound),
		cmocka_unit_test(what_calls_for_what),
		cmocka_unit_test(cut_full_read_is_followed_by_a_compare),
		cmocka_unit_test(idle_bound_is_saved_once_an_hour),
		cmocka_unit_test(what_is_known_beyond_the_ledger_counts),
		cmocka_unit_test(a_bound_in_the_future_is_not_waited_for),
		cmocka_unit_test(position_never_passes_what_is_unread),
		cmocka_unit_test(a_clock_a_little_back_is_within_the_overlap),
	};

	return cmocka_run_group_tests_name("course", tests, NULL, NULL);
}
