/* push.c - in order: push_start; take; search; build; request; settle; then the next request, or
 * take. At the end: trouble, finish, cancel. */
#include "sync/push.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "loop/backoff.h"
#include "loop/loop.h"
#include "loop/worker.h"
#include "record/mapping.h"
#include "record/record.h"
#include "remote/remote.h"
#include "sync/apply.h"
#include "sync/push_batch.h"

#define MOST_TRIES       5 /* in a row, without a request that was answered */
#define FIRST_BACKOFF_MS 2000
#define MOST_BACKOFF_MS  60000
#define LEAST_BATCH      10

/* What the worker does next, with what it needs. */
enum task_kind { TASK_TAKE, TASK_BUILD, TASK_SETTLE, TASK_GIVE_BACK, TASK_REFUSE };

struct task {
	struct push *push; /* the loop's */
	struct apply *apply;
	struct push_batch *batch; /* owned while it is under way */
	enum task_kind kind;
	size_t most;
	int64_t after; /* to and fro */
	struct push_end end;
	size_t at;
	char *field; /* owned */
	bool ok, stops;
	struct error stop, err;
};

struct push {
	struct push_args args;
	enum push_kind kind;
	int64_t after;
	size_t most;              /* a batch */
	struct push_batch *batch; /* owned; NULL while a task has it */
	size_t search;            /* which is read */
	struct push_part *parts;  /* owned: requests yet to be made, the next one last */
	size_t part_count;
	struct loop_timer *wait;     /* owned */
	struct remote_call *calling; /* owned */
	struct worker_task *working; /* owned */
	struct backoff backoff;
	bool fails; /* once everything is given back, with `failure` */
	struct error failure;
	push_batch_fn *told;
	push_done_fn *done;
	void *done_arg;
};

static void take(void *arg);
static void search(struct push *in);
static void found(struct record_page *page, const struct error *err, void *arg);
static void build(struct push *in);
static void request(struct push *in);
static void written(const struct remote_written *answer, void *arg);
static void task_done(void *arg);
static void trouble(struct push *in, const struct error *err);
static void finish(struct push *in, const struct error *err);

struct push *push_start(const struct push_args *args, push_batch_fn *batch, push_done_fn *done,
			void *arg)
{
	struct push *in = mem_new(struct push);

	*in = (struct push){
		.args = *args,
		.kind = PUSH_UNANSWERED,
		.most = REMOTE_WRITE_MOST,
		.backoff = { .first_ms = FIRST_BACKOFF_MS, .most_ms = MOST_BACKOFF_MS },
		.told = batch,
		.done = done,
		.done_arg = arg,
	};
	in->wait = loop_soon(args->loop, take, in);
	return in;
}

/* --- the worker's part --- */

static bool run_task(struct task *task, struct error *err)
{
	struct apply *apply = task->apply;

	switch (task->kind) {
	case TASK_TAKE:
		/* Marks before anything is taken; later ones each batch finds when it is built. */
		return (task->after || task->batch->kind != PUSH_UNANSWERED ||
			apply_scan(apply, err)) &&
		       push_take(apply, task->batch, task->most, &task->after, err);
	case TASK_BUILD: return push_build(apply, task->batch, err);
	case TASK_SETTLE:
		return push_settle(apply, task->batch, &task->end, &task->stops, &task->stop, err);
	case TASK_GIVE_BACK: return push_give_back(apply, task->batch, &task->end.part, err);
	case TASK_REFUSE:
		return push_refuse(apply, task->batch, task->at, task->field, &task->end.why, err);
	}
	return true;
}

static void on_worker(void *arg)
{
	struct task *task = arg;

	task->ok = run_task(task, &task->err);
}

static void task_free(void *arg)
{
	struct task *task = arg;

	push_batch_free(task->batch);
	remote_results_free(task->end.results);
	free(task->field);
	free(task);
}

static struct task *task_new(struct push *in, enum task_kind kind)
{
	struct task *task = mem_new(struct task);

	*task = (struct task){ .push = in,
			       .apply = in->args.apply,
			       .batch = TAKE(in->batch),
			       .kind = kind,
			       .most = in->most,
			       .after = in->after };
	in->args.apply->now_ms = loop_now_ms(in->args.loop);
	return task;
}

static void hand_over(struct push *in, struct task *task)
{
	in->working = worker_do(in->args.worker, on_worker, task_done, task_free, task);
}

/* --- take, search, build --- */

static void take(void *arg)
{
	struct push *in = arg;

	in->wait = NULL;
	in->batch = push_batch_new(in->kind);
	hand_over(in, task_new(in, TASK_TAKE));
}

static void taken(struct push *in)
{
	if (in->batch->count) {
		in->search = 0;
		in->batch->read_ms = loop_steady_ms(in->args.loop);
		search(in);
		return;
	}
	push_batch_free(TAKE(in->batch));
	in->after = 0;
	if (++in->kind == PUSH_END)
		finish(in, NULL);
	else
		take(in);
}

static void search(struct push *in)
{
	const struct apply *apply = in->args.apply;
	const struct push_search *what = &in->batch->searches[in->search];

	if (in->search == in->batch->search_count) {
		build(in);
		return;
	}
	in->calling =
		in->args.remote->ops->read(in->args.remote,
					   &(struct remote_query){
						   .object = apply->object,
						   .mapping = apply->mapping,
						   .order = REMOTE_PICKED,
						   .where = what->within ? apply->where : NULL,
						   .pick_field = what->field,
						   .picks = what->picks,
						   .pick_count = what->count,
						   .key_field = apply->key_field },
					   found, in);
}

static void found(struct record_page *page, const struct error *err, void *arg)
{
	struct push *in = arg;
	struct push_batch *batch = in->batch;

	in->calling = NULL;
	if (err) {
		trouble(in, err);
		return;
	}
	batch->pages = mem_resize(batch->pages, batch->page_count + 1, sizeof(*batch->pages));
	batch->pages[batch->page_count++] = page;
	if (page->server_ms > batch->server_ms)
		batch->server_ms = page->server_ms;
	if (page->next) {
		in->calling = in->args.remote->ops->read_more(in->args.remote, page->mapping,
							      page->next, found, in);
		return;
	}
	in->search++;
	search(in);
}

static void build(struct push *in)
{
	hand_over(in, task_new(in, TASK_BUILD));
}

/* --- requests --- */

static void add_part(struct push *in, size_t from, size_t count)
{
	if (!count)
		return;
	in->parts = mem_resize(in->parts, in->part_count + 1, sizeof(*in->parts));
	in->parts[in->part_count++] = (struct push_part){ from, count };
}

/* A request an operation; the first of them last, as parts are taken from the end. */
static void built(struct push *in)
{
	size_t end = in->batch->sent_count;

	in->part_count = 0;
	while (end) {
		size_t from = end - 1;

		while (from &&
		       push_operation(in->batch, from - 1) == push_operation(in->batch, end - 1))
			from--;
		add_part(in, from, end - from);
		end = from;
	}
	request(in);
}

static void give_back_rest(struct push *in);

static bool is_stale(const struct push *in)
{
	int64_t age_ms = loop_steady_ms(in->args.loop) - in->batch->read_ms;

	return in->batch->search_count && in->args.apply->guard_ms &&
	       age_ms > in->args.apply->guard_ms;
}

static void fill_change(const struct sent *sent, struct remote_change *ret)
{
	*ret = (struct remote_change){ .id = *sent->remote_id ? sent->remote_id : NULL,
				       .key = *sent->birth_key ? sent->birth_key : NULL,
				       .values = sent->values,
				       .set = sent->set };
}

static void request(struct push *in)
{
	const struct apply *apply = in->args.apply;
	struct remote_change changes[REMOTE_WRITE_MOST];
	enum remote_operation operation;
	struct push_part part;
	struct error stale;

	if (!in->part_count) {
		push_batch_free(TAKE(in->batch));
		in->told(in->done_arg);
		in->wait = loop_soon(in->args.loop, take, in);
		return;
	}
	if (is_stale(in)) {
		error_set(&stale, ERROR_RETRY, "guard",
			  "what was read before a write is older than the job's guard: the store "
			  "is slow, or the guard short");
		trouble(in, &stale);
		return;
	}
	part = in->parts[in->part_count - 1];
	operation = push_operation(in->batch, part.from);
	for (size_t i = 0; i < part.count; i++)
		fill_change(&in->batch->sent[part.from + i], &changes[i]);
	in->calling = in->args.remote->ops->write(
		in->args.remote,
		&(struct remote_batch){ .operation = operation,
					.object = apply->object,
					.key_field = operation == REMOTE_UPSERT ? apply->key_field
										: NULL,
					.mapping = apply->mapping,
					.changes = changes,
					.count = part.count },
		written, in);
}

static struct task *end_part(struct push *in, enum task_kind kind)
{
	struct task *task = task_new(in, kind);

	task->end.part = in->parts[--in->part_count];
	return task;
}

static void refuse(struct push *in, const struct remote_written *answer, size_t at)
{
	struct push_part part = in->parts[in->part_count - 1];
	struct task *task = end_part(in, TASK_REFUSE);

	task->at = part.from + at;
	task->field = answer->field ? mem_strdup(answer->field->field) : NULL;
	task->end.why = *answer->err;
	add_part(in, part.from + at + 1, part.count - at - 1);
	add_part(in, part.from, at);
	hand_over(in, task);
}

/* Behind `first` changes it is cut in two; the first half goes first. */
static void split(struct push *in, size_t first)
{
	struct push_part part = in->parts[--in->part_count];

	add_part(in, part.from + first, part.count - first);
	add_part(in, part.from, first);
	request(in);
}

static void not_done(struct push *in, const struct remote_written *answer)
{
	size_t count = in->parts[in->part_count - 1].count;
	bool one_is_bad = answer->err->kind == ERROR_RECORD || answer->err->kind == ERROR_FIELD;

	if (one_is_bad && (answer->at < count || count == 1))
		refuse(in, answer, answer->at < count ? answer->at : 0);
	else if (one_is_bad)
		split(in, count / 2);
	else if (strcmp(answer->err->code, "batch-too-large") == 0 && answer->at &&
		 answer->at < count)
		split(in, answer->at);
	else
		trouble(in, answer->err);
}

static void written(const struct remote_written *answer, void *arg)
{
	struct push *in = arg;
	struct task *task;

	in->calling = NULL;
	if (answer->end == REMOTE_NOT_DONE) {
		not_done(in, answer);
		return;
	}
	task = end_part(in, TASK_SETTLE);
	task->end.end = answer->end;
	task->end.results = answer->results;
	task->end.server_ms = answer->server_ms;
	if (answer->end == REMOTE_UNKNOWN) {
		task->end.why = *answer->err;
		log_notice("write_unanswered", LOG_STR("job", in->args.apply->job),
			   LOG_STR("run", in->args.apply->id), LOG_STR("code", answer->err->code),
			   LOG_INT("changes", (int64_t)task->end.part.count));
	}
	hand_over(in, task);
}

/* --- settled --- */

static void settled(struct push *in, const struct task *task)
{
	if (task->end.end == REMOTE_UNKNOWN) {
		trouble(in, &task->end.why);
		return;
	}
	backoff_reset(&in->backoff);
	if (task->stops)
		trouble(in, &task->stop);
	else
		request(in);
}

static void task_done(void *arg)
{
	struct task *task = arg;
	struct push *in = task->push;
	struct error why = task->err;

	in->working = NULL;
	in->batch = TAKE(task->batch);
	in->after = task->after;
	if (!task->ok) {
		/* What is on its way stays in the journal, and is unanswered from the next run on. */
		task_free(task);
		finish(in, &why);
		return;
	}
	switch (task->kind) {
	case TASK_TAKE: taken(in); break;
	case TASK_BUILD: built(in); break;
	case TASK_SETTLE: settled(in, task); break;
	case TASK_REFUSE: request(in); break;
	case TASK_GIVE_BACK: give_back_rest(in); break;
	}
	task_free(task);
}

/* --- trouble --- */

/* A batch that is given up: what was not sent yet is due again, one part after the other. */
static void give_back_rest(struct push *in)
{
	if (in->part_count) {
		hand_over(in, end_part(in, TASK_GIVE_BACK));
	} else if (in->fails) {
		finish(in, &in->failure);
	} else {
		push_batch_free(TAKE(in->batch));
		in->wait = loop_after(in->args.loop,
				      backoff_next_ms(&in->backoff, in->failure.retry_after_s),
				      take, in);
		log_notice("run_waits", LOG_STR("job", in->args.apply->job),
			   LOG_STR("run", in->args.apply->id), LOG_STR("code", in->failure.code),
			   LOG_INT("tries", in->backoff.tries));
	}
}

static void trouble(struct push *in, const struct error *err)
{
	bool passing = err->kind == ERROR_RETRY || err->kind == ERROR_STALE;

	in->failure = *err;
	in->fails = !passing || in->backoff.tries >= MOST_TRIES;
	if (strcmp(err->code, "query-too-long") == 0) {
		in->fails = in->most <= LEAST_BATCH;
		in->most /= 2;
		in->backoff.tries = 0;
	}
	if (!in->part_count && !in->fails)
		in->after = 0; /* nothing was built: the same are taken again */
	give_back_rest(in);
}

static void release(struct push *in)
{
	loop_timer_cancel(in->wait);
	if (in->calling)
		in->args.remote->ops->cancel(in->calling);
	worker_cancel(in->working);
	push_batch_free(in->batch);
	free(in->parts);
	free(in);
}

static void finish(struct push *in, const struct error *err)
{
	push_done_fn *done = in->done;
	void *done_arg = in->done_arg;
	struct error why;

	if (err)
		why = *err; /* it may be a part of what is freed now */
	release(in);
	done(err ? &why : NULL, done_arg);
}

void push_cancel(struct push *in)
{
	if (in)
		release(in);
}
