/* apply.h - a run's side on the worker's thread: its session with the store, and what a page does.
 *
 * The struct goes to and fro with the run's tasks, of which at most one is under way: the loop may
 * look at it only between them. It is opened by apply_prepare() and ends with apply_close(), both
 * on the worker; the rest is the loop's to free. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sync/course.h"
#include "sync/merge.h"
#include "sync/run.h"

#define APPLY_REJECT_LINES 20 /* in the log, a run */

struct mapping;
struct record_page;
struct store_session;
struct sync_store;

struct apply {
	struct sync_store *store;
	/* Owned, as the run's job may be gone before the worker is done. */
	char *job, *instance, *object, *table, *key, *org_id, *where;
	char id[9];
	int64_t started_ms, now_ms;
	int64_t server_ms;       /* the server's clock, as it last said */
	int64_t clock_offset_ms; /* of the server's clock against this machine's, on which marks are */
	struct mapping *mapping; /* shared; NULL before the describe */
	struct merge_rules rules;
	/* Fields of the mapping by which rows and records are matched, owned: as the conf says, or
	 * a natural key by itself, which needs no index of its own. */
	size_t *match;
	size_t match_count;
	bool match_is_key;
	char *key_field; /* owned: the external id field; NULL: none that will do */
	bool creates_records;
	bool creates_unsafe; /* even where `key_field` is NULL */
	bool deletes_records;
	int64_t guard_ms, history_ms, overlap_ms;
	struct course_args args;
	struct course course;
	struct run_counts counts;
	struct store_session *session;
	struct cursor stored; /* what the ledger held when the run prepared */
	bool noted;           /* leadsync_runs has a line for it */
	bool seen_begun;      /* of this leg */
	unsigned reject_lines;
	char *mapping_text; /* owned; mapping_print() */
	char *schema;       /* owned; schema.version; NULL: none */
	void *owner;        /* the run, for the loop's use alone */
	bool failed;        /* the run did, or what the worker did last; with `failure` */
	struct error failure;
};

struct apply *apply_new(struct sync_store *store, const struct run_args *args, const char *id,
			int64_t now_ms);
void apply_free(struct apply *in); /* on the loop, after apply_close() */

/* On the worker. A failed unit leaves course and counts as they were before it. */
bool apply_prepare(struct apply *in, struct error *err);
bool apply_page(struct apply *in, struct record_page *page, struct error *err);

/* Rows that other programs changed become due. */
bool apply_scan(struct apply *in, struct error *err);

/* The end: writes what is left to write and closes. `failure` NULL: all done. */
bool apply_finish(struct apply *in, const struct error *failure, struct error *err);

/* The run was stopped. */
void apply_cut(struct apply *in, int64_t now_ms);
void apply_close(struct apply *in);

/* For the files apply*.c and push_*.c alone. */
const struct store_ops *apply_ops(const struct apply *in);
struct store_run apply_line(const struct apply *in, const char *outcome);
