/* sync_store_worker.h - what runs need of a store's worker; only this room includes it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct error;
struct sync_store;
struct worker;

struct worker *sync_store_worker(struct sync_store *in);

/* The rest is called on the worker's thread. */

/* The database, opened now if it is not. NULL: it cannot be. Counts a user until
 * sync_store_leave(). */
struct store *sync_store_enter(struct sync_store *in, struct error *err);
void sync_store_leave(struct sync_store *in);

/* A unit failed: opened anew as soon as nobody uses it. */
void sync_store_suspect(struct sync_store *in);

/* The job's ledger changed; or is gone, with all that was known of the job. */
void sync_store_touched(struct sync_store *in, const char *job);
void sync_store_forget(struct sync_store *in, const char *job);

/* What is known beyond the ledger, as long as that still holds `stored`. NULL: nothing. */
const struct cursor *sync_store_known(struct sync_store *in, const char *job,
				      const struct cursor *stored);
void sync_store_know(struct sync_store *in, const char *job, const struct cursor *stored,
		     const struct cursor *known);

/* A run that left no line in leadsync_runs; and which one is under way (NULL: none). */
void sync_store_remember_run(struct sync_store *in, const struct store_run *run);
void sync_store_running(struct sync_store *in, const char *job, const char *id);

/* On the loop. True if `fields` is not what this job told last; remembers it. */
bool sync_store_is_news(struct sync_store *in, const char *job, const char *fields);
