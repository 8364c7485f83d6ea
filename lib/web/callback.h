/* callback.h - the page on loopback to which a browser brings the answer of a login (RFC 8252
 * section 7.3).
 *
 * Listens while one login is pending, no longer. The host of `redirect_uri` is taken literally:
 * 127.0.0.1 or [::1], and for `localhost` both addresses or none, since a browser may try either
 * (on a machine without IPv6, where there is no [::1] to be tried, 127.0.0.1 alone). Only GET of
 * the exact path over HTTP/1.x with the Host of the redirect_uri is for us; a request is at most 8
 * KiB in all and must be there within 5 s of connecting; at most 4 connections at a time, further
 * ones are closed at once. Whatever else comes is refused (400, 404, 405, 413, 431, or no answer)
 * and changes nothing. Answers are constant pages: nothing of a request is in them; no-store,
 * no-referrer, and a content policy that loads nothing. Only what libevent refuses by itself, since
 * it cannot be read as a request without a body, gets libevent's own constant page without these
 * headers. */
#pragma once
#include <stddef.h>

#include "base/mem.h"

struct callback;
struct error;
struct loop;

enum callback_verdict {
	CALLBACK_WRONG, /* 400; goes on listening */
	CALLBACK_DONE,  /* "you may close this window"; stops listening */
	CALLBACK_DENIED /* "access was denied"; stops listening */
};

/* A request for us: what stands behind its '?', as it came, `len` bytes and a NUL. Wiped after the
 * call as far as it is ours. May not free the callback. */
typedef enum callback_verdict callback_fn(const char *query, size_t len, void *arg);

/* `redirect_uri`: "http://HOST:PORT/PATH", HOST as above, PORT from 1024, PATH without '%', query
 * or dots to be resolved. ERROR_HUMAN codes bad-redirect-uri, port-taken with who to ask (another
 * login, another program), and no-listener for what else the system says; ERROR_RETRY code
 * descriptors. */
struct callback *callback_new(struct loop *loop, const char *redirect_uri, callback_fn *fn,
			      void *arg, struct error *err);

/* At once; a page that is not sent yet goes to the kernel, which sends it. Not needed for the port
 * to be free again after a DONE or DENIED. NULL is allowed. */
void callback_free(struct callback *in);
CLEANUP_DEFINE(struct callback, callback_free)
