/* callback.c - in order: callback_new (listeners), visit_new (a connection is there),
 * answer_request or visit_cut, callback_free.
 *
 * evhttp reads and answers, but has no limit on time and none on connections, so each connection's
 * bufferevent is kept here too: at its deadline the socket is shut down, which evhttp takes for a
 * client that went away. */
#include "web/callback.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "loop/base.h"
#include "loop/loop.h"
#include "web/address.h"
#include "web/page.h"

#define MOST_REQUEST    ((size_t)8 * 1024)
#define MOST_VISITS     4
#define VISIT_MS        5000
#define ACCEPT_AGAIN_MS 1000

/* A connection, from when it was accepted until it is cut or seen to be over. */
struct visit {
	TAILQ_ENTRY(visit) entry;
	struct callback *callback;
	struct bufferevent *socket; /* shared with evhttp, which may let go of it first */
	struct loop_timer *deadline;
	size_t received;
	bool one_too_many; /* on its way out, not to be answered */
};

struct callback {
	struct loop *loop;
	char *redirect_uri;
	struct address address; /* points into redirect_uri */
	struct evhttp *http;
	struct evhttp_bound_socket *listeners[ADDRESS_MOST_SOCKETS]; /* NULL if closed */
	struct loop_timer *accept_again;                             /* NULL if not listening */
	TAILQ_HEAD(, visit) visits;
	unsigned visit_count; /* without those that are one too many */
	callback_fn *fn;
	void *arg;
};

static struct bufferevent *visit_new(struct event_base *base, void *arg);
static void visit_cut(void *arg);
static void answer_request(struct evhttp_request *request, void *arg);

static void must(bool worked)
{
	if (!worked)
		abort(); /* libevent fails here only without memory */
}

/* Listening. */

static bool say_not_listening(const struct sockaddr_storage *where, int why, struct error *err)
{
	char text[ADDRESS_TEXT_SIZE];

	address_format(where, text);
	if (why == EADDRINUSE)
		return error_set(
			err, ERROR_HUMAN, "port-taken",
			"cannot listen on %s for the browser: another login that is still "
			"pending, or another program, has this port (`ss -ltnp` names it); "
			"end it, or take another port in redirect_uri and in the app's "
			"settings",
			text);
	if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM)
		return error_set(err, ERROR_RETRY, "descriptors",
				 "cannot listen on %s for the browser: %s", text, strerror(why));
	return error_set(err, ERROR_HUMAN, "no-listener",
			 "cannot listen on %s for the browser: %s; the address the browser ends at "
			 "can be pasted instead",
			 text, strerror(why));
}

/* The fd, or -errno. SO_REUSEADDR is for connections of a login before that still linger; with it,
 * too, nobody can listen where somebody listens. SO_REUSEPORT could let another user in. */
static int open_listener(const struct sockaddr_storage *where)
{
	static const int on = 1;
	int fd = socket(where->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), why;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, (const struct sockaddr *)where, address_size(where)) == 0 &&
	    listen(fd, MOST_VISITS) == 0)
		return fd;
	why = errno;
	close(fd);
	return -why;
}

/* Where the machine has no IPv6 at all nobody else can listen there either, and no browser gets an
 * answer from there: `localhost` is then 127.0.0.1 alone. */
static bool is_absent(const struct callback *in, const struct sockaddr_storage *where, int why)
{
	return in->address.socket_count > 1 && where->ss_family == AF_INET6 &&
	       (why == EADDRNOTAVAIL || why == EAFNOSUPPORT);
}

/* What accept() could not take stays readable: a pause, or it would be a busy loop. */
static void pause_listener(struct evconnlistener *listener, void *arg)
{
	(void)arg; /* evhttp's, not ours: so accept_again looks by itself */
	evconnlistener_disable(listener);
}

static void accept_again(void *arg)
{
	struct callback *in = arg;

	for (size_t i = 0; i < ADDRESS_MOST_SOCKETS; i++)
		if (in->listeners[i])
			evconnlistener_enable(evhttp_bound_socket_get_listener(in->listeners[i]));
	in->accept_again = loop_after(in->loop, ACCEPT_AGAIN_MS, accept_again, in);
}

static bool start_listening(struct callback *in, struct error *err)
{
	for (size_t i = 0; i < in->address.socket_count; i++) {
		const struct sockaddr_storage *where = &in->address.sockets[i];
		int fd = open_listener(where);

		if (fd < 0 && is_absent(in, where, -fd))
			continue;
		if (fd < 0)
			return say_not_listening(where, -fd, err);
		in->listeners[i] = evhttp_accept_socket_with_handle(in->http, fd);
		must(in->listeners[i]);
		evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(in->listeners[i]),
					    pause_listener);
	}
	in->accept_again = loop_after(in->loop, ACCEPT_AGAIN_MS, accept_again, in);
	return true;
}

static void stop_listening(struct callback *in)
{
	loop_timer_cancel(TAKE(in->accept_again));
	for (size_t i = 0; i < ADDRESS_MOST_SOCKETS; i++)
		if (in->listeners[i])
			evhttp_del_accept_socket(in->http, TAKE(in->listeners[i]));
}

struct callback *callback_new(struct loop *loop, const char *redirect_uri, callback_fn *fn,
			      void *arg, struct error *err)
{
	CLEANUP(callback_free) struct callback *in = mem_new(struct callback);

	*in = (struct callback){
		.loop = loop, .redirect_uri = mem_strdup(redirect_uri), .fn = fn, .arg = arg
	};
	TAILQ_INIT(&in->visits);
	if (!address_parse(in->redirect_uri, &in->address, err))
		return NULL;
	in->http = evhttp_new(loop_base(loop));
	must(in->http);
	evhttp_set_max_headers_size(in->http, MOST_REQUEST);
	evhttp_set_max_body_size(in->http, 0);
	evhttp_set_allowed_methods(in->http, UINT16_MAX); /* to be refused by a page of ours */
	evhttp_set_bevcb(in->http, visit_new, in);
	evhttp_set_gencb(in->http, answer_request, in);
	if (!start_listening(in, err))
		return NULL;
	return TAKE(in);
}

/* A connection. */

static void count_received(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct visit *visit = arg;

	(void)buffer;
	visit->received += info->n_added;
}

static void visit_end(struct visit *visit)
{
	evbuffer_remove_cb(bufferevent_get_input(visit->socket), count_received, visit);
	bufferevent_decref(visit->socket);
	loop_timer_cancel(visit->deadline);
	TAILQ_REMOVE(&visit->callback->visits, visit, entry);
	if (!visit->one_too_many)
		visit->callback->visit_count--;
	free(visit);
}

static void visit_cut(void *arg)
{
	struct visit *visit = arg;

	visit->deadline = NULL;
	shutdown(bufferevent_getfd(visit->socket), SHUT_RDWR);
	visit_end(visit);
}

/* evhttp says nothing when it is through with a connection, but takes its callbacks off. */
static bool is_over(const struct visit *visit)
{
	bufferevent_event_cb on_event;

	bufferevent_getcb(visit->socket, NULL, NULL, &on_event, NULL);
	return !on_event;
}

static void end_visits_that_are_over(struct callback *in)
{
	struct visit *next;

	for (struct visit *visit = TAILQ_FIRST(&in->visits); visit; visit = next) {
		next = TAILQ_NEXT(visit, entry);
		if (is_over(visit))
			visit_end(visit);
	}
}

/* evhttp asks for the bufferevent of a socket that it has just accepted. */
static struct bufferevent *visit_new(struct event_base *base, void *arg)
{
	struct callback *in = arg;
	struct visit *visit = mem_new(struct visit);

	end_visits_that_are_over(in);
	*visit = (struct visit){
		.callback = in,
		.socket = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE),
		.one_too_many = in->visit_count >= MOST_VISITS,
	};
	must(visit->socket);
	bufferevent_incref(visit->socket);
	/* evhttp gives up above MOST_REQUEST; this holds what comes after that, too. */
	bufferevent_setwatermark(visit->socket, EV_READ, 0, 2 * MOST_REQUEST);
	must(evbuffer_add_cb(bufferevent_get_input(visit->socket), count_received, visit));
	visit->deadline =
		loop_after(in->loop, visit->one_too_many ? 0 : VISIT_MS, visit_cut, visit);
	TAILQ_INSERT_TAIL(&in->visits, visit, entry);
	if (!visit->one_too_many)
		in->visit_count++;
	return visit->socket;
}

static struct visit *visit_of(struct callback *in, struct evhttp_connection *connection)
{
	struct bufferevent *socket = evhttp_connection_get_bufferevent(connection);
	struct visit *visit;

	TAILQ_FOREACH(visit, &in->visits, entry)
	{
		if (visit->socket == socket)
			return visit;
	}
	return NULL;
}

/* A request. */

static bool is_for_host(struct evhttp_request *request, const char *host)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
	const struct evkeyval *header;
	unsigned right = 0, all = 0;

	TAILQ_FOREACH(header, headers, next)
	{
		if (strcasecmp(header->key, "Host") != 0)
			continue;
		all++;
		right += strcasecmp(header->value, host) == 0;
	}
	return all == 1 && right == 1;
}

/* As the request line has it: nothing is decoded, joined or resolved. */
static bool is_for_path(const char *target, const char *path)
{
	size_t len = strlen(path);

	return strncmp(target, path, len) == 0 && (target[len] == '\0' || target[len] == '?');
}

static bool is_listening(const struct callback *in)
{
	return in->accept_again != NULL;
}

static enum page page_for(struct callback *in, const struct visit *visit,
			  struct evhttp_request *request)
{
	const char *target = evhttp_request_get_uri(request), *query = strchr(target, '?');

	if (visit->received > MOST_REQUEST)
		return PAGE_TOO_LONG;
	if (request->major != 1 || request->minor < 0 || request->minor > 1 ||
	    !is_for_host(request, in->address.host))
		return PAGE_BAD_REQUEST;
	/* The second is a connection from before the answer came. */
	if (!is_for_path(target, in->address.path) || !is_listening(in))
		return PAGE_NOT_FOUND;
	if (evhttp_request_get_command(request) != EVHTTP_REQ_GET)
		return PAGE_NOT_GET;
	query = query ? query + 1 : "";
	switch (in->fn(query, strlen(query), in->arg)) {
	case CALLBACK_WRONG: return PAGE_NOT_THE_ANSWER;
	case CALLBACK_DONE: stop_listening(in); return PAGE_DONE;
	case CALLBACK_DENIED: stop_listening(in); return PAGE_DENIED;
	}
	return PAGE_BAD_REQUEST;
}

/* evhttp's two copies, which are const for others. What its buffers leave behind is out of reach:
 * a code that is used up, and was nothing without its verifier. */
static void wipe_query(struct evhttp_request *request)
{
	char *target = (char *)evhttp_request_get_uri(request);
	char *copy = (char *)evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));

	if (copy)
		explicit_bzero(copy, strlen(copy));
	target += strcspn(target, "?");
	explicit_bzero(target, strlen(target));
}

static void answer_request(struct evhttp_request *request, void *arg)
{
	struct callback *in = arg;
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	const struct visit *visit = visit_of(in, connection);
	enum page page;

	/* What was in the socket when it was cut; or a tunnel, which libevent would keep open. */
	if (!visit || visit->one_too_many ||
	    evhttp_request_get_command(request) == EVHTTP_REQ_CONNECT) {
		wipe_query(request);
		evhttp_connection_free(connection);
		return;
	}
	page = page_for(in, visit, request);
	wipe_query(request);
	page_send(page, request);
}

/* Whoever frees because the answer is here would else cut its page, which libevent writes on a
 * later turn. It is smaller than a socket's buffer, from where the kernel sends it. */
static void send_the_rest(struct visit *visit)
{
	struct evbuffer *rest = bufferevent_get_output(visit->socket);

	evbuffer_unfreeze(rest, 1); /* a bufferevent keeps its own buffer shut */
	evbuffer_write(rest, bufferevent_getfd(visit->socket));
}

void callback_free(struct callback *in)
{
	struct visit *visit;

	if (!in)
		return;
	if (in->http)
		stop_listening(in);
	while ((visit = TAILQ_FIRST(&in->visits))) {
		send_the_rest(visit);
		visit_end(visit);
	}
	if (in->http)
		evhttp_free(in->http);
	free(in->redirect_uri);
	free(in);
}
