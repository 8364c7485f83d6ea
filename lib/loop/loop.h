/* loop.h - the one thread that has all sockets, timers and signals.
 *
 * Everything here must be called from the loop's thread, except where a function says otherwise.
 * A callback never runs inside the call that asked for it; after a cancel it never runs. All
 * handles of a loop must be cancelled before loop_free(). Cancelling NULL does nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct loop;
struct loop_timer;
struct loop_watch;
struct loop_signal;

typedef void loop_fn(void *arg);

/* Ignores SIGPIPE from now on, in the whole process: a peer that went away is an error of a call.
 */
struct loop *loop_new(void);
void loop_free(struct loop *in);
CLEANUP_DEFINE(struct loop, loop_free)

/* Runs until loop_stop(); returns at once if that was called before. */
void loop_run(struct loop *in);
void loop_stop(struct loop *in);

/* Wall clock, UTC ms; and a clock that only goes forward, suspended time included. Both move by
 * loop_test_advance(). */
int64_t loop_now_ms(const struct loop *in);
int64_t loop_steady_ms(const struct loop *in);

/* Once, `delay_ms` from now on the steady clock (0: as soon as the loop comes round). Equal times
 * run in the order they were asked for. The handle is dead when `fn` runs. A timer that came due
 * while the machine slept runs at most 30 s after it woke. */
struct loop_timer *loop_after(struct loop *in, int64_t delay_ms, loop_fn *fn, void *arg);
struct loop_timer *loop_soon(struct loop *in, loop_fn *fn, void *arg);
void loop_timer_cancel(struct loop_timer *in);

/* Calls `fn` whenever `fd` is ready, until cancelled. The fd stays the caller's. */
enum loop_ready { LOOP_READABLE = 1, LOOP_WRITABLE = 2 };
typedef void loop_ready_fn(int fd, int ready, void *arg);
struct loop_watch *loop_watch(struct loop *in, int fd, int ready, loop_ready_fn *fn, void *arg);
void loop_watch_cancel(struct loop_watch *in);

struct loop_signal *loop_signal(struct loop *in, int signal, loop_fn *fn, void *arg);
void loop_signal_cancel(struct loop_signal *in);

/* Tests only: both clocks jump forward, and timers that became due run in their order on the next
 * turns. */
void loop_test_advance(struct loop *in, int64_t ms);

/* One turn: waits for an event if nothing is ready. For tests that step through. */
void loop_once(struct loop *in);
