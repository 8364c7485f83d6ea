/* The control socket: requests, answers, limits, and whose the path is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "loop/lines.h"
#include "loop/loop.h"

static struct {
	struct loop *loop;
	char dir[32], path[64];
	struct lines_server *server;
	struct lines_client *client; /* the last that asked */
	char asked[128];
	size_t asked_len;
	unsigned requests, gone;
	struct lines_peer peer;
	enum { ANSWER_LATER, ANSWER_ECHO, ANSWER_FREE_SERVER } answer;
} at;

static void answer(struct lines_client *client, const struct lines_peer *peer, char *line,
		   size_t len, void *arg)
{
	(void)arg;
	at.client = client;
	at.peer = *peer;
	at.requests++;
	at.asked_len = len;
	snprintf(at.asked, sizeof(at.asked), "%s", line);
	if (at.answer == ANSWER_ECHO) {
		lines_send(client, line);
		lines_send(client, "end");
		lines_end(client);
	} else if (at.answer == ANSWER_FREE_SERVER) {
		lines_server_free(TAKE(at.server));
	}
}

static void gone(struct lines_client *client, void *arg)
{
	(void)arg;
	assert_ptr_equal(client, at.client);
	at.gone++;
}

static int set_up(void **state)
{
	struct error err;

	(void)state;
	memset(&at, 0, sizeof(at));
	strcpy(at.dir, "/tmp/test_lines.XXXXXX");
	assert_non_null(mkdtemp(at.dir));
	snprintf(at.path, sizeof(at.path), "%s/s", at.dir);
	at.loop = loop_new();
	at.server = lines_server_new(at.loop, at.path, -1, answer, gone, NULL, &err);
	assert_non_null(at.server);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lines_server_free(at.server);
	assert_int_equal(access(at.path, F_OK), -1);
	loop_free(at.loop);
	assert_int_equal(rmdir(at.dir), 0);
	return 0;
}

static void mark(void *arg)
{
	*(bool *)arg = true;
}

/* All that is ready now is worked off: sockets of this process are ready at once. */
static void settle(void)
{
	for (int i = 0; i < 8; i++) {
		bool came = false;

		loop_soon(at.loop, mark, &came);
		while (!came)
			loop_once(at.loop);
	}
}

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, at.path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	settle();
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	settle();
}

/* Everything until the server closed; NULL if it has not. */
static const char *hear(int fd)
{
	static char text[256];
	size_t len = 0;
	ssize_t got;

	settle();
	while ((got = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	return got == 0 || errno != EAGAIN ? text : NULL;
}

static void a_line_is_answered_and_closed(void **state)
{
	int fd;

	(void)state;
	at.answer = ANSWER_ECHO;
	fd = dial();
	say(fd, "status ");
	assert_int_equal(at.requests, 0);
	say(fd, "all\nignored\n");
	assert_string_equal(at.asked, "status all");
	assert_int_equal(at.asked_len, 10);
	assert_int_equal(at.peer.uid, getuid());
	assert_int_equal(at.peer.pid, getpid());
	assert_string_equal(hear(fd), "status all\nend\n");
	assert_int_equal(at.requests, 1);
	assert_int_equal(at.gone, 0);
	close(fd);
}

static void answers_may_come_later(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "run\n");
	assert_null(hear(fd));
	lines_send(at.client, "10 %");
	settle();
	loop_test_advance(at.loop, 3600000);
	lines_send(at.client, "100 %");
	lines_end(at.client);
	assert_string_equal(hear(fd), "10 %\n100 %\n");
	assert_int_equal(at.gone, 0);
	close(fd);
}

static void a_client_that_leaves_is_told_once(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "run\n");
	close(fd);
	settle();
	assert_int_equal(at.gone, 1);
	fd = dial();
	close(fd); /* never asked: nobody is told */
	settle();
	assert_int_equal(at.gone, 1);
}

static void a_slow_request_is_dropped(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "stat");
	loop_test_advance(at.loop, 9000);
	assert_null(hear(fd));
	loop_test_advance(at.loop, 1000);
	assert_string_equal(hear(fd), "");
	close(fd);
	assert_int_equal(at.requests, 0);
}

static void a_long_request_is_dropped(void **state)
{
	static char text[64 * 1024 + 2];
	int fd;

	(void)state;
	at.answer = ANSWER_LATER;
	memset(text, 'x', sizeof(text));
	text[64 * 1024] = '\n';
	text[64 * 1024 + 1] = '\0';
	fd = dial();
	say(fd, text);
	assert_int_equal(at.asked_len, 64 * 1024);
	lines_end(at.client);
	assert_string_equal(hear(fd), "");
	close(fd);

	text[64 * 1024] = 'x';
	fd = dial();
	say(fd, text);
	hear(fd); /* closed; the rest unread makes it a reset */
	assert_int_equal(recv(fd, text, 1, MSG_DONTWAIT), 0);
	assert_int_equal(at.requests, 1);
	close(fd);
}

static void sixteen_at_a_time(void **state)
{
	int fds[17];

	(void)state;
	for (int i = 0; i < 17; i++)
		fds[i] = dial();
	assert_string_equal(hear(fds[16]), "");
	assert_null(hear(fds[15]));
	close(fds[0]);
	settle();
	close(fds[16]);
	fds[16] = dial();
	assert_null(hear(fds[16]));
	for (int i = 1; i < 17; i++)
		close(fds[i]);
	settle();
}

static void a_client_that_does_not_read_is_dropped(void **state)
{
	char *text = mem_zeroed(1024 * 1024 + 1, 1);
	int fd = dial();

	(void)state;
	memset(text, 'y', 1024 * 1024);
	say(fd, "everything\n");
	for (int i = 0; i < 20; i++)
		lines_send(at.client, text);
	assert_int_equal(at.gone, 0); /* not inside the call */
	settle();
	assert_int_equal(at.gone, 1);
	close(fd);

	fd = dial();
	say(fd, "everything\n");
	lines_send(at.client, text);
	lines_end(at.client);
	settle();
	loop_test_advance(at.loop, 60000);
	settle();
	assert_int_equal(at.gone, 1);
	close(fd);
	free(text);
}

static void the_server_may_end_in_a_request(void **state)
{
	int fd = dial();

	(void)state;
	at.answer = ANSWER_FREE_SERVER;
	say(fd, "stop\n");
	assert_null(at.server);
	assert_string_equal(hear(fd), "");
	close(fd);
}

static void a_live_socket_is_left_alone(void **state)
{
	struct lines_server *second;
	struct error err;
	struct stat st;

	(void)state;
	assert_int_equal(stat(at.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	second = lines_server_new(at.loop, at.path, -1, answer, gone, NULL, &err);
	assert_null(second);
	assert_int_equal(err.kind, ERROR_STATE);
	assert_string_equal(err.code, "already-running");
	close(dial());
	settle();
}

static void a_dead_socket_is_replaced(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct error err;
	int fd;

	(void)state;
	lines_server_free(at.server);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(address.sun_path, at.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	at.server = lines_server_new(at.loop, at.path, -1, answer, gone, NULL, &err);
	assert_non_null(at.server);
	close(dial());
	settle();
}

static void what_is_no_socket_is_left_alone(void **state)
{
	struct error err;
	int fd;

	(void)state;
	lines_server_free(TAKE(at.server));
	fd = open(at.path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_null(lines_server_new(at.loop, at.path, -1, answer, gone, NULL, &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_null(lines_server_new(at.loop, NULL, fd, answer, gone, NULL, &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	close(fd);
	unlink(at.path);
}

static void an_inherited_socket_is_used_and_its_path_kept(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct error err;
	int fd, client;

	(void)state;
	lines_server_free(at.server);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(address.sun_path, at.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 5), 0);
	at.server = lines_server_new(at.loop, NULL, fd, answer, gone, NULL, &err);
	assert_non_null(at.server);
	at.answer = ANSWER_ECHO;
	client = dial();
	say(client, "hello\n");
	assert_string_equal(hear(client), "hello\nend\n");
	close(client);
	lines_server_free(TAKE(at.server));
	assert_int_equal(unlink(at.path), 0);
}

int main(void)
{
#define row(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		row(a_line_is_answered_and_closed),
		row(answers_may_come_later),
		row(a_client_that_leaves_is_told_once),
		row(a_slow_request_is_dropped),
		row(a_long_request_is_dropped),
		row(sixteen_at_a_time),
		row(a_client_that_does_not_read_is_dropped),
		row(the_server_may_end_in_a_request),
		row(a_live_socket_is_left_alone),
		row(a_dead_socket_is_replaced),
		row(what_is_no_socket_is_left_alone),
		row(an_inherited_socket_is_used_and_its_path_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
