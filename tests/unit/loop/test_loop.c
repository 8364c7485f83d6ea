/* Timers in order, both clocks, cancelling from anywhere, sockets, signals, back-off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "loop/backoff.h"
#include "loop/loop.h"

/* What ran, in order. */
static struct {
	struct loop *loop;
	char ran[256];
	struct loop_timer *victim;
} at;

static void run_names(void *arg)
{
	strcat(at.ran, arg);
}

static int set_up(void **state)
{
	(void)state;
	memset(&at, 0, sizeof(at));
	at.loop = loop_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	loop_free(at.loop);
	return 0;
}

/* Turns until the timer asked for here has run, and so all that were due before it. */
static void stop(void *arg)
{
	(void)arg;
	loop_stop(at.loop);
}

static void turn(void)
{
	loop_soon(at.loop, stop, NULL);
	loop_run(at.loop);
}

static void timers_run_in_their_order(void **state)
{
	struct loop_timer *never, *late;

	(void)state;
	late = loop_after(at.loop, 3600000, run_names, "e");
	loop_after(at.loop, 50000, run_names, "c");
	loop_after(at.loop, 40000, run_names, "a");
	loop_after(at.loop, 60000, run_names, "d");
	never = loop_after(at.loop, 45000, run_names, "x");
	loop_after(at.loop, 40001, run_names, "b");
	loop_timer_cancel(never);
	turn();
	assert_string_equal(at.ran, "");
	loop_test_advance(at.loop, 61000);
	turn();
	assert_string_equal(at.ran, "abcd");
	loop_timer_cancel(late);
	loop_timer_cancel(NULL);
}

static void equal_times_run_as_asked(void **state)
{
	static char names[26][2];

	(void)state;
	for (int i = 0; i < 26; i++) {
		names[i][0] = (char)('a' + i);
		loop_soon(at.loop, run_names, names[i]);
	}
	turn();
	assert_string_equal(at.ran, "abcdefghijklmnopqrstuvwxyz");
}

static void any_number_of_timers(void **state)
{
	enum { COUNT = 2000 };
	struct loop_timer *timers[COUNT];
	char want[COUNT / 20 + 1] = "";

	(void)state;
	/* A jumble of delays; all but each twentieth are cancelled again, in another order. */
	for (size_t i = 0; i < COUNT; i++)
		timers[i] = loop_after(at.loop, (int64_t)(i * 7919 % COUNT) * 1000 + 60000,
				       run_names, i * 7919 % COUNT % 20 ? "x" : "y");
	for (size_t i = 0; i < COUNT; i++) {
		size_t k = i * 31 % COUNT;

		if (k * 7919 % COUNT % 20)
			loop_timer_cancel(timers[k]);
	}
	for (size_t i = 0; i < COUNT / 20; i++)
		strcat(want, "y");
	loop_test_advance(at.loop, 60000 + COUNT * 1000);
	turn();
	assert_string_equal(at.ran, want);
}

static void cancel_victim(void *arg)
{
	(void)arg;
	strcat(at.ran, "k");
	loop_timer_cancel(at.victim);
}

static void a_cancelled_timer_that_is_due_does_not_run(void **state)
{
	(void)state;
	loop_soon(at.loop, cancel_victim, NULL);
	at.victim = loop_soon(at.loop, run_names, "v");
	turn();
	assert_string_equal(at.ran, "k");
}

static void again(void *arg)
{
	strcat(at.ran, "r");
	loop_soon(at.loop, run_names, arg);
	at.ran[1] = '-'; /* the new one has not run inside */
}

static void a_timer_asked_for_in_a_timer_runs_next_turn(void **state)
{
	(void)state;
	loop_soon(at.loop, again, "n");
	loop_once(at.loop);
	assert_string_equal(at.ran, "r-");
	loop_once(at.loop);
	assert_string_equal(at.ran, "r-n");
}

static void both_clocks_move(void **state)
{
	int64_t wall = loop_now_ms(at.loop), steady = loop_steady_ms(at.loop);

	(void)state;
	loop_test_advance(at.loop, 86400000);
	assert_in_range(loop_now_ms(at.loop) - wall, 86400000, 86400000 + 60000);
	assert_in_range(loop_steady_ms(at.loop) - steady, 86400000, 86400000 + 60000);
}

static void short_real_delays_come(void **state)
{
	int64_t before = loop_steady_ms(at.loop);

	(void)state;
	loop_after(at.loop, 30, stop, NULL);
	loop_run(at.loop);
	assert_true(loop_steady_ms(at.loop) >= before + 30);
}

static void a_stop_before_the_run_counts(void **state)
{
	(void)state;
	loop_stop(at.loop);
	loop_run(at.loop);
}

static struct loop_watch *watches[2];
static void read_byte(int fd, int ready, void *arg)
{
	char c[2] = "";

	assert_int_equal(ready, LOOP_READABLE);
	assert_int_equal(read(fd, c, 1), 1);
	strcat(at.ran, c);
	/* Each cancels both; only one may therefore run. */
	if (arg) {
		loop_watch_cancel(TAKE(watches[0]));
		loop_watch_cancel(TAKE(watches[1]));
	}
}

static void a_watch_tells_until_cancelled(void **state)
{
	int pair[2], other[2];

	(void)state;
	assert_int_equal(pipe2(pair, O_NONBLOCK), 0);
	assert_int_equal(pipe2(other, O_NONBLOCK), 0);
	watches[0] = loop_watch(at.loop, pair[0], LOOP_READABLE, read_byte, NULL);
	assert_int_equal(write(pair[1], "a", 1), 1);
	loop_once(at.loop);
	assert_int_equal(write(pair[1], "bc", 2), 2);
	loop_once(at.loop);
	loop_once(at.loop);
	assert_string_equal(at.ran, "abc");
	loop_watch_cancel(watches[0]);

	watches[0] = loop_watch(at.loop, pair[0], LOOP_READABLE, read_byte, "both");
	watches[1] = loop_watch(at.loop, other[0], LOOP_READABLE, read_byte, "both");
	assert_int_equal(write(pair[1], "d", 1), 1);
	assert_int_equal(write(other[1], "d", 1), 1);
	turn();
	turn();
	assert_string_equal(at.ran, "abcd");
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(other[i]);
	}
}

static void a_signal_comes_as_a_callback(void **state)
{
	struct loop_signal *handle = loop_signal(at.loop, SIGUSR1, run_names, "s");

	(void)state;
	raise(SIGUSR1);
	assert_string_equal(at.ran, "");
	while (!*at.ran)
		loop_once(at.loop);
	assert_string_equal(at.ran, "s");
	loop_signal_cancel(handle);
}

static void backoff_doubles_within_bounds(void **state)
{
	static const struct {
		int64_t least, most;
	} rows[] = { { 1000, 2000 },  { 2000, 4000 },  { 4000, 8000 },
		     { 8000, 16000 }, { 8000, 16000 }, { 8000, 16000 } };

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct backoff in = { .first_ms = 2000, .most_ms = 16000 };

		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			assert_in_range(backoff_next_ms(&in, 0), rows[i].least, rows[i].most);
		assert_int_equal(backoff_next_ms(&in, 60), 60000);
		assert_int_equal(backoff_next_ms(&in, 999999), 3600000);
		assert_in_range(backoff_next_ms(&in, 1), 8000, 16000);
		backoff_reset(&in);
		assert_in_range(backoff_next_ms(&in, -5), 1000, 2000);
		assert_in_range(backoff_jitter_ms(1000, 10), 900, 1100);
		assert_int_equal(backoff_jitter_ms(1000, 0), 1000);
	}
	/* No overflow however long the trouble lasts. */
	assert_in_range(backoff_next_ms(&(struct backoff){ 2000, 900000, 4000000000u }, 0), 450000,
			900000);
}

int main(void)
{
#define row(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		row(timers_run_in_their_order),
		row(equal_times_run_as_asked),
		row(any_number_of_timers),
		row(a_cancelled_timer_that_is_due_does_not_run),
		row(a_timer_asked_for_in_a_timer_runs_next_turn),
		row(both_clocks_move),
		row(short_real_delays_come),
		row(a_stop_before_the_run_counts),
		row(a_watch_tells_until_cancelled),
		row(a_signal_comes_as_a_callback),
		row(backoff_doubles_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
