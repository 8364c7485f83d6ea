/* http.h - requests on one curl multi handle, driven by the loop. The only user of curl.
 *
 * Every handle is made in one place with the same rules: https verified, TLS 1.2 or newer, no
 * redirects (3xx is an answer, never followed), no proxy from the environment, no cookies, no
 * netrc, HTTP/1.1, gzip. Everything a server may send is limited and counted after decompression;
 * a body that expands more than 200-fold past 1 MiB is refused. A reused connection that dies
 * before the first byte of an answer is tried once more on a new one for GET only (curl does that
 * by itself); nothing else is ever resent here. A request of HTTP_TOKEN gets a new connection, so
 * that none is lost that way. A body that is cut short of its Content-Length or last chunk is an
 * error; one that only its gzip stream or its meaning shows to be cut is not: whoever reads it
 * checks that it is complete. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct error;
struct http_client;
struct http_request;
struct loop;
struct secret;

struct http_options {
	const char *user_agent;
	const char *ca_file; /* NULL: the system's; for an https proxy, too */
	const char *proxy;   /* NULL: none */
	unsigned parallel;   /* requests under way at once, others wait their turn; 0: 4. Those of
				HTTP_TOKEN are not counted and do not wait */
	bool allow_plain;    /* http to loopback is admitted */
};

/* The first one starts curl, in the whole process, and removes SSLKEYLOGFILE from the environment:
 * to be called before there are other threads. The options are copied. ERROR_HUMAN code ca-file if
 * that cannot be read. */
struct http_client *http_client_new(struct loop *loop, const struct http_options *options,
				    struct error *err);
void http_client_free(struct http_client *in); /* all its requests must be done or cancelled */
CLEANUP_DEFINE(struct http_client, http_client_free)

/* What an answer may be: bytes after decompression, and seconds in all, counted from when the
 * request leaves the queue. Besides: 10 s to connect, TLS included; and once the body has begun,
 * less than 100 bytes/s for 60 s is a stall. */
enum http_class {
	HTTP_TOKEN, /* 64 KiB, cut there and no error; 30 s */
	HTTP_READ,  /* 1 GiB streamed (64 MiB if gathered), 150 s */
	HTTP_META,  /* 16 MiB, 150 s: describe */
	HTTP_WRITE, /* 64 MiB, 620 s */
};

struct http_response {
	int status;
	int64_t date_ms;           /* the server's Date; 0 if absent or unreadable */
	int64_t retry_after_s;     /* 0 if absent; never more than 3600 */
	const char *content_type;  /* "" if absent */
	const char *limit_info;    /* Sforce-Limit-Info, "" if absent */
	const char *last_modified; /* "" if absent */
	const char *body; /* NUL-terminated. Whole, unless on_body took it; error bodies (status >=
			     300) always stay here, cut at 64 KiB, and so is HTTP_TOKEN's */
	size_t body_len;
	int64_t wire_bytes; /* compressed bytes received */
};

/* Bytes of a 2xx body as they come, decompressed. Answer false to give up: the request then ends
 * with the error you set in `err`. */
typedef bool http_body_fn(const char *bytes, size_t len, void *arg, struct error *err);

/* The end. `err` is NULL if an HTTP answer of any status arrived whole; otherwise ERROR_RETRY with
 * a code of ours (dns, connect, tls, certificate, timeout, stalled, reset, too-large, protocol), or
 * what on_body said, or ERROR_BUG code bad-url, and `response` is NULL. `sent` is false if no byte
 * of the request can have left. All good only during the call; called once, from the loop, never
 * from inside http_start(); the handle is dead. */
typedef void http_done_fn(const struct http_response *response, bool sent, const struct error *err,
			  void *arg);

struct http_call {
	enum http_class class;
	const char *method;         /* GET, POST, PATCH, DELETE */
	const char *url;            /* absolute; copied */
	const char *const *headers; /* "Name: value", NULL-terminated list or NULL; copied */
	struct secret *bearer; /* Authorization: Bearer; borrowed during the start only, kept in
				  guarded memory */
	struct secret *form;   /* body that holds secrets (application/x-www-form-urlencoded);
				  borrowed during the start */
	const char *body;      /* other body, copied; NULL for none */
	size_t body_len;
	http_body_fn *on_body; /* NULL: the body is gathered in the response */
};

/* `arg` goes to on_body and to done. */
struct http_request *http_start(struct http_client *in, const struct http_call *call,
				http_done_fn *done, void *arg);

/* At once, however far it is; allowed in its own on_body too. NULL is allowed. */
void http_cancel(struct http_request *in);
