/* worker.h - one thread that does one thing after another, away from the loop.
 *
 * A store has one: its connection and all SQL live there. Work goes over as a task and comes back
 * as `done` on the loop; nothing else is shared. Tasks run in the order they were given. */
#pragma once
#include "base/mem.h"

struct loop;
struct worker;
struct worker_task;

/* The two halves of a task: `run` on the worker's thread, then `done` on the loop. */
typedef void worker_fn(void *arg);

struct worker *worker_start(struct loop *loop, const char *thread_name);

/* Lets the task that runs end and joins the thread; then drops, in their order, all tasks whose
 * `done` was not called. May be called from a `done`. */
void worker_stop(struct worker *in);
CLEANUP_DEFINE(struct worker, worker_stop)

/* Never fails. `arg` belongs to the task until `done` is called; if the task is cancelled, `drop`
 * gets it instead, on the loop, as soon as the worker no longer uses it (at once, or after `run`
 * ended). The handle is dead when `done` or `drop` runs. `drop` may be NULL. */
struct worker_task *worker_do(struct worker *in, worker_fn *run, worker_fn *done, worker_fn *drop,
			      void *arg);
void worker_cancel(struct worker_task *in);
