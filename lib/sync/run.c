/* run.c - in order: run_start, learned, resolve, prepare (worker), next_leg (a pull each), push, close
 * (worker), finish. What the cursor does meanwhile is in course.h. */
#include "sync/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/error.h"
#include "base/log.h"
#include "loop/loop.h"
#include "loop/worker.h"
#include "record/mapping.h"
#include "record/schema.h"
#include "remote/remote.h"
#include "sync/apply.h"
#include "sync/learn.h"
#include "sync/pull.h"
#include "sync/push.h"
#include "sync/sync_store_worker.h"

/* The field that says so, where a job marks rows of deleted records. */
#define DELETED_FIELD "IsDeleted"

struct run {
	struct loop *loop;
	const struct run_job *job;
	bool full;
	char id[9];
	int64_t started_ms;
	struct apply *apply; /* owned; the worker's while a task is under way */
	struct learn *learning;
	struct worker_task *working;
	struct pull *pull;
	struct push *push;
	int64_t server_ms;
	enum course_leg leg;
	run_progress_fn *progress;
	run_done_fn *done;
	void *done_arg;
};

static void learned(int64_t server_ms, const struct error *err, void *arg);
static void resolve(struct run *in);
static void prepared(void *arg);
static void next_leg(struct run *in);
static void page_done(void *arg);
static void leg_done(const struct error *err, void *arg);
static void push(struct run *in);
static void batch_done(void *arg);
static void push_done(const struct error *err, void *arg);
static void close_run(struct run *in, const struct error *err);
static void finish(void *arg);

struct run *run_start(const struct run_args *args, run_progress_fn *progress, run_done_fn *done,
		      void *arg)
{
	struct run *in = mem_new(struct run);
	uint32_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		abort(); /* not possible on a Linux that has finished booting */
	*in = (struct run){
		.loop = args->loop,
		.job = args->job,
		.full = args->full,
		.started_ms = loop_now_ms(args->loop),
		.progress = progress,
		.done = done,
		.done_arg = arg,
	};
	snprintf(in->id, sizeof(in->id), "%08" PRIx32, number);
	in->apply = apply_new(args->job->store, args, in->id, in->started_ms);
	in->apply->owner = in;
	log_info("run_start", LOG_STR("job", in->job->name), LOG_STR("run", in->id),
		 LOG_INT("full", args->full));
	in->learning = learn_start(&(struct learn_args){ .loop = in->loop,
							 .remote = in->job->remote,
							 .object = in->job->object,
							 .rules = in->job->rules,
							 .rule_count = in->job->rule_count,
							 .again = args->full || args->relearn,
							 .job = in->job->name,
							 .run = in->id },
				   learned, in);
	return in;
}

static void learned(int64_t server_ms, const struct error *err, void *arg)
{
	struct run *in = arg;

	in->learning = NULL;
	if (err) {
		close_run(in, err);
		return;
	}
	/* The first page is asked for after this answer: the run's bound rests on it. */
	in->server_ms = server_ms;
	resolve(in);
}

/* The rules set aside, gathered so that they are told when they changed and not at each run. */
struct aside {
	struct run *run;
	struct {
		const struct mapping_rule *rule;
		struct error problem;
	} * found;
	size_t count;
};

static const struct schema *related_schema(const char *object, void *arg)
{
	struct aside *in = arg;

	return in->run->job->remote->ops->schema(in->run->job->remote, object);
}

static void set_aside(const struct mapping_rule *rule, const struct error *problem, void *arg)
{
	struct aside *in = arg;

	in->found = mem_resize(in->found, in->count + 1, sizeof(*in->found));
	in->found[in->count].rule = rule;
	in->found[in->count++].problem = *problem;
}

/* What the rules came to: the mapping and what was set aside of it. */
static void tell_fields(const struct aside *in, const struct mapping *mapping)
{
	const struct run *run = in->run;
	CLEANUP_FREE char *printed = mapping ? mapping_print(mapping) : NULL;
	CLEANUP_FREE char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(printed ? printed : "", out);
	for (size_t i = 0; i < in->count; i++)
		fprintf(out, "%s\t%s\n", in->found[i].rule->field, in->found[i].problem.text);
	fclose(out);
	if (!sync_store_is_news(run->job->store, run->job->name, text))
		return;
	log_info("fields", LOG_STR("job", run->job->name), LOG_STR("run", run->id),
		 LOG_STR("object", run->job->object),
		 LOG_INT("mapped", mapping ? (int64_t)mapping->count : 0),
		 LOG_INT("set_aside", (int64_t)in->count));
	for (size_t i = 0; i < in->count; i++)
		log_warning("field_set_aside", LOG_STR("job", run->job->name),
			    LOG_STR("run", run->id), LOG_STR("field", in->found[i].rule->field),
			    LOG_STR("column", in->found[i].rule->column),
			    LOG_INT("line", in->found[i].rule->line),
			    LOG_STR("code", in->found[i].problem.code),
			    LOG_STR("text", in->found[i].problem.text));
}

static struct mapping *resolve_rules(struct run *in, const struct schema *schema, struct error *err)
{
	struct aside aside = { .run = in };
	struct mapping *mapping = mapping_resolve(in->job->rules, in->job->rule_count, schema,
						  related_schema, set_aside, &aside, err);

	tell_fields(&aside, mapping);
	in->apply->counts.set_aside = (int64_t)aside.count;
	free(aside.found);
	return mapping;
}

static bool check_schema(const struct run *in, const struct schema *schema, struct error *err)
{
	if (!schema)
		return error_set(err, ERROR_BUG, "no-schema", "describe of %s left no schema",
				 in->job->object);
	if (!schema->stamp_field)
		return error_set(
			err, ERROR_HUMAN, "no-stamp",
			"%s has no stamp of its changes (SystemModstamp, LastModifiedDate "
			"or CreatedDate) that our user may read: it cannot be kept in step",
			in->job->object);
	if (in->server_ms <= 0)
		return error_set(err, ERROR_RETRY, "no-server-date",
				 "the server did not say its time (Date header), on which every "
				 "window of changes rests");
	if (in->server_ms < COURSE_FIRST_DATE_MS || in->server_ms >= COURSE_LAST_DATE_MS)
		return error_set(err, ERROR_RETRY, "server-clock",
				 "the server's time (Date header) is %lld s after 1970, ours is "
				 "%lld s: check both clocks, and any proxy in between",
				 (long long)(in->server_ms / 1000),
				 (long long)(loop_now_ms(in->loop) / 1000));
	return true;
}

static bool make_rules(const struct run_job *job, const struct mapping *mapping,
		       struct merge_rules *ret, struct error *err)
{
	static const enum merge_on_delete policies[] = { [RUN_DELETE_KEEP] = MERGE_KEEP,
							 [RUN_DELETE_MARK] = MERGE_MARK,
							 [RUN_DELETE_ROW] = MERGE_DELETE };
	struct merge_rules made = { .mapping = mapping,
				    .on_delete = policies[job->on_delete],
				    .mark_field = SIZE_MAX,
				    .key_field = SIZE_MAX,
				    .creates_rows = job->create_rows,
				    .deletes_records = job->delete_remote };

	for (size_t i = 0; i < mapping->count; i++) {
		const struct mapping_field *field = &mapping->fields[i];

		if (field->direction == MAPPING_UP)
			continue;
		if (strcasecmp(field->column, job->key) == 0)
			made.key_field = i;
		if (job->on_delete == RUN_DELETE_MARK && strcmp(field->field, DELETED_FIELD) == 0)
			made.mark_field = i;
	}
	if (job->on_delete == RUN_DELETE_MARK && made.mark_field == SIZE_MAX)
		return error_set(err, ERROR_HUMAN, "no-mark-column",
				 "job %s: on_remote_delete = mark needs a column to mark: add the "
				 "rule " DELETED_FIELD " = -> is_deleted",
				 job->name);
	*ret = made;
	return true;
}

static size_t field_named(const struct mapping *mapping, const char *name)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (strcasecmp(mapping->fields[i].field, name) == 0)
			return i;
	return SIZE_MAX;
}

/* A natural key tells which row is whose, if nothing else does. */
static bool set_match(const struct run_job *job, struct apply *apply, struct error *err)
{
	size_t key_field = apply->rules.key_field;

	apply->match = mem_array(size_t, job->match_count + 1);
	for (size_t i = 0; i < job->match_count; i++) {
		size_t field = field_named(apply->mapping, job->match[i]);

		if (field == SIZE_MAX)
			return error_set(err, ERROR_HUMAN, "match-field",
					 "job %s: match names %s, which is not mapped or was set "
					 "aside: without it nobody can say which row is whose",
					 job->name, job->match[i]);
		apply->match[apply->match_count++] = field;
	}
	apply->match_is_key = !job->match_count && key_field != SIZE_MAX;
	if (apply->match_is_key)
		apply->match[apply->match_count++] = key_field;
	return true;
}

/* Why records cannot be made under this field; NULL: they can. */
static const char *unfit_key(const struct schema_field *field)
{
	if (!field)
		return "there is no such field, or our user may not see it";
	if (!field->external_id)
		return "it is not an external id";
	if (!field->unique)
		return "it is not unique";
	return field->createable ? NULL : "our user may not write it";
}

/* Without a key that makes creation repeatable none is tried; all else goes on. */
static void set_key(const struct run *in, const struct schema *schema, struct apply *apply)
{
	const struct run_job *job = in->job;
	const char *problem =
		job->external_id ? unfit_key(schema_find(schema, job->external_id)) : NULL;

	apply->creates_records = job->create_records;
	apply->creates_unsafe = job->create_unsafe;
	apply->deletes_records = job->delete_remote;
	if (job->external_id && !problem)
		apply->key_field = mem_strdup(schema_find(schema, job->external_id)->name);
	if (!problem || !job->create_records)
		return;
	log_warning("no_external_id", LOG_STR("job", job->name), LOG_STR("run", in->id),
		    LOG_STR("field", job->external_id), LOG_STR("text", problem),
		    LOG_STR("remedy", "make it a text field with External ID and Unique set, "
				      "writable by our user: until then no record is made"));
}

static bool set_up(struct run *in, struct error *err)
{
	struct remote *remote = in->job->remote;
	const struct schema *schema = remote->ops->schema(remote, in->job->object);
	struct apply *apply = in->apply;

	if (!check_schema(in, schema, err))
		return false;
	apply->mapping = resolve_rules(in, schema, err);
	if (!apply->mapping || !make_rules(in->job, apply->mapping, &apply->rules, err))
		return false;
	if (!set_match(in->job, apply, err))
		return false;
	set_key(in, schema, apply);
	apply->server_ms = in->server_ms;
	apply->clock_offset_ms = in->server_ms - loop_now_ms(in->loop);
	apply->guard_ms = in->job->guard_s * 1000;
	apply->history_ms = in->job->history_s * 1000;
	apply->overlap_ms = in->job->overlap_s * 1000;
	apply->org_id = mem_strdup(remote->ops->org_id(remote));
	apply->mapping_text = mapping_print(apply->mapping);
	apply->schema = schema->version ? mem_strdup(schema->version) : NULL;
	apply->args = (struct course_args){ .server_ms = in->server_ms,
					    .overlap_ms = in->job->overlap_s * 1000,
					    .mapping = apply->mapping_text,
					    .where = apply->where,
					    .schema = apply->schema,
					    .full = in->full };
	return true;
}

/* On the worker: the run itself may be cancelled meanwhile. */
static void prepare(void *arg)
{
	struct apply *apply = arg;

	apply->failed = !apply_prepare(apply, &apply->failure);
}

static void resolve(struct run *in)
{
	struct error why;

	if (set_up(in, &why))
		in->working = worker_do(sync_store_worker(in->job->store), prepare, prepared, NULL,
					in->apply);
	else
		close_run(in, &why);
}

static void prepared(void *arg)
{
	struct apply *apply = arg;
	struct run *in = apply->owner;

	in->working = NULL;
	if (apply->failed)
		close_run(in, &apply->failure);
	else
		next_leg(in);
}

static const char *leg_name(enum course_leg leg)
{
	switch (leg) {
	case COURSE_END: break;
	case COURSE_LOAD: return "load";
	case COURSE_COMPARE: return "compare";
	case COURSE_CHANGES: return "changes";
	}
	return "none";
}

static void next_leg(struct run *in)
{
	struct pull_args args = { .loop = in->loop,
				  .worker = sync_store_worker(in->job->store),
				  .remote = in->job->remote,
				  .apply = in->apply };

	in->leg = course_next(&in->apply->course);
	in->apply->counts.leg_read = 0;
	in->apply->counts.total = -1;
	if (in->leg == COURSE_END) {
		push(in);
		return;
	}
	log_debug("leg_start", LOG_STR("job", in->job->name), LOG_STR("run", in->id),
		  LOG_STR("leg", leg_name(in->leg)));
	in->pull = pull_start(&args, page_done, leg_done, in);
}

static void page_done(void *arg)
{
	struct run *in = arg;
	const struct run_counts *counts = &in->apply->counts;

	log_debug("page", LOG_STR("job", in->job->name), LOG_STR("run", in->id),
		  LOG_STR("leg", leg_name(in->leg)), LOG_INT("read", counts->leg_read),
		  LOG_INT("total", counts->total));
	if (in->progress)
		in->progress(leg_name(in->leg), counts, in->done_arg);
}

static void leg_done(const struct error *err, void *arg)
{
	struct run *in = arg;

	in->pull = NULL;
	if (err)
		close_run(in, err);
	else
		next_leg(in);
}

static void push(struct run *in)
{
	struct push_args args = { .loop = in->loop,
				  .worker = sync_store_worker(in->job->store),
				  .remote = in->job->remote,
				  .apply = in->apply };

	in->push = push_start(&args, batch_done, push_done, in);
}

static void batch_done(void *arg)
{
	struct run *in = arg;

	if (in->progress)
		in->progress("push", &in->apply->counts, in->done_arg);
}

static void push_done(const struct error *err, void *arg)
{
	struct run *in = arg;

	in->push = NULL;
	close_run(in, err);
}

static void close_on_worker(void *arg)
{
	struct apply *apply = arg;
	struct error why;

	/* The first failure is the one that explains. */
	if (!apply_finish(apply, apply->failed ? &apply->failure : NULL, &why) && !apply->failed) {
		apply->failed = true;
		apply->failure = why;
	}
}

static void close_run(struct run *in, const struct error *err)
{
	struct apply *apply = in->apply;

	if (err && err != &apply->failure)
		apply->failure = *err;
	apply->failed = err;
	apply->now_ms = loop_now_ms(in->loop);
	in->working =
		worker_do(sync_store_worker(in->job->store), close_on_worker, finish, NULL, apply);
}

const char *run_id(const struct run *in)
{
	return in->id;
}

static void log_end(const struct run *in, const struct run_outcome *outcome)
{
	const struct run_counts *counts = &outcome->counts;

	/* Whose run it is says once, louder, what somebody must act on; this is said of every run.
	 */
	if (outcome->err)
		log_warning("run_failed", LOG_STR("job", in->job->name), LOG_STR("run", in->id),
			    LOG_STR("kind", error_kind_name(outcome->err->kind)),
			    LOG_STR("code", outcome->err->code),
			    LOG_STR("text", outcome->err->text), LOG_INT("read", counts->read),
			    LOG_INT("ms", outcome->ended_ms - outcome->started_ms));
	else
		log_info("run_done", LOG_STR("job", in->job->name), LOG_STR("run", in->id),
			 LOG_INT("read", counts->read), LOG_INT("inserted", counts->inserted),
			 LOG_INT("updated", counts->updated), LOG_INT("deleted", counts->deleted),
			 LOG_INT("unchanged", counts->unchanged),
			 LOG_INT("rejected", counts->rejected),
			 LOG_INT("sent_created", counts->sent_created),
			 LOG_INT("sent_updated", counts->sent_updated),
			 LOG_INT("sent_deleted", counts->sent_deleted),
			 LOG_INT("refused", counts->refused), LOG_INT("unknown", counts->unknown),
			 LOG_INT("conflicts", counts->conflicts),
			 LOG_INT("put_back", counts->put_back),
			 LOG_INT("out_of_sight", counts->out_of_sight),
			 LOG_INT("set_aside", counts->set_aside),
			 LOG_INT("ms", outcome->ended_ms - outcome->started_ms));
}

static void finish(void *arg)
{
	struct apply *apply = arg;
	struct run *in = apply->owner;
	struct error failure = apply->failure;
	struct run_outcome outcome = { .id = in->id,
				       .counts = apply->counts,
				       .started_ms = in->started_ms,
				       .ended_ms = loop_now_ms(in->loop),
				       .err = apply->failed ? &failure : NULL };

	in->working = NULL;
	apply_free(TAKE(in->apply));
	log_end(in, &outcome);
	in->done(&outcome, in->done_arg);
	free(in);
}

/* The worker may still have a page in hand: what it is told of the end comes with the task. */
struct cut {
	struct apply *apply;
	int64_t now_ms;
};

static void cut_on_worker(void *arg)
{
	struct cut *cut = arg;

	apply_cut(cut->apply, cut->now_ms);
}

static void free_cut(void *arg)
{
	struct cut *cut = arg;

	apply_free(cut->apply);
	free(cut);
}

/* The store is being closed: the thread is gone, so its part may be done here. */
static void drop_cut(void *arg)
{
	struct cut *cut = arg;

	apply_close(cut->apply);
	free_cut(cut);
}

void run_cancel(struct run *in)
{
	struct cut *cut;

	if (!in)
		return;
	cut = mem_new(struct cut);
	learn_cancel(in->learning);
	pull_cancel(in->pull);
	push_cancel(in->push);
	worker_cancel(in->working);
	log_info("run_cut", LOG_STR("job", in->job->name), LOG_STR("run", in->id));
	*cut = (struct cut){ in->apply, loop_now_ms(in->loop) };
	worker_do(sync_store_worker(in->job->store), cut_on_worker, free_cut, drop_cut, cut);
	free(in);
}
