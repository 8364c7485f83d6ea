/* pull.h - the chain of one leg: read a page, apply it, and so on to the leg's last.
 *
 * While the worker applies a page the next one is on its way; no more than one waits. What goes
 * wrong for a while is tried again here, from the cursor of the last page applied: a lost position
 * at once, passing trouble after a back-off, both only so often without a page in between that
 * moved the position. Pages that never do (no-progress) are such trouble too. */
#pragma once

struct apply;
struct error;
struct loop;
struct pull;
struct remote;
struct worker;

/* All borrowed until the pull ends. A leg of apply->course is under way. */
struct pull_args {
	struct loop *loop;
	struct worker *worker;
	struct remote *remote;
	struct apply *apply;
};

/* After each page; may not cancel the pull. */
typedef void pull_page_fn(void *arg);

/* The end. `err` is NULL if the leg is over, and is good only during the call. Called once, from
 * the loop, never from inside pull_start(); the handle is already dead, and no task of it is under
 * way.
 */
typedef void pull_done_fn(const struct error *err, void *arg);

struct pull *pull_start(const struct pull_args *args, pull_page_fn *page, pull_done_fn *done,
			void *arg);

/* Stops at once; neither callback comes again. A page that the worker has in hand may still be
 * applied, whole or not at all. NULL is allowed. */
void pull_cancel(struct pull *in);
