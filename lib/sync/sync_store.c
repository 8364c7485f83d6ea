/* sync_store.c - in order: new and free; the database, on the worker; what is remembered of each
 * job beyond its ledger; listings. */
#include "sync/sync_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "loop/worker.h"
#include "store/sqlite/sqlite_store.h"
#include "store/store.h"
#include "sync/course.h"
#include "sync/sync_store_worker.h"

/* What is known of a job beyond its ledger. The worker's. */
struct memory {
	struct memory *next;
	char *job;
	bool knows;
	struct cursor stored, known; /* as long as the ledger holds the first, the second is true */
	char running[9];             /* the run under way; "" */
	bool has_run;                /* the last run, if it left no line in leadsync_runs: */
	char run_id[9], run_outcome[8], run_code[56], run_text[512];
	struct store_run run; /* with its texts pointing here */
	bool has_summary;
	struct store_summary summary; /* counting a million links takes a moment */
};

/* The loop's: what was told last of rules set aside. */
struct told {
	struct told *next;
	char *job, *text;
};

struct sync_store {
	char *name, *path;
	struct worker *worker;
	struct told *told;
	/* the worker's: */
	struct store *store; /* owned; NULL: not open */
	unsigned users;
	bool suspect;
	struct memory *memories;
};

struct sync_store *sync_store_new(struct loop *loop, const char *name, const char *sqlite_path)
{
	struct sync_store *in = mem_new(struct sync_store);

	in->name = mem_strdup(name);
	in->path = mem_strdup(sqlite_path);
	in->worker = worker_start(loop, name);
	return in;
}

void sync_store_free(struct sync_store *in)
{
	if (!in)
		return;
	worker_stop(in->worker); /* from here on the worker's part is ours */
	store_close(in->store);
	for (struct memory *memory = in->memories, *next; memory; memory = next) {
		next = memory->next;
		free(memory->job);
		free(memory);
	}
	for (struct told *told = in->told, *next; told; told = next) {
		next = told->next;
		free(told->job);
		free(told->text);
		free(told);
	}
	free(in->name);
	free(in->path);
	free(in);
}

struct worker *sync_store_worker(struct sync_store *in)
{
	return in->worker;
}

struct store *sync_store_enter(struct sync_store *in, struct error *err)
{
	if (in->suspect && !in->users) {
		store_close(TAKE(in->store));
		in->suspect = false;
	}
	if (!in->store)
		in->store = sqlite_store_open(in->path, err);
	if (!in->store) {
		error_prefix(err, "store %s", in->name);
		return NULL;
	}
	in->users++;
	return in->store;
}

void sync_store_leave(struct sync_store *in)
{
	in->users--;
}

void sync_store_suspect(struct sync_store *in)
{
	in->suspect = true;
}

static struct memory *memory_of(struct sync_store *in, const char *job)
{
	struct memory *memory = in->memories;

	while (memory && strcmp(memory->job, job) != 0)
		memory = memory->next;
	if (memory)
		return memory;
	memory = mem_new(struct memory);
	memory->job = mem_strdup(job);
	memory->next = in->memories;
	in->memories = memory;
	return memory;
}

void sync_store_touched(struct sync_store *in, const char *job)
{
	memory_of(in, job)->has_summary = false;
}

void sync_store_forget(struct sync_store *in, const char *job)
{
	struct memory *memory = memory_of(in, job), *next = memory->next;
	char *name = memory->job;

	*memory = (struct memory){ .next = next, .job = name };
}

/* A ledger that holds anything else was written since, perhaps restored from a backup. */
const struct cursor *sync_store_known(struct sync_store *in, const char *job,
				      const struct cursor *stored)
{
	struct memory *memory = memory_of(in, job);

	return memory->knows && cursor_equal(&memory->stored, stored) ? &memory->known : NULL;
}

void sync_store_know(struct sync_store *in, const char *job, const struct cursor *stored,
		     const struct cursor *known)
{
	struct memory *memory = memory_of(in, job);

	memory->stored = *stored;
	memory->known = *known;
	memory->knows = true;
}

static void keep_text(char *to, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memcpy(to, text, len);
	to[len] = '\0';
}

void sync_store_remember_run(struct sync_store *in, const struct store_run *run)
{
	struct memory *memory = memory_of(in, run->job);

	keep_text(memory->run_id, sizeof(memory->run_id), run->id);
	keep_text(memory->run_outcome, sizeof(memory->run_outcome), run->outcome);
	keep_text(memory->run_code, sizeof(memory->run_code), run->code);
	keep_text(memory->run_text, sizeof(memory->run_text), run->text);
	memory->run = *run;
	memory->run.job = memory->job;
	memory->run.id = memory->run_id;
	memory->run.outcome = memory->run_outcome;
	memory->run.code = memory->run_code;
	memory->run.text = memory->run_text;
	memory->has_run = true;
}

void sync_store_running(struct sync_store *in, const char *job, const char *id)
{
	struct memory *memory = memory_of(in, job);

	keep_text(memory->running, sizeof(memory->running), id ? id : "");
}

bool sync_store_is_news(struct sync_store *in, const char *job, const char *fields)
{
	struct told *told = in->told;
	bool news;

	while (told && strcmp(told->job, job) != 0)
		told = told->next;
	if (!told) {
		told = mem_new(struct told);
		told->job = mem_strdup(job);
		told->text = mem_strdup("");
		told->next = in->told;
		in->told = told;
	}
	news = strcmp(told->text, fields) != 0;
	free(told->text);
	told->text = mem_strdup(fields);
	return news;
}

/* Listings: asked on the worker, answered on the loop. */

struct sync_runs_call {
	struct worker_task *task;
	struct sync_store *store;
	char *job; /* NULL: all */
	size_t limit;
	struct arena *arena;
	struct sync_run_row *rows;
	size_t count;
	bool ok;
	struct error err;
	sync_runs_fn *done;
	void *done_arg;
};

static struct sync_run_row row_of(const struct store_run *run, struct arena *arena)
{
	return (struct sync_run_row){
		.id = arena_copy(arena, run->id, strlen(run->id)),
		.job = arena_copy(arena, run->job, strlen(run->job)),
		.outcome = arena_copy(arena, run->outcome, strlen(run->outcome)),
		.code = arena_copy(arena, run->code, strlen(run->code)),
		.text = arena_copy(arena, run->text, strlen(run->text)),
		.started_ms = run->started_ms,
		.ended_ms = run->ended_ms,
		.read = run->read,
		.inserted = run->inserted,
		.updated = run->updated,
		.deleted = run->deleted,
		.unchanged = run->unchanged,
		.rejected = run->rejected,
		.out_of_sight = run->out_of_sight,
		.sent_created = run->sent_created,
		.sent_updated = run->sent_updated,
		.sent_deleted = run->sent_deleted,
		.refused = run->refused,
		.conflicts = run->conflicts,
		.put_back = run->put_back,
		.repeats = run->repeats,
	};
}

/* At its place, newest first. */
static void add_row(struct sync_runs_call *in, const struct store_run *run)
{
	size_t at = 0;

	while (at < in->count && in->rows[at].started_ms > run->started_ms)
		at++;
	memmove(&in->rows[at + 1], &in->rows[at], (in->count - at) * sizeof(*in->rows));
	in->rows[at] = row_of(run, in->arena);
	in->count++;
}

static void merge_memories(struct sync_runs_call *in)
{
	for (struct memory *memory = in->store->memories; memory; memory = memory->next) {
		if (in->job && strcmp(in->job, memory->job) != 0)
			continue;
		/* What says it is running and is not, died with its program. */
		for (size_t i = 0; i < in->count; i++)
			if (strcmp(in->rows[i].job, memory->job) == 0 &&
			    strcmp(in->rows[i].id, memory->running) == 0)
				in->rows[i].outcome = "running";
		if (memory->has_run)
			add_row(in, &memory->run);
	}
	if (in->count > in->limit)
		in->count = in->limit;
}

static bool list_runs(struct sync_runs_call *in, struct error *err)
{
	struct store *store = sync_store_enter(in->store, err);
	struct store_run *runs;
	size_t count, extra = 0;
	bool ok;

	if (!store)
		return false;
	ok = store->ops->runs(store, in->job, in->limit, in->arena, &runs, &count, err);
	sync_store_leave(in->store);
	if (!ok)
		return false;
	for (struct memory *memory = in->store->memories; memory; memory = memory->next)
		extra++;
	in->rows = arena_take(in->arena, (count + extra + 1) * sizeof(*in->rows));
	for (size_t i = 0; i < count; i++) {
		in->rows[i] = row_of(&runs[i], in->arena);
		if (strcmp(runs[i].outcome, "running") == 0)
			in->rows[i].outcome = "cut";
	}
	in->count = count;
	merge_memories(in);
	return true;
}

static void runs_free(void *arg)
{
	struct sync_runs_call *in = arg;

	arena_free(in->arena);
	free(in->job);
	free(in);
}

static void runs_work(void *arg)
{
	struct sync_runs_call *in = arg;

	in->ok = list_runs(in, &in->err);
}

static void runs_done(void *arg)
{
	struct sync_runs_call *in = arg;

	in->done(in->ok ? in->rows : NULL, in->ok ? in->count : 0, in->ok ? NULL : &in->err,
		 in->done_arg);
	runs_free(in);
}

struct sync_runs_call *sync_runs(struct sync_store *in, const char *job, size_t limit,
				 sync_runs_fn *done, void *arg)
{
	struct sync_runs_call *call = mem_new(struct sync_runs_call);

	*call = (struct sync_runs_call){ .store = in,
					 .job = job ? mem_strdup(job) : NULL,
					 .limit = limit,
					 .arena = arena_new(),
					 .done = done,
					 .done_arg = arg };
	call->task = worker_do(in->worker, runs_work, runs_done, runs_free, call);
	return call;
}

void sync_runs_cancel(struct sync_runs_call *in)
{
	if (in)
		worker_cancel(in->task);
}

struct sync_summary_call {
	struct worker_task *task;
	struct sync_store *store;
	char *job;
	struct sync_summary summary;
	bool ok;
	struct error err;
	sync_summary_fn *done;
	void *done_arg;
};

static bool read_summary(struct sync_summary_call *in, struct memory *memory, struct error *err)
{
	struct store *store = sync_store_enter(in->store, err);
	bool ok;

	if (!store)
		return false;
	ok = store->ops->summary(store, in->job, &memory->summary, err);
	sync_store_leave(in->store);
	memory->has_summary = ok;
	return ok;
}

static void summary_work(void *arg)
{
	static const char *const phases[] = { [CURSOR_NONE] = "none",
					      [CURSOR_LOAD] = "load",
					      [CURSOR_CHANGES] = "changes",
					      [CURSOR_SETTLED] = "settled" };
	struct sync_summary_call *in = arg;
	struct memory *memory = memory_of(in->store, in->job);
	const struct cursor *cursor;

	in->ok = memory->has_summary || read_summary(in, memory, &in->err);
	if (!in->ok)
		return;
	cursor = sync_store_known(in->store, in->job, &memory->summary.cursor);
	if (!cursor)
		cursor = &memory->summary.cursor;
	in->summary = (struct sync_summary){
		.linked = memory->summary.linked,
		.deleted = memory->summary.deleted,
		.out_of_sight = memory->summary.out_of_sight,
		.rejects = memory->summary.rejects,
		.waiting = memory->summary.waiting,
		.sent = memory->summary.sent,
		.unknown = memory->summary.unknown,
		.rejected = memory->summary.rejected,
		.held = memory->summary.held,
		.oldest_due_ms = memory->summary.oldest_due_ms,
		.conflicts = memory->summary.conflicts,
		.settled_ms = cursor->phase == CURSOR_LOAD ? 0 : course_kept_ms(cursor),
		.phase = phases[cursor->phase],
	};
}

static void summary_free(void *arg)
{
	struct sync_summary_call *in = arg;

	free(in->job);
	free(in);
}

static void summary_done(void *arg)
{
	struct sync_summary_call *in = arg;

	in->done(in->ok ? &in->summary : NULL, in->ok ? NULL : &in->err, in->done_arg);
	summary_free(in);
}

struct sync_summary_call *sync_summary(struct sync_store *in, const char *job,
				       sync_summary_fn *done, void *arg)
{
	struct sync_summary_call *call = mem_new(struct sync_summary_call);

	*call = (struct sync_summary_call){
		.store = in, .job = mem_strdup(job), .done = done, .done_arg = arg
	};
	call->task = worker_do(in->worker, summary_work, summary_done, summary_free, call);
	return call;
}

void sync_summary_cancel(struct sync_summary_call *in)
{
	if (in)
		worker_cancel(in->task);
}
