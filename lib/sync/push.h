/* push.h - the last step of a run: what owes the remote something is sent.
 *
 *     unanswered writes of before -> rows without a record -> pairs, each in batches of 200:
 *     take (worker) -> read (loop) -> build (worker) -> request (loop) -> settle (worker) -> take ...
 *
 * One thing after another: no query is open while a write is unanswered, and what is built rests on
 * what was read last. A batch whose reading is older than the job's guard when its request is about
 * to leave is given back and taken again. What goes wrong for a while is tried again here, a few
 * times; a request that fails as a whole for the sake of one change is halved until that is found.
 */
#pragma once
#include <stdbool.h>

struct apply;
struct error;
struct loop;
struct push;
struct remote;
struct worker;

/* All borrowed until the end. */
struct push_args {
	struct loop *loop;
	struct worker *worker;
	struct remote *remote;
	struct apply *apply;
};

/* After each batch; may not cancel the push. */
typedef void push_batch_fn(void *arg);

/* The end, as pull.h has it. */
typedef void push_done_fn(const struct error *err, void *arg);

struct push *push_start(const struct push_args *args, push_batch_fn *batch, push_done_fn *done,
			void *arg);

/* Stops at once. A request that is on its way is an unanswered write then. NULL is allowed. */
void push_cancel(struct push *in);
