/* learn.h - learns an object and whatever a mapping's rules reach from it: its describe, then one
 * of each related object (Owner.Email of a Contact: User).
 *
 * The schemas are the remote's and are asked of it afterwards (remote.h). Passing trouble is tried
 * again a few times, here. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct learn;
struct loop;
struct mapping_rule;
struct remote;

struct learn_args {
	struct loop *loop; /* all borrowed until the end */
	struct remote *remote;
	const char *object;
	const struct mapping_rule *rules;
	size_t rule_count;
	bool again;      /* related objects too, known or not; else when the object's own describe
			    changed */
	const char *job; /* for the log, as the next */
	const char *run;
};

/* Once, from the loop, with the handle dead. `server_ms` is the server's clock when it answered for
 * the object itself. A related object that our user may not see is no failure: rules that reach it
 * will find no schema. */
typedef void learn_done_fn(int64_t server_ms, const struct error *err, void *arg);
struct learn *learn_start(const struct learn_args *args, learn_done_fn *done, void *arg);
void learn_cancel(struct learn *in); /* NULL is allowed */
