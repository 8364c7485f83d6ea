#include "http/multi.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "loop/loop.h"

struct watched {
	LIST_ENTRY(watched) entry;
	int fd;
	struct loop_watch *watch;
};

struct multi {
	struct loop *loop;
	CURLM *curl;
	struct loop_timer *timer;
	LIST_HEAD(, watched) sockets; /* a handful: looked up by walking */
	unsigned inside;              /* calls into curl that may call us back */
	multi_ended_fn *ended;
	void *ended_arg;
};

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused);
static void socket_ready(int fd, int ready, void *arg);
static int want_timer(CURLM *curl, long wait_ms, void *arg);
static void timer_due(void *arg);
static void act(struct multi *in, curl_socket_t fd, int events);
static void read_ended(struct multi *in);

static void must(bool worked)
{
	if (!worked)
		abort(); /* without memory, or misused */
}

struct multi *multi_new(struct loop *loop, unsigned most_connections, multi_ended_fn *ended,
			void *arg)
{
	struct multi *in = mem_new(struct multi);

	*in = (struct multi){ .loop = loop, .ended = ended, .ended_arg = arg };
	LIST_INIT(&in->sockets);
	in->curl = curl_multi_init();
	must(in->curl);
	curl_multi_setopt(in->curl, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(in->curl, CURLMOPT_SOCKETDATA, in);
	curl_multi_setopt(in->curl, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(in->curl, CURLMOPT_TIMERDATA, in);
	curl_multi_setopt(in->curl, CURLMOPT_MAXCONNECTS, (long)most_connections);
	return in;
}

static void forget_socket(struct watched *socket)
{
	LIST_REMOVE(socket, entry);
	loop_watch_cancel(socket->watch);
	free(socket);
}

void multi_free(struct multi *in)
{
	if (!in)
		return;
	curl_multi_cleanup(in->curl);
	while (!LIST_EMPTY(&in->sockets))
		forget_socket(LIST_FIRST(&in->sockets));
	loop_timer_cancel(in->timer);
	free(in);
}

bool multi_is_inside(const struct multi *in)
{
	return in->inside > 0;
}

void multi_add(struct multi *in, CURL *easy)
{
	in->inside++;
	must(curl_multi_add_handle(in->curl, easy) == CURLM_OK);
	in->inside--;
}

void multi_remove(struct multi *in, CURL *easy)
{
	in->inside++;
	must(curl_multi_remove_handle(in->curl, easy) == CURLM_OK);
	in->inside--;
}

/* Curl's callbacks: they only note what it wants. */

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct multi *in = arg;
	struct watched *socket;
	int ready = (what & CURL_POLL_IN ? LOOP_READABLE : 0) |
		    (what & CURL_POLL_OUT ? LOOP_WRITABLE : 0);

	(void)easy;
	(void)unused;
	LIST_FOREACH(socket, &in->sockets, entry)
	{
		if (socket->fd == fd)
			break;
	}
	if (what == CURL_POLL_REMOVE) {
		if (socket)
			forget_socket(socket);
		return 0;
	}
	if (!socket) {
		socket = mem_new(struct watched);
		socket->fd = fd;
		LIST_INSERT_HEAD(&in->sockets, socket, entry);
	}
	loop_watch_cancel(TAKE(socket->watch));
	if (ready)
		socket->watch = loop_watch(in->loop, fd, ready, socket_ready, in);
	return 0;
}

static int want_timer(CURLM *curl, long wait_ms, void *arg)
{
	struct multi *in = arg;

	(void)curl;
	loop_timer_cancel(TAKE(in->timer));
	if (wait_ms >= 0)
		in->timer = loop_after(in->loop, wait_ms, timer_due, in);
	return 0;
}

/* The loop's callbacks. */

static void socket_ready(int fd, int ready, void *arg)
{
	act(arg, fd,
	    (ready & LOOP_READABLE ? CURL_CSELECT_IN : 0) |
		    (ready & LOOP_WRITABLE ? CURL_CSELECT_OUT : 0));
}

static void timer_due(void *arg)
{
	struct multi *in = arg;

	in->timer = NULL;
	act(in, CURL_SOCKET_TIMEOUT, 0);
}

static void act(struct multi *in, curl_socket_t fd, int events)
{
	int running;

	in->inside++;
	must(curl_multi_socket_action(in->curl, fd, events, &running) == CURLM_OK);
	in->inside--;
	read_ended(in);
}

static void read_ended(struct multi *in)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(in->curl, &left))) {
		CURL *easy = message->easy_handle;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		multi_remove(in, easy); /* `message` is dead from here */
		in->ended(easy, result, in->ended_arg);
	}
}
