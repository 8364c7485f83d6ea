/* apply.c - a run's session with its store: new and free; prepare; the end. A page is in
 * apply_page.c. */
#include "sync/apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "record/mapping.h"
#include "store/store.h"
#include "sync/sync_store_worker.h"

struct apply *apply_new(struct sync_store *store, const struct run_args *args, const char *id,
			int64_t now_ms)
{
	const struct run_job *job = args->job;
	struct apply *in = mem_new(struct apply);

	*in = (struct apply){
		.store = store,
		.job = mem_strdup(job->name),
		.instance = mem_strdup(args->instance),
		.object = mem_strdup(job->object),
		.table = mem_strdup(job->table),
		.key = mem_strdup(job->key),
		.where = job->where ? mem_strdup(job->where) : NULL,
		.started_ms = now_ms,
		.now_ms = now_ms,
		.counts.total = -1,
	};
	memcpy(in->id, id, sizeof(in->id));
	return in;
}

void apply_free(struct apply *in)
{
	if (!in)
		return;
	course_clear(&in->course);
	mapping_free(in->mapping);
	free(in->job);
	free(in->instance);
	free(in->object);
	free(in->table);
	free(in->key);
	free(in->org_id);
	free(in->where);
	free(in->mapping_text);
	free(in->schema);
	free(in->match);
	free(in->key_field);
	free(in);
}

const struct store_ops *apply_ops(const struct apply *in)
{
	return in->session->store->ops;
}

struct store_run apply_line(const struct apply *in, const char *outcome)
{
	return (struct store_run){ .id = in->id,
				   .job = in->job,
				   .outcome = outcome,
				   .code = "",
				   .text = "",
				   .started_ms = in->started_ms,
				   .read = in->counts.read,
				   .inserted = in->counts.inserted,
				   .updated = in->counts.updated,
				   .deleted = in->counts.deleted,
				   .unchanged = in->counts.unchanged,
				   .rejected = in->counts.rejected,
				   .out_of_sight = in->counts.out_of_sight,
				   .sent_created = in->counts.sent_created,
				   .sent_updated = in->counts.sent_updated,
				   .sent_deleted = in->counts.sent_deleted,
				   .refused = in->counts.refused,
				   .conflicts = in->counts.conflicts,
				   .put_back = in->counts.put_back,
				   .repeats = 1 };
}

static void log_problem(const struct error *problem, void *arg)
{
	const struct apply *in = arg;

	log_warning("table_problem", LOG_STR("job", in->job), LOG_STR("run", in->id),
		    LOG_STR("code", problem->code), LOG_STR("text", problem->text));
}

static bool save_begin(struct apply *in, struct error *err)
{
	const struct store_ops *ops = apply_ops(in);
	bool ok = ops->begin(in->session, err) &&
		  ops->save_state(in->session, &in->course.state, err) &&
		  ops->commit(in->session, err);

	if (!ok) {
		ops->rollback(in->session);
		return false;
	}
	course_was_saved(&in->course);
	return true;
}

static bool differs(const char *then, const char *now)
{
	return strcmp(then ? then : "", now ? now : "") != 0;
}

/* What was refused may be taken under another mapping, or by an object that is another now. */
static bool forget_refusals(struct apply *in, struct error *err)
{
	const struct store_ops *ops = apply_ops(in);

	if (ops->begin(in->session, err) && ops->unrefuse_all(in->session, err) &&
	    ops->commit(in->session, err))
		return true;
	ops->rollback(in->session);
	return false;
}

static bool prepare_in(struct apply *in, struct store *store, struct error *err)
{
	struct store_job job = { .name = in->job,
				 .object = in->object,
				 .table = in->table,
				 .key = in->key,
				 .org_id = in->org_id,
				 .instance = in->instance,
				 .mapping = in->mapping,
				 .match = in->match,
				 .match_count = in->match_is_key ? 0 : in->match_count,
				 .problem = log_problem,
				 .problem_arg = in };
	struct store_state state;
	const struct cursor *known;
	int64_t bound_ms;
	bool news;

	in->session = store->ops->prepare(store, &job, &state, err);
	if (!in->session)
		return false;
	in->stored = state.cursor;
	news = differs(state.mapping, in->mapping_text) || differs(state.schema, in->schema);
	if (news && !forget_refusals(in, err)) {
		store_state_clear(&state);
		return false;
	}
	known = sync_store_known(in->store, in->job, &state.cursor);
	bound_ms = known ? known->bound_ms : state.cursor.bound_ms;
	news = course_begin(&in->course, &state, known, &in->args);
	store_state_clear(&state);
	sync_store_touched(in->store, in->job);
	if (in->course.was_ahead)
		log_warning("cursor_ahead", LOG_STR("job", in->job), LOG_STR("run", in->id),
			    LOG_INT("bound_ms", bound_ms), LOG_INT("server_ms", in->args.server_ms),
			    LOG_STR("text", "the server's clock was wrong at an earlier run, or is "
					    "now: every record is read again"));
	return !news || save_begin(in, err);
}

bool apply_prepare(struct apply *in, struct error *err)
{
	struct store *store = sync_store_enter(in->store, err);

	if (!store)
		return false;
	sync_store_running(in->store, in->job, in->id);
	if (prepare_in(in, store, err))
		return true;
	if (in->session)
		store->ops->release(TAKE(in->session));
	sync_store_running(in->store, in->job, NULL);
	if (err->kind != ERROR_HUMAN)
		sync_store_suspect(in->store);
	sync_store_leave(in->store);
	return false;
}

static bool write_end(struct apply *in, const struct store_run *line, bool saves_state,
		      struct error *err)
{
	const struct store_ops *ops = apply_ops(in);
	bool failed = strcmp(line->outcome, "failed") == 0;
	int64_t kept_ms = in->server_ms - in->history_ms;

	if (ops->begin(in->session, err) &&
	    (!in->history_ms || ops->forget_old(in->session, kept_ms, err)) &&
	    (!saves_state || ops->save_state(in->session, &in->course.state, err)) &&
	    (!(in->noted || failed) || ops->save_run(in->session, line, err)) &&
	    ops->commit(in->session, err)) {
		if (saves_state)
			course_was_saved(&in->course);
		in->noted |= failed;
		return true;
	}
	ops->rollback(in->session);
	sync_store_suspect(in->store);
	return false;
}

/* The run had no session: it failed before or while preparing. */
static bool list_failure(struct apply *in, const struct store_run *line, struct error *err)
{
	struct store *store = sync_store_enter(in->store, err);
	bool ok, listed = false;

	if (!store)
		return false;
	ok = store->ops->list_failure(store, in->instance, line, &listed, err);
	sync_store_leave(in->store);
	in->noted = ok && listed;
	return ok;
}

static bool finish(struct apply *in, const struct store_run *line, const struct error *failure,
		   struct error *err)
{
	bool saves_state;

	if (failure && failure->kind == ERROR_STATE)
		return true; /* what is damaged or not ours is not written to */
	if (!in->session)
		return list_failure(in, line, err);
	saves_state = !failure &&
		      (course_must_save_at_end(&in->course) ||
		       (in->noted && !cursor_equal(&in->course.saved, &in->course.state.cursor)));
	if (!saves_state && !in->noted && !failure)
		return true;
	return write_end(in, line, saves_state, err);
}

bool apply_finish(struct apply *in, const struct error *failure, struct error *err)
{
	struct store_run line = apply_line(in, failure ? "failed" : "done");
	bool ok;

	line.ended_ms = in->now_ms;
	if (failure) {
		line.code = failure->code;
		line.text = failure->text;
	}
	ok = finish(in, &line, failure, err);
	if (ok && in->session && !failure)
		sync_store_know(in->store, in->job, &in->course.saved, &in->course.state.cursor);
	if (!in->noted)
		sync_store_remember_run(in->store, &line);
	if (in->reject_lines > APPLY_REJECT_LINES)
		log_warning("rejected_more", LOG_STR("job", in->job), LOG_STR("run", in->id),
			    LOG_INT("count", in->reject_lines - APPLY_REJECT_LINES));
	apply_close(in);
	return ok;
}

void apply_cut(struct apply *in, int64_t now_ms)
{
	struct store *store = in->session ? in->session->store : NULL;
	struct error why;

	/* Where it cannot be said now, the next run says it. */
	if (store && in->noted)
		store->ops->cut_run(store, in->id, now_ms, &why);
	apply_close(in);
}

void apply_close(struct apply *in)
{
	if (!in->session)
		return;
	apply_ops(in)->release(TAKE(in->session));
	sync_store_running(in->store, in->job, NULL);
	sync_store_leave(in->store);
}
