/* job.h - one scheduled job: when it runs, what its last run came to, who follows it.
 *
 * States: idle (waits for its time), running, parked (somebody must act; probed once an hour),
 * paused (by the operator: nothing is written on any side until job_resume(), restarts included).
 * While its account is parked a job is parked too and makes no run at all; it goes on by itself
 * when the account does. A job never runs twice at once. What happens after a failed run follows
 * from the error's kind alone. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "sync/run.h"

struct account;
struct conf_job;
struct hook;
struct job;
struct job_follower;
struct loop;
struct sync_store;
struct vault;

enum job_state {
	JOB_IDLE,
	JOB_RUNNING,
	JOB_PARKED,
	JOB_WITHOUT_ACCOUNT, /* parked with its account; called parked, too */
	JOB_PAUSED,
};

/* Told, from the loop, that the store or org of a job is not ours or is damaged: the daemon must
 * stop with 78. */
typedef void job_fatal_fn(const struct error *why, void *arg);

struct job_args {
	struct loop *loop; /* all borrowed */
	const struct conf_job *conf;
	struct account *account;
	struct sync_store *store;
	struct vault *vault; /* remembers that it is paused */
	struct hook *hook;
	const char *instance;
	job_fatal_fn *fatal;
	void *arg;
};

/* The first run starts within a second, unless it is paused. */
struct job *job_new(const struct job_args *args, struct error *err);
void job_free(struct job *in); /* cancels a run under way: its committed pages stay */
CLEANUP_DEFINE(struct job, job_free)

const struct conf_job *job_conf(const struct job *in);
struct account *job_account(const struct job *in);
struct sync_store *job_store(const struct job *in);

struct job_view {
	enum job_state state;
	const char *state_name;
	const char *phase;        /* while running, as run_progress_fn has it; else "" */
	int64_t next_ms;          /* when it runs next; 0 while running */
	struct run_counts counts; /* of the run under way, else of the last one */
	const char *run_id;       /* likewise; "" before the first */
	int64_t started_ms, ended_ms;
	int64_t spent_ms; /* how long it took; 0 while running */
	bool failed;
	struct error trouble; /* if failed */
};
void job_view(const struct job *in, struct job_view *ret);

/* What its runs are made from: good as long as the job. */
const struct run_job *job_run_job(const struct job *in);

/* Runs as soon as the loop comes round, parked or not, and lets a parked account ask again; joins
 * the run under way if there is one. ERROR_HUMAN code running (`full` is asked for while a run is
 * under way) or paused. */
bool job_run_now(struct job *in, bool full, struct error *err);

/* Stored before they answer true. A run under way is cut: its committed pages stay. */
bool job_pause(struct job *in, struct error *err);
bool job_resume(struct job *in, struct error *err);

/* Its account is parked now, or no longer: to be told whenever that changed. */
void job_account_changed(struct job *in);

/* Follows the run under way, or the next one, to its end. Called from the loop; `done` ends the
 * following, and may not follow again. */
typedef void job_progress_fn(const struct job_view *view, void *arg);
typedef void job_done_fn(const struct job_view *view, void *arg);
struct job_follower *job_follow(struct job *in, job_progress_fn *progress, job_done_fn *done,
				void *arg);
void job_unfollow(struct job_follower *in);
