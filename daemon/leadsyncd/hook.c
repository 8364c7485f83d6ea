/* hook.c - in order: hook_tell, run_next, then ended, perhaps after overdue; and run_next again. */
#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "loop/loop.h"

/* PATH, what the event has, NULL */
#define VARIABLES_MOST 9

/* An event as it is handed on. */
struct message {
	char *event;
	char *environment[VARIABLES_MOST];
};

struct hook {
	struct loop *loop;
	char *path; /* NULL: there is none */
	struct message *waiting[HOOK_WAITING_MOST];
	size_t waiting_count;
	size_t dropped;          /* since the last run began */
	struct loop_timer *next; /* NULL unless the next run was asked for */

	struct message *running; /* NULL: nothing runs; then neither is what follows */
	pid_t pid;               /* of the process and of its group; not reaped, so it stays its */
	int pidfd;
	struct loop_watch *watch;
	struct loop_timer *deadline; /* NULL once it has passed */
};

static bool is_safe(const char *path, struct error *err);
static void run_next(void *arg);
static bool start(struct hook *in, struct message *message, struct error *err);
static void overdue(void *arg);
static void ended(int fd, int ready, void *arg);
static void ask_for_next(struct hook *in);
static void kill_group(const struct hook *in);
static void forget_running(struct hook *in);
static void message_free(struct message *in);
CLEANUP_DEFINE(struct message, message_free)

struct hook *hook_new(struct loop *loop, const char *path, struct error *err)
{
	struct hook *in;

	if (path && !is_safe(path, err))
		return NULL;
	in = mem_new(struct hook);
	in->loop = loop;
	in->path = path ? mem_strdup(path) : NULL;
	return in;
}

void hook_free(struct hook *in)
{
	siginfo_t unused;

	if (!in)
		return;
	loop_timer_cancel(in->next);
	if (in->running) {
		kill_group(in);
		waitid(P_PIDFD, (id_t)in->pidfd, &unused, WEXITED);
		forget_running(in);
	}
	for (size_t i = 0; i < in->waiting_count; i++)
		message_free(in->waiting[i]);
	free(in->path);
	free(in);
}

/* Whoever can write to it can run what they like as us. */
static bool is_safe(const char *path, struct error *err)
{
	static const char code[] = "unsafe-hook";
	struct stat st;

	if (stat(path, &st) != 0)
		return error_set(err, ERROR_HUMAN, code,
				 "hook %s: %s: put the program there, or take `hook` out of the "
				 "conf",
				 path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_HUMAN, code,
				 "hook %s: is not a regular file: name the program itself", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return error_set(err, ERROR_HUMAN, code,
				 "hook %s: belongs to user %u, who could change it: chown root %s",
				 path, (unsigned)st.st_uid, path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(err, ERROR_HUMAN, code,
				 "hook %s: its group or others may write to it (mode %04o): chmod "
				 "go-w %s",
				 path, (unsigned)st.st_mode & 07777, path);
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
		return error_set(err, ERROR_HUMAN, code,
				 "hook %s: cannot be executed by user %u (mode %04o): chmod 755 %s",
				 path, (unsigned)geteuid(), (unsigned)st.st_mode & 07777, path);
	return true;
}

static char *variable(const char *name, const char *value)
{
	size_t size = strlen(value) + 1;
	CLEANUP_FREE char *plain = mem_zeroed(size, 1);

	str_copy_printable(plain, size, value, size - 1);
	return mem_format("%s=%s", name, plain);
}

static struct message *message_new(const struct hook_event *event)
{
	const struct {
		const char *name, *value;
	} rows[] = {
		{ "PATH", "/usr/bin:/bin" },
		{ "LEADSYNC_EVENT", event->event },
		{ "LEADSYNC_ACCOUNT", event->account },
		{ "LEADSYNC_JOB", event->job },
		{ "LEADSYNC_STATE", event->state },
		{ "LEADSYNC_CODE", event->code },
		{ "LEADSYNC_TEXT", event->text },
		{ "LEADSYNC_REMEDY", event->remedy },
	};
	struct message *out = mem_new(struct message);
	size_t count = 0;

	_Static_assert(sizeof(rows) / sizeof(rows[0]) < VARIABLES_MOST, "and the NULL");
	out->event = mem_strdup(event->event ? event->event : "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value)
			out->environment[count++] = variable(rows[i].name, rows[i].value);
	return out;
}

static void message_free(struct message *in)
{
	if (!in)
		return;
	for (size_t i = 0; in->environment[i]; i++)
		free(in->environment[i]);
	free(in->event);
	free(in);
}

static struct message *take_oldest(struct hook *in)
{
	struct message *oldest = in->waiting[0];

	in->waiting_count--;
	memmove(in->waiting, in->waiting + 1, in->waiting_count * sizeof(in->waiting[0]));
	return oldest;
}

void hook_tell(struct hook *in, const struct hook_event *event)
{
	if (!in->path)
		return;
	if (in->waiting_count == HOOK_WAITING_MOST) {
		message_free(take_oldest(in));
		in->dropped++;
	}
	in->waiting[in->waiting_count++] = message_new(event);
	ask_for_next(in);
}

static void ask_for_next(struct hook *in)
{
	if (!in->next && !in->running && in->waiting_count)
		in->next = loop_soon(in->loop, run_next, in);
}

static void warn(const struct message *about, const char *code, const char *text)
{
	log_warning("hook_failed", LOG_STR("of", about->event), LOG_STR("code", code),
		    LOG_STR("text", text));
}

static void run_next(void *arg)
{
	struct hook *in = arg;
	CLEANUP(message_free) struct message *message = take_oldest(in);
	struct error err;

	in->next = NULL;
	if (in->dropped)
		log_warning("hook_dropped", LOG_INT("events", (int64_t)in->dropped),
			    LOG_STR("text", "more came than the hook took; the oldest were "
					    "dropped"));
	in->dropped = 0;
	if (is_safe(in->path, &err) && start(in, message, &err)) {
		in->running = TAKE(message);
	} else {
		warn(message, err.code, err.text);
		ask_for_next(in);
	}
}

/* posix_spawn, since a fork of ours would hold locked memory and open databases for a moment. */
static int spawn(const struct hook *in, struct message *message, pid_t *ret_pid)
{
	char *argv[] = { in->path, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int failed;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addchdir_np(&files, "/");
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	/* Ours are O_CLOEXEC; a library's may not be. */
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	failed = posix_spawn(ret_pid, in->path, &files, &attributes, argv, message->environment);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return failed;
}

static bool start(struct hook *in, struct message *message, struct error *err)
{
	int failed = spawn(in, message, &in->pid);

	if (failed)
		return error_set(err, ERROR_HUMAN, "hook-not-run", "hook %s: cannot be run: %s",
				 in->path, strerror(failed));
	in->pidfd = pidfd_open(in->pid, 0);
	if (in->pidfd < 0) {
		failed = errno;
		kill_group(in);
		waitpid(in->pid, NULL, 0);
		return error_set(err, ERROR_RETRY, "hook-not-run", "hook %s: cannot be watched: %s",
				 in->path, strerror(failed));
	}
	in->watch = loop_watch(in->loop, in->pidfd, LOOP_READABLE, ended, in);
	in->deadline = loop_after(in->loop, HOOK_LASTS_MS, overdue, in);
	return true;
}

/* The process itself too, should it have left its group. */
static void kill_group(const struct hook *in)
{
	kill(-in->pid, SIGKILL);
	kill(in->pid, SIGKILL);
}

static void overdue(void *arg)
{
	struct hook *in = arg;

	in->deadline = NULL;
	kill_group(in);
}

static void ended(int fd, int ready, void *arg)
{
	struct hook *in = arg;
	CLEANUP_FREE char *text = NULL;
	siginfo_t how = { 0 };

	(void)fd;
	(void)ready;
	kill_group(in);
	waitid(P_PIDFD, (id_t)in->pidfd, &how, WEXITED);
	if (!in->deadline)
		text = mem_format("hook %s: took longer than %d s and was killed", in->path,
				  HOOK_LASTS_MS / 1000);
	else if (how.si_code != CLD_EXITED)
		text = mem_format("hook %s: was ended by signal %d", in->path, how.si_status);
	else if (how.si_status)
		text = mem_format("hook %s: ended with exit status %d", in->path, how.si_status);
	if (text)
		warn(in->running, in->deadline ? "hook-failed" : "hook-late", text);
	forget_running(in);
	ask_for_next(in);
}

static void forget_running(struct hook *in)
{
	loop_watch_cancel(in->watch);
	loop_timer_cancel(in->deadline);
	close(in->pidfd);
	message_free(in->running);
	in->watch = NULL;
	in->deadline = NULL;
	in->running = NULL;
}
