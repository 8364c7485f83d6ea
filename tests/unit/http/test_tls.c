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

static pid_t run_openssl(const char *const *args, int output)
{
	pid_t child = fork();

	if (child == 0) {
		int nothing = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(nothing, STDERR_FILENO);
		dup2(output >= 0 ? output : nothing, STDOUT_FILENO);
		if (output < 0)
			dup2(nothing, STDIN_FILENO);
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

	assert_int_equal(waitpid(run_openssl(args, -1), &status, 0) > 0, 1);
	return status;
}

/* Answers every GET with a page; says on its output which port it got. */
static void start_server(void)
{
	const char *const args[] = { "openssl", "s_server", "-accept", "127.0.0.1:0", "-www",
				     "-cert",   at.cert,    "-key",    at.key,        NULL };
	char text[4096] = "", *port;
	size_t len = 0;
	int pipe_fds[2];

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	at.server = run_openssl(args, pipe_fds[1]);
	close(pipe_fds[1]);
	do {
		ssize_t got = read(pipe_fds[0], text + len, sizeof(text) - 1 - len);

		assert_true(got > 0);
		len += (size_t)got;
		port = strstr(text, "127.0.0.1:");
	} while (!port || !strchr(port, '\n'));
	snprintf(at.url, sizeof(at.url), "https://127.0.0.1:%d/", atoi(port + 10));
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
		cmocka_unit_test(a_plain_port_is_no_tls),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
