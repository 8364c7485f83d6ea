/* TLS as a stranger would have it: openssl's own server, with a certificate nobody vouches for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "http/http.h"
#include "loop/loop.h"
#include "peer.h"

static struct {
	struct loop *loop;
	char dir[32], cert[64], key[64], key_log[64];
	char url[64];
	pid_t server;
} at;

/* -1: /dev/null. */
static pid_t run_openssl(const char *const *args, int input, int output)
{
	pid_t child = fork();

	if (child == 0) {
		int nothing = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(nothing, STDERR_FILENO);
		dup2(output >= 0 ? output : nothing, STDOUT_FILENO);
		dup2(input >= 0 ? input : nothing, STDIN_FILENO);
		execvp("openssl", (char *const *)args);
		_exit(127);
	}
	assert_true(child > 0);
	return child;
}

static int make_certificate(void)
{
	const char *const args[] = { "openssl",
				     "req",
				     "-x509",
				     "-newkey",
				     "ec",
				     "-pkeyopt",
				     "ec_paramgen_curve:P-256",
				     "-nodes",
				     "-days",
				     "2",
				     "-subj",
				     "/CN=127.0.0.1",
				     "-addext",
				     "subjectAltName=IP:127.0.0.1",
				     "-keyout",
				     at.key,
				     "-out",
				     at.cert,
				     NULL };
	int status;

	assert_int_equal(waitpid(run_openssl(args, -1, -1), &status, 0) > 0, 1);
	return status;
}

/* Where it listens, which is the first it says. */
static int read_port(int fd)
{
	char text[4096] = "", *port;
	size_t len = 0;

	do {
		ssize_t got = read(fd, text + len, sizeof(text) - 1 - len);

		assert_true(got > 0);
		len += (size_t)got;
		port = strstr(text, "127.0.0.1:");
	} while (!port || !strchr(port, '\n'));
	return atoi(port + 10);
}

/* Answers every GET with a page. */
static void start_server(void)
{
	const char *const args[] = { "openssl", "s_server", "-accept", "127.0.0.1:0", "-www",
				     "-cert",   at.cert,    "-key",    at.key,        NULL };
	int pipe_fds[2];

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	at.server = run_openssl(args, -1, pipe_fds[1]);
	close(pipe_fds[1]);
	snprintf(at.url, sizeof(at.url), "https://127.0.0.1:%d/", read_port(pipe_fds[0]));
	close(pipe_fds[0]);
}

static int group_set_up(void **state)
{
	(void)state;
	strcpy(at.dir, "/tmp/test_tls.XXXXXX");
	assert_non_null(mkdtemp(at.dir));
	snprintf(at.cert, sizeof(at.cert), "%s/cert", at.dir);
	snprintf(at.key, sizeof(at.key), "%s/key", at.dir);
	snprintf(at.key_log, sizeof(at.key_log), "%s/log", at.dir);
	setenv("SSLKEYLOGFILE", at.key_log, 1);
	assert_int_equal(make_certificate(), 0);
	start_server();
	at.loop = loop_new();
	return 0;
}

static int group_tear_down(void **state)
{
	(void)state;
	loop_free(at.loop);
	kill(at.server, SIGKILL);
	waitpid(at.server, NULL, 0);
	unlink(at.cert);
	unlink(at.key);
	assert_int_equal(access(at.key_log, F_OK), -1); /* the variable had no effect */
	assert_int_equal(rmdir(at.dir), 0);
	return 0;
}

struct outcome {
	bool ended, sent;
	int status;
	char code[56];
};

static void ended(const struct http_response *response, bool sent, const struct error *err,
		  void *arg)
{
	struct outcome *in = arg;

	in->ended = true;
	in->sent = sent;
	in->status = response ? response->status : 0;
	if (err)
		snprintf(in->code, sizeof(in->code), "%s", err->code);
}

static struct outcome ask(const char *url, const char *ca_file)
{
	struct outcome got = { 0 };
	struct error err;
	struct http_client *client =
		http_client_new(at.loop, &(struct http_options){ .ca_file = ca_file }, &err);

	http_start(client, &(struct http_call){ .class = HTTP_READ, .method = "GET", .url = url },
		   ended, &got);
	while (!got.ended)
		loop_once(at.loop);
	http_client_free(client);
	return got;
}

static void a_stranger_is_refused(void **state)
{
	struct outcome got = ask(at.url, NULL);

	(void)state;
	assert_string_equal(got.code, "certificate");
	assert_false(got.sent);
}

static void one_vouched_for_is_accepted(void **state)
{
	struct outcome got = ask(at.url, at.cert);

	(void)state;
	assert_string_equal(got.code, "");
	assert_int_equal(got.status, 200);
}

static void another_name_is_refused(void **state)
{
	CLEANUP_FREE char *url =
		mem_format("https://localhost:%s", at.url + strlen("https://127.0.0.1:"));
	struct outcome got = ask(url, at.cert);

	(void)state;
	assert_string_equal(got.code, "certificate");
	assert_false(got.sent);
}

struct heard {
	char text[16384];
	size_t len;
};

static void hear(int fd, int ready, void *arg)
{
	struct heard *in = arg;
	ssize_t got = read(fd, in->text + in->len, sizeof(in->text) - 1 - in->len);

	(void)ready;
	assert_true(got > 0);
	in->len += (size_t)got;
}

/* A proxy spoken to by TLS is trusted as the servers are: by ca_file, where there is one. */
static void the_proxy_is_vouched_for_too(void **state)
{
	const char *const args[] = { "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
				     at.cert,   "-key",     at.key,    NULL };
	struct http_options options = { 0 };
	const struct http_call call = { .method = "GET", .url = "https://name.invalid/" };
	static struct heard heard;
	struct loop_watch *watch;
	int input[2], output[2];
	CLEANUP_FREE char *proxy = NULL;
	pid_t server;

	(void)state;
	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	server = run_openssl(args, input[0], output[1]);
	close(output[1]);
	options.proxy = proxy = mem_format("https://127.0.0.1:%d", read_port(output[0]));
	watch = loop_watch(at.loop, output[0], LOOP_READABLE, hear, &heard);
	for (int i = 0; i < 2; i++) {
		struct outcome got = { 0 };
		struct http_client *client;
		struct error err;

		options.ca_file = i ? at.cert : NULL;
		client = http_client_new(at.loop, &options, &err);
		http_start(client, &call, ended, &got);
		while (!got.ended && !strstr(heard.text, "CONNECT name.invalid:443"))
			loop_once(at.loop);
		assert_int_equal(got.ended, !i);
		loop_test_advance(at.loop, 10000); /* the proxy says nothing */
		while (!got.ended)
			loop_once(at.loop);
		assert_int_equal(strcmp(got.code, "certificate") == 0, !i);
		assert_false(got.sent);
		http_client_free(client);
	}
	loop_watch_cancel(watch);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	close(input[0]);
	close(input[1]);
	close(output[0]);
}

static void a_plain_port_is_no_tls(void **state)
{
	struct peer *peer = peer_new(at.loop);
	CLEANUP_FREE char *url = mem_format("https://127.0.0.1:%d/", peer_port(peer));
	struct outcome got = { 0 };
	struct error err;
	struct http_client *client = http_client_new(at.loop, &(struct http_options){ 0 }, &err);

	(void)state;
	/* A server that waits for a plain request: it is left after 10 s. */
	http_start(client, &(struct http_call){ .method = "GET", .url = url }, ended, &got);
	while (!peer_received(peer)) /* the client's hello */
		loop_once(at.loop);
	loop_test_advance(at.loop, 10000);
	while (!got.ended)
		loop_once(at.loop);
	assert_string_equal(got.code, "tls");
	assert_false(got.sent);

	/* One that answers something else at once: its bytes are no TLS. */
	peer_greet(peer, "220 mail.example ESMTP\r\n");
	got = (struct outcome){ 0 };
	http_start(client, &(struct http_call){ .method = "GET", .url = url }, ended, &got);
	while (!got.ended)
		loop_once(at.loop);
	assert_string_equal(got.code, "tls");
	assert_false(got.sent);
	http_client_free(client);
	peer_free(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_is_refused),
		cmocka_unit_test(one_vouched_for_is_accepted),
		cmocka_unit_test(another_name_is_refused),
		cmocka_unit_test(the_proxy_is_vouched_for_too),
		cmocka_unit_test(a_plain_port_is_no_tls),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
