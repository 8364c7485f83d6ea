/* reply.c - in order: headers, body, sending whole, sending broken. */
#include "reply.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <zlib.h>

#include "call.h"
#include "clock.h"
#include "faults.h"
#include "limits.h"
#include "mem.h"
#include "stamp.h"

#define CHUNKED_FROM 4096
#define GZIP_FROM    64
#define HEADERS_MS   20 /* for headers to leave before their connection ends */

struct reply {
	struct evhttp_request *request; /* NULL once its connection is gone */
	struct evhttp_connection *connection;
	struct evbuffer *body; /* owned */
	struct event *timer;   /* owned */
	struct event *gone;    /* owned: evhttp looks away until there is an answer */
	struct fault_shape shape;
	int status;
	bool started;
	void (*on_left)(size_t number); /* may be NULL */
	size_t left_number;
};

static struct event_base *loop;
static int64_t latency_now_ms;

static void on_time(evutil_socket_t unused, short events, void *arg);
static void on_gone(evutil_socket_t unused, short events, void *arg);

void reply_configure(struct event_base *base, int64_t latency_ms)
{
	loop = base;
	latency_now_ms = latency_ms;
}

static void add_headers(struct evhttp_request *request, const struct call *call)
{
	struct evkeyvalq *to = evhttp_request_get_output_headers(request);
	char text[60];

	stamp_format_http(clock_now_s(), text);
	evhttp_add_header(to, "Date", text);
	evhttp_add_header(to, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(to, "X-Robots-Tag", "none");
	if (call->session && call->version) {
		snprintf(text, sizeof(text), "api-usage=%lld/%lld", (long long)limits_used(),
			 (long long)limits_max());
		evhttp_add_header(to, "Sforce-Limit-Info", text);
	}
	if (call->out.used)
		evhttp_add_header(to, "Content-Type", call->type);
	for (size_t i = 0; i < call->extra_count; i++)
		evhttp_add_header(to, call->extra[i].name, call->extra[i].value);
	if (!evhttp_find_header(to, "Cache-Control"))
		evhttp_add_header(to, "Cache-Control",
				  "no-cache,must-revalidate,max-age=0,no-store,private");
	evhttp_add_header(to, "Vary", "Accept-Encoding");
}

static bool wants_gzip(const struct call *call)
{
	const char *accepted = call_header(call, "Accept-Encoding");

	return accepted && strstr(accepted, "gzip") && !strstr(accepted, "gzip;q=0");
}

static void free_bytes(const void *data, size_t length, void *unused)
{
	(void)length;
	(void)unused;
	free((void *)(uintptr_t)data);
}

static void pack(const struct text *from, struct evbuffer *into)
{
	z_stream packer = { 0 };
	size_t room;
	unsigned char *out;

	if (deflateInit2(&packer, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	room = deflateBound(&packer, from->used);
	out = mem_new(room);
	packer.next_in = (unsigned char *)from->at;
	packer.avail_in = (unsigned)from->used;
	packer.next_out = out;
	packer.avail_out = (unsigned)room;
	if (deflate(&packer, Z_FINISH) != Z_STREAM_END)
		abort();
	evbuffer_add_reference(into, out, packer.total_out, free_bytes, NULL);
	deflateEnd(&packer);
}

static void keep_first(struct evbuffer *in, size_t length)
{
	struct evbuffer *kept = evbuffer_new();

	evbuffer_remove_buffer(in, kept, length);
	evbuffer_drain(in, evbuffer_get_length(in));
	evbuffer_add_buffer(in, kept);
	evbuffer_free(kept);
}

static struct evbuffer *make_body(struct evhttp_request *request, struct call *call,
				  const struct fault_shape *shape)
{
	struct evbuffer *out = evbuffer_new();

	if (call->verb == VERB_HEAD)
		return out;
	if (shape && shape->truncate_body >= 0 && (size_t)shape->truncate_body < call->out.used)
		call->out.used = (size_t)shape->truncate_body;
	if (call->out.used >= GZIP_FROM && wants_gzip(call)) {
		pack(&call->out, out);
		evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Encoding",
				  "gzip");
	} else if (call->out.used) {
		evbuffer_add_reference(out, call->out.at, call->out.used, free_bytes, NULL);
		call->out = (struct text){ 0 };
	}
	if (shape && shape->truncate_gzip)
		keep_first(out, evbuffer_get_length(out) * 2 / 3);
	return out;
}

static void free_reply(struct reply *in)
{
	if (in->request)
		evhttp_connection_set_closecb(in->connection, NULL, NULL);
	if (in->on_left)
		in->on_left(in->left_number);
	event_free(in->timer);
	event_free(in->gone);
	evbuffer_free(in->body);
	free(in);
}

static void on_close(struct evhttp_connection *connection, void *arg)
{
	struct reply *in = arg;

	(void)connection;
	if (!evhttp_request_get_connection(in->request))
		evhttp_request_free(in->request); /* the connection let go of it, for us to end */
	in->request = NULL;
	free_reply(in);
}

/* The peer gave up. */
static void on_gone(evutil_socket_t unused, short events, void *arg)
{
	const struct reply *in = arg;

	(void)unused;
	(void)events;
	evhttp_connection_free(in->connection); /* which frees the reply by on_close() */
}

static void wake(struct reply *in, int64_t after_ms)
{
	struct timeval wait = { after_ms / 1000, after_ms % 1000 * 1000 };

	event_add(in->timer, &wait);
}

static void send_whole(struct evhttp_request *request, int status, struct evbuffer *body)
{
	if (evbuffer_get_length(body) < CHUNKED_FROM) {
		evhttp_send_reply(request, status, NULL, body);
		return;
	}
	evhttp_send_reply_start(request, status, NULL);
	evhttp_send_reply_chunk(request, body);
	evhttp_send_reply_end(request);
}

static void on_cut(struct evhttp_connection *connection, void *unused)
{
	(void)unused;
	evhttp_connection_free(connection);
}

static void cut(struct reply *in)
{
	struct evhttp_request *request = in->request;
	struct evhttp_connection *connection = in->connection;
	char length[30];

	if (in->started) { /* the headers alone went out the last time */
		free_reply(in);
		evhttp_connection_free(connection);
		return;
	}
	snprintf(length, sizeof(length), "%zu", evbuffer_get_length(in->body));
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Length", length);
	if (in->shape.cut_after > 0)
		keep_first(in->body, (size_t)in->shape.cut_after);
	evhttp_send_reply_start(request, in->status, NULL);
	in->started = true;
	if (in->shape.cut_after == 0) {
		wake(in, HEADERS_MS);
		return;
	}
	evhttp_send_reply_chunk_with_cb(request, in->body, on_cut, NULL);
	free_reply(in);
}

/* Unsent data is thrown away, so that the peer meets a reset and no end. */
static void reset(struct reply *in)
{
	struct evhttp_connection *connection = in->connection;
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(connection)), SOL_SOCKET,
		   SO_LINGER, &at_once, sizeof(at_once));
	free_reply(in);
	evhttp_connection_free(connection);
}

static void drip(struct reply *in)
{
	struct evbuffer *drop = evbuffer_new();

	if (!in->started)
		evhttp_send_reply_start(in->request, in->status, NULL);
	in->started = true;
	evbuffer_remove_buffer(in->body, drop, (size_t)in->shape.slow_bytes);
	if (evbuffer_get_length(drop))
		evhttp_send_reply_chunk(in->request, drop);
	evbuffer_free(drop);
	if (evbuffer_get_length(in->body)) {
		wake(in, in->shape.slow_ms);
		return;
	}
	evhttp_connection_set_closecb(in->connection, NULL, NULL);
	evhttp_send_reply_end(in->request);
	in->request = NULL;
	free_reply(in);
}

static void on_time(evutil_socket_t unused, short events, void *arg)
{
	struct reply *in = arg;

	(void)unused;
	(void)events;
	if (in->shape.reset) {
		reset(in);
	} else if (in->shape.slow_bytes > 0) {
		drip(in);
	} else if (in->shape.cut_after >= 0 &&
		   (size_t)in->shape.cut_after < evbuffer_get_length(in->body)) {
		cut(in);
	} else {
		struct evhttp_request *request = in->request;

		evhttp_connection_set_closecb(in->connection, NULL, NULL);
		in->request = NULL;
		send_whole(request, in->status, in->body);
		free_reply(in);
	}
}

void reply_send(struct evhttp_request *request, struct call *call, const struct fault_shape *shape)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	struct evbuffer *body;
	struct reply *out;
	int64_t delay_ms = shape ? latency_now_ms + shape->delay_ms : 0;
	int no_delay = 1;

	setsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(connection)), IPPROTO_TCP,
		   TCP_NODELAY, &no_delay, sizeof(no_delay));
	add_headers(request, call);
	body = make_body(request, call, shape);
	if (delay_ms == 0 && (!shape || (!shape->reset && !shape->hang && shape->cut_after < 0 &&
					 shape->slow_bytes == 0))) {
		send_whole(request, call->status, body);
		evbuffer_free(body);
		if (call->on_left)
			call->on_left(call->left_number);
		return;
	}
	out = mem_new(sizeof(*out));
	*out = (struct reply){ .request = request,
			       .connection = connection,
			       .body = body,
			       .shape = *shape,
			       .status = call->status,
			       .on_left = call->on_left,
			       .left_number = call->left_number };
	out->timer = event_new(loop, -1, 0, on_time, out);
	out->gone =
		event_new(loop, bufferevent_getfd(evhttp_connection_get_bufferevent(connection)),
			  EV_CLOSED, on_gone, out);
	event_add(out->gone, NULL);
	evhttp_connection_set_closecb(connection, on_close, out);
	if (!shape->hang)
		wake(out, delay_ms);
}
