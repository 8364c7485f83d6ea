/* sf_writing.c - in order: sf_writing_start, answered (or fail_early), finish. */
#include "salesforce/sf_writing.h"

#include <stdlib.h>
#include <string.h>

#include "http/http.h"
#include "loop/loop.h"
#include "record/mapping.h"
#include "salesforce/sf_call.h"
#include "salesforce/sf_result.h"
#include "salesforce/sf_write.h"

struct sf_writing {
	struct sf_call *call;     /* owned; NULL if it never began */
	struct loop_timer *first; /* owned; brings `early`, which kept it from beginning */
	struct error early;
	struct sf_write_stop stop;
	struct remote_batch batch; /* as much of it as the results are read with */
	struct arena *arena;       /* its changes' */
	remote_written_fn *done;
	void *done_arg;
};

static void keep_batch(struct sf_writing *in, const struct remote_batch *batch);
static void answered(const struct sf_call_end *end, void *arg);
static void fail_early(void *arg);
static void finish(struct sf_writing *in, const struct remote_written *written);

struct sf_writing *sf_writing_start(const struct sf_writing_args *args, remote_written_fn *done,
				    void *arg)
{
	struct sf_writing *in = mem_new(struct sf_writing);
	struct sf_write write = { 0 };

	*in = (struct sf_writing){ .arena = arena_new(), .done = done, .done_arg = arg };
	keep_batch(in, args->batch);
	if (sf_write_build(args->api_version, args->batch, &write, &in->stop, &in->early))
		in->call = sf_call_start(&(struct sf_call_args){ .caller = args->caller,
								 .class = HTTP_WRITE,
								 .method = write.method,
								 .path = write.path,
								 .headers = write.headers,
								 .body = write.body,
								 .body_len = write.body_len },
					 answered, in);
	else
		in->first = loop_soon(args->caller->loop, fail_early, in);
	sf_write_clear(&write);
	return in;
}

static struct remote_change keep_change(struct sf_writing *in, const struct remote_change *change)
{
	struct remote_change kept = { 0 };

	if (change->id)
		kept.id = arena_copy(in->arena, change->id, strlen(change->id));
	if (change->set && in->batch.mapping) {
		size_t size = in->batch.mapping->count * sizeof(*change->set);

		kept.set = memcpy(arena_take(in->arena, size), change->set, size);
	}
	return kept;
}

static void keep_batch(struct sf_writing *in, const struct remote_batch *batch)
{
	struct remote_change *changes =
		arena_take(in->arena, (batch->count + 1) * sizeof(*changes));

	in->batch = (struct remote_batch){ .operation = batch->operation,
					   .changes = changes,
					   .count = batch->count };
	if (batch->mapping)
		in->batch.mapping = mapping_share(batch->mapping);
	for (size_t i = 0; i < batch->count; i++)
		changes[i] = keep_change(in, &batch->changes[i]);
}

static void fail_early(void *arg)
{
	struct sf_writing *in = arg;
	struct error why = in->early;

	finish(in, &(struct remote_written){ .end = REMOTE_NOT_DONE,
					     .err = &why,
					     .at = in->stop.at,
					     .field = in->stop.field });
}

/* Of the whole request it says that the object is not there, or the field of the keys: no record is
 * at fault. */
static void widen(struct error *err)
{
	if (err->kind == ERROR_RECORD && strcmp(err->code, "NOT_FOUND") == 0)
		error_set(err, ERROR_HUMAN, "NOT_FOUND",
			  "the object or its external id field is not there, or our user may not "
			  "see it");
}

static void answered(const struct sf_call_end *end, void *arg)
{
	struct sf_writing *in = arg;
	struct remote_written written = { .server_ms = end->server_ms, .at = in->batch.count };
	struct error why;

	if (end->response)
		written.results = sf_result_parse(&in->batch, end->response->body,
						  end->response->body_len, &why);
	else
		why = *end->err;
	if (written.results) {
		written.end = REMOTE_ANSWERED;
	} else {
		widen(&why);
		written.err = &why;
		written.end = end->err && end->effect == SF_NOTHING_DONE ? REMOTE_NOT_DONE
									 : REMOTE_UNKNOWN;
	}
	finish(in, &written);
}

/* The field that is at fault is the mapping's, so that goes last. */
static void finish(struct sf_writing *in, const struct remote_written *written)
{
	struct sf_writing ended = *in;

	free(in);
	ended.done(written, ended.done_arg);
	arena_free(ended.arena);
	mapping_free(ended.batch.mapping);
}

void sf_writing_cancel(struct sf_writing *in)
{
	if (!in)
		return;
	loop_timer_cancel(in->first);
	sf_call_cancel(in->call);
	arena_free(in->arena);
	mapping_free(in->batch.mapping);
	free(in);
}
