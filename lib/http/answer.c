#include "http/answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/utc.h"
#include "secret/secret.h"

#define MOST_HEADER_BYTES  ((size_t)64 * 1024)
#define MOST_RETRY_AFTER_S 3600
#define RATIO_FROM         ((size_t)1024 * 1024)
#define MOST_RATIO         200
/* What curl has received may lag by one read of its buffer while a chunked body is decoded. */
#define WIRE_LAG 16384

void answer_done(struct answer *in)
{
	if (in->body)
		secret_wipe(in->body, in->body_room);
	free(in->body);
	*in = (struct answer){ 0 };
}

static bool read_status(const char *line, size_t len, int *ret)
{
	const char *space = memchr(line, ' ', len);
	int status = 0;

	if (!space || len - (size_t)(space - line) < 4)
		return false;
	for (int i = 1; i <= 3; i++) {
		if (space[i] < '0' || space[i] > '9')
			return false;
		status = status * 10 + (space[i] - '0');
	}
	*ret = status;
	return status >= 100;
}

/* A value too long for its place counts as absent: nothing sensible is. */
static void take_value(struct answer *in, const char *line, size_t len)
{
	const struct {
		const char *name;
		char *into;
		size_t size;
	} rows[] = {
		{ "Content-Type", in->content_type, sizeof(in->content_type) },
		{ "Date", in->date, sizeof(in->date) },
		{ "Last-Modified", in->last_modified, sizeof(in->last_modified) },
		{ "Sforce-Limit-Info", in->limit_info, sizeof(in->limit_info) },
		{ "Retry-After", in->retry_after, sizeof(in->retry_after) },
	};
	const char *colon = memchr(line, ':', len), *value;

	if (!colon)
		return;
	value = colon + 1;
	while (value < line + len && (*value == ' ' || *value == '\t'))
		value++;
	while (len && strchr(" \t\r\n", line[len - 1]))
		len--;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t name_len = strlen(rows[i].name), value_len;

		if ((size_t)(colon - line) != name_len ||
		    strncasecmp(line, rows[i].name, name_len) != 0)
			continue;
		value_len = value < line + len ? (size_t)(line + len - value) : 0;
		if (value_len >= rows[i].size || memchr(value, '\0', value_len))
			value_len = 0;
		memcpy(rows[i].into, value, value_len);
		rows[i].into[value_len] = '\0';
	}
}

bool answer_header(struct answer *in, const char *line, size_t len, struct error *err)
{
	in->header_bytes += len;
	if (in->header_bytes > MOST_HEADER_BYTES)
		return error_set(err, ERROR_RETRY, "too-large",
				 "the answer has more than %zu bytes of headers",
				 MOST_HEADER_BYTES);
	if (in->headers_end)
		return true; /* a trailer */
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* Perhaps after a 1xx, which is forgotten. */
		size_t header_bytes = in->header_bytes;

		answer_done(in);
		in->header_bytes = header_bytes;
		if (!read_status(line, len, &in->status))
			return error_set(err, ERROR_RETRY, "protocol",
					 "the answer's status line is no HTTP status line");
	} else if (len <= 2 && in->status >= 200) {
		in->headers_end = true;
	} else {
		take_value(in, line, len);
	}
	return true;
}

bool answer_count(struct answer *in, size_t len, int64_t wire_bytes, size_t most, struct error *err)
{
	in->decoded_bytes += len;
	if (in->decoded_bytes > most)
		return error_set(err, ERROR_RETRY, "too-large",
				 "the answer's body has more than %zu bytes", most);
	if (in->decoded_bytes > RATIO_FROM &&
	    in->decoded_bytes / MOST_RATIO > (size_t)wire_bytes + WIRE_LAG)
		return error_set(err, ERROR_RETRY, "too-large",
				 "the answer's body expands more than %d-fold", MOST_RATIO);
	return true;
}

void answer_keep(struct answer *in, const char *bytes, size_t len)
{
	if (in->body_len + len + 1 > in->body_room) {
		size_t room = 2 * (in->body_len + len) + 1024;
		char *grown = mem_resize(NULL, room, 1);

		if (in->body) {
			memcpy(grown, in->body, in->body_len);
			secret_wipe(in->body, in->body_len);
			free(in->body);
		}
		in->body = grown;
		in->body_room = room;
	}
	memcpy(in->body + in->body_len, bytes, len);
	in->body_len += len;
	in->body[in->body_len] = '\0';
}

bool answer_is_good(const struct answer *in)
{
	return in->status >= 200 && in->status < 300;
}

static int64_t read_retry_after(const char *text, int64_t now_ms)
{
	int64_t seconds = 0, until_ms;
	const char *at = text;

	if (utc_parse_http(text, &until_ms)) {
		seconds = until_ms > now_ms ? (until_ms - now_ms + 999) / 1000 : 0;
	} else {
		for (; *at >= '0' && *at <= '9'; at++)
			if (seconds <= MOST_RETRY_AFTER_S)
				seconds = seconds * 10 + (*at - '0');
		if (*at)
			return 0;
	}
	return seconds < MOST_RETRY_AFTER_S ? seconds : MOST_RETRY_AFTER_S;
}

void answer_response(const struct answer *in, int64_t now_ms, struct http_response *ret)
{
	int64_t date_ms = 0;

	if (!utc_parse_http(in->date, &date_ms))
		date_ms = 0;
	*ret = (struct http_response){
		.status = in->status,
		.date_ms = date_ms,
		.retry_after_s = read_retry_after(in->retry_after, date_ms ? date_ms : now_ms),
		.content_type = in->content_type,
		.limit_info = in->limit_info,
		.last_modified = in->last_modified,
		.body = in->body ? in->body : "",
		.body_len = in->body_len,
	};
}
