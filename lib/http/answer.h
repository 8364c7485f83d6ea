/* answer.h - what a server sent: the status, the few headers we read, the body, and the limits of
 * all of them. Private to lib/http; knows no curl. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http.h"

#define ANSWER_MOST_ERROR_BODY ((size_t)64 * 1024)

struct answer {
	int status;
	bool headers_end;
	size_t header_bytes;
	char content_type[128];
	char date[64];
	char last_modified[64];
	char limit_info[256];
	char retry_after[64];
	char *body; /* wiped when given back: a token may be in it */
	size_t body_len, body_room;
	size_t decoded_bytes; /* of the body, kept or handed on */
};

void answer_done(struct answer *in);

/* One line as curl gives it, the status line and the empty one included. False: ERROR_RETRY
 * too-large or protocol. */
bool answer_header(struct answer *in, const char *line, size_t len, struct error *err);

/* Counts a piece of the body, decoded, `wire_bytes` having been received for all of it so far;
 * `most` is the class's limit. */
bool answer_count(struct answer *in, size_t len, int64_t wire_bytes, size_t most,
		  struct error *err);

/* Keeps a piece in `body`. */
void answer_keep(struct answer *in, const char *bytes, size_t len);

bool answer_is_good(const struct answer *in); /* 2xx */

/* Borrows from `in`. `now_ms` is what Retry-After dates are read against where the server says no
 * Date. */
void answer_response(const struct answer *in, int64_t now_ms, struct http_response *ret);
