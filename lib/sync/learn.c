/* learn.c - in order: learn_start, describe (the object), describe_related (one after the other),
 * finish. */
#include "sync/learn.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/log.h"
#include "loop/backoff.h"
#include "loop/loop.h"
#include "record/mapping.h"
#include "record/schema.h"
#include "remote/remote.h"

#define MOST_TRIES       5
#define FIRST_BACKOFF_MS 2000
#define MOST_BACKOFF_MS  60000
#define MOST_RELATED     16

struct learn {
	struct learn_args args;
	struct loop_timer *wait;
	struct remote_call *describing;
	struct backoff backoff;
	char *asked[MOST_RELATED]; /* owned: related objects, each asked for once */
	size_t asked_count;
	int64_t server_ms;
	learn_done_fn *done;
	void *done_arg;
};

static void describe(void *arg);
static void described(const struct schema *schema, bool changed, int64_t server_ms,
		      const struct error *err, void *arg);
static void describe_related(void *arg);
static void related_described(const struct schema *schema, bool changed, int64_t server_ms,
			      const struct error *err, void *arg);
static void finish(struct learn *in, const struct error *err);

struct learn *learn_start(const struct learn_args *args, learn_done_fn *done, void *arg)
{
	struct learn *in = mem_new(struct learn);

	*in = (struct learn){
		.args = *args,
		.backoff = { .first_ms = FIRST_BACKOFF_MS, .most_ms = MOST_BACKOFF_MS },
		.done = done,
		.done_arg = arg,
	};
	in->wait = loop_soon(args->loop, describe, in);
	return in;
}

static void describe(void *arg)
{
	struct learn *in = arg;
	struct remote *remote = in->args.remote;

	in->wait = NULL;
	in->describing = remote->ops->describe(remote, in->args.object, described, in);
}

/* Waits and tries again; false: the failure stands. */
static bool try_again(struct learn *in, const struct error *err, loop_fn *step)
{
	int64_t wait_ms;

	if (err->kind != ERROR_RETRY || in->backoff.tries >= MOST_TRIES)
		return false;
	wait_ms = backoff_next_ms(&in->backoff, err->retry_after_s);
	log_notice("run_waits", LOG_STR("job", in->args.job), LOG_STR("run", in->args.run),
		   LOG_STR("code", err->code), LOG_INT("ms", wait_ms),
		   LOG_INT("tries", in->backoff.tries));
	in->wait = loop_after(in->args.loop, wait_ms, step, in);
	return true;
}

static void described(const struct schema *schema, bool changed, int64_t server_ms,
		      const struct error *err, void *arg)
{
	struct learn *in = arg;

	(void)schema;
	in->describing = NULL;
	if (!err) {
		in->args.again |= changed;
		in->server_ms = server_ms;
		backoff_reset(&in->backoff);
		describe_related(in);
	} else if (!try_again(in, err, describe)) {
		finish(in, err);
	}
}

static bool was_asked(const struct learn *in, const char *object)
{
	for (size_t i = 0; i < in->asked_count; i++)
		if (strcasecmp(in->asked[i], object) == 0)
			return true;
	return strcasecmp(in->args.object, object) == 0;
}

/* The object behind the relationship that `path` begins with; NULL if there is none. */
static const char *related_object(const struct schema *schema, const char *path, size_t len)
{
	for (size_t i = 0; i < schema->count; i++) {
		const char *relation = schema->fields[i].relationship;

		if (relation && strlen(relation) == len && strncasecmp(relation, path, len) == 0)
			return schema->fields[i].reference_to;
	}
	return NULL;
}

/* The first object on a rule's way that must be asked for: not known yet, or perhaps not as it is
 * now. */
static const char *find_unasked(const struct learn *in, const char *path)
{
	struct remote *remote = in->args.remote;
	const struct schema *schema = remote->ops->schema(remote, in->args.object);
	const char *dot;

	for (; schema && (dot = strchr(path, '.')); path = dot + 1) {
		const char *object = related_object(schema, path, (size_t)(dot - path));

		if (!object)
			return NULL; /* mapping_resolve() says so */
		if (!was_asked(in, object) &&
		    (in->args.again || !remote->ops->schema(remote, object)))
			return object;
		schema = remote->ops->schema(remote, object);
	}
	return NULL;
}

static void describe_related(void *arg)
{
	struct learn *in = arg;
	struct remote *remote = in->args.remote;
	const char *object = NULL;

	in->wait = NULL;
	for (size_t i = 0; i < in->args.rule_count && !object; i++)
		object = find_unasked(in, in->args.rules[i].field);
	if (object && in->asked_count < MOST_RELATED) {
		in->asked[in->asked_count++] = mem_strdup(object);
		in->describing = remote->ops->describe(remote, in->asked[in->asked_count - 1],
						       related_described, in);
	} else {
		finish(in, NULL);
	}
}

static void related_described(const struct schema *schema, bool changed, int64_t server_ms,
			      const struct error *err, void *arg)
{
	struct learn *in = arg;

	(void)schema;
	(void)changed;
	(void)server_ms;
	in->describing = NULL;
	/* An object that our user may not see sets aside the rules that reach it, no more. */
	if (!err || err->kind == ERROR_HUMAN) {
		backoff_reset(&in->backoff);
		describe_related(in);
	} else if (try_again(in, err, describe_related)) {
		free(in->asked[--in->asked_count]);
	} else {
		finish(in, err);
	}
}

static void learn_free(struct learn *in)
{
	for (size_t i = 0; i < in->asked_count; i++)
		free(in->asked[i]);
	free(in);
}

static void finish(struct learn *in, const struct error *err)
{
	learn_done_fn *done = in->done;
	void *done_arg = in->done_arg;
	int64_t server_ms = in->server_ms;

	learn_free(in);
	done(server_ms, err, done_arg);
}

void learn_cancel(struct learn *in)
{
	if (!in)
		return;
	loop_timer_cancel(in->wait);
	if (in->describing)
		in->args.remote->ops->cancel(in->describing);
	learn_free(in);
}
