/* What is told of a job: its runs, also those that wrote nothing, and what its ledger holds; and
 * what a person says of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"
#include "sync/sync_listing.h"
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

/* Listings. */

static void add_line(struct answer *in, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add_line(struct answer *in, const char *format, ...)
{
	size_t used = strlen(in->text);
	va_list args;

	va_start(args, format);
	vsnprintf(in->text + used, sizeof(in->text) - used, format, args);
	va_end(args);
}

static void begin_answer(struct answer *in, size_t count, const struct error *err)
{
	in->there = true;
	in->failed = err;
	in->count = count;
	*in->text = '\0';
}

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static int length_of(const struct value *value)
{
	return value_is_null(value) ? 1 : (int)value->len;
}

static void got_rejects(const struct store_reject_line *lines, size_t count,
			const struct error *err, void *arg)
{
	begin_answer(arg, count, err);
	for (size_t i = 0; i < count; i++) {
		const struct store_reject *reject = &lines[i].reject;

		add_line(arg, "%s%s.%s %s %s %s %s%s", i ? ", " : "", lines[i].job, lines[i].table,
			 reject->direction == TOLD_DOWN ? "down" : "up", or_none(reject->remote_id),
			 reject->code, or_none(reject->field), reject->ignored ? " ignored" : "");
	}
}

static void got_conflicts(const struct store_conflict_line *lines, size_t count,
			  const struct error *err, void *arg)
{
	begin_answer(arg, count, err);
	for (size_t i = 0; i < count; i++)
		add_line(arg, "%s%s %s %.*s|%.*s", i ? ", " : "", lines[i].state,
			 or_none(lines[i].conflict.field), length_of(&lines[i].conflict.local),
			 or_none(lines[i].conflict.local.text),
			 length_of(&lines[i].conflict.remote),
			 or_none(lines[i].conflict.remote.text));
}

static void got_dues(const struct store_due_line *lines, size_t count, const struct error *err,
		     void *arg)
{
	begin_answer(arg, count, err);
	for (size_t i = 0; i < count; i++)
		add_line(arg, "%s%s %s %d", i ? ", " : "", lines[i].state,
			 *lines[i].due.remote_id ? "pair" : "row", (int)lines[i].due.since_ms);
}

static void wait_for(struct world *in, const struct answer *answer)
{
	while (!answer->there)
		loop_once(in->loop);
}

static struct answer rejects_of(struct world *in, const char *job, bool all)
{
	struct answer answer = { .there = false };

	sync_list_rejects(in->store, &(struct store_listing){ .job = job, .all = all, .limit = 10 },
			  got_rejects, &answer);
	wait_for(in, &answer);
	return answer;
}

static struct answer conflicts_of(struct world *in, bool all, size_t limit)
{
	struct answer answer = { .there = false };

	sync_list_conflicts(in->store,
			    &(struct store_listing){
				    .job = "contacts", .all = all, .limit = limit },
			    got_conflicts, &answer);
	wait_for(in, &answer);
	return answer;
}

static struct answer dues_of(struct world *in)
{
	struct answer answer = { .there = false };

	sync_list_dues(in->store, &(struct store_listing){ .job = "contacts", .limit = 10 },
		       got_dues, &answer);
	wait_for(in, &answer);
	return answer;
}

static void got_count(int64_t count, const struct error *err, void *arg)
{
	begin_answer(arg, (size_t)count, err);
}

static size_t ordered(struct world *in, enum store_act act, const char *id, const char *field)
{
	const struct store_order order = { .act = act,
					   .instance = in->instance,
					   .job = "contacts",
					   .id = id,
					   .field = field,
					   .winner = TOLD_REMOTE };
	struct answer answer = { .there = false };

	sync_order(in->store, &order, got_count, &answer);
	wait_for(in, &answer);
	assert_false(answer.failed);
	return answer.count;
}

static void detached(struct world *in)
{
	struct answer answer = { .there = false };

	sync_detach(in->store, in->instance, "contacts", got_count, &answer);
	wait_for(in, &answer);
	assert_false(answer.failed);
}

static void got_sent(const struct sync_run_row *rows, size_t count, const struct error *err,
		     void *arg)
{
	begin_answer(arg, count, err);
	for (size_t i = 0; i < count; i++)
		add_line(arg, "%d %d %d, %d %d %d", (int)rows[i].sent_created,
			 (int)rows[i].sent_updated, (int)rows[i].sent_deleted, (int)rows[i].refused,
			 (int)rows[i].conflicts, (int)rows[i].put_back);
}

static void what_a_run_sent_is_told(void **state)
{
	struct world *in = world_new();
	struct answer answer = { .there = false };

	(void)state;
	world_run(in);
	world_sql(in, "UPDATE leadsync_runs SET sent_created = 1, sent_updated = 2, sent_deleted ="
		      " 3, refused = 4, conflicts = 5, put_back = 6");
	sync_runs(in->store, NULL, 10, got_sent, &answer);
	wait_for(in, &answer);
	assert_string_equal(answer.text, "1 2 3, 4 5 6");
	world_free(in);
}

static void nothing_is_listed_before_a_ledger(void **state)
{
	struct world *in = world_new();

	(void)state;
	assert_int_equal(rejects_of(in, NULL, true).count, 0);
	assert_int_equal(conflicts_of(in, true, 10).count, 0);
	assert_int_equal(dues_of(in).count, 0);
	assert_int_equal(ordered(in, STORE_RETRY, NULL, NULL), 0);
	detached(in);
	assert_int_equal(world_int(in, "SELECT count(*) FROM sqlite_schema"), 0);
	world_free(in);
}

/* A world where one record's value was bad. */
static struct world *with_reject(void)
{
	struct world *in = world_new();

	world_run(in);
	fake_set(in->fake, 2, "Score__c", "much");
	world_wait(in, 60);
	world_run(in);
	return in;
}

static void rejects_are_listed_ignored_and_retried(void **state)
{
	struct world *in = with_reject();
	char *listed = strdup(rejects_of(in, "contacts", false).text);
	char id[19];

	(void)state;
	strcpy(id, world_text(in, "SELECT remote_id FROM leadsync_rejects"));
	assert_non_null(strstr(listed, id));
	assert_memory_equal(listed, "contacts.contact down ", 22);
	assert_non_null(strstr(listed, " bad-value Score__c"));
	assert_string_equal(rejects_of(in, NULL, false).text, listed);
	assert_int_equal(rejects_of(in, "leads", true).count, 0);
	assert_int_equal(summary_of(in).summary.rejects, 1);
	/* Not that one. */
	assert_int_equal(ordered(in, STORE_IGNORE, id, "City"), 0);
	assert_int_equal(ordered(in, STORE_IGNORE, "12345", NULL), 0);
	id[15] = '\0';
	assert_int_equal(ordered(in, STORE_IGNORE, id, "Score__c"), 1);
	assert_int_equal(rejects_of(in, "contacts", false).count, 0);
	assert_non_null(strstr(rejects_of(in, "contacts", true).text, " ignored"));
	assert_int_equal(ordered(in, STORE_RETRY, NULL, NULL), 1);
	assert_int_equal(rejects_of(in, "contacts", true).count, 0);
	assert_int_equal(summary_of(in).summary.rejects, 0); /* not what was known before */
	free(listed);
	world_free(in);
}

#define CONFLICT                                                                                   \
	"INSERT INTO leadsync_conflicts (job, state, remote_id, key, field, kind, local, remote,"  \
	" local_ms, remote_ms, winner, reason, run, at_ms, sent) SELECT job, "

static void conflicts_are_listed_newest_first(void **state)
{
	struct world *in = world_new();

	(void)state;
	world_run(in);
	world_sql(in, CONFLICT "'open', remote_id, key, 'City', 'both-changed', 'Oslo', 'Roma', 1,"
			       " 2, '', 'conflict-manual', 'abcdef01', 5, 0"
			       " FROM leadsync_link WHERE key = 1");
	world_sql(in, CONFLICT "'decided', remote_id, key, 'Email', 'both-changed', NULL, 'a@b', 1,"
			       " 2, 'remote', 'conflict-remote', 'abcdef01', 6, 0"
			       " FROM leadsync_link WHERE key = 2");
	assert_string_equal(conflicts_of(in, false, 10).text, "open City Oslo|Roma");
	assert_string_equal(conflicts_of(in, true, 10).text,
			    "decided Email -|a@b, open City Oslo|Roma");
	assert_string_equal(conflicts_of(in, true, 1).text, "decided Email -|a@b");
	world_reopen(in); /* the summary is counted anew */
	assert_int_equal(summary_of(in).summary.conflicts, 1);
	world_free(in);
}

#define DUE                                                                                        \
	"INSERT INTO leadsync_due (job, state, remote_id, key, edited_ms, since_ms, "              \
	"not_before_ms,"                                                                           \
	" tries) SELECT job, "

static void what_is_due_is_listed_and_counted(void **state)
{
	struct world *in = world_new();
	struct sync_summary summary;

	(void)state;
	world_run(in);
	world_sql(in,
		  DUE "'waiting', remote_id, NULL, 0, 40, 0, 0 FROM leadsync_link WHERE key = 1");
	world_sql(in, DUE "'held', remote_id, NULL, 0, 30, 0, 0 FROM leadsync_link WHERE key = 2");
	world_sql(in, DUE "'rejected', NULL, 99, 0, 20, 0, 0 FROM leadsync_link WHERE key = 2");
	assert_int_equal(dues_of(in).count, 3);
	assert_non_null(strstr(dues_of(in).text, "waiting pair 40"));
	assert_non_null(strstr(dues_of(in).text, "held pair 30"));
	assert_non_null(strstr(dues_of(in).text, "rejected row 20"));
	world_reopen(in);
	summary = summary_of(in).summary;
	assert_int_equal(summary.waiting, 1);
	assert_int_equal(summary.oldest_due_ms, 40);
	assert_int_equal(summary.held, 1);
	assert_int_equal(summary.rejected, 1);
	assert_int_equal(summary.sent + summary.unknown, 0);
	world_free(in);
}

static void a_detached_job_is_forgotten_and_its_table_stays(void **state)
{
	struct world *in = with_reject();

	(void)state;
	loop_test_advance(in->loop, 1000);
	world_run(in); /* told of from memory alone */
	assert_int_not_equal(runs_of(in, NULL, 10).count, 0);
	detached(in);
	assert_int_equal(world_int(in, "SELECT count(*) FROM contact"), 7);
	assert_int_equal(world_int(in, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"),
			 0);
	assert_int_equal(world_int(in, "SELECT count(*) FROM leadsync_link"), 0);
	assert_int_equal(runs_of(in, NULL, 10).count, 0);
	assert_int_equal(rejects_of(in, NULL, true).count, 0);
	assert_string_equal(summary_of(in).summary.phase, "none");
	assert_int_equal(summary_of(in).summary.settled_ms, 0);
	detached(in); /* nothing is left to be taken away */
	world_free(in);
}

static void no_rejects_come(const struct store_reject_line *lines, size_t count,
			    const struct error *err, void *arg)
{
	(void)lines;
	(void)count;
	(void)err;
	(void)arg;
	fail();
}

static void no_count_comes(int64_t count, const struct error *err, void *arg)
{
	(void)count;
	(void)err;
	(void)arg;
	fail();
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
	sync_listing_cancel(sync_list_rejects(in->store, &(struct store_listing){ .limit = 10 },
					      no_rejects_come, NULL));
	sync_order_cancel(sync_order(
		in->store,
		&(struct store_order){ .act = STORE_RETRY, .instance = "ours", .job = "contacts" },
		no_count_comes, NULL));
	runs_of(in, NULL, 10);
	world_free(in);
}

static void a_store_that_cannot_be_opened(void **state)
{
	struct world *in = world_new();
	struct sync_store *store = sync_store_new(in->loop, "crm", "/nowhere/at/all/crm.db");
	struct answer answer = { .there = false };

	(void)state;
	sync_store_free(in->store);
	in->job.store = in->store = store;
	world_run_any(in, false);
	assert_true(in->failed);
	assert_int_equal(in->err.kind, ERROR_HUMAN);
	assert_true(summary_of(in).failed);
	assert_true(rejects_of(in, NULL, false).failed);
	sync_detach(in->store, in->instance, "contacts", got_count, &answer);
	wait_for(in, &answer);
	assert_true(answer.failed);
	world_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_anything),
		cmocka_unit_test(idle_runs_are_told_from_memory),
		cmocka_unit_test(failures_and_cuts_are_told),
		cmocka_unit_test(a_failure_before_the_ledger),
		cmocka_unit_test(what_a_run_sent_is_told),
		cmocka_unit_test(nothing_is_listed_before_a_ledger),
		cmocka_unit_test(rejects_are_listed_ignored_and_retried),
		cmocka_unit_test(conflicts_are_listed_newest_first),
		cmocka_unit_test(what_is_due_is_listed_and_counted),
		cmocka_unit_test(a_detached_job_is_forgotten_and_its_table_stays),
		cmocka_unit_test(cancelled_means_never),
		cmocka_unit_test(a_store_that_cannot_be_opened),
	};

	return cmocka_run_group_tests_name("listings", tests, NULL, NULL);
}
