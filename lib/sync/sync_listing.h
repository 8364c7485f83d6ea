/* sync_listing.h - what a person looks at in a job's ledger, and says of it: rejects, conflicts,
 * what owes the remote something; retry, ignore, resolve; detach.
 *
 * Asked on the store's worker, in turn with the pages of its runs, answered on the loop: `done`
 * once, err NULL if all is well. Starts cannot fail, and copy what they are given. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct error;
struct sync_store;

/* Lines as the store has them, newest first, good during the call. */
typedef void sync_rejects_fn(const struct store_reject_line *lines, size_t count,
			     const struct error *err, void *arg);
typedef void sync_conflicts_fn(const struct store_conflict_line *lines, size_t count,
			       const struct error *err, void *arg);
typedef void sync_dues_fn(const struct store_due_line *lines, size_t count, const struct error *err,
			  void *arg);

struct sync_listing;
struct sync_listing *sync_list_rejects(struct sync_store *in, const struct store_listing *what,
				       sync_rejects_fn *done, void *arg);
struct sync_listing *sync_list_conflicts(struct sync_store *in, const struct store_listing *what,
					 sync_conflicts_fn *done, void *arg);
struct sync_listing *sync_list_dues(struct sync_store *in, const struct store_listing *what,
				    sync_dues_fn *done, void *arg);
void sync_listing_cancel(struct sync_listing *in);

/* `count` is how many rejects or conflicts something was done to. */
typedef void sync_order_fn(int64_t count, const struct error *err, void *arg);

struct sync_order;
struct sync_order *sync_order(struct sync_store *in, const struct store_order *order,
			      sync_order_fn *done, void *arg);

/* Nothing is left of the job but its table. A run of it may not be under way. `count` is 0. */
struct sync_order *sync_detach(struct sync_store *in, const char *instance, const char *job,
			       sync_order_fn *done, void *arg);

/* `done` never comes; what the worker has begun is done all the same. */
void sync_order_cancel(struct sync_order *in);
