/* call.h - one request and the answer being made for it, apart from any connection.
 *
 * A handler reads the upper half and fills the lower one. As no evhttp type is in it, a composite
 * request can make calls of its parts. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kind.h"
#include "params.h"
#include "text.h"

struct evkeyvalq;
struct json_object;
struct problem;
struct problems;
struct session;
struct write;

enum verb { VERB_GET, VERB_HEAD, VERB_POST, VERB_PATCH, VERB_PUT, VERB_DELETE, VERB_OTHER };

#define CALL_PARTS_MAX 10

struct call_header {
	const char *name; /* constant */
	char *value;      /* owned */
};

struct call {
	enum verb verb;
	char *path;                  /* without the query string, not decoded */
	char *parts[CALL_PARTS_MAX]; /* owned: the path's segments, decoded */
	size_t part_count;
	struct params query;
	const struct evkeyvalq *headers; /* borrowed; NULL if there are none */
	struct evkeyvalq *own_headers;   /* owned, of a call that no connection brought; or NULL */
	const char *body;                /* borrowed, unpacked */
	size_t body_length;
	struct json_object *json; /* owned: the body once it was read; NULL before */
	enum kind kind;
	const char *version;           /* "v66.0", of a call under /services/data/ */
	const struct session *session; /* NULL until it is checked */

	int status;
	const char *type; /* Content-Type */
	struct text out;
	const char *error; /* the errorCode it ended with, or NULL */
	bool has_failures; /* a record of many failed, though the status is 200 */
	struct call_header extra[6];
	size_t extra_count;
	bool faulted;
	bool is_all_or_none; /* a part of such a whole */
	bool is_late;        /* received long ago (pending.h): it was noted then */

	struct write *write; /* its entry in the log of writes (write_log.h), or NULL */
	size_t write_from, write_count;

	/* Called once with the number when the answer has left, or can no longer; may be NULL. */
	void (*on_left)(size_t number);
	size_t left_number;
};

/* Takes the path with its query string apart. */
void call_open(struct call *in, enum verb verb, const char *uri);
void call_close(struct call *in);

const char *call_header(const struct call *in, const char *name);
const char *call_param(const struct call *in, const char *name);

/* `value` is copied. */
void call_add_header(struct call *in, const char *name, const char *value);

/* Ends. Each throws away what was written before. */
void call_fail(struct call *in, const struct problem *problem);
void call_fail_all(struct call *in, const struct problems *problems);
void call_error(struct call *in, int status, const char *code, const char *message);
void call_not_found(struct call *in);
void call_not_allowed(struct call *in);
void call_empty(struct call *in, int status);
void call_plain(struct call *in, int status, const char *words);

/* The JSON object of the body, to be put; NULL if it is none, and then the call has ended. */
struct json_object *call_json(struct call *in);
