/* sync_listing.c - in order: listings of three kinds; orders, of which detach is one. */
#include "sync/sync_listing.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "loop/worker.h"
#include "sync/sync_store.h"
#include "sync/sync_store_worker.h"

enum listing_kind { LIST_REJECTS, LIST_CONFLICTS, LIST_DUES };

struct sync_listing {
	struct worker_task *task;
	struct sync_store *store;
	enum listing_kind kind;
	struct store_listing what;
	char *job; /* owned; NULL: all */
	struct arena *arena;
	union {
		struct store_reject_line *rejects;
		struct store_conflict_line *conflicts;
		struct store_due_line *dues;
	} lines;
	size_t count;
	bool ok;
	struct error err;
	union {
		sync_rejects_fn *rejects;
		sync_conflicts_fn *conflicts;
		sync_dues_fn *dues;
	} done;
	void *done_arg;
};

static bool list_lines(struct sync_listing *in, struct store *store)
{
	switch (in->kind) {
	case LIST_REJECTS:
		return store->ops->list_rejects(store, &in->what, in->arena, &in->lines.rejects,
						&in->count, &in->err);
	case LIST_CONFLICTS:
		return store->ops->list_conflicts(store, &in->what, in->arena, &in->lines.conflicts,
						  &in->count, &in->err);
	case LIST_DUES:
		return store->ops->list_dues(store, &in->what, in->arena, &in->lines.dues,
					     &in->count, &in->err);
	}
	abort();
}

static void listing_work(void *arg)
{
	struct sync_listing *in = arg;
	struct store *store = sync_store_enter(in->store, &in->err);

	if (!store)
		return;
	in->ok = list_lines(in, store);
	sync_store_leave(in->store);
}

static void listing_free(void *arg)
{
	struct sync_listing *in = arg;

	arena_free(in->arena);
	free(in->job);
	free(in);
}

static void listing_done(void *arg)
{
	struct sync_listing *in = arg;
	const struct error *err = in->ok ? NULL : &in->err;
	size_t count = in->ok ? in->count : 0;

	switch (in->kind) {
	case LIST_REJECTS: in->done.rejects(in->lines.rejects, count, err, in->done_arg); break;
	case LIST_CONFLICTS:
		in->done.conflicts(in->lines.conflicts, count, err, in->done_arg);
		break;
	case LIST_DUES: in->done.dues(in->lines.dues, count, err, in->done_arg); break;
	}
	listing_free(in);
}

/* Not under way yet: the caller puts `done` in first. */
static struct sync_listing *listing_new(struct sync_store *in, enum listing_kind kind,
					const struct store_listing *what, void *arg)
{
	struct sync_listing *listing = mem_new(struct sync_listing);

	listing->store = in;
	listing->kind = kind;
	listing->what = *what;
	listing->job = what->job ? mem_strdup(what->job) : NULL;
	listing->what.job = listing->job;
	listing->arena = arena_new();
	listing->done_arg = arg;
	return listing;
}

static struct sync_listing *listing_start(struct sync_listing *in)
{
	in->task = worker_do(sync_store_worker(in->store), listing_work, listing_done, listing_free,
			     in);
	return in;
}

struct sync_listing *sync_list_rejects(struct sync_store *in, const struct store_listing *what,
				       sync_rejects_fn *done, void *arg)
{
	struct sync_listing *listing = listing_new(in, LIST_REJECTS, what, arg);

	listing->done.rejects = done;
	return listing_start(listing);
}

struct sync_listing *sync_list_conflicts(struct sync_store *in, const struct store_listing *what,
					 sync_conflicts_fn *done, void *arg)
{
	struct sync_listing *listing = listing_new(in, LIST_CONFLICTS, what, arg);

	listing->done.conflicts = done;
	return listing_start(listing);
}

struct sync_listing *sync_list_dues(struct sync_store *in, const struct store_listing *what,
				    sync_dues_fn *done, void *arg)
{
	struct sync_listing *listing = listing_new(in, LIST_DUES, what, arg);

	listing->done.dues = done;
	return listing_start(listing);
}

void sync_listing_cancel(struct sync_listing *in)
{
	if (in)
		worker_cancel(in->task);
}

struct sync_order {
	struct worker_task *task;
	struct sync_store *store;
	bool detaches;
	struct store_order order; /* the texts in it are owned, */
	char *instance, *job, *id, *field, *record_id;
	int64_t count;
	bool ok;
	struct error err;
	sync_order_fn *done;
	void *done_arg;
};

static void order_work(void *arg)
{
	struct sync_order *in = arg;
	struct store *store = sync_store_enter(in->store, &in->err);

	if (!store)
		return;
	in->ok = in->detaches ? store->ops->detach(store, in->instance, in->job, &in->err)
			      : store->ops->order(store, &in->order, &in->count, &in->err);
	sync_store_leave(in->store);
	if (in->ok && in->detaches)
		sync_store_forget(in->store, in->job);
	else if (in->ok)
		sync_store_touched(in->store, in->job);
	else
		sync_store_suspect(in->store);
}

static void order_free(void *arg)
{
	struct sync_order *in = arg;

	free(in->instance);
	free(in->job);
	free(in->id);
	free(in->field);
	free(in->record_id);
	free(in);
}

static void order_done(void *arg)
{
	struct sync_order *in = arg;

	in->done(in->ok ? in->count : 0, in->ok ? NULL : &in->err, in->done_arg);
	order_free(in);
}

static struct sync_order *order_start(struct sync_store *in, const struct sync_order *template)
{
	struct sync_order *order = mem_new(struct sync_order);

	*order = *template;
	order->store = in;
	order->task = worker_do(sync_store_worker(in), order_work, order_done, order_free, order);
	return order;
}

static char *copy_of(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

struct sync_order *sync_order(struct sync_store *in, const struct store_order *order,
			      sync_order_fn *done, void *arg)
{
	struct sync_order made = { .order = *order,
				   .instance = mem_strdup(order->instance),
				   .job = mem_strdup(order->job),
				   .id = copy_of(order->id),
				   .field = copy_of(order->field),
				   .record_id = copy_of(order->record_id),
				   .done = done,
				   .done_arg = arg };

	made.order.instance = made.instance;
	made.order.job = made.job;
	made.order.id = made.id;
	made.order.field = made.field;
	made.order.record_id = made.record_id;
	return order_start(in, &made);
}

struct sync_order *sync_detach(struct sync_store *in, const char *instance, const char *job,
			       sync_order_fn *done, void *arg)
{
	return order_start(in, &(struct sync_order){ .detaches = true,
						     .instance = mem_strdup(instance),
						     .job = mem_strdup(job),
						     .done = done,
						     .done_arg = arg });
}

void sync_order_cancel(struct sync_order *in)
{
	if (in)
		worker_cancel(in->task);
}
