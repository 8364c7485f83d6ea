/* A worker's tasks: order, and who gets `arg` whenever they are cancelled. The gate lets a test
 * hold the worker's thread at a known place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>

#include "loop/loop.h"
#include "loop/worker.h"

static struct {
	struct loop *loop;
	struct worker *worker;
	pthread_t loop_thread;
	sem_t entered, gate;
	char ran[128]; /* worker's side; read after the worker is known to be past it */
	char told[128];
	struct worker_task *victim;
} at;

static void add(char *list, const char *mark, void *arg)
{
	strcat(list, mark);
	strcat(list, arg);
}

static void run(void *arg)
{
	assert_false(pthread_equal(pthread_self(), at.loop_thread));
	add(at.ran, "", arg);
}

static void run_gated(void *arg)
{
	sem_post(&at.entered);
	sem_wait(&at.gate);
	run(arg);
}

static void done(void *arg)
{
	assert_true(pthread_equal(pthread_self(), at.loop_thread));
	add(at.told, "+", arg);
}

static void drop(void *arg)
{
	assert_true(pthread_equal(pthread_self(), at.loop_thread));
	add(at.told, "-", arg);
}

static int set_up(void **state)
{
	(void)state;
	memset(&at, 0, sizeof(at));
	at.loop_thread = pthread_self();
	sem_init(&at.entered, 0, 0);
	sem_init(&at.gate, 0, 0);
	at.loop = loop_new();
	at.worker = worker_start(at.loop, "a-rather-long-thread-name");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	worker_stop(at.worker);
	loop_free(at.loop);
	sem_destroy(&at.entered);
	sem_destroy(&at.gate);
	return 0;
}

static void until_told(const char *want)
{
	while (strlen(at.told) < strlen(want))
		loop_once(at.loop);
	assert_string_equal(at.told, want);
}

static void tasks_run_in_order_and_come_back(void **state)
{
	(void)state;
	worker_do(at.worker, run, done, drop, "a");
	worker_do(at.worker, run, done, drop, "b");
	worker_do(at.worker, run, done, drop, "c");
	assert_string_equal(at.told, "");
	until_told("+a+b+c");
	assert_string_equal(at.ran, "abc");
}

static void cancelled_while_it_waits(void **state)
{
	struct worker_task *b;

	(void)state;
	worker_do(at.worker, run_gated, done, drop, "a");
	b = worker_do(at.worker, run, done, drop, "b");
	worker_do(at.worker, run, done, drop, "c");
	sem_wait(&at.entered);
	worker_cancel(b);
	assert_string_equal(at.told, "-b");
	sem_post(&at.gate);
	until_told("-b+a+c");
	assert_string_equal(at.ran, "ac");
}

static void cancelled_while_it_runs(void **state)
{
	struct worker_task *a;

	(void)state;
	a = worker_do(at.worker, run_gated, done, drop, "a");
	worker_do(at.worker, run, done, drop, "b");
	sem_wait(&at.entered);
	worker_cancel(a);
	assert_string_equal(at.told, "");
	sem_post(&at.gate);
	until_told("-a+b");
	assert_string_equal(at.ran, "ab");
}

static void cancelled_when_it_has_run(void **state)
{
	struct worker_task *a;

	(void)state;
	a = worker_do(at.worker, run, done, drop, "a");
	worker_do(at.worker, run_gated, done, NULL, "b");
	sem_wait(&at.entered);
	worker_cancel(a);
	assert_string_equal(at.told, "-a");
	sem_post(&at.gate);
	until_told("-a+b");
	worker_cancel(NULL);
}

static void cancel_victim(void *arg)
{
	done(arg);
	worker_cancel(TAKE(at.victim));
}

static void cancelled_in_the_done_of_another(void **state)
{
	(void)state;
	worker_do(at.worker, run, cancel_victim, drop, "a");
	at.victim = worker_do(at.worker, run, done, drop, "b");
	worker_do(at.worker, run, done, drop, "c");
	until_told("+a-b+c");
}

static void stop_here(void *arg)
{
	done(arg);
	worker_stop(TAKE(at.worker));
}

static void stopped_in_a_done(void **state)
{
	(void)state;
	worker_do(at.worker, run, stop_here, drop, "a");
	worker_do(at.worker, run, done, drop, "b");
	worker_do(at.worker, run, done, drop, "c");
	until_told("+a-b-c");
	assert_null(at.worker);
}

static void stopped_with_work_left(void **state)
{
	(void)state;
	worker_do(at.worker, run, done, drop, "a");
	worker_do(at.worker, run_gated, done, drop, "b");
	worker_do(at.worker, run, done, drop, "c");
	sem_wait(&at.entered);
	sem_post(&at.gate);
	worker_stop(TAKE(at.worker));
	assert_string_equal(at.told, "-a-b-c");
}

struct counted {
	int run, done, dropped; /* handed over, never shared */
};
static size_t counted_ends;

static void count_run(void *arg)
{
	((struct counted *)arg)->run++;
}

static void count_done(void *arg)
{
	((struct counted *)arg)->done++;
	counted_ends++;
}

static void count_drop(void *arg)
{
	((struct counted *)arg)->dropped++;
	counted_ends++;
}

static void each_of_thousands_ends_once(void **state)
{
	enum { COUNT = 5000 };
	struct counted *all = mem_array(struct counted, COUNT);
	struct worker_task *task;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		task = worker_do(at.worker, count_run, count_done, count_drop, &all[i]);
		if (i % 3 == 0)
			worker_cancel(task);
	}
	while (counted_ends < COUNT)
		loop_once(at.loop);
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(all[i].done, i % 3 != 0);
		assert_int_equal(all[i].dropped, i % 3 == 0);
		if (i % 3)
			assert_int_equal(all[i].run, 1);
	}
	free(all);
}

int main(void)
{
#define row(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		row(tasks_run_in_order_and_come_back), row(cancelled_while_it_waits),
		row(cancelled_while_it_runs),          row(cancelled_when_it_has_run),
		row(cancelled_in_the_done_of_another), row(stopped_in_a_done),
		row(stopped_with_work_left),           row(each_of_thousands_ends_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
