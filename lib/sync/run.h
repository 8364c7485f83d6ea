/* run.h - one pass of a job: describe, prepare the store, read and apply page after page, then send
 * what the table owes.
 *
 *     run_start -> describe -> prepare (worker) -> leg: read -> apply (worker) -> ... -> push -> finish
 *
 * A run first ends what an earlier one left unfinished (a load by id, or an increment: DESIGN's
 * cursor), then reads one increment up to now. Each page is one transaction: rows, links, rejects
 * and the moved cursor; so a run stopped anywhere is simply started again.
 *
 * A run that finds nothing new writes nothing, not even itself: leadsync_runs lists runs that did
 * something or failed, and sync_runs() adds the last idle one from memory. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "record/mapping.h"

struct error;
struct loop;
struct remote;
struct run;
struct sync_store;

enum run_on_delete { RUN_DELETE_KEEP, RUN_DELETE_MARK, RUN_DELETE_ROW };

/* Borrowed until the run ends. */
struct run_job {
	const char *name;
	const char *object;
	const char *table;
	const char *key;
	const char *where; /* NULL: none */
	const struct mapping_rule *rules;
	size_t rule_count;
	enum run_on_delete on_delete;
	bool delete_remote; /* a row that was deleted takes its record with it */
	/* A pair without a link: matched by all of these fields, which are mapped; made on either
	 * side where that is allowed. */
	const char *const *match;
	size_t match_count;
	bool create_rows, create_records;
	const char *external_id; /* unique external id field that makes creation repeatable; NULL */
	bool create_unsafe;      /* records are made even without one */
	int64_t guard_s;         /* how old the reading of a record may be that is written to */
	int64_t history_s;       /* how long overwritten values are kept */
	int64_t overlap_s;
	struct remote *remote;
	struct sync_store *store;
};

struct run_args {
	struct loop *loop;
	const struct run_job *job;
	const char *instance; /* of our state database: whose ledger this is */
	bool full;            /* read every record again, and find those out of sight */
	bool relearn;         /* the last run failed: describe related objects again too */
};

/* Counted as it goes; the same numbers end in leadsync_runs. */
struct run_counts {
	int64_t read;     /* records received */
	int64_t inserted; /* rows */
	int64_t updated;
	int64_t deleted; /* rows deleted or marked */
	int64_t unchanged;
	int64_t rejected;
	int64_t out_of_sight;
	int64_t pages;
	int64_t total;                                    /* of the leg under way; -1 if unknown */
	int64_t leg_read;                                 /* of them received */
	int64_t sent_created, sent_updated, sent_deleted; /* records */
	int64_t refused;                                  /* changes that the remote did not take */
	int64_t unknown; /* changes whose request was not answered */
	int64_t conflicts;
	int64_t put_back;  /* values of a one-way field that were edited on its other side */
	int64_t set_aside; /* rules that the remote's schema does not bear out at present */
};

struct run_outcome {
	const char *id; /* 8 hex digits, as in the log */
	struct run_counts counts;
	int64_t started_ms, ended_ms;
	const struct error *err; /* NULL: all done */
};

/* After each page; `phase` is "load", "compare" (ids only), "changes" or "push". May not cancel the run. */
typedef void run_progress_fn(const char *phase, const struct run_counts *counts, void *arg);

/* Once, later than run_start(); the handle is dead. The outcome is good during the call. */
typedef void run_done_fn(const struct run_outcome *outcome, void *arg);

/* `progress` may be NULL. */
struct run *run_start(const struct run_args *args, run_progress_fn *progress, run_done_fn *done,
		      void *arg);

/* 8 hex digits, as in the log and in leadsync_runs. Good as long as the handle. */
const char *run_id(const struct run *in);

/* Stops at once: the page under way is not applied; `done` never comes. The ledger shows the run as
 * cut. */
void run_cancel(struct run *in);
