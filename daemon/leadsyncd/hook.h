/* hook.h - the operator's program that is told of state transitions: to mail, to page, to count.
 *
 * Each event runs it once, with the daemon's rights, without a shell and without arguments, in the
 * folder /. Its environment is PATH=/usr/bin:/bin, LEADSYNC_EVENT, and of LEADSYNC_ACCOUNT, _JOB,
 * _STATE, _CODE, _TEXT and _REMEDY what the event has. Standard input and output are /dev/null;
 * standard error is ours, so that what it complains about is found where the daemon's own lines
 * are. It has none of our other descriptors.
 *
 * One runs at a time. After 30 s it is killed, and what it left running is killed as it ends: its
 * whole process group. Being late, an exit status other than 0, and not being able to run are one
 * warning each. */
#pragma once
#include "base/mem.h"

struct error;
struct hook;
struct loop;

#define HOOK_LASTS_MS     30000
#define HOOK_WAITING_MOST 64

/* What is NULL does not stand in the environment. Nothing secret may be in it: any process of the
 * same user can read another's environment. */
struct hook_event {
	const char *event; /* "account-parked", "job-ok", ... */
	const char *account, *job, *state, *code, *text, *remedy;
};

/* The loop is borrowed. `path` NULL: there is none, and nothing that is told goes anywhere.
 * ERROR_HUMAN code unsafe-hook: not a regular file that can be executed and that nobody but root
 * or our user can write to. This is checked again before each run. */
struct hook *hook_new(struct loop *loop, const char *path, struct error *err);

/* Kills what runs and forgets what waits. NULL is allowed. */
void hook_free(struct hook *in);
CLEANUP_DEFINE(struct hook, hook_free)

/* Cannot fail; copies. Control bytes are replaced. The program starts from the loop, at the
 * earliest on its next turn. If HOOK_WAITING_MOST wait already, the oldest is dropped; how many
 * were is a line in the log when the next one starts. */
void hook_tell(struct hook *in, const struct hook_event *event);
