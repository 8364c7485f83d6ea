/* revoker.h - works off the vault's queue of tokens to be revoked.
 *
 * One at a time; what fails stays queued and is tried again after a back-off, up to six hours
 * apart, for thirty days (Salesforce ends an unused grant by then), then given up with a warning. A
 * token of an account that the conf no longer has, or that it now keeps at another endpoint, waits
 * as well: only its own endpoint may see it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct account;
struct loop;
struct revoker;
struct vault;

struct revoker_args {
	struct loop *loop; /* all borrowed */
	struct vault *vault;
	struct account *const *accounts;
	size_t account_count;
};

/* Begins with what an earlier life left. */
struct revoker *revoker_new(const struct revoker_args *args);
void revoker_free(struct revoker *in);
CLEANUP_DEFINE(struct revoker, revoker_free)

/* Something was queued: looks at once, whatever the back-off. */
void revoker_kick(struct revoker *in);

/* Told once, from the loop, at the end of a pass that begins now: is the queue empty of this
 * account's tokens? */
struct revoker_wait;
typedef void revoker_passed_fn(bool none_left, void *arg);
struct revoker_wait *revoker_wait(struct revoker *in, const char *account,
				  revoker_passed_fn *passed, void *arg);
void revoker_unwait(struct revoker_wait *wait); /* NULL is allowed */
