/* The page on loopback, with real sockets on the loop's own thread: whom it answers, with what, and
 * what it does to whoever is slow, long, early gone or too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "loop/loop.h"
#include "web/callback.h"

#include "browser.h"

#define QUERY "code=canary-code&state=canary-state"

static struct {
	struct loop *loop;
	int port;
	struct callback *callback;
	enum callback_verdict verdict;
	unsigned calls;
	char query[256];
	size_t query_len;
	int late;                     /* who asks, too, when it is late; or 0 */
	int no_v6_socket, no_v6_bind; /* the errno of a machine without IPv6, or 0 */
} at;

/* The C library's, but for a machine without IPv6. */

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __real_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);

int __wrap_socket(int domain, int type, int protocol)
{
	if (domain != AF_INET6 || !at.no_v6_socket)
		return __real_socket(domain, type, protocol);
	errno = at.no_v6_socket;
	return -1;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	if (address->sa_family != AF_INET6 || !at.no_v6_bind)
		return __real_bind(fd, address, size);
	errno = at.no_v6_bind;
	return -1;
}

static char *good_request(void)
{
	return mem_format("GET /callback?x HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", at.port);
}

static enum callback_verdict answered(const char *query, size_t len, void *arg)
{
	assert_ptr_equal(arg, &at);
	assert_int_equal(query[len], '\0');
	at.calls++;
	at.query_len = len;
	snprintf(at.query, sizeof(at.query), "%s", query);
	if (at.late) {
		CLEANUP_FREE char *request = good_request();

		assert_true(send(at.late, request, strlen(request), MSG_NOSIGNAL) > 0);
	}
	return at.verdict;
}

static bool open_at(const char *host, struct error *err)
{
	CLEANUP_FREE char *uri = mem_format("http://%s:%d/callback", host, at.port);

	at.callback = callback_new(at.loop, uri, answered, &at, err);
	return at.callback != NULL;
}

static int set_up(void **state)
{
	struct error err;

	(void)state;
	memset(&at, 0, sizeof(at));
	at.loop = loop_new();
	at.port = browser_free_port();
	if (!open_at("localhost", &err))
		fail_msg("%s", err.text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	callback_free(at.callback);
	loop_free(at.loop);
	return 0;
}

static void mark(void *arg)
{
	*(bool *)arg = true;
}

static void settle(void)
{
	browser_settle(at.loop);
}

static int dial_family(int family)
{
	return browser_dial(at.loop, family, at.port);
}

static int dial(void)
{
	return dial_family(AF_INET);
}

static bool say(int fd, const char *bytes, size_t len)
{
	return browser_say(at.loop, fd, bytes, len);
}

static const char *hear(int fd)
{
	return browser_hear(at.loop, fd);
}

/* A connection whose request is in the socket before the loop sees either. */
static int dial_eagerly(const char *request)
{
	struct sockaddr_in where = { .sin_family = AF_INET,
				     .sin_port = htons((in_port_t)at.port),
				     .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

/* What a request gets, "" if nothing, on a connection of its own. `%H` is the right host. */
static const char *ask(const char *request)
{
	char bytes[16384] = "", *to = bytes;
	const char *answer;
	int fd = dial();

	assert_true(fd >= 0);
	for (; *request; request++) {
		if (request[0] == '%' && request[1] == 'H') {
			to += sprintf(to, "localhost:%d", at.port);
			request++;
		} else {
			*to++ = *request;
		}
	}
	say(fd, bytes, (size_t)(to - bytes));
	answer = hear(fd);
	close(fd);
	if (!answer) /* every answer ends its connection */
		fail_msg("still open after: %s", bytes);
	return answer;
}

static void assert_status(const char *answer, int status)
{
	char line[32];

	snprintf(line, sizeof(line), " %d ", status);
	if (strncmp(answer, "HTTP/", 5) != 0 || strncmp(answer + 8, line, strlen(line)) != 0)
		fail_msg("expected %d, got: %s", status, answer);
}

static void assert_one_of_ours(const char *answer)
{
	static const char *const headers[] = {
		"\r\nContent-Type: text/html; charset=utf-8\r\n",
		"\r\nCache-Control: no-store\r\n",
		"\r\nReferrer-Policy: no-referrer\r\n",
		"\r\nContent-Security-Policy: default-src 'none'\r\n",
		"\r\nX-Content-Type-Options: nosniff\r\n",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		if (!strstr(answer, headers[i]))
			fail_msg("no %s in %s", headers[i], answer);
}

#define GET(target_) "GET " target_ " HTTP/1.1\r\nHost: %H\r\n\r\n"

static void the_answer_is_told_and_listening_ends(void **state)
{
	const char *page;

	(void)state;
	at.verdict = CALLBACK_DONE;
	page = ask(GET("/callback?" QUERY "#"));
	assert_int_equal(at.calls, 1);
	assert_string_equal(at.query, QUERY "#");
	assert_int_equal(at.query_len, strlen(QUERY "#"));
	assert_status(page, 200);
	assert_one_of_ours(page);
	assert_non_null(strstr(page, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(page, "You may close this window"));
	assert_null(strstr(page, "canary"));
	assert_int_equal(dial_family(AF_INET), -1);
	assert_int_equal(dial_family(AF_INET6), -1);
}

static void a_denial_ends_listening_too(void **state)
{
	const char *page;

	(void)state;
	at.verdict = CALLBACK_DENIED;
	page = ask(GET("/callback?error=<script>canary"));
	assert_int_equal(at.calls, 1);
	assert_status(page, 200);
	assert_one_of_ours(page);
	assert_non_null(strstr(page, "Access was denied"));
	assert_null(strstr(page, "canary"));
	assert_int_equal(dial(), -1);
}

static void a_wrong_answer_leaves_it_listening(void **state)
{
	const char *page;

	(void)state;
	page = ask(GET("/callback?" QUERY));
	assert_status(page, 400);
	assert_one_of_ours(page);
	assert_null(strstr(page, "canary"));
	assert_status(ask(GET("/callback")), 400);
	assert_string_equal(at.query, "");
	assert_int_equal(at.calls, 2);
	at.verdict = CALLBACK_DONE;
	assert_status(ask(GET("/callback?" QUERY)), 200);
	assert_int_equal(at.calls, 3);
}

static void the_query_comes_as_it_was_sent(void **state)
{
	(void)state;
	ask(GET("/callback?code=a%62%3D%3d+%zz%00&&=?/../&state"));
	assert_string_equal(at.query, "code=a%62%3D%3d+%zz%00&&=?/../&state");
	ask(GET("/callback?"));
	assert_int_equal(at.query_len, 0);
	assert_status(ask("GET /callback?old HTTP/1.0\r\nhOST:   %H\r\n\r\n"), 400);
	assert_string_equal(at.query, "old");
	assert_int_equal(at.calls, 3);
}

static void the_host_may_be_written_large(void **state)
{
	CLEANUP_FREE char *request =
		mem_format("GET /callback?x HTTP/1.1\r\nHOST: LocalHOST:%d\r\n\r\n", at.port);

	(void)state;
	at.verdict = CALLBACK_DONE;
	assert_status(ask(request), 200);
}

/* None of these is for us, and none changes anything. */
static void other_requests_are_refused(void **state)
{
#define HOST "\r\nHost: %H\r\n\r\n"
	static const struct {
		const char *request;
		int status;
	} rows[] = {
		{ GET("/"), 404 },
		{ GET("/favicon.ico"), 404 },
		{ GET("/callback/"), 404 },
		{ GET("/callback/?" QUERY), 404 },
		{ GET("/callbackx?" QUERY), 404 },
		{ GET("/callbac?" QUERY), 404 },
		{ GET("/Callback?" QUERY), 404 },
		{ GET("//callback?" QUERY), 404 },
		{ GET("/./callback?" QUERY), 404 },
		{ GET("/x/../callback?" QUERY), 404 },
		{ GET("/%2e/callback?" QUERY), 404 },
		{ GET("/c%61llback?" QUERY), 404 },
		{ GET("/callback%3F" QUERY), 404 },
		{ GET("/callback;x?" QUERY), 404 },
		{ GET("/callback#?" QUERY), 404 },
		{ GET("http://%H/callback?" QUERY), 404 },
		{ GET("https://evil.example/callback?" QUERY), 404 },
		{ GET("//evil.example/callback?" QUERY), 404 },
		{ GET("?" QUERY), 404 },
		{ "HEAD /callback?" QUERY " HTTP/1.1" HOST, 405 },
		{ "POST /callback?" QUERY " HTTP/1.1" HOST, 405 },
		{ "PUT /callback?" QUERY " HTTP/1.1" HOST, 405 },
		{ "DELETE /callback?" QUERY " HTTP/1.1" HOST, 405 },
		{ "OPTIONS /callback?" QUERY " HTTP/1.1" HOST, 405 },
		{ "get /callback?" QUERY " HTTP/1.1" HOST, 405 },
		{ "GETS /callback?" QUERY " HTTP/1.1" HOST, 405 },
		{ "POST / HTTP/1.1" HOST, 404 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.0\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nHost:\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nHost: localhost\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nHost: %H.evil.example\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nHost: x@%H\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nHost: %H, %H\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nHost: %H\r\nHost: %H\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nHost: %H\r\nhost: x\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nX-Host: %H\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.2" HOST, 400 },
		{ "GET /callback?" QUERY " HTTP/0.9" HOST, 400 },
		{ "GET /callback?" QUERY " HTTP/0.1" HOST, 400 },
		{ "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400 },
	};
	static const struct {
		const char *request;
		int status;
	} refused_by_libevent[] = {
		{ "GET /callback?" QUERY " HTTP/2.0" HOST, 400 },
		{ "GET /callback?" QUERY " HTTPS/1.1" HOST, 400 },
		{ "GET /callback?" QUERY HOST, 400 },
		{ "GET\r\n\r\n", 400 },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400 },
		{ "\x16\x03\x01\x02\x01\x03\x01\r\n", 400 },
		{ "\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nHost %H\r\n\r\n", 400 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nContent-Length: 5" HOST "canary", 413 },
		{ "POST /callback HTTP/1.1\r\nContent-Length: 35" HOST QUERY, 413 },
		{ "GET /callback?" QUERY " HTTP/1.1\r\nTransfer-Encoding: chunked" HOST
		  "5\r\n12345",
		  413 },
	};

	(void)state;
	at.verdict = CALLBACK_DONE;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *answer = ask(rows[i].request);

		assert_status(answer, rows[i].status);
		assert_one_of_ours(answer);
		assert_true((rows[i].status == 405) == !!strstr(answer, "\r\nAllow: GET\r\n"));
		assert_null(strstr(answer, "canary"));
		assert_null(strstr(answer, "evil"));
		assert_int_equal(at.calls, 0);
	}
	for (size_t i = 0; i < sizeof(refused_by_libevent) / sizeof(*refused_by_libevent); i++) {
		const char *answer = ask(refused_by_libevent[i].request);

		assert_status(answer, refused_by_libevent[i].status);
		assert_null(strstr(answer, "canary"));
		assert_int_equal(at.calls, 0);
	}
	assert_string_equal(ask("CONNECT %H HTTP/1.1" HOST), "");
	assert_int_equal(at.calls, 0);
	assert_status(ask(GET("/callback?" QUERY)), 200);
	assert_int_equal(at.calls, 1);
}

/* `fill` bytes of 'x' between the two. */
static const char *ask_long(const char *before, size_t fill, const char *after)
{
	CLEANUP_FREE char *request = NULL, *middle = mem_zeroed(fill + 1, 1);

	memset(middle, 'x', fill);
	request = mem_format("%s%s%s", before, middle, after);
	return ask(request);
}

static void a_request_has_eight_kib(void **state)
{
	size_t frame =
		strlen(GET("/callback?")) - 2 + (size_t)snprintf(NULL, 0, "localhost:%d", at.port);
	CLEANUP_FREE char *many = mem_zeroed(9 * 1024, 1);

	(void)state;
	/* Just so, in the line, in a header; then one more. */
	assert_status(ask_long("GET /callback?", 8192 - frame, " HTTP/1.1\r\nHost: %H\r\n\r\n"),
		      400);
	assert_int_equal(at.calls, 1);
	assert_status(ask_long("GET /callback?", 8193 - frame, " HTTP/1.1\r\nHost: %H\r\n\r\n"),
		      431);
	frame += strlen("A: \r\n");
	assert_status(ask_long("GET /callback? HTTP/1.1\r\nA: ", 8192 - frame,
			       "\r\nHost: %H\r\n\r\n"),
		      400);
	assert_int_equal(at.calls, 2);
	at.verdict = CALLBACK_DONE;
	assert_status(ask_long("GET /callback? HTTP/1.1\r\nA: ", 8193 - frame,
			       "\r\nHost: %H\r\n\r\n"),
		      431);
	/* Far more: libevent's own limits. */
	assert_status(ask_long("GET /callback?", 9 * 1024, " HTTP/1.1\r\nHost: %H\r\n\r\n"), 400);
	assert_status(ask_long("GET /callback?", 9 * 1024, ""), 400);
	assert_status(ask_long("GET /callback? HTTP/1.1\r\nA: ", 9 * 1024, "\r\nHost: %H\r\n\r\n"),
		      400);
	assert_status(ask_long("GET /callback? HTTP/1.1\r\nA: ", 9 * 1024, ""), 400);
	/* Many short lines, which libevent counts without their ends. */
	for (size_t i = 0; i < 1700; i++)
		strcpy(many + 5 * i, "a:b\r\n");
	assert_status(ask_long("GET /callback? HTTP/1.1\r\nHost: %H\r\n", 0, strcat(many, "\r\n")),
		      431);
	assert_int_equal(at.calls, 2);
	assert_status(ask(GET("/callback?" QUERY)), 200);
}

static void an_endless_line_is_not_kept(void **state)
{
	char bytes[4096];
	int fd = dial();
	unsigned taken = 0;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (int i = 0; i < 64 && say(fd, bytes, sizeof(bytes)); i++)
		taken++;
	loop_test_advance(at.loop, 5000);
	assert_non_null(hear(fd));
	close(fd);
	assert_int_equal(at.calls, 0);
	assert_true(taken > 0);
	at.verdict = CALLBACK_DONE;
	assert_status(ask(GET("/callback?" QUERY)), 200);
}

/* Five seconds from connecting, however busy the line is. */
static void a_slow_client_is_cut(void **state)
{
	static const char slow[] = "GET /callback?x HTTP/1.1\r\nHost: localhost";
	int silent = dial(), fd = dial();

	(void)state;
	at.verdict = CALLBACK_DONE;
	for (int i = 0; i < 49; i++) {
		assert_true(say(fd, &slow[i % 40], 1));
		loop_test_advance(at.loop, 100);
	}
	assert_null(hear(fd));
	assert_null(hear(silent));
	loop_test_advance(at.loop, 100);
	assert_string_equal(hear(fd), "");
	assert_string_equal(hear(silent), "");
	close(fd);
	close(silent);
	assert_int_equal(at.calls, 0);
	assert_status(ask(GET("/callback?" QUERY)), 200);
}

/* Both in one round of the loop: the time is over when the request is in the socket, unread. */
static void a_request_that_comes_with_its_deadline_is_not_answered(void **state)
{
	CLEANUP_FREE char *request = good_request();
	int late = dial(), fd = dial();

	(void)state;
	at.late = late;
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	loop_test_advance(at.loop, 5000);
	loop_once(at.loop);
	assert_int_equal(at.calls, 1);
	assert_string_equal(hear(late), "");
	assert_int_equal(at.calls, 1);
	close(late);
	close(fd);
}

static void four_at_a_time(void **state)
{
	CLEANUP_FREE char *request = good_request();
	int fds[5], eager;

	(void)state;
	for (int i = 0; i < 5; i++)
		fds[i] = dial();
	assert_string_equal(hear(fds[4]), "");
	for (int i = 0; i < 4; i++)
		assert_null(hear(fds[i]));
	close(fds[4]);
	/* Also with its request there as soon as it is. */
	eager = dial_eagerly(request);
	loop_once(at.loop); /* accepted; then its request is read before any timer runs */
	loop_once(at.loop);
	assert_string_equal(hear(eager), "");
	close(eager);
	assert_int_equal(at.calls, 0);
	/* One that leaves makes room, and so does one that was answered. */
	close(fds[0]);
	settle();
	fds[0] = dial();
	assert_null(hear(fds[0]));
	say(fds[1], "\r\n", 2);
	assert_status(hear(fds[1]), 400);
	fds[4] = dial();
	assert_null(hear(fds[4]));
	say(fds[4], request, strlen(request));
	assert_status(hear(fds[4]), 400);
	assert_int_equal(at.calls, 1);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
}

static void one_connection_brings_one_request(void **state)
{
	CLEANUP_FREE char *request = mem_format("GET /callback?x HTTP/1.1\r\nHost: localhost:%d\r\n"
						"Connection: keep-alive\r\n\r\n",
						at.port);
	CLEANUP_FREE char *two = mem_format("%s%s", request, request);
	int fd = dial();

	(void)state;
	say(fd, two, strlen(two));
	assert_status(hear(fd), 400);
	close(fd);
	assert_int_equal(at.calls, 1);
}

/* evhttp is through with it, its socket is not: what still comes is left to the kernel's buffers.
 */
static void an_answered_client_does_not_fill_memory(void **state)
{
	CLEANUP_FREE char *request = good_request(), *more = mem_zeroed(256 * 1024, 1);
	size_t taken = 0;
	int fd = dial(), stuck = 0;

	(void)state;
	assert_true(say(fd, request, strlen(request)));
	assert_status(hear(fd), 400);
	while (taken < 64 * 1024 * 1024 && stuck < 8) {
		ssize_t sent = send(fd, more, 256 * 1024, MSG_NOSIGNAL | MSG_DONTWAIT);

		taken += sent > 0 ? (size_t)sent : 0;
		stuck = sent > 0 ? 0 : stuck + 1;
		settle();
	}
	assert_in_range(taken, 1, 32 * 1024 * 1024);
	loop_test_advance(at.loop, 5000);
	settle();
	assert_int_equal(send(fd, more, 1, MSG_NOSIGNAL | MSG_DONTWAIT), -1);
	assert_int_not_equal(errno, EAGAIN); /* cut */
	close(fd);
}

static void an_answer_after_the_answer_is_not_told(void **state)
{
	CLEANUP_FREE char *request = good_request();
	int early = dial();

	(void)state;
	at.verdict = CALLBACK_DONE;
	assert_status(ask(GET("/callback?" QUERY)), 200);
	say(early, request, strlen(request));
	assert_status(hear(early), 404);
	close(early);
	assert_int_equal(at.calls, 1);
}

static void a_browser_may_close_at_any_byte(void **state)
{
	CLEANUP_FREE char *request = good_request();

	(void)state;
	for (size_t len = 0; len <= strlen(request); len++) {
		const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
		int fd = dial();

		assert_true(fd >= 0);
		assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), len);
		if (len % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		settle();
	}
	at.verdict = CALLBACK_DONE;
	assert_status(ask(GET("/callback?" QUERY)), 200);
}

static void it_may_end_at_any_byte(void **state)
{
	CLEANUP_FREE char *request = good_request();
	struct error err;

	(void)state;
	for (size_t len = 0; len <= strlen(request); len++) {
		int fd = dial(), deaf = dial();

		assert_true(fd >= 0 && deaf >= 0);
		say(fd, request, len);
		callback_free(TAKE(at.callback));
		assert_int_equal(dial(), -1);
		assert_non_null(hear(fd));
		close(fd);
		close(deaf);
		loop_test_advance(at.loop, 5000);
		settle();
		if (!open_at("localhost", &err)) /* the port is free again at once */
			fail_msg("%s", err.text);
	}
}

static void the_port_is_free_after_the_answer(void **state)
{
	struct callback *before = at.callback;
	struct error err;

	(void)state;
	at.verdict = CALLBACK_DONE;
	assert_status(ask(GET("/callback?" QUERY)), 200);
	if (!open_at("localhost", &err))
		fail_msg("%s", err.text);
	callback_free(before);
	assert_status(ask(GET("/callback?" QUERY)), 200);
	assert_int_equal(at.calls, 2);
}

static void localhost_is_both_addresses(void **state)
{
	CLEANUP_FREE char *request =
		mem_format("GET /callback?v6 HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", at.port);
	int fd = dial_family(AF_INET6);

	(void)state;
	at.verdict = CALLBACK_DONE;
	assert_true(fd >= 0);
	say(fd, request, strlen(request));
	assert_status(hear(fd), 200);
	assert_string_equal(at.query, "v6");
	close(fd);
}

static void an_address_is_just_that(void **state)
{
	static const struct {
		const char *host;
		bool v4, v6;
	} rows[] = { { "127.0.0.1", true, false }, { "[::1]", false, true } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct error err;
		int v4, v6;

		callback_free(TAKE(at.callback));
		if (!open_at(rows[i].host, &err))
			fail_msg("%s", err.text);
		v4 = dial_family(AF_INET);
		v6 = dial_family(AF_INET6);
		assert_int_equal(v4 >= 0, rows[i].v4);
		assert_int_equal(v6 >= 0, rows[i].v6);
		close(v4 >= 0 ? v4 : v6);
		/* The Host is the redirect_uri's own. */
		if (rows[i].v4)
			assert_status(ask(GET("/callback?" QUERY)), 400);
		assert_int_equal(at.calls, 0);
	}
}

static void a_taken_port_is_told(void **state)
{
	static const struct {
		const char *host;
		int family;
		bool taken;
	} rows[] = {
		{ "localhost", AF_INET, true }, { "localhost", AF_INET6, true },
		{ "127.0.0.1", AF_INET, true }, { "127.0.0.1", AF_INET6, false },
		{ "[::1]", AF_INET6, true },    { "[::1]", AF_INET, false },
	};
	struct callback *first = TAKE(at.callback);
	struct error err;

	(void)state;
	assert_false(open_at("localhost", &err)); /* by a login */
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "port-taken");
	assert_non_null(strstr(err.text, "127.0.0.1:"));
	assert_non_null(strstr(err.text, "another login"));
	callback_free(first);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int fd = browser_squat(rows[i].family, at.port);

		assert_true(fd >= 0);
		assert_int_equal(open_at(rows[i].host, &err), !rows[i].taken);
		if (rows[i].taken) {
			assert_string_equal(err.code, "port-taken");
			assert_non_null(strstr(err.text, rows[i].family == AF_INET ? "127.0.0.1:"
										   : "[::1]:"));
		}
		callback_free(TAKE(at.callback));
		close(fd);
	}
	assert_true(open_at("localhost", &err)); /* a half that was bound was let go */
}

/* Whatever options its socket has. */
static void nobody_can_listen_beside_it(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(browser_squat(families[i], at.port), -1);
		assert_int_equal(errno, EADDRINUSE);
	}
}

static void a_machine_without_ipv6_has_one_localhost(void **state)
{
	static const struct {
		int socket, bind;
	} rows[] = { { EAFNOSUPPORT, 0 }, { 0, EADDRNOTAVAIL } };
	struct error err;

	(void)state;
	at.verdict = CALLBACK_DONE;
	for (size_t i = 0; i < 2; i++) {
		callback_free(TAKE(at.callback));
		at.no_v6_socket = rows[i].socket;
		at.no_v6_bind = rows[i].bind;
		if (!open_at("localhost", &err))
			fail_msg("%s", err.text);
		assert_status(ask(GET("/callback?" QUERY)), 200);
		callback_free(TAKE(at.callback));
		/* Asked for by name, it must be there. */
		assert_false(open_at("[::1]", &err));
		assert_int_equal(err.kind, ERROR_HUMAN);
		assert_string_equal(err.code, "no-listener");
	}
	/* Any other trouble is not taken for that. */
	at.no_v6_socket = 0;
	at.no_v6_bind = EACCES;
	assert_false(open_at("localhost", &err));
	assert_string_equal(err.code, "no-listener");
	at.no_v6_bind = 0;
	at.no_v6_socket = EMFILE;
	assert_false(open_at("localhost", &err));
	assert_int_equal(err.kind, ERROR_RETRY);
}

static void a_bad_redirect_uri_is_told(void **state)
{
	struct error err;

	(void)state;
	callback_free(TAKE(at.callback));
	assert_null(callback_new(at.loop, "http://localhost/callback", answered, &at, &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "bad-redirect-uri");
	callback_free(NULL);
}

/* Turns of the loop while nothing can be accepted: a pause, not a busy loop. */
static void short_descriptors_are_waited_for(void **state)
{
	CLEANUP_FREE char *request = good_request();
	int fd = dial_eagerly(request);
	struct rlimit before, none;
	bool woke = false;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	settle();
	/* Nothing is ready any more: the next turn is a timer's. */
	loop_after(at.loop, 20, mark, &woke);
	loop_once(at.loop);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(woke);
	assert_null(hear(fd));
	loop_test_advance(at.loop, 1000);
	assert_status(hear(fd), 400);
	close(fd);
}

int main(void)
{
#define row(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		row(the_answer_is_told_and_listening_ends),
		row(a_denial_ends_listening_too),
		row(a_wrong_answer_leaves_it_listening),
		row(the_query_comes_as_it_was_sent),
		row(the_host_may_be_written_large),
		row(other_requests_are_refused),
		row(a_request_has_eight_kib),
		row(an_endless_line_is_not_kept),
		row(a_slow_client_is_cut),
		row(a_request_that_comes_with_its_deadline_is_not_answered),
		row(four_at_a_time),
		row(one_connection_brings_one_request),
		row(an_answered_client_does_not_fill_memory),
		row(an_answer_after_the_answer_is_not_told),
		row(a_browser_may_close_at_any_byte),
		row(it_may_end_at_any_byte),
		row(the_port_is_free_after_the_answer),
		row(localhost_is_both_addresses),
		row(an_address_is_just_that),
		row(a_taken_port_is_told),
		row(nobody_can_listen_beside_it),
		row(a_machine_without_ipv6_has_one_localhost),
		row(a_bad_redirect_uri_is_told),
		row(short_descriptors_are_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
