/* lines.h - a Unix socket on which clients send one line and get lines back: the control socket.
 *
 * A request is one line of at most 64 KiB within 10 s, else the client is dropped; at most 16
 * clients at a time, further ones are closed at once. What follows the line is ignored. A client
 * that lets more than 16 MiB of answers lie, or does not take the rest within a minute of
 * lines_end(), is dropped too. The peer's uid and pid are SO_PEERCRED's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/mem.h"

struct error;
struct lines_client;
struct lines_server;
struct loop;

struct lines_peer {
	uid_t uid;
	pid_t pid;
};

/* A request arrived. `line` (NUL-terminated, without its newline) is good during the call only and
 * wiped after it, since it may carry a secret. Answer with lines_send() now or later and end with
 * lines_end(). */
typedef void lines_request_fn(struct lines_client *client, const struct lines_peer *peer,
			      char *line, size_t len, void *arg);

/* The client went away (closing its sending side is that too), or was dropped, before lines_end():
 * forget the handle. Not called before a request, nor after lines_end(). */
typedef void lines_gone_fn(struct lines_client *client, void *arg);

/* Listens on `path`, mode 0660, replacing a dead socket there; or, if `inherited_fd` is not -1, on
 * that socket (systemd's; taken over on success). A socket at `path` on which somebody listens is
 * left alone: ERROR_STATE code already-running. Changes the umask for a moment: to be called before
 * other threads make files. */
struct lines_server *lines_server_new(struct loop *loop, const char *path, int inherited_fd,
				      lines_request_fn *request, lines_gone_fn *gone, void *arg,
				      struct error *err);

/* Closes everything; clients still waiting are cut without `gone`. Unlinks a path it made. */
void lines_server_free(struct lines_server *in);
CLEANUP_DEFINE(struct lines_server, lines_server_free)

/* Queues `text` and a newline. */
void lines_send(struct lines_client *client, const char *text);

/* Closes once everything queued is sent; the handle is dead. */
void lines_end(struct lines_client *client);
