/* two_way.c - in order: what scenarios are made of; one played plainly, cut, and resumed. */
#include "two_way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of what is done although nobody was told. */
#define LATER_MS ((int64_t)5 * 60 * 1000)
/* Longer than that, and than `overlap`. */
#define LONG_S 700

void loaded(struct world *in)
{
	world_run(in);
	world_wait(in, 3600);
}

void loaded_as(struct world *in, const char *field, enum field_rule rule, enum field_blank blank)
{
	world_both(in, field, rule, blank);
	loaded(in);
}

static void name_row(struct world *in, unsigned number, char *out, size_t size)
{
	char id[19];

	fake_id(number, id);
	snprintf(out, size,
		 "\"%s\" = (SELECT key FROM leadsync_link WHERE remote_id = '%s' AND key IS NOT "
		 "NULL)",
		 in->job.key, id);
}

void edit(struct world *in, unsigned number, const char *set)
{
	char row[160], sql[400];

	name_row(in, number, row, sizeof(row));
	snprintf(sql, sizeof(sql), "UPDATE contact SET %s WHERE %s", set, row);
	world_sql(in, sql);
}

void drop(struct world *in, unsigned number)
{
	char row[160], sql[400];

	name_row(in, number, row, sizeof(row));
	snprintf(sql, sizeof(sql), "DELETE FROM contact WHERE %s", row);
	world_sql(in, sql);
}

int64_t rows(struct world *in)
{
	return world_int(in, "SELECT count(*) FROM contact");
}

void row_holds(struct world *in, unsigned number, const char *column, const char *value)
{
	char row[160], sql[400];

	name_row(in, number, row, sizeof(row));
	snprintf(sql, sizeof(sql), "SELECT \"%s\" FROM contact WHERE %s", column, row);
	assert_string_equal(world_text(in, sql), value ? value : "(null)");
}

void record_holds(struct world *in, unsigned number, const char *field, const char *value)
{
	const struct fake_record *record = fake_find(in->fake, number);
	const char *has = fake_value(in->fake, record, field);

	assert_string_equal(has ? has : "(null)", value ? value : "(null)");
}

void both_hold(struct world *in, unsigned number, const char *field, const char *column,
	       const char *value)
{
	record_holds(in, number, field, value);
	row_holds(in, number, column, value);
}

unsigned sent(struct world *in, unsigned number, const char *field)
{
	for (size_t i = 0; i < in->fake->field_count; i++)
		if (strcmp(in->fake->fields[i].name, field) == 0)
			return fake_find(in->fake, number)->sent[i];
	fail_msg("no field %s", field);
	return 0;
}

static struct world *begin(const struct two_way *of)
{
	struct world *in = world_new_two_way();

	if (of->before)
		of->before(in);
	in->fake->calls = in->fake->writes = in->fake->reads = 0;
	in->fake->log_count = 0;
	if (of->change)
		of->change(in);
	world_wait(in, 60);
	return in;
}

static void check(const struct two_way *of, struct world *in)
{
	world_assert_strict(in);
	if (!of->odd)
		world_assert_equal(in);
	if (of->after)
		of->after(in);
}

static void plainly(const struct two_way *of)
{
	struct world *in = begin(of);

	for (unsigned run = 0; run < (of->runs ? of->runs : 1); run++) {
		if (run)
			world_wait(in, of->wait_s ? of->wait_s : 60);
		world_run_any(in, false);
		if (in->failed && !of->fails)
			fail_msg("%s: %s", in->err.code, in->err.text);
	}
	if (of->once)
		of->once(in);
	if (of->fails) {
		assert_true(in->failed);
		assert_string_equal(in->err.code, of->fails);
		world_assert_strict(in);
		if (of->after)
			of->after(in);
	} else {
		check(of, in);
		world_wait(in, 60);
		world_assert_idle(in);
	}
	world_free(in);
}

/* What is left to do after a cut is done by plain runs. */
static void resume(const struct two_way *of, struct world *in)
{
	in->fake->hang_at = in->fake->lose_writes = in->fake->fail_writes = 0;
	for (unsigned run = 0; run < (of->runs > 3 ? of->runs : 3); run++) {
		world_run(in);
		world_wait(in, LONG_S);
	}
	check(of, in);
	world_assert_idle(in);
	assert_int_equal(world_int(in,
				   "SELECT count(*) FROM leadsync_runs WHERE outcome = 'running'"),
			 0);
}

static bool run_until_cut(const struct two_way *of, struct world *in)
{
	for (unsigned run = 0; run < (of->runs ? of->runs : 1); run++) {
		if (run)
			world_wait(in, of->wait_s ? of->wait_s : 60);
		world_run_any(in, false);
		if (!in->done || world_is_cut())
			return true;
	}
	return false;
}

/* Whether that call was a write is in `ret_write`. */
static bool cut_at_call(const struct two_way *of, unsigned call, enum fake_fate fate,
			bool *ret_write)
{
	static const char *const fates[] = { "not done", "done", "done later" };
	struct world *in = begin(of);
	bool cut;

	print_message("%s: cut at call %u, %s\n", of->name, call, fates[fate]);
	in->fake->hang_at = in->fake->calls + call;
	in->fake->fate = fate;
	in->fake->later_ms = LATER_MS;
	cut = run_until_cut(of, in);
	*ret_write = cut && in->fake->log[in->fake->log_count - 1].kind == FAKE_WRITE;
	if (cut) {
		world_reopen(in);
		resume(of, in);
	}
	world_free(in);
	return cut;
}

static bool cut_at_commit(const struct two_way *of, unsigned commit)
{
	struct world *in = begin(of);
	bool cut;

	print_message("%s: cut at commit %u\n", of->name, commit);
	world_snap_at(in, commit);
	run_until_cut(of, in);
	cut = world_snap_restore(in);
	if (cut)
		resume(of, in);
	world_free(in);
	return cut;
}

/* LEADSYNC_CUT_EVERY=n: only every n-th place, other ones for other scenarios; for builds that are
 * slow. Everywhere if it is not said. */
static unsigned cut_every(void)
{
	const char *text = getenv("LEADSYNC_CUT_EVERY");
	int number = text ? atoi(text) : 1;

	return number > 1 ? (unsigned)number : 1;
}

static void play(void **state)
{
	const struct two_way *of = *state;
	unsigned every = cut_every(), first = 1 + (unsigned)strlen(of->name) % every;
	bool write;

	plainly(of);
	if (of->fails || of->not_cut)
		return;
	for (unsigned call = first; cut_at_call(of, call, FAKE_NOT_DONE, &write); call += every) {
		if (!write)
			continue;
		cut_at_call(of, call, FAKE_DONE, &write);
		cut_at_call(of, call, FAKE_DONE_LATER, &write);
	}
	for (unsigned commit = first; cut_at_commit(of, commit); commit += every)
		;
}

#define MOST 100

int two_way_main(int argc, char **argv, const char *group, const struct two_way *table,
		 size_t count)
{
	struct CMUnitTest tests[MOST];
	size_t chosen = 0;

	assert_true(count <= MOST);
	for (size_t i = 0; i < count; i++)
		if (argc < 2 || strcmp(argv[1], table[i].name) == 0)
			tests[chosen++] = (struct CMUnitTest){ .name = table[i].name,
							       .test_func = play,
							       .initial_state = (void *)&table[i] };
	return _cmocka_run_group_tests(group, tests, chosen, NULL, NULL);
}
