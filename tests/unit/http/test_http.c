/* The client against a scripted peer on the same loop: what an answer may be, and every way it can
 * go wrong. Time is moved, never waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <zlib.h>

#include "base/error.h"
#include "http/http.h"
#include "loop/loop.h"
#include "peer.h"
#include "secret/secret.h"

/* One request and what became of it. */
struct sent {
	struct http_request *handle;
	unsigned ends;
	int status; /* 0: failed */
	char code[56];
	enum error_kind kind;
	bool was_sent;
	char body[256];
	size_t body_len;
	int64_t wire_bytes;
	size_t streamed, most_streamed; /* most: 0 is no limit of the test's own */
	bool cancel_in_body, end_in_body;
	char order;
};

static struct {
	struct loop *loop;
	struct peer *peer;
	struct http_client *client;
	char order[64]; /* in which they ended */
} at;

static void ended(const struct http_response *response, bool was_sent, const struct error *err,
		  void *arg)
{
	struct sent *in = arg;

	in->handle = NULL;
	in->ends++;
	in->was_sent = was_sent;
	assert_int_equal(!response, err != NULL);
	if (response) {
		in->status = response->status;
		in->body_len = response->body_len;
		in->wire_bytes = response->wire_bytes;
		snprintf(in->body, sizeof(in->body), "%s", response->body);
		assert_int_equal(response->body[response->body_len], 0);
	} else {
		in->kind = err->kind;
		snprintf(in->code, sizeof(in->code), "%s", err->code);
	}
	if (in->order)
		strncat(at.order, &in->order, 1);
}

static bool stream(const char *bytes, size_t len, void *arg, struct error *err)
{
	struct sent *in = arg;

	assert_int_equal(in->ends, 0);
	in->streamed += len;
	if (len < sizeof(in->body))
		memcpy(in->body, bytes, len);
	if (in->cancel_in_body)
		http_cancel(TAKE(in->handle));
	if (in->end_in_body)
		return error_set(err, ERROR_STALE, "enough", "the reader gave up");
	return true;
}

/* One that keeps no connections yet. */
static void new_client(void)
{
	const struct http_options options = { .user_agent = "test/1",
					      .allow_plain = true,
					      .parallel = 2 };
	struct error err;

	http_client_free(at.client);
	at.client = http_client_new(at.loop, &options, &err);
	assert_non_null(at.client);
}

static int set_up(void **state)
{
	(void)state;
	memset(&at, 0, sizeof(at));
	at.loop = loop_new();
	at.peer = peer_new(at.loop);
	new_client();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	http_client_free(at.client);
	peer_free(at.peer);
	loop_free(at.loop);
	return 0;
}

static void start_call(struct sent *in, struct http_call call)
{
	CLEANUP_FREE char *url = mem_format("%s/x?y=1", peer_url(at.peer));

	if (!call.url)
		call.url = url;
	if (!call.method)
		call.method = "GET";
	in->handle = http_start(at.client, &call, ended, in);
	assert_int_equal(in->ends, 0);
}

static void start(struct sent *in, http_body_fn *on_body)
{
	start_call(in, (struct http_call){ .class = HTTP_READ, .on_body = on_body });
}

#define until(condition)                                                                           \
	do {                                                                                       \
		while (!(condition))                                                               \
			loop_once(at.loop);                                                        \
	} while (0)

static void mark(void *arg)
{
	*(bool *)arg = true;
}

/* Lets everything happen that can, without time going by. */
static void settle(void)
{
	for (int i = 0; i < 30; i++) {
		bool came = false;

		loop_soon(at.loop, mark, &came);
		until(came);
	}
}

static void answer_text(const char *text, enum peer_then then)
{
	peer_answer_raw(at.peer, text, strlen(text), then);
}

/* `len` bytes that deflate well, gzipped. */
static char *gzipped(size_t len, int fill, size_t *ret_len)
{
	char *plain = mem_zeroed(len, 1), *packed = mem_zeroed(len / 100 + 1000 + len, 1);
	z_stream stream = { .next_in = (Bytef *)plain,
			    .avail_in = (uInt)len,
			    .next_out = (Bytef *)packed,
			    .avail_out = (uInt)(len + 1000) };

	if (fill)
		memset(plain, fill, len);
	else
		for (size_t i = 0; i < len; i++)
			plain[i] = (char)(i * i % 251 + i / 65536);
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	*ret_len = stream.total_out;
	deflateEnd(&stream);
	free(plain);
	return packed;
}

/* Content-Length says `said`, `len` bytes follow. */
static void answer_gzip(const char *bytes, size_t said, size_t len, enum peer_then then)
{
	char *all = mem_format("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
			       "Content-Length: %zu\r\n\r\n",
			       said);
	size_t head = strlen(all);

	all = mem_resize(all, head + len, 1);
	memcpy(all + head, bytes, len);
	peer_answer_raw(at.peer, all, head + len, then);
	free(all);
}

#define OK_200 "HTTP/1.1 200 OK\r\n"

static void answers(void **state)
{
	static const struct {
		const char *name, *text;
		enum peer_then then;
		int status;       /* wanted; 0: `code` is */
		const char *want; /* the body, or the code */
	} rows[] = {
		{ "plain", OK_200 "Content-Length: 5\r\n\r\nhello", PEER_KEEP, 200, "hello" },
		{ "empty", OK_200 "Content-Length: 0\r\n\r\n", PEER_KEEP, 200, "" },
		{ "204", "HTTP/1.1 204 No Content\r\n\r\n", PEER_KEEP, 204, "" },
		{ "no headers", OK_200 "\r\nhello", PEER_CLOSE, 200, "hello" },
		{ "HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", PEER_CLOSE, 200, "hello" },
		{ "1xx first", "HTTP/1.1 100 Continue\r\n\r\n" OK_200 "Content-Length: 1\r\n\r\nx",
		  PEER_KEEP, 200, "x" },
		{ "chunked",
		  OK_200 "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
		  PEER_KEEP, 200, "hello" },
		{ "trailers",
		  OK_200 "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nContent-Type: y\r\n\r\n",
		  PEER_KEEP, 200, "x" },
		{ "304", "HTTP/1.1 304 Not Modified\r\n\r\n", PEER_KEEP, 304, "" },
		{ "a redirection is an answer",
		  "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 4\r\n\r\nthat", PEER_KEEP,
		  302, "that" },
		{ "307", "HTTP/1.1 307 T\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n", PEER_KEEP,
		  307, "" },
		{ "401 is an answer",
		  "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: "
		  "2\r\n\r\nno",
		  PEER_KEEP, 401, "no" },
		{ "500", "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops", PEER_KEEP, 500,
		  "oops" },
		{ "nothing", "", PEER_CLOSE, 0, "reset" },
		{ "torn down", "", PEER_RESET, 0, "reset" },
		{ "status line only", OK_200, PEER_CLOSE, 0, "reset" },
		{ "torn in the headers", OK_200 "Content-", PEER_RESET, 0, "reset" },
		{ "cut body", OK_200 "Content-Length: 5\r\n\r\nhel", PEER_CLOSE, 0, "reset" },
		{ "torn body", OK_200 "Content-Length: 5\r\n\r\nhel", PEER_RESET, 0, "reset" },
		{ "cut chunk", OK_200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", PEER_CLOSE, 0,
		  "reset" },
		{ "no last chunk", OK_200 "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
		  PEER_CLOSE, 0, "reset" },
		{ "cut error body", "HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\noo", PEER_CLOSE,
		  0, "reset" },
		{ "no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", PEER_CLOSE, 0, "protocol" },
		{ "no status", "HTTP/1.1 abc\r\n\r\n", PEER_CLOSE, 0, "protocol" },
		{ "no gzip", OK_200 "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
		  PEER_KEEP, 0, "protocol" },
		{ "unknown coding",
		  OK_200 "Content-Encoding: foo\r\nContent-Length: 5\r\n\r\nhello", PEER_KEEP, 0,
		  "protocol" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sent in = { 0 };

		new_client();
		answer_text(rows[i].text, rows[i].then);
		start(&in, NULL);
		until(in.ends);
		if (in.status != rows[i].status ||
		    strcmp(in.status ? in.body : in.code, rows[i].want) != 0)
			fail_msg("%s: %d %s %s", rows[i].name, in.status, in.code, in.body);
		if (!in.status)
			assert_int_equal(in.kind, ERROR_RETRY);
		assert_true(in.was_sent);
		settle();
		assert_int_equal(in.ends, 1);
		assert_int_equal(peer_count(at.peer), i + 1); /* asked once, followed nowhere */
	}
}

static void what_is_sent(void **state)
{
	static const char *const headers[] = { "Content-Type: application/json", "X-One: 1", NULL };
	struct secret *bearer = secret_new("00Dcanary!token", 15);
	struct secret *form = secret_new("grant_type=x&refresh_token=canary", 33);
	const struct {
		struct http_call call;
		const char *want;
	} rows[] = {
		{ { .bearer = bearer },
		  "GET /x?y=1 HTTP/1.1\r\nHost: HOST\r\nUser-Agent: test/1\r\nAccept: */*\r\n"
		  "Accept-Encoding: gzip\r\nAuthorization: Bearer 00Dcanary!token\r\n\r\n" },
		{ { .method = "POST", .form = form },
		  "POST /x?y=1 HTTP/1.1\r\nHost: HOST\r\nUser-Agent: test/1\r\nAccept: */*\r\n"
		  "Accept-Encoding: gzip\r\nContent-Length: 33\r\n"
		  "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
		  "grant_type=x&refresh_token=canary" },
		{ { .method = "PATCH", .headers = headers, .body = "{\"a\":1}", .body_len = 7 },
		  "PATCH /x?y=1 HTTP/1.1\r\nHost: HOST\r\nUser-Agent: test/1\r\nAccept: */*\r\n"
		  "Accept-Encoding: gzip\r\nContent-Type: application/json\r\nX-One: 1\r\n"
		  "Content-Length: 7\r\n\r\n{\"a\":1}" },
		{ { .method = "DELETE" },
		  "DELETE /x?y=1 HTTP/1.1\r\nHost: HOST\r\nUser-Agent: test/1\r\nAccept: */*\r\n"
		  "Accept-Encoding: gzip\r\n\r\n" },
		{ { .method = "POST", .headers = headers },
		  "POST /x?y=1 HTTP/1.1\r\nHost: HOST\r\nUser-Agent: test/1\r\nAccept: */*\r\n"
		  "Accept-Encoding: gzip\r\nContent-Type: application/json\r\nX-One: 1\r\n"
		  "Content-Length: 0\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sent in = { 0 };
		struct http_call call = rows[i].call;
		const char *host = strstr(rows[i].want, "HOST");
		CLEANUP_FREE char *want =
			mem_format("%.*s127.0.0.1:%d%s", (int)(host - rows[i].want), rows[i].want,
				   peer_port(at.peer), host + 4);

		peer_answer(at.peer, 200, "", "");
		call.class = HTTP_WRITE;
		start_call(&in, call);
		if (i + 1 == sizeof(rows) / sizeof(rows[0])) {
			/* Borrowed during the start only. */
			secret_free(bearer);
			secret_free(form);
		}
		until(in.ends);
		assert_int_equal(in.status, 200);
		assert_string_equal(peer_request(at.peer, i), want);
	}
	/* All over one connection. */
	assert_int_equal(peer_connections(at.peer), 1);
}

static void a_big_body_does_not_wait_for_100_continue(void **state)
{
	size_t len = (size_t)3 << 20;
	char *body = mem_zeroed(len, 1);
	struct sent in = { 0 };

	(void)state;
	memset(body, 'b', len);
	peer_answer(at.peer, 200, "", "");
	start_call(&in,
		   (struct http_call){
			   .class = HTTP_WRITE, .method = "POST", .body = body, .body_len = len });
	free(body);
	until(in.ends);
	assert_int_equal(in.status, 200);
	assert_null(strstr(peer_request(at.peer, 0), "100-continue"));
	assert_int_equal(strlen(strstr(peer_request(at.peer, 0), "\r\n\r\n")), len + 4);
}

static void gzip_is_inflated(void **state)
{
	size_t len;
	char *packed = gzipped(100000, 0, &len);
	struct sent in = { 0 }, cut = { 0 }, framed = { 0 };

	(void)state;
	answer_gzip(packed, len, len, PEER_KEEP);
	start(&in, stream);
	until(in.ends);
	assert_int_equal(in.status, 200);
	assert_int_equal(in.streamed, 100000);
	assert_int_equal(in.wire_bytes, len);
	assert_int_equal(in.body_len, 0);

	answer_gzip(packed, len, len / 2, PEER_CLOSE);
	start(&cut, stream);
	until(cut.ends);
	assert_string_equal(cut.code, "reset");

	/* Whole on the wire: only the reader of the body can tell. */
	answer_gzip(packed, len / 2, len / 2, PEER_KEEP);
	start(&framed, stream);
	until(framed.ends);
	assert_int_equal(framed.status, 200);
	assert_in_range(framed.streamed, 1, 99999);
	free(packed);
}

static void a_bomb_is_refused(void **state)
{
	size_t len;
	char *packed = gzipped((size_t)64 << 20, 'x', &len);
	struct sent in = { 0 }, gathered = { 0 };

	(void)state;
	answer_gzip(packed, len, len, PEER_KEEP);
	start(&in, stream);
	until(in.ends);
	assert_string_equal(in.code, "too-large");
	assert_in_range(in.streamed, 0, 64 << 17);

	answer_gzip(packed, len, len, PEER_KEEP);
	start(&gathered, NULL);
	until(gathered.ends);
	assert_string_equal(gathered.code, "too-large");
	free(packed);
}

static void too_large(void **state)
{
	static const struct {
		const char *name;
		size_t headers, body;
		int status;
		enum http_class class;
		const char *code;
	} rows[] = {
		{ "token of 64 KiB", 0, 65536, 200, HTTP_TOKEN, NULL },
		{ "a page instead of one is cut", 0, 1 << 20, 200, HTTP_TOKEN, NULL },
		{ "describe of 16 MiB", 0, 16 << 20, 200, HTTP_META, NULL },
		{ "more", 0, (16 << 20) + 1, 200, HTTP_META, "too-large" },
		{ "headers", 60000, 0, 200, HTTP_READ, NULL },
		{ "more", 66000, 0, 200, HTTP_READ, "too-large" },
		{ "a header of 200 KB", 200000, 0, 200, HTTP_READ, "too-large" },
		{ "an error page is cut", 0, 1 << 20, 503, HTTP_READ, NULL },
		{ "for a token too", 0, 1 << 20, 400, HTTP_TOKEN, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *header = mem_zeroed(rows[i].headers + 10, 1);
		char *body = mem_zeroed(rows[i].body + 1, 1);
		struct sent in = { 0 };

		memset(body, 'y', rows[i].body);
		if (rows[i].headers) {
			memset(header, 'x', rows[i].headers);
			header[1] = ':';
			strcpy(header + rows[i].headers - 2, "\r\n");
		}
		peer_answer(at.peer, rows[i].status, header, body);
		start_call(&in, (struct http_call){ .class = rows[i].class });
		until(in.ends);
		if (rows[i].code && strcmp(in.code, rows[i].code) != 0)
			fail_msg("%s: %d %s", rows[i].name, in.status, in.code);
		if (!rows[i].code)
			assert_int_equal(in.status, rows[i].status);
		if (rows[i].body == 1 << 20)
			assert_int_equal(in.body_len, 65536);
		free(header);
		free(body);
	}
}

static void no_connection(void **state)
{
	static const struct {
		const char *url, *code;
		enum error_kind kind;
	} rows[] = {
		{ "https://name.invalid/", "dns", ERROR_RETRY },
		{ "https://"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/",
		  "dns", ERROR_RETRY },
		{ "http://name.invalid/", "bad-url", ERROR_BUG },
		{ "http://127.0.0.1:1@name.invalid/", "bad-url", ERROR_BUG },
		{ "ftp://127.0.0.1/", "bad-url", ERROR_BUG },
		{ "https://user:pw@name.invalid/", "bad-url", ERROR_BUG },
		{ "nonsense", "bad-url", ERROR_BUG },
		{ "", "bad-url", ERROR_BUG },
	};
	struct sent refused = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sent in = { 0 };

		start_call(&in, (struct http_call){ .url = rows[i].url });
		settle();
		loop_test_advance(at.loop, 10000); /* if the look-up hangs, it ends here */
		until(in.ends);
		if (strcmp(in.code, rows[i].code) != 0)
			fail_msg("%s: %s", rows[i].url, in.code);
		assert_int_equal(in.kind, rows[i].kind);
		assert_false(in.was_sent);
	}
	peer_refuse(at.peer);
	start(&refused, NULL);
	until(refused.ends);
	assert_string_equal(refused.code, "connect");
	assert_false(refused.was_sent);
}

static void a_silent_server_is_left_at_the_deadline(void **state)
{
	static const struct {
		enum http_class class;
		int64_t deadline_s;
	} rows[] = {
		{ HTTP_TOKEN, 30 }, { HTTP_READ, 150 }, { HTTP_META, 150 }, { HTTP_WRITE, 620 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sent in = { 0 };

		start_call(&in, (struct http_call){ .class = rows[i].class });
		until(peer_count(at.peer) == i + 1);
		loop_test_advance(at.loop, rows[i].deadline_s * 1000 - 5000);
		settle();
		assert_int_equal(in.ends, 0);
		loop_test_advance(at.loop, 5000);
		until(in.ends);
		assert_string_equal(in.code, "timeout");
		assert_true(in.was_sent);
	}
}

static void a_stall_counts_from_the_first_body_byte(void **state)
{
	struct sent in = { 0 };

	(void)state;
	answer_text(OK_200 "Content-Length: 1000000\r\n\r\n", PEER_KEEP);
	start(&in, stream);
	until(peer_count(at.peer) == 1);
	settle();
	loop_test_advance(at.loop, 70000); /* headers, and then it thinks */
	settle();
	assert_int_equal(in.ends, 0);
	peer_more(at.peer, "x", 1, PEER_KEEP);
	until(in.streamed == 1);
	for (int i = 1; i < 6; i++) {
		loop_test_advance(at.loop, 10000);
		peer_more(at.peer, "drip", 4, PEER_KEEP);
		settle();
	}
	assert_int_equal(in.ends, 0);
	loop_test_advance(at.loop, 10000);
	until(in.ends);
	assert_string_equal(in.code, "stalled");
}

static void a_slow_body_is_no_stall(void **state)
{
	char kilobyte[1100];
	struct sent in = { 0 };

	(void)state;
	memset(kilobyte, 'k', sizeof(kilobyte));
	answer_text(OK_200 "Content-Length: 14300\r\n\r\n", PEER_KEEP);
	start(&in, stream);
	until(peer_count(at.peer) == 1);
	settle();
	for (int i = 1; i <= 13; i++) {
		peer_more(at.peer, kilobyte, sizeof(kilobyte), PEER_KEEP);
		until(in.streamed == (size_t)i * sizeof(kilobyte));
		if (i < 13)
			loop_test_advance(at.loop, 10000);
		settle();
	}
	until(in.ends);
	assert_int_equal(in.status, 200);
}

static void a_reader_may_give_up(void **state)
{
	struct sent in = { .end_in_body = true };

	(void)state;
	peer_answer(at.peer, 200, "", "hello");
	start(&in, stream);
	until(in.ends);
	assert_string_equal(in.code, "enough");
	assert_int_equal(in.kind, ERROR_STALE);
	/* Not asked for the body of an error. */
	in = (struct sent){ .end_in_body = true };
	peer_answer(at.peer, 400, "", "no");
	start(&in, stream);
	until(in.ends);
	assert_int_equal(in.status, 400);
	assert_string_equal(in.body, "no");
}

static void cancelled_at_every_stage(void **state)
{
	struct sent in = { 0 }, other = { 0 };

	(void)state;
	http_cancel(NULL);

	start(&in, NULL); /* before its turn */
	http_cancel(in.handle);
	settle();
	assert_int_equal(peer_connections(at.peer), 0);

	start(&in, NULL); /* connecting */
	loop_once(at.loop);
	http_cancel(in.handle);
	settle();
	assert_int_equal(peer_count(at.peer), 0);

	start_call(&in, (struct http_call){ .url = "https://name.invalid/" }); /* looking it up */
	loop_once(at.loop);
	http_cancel(in.handle);

	start(&in, NULL); /* sent */
	until(peer_count(at.peer) == 1);
	http_cancel(in.handle);
	settle();
	assert_int_equal(peer_open(at.peer), 0);

	answer_text(OK_200 "Content-Length: 10\r\n\r\nhel", PEER_KEEP); /* in the body */
	start(&in, stream);
	until(in.streamed == 3);
	http_cancel(in.handle);

	in = (struct sent){ .cancel_in_body = true }; /* inside curl */
	answer_text(OK_200 "Content-Length: 10\r\n\r\nhel", PEER_KEEP);
	start(&in, stream);
	until(in.streamed == 3);
	settle();

	in = (struct sent){ .cancel_in_body = true }; /* ... with the last byte */
	peer_answer(at.peer, 200, "", "hel");
	start(&in, stream);
	until(in.streamed == 3);
	settle();

	/* The next goes on as if nothing had been. */
	peer_answer(at.peer, 200, "", "fine");
	start(&other, NULL);
	until(other.ends);
	assert_string_equal(other.body, "fine");
	assert_int_equal(in.ends, 0);
}

static void cancelled_when_it_has_ended(void **state)
{
	struct sent a = { 0 }, b = { 0 };

	(void)state;
	/* Both refused in the same turn: one is delivered, the other cancelled before. */
	start_call(&a, (struct http_call){ .url = "nonsense" });
	start_call(&b, (struct http_call){ .url = "nonsense" });
	until(a.ends);
	http_cancel(b.handle);
	settle();
	assert_int_equal(b.ends, 0);
}

static void two_at_a_time_in_order(void **state)
{
	struct sent in[6] = { 0 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		in[i].order = (char)('a' + i);
		start(&in[i], NULL);
	}
	until(peer_count(at.peer) == 2);
	settle();
	assert_int_equal(peer_count(at.peer), 2);
	/* Time in the queue is not the request's. */
	loop_test_advance(at.loop, 100000);
	settle();
	http_cancel(in[3].handle);
	http_cancel(in[0].handle);
	until(peer_count(at.peer) == 3);
	loop_test_advance(at.loop, 60000); /* b ends by its deadline */
	until(in[1].ends);
	until(peer_count(at.peer) == 4);
	assert_string_equal(at.order, "b");
	loop_test_advance(at.loop, 100000);
	until(in[2].ends && peer_count(at.peer) == 5);
	loop_test_advance(at.loop, 150000);
	until(in[4].ends && in[5].ends);
	assert_string_equal(at.order, "bcef");
	assert_int_equal(in[0].ends + in[3].ends, 0);
}

static void a_dead_kept_connection(void **state)
{
	static const struct {
		const char *method;
		int status;
		size_t requests;
	} rows[] = { { "GET", 200, 2 }, { "POST", 0, 1 }, { "PATCH", 0, 1 }, { "DELETE", 0, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sent first = { 0 }, second = { 0 };
		size_t before;

		peer_answer(at.peer, 200, "", "one");
		start(&first, NULL);
		until(first.ends);
		before = peer_count(at.peer);
		/* The kept connection takes the request and closes. */
		answer_text("", PEER_CLOSE);
		if (rows[i].status)
			peer_answer(at.peer, 200, "", "two");
		start_call(&second, (struct http_call){ .class = HTTP_WRITE,
							.method = rows[i].method,
							.body = i ? "x" : NULL,
							.body_len = i ? 1 : 0 });
		until(second.ends);
		settle();
		assert_int_equal(second.status, rows[i].status);
		if (!rows[i].status)
			assert_string_equal(second.code, "reset");
		assert_true(second.was_sent);
		assert_int_equal(peer_count(at.peer) - before, rows[i].requests);
	}
}

static void start_token(struct sent *in)
{
	CLEANUP(secret_free) struct secret *form = secret_new("a=b", 3);

	start_call(in, (struct http_call){ .class = HTTP_TOKEN, .method = "POST", .form = form });
}

/* A server that closes it just then would leave open what became of the token. */
static void a_token_takes_no_kept_connection(void **state)
{
	struct sent read = { 0 }, token = { 0 };

	(void)state;
	peer_answer(at.peer, 200, "", "one");
	peer_answer(at.peer, 200, "", "two");
	start(&read, NULL);
	until(read.ends);
	assert_int_equal(peer_open(at.peer), 1);
	start_token(&token);
	until(token.ends);
	assert_string_equal(token.body, "two");
	assert_int_equal(peer_connections(at.peer), 2);
}

static void a_token_waits_for_nobody(void **state)
{
	struct sent read[3] = { 0 }, token[2] = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		start(&read[i], NULL);
	until(peer_count(at.peer) == 2);
	for (size_t i = 0; i < 2; i++)
		start_token(&token[i]);
	until(peer_count(at.peer) == 4);
	assert_int_equal(strncmp(peer_request(at.peer, 2), "POST", 4), 0);
	assert_int_equal(strncmp(peer_request(at.peer, 3), "POST", 4), 0);

	/* Nor does anybody get its place, or lose one to it. */
	http_cancel(token[0].handle);
	settle();
	assert_int_equal(peer_count(at.peer), 4);
	loop_test_advance(at.loop, 31000);
	until(token[1].ends);
	settle();
	assert_int_equal(peer_count(at.peer), 4);
	http_cancel(read[0].handle);
	until(peer_count(at.peer) == 5);
	http_cancel(read[1].handle);
	http_cancel(read[2].handle);
	start_token(&token[0]);
	until(peer_count(at.peer) == 6);
	for (size_t i = 0; i < 2; i++)
		start(&read[i], NULL);
	until(peer_count(at.peer) == 8);
	http_cancel(token[0].handle);
	http_cancel(read[0].handle);
	http_cancel(read[1].handle);
}

static void free_in_done(const struct http_response *response, bool was_sent,
			 const struct error *err, void *arg)
{
	(void)was_sent;
	(void)err;
	assert_string_equal(response->body, "bye");
	http_client_free(TAKE(at.client));
	*(bool *)arg = true;
	assert_string_equal(response->body, "bye");
}

static void the_client_may_end_in_a_done(void **state)
{
	bool done = false;

	(void)state;
	peer_answer(at.peer, 200, "", "bye");
	http_start(at.client, &(struct http_call){ .method = "GET", .url = peer_url(at.peer) },
		   free_in_done, &done);
	until(done);
	settle();
}

static void a_ca_file_must_be_there(void **state)
{
	struct error err;

	(void)state;
	assert_null(http_client_new(at.loop, &(struct http_options){ .ca_file = "/nonexistent" },
				    &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "ca-file");
}

int main(void)
{
#define row(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		row(answers),
		row(what_is_sent),
		row(a_big_body_does_not_wait_for_100_continue),
		row(gzip_is_inflated),
		row(a_bomb_is_refused),
		row(too_large),
		row(no_connection),
		row(a_silent_server_is_left_at_the_deadline),
		row(a_stall_counts_from_the_first_body_byte),
		row(a_slow_body_is_no_stall),
		row(a_reader_may_give_up),
		row(cancelled_at_every_stage),
		row(cancelled_when_it_has_ended),
		row(two_at_a_time_in_order),
		row(a_token_takes_no_kept_connection),
		row(a_token_waits_for_nobody),
		row(a_dead_kept_connection),
		row(the_client_may_end_in_a_done),
		row(a_ca_file_must_be_there),
	};
	struct error err;
	bool locked;

	/* None of these may have any effect. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	if (!secret_start(&locked, &err))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
