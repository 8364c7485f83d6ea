/* lines.c - in order: lines_server_new, accept_clients, read_request; lines_send, write_answers,
 * lines_end. Buffers are our own, not libevent's, since a request must be wiped wherever it lay. */
#include "loop/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "loop/loop.h"

#define MOST_REQUEST    ((size_t)64 * 1024)
#define MOST_UNSENT     ((size_t)16 * 1024 * 1024)
#define MOST_CLIENTS    16
#define REQUEST_WAIT_MS 10000
#define SEND_WAIT_MS    60000
#define FULL_WAIT_MS    1000

/* Where a client stands. */
enum client_state {
	CLIENT_ASKS,    /* its request is not complete */
	CLIENT_LISTENS, /* the handle is with `request`'s owner */
	CLIENT_BROKEN,  /* the same, but `gone` is on its way */
	CLIENT_LEAVES,  /* lines_end() was called: only unsent answers keep it */
};

struct lines_client {
	TAILQ_ENTRY(lines_client) entry;
	struct lines_server *server;
	enum client_state state;
	int fd;
	struct lines_peer peer;
	char *request; /* MOST_REQUEST + 1 bytes; NULL once asked */
	size_t request_len;
	char *unsent;
	size_t unsent_at, unsent_len, unsent_room;
	struct loop_watch *readable, *writable;
	struct loop_timer *deadline; /* of asking, of leaving; or `gone` on its way */
};

struct lines_server {
	struct loop *loop;
	int fd;
	char *path; /* to be unlinked; NULL if inherited */
	dev_t device;
	ino_t inode;
	struct loop_watch *watch;  /* NULL while descriptors are short */
	struct loop_timer *paused; /* ... and this is not */
	TAILQ_HEAD(, lines_client) clients;
	unsigned count;
	lines_request_fn *request;
	lines_gone_fn *gone;
	void *arg;
};

static void accept_clients(int fd, int ready, void *arg);
static void accept_again(void *arg);
static void read_request(int fd, int ready, void *arg);
static void ask_owner(struct lines_client *client, char *end);
static void write_answers(int fd, int ready, void *arg);
static void client_lost(struct lines_client *client);
static void deadline_passed(void *arg);
static void client_unlink(struct lines_client *client);
static void client_free(struct lines_client *client);

/* Listening. */

static bool is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive;

	if (fd < 0)
		return true; /* unknown: leave it alone */
	alive = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		errno != ECONNREFUSED;
	close(fd);
	return alive;
}

static int bind_0660(int fd, const struct sockaddr_un *address)
{
	mode_t before = umask(0117);
	int answer = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	int why = errno;

	umask(before);
	errno = why;
	return answer;
}

static bool bind_path(int fd, const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(err, ERROR_HUMAN, "control-path",
				 "control socket %s: a socket's path has at most %zu bytes", path,
				 sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	if (bind_0660(fd, &address) == 0)
		return true;
	if (errno != EADDRINUSE)
		return error_set(err, ERROR_HUMAN, "control-path", "control socket %s: %s", path,
				 strerror(errno));
	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return error_set(err, ERROR_HUMAN, "control-path",
				 "control socket %s: something that is no socket is in its place",
				 path);
	if (is_alive(&address))
		return error_set(err, ERROR_STATE, "already-running",
				 "control socket %s: another process listens there", path);
	if (unlink(path) < 0 || bind_0660(fd, &address) < 0)
		return error_set(err, ERROR_HUMAN, "control-path", "control socket %s: %s", path,
				 strerror(errno));
	return true;
}

static bool is_listening_unix_socket(int fd)
{
	int domain, listens;
	socklen_t size = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
}

static bool server_open(struct lines_server *in, const char *path, int inherited_fd,
			struct error *err)
{
	struct stat st;

	if (inherited_fd != -1) {
		if (!is_listening_unix_socket(inherited_fd))
			return error_set(err, ERROR_HUMAN, "control-path",
					 "control socket: the inherited descriptor %d is no "
					 "listening Unix socket",
					 inherited_fd);
		fcntl(inherited_fd, F_SETFL, fcntl(inherited_fd, F_GETFL) | O_NONBLOCK);
		fcntl(inherited_fd, F_SETFD, FD_CLOEXEC);
		in->fd = inherited_fd;
		return true;
	}
	in->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (in->fd < 0)
		return error_set(err, ERROR_RETRY, "descriptors", "control socket %s: %s", path,
				 strerror(errno));
	if (!bind_path(in->fd, path, err))
		return false;
	in->path = mem_strdup(path);
	if (stat(path, &st) == 0) {
		in->device = st.st_dev;
		in->inode = st.st_ino;
	}
	if (listen(in->fd, MOST_CLIENTS) < 0)
		return error_set(err, ERROR_HUMAN, "control-path", "control socket %s: %s", path,
				 strerror(errno));
	return true;
}

struct lines_server *lines_server_new(struct loop *loop, const char *path, int inherited_fd,
				      lines_request_fn *request, lines_gone_fn *gone, void *arg,
				      struct error *err)
{
	CLEANUP(lines_server_free) struct lines_server *in = mem_new(struct lines_server);

	*in = (struct lines_server){
		.loop = loop, .fd = -1, .request = request, .gone = gone, .arg = arg
	};
	TAILQ_INIT(&in->clients);
	if (!server_open(in, path, inherited_fd, err))
		return NULL;
	in->watch = loop_watch(loop, in->fd, LOOP_READABLE, accept_clients, in);
	return TAKE(in);
}

void lines_server_free(struct lines_server *in)
{
	struct lines_client *client;
	struct stat st;

	if (!in)
		return;
	while ((client = TAILQ_FIRST(&in->clients))) {
		client_unlink(client);
		client_free(client);
	}
	loop_watch_cancel(in->watch);
	loop_timer_cancel(in->paused);
	if (in->fd >= 0)
		close(in->fd);
	/* Unless somebody put another in its place. */
	if (in->path && lstat(in->path, &st) == 0 && st.st_dev == in->device &&
	    st.st_ino == in->inode)
		unlink(in->path);
	free(in->path);
	free(in);
}

static void client_new(struct lines_server *in, int fd)
{
	struct lines_client *client = mem_new(struct lines_client);
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	*client = (struct lines_client){
		.server = in,
		.fd = fd,
		.peer = { .uid = peer.uid, .pid = peer.pid },
		.request = mem_zeroed(MOST_REQUEST + 1, 1),
	};
	client->readable = loop_watch(in->loop, fd, LOOP_READABLE, read_request, client);
	client->deadline = loop_after(in->loop, REQUEST_WAIT_MS, deadline_passed, client);
	TAILQ_INSERT_TAIL(&in->clients, client, entry);
	in->count++;
}

static void accept_clients(int fd, int ready, void *arg)
{
	struct lines_server *in = arg;
	int client_fd;

	(void)ready;
	client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client_fd >= 0 && in->count < MOST_CLIENTS) {
		client_new(in, client_fd);
	} else if (client_fd >= 0) {
		close(client_fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		/* It stays readable: without a pause this would be a busy loop. */
		loop_watch_cancel(TAKE(in->watch));
		in->paused = loop_after(in->loop, FULL_WAIT_MS, accept_again, in);
	}
}

static void accept_again(void *arg)
{
	struct lines_server *in = arg;

	in->paused = NULL;
	in->watch = loop_watch(in->loop, in->fd, LOOP_READABLE, accept_clients, in);
}

/* One client. */

static void read_request(int fd, int ready, void *arg)
{
	struct lines_client *client = arg;
	char ignored[1024];
	bool asks = client->state == CLIENT_ASKS;
	char *into = asks ? client->request + client->request_len : ignored;
	size_t room = asks ? MOST_REQUEST + 1 - client->request_len : sizeof(ignored);
	ssize_t got = recv(fd, into, room, 0);
	char *end;

	(void)ready;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got == 0 && client->state == CLIENT_LEAVES) {
		loop_watch_cancel(TAKE(client->readable)); /* it may still read */
		return;
	}
	if (got <= 0) {
		client_lost(client);
		return;
	}
	if (!asks) {
		explicit_bzero(ignored, (size_t)got);
		return;
	}
	client->request_len += (size_t)got;
	end = memchr(into, '\n', (size_t)got);
	if (end)
		ask_owner(client, end);
	else if (client->request_len > MOST_REQUEST)
		client_lost(client);
}

static void ask_owner(struct lines_client *client, char *end)
{
	struct lines_server *in = client->server;
	struct lines_peer peer = client->peer;
	char *request = TAKE(client->request);

	loop_timer_cancel(TAKE(client->deadline));
	client->state = CLIENT_LISTENS;
	*end = '\0';
	in->request(client, &peer, request, (size_t)(end - request), in->arg);
	/* The client may be gone by now, and the server too. */
	explicit_bzero(request, MOST_REQUEST + 1);
	free(request);
}

static void lose_soon(struct lines_client *client)
{
	if (client->state != CLIENT_LISTENS)
		return;
	client->state = CLIENT_BROKEN;
	client->deadline = loop_soon(client->server->loop, deadline_passed, client);
}

void lines_send(struct lines_client *client, const char *text)
{
	size_t len = strlen(text) + 1, left = client->unsent_len - client->unsent_at;

	if (client->state != CLIENT_LISTENS)
		return;
	if (left + len > MOST_UNSENT) {
		lose_soon(client);
		return;
	}
	if (client->unsent_len + len > client->unsent_room) {
		if (left)
			memmove(client->unsent, client->unsent + client->unsent_at, left);
		client->unsent_at = 0;
		client->unsent_len = left;
		if (left + len > client->unsent_room) {
			client->unsent_room = 2 * (left + len);
			client->unsent = mem_resize(client->unsent, client->unsent_room, 1);
		}
	}
	memcpy(client->unsent + client->unsent_len, text, len - 1);
	client->unsent_len += len;
	client->unsent[client->unsent_len - 1] = '\n';
	if (!client->writable)
		client->writable = loop_watch(client->server->loop, client->fd, LOOP_WRITABLE,
					      write_answers, client);
}

void lines_end(struct lines_client *client)
{
	loop_timer_cancel(TAKE(client->deadline)); /* `gone`, if it was on its way */
	if (client->state == CLIENT_BROKEN || !client->writable) {
		client_unlink(client);
		client_free(client);
		return;
	}
	client->state = CLIENT_LEAVES;
	client->deadline = loop_after(client->server->loop, SEND_WAIT_MS, deadline_passed, client);
}

static void write_answers(int fd, int ready, void *arg)
{
	struct lines_client *client = arg;
	ssize_t sent = send(fd, client->unsent + client->unsent_at,
			    client->unsent_len - client->unsent_at, MSG_NOSIGNAL);

	(void)ready;
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (sent < 0) {
		client_lost(client);
		return;
	}
	client->unsent_at += (size_t)sent;
	if (client->unsent_at < client->unsent_len)
		return;
	loop_watch_cancel(TAKE(client->writable));
	if (client->state == CLIENT_LEAVES)
		client_lost(client);
}

/* From the loop. The end of a client: `gone` is told if somebody still holds the handle. */
static void client_lost(struct lines_client *client)
{
	struct lines_server *in = client->server;

	client_unlink(client); /* first, so that `gone` may free the server */
	if (client->state == CLIENT_LISTENS || client->state == CLIENT_BROKEN)
		in->gone(client, in->arg);
	client_free(client);
}

static void deadline_passed(void *arg)
{
	struct lines_client *client = arg;

	client->deadline = NULL;
	client_lost(client);
}

static void client_unlink(struct lines_client *client)
{
	TAILQ_REMOVE(&client->server->clients, client, entry);
	client->server->count--;
}

static void client_free(struct lines_client *client)
{
	loop_watch_cancel(client->readable);
	loop_watch_cancel(client->writable);
	loop_timer_cancel(client->deadline);
	close(client->fd);
	if (client->request)
		explicit_bzero(client->request, MOST_REQUEST + 1);
	free(client->request);
	free(client->unsent);
	free(client);
}
