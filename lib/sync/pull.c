/* pull.c - in order: pull_start, read_from_cursor, page_arrived, apply_one (on the worker in
 * between), page_applied; then the next page, or trouble, or finish. */
#include "sync/pull.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "loop/backoff.h"
#include "loop/loop.h"
#include "loop/worker.h"
#include "record/record.h"
#include "remote/remote.h"
#include "sync/apply.h"

#define MOST_TRIES       5 /* in a row, without a page applied */
#define FIRST_BACKOFF_MS 2000
#define MOST_BACKOFF_MS  60000

/* A page on the worker. Freed on the loop, where its mapping's shares are counted. */
struct hand {
	struct pull *pull;
	struct apply *apply;
	struct record_page *page;
	bool ok;
	struct error err;
};

struct pull {
	struct pull_args args;
	struct loop_timer *wait;      /* owned; the first step, or a back-off */
	struct remote_call *reading;  /* owned */
	struct worker_task *applying; /* owned */
	struct record_page *ready;    /* owned; read, while the worker has another */
	bool read_failed;             /* likewise, with `failure` */
	struct error failure;
	struct backoff backoff;
	unsigned lost; /* positions, without a page applied */
	pull_page_fn *page;
	pull_done_fn *done;
	void *done_arg;
};

static void read_from_cursor(void *arg);
static void page_arrived(struct record_page *page, const struct error *err, void *arg);
static void apply_one(struct pull *in, struct record_page *page);
static void page_applied(void *arg);
static void trouble(struct pull *in, const struct error *err);
static void finish(struct pull *in, const struct error *err);

struct pull *pull_start(const struct pull_args *args, pull_page_fn *page, pull_done_fn *done,
			void *arg)
{
	struct pull *in = mem_new(struct pull);

	*in = (struct pull){
		.args = *args,
		.backoff = { .first_ms = FIRST_BACKOFF_MS, .most_ms = MOST_BACKOFF_MS },
		.page = page,
		.done = done,
		.done_arg = arg,
	};
	in->wait = loop_soon(args->loop, read_from_cursor, in);
	return in;
}

static void read_from_cursor(void *arg)
{
	struct pull *in = arg;
	const struct apply *apply = in->args.apply;
	struct remote_query query = { .object = apply->object,
				      .mapping = apply->mapping,
				      .where = apply->where,
				      .key_field = apply->key_field };

	in->wait = NULL;
	course_query(&apply->course, &query);
	in->reading = in->args.remote->ops->read(in->args.remote, &query, page_arrived, in);
}

static void page_arrived(struct record_page *page, const struct error *err, void *arg)
{
	struct pull *in = arg;

	in->reading = NULL;
	if (!in->applying && err) {
		trouble(in, err);
	} else if (!in->applying) {
		apply_one(in, page);
	} else if (err) {
		in->read_failed = true;
		in->failure = *err;
	} else {
		in->ready = page;
	}
}

static void hand_over(void *arg)
{
	struct hand *hand = arg;

	hand->ok = apply_page(hand->apply, hand->page, &hand->err);
}

static void hand_free(void *arg)
{
	struct hand *hand = arg;

	record_page_free(hand->page);
	free(hand);
}

/* The next page is asked for first, while this one is still the loop's. */
static void apply_one(struct pull *in, struct record_page *page)
{
	struct hand *hand = mem_new(struct hand);

	if (page->next)
		in->reading = in->args.remote->ops->read_more(in->args.remote, page->mapping,
							      page->next, page_arrived, in);
	*hand = (struct hand){ .pull = in, .apply = in->args.apply, .page = page };
	in->applying = worker_do(in->args.worker, hand_over, page_applied, hand_free, hand);
}

static void forget_read(struct pull *in)
{
	if (in->reading)
		in->args.remote->ops->cancel(TAKE(in->reading));
	record_page_free(TAKE(in->ready));
	in->read_failed = false;
}

static void page_applied(void *arg)
{
	struct hand *hand = arg;
	struct pull *in = hand->pull;
	struct error err = hand->err;
	bool ok = hand->ok;

	hand_free(hand);
	in->applying = NULL;
	if (!ok) {
		forget_read(in); /* it would leave out what was not applied */
		trouble(in, &err);
		return;
	}
	if (!in->args.apply->course.still_pages) {
		backoff_reset(&in->backoff);
		in->lost = 0;
	}
	in->page(in->done_arg);
	if (in->args.apply->course.leg == COURSE_END) {
		finish(in, NULL);
	} else if (in->ready) {
		apply_one(in, TAKE(in->ready));
	} else if (in->read_failed) {
		in->read_failed = false;
		trouble(in, &in->failure);
	}
}

static void trouble(struct pull *in, const struct error *err)
{
	int64_t wait_ms;

	if (err->kind == ERROR_STALE && in->lost < MOST_TRIES) {
		in->lost++;
		log_debug("position_lost", LOG_STR("job", in->args.apply->job),
			  LOG_STR("run", in->args.apply->id), LOG_INT("times", in->lost));
		in->wait = loop_soon(in->args.loop, read_from_cursor, in);
	} else if (err->kind == ERROR_RETRY && in->backoff.tries < MOST_TRIES) {
		wait_ms = backoff_next_ms(&in->backoff, err->retry_after_s);
		log_notice("run_waits", LOG_STR("job", in->args.apply->job),
			   LOG_STR("run", in->args.apply->id), LOG_STR("code", err->code),
			   LOG_INT("ms", wait_ms), LOG_INT("tries", in->backoff.tries));
		in->wait = loop_after(in->args.loop, wait_ms, read_from_cursor, in);
	} else {
		finish(in, err);
	}
}

static void finish(struct pull *in, const struct error *err)
{
	struct pull ended = *in;
	struct error why;

	if (err)
		why = *err; /* it may be a part of what is freed now */
	free(in);
	ended.done(err ? &why : NULL, ended.done_arg);
}

void pull_cancel(struct pull *in)
{
	if (!in)
		return;
	loop_timer_cancel(in->wait);
	worker_cancel(in->applying);
	forget_read(in);
	free(in);
}
