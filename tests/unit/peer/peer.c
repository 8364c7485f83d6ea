#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"

struct answer_row {
	STAILQ_ENTRY(answer_row) entry;
	char *bytes;
	size_t len;
	enum peer_then then;
};

struct conn {
	TAILQ_ENTRY(conn) entry;
	struct peer *peer;
	int fd;
	char *got;
	size_t got_len;
	char *unsent;
	size_t unsent_len;
	enum peer_then then; /* once all is sent */
	struct loop_watch *readable, *writable;
};

struct peer {
	struct loop *loop;
	int fd, port;
	char url[64];
	struct loop_watch *watch;
	STAILQ_HEAD(, answer_row) answers;
	TAILQ_HEAD(, conn) conns;
	struct conn *last; /* answered; NULL if gone */
	char **requests;
	size_t request_count, conn_count, open_count, received;
	const char *greeting; /* NULL: none */
};

static void accept_conn(int fd, int ready, void *arg);
static void read_conn(int fd, int ready, void *arg);
static void write_conn(int fd, int ready, void *arg);

static void must(bool worked)
{
	if (!worked) {
		perror("peer");
		abort();
	}
}

struct peer *peer_new(struct loop *loop)
{
	struct peer *in = mem_new(struct peer);
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);

	in->loop = loop;
	STAILQ_INIT(&in->answers);
	TAILQ_INIT(&in->conns);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	must(in->fd >= 0);
	must(bind(in->fd, (struct sockaddr *)&address, size) == 0);
	must(listen(in->fd, 64) == 0);
	must(getsockname(in->fd, (struct sockaddr *)&address, &size) == 0);
	in->port = ntohs(address.sin_port);
	snprintf(in->url, sizeof(in->url), "http://127.0.0.1:%d", in->port);
	in->watch = loop_watch(loop, in->fd, LOOP_READABLE, accept_conn, in);
	return in;
}

static void conn_free(struct conn *in)
{
	if (in->peer->last == in)
		in->peer->last = NULL;
	TAILQ_REMOVE(&in->peer->conns, in, entry);
	in->peer->open_count--;
	loop_watch_cancel(in->readable);
	loop_watch_cancel(in->writable);
	close(in->fd);
	free(in->got);
	free(in->unsent);
	free(in);
}

void peer_refuse(struct peer *in)
{
	loop_watch_cancel(TAKE(in->watch));
	if (in->fd >= 0)
		close(in->fd);
	in->fd = -1;
}

void peer_free(struct peer *in)
{
	struct answer_row *row;

	if (!in)
		return;
	peer_refuse(in);
	while (!TAILQ_EMPTY(&in->conns))
		conn_free(TAILQ_FIRST(&in->conns));
	while ((row = STAILQ_FIRST(&in->answers))) {
		STAILQ_REMOVE_HEAD(&in->answers, entry);
		free(row->bytes);
		free(row);
	}
	for (size_t i = 0; i < in->request_count; i++)
		free(in->requests[i]);
	free(in->requests);
	free(in);
}

const char *peer_url(const struct peer *in)
{
	return in->url;
}

int peer_port(const struct peer *in)
{
	return in->port;
}

size_t peer_count(const struct peer *in)
{
	return in->request_count;
}

const char *peer_request(const struct peer *in, size_t which)
{
	return which < in->request_count ? in->requests[which] : "";
}

size_t peer_received(const struct peer *in)
{
	return in->received;
}

size_t peer_connections(const struct peer *in)
{
	return in->conn_count;
}

size_t peer_open(const struct peer *in)
{
	return in->open_count;
}

void peer_answer_raw(struct peer *in, const char *bytes, size_t len, enum peer_then then)
{
	struct answer_row *row = mem_new(struct answer_row);

	*row = (struct answer_row){ .bytes = mem_strndup(bytes, len), .len = len, .then = then };
	STAILQ_INSERT_TAIL(&in->answers, row, entry);
}

void peer_answer(struct peer *in, int status, const char *headers, const char *body)
{
	CLEANUP_FREE char *text =
		mem_format("HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n%s\r\n%s", status,
			   strlen(body), headers, body);

	peer_answer_raw(in, text, strlen(text), PEER_KEEP);
}

static void send_bytes(struct conn *conn, const char *bytes, size_t len, enum peer_then then)
{
	conn->unsent = mem_resize(conn->unsent, conn->unsent_len + len, 1);
	if (len)
		memcpy(conn->unsent + conn->unsent_len, bytes, len);
	conn->unsent_len += len;
	conn->then = then;
	if (!conn->writable)
		conn->writable =
			loop_watch(conn->peer->loop, conn->fd, LOOP_WRITABLE, write_conn, conn);
}

static void accept_conn(int fd, int ready, void *arg)
{
	struct peer *in = arg;
	struct conn *conn = mem_new(struct conn);

	(void)ready;
	*conn = (struct conn){ .peer = in };
	conn->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	must(conn->fd >= 0);
	in->conn_count++;
	in->open_count++;
	TAILQ_INSERT_TAIL(&in->conns, conn, entry);
	conn->readable = loop_watch(in->loop, conn->fd, LOOP_READABLE, read_conn, conn);
	if (in->greeting)
		send_bytes(conn, in->greeting, strlen(in->greeting), PEER_KEEP);
}

void peer_greet(struct peer *in, const char *text)
{
	in->greeting = text;
}

void peer_more(struct peer *in, const char *bytes, size_t len, enum peer_then then)
{
	must(in->last != NULL);
	send_bytes(in->last, bytes, len, then);
}

static void write_conn(int fd, int ready, void *arg)
{
	struct conn *in = arg;
	ssize_t sent = send(fd, in->unsent, in->unsent_len, MSG_NOSIGNAL);

	(void)ready;
	if (sent < 0 && errno == EAGAIN)
		return;
	if (sent < 0) {
		conn_free(in);
		return;
	}
	in->unsent_len -= (size_t)sent;
	memmove(in->unsent, in->unsent + sent, in->unsent_len);
	if (in->unsent_len)
		return;
	loop_watch_cancel(TAKE(in->writable));
	if (in->then == PEER_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
			   sizeof(struct linger));
	if (in->then != PEER_KEEP)
		conn_free(in);
}

/* The length of the first request in `got`, 0 if it is not whole. */
static size_t request_length(const struct conn *in)
{
	const char *end = in->got ? strstr(in->got, "\r\n\r\n") : NULL, *field;
	size_t len;

	if (!end)
		return 0;
	len = (size_t)(end - in->got) + 4;
	field = strcasestr(in->got, "\r\nContent-Length:");
	if (field && field < end)
		len += strtoul(field + 17, NULL, 10);
	return in->got_len >= len ? len : 0;
}

static void answer_next(struct conn *in)
{
	struct peer *peer = in->peer;
	struct answer_row *row = STAILQ_FIRST(&peer->answers);

	peer->last = in;
	if (!row)
		return;
	STAILQ_REMOVE_HEAD(&peer->answers, entry);
	send_bytes(in, row->bytes, row->len, row->then);
	free(row->bytes);
	free(row);
}

static void read_conn(int fd, int ready, void *arg)
{
	struct conn *in = arg;
	struct peer *peer = in->peer;
	char bytes[16384];
	ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
	size_t len;

	(void)ready;
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		conn_free(in);
		return;
	}
	peer->received += (size_t)got;
	in->got = mem_resize(in->got, in->got_len + (size_t)got + 1, 1);
	memcpy(in->got + in->got_len, bytes, (size_t)got);
	in->got_len += (size_t)got;
	in->got[in->got_len] = '\0';
	while ((len = request_length(in))) {
		peer->requests = mem_resize(peer->requests, peer->request_count + 1,
					    sizeof(*peer->requests));
		peer->requests[peer->request_count++] = mem_strndup(in->got, len);
		in->got_len -= len;
		memmove(in->got, in->got + len, in->got_len + 1);
		answer_next(in);
	}
}
