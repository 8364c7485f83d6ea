/* loop.c - libevent has the sockets and the signals; the timers are a heap of our own on one
 * libevent timer, so that they can stand on a clock that a test may move and that counts sleep. */
#include "loop/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/utc.h"
#include "loop/base.h"

/* libevent's clock stands still while the machine sleeps, ours does not: so look again. */
#define MOST_WAIT_MS ((int64_t)30 * 1000)

struct loop_timer {
	struct loop *loop;
	int64_t due_ms; /* on the steady clock */
	uint64_t order; /* of asking */
	size_t place;   /* in the heap */
	loop_fn *fn;
	void *arg;
};

struct loop {
	struct event_base *base;
	struct event *tick; /* runs when the first timer is due, or MOST_WAIT_MS from now */
	struct loop_timer **heap;
	size_t count, room;
	uint64_t asked;
	int64_t test_offset_ms;
	size_t watched; /* watches and signals not yet cancelled */
	bool stop;
};

struct loop_watch {
	struct loop *loop;
	struct event *event;
	loop_ready_fn *fn;
	void *arg;
};

struct loop_signal {
	struct loop *loop;
	struct event *event;
	loop_fn *fn;
	void *arg;
};

static void run_due(evutil_socket_t fd, short what, void *arg);

static void must(bool worked)
{
	if (!worked)
		abort(); /* libevent fails here only without memory */
}

struct loop *loop_new(void)
{
	struct loop *in = mem_new(struct loop);

	signal(SIGPIPE, SIG_IGN);
	in->base = event_base_new();
	must(in->base);
	in->tick = event_new(in->base, -1, 0, run_due, in);
	must(in->tick);
	return in;
}

void loop_free(struct loop *in)
{
	if (!in)
		return;
	assert(in->count == 0 && in->watched == 0);
	event_free(in->tick);
	event_base_free(in->base);
	free(in->heap);
	free(in);
}

void loop_run(struct loop *in)
{
	while (!in->stop)
		must(event_base_loop(in->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY) >= 0);
	in->stop = false;
}

void loop_stop(struct loop *in)
{
	in->stop = true;
	event_base_loopbreak(in->base);
}

void loop_once(struct loop *in)
{
	must(event_base_loop(in->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY) >= 0);
}

struct event_base *loop_base(struct loop *in)
{
	return in->base;
}

int64_t loop_now_ms(const struct loop *in)
{
	return utc_now_ms() + in->test_offset_ms;
}

int64_t loop_steady_ms(const struct loop *in)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + in->test_offset_ms;
}

/* Timers: a binary heap, the next one first. */

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void put(struct loop *in, size_t place, struct loop_timer *timer)
{
	in->heap[place] = timer;
	timer->place = place;
}

static void sift(struct loop *in, struct loop_timer *timer)
{
	size_t place = timer->place;

	for (; place && is_before(timer, in->heap[(place - 1) / 2]); place = (place - 1) / 2)
		put(in, place, in->heap[(place - 1) / 2]);
	for (size_t child = 2 * place + 1; child < in->count; child = 2 * place + 1) {
		if (child + 1 < in->count && is_before(in->heap[child + 1], in->heap[child]))
			child++;
		if (!is_before(in->heap[child], timer))
			break;
		put(in, place, in->heap[child]);
		place = child;
	}
	put(in, place, timer);
}

static void take_out(struct loop_timer *timer)
{
	struct loop *in = timer->loop;
	struct loop_timer *last = in->heap[--in->count];

	if (last != timer) {
		put(in, timer->place, last);
		sift(in, last);
	}
}

static void set_tick(struct loop *in)
{
	int64_t wait_ms;

	if (!in->count) {
		event_del(in->tick);
		return;
	}
	wait_ms = in->heap[0]->due_ms - loop_steady_ms(in);
	if (wait_ms < 0)
		wait_ms = 0;
	if (wait_ms > MOST_WAIT_MS)
		wait_ms = MOST_WAIT_MS;
	must(event_add(in->tick, &(struct timeval){ wait_ms / 1000, (wait_ms % 1000) * 1000 }) ==
	     0);
}

/* Timers asked for by those that run now have their turn in the next round, so that sockets are
 * never starved. */
static void run_due(evutil_socket_t fd, short what, void *arg)
{
	struct loop *in = arg;
	int64_t now_ms = loop_steady_ms(in);
	uint64_t asked = in->asked;

	(void)fd;
	(void)what;
	while (in->count && in->heap[0]->due_ms <= now_ms && in->heap[0]->order < asked) {
		struct loop_timer due = *in->heap[0];

		loop_timer_cancel(in->heap[0]);
		due.fn(due.arg);
	}
	set_tick(in);
}

struct loop_timer *loop_after(struct loop *in, int64_t delay_ms, loop_fn *fn, void *arg)
{
	struct loop_timer *timer = mem_new(struct loop_timer);

	*timer = (struct loop_timer){
		.loop = in,
		.due_ms = loop_steady_ms(in) + (delay_ms > 0 ? delay_ms : 0),
		.order = in->asked++,
		.place = in->count,
		.fn = fn,
		.arg = arg,
	};
	if (in->count == in->room) {
		in->room = in->room ? 2 * in->room : 16;
		in->heap = mem_resize(in->heap, in->room, sizeof(struct loop_timer *));
	}
	in->count++;
	sift(in, timer);
	if (in->heap[0] == timer)
		set_tick(in);
	return timer;
}

struct loop_timer *loop_soon(struct loop *in, loop_fn *fn, void *arg)
{
	return loop_after(in, 0, fn, arg);
}

void loop_timer_cancel(struct loop_timer *in)
{
	if (!in)
		return;
	take_out(in); /* the tick may now come for nothing, once */
	free(in);
}

void loop_test_advance(struct loop *in, int64_t ms)
{
	in->test_offset_ms += ms;
	set_tick(in);
}

/* Sockets and signals. */

static void tell_ready(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *in = arg;
	int ready = (what & EV_READ ? LOOP_READABLE : 0) | (what & EV_WRITE ? LOOP_WRITABLE : 0);

	in->fn(fd, ready, in->arg);
}

struct loop_watch *loop_watch(struct loop *in, int fd, int ready, loop_ready_fn *fn, void *arg)
{
	struct loop_watch *watch = mem_new(struct loop_watch);
	int what = EV_PERSIST | (ready & LOOP_READABLE ? EV_READ : 0) |
		   (ready & LOOP_WRITABLE ? EV_WRITE : 0);

	*watch = (struct loop_watch){ .loop = in, .fn = fn, .arg = arg };
	watch->event = event_new(in->base, fd, (short)what, tell_ready, watch);
	must(watch->event && event_add(watch->event, NULL) == 0);
	in->watched++;
	return watch;
}

void loop_watch_cancel(struct loop_watch *in)
{
	if (!in)
		return;
	in->loop->watched--;
	event_free(in->event);
	free(in);
}

static void tell_signal(evutil_socket_t number, short what, void *arg)
{
	struct loop_signal *in = arg;

	(void)number;
	(void)what;
	in->fn(in->arg);
}

struct loop_signal *loop_signal(struct loop *in, int signal, loop_fn *fn, void *arg)
{
	struct loop_signal *handle = mem_new(struct loop_signal);

	*handle = (struct loop_signal){ .loop = in, .fn = fn, .arg = arg };
	handle->event = evsignal_new(in->base, signal, tell_signal, handle);
	must(handle->event && event_add(handle->event, NULL) == 0);
	in->watched++;
	return handle;
}

void loop_signal_cancel(struct loop_signal *in)
{
	if (!in)
		return;
	in->loop->watched--;
	event_free(in->event);
	free(in);
}
