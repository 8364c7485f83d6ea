/* peer.h - a scripted HTTP server for tests: on loopback, on the test's own loop, so that nothing
 * waits and nothing races.
 *
 * The test puts answers in a row; each request, once it is here whole, gets the next. With no
 * answer left a request hangs. Requests are kept to be looked at. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct loop;
struct peer;

struct peer *peer_new(struct loop *loop);
void peer_free(struct peer *in);
CLEANUP_DEFINE(struct peer, peer_free)

/* "http://127.0.0.1:PORT", good until peer_free(). */
const char *peer_url(const struct peer *in);
int peer_port(const struct peer *in);

/* What becomes of the connection once the answer's bytes are sent. */
enum peer_then {
	PEER_KEEP,  /* open: the next request may come, or peer_more() */
	PEER_CLOSE, /* closed in good order */
	PEER_RESET, /* torn down */
};

/* Raw bytes, status line and all. */
void peer_answer_raw(struct peer *in, const char *bytes, size_t len, enum peer_then then);

/* "HTTP/1.1 STATUS", Content-Length, `headers` ("Name: value\r\n..." or ""), `body`; kept open. */
void peer_answer(struct peer *in, int status, const char *headers, const char *body);

/* Sends more on the connection that was last answered. */
void peer_more(struct peer *in, const char *bytes, size_t len, enum peer_then then);

/* Says `text` first on each connection from now on, as no HTTP server does. Borrowed. */
void peer_greet(struct peer *in, const char *text);

/* Stops listening: connections are refused from now on. */
void peer_refuse(struct peer *in);

/* Requests that have come in whole, in order: head and body as they came, NUL-terminated. */
size_t peer_count(const struct peer *in);
const char *peer_request(const struct peer *in, size_t which);

/* Bytes received since the start, whatever they are. */
size_t peer_received(const struct peer *in);

/* Connections accepted since the start, and those open now. */
size_t peer_connections(const struct peer *in);
size_t peer_open(const struct peer *in);
