/* What is told of a job: its runs, also those that wrote nothing, and what its ledger holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"
#include "world.h"

struct answer {
	bool there, failed;
	size_t count;
	char text[400];
	struct sync_summary summary;
};

static void got_runs(const struct sync_run_row *rows, size_t count, const struct error *err,
		     void *arg)
{
	struct answer *in = arg;
	size_t used = 0;

	in->there = true;
	in->failed = err;
	in->count = count;
	*in->text = '\0';
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(in->text + used, sizeof(in->text) - used, "%s%s %d",
					 i ? ", " : "", rows[i].outcome, (int)rows[i].inserted);
}

static void got_summary(const struct sync_summary *summary, const struct error *err, void *arg)
{
	struct answer *in = arg;

	in->there = true;
	in->failed = err;
	if (summary)
		in->summary = *summary;
}

static struct answer runs_of(struct world *in, const char *job, size_t limit)
{
	struct answer answer = { .there = false };

	sync_runs(in->store, job, limit, got_runs, &answer);
	while (!answer.there)
		loop_once(in->loop);
	return answer;
}

static struct answer summary_of(struct world *in)
{
	struct answer answer = { .there = false };

	sync_summary(in->store, "contacts", got_summary, &answer);
	while (!answer.there)
		loop_once(in->loop);
	return answer;
}

static void before_anything(void **state)
{
	struct world *in = world_new();
	struct answer answer = runs_of(in, NULL, 10);

	(void)state;
	assert_false(answer.failed);
	assert_int_equal(answer.count, 0);
	answer = summary_of(in);
	assert_false(answer.failed);
	assert_string_equal(answer.summary.phase, "none");
	world_free(in);
}

static void idle_runs_are_told_from_memory(void **state)
{
	struct world *in = world_new();
	struct answer answer;

	(void)state;
	world_run(in);
	assert_string_equal(runs_of(in, "contacts", 10).text, "done 7");
	loop_test_advance(in->loop, 1000);
	world_run(in);
	assert_string_equal(runs_of(in, NULL, 10).text, "done 0, done 7");
	assert_string_equal(runs_of(in, NULL, 1).text, "done 0");
	assert_int_equal(runs_of(in, "leads", 10).count, 0);
	answer = summary_of(in);
	assert_int_equal(answer.summary.linked, 7);
	assert_string_equal(answer.summary.phase, "settled");
	/* The bound of the idle run, which the ledger does not hold yet. */
	assert_true(answer.summary.settled_ms >
		    world_int(in, "SELECT bound_ms FROM leadsync_cursor"));
	world_reopen(in);
	assert_string_equal(runs_of(in, NULL, 10).text, "done 7");
	world_free(in);
}

static void failures_and_cuts_are_told(void **state)
{
	struct world *in = world_new();

	(void)state;
	in->fake->hang_at = 4; /* the third page: the first is kept, the second perhaps */
	world_run_any(in, false);
	loop_test_advance(in->loop, 1000);
	assert_memory_equal(runs_of(in, NULL, 10).text, "cut ", 4);
	in->fake->hang_at = 0;
	in->fake->fail_at = in->fake->calls + 1;
	in->fake->fail_count = 1;
	error_set(&in->fake->fail, ERROR_LOGIN, "INVALID_SESSION_ID", "expired");
	world_run_any(in, false);
	assert_true(in->failed);
	assert_int_equal(in->err.kind, ERROR_LOGIN);
	assert_memory_equal(runs_of(in, NULL, 10).text, "failed 0, cut ", 14);
	assert_string_equal(summary_of(in).summary.phase, "load");
	world_free(in);
}

/* Before there is a ledger a failure is known from memory alone; the store is not claimed. */
static void a_failure_before_the_ledger(void **state)
{
	struct world *in = world_new();

	(void)state;
	in->fake->fail_at = 1;
	in->fake->fail_count = 1;
	error_set(&in->fake->fail, ERROR_HUMAN, "INVALID_TYPE", "no such object");
	world_run_any(in, false);
	assert_string_equal(runs_of(in, NULL, 10).text, "failed 0");
	assert_int_equal(world_int(in, "SELECT count(*) FROM sqlite_schema"), 0);
	world_free(in);
}

static void must_not_come(const struct sync_run_row *rows, size_t count, const struct error *err,
			  void *arg)
{
	(void)rows;
	(void)count;
	(void)err;
	(void)arg;
	fail();
}

static void cancelled_means_never(void **state)
{
	struct world *in = world_new();

	(void)state;
	world_run(in);
	sync_runs_cancel(sync_runs(in->store, NULL, 10, must_not_come, NULL));
	runs_of(in, NULL, 10);
	world_free(in);
}

static void a_store_that_cannot_be_opened(void **state)
{
	struct world *in = world_new();
	struct sync_store *store = sync_store_new(in->loop, "crm", "/nowhere/at/all/crm.db");

	(void)state;
	sync_store_free(in->store);
	in->job.store = in->store = store;
	world_run_any(in, false);
	assert_true(in->failed);
	assert_int_equal(in->err.kind, ERROR_HUMAN);
	assert_true(summary_of(in).failed);
	world_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_anything),
		cmocka_unit_test(idle_runs_are_told_from_memory),
		cmocka_unit_test(failures_and_cuts_are_told),
		cmocka_unit_test(a_failure_before_the_ledger),
		cmocka_unit_test(cancelled_means_never),
		cmocka_unit_test(a_store_that_cannot_be_opened),
	};

	return cmocka_run_group_tests_name("listings", tests, NULL, NULL);
}
