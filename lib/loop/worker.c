/* worker.c - two lists under one lock: what waits for the thread, and what waits for the loop. The
 * eventfd counts the second: the loop takes one task a turn, so that a `done` may stop the worker.
 */
#include "loop/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "loop/loop.h"

enum task_state { TASK_WAITS, TASK_RUNS, TASK_ENDED };

struct worker_task {
	TAILQ_ENTRY(worker_task) entry; /* in `waiting` or `ended`; in none while it runs */
	struct worker *worker;
	enum task_state state;
	bool cancelled; /* while it ran */
	worker_fn *run, *done, *drop;
	void *arg;
};
TAILQ_HEAD(task_list, worker_task);

struct worker {
	pthread_t thread;
	int wake; /* a semaphore of tasks in `ended` */
	struct loop_watch *watch;
	pthread_mutex_t lock; /* of all below, and of the tasks' states */
	pthread_cond_t more;
	struct task_list waiting, ended;
	bool stop;
};

static void *work(void *arg);
static void finish_one(int fd, int ready, void *arg);

static void must(bool worked)
{
	if (!worked)
		abort(); /* out of memory, threads or descriptors at start: as mem.h */
}

struct worker *worker_start(struct loop *loop, const char *thread_name)
{
	struct worker *in = mem_new(struct worker);
	char short_name[16]; /* the kernel's limit */
	sigset_t all, before;

	TAILQ_INIT(&in->waiting);
	TAILQ_INIT(&in->ended);
	must(pthread_mutex_init(&in->lock, NULL) == 0);
	must(pthread_cond_init(&in->more, NULL) == 0);
	in->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	must(in->wake >= 0);
	in->watch = loop_watch(loop, in->wake, LOOP_READABLE, finish_one, in);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	must(pthread_create(&in->thread, NULL, work, in) == 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	snprintf(short_name, sizeof(short_name), "%s", thread_name);
	pthread_setname_np(in->thread, short_name);
	return in;
}

struct worker_task *worker_do(struct worker *in, worker_fn *run, worker_fn *done, worker_fn *drop,
			      void *arg)
{
	struct worker_task *task = mem_new(struct worker_task);

	*task = (struct worker_task){
		.worker = in, .run = run, .done = done, .drop = drop, .arg = arg
	};
	pthread_mutex_lock(&in->lock);
	TAILQ_INSERT_TAIL(&in->waiting, task, entry);
	pthread_cond_signal(&in->more);
	pthread_mutex_unlock(&in->lock);
	return task;
}

/* The worker's thread. */
static void *work(void *arg)
{
	struct worker *in = arg;
	struct worker_task *task;

	pthread_mutex_lock(&in->lock);
	for (;;) {
		while (!in->stop && TAILQ_EMPTY(&in->waiting))
			pthread_cond_wait(&in->more, &in->lock);
		if (in->stop)
			break;
		task = TAILQ_FIRST(&in->waiting);
		TAILQ_REMOVE(&in->waiting, task, entry);
		task->state = TASK_RUNS;
		pthread_mutex_unlock(&in->lock);
		task->run(task->arg);
		pthread_mutex_lock(&in->lock);
		task->state = TASK_ENDED;
		TAILQ_INSERT_TAIL(&in->ended, task, entry);
		eventfd_write(in->wake, 1);
	}
	pthread_mutex_unlock(&in->lock);
	return NULL;
}

static void drop_task(struct worker_task *task)
{
	struct worker_task ended = *task;

	free(task);
	if (ended.drop)
		ended.drop(ended.arg);
}

static void finish_one(int fd, int ready, void *arg)
{
	struct worker *in = arg;
	struct worker_task *task, ended;
	eventfd_t one;

	(void)ready;
	if (eventfd_read(fd, &one) < 0)
		return;
	pthread_mutex_lock(&in->lock);
	task = TAILQ_FIRST(&in->ended); /* none if it was cancelled meanwhile */
	if (task)
		TAILQ_REMOVE(&in->ended, task, entry);
	pthread_mutex_unlock(&in->lock);
	if (!task)
		return;
	if (task->cancelled) {
		drop_task(task);
		return;
	}
	ended = *task;
	free(task);
	ended.done(ended.arg);
}

void worker_cancel(struct worker_task *in)
{
	struct worker *worker;

	if (!in)
		return;
	worker = in->worker;
	pthread_mutex_lock(&worker->lock);
	switch (in->state) {
	case TASK_WAITS: TAILQ_REMOVE(&worker->waiting, in, entry); break;
	case TASK_ENDED: TAILQ_REMOVE(&worker->ended, in, entry); break;
	case TASK_RUNS: in->cancelled = true; in = NULL; /* dropped when it has ended */
	}
	pthread_mutex_unlock(&worker->lock);
	if (in)
		drop_task(in);
}

void worker_stop(struct worker *in)
{
	struct worker_task *task;

	if (!in)
		return;
	pthread_mutex_lock(&in->lock);
	in->stop = true;
	pthread_cond_signal(&in->more);
	pthread_mutex_unlock(&in->lock);
	pthread_join(in->thread, NULL);
	/* Looking for the first again each time, since a `drop` may cancel others. */
	while ((task = TAILQ_FIRST(&in->ended))) {
		TAILQ_REMOVE(&in->ended, task, entry);
		drop_task(task);
	}
	while ((task = TAILQ_FIRST(&in->waiting))) {
		TAILQ_REMOVE(&in->waiting, task, entry);
		drop_task(task);
	}
	loop_watch_cancel(in->watch);
	close(in->wake);
	pthread_cond_destroy(&in->more);
	pthread_mutex_destroy(&in->lock);
	free(in);
}
