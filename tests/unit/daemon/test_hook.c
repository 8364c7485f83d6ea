/* Small scripts as hooks: what they are told, when, and what becomes of those that misbehave. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "leadsyncd/hook.h"
#include "loop/loop.h"

#define FILE_MOST 65536

static struct {
	char folder[64];
	char script[80], out[80], log[80], fifo[80];
	char text[FILE_MOST]; /* of the file read last */
	int stderr_before;
	struct loop *loop;
	struct hook *hook;
} at;

static void write_script(const char *body, mode_t mode)
{
	FILE *file = fopen(at.script, "we");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\nout=%s\nfifo=%s\n%s\n", at.out, at.fifo, body);
	fclose(file);
	assert_int_equal(chmod(at.script, mode), 0);
}

static void make_hook(const char *body)
{
	struct error err;

	write_script(body, 0755);
	at.hook = hook_new(at.loop, at.script, &err);
	if (!at.hook)
		fail_msg("%s", err.text);
}

/* "" if there is none. */
static const char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t len = 0;

	if (file) {
		len = fread(at.text, 1, sizeof(at.text) - 1, file);
		fclose(file);
	}
	at.text[len] = '\0';
	return at.text;
}

static size_t count(const char *path, const char *word)
{
	size_t times = 0;

	for (const char *from = read_file(path); (from = strstr(from, word)); from += strlen(word))
		times++;
	return times;
}

/* Turns until `word` stands so often in the file. */
static void turn_until(const char *path, const char *word, size_t times)
{
	while (count(path, word) < times)
		loop_once(at.loop);
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(at.loop);
}

/* What is due by now has run. */
static void turn(void)
{
	loop_soon(at.loop, stop, NULL);
	loop_run(at.loop);
}

static void tell(const char *event)
{
	hook_tell(at.hook, &(struct hook_event){ .event = event });
}

static int set_up(void **state)
{
	const char *parent = getenv("TMPDIR");
	int log;

	(void)state;
	memset(&at, 0, sizeof(at));
	snprintf(at.folder, sizeof(at.folder), "%s/hook-XXXXXX", parent ? parent : "/tmp");
	if (!mkdtemp(at.folder))
		return -1;
	snprintf(at.script, sizeof(at.script), "%s/hook", at.folder);
	snprintf(at.out, sizeof(at.out), "%s/out", at.folder);
	snprintf(at.log, sizeof(at.log), "%s/log", at.folder);
	snprintf(at.fifo, sizeof(at.fifo), "%s/fifo", at.folder);
	if (mkfifo(at.fifo, 0600) != 0)
		return -1;
	at.stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	log = open(at.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(log, STDERR_FILENO);
	close(log);
	log_open("test", LOG_LEVEL_DEBUG);
	at.loop = loop_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hook_free(at.hook);
	loop_free(at.loop);
	dup2(at.stderr_before, STDERR_FILENO);
	close(at.stderr_before);
	unlink(at.script);
	unlink(at.out);
	unlink(at.log);
	unlink(at.fifo);
	rmdir(at.folder);
	/* No child is left behind. */
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : -1;
}

static void the_environment_is_the_event(void **state)
{
	(void)state;
	setenv("LEADSYNC_CANARY", "kB7xQ2vN9zR4", 1);
	make_hook("tr '\\0' '\\n' </proc/$$/environ >>$out; echo \"args $# in $PWD\" >>$out");
	hook_tell(at.hook,
		  &(struct hook_event){
			  .event = "account-parked",
			  .account = "production",
			  .job = "contacts",
			  .state = "needs-login",
			  .code = "invalid_grant",
			  .text = "the server\nsays \033[31mno\x7f, d\xc3\xa9j\xc3\xa0 \xff",
			  .remedy = "`leadsync connect production`" });
	turn_until(at.out, "args", 1);
	assert_string_equal(read_file(at.out),
			    "PATH=/usr/bin:/bin\n"
			    "LEADSYNC_EVENT=account-parked\n"
			    "LEADSYNC_ACCOUNT=production\n"
			    "LEADSYNC_JOB=contacts\n"
			    "LEADSYNC_STATE=needs-login\n"
			    "LEADSYNC_CODE=invalid_grant\n"
			    "LEADSYNC_TEXT=the server?says ?[31mno?, d\xc3\xa9j\xc3\xa0 ?\n"
			    "LEADSYNC_REMEDY=`leadsync connect production`\n"
			    "args 0 in /\n");
}

static void what_is_not_said_is_not_there(void **state)
{
	(void)state;
	make_hook("tr '\\0' '\\n' </proc/$$/environ >>$out; echo end >>$out");
	hook_tell(at.hook, &(struct hook_event){ .event = "started", .text = "" });
	turn_until(at.out, "end", 1);
	assert_string_equal(read_file(at.out), "PATH=/usr/bin:/bin\nLEADSYNC_EVENT=started\n"
					       "LEADSYNC_TEXT=\nend\n");
}

/* Of a line of proc_pid_status(5). The C library has two above them for itself. */
static unsigned long standard_signals(const char *name)
{
	const char *line = strstr(at.text, name);

	assert_non_null(line);
	return strtoul(line + strlen(name), NULL, 16) & 0x7fffffff;
}

/* Nothing of ours is handed on but standard error; signals are as in any new program. */
static void it_has_no_descriptor_of_ours(void **state)
{
	int leaky = open(at.log, O_RDONLY); /* as a careless library does */

	(void)state;
	assert_true(leaky > STDERR_FILENO);
	make_hook("for fd in /proc/$$/fd/*; do echo \"${fd##*/} $(readlink $fd)\"; done |"
		  " grep -v \" $0\\$\" >>$out\n"
		  /* Without a fork, for which the shell blocks signals. */
		  "while read name value; do\n"
		  "	case $name in SigBlk:|SigIgn:) echo $name $value >>$out ;; esac\n"
		  "done </proc/$$/status\n"
		  "echo loud; echo complaint >&2; echo end >>$out");
	tell("started");
	turn_until(at.out, "end", 1);
	read_file(at.out);
	assert_non_null(strstr(at.text, "0 /dev/null\n1 /dev/null\n2 "));
	assert_int_equal(standard_signals("SigBlk:"), 0);
	assert_int_equal(standard_signals("SigIgn:"), 0);
	assert_int_equal(count(at.out, at.log), 1);
	assert_string_equal(read_file(at.log), "complaint\n");
	close(leaky);
}

static void one_at_a_time_and_in_order(void **state)
{
	int fd;

	(void)state;
	make_hook("echo \"$LEADSYNC_EVENT (\" >>$out\n"
		  "[ $LEADSYNC_EVENT = one ] && read go <$fifo\necho ') ' >>$out");
	tell("one");
	assert_string_equal(read_file(at.out), ""); /* not inside the call */
	turn();
	tell("two");
	turn();
	tell("three");
	turn();
	fd = open(at.fifo, O_WRONLY | O_CLOEXEC); /* waits for the reader */
	assert_int_equal(write(fd, "go\n", 3), 3);
	close(fd);
	turn_until(at.out, ")", 3);
	assert_string_equal(read_file(at.out), "one (\n) \ntwo (\n) \nthree (\n) \n");
}

static void of_too_many_the_oldest_are_dropped(void **state)
{
	char event[16];

	(void)state;
	make_hook("echo \"<$LEADSYNC_EVENT>\" >>$out");
	for (int i = 0; i < HOOK_WAITING_MOST + 3; i++) {
		snprintf(event, sizeof(event), "e%d", i);
		tell(event);
	}
	snprintf(event, sizeof(event), "<e%d>", HOOK_WAITING_MOST + 2);
	turn_until(at.out, event, 1);
	assert_int_equal(count(at.out, "<"), HOOK_WAITING_MOST);
	assert_int_equal(count(at.out, "<e2>"), 0);
	assert_int_equal(count(at.out, "<e3>"), 1);
	assert_int_equal(count(at.log, "hook_dropped"), 1);
	assert_int_equal(count(at.log, " events=3 "), 1);
}

static void a_failure_is_one_warning_and_the_next_runs(void **state)
{
	(void)state;
	make_hook("echo run >>$out\n"
		  "case $LEADSYNC_EVENT in bad) exit 3 ;; worse) kill -TERM $$ ;; esac");
	tell("bad");
	tell("worse");
	tell("good");
	tell("bad");
	turn_until(at.log, "exit status 3", 2);
	assert_int_equal(count(at.out, "run"), 4);
	assert_int_equal(count(at.log, "\n"), 3);
	assert_int_equal(count(at.log, "warning event=hook_failed"), 3);
	assert_int_equal(count(at.log, "of=worse"), 1);
	assert_int_equal(count(at.log, "was ended by signal 15"), 1);
}

/* Open as long as a process of the hook lives. */
static int open_fifo(void)
{
	int fd = open(at.fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Waits, outside of the loop, for what the processes of the hook write, or for the end of all. */
static void expect_on_fifo(int fd, const char *want)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char got[8] = "";

	assert_int_equal(poll(&ready, 1, -1), 1);
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	assert_string_equal(got, want);
}

static void after_half_a_minute_its_group_is_killed(void **state)
{
	int fd = open_fifo();

	(void)state;
	make_hook("echo run >>$out\n[ $LEADSYNC_EVENT = next ] && exit 0\n"
		  "trap '' TERM HUP INT\nexec 3>$fifo\nsleep 1000 &\necho up >&3\nwait");
	tell("slow");
	tell("next");
	turn();
	expect_on_fifo(fd, "up\n");
	loop_test_advance(at.loop, HOOK_LASTS_MS / 2);
	turn();
	assert_string_equal(read_file(at.log), "");
	assert_int_equal(count(at.out, "run"), 1);
	loop_test_advance(at.loop, HOOK_LASTS_MS / 2);
	turn_until(at.out, "run", 2);
	expect_on_fifo(fd, "");
	assert_int_equal(count(at.log, "\n"), 1);
	assert_int_equal(count(at.log, "code=hook-late"), 1);
	assert_int_equal(count(at.log, "took longer than 30 s and was killed"), 1);
	close(fd);
}

static void what_it_leaves_behind_is_ended(void **state)
{
	int fd = open_fifo();

	(void)state;
	make_hook("exec 3>$fifo\nsleep 1000 &\necho up >&3\necho run >>$out");
	tell("one");
	tell("two");
	turn_until(at.out, "run", 1);
	expect_on_fifo(fd, "up\n");
	turn_until(at.out, "run", 2);
	expect_on_fifo(fd, "up\n");
	hook_free(at.hook);
	at.hook = NULL;
	expect_on_fifo(fd, "");
	assert_string_equal(read_file(at.log), "");
	close(fd);
}

static void freed_while_it_runs(void **state)
{
	int fd = open_fifo();

	(void)state;
	make_hook("echo run >>$out\nexec 3>$fifo\necho up >&3\nsleep 1000");
	tell("slow");
	tell("never");
	turn();
	expect_on_fifo(fd, "up\n");
	hook_free(at.hook);
	at.hook = NULL;
	expect_on_fifo(fd, "");
	assert_int_equal(count(at.out, "run"), 1);
	close(fd);
}

static void freed_before_it_runs(void **state)
{
	(void)state;
	make_hook("echo run >>$out");
	tell("never");
	hook_free(at.hook);
	at.hook = NULL;
	assert_string_equal(read_file(at.out), "");
}

static void none_is_no_trouble(void **state)
{
	struct error err;

	(void)state;
	at.hook = hook_new(at.loop, NULL, &err);
	assert_non_null(at.hook);
	tell("started");
	turn();
	assert_string_equal(read_file(at.log), "");
	hook_free(NULL);
}

static void check_refused(const char *path, const char *want)
{
	struct error err = { 0 };

	assert_null(hook_new(at.loop, path, &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "unsafe-hook");
	if (!strstr(err.text, want))
		fail_msg("got %s, want %s", err.text, want);
	assert_non_null(strstr(err.text, path));
}

static void what_others_could_have_written_is_refused(void **state)
{
	(void)state;
	check_refused(at.script, "No such file or directory: put the program there, or take `hook` "
				 "out of the conf");
	check_refused(at.folder, "is not a regular file: name the program itself");
	check_refused(at.fifo, "is not a regular file");
	write_script("", 0644);
	check_refused(at.script, "cannot be executed by user ");
	write_script("", 0775);
	check_refused(at.script, "its group or others may write to it (mode 0775): chmod go-w ");
	write_script("", 0757);
	check_refused(at.script, "its group or others may write to it (mode 0757)");
	if (geteuid() == 0) {
		write_script("", 0755);
		assert_int_equal(chown(at.script, 12345, 0), 0);
		check_refused(at.script, "belongs to user 12345, who could change it: chown root ");
	}
}

static void what_turned_unsafe_is_not_run(void **state)
{
	(void)state;
	make_hook("echo run >>$out");
	assert_int_equal(chmod(at.script, 0777), 0);
	tell("one");
	turn_until(at.log, "code=unsafe-hook", 1);
	assert_int_equal(chmod(at.script, 0755), 0);
	tell("two");
	turn_until(at.out, "run", 1);
	assert_int_equal(count(at.log, "\n"), 1);
}

static void what_cannot_be_run_is_told(void **state)
{
	FILE *file;

	(void)state;
	make_hook("");
	file = fopen(at.script, "we");
	assert_non_null(file);
	fputs("#!/nonexistent/shell\n", file);
	fclose(file);
	tell("one");
	tell("two");
	turn_until(at.log, "code=hook-not-run", 2);
	assert_int_equal(count(at.log, "cannot be run: No such file or directory"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(the_environment_is_the_event),
		TEST(what_is_not_said_is_not_there),
		TEST(it_has_no_descriptor_of_ours),
		TEST(one_at_a_time_and_in_order),
		TEST(of_too_many_the_oldest_are_dropped),
		TEST(a_failure_is_one_warning_and_the_next_runs),
		TEST(after_half_a_minute_its_group_is_killed),
		TEST(what_it_leaves_behind_is_ended),
		TEST(freed_while_it_runs),
		TEST(freed_before_it_runs),
		TEST(none_is_no_trouble),
		TEST(what_others_could_have_written_is_refused),
		TEST(what_turned_unsafe_is_not_run),
		TEST(what_cannot_be_run_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
