/* sync_store.h - a store with its worker thread: what jobs of that store share. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct error;
struct loop;
struct sync_store;
struct worker;

/* Starts the worker; the database is opened there at the first use, and again after a failure. */
struct sync_store *sync_store_new(struct loop *loop, const char *name, const char *sqlite_path);
void sync_store_free(struct sync_store *in); /* joins the worker */
CLEANUP_DEFINE(struct sync_store, sync_store_free)

/* One past run, for listings. Good during the call. */
struct sync_run_row {
	const char *id, *job, *outcome; /* "done", "failed", "running", "cut" */
	const char *code, *text;        /* of the failure; "" */
	int64_t started_ms, ended_ms;   /* 0: not ended */
	int64_t read, inserted, updated, deleted, unchanged, rejected;
	int64_t out_of_sight;
	int64_t sent_created, sent_updated, sent_deleted; /* records */
	int64_t refused, conflicts, put_back;
	int64_t repeats; /* runs in a row that failed just so; this is the last */
};

/* The last `limit` runs, newest first, of `job` (NULL: of all), then `done` once on the loop; err
 * NULL if all well. Starts cannot fail. */
struct sync_runs_call;
typedef void sync_runs_fn(const struct sync_run_row *rows, size_t count, const struct error *err,
			  void *arg);
struct sync_runs_call *sync_runs(struct sync_store *in, const char *job, size_t limit,
				 sync_runs_fn *done, void *arg);
void sync_runs_cancel(struct sync_runs_call *in);

/* What a job's ledger holds, for status. */
struct sync_summary {
	int64_t linked, deleted, out_of_sight, rejects;
	int64_t waiting, sent, unknown, rejected, held; /* what owes the remote something */
	int64_t oldest_due_ms;                          /* of those waiting; 0: none */
	int64_t conflicts;                              /* that wait for a person */
	int64_t settled_ms; /* everything before it is kept (server's clock); 0: first load not
			       ended */
	const char *phase;  /* "none", "load", "changes", "settled" */
};
struct sync_summary_call;
typedef void sync_summary_fn(const struct sync_summary *summary, const struct error *err,
			     void *arg);
struct sync_summary_call *sync_summary(struct sync_store *in, const char *job,
				       sync_summary_fn *done, void *arg);
void sync_summary_cancel(struct sync_summary_call *in);
