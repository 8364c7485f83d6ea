#include "auth/redirect.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/mem.h"
#include "secret/secret.h"

#define MOST_QUERY       8192
#define MOST_CODE        4096
#define MOST_STATE       256
#define MOST_ERROR       48
#define MOST_DESCRIPTION 160
#define MOST_ISS         256

/* Encoded text, somewhere in the query. */
struct span {
	const char *text; /* NULL if there is none */
	size_t len;
};

struct spans {
	struct span state, code, error, description, iss;
};

static bool refuse(struct error *err, const char *what)
{
	return error_set(err, ERROR_HUMAN, "not-the-answer",
			 "this is not a login's answer: %s; it is to be opened or copied whole",
			 what);
}

static int hex_digit(char in)
{
	if (in >= '0' && in <= '9')
		return in - '0';
	if (in >= 'a' && in <= 'f')
		return in - 'a' + 10;
	return in >= 'A' && in <= 'F' ? in - 'A' + 10 : -1;
}

/* Takes one byte off the front; -1 if it is none: half an escape, a NUL, or raw what no URL has. */
static int next_byte(struct span *in)
{
	char first = *in->text;
	size_t took = first == '%' ? 3 : 1;
	int high, low;

	if (in->len < took || first <= ' ' || first > '~')
		return -1;
	high = took == 3 ? hex_digit(in->text[1]) : 0;
	low = took == 3 ? hex_digit(in->text[2]) : 0;
	in->text += took;
	in->len -= took;
	if (took == 1)
		return first == '+' ? ' ' : first;
	return high < 0 || low < 0 || high + low == 0 ? -1 : 16 * high + low;
}

static bool is_encoded(struct span in)
{
	while (in.len)
		if (next_byte(&in) < 0)
			return false;
	return true;
}

static size_t decoded_len(struct span in)
{
	size_t len = 0;

	for (; in.len; len++)
		next_byte(&in);
	return len;
}

/* Only printable ASCII, as RFC 6749 appendix A has codes and states. */
static bool is_printable(struct span in)
{
	while (in.len) {
		int byte = next_byte(&in);

		if (byte < ' ' || byte > '~')
			return false;
	}
	return true;
}

static bool is_name(struct span in, const char *name)
{
	for (; in.len && *name; name++)
		if (next_byte(&in) != *name)
			return false;
	return !in.len && !*name;
}

static struct span *span_named(struct spans *in, struct span name)
{
	const struct {
		const char *name;
		struct span *span;
	} rows[] = {
		{ "state", &in->state }, { "code", &in->code },
		{ "error", &in->error }, { "error_description", &in->description },
		{ "iss", &in->iss },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (is_name(name, rows[i].name))
			return rows[i].span;
	return NULL;
}

static bool sort_pair(struct spans *in, struct span pair, struct error *err)
{
	const char *equals = memchr(pair.text, '=', pair.len);
	struct span name = { pair.text, equals ? (size_t)(equals - pair.text) : pair.len };
	struct span value = { pair.text + pair.len, 0 }, *known;

	if (equals)
		value = (struct span){ equals + 1, pair.len - name.len - 1 };
	if (!is_encoded(name) || !is_encoded(value))
		return refuse(err, "it holds bytes that no address has, or half an escape");
	known = span_named(in, name);
	if (!known)
		return true;
	if (known->text)
		return refuse(err, "it says one of its parameters twice");
	*known = value;
	return true;
}

static bool sort_pairs(struct spans *in, const char *query, size_t len, struct error *err)
{
	const char *end = query + len;

	while (query < end) {
		const char *next = memchr(query, '&', (size_t)(end - query));
		struct span pair = { query, (size_t)((next ? next : end) - query) };

		if (!sort_pair(in, pair, err))
			return false;
		query = next ? next + 1 : end;
	}
	return true;
}

static bool is_value(struct span in, size_t most)
{
	return in.len && decoded_len(in) <= most && is_printable(in);
}

static bool check_spans(const struct spans *in, struct error *err)
{
	if (!in->state.text)
		return refuse(err, "it has no state");
	if (in->code.text && in->error.text)
		return refuse(err, "it has both a code and an error");
	if (!in->code.text && !in->error.text)
		return refuse(err, "it has neither a code nor an error");
	if (!is_value(in->state, MOST_STATE))
		return refuse(err, "its state is empty, too long or not plain text");
	if (in->code.text && !is_value(in->code, MOST_CODE))
		return refuse(err, "its code is empty, too long or not plain text");
	if (in->error.text && !in->error.len)
		return refuse(err, "its error is empty");
	if (in->iss.text && !is_value(in->iss, MOST_ISS))
		return refuse(err, "its issuer is empty, too long or not plain text");
	return true;
}

static void decode(struct span in, char *to)
{
	while (in.len)
		*to++ = (char)next_byte(&in);
}

static struct secret *decode_secret(struct span in)
{
	char *place;
	struct secret *made;

	if (!in.text)
		return NULL;
	made = secret_blank(decoded_len(in), &place);
	decode(in, place);
	secret_close(made);
	return made;
}

static char *decode_text(struct span in)
{
	char *made;

	if (!in.text)
		return NULL;
	made = mem_zeroed(decoded_len(in) + 1, 1);
	decode(in, made);
	return made;
}

/* For people's eyes, between quotes: whatever may be in there. */
static char *decode_shown(struct span in, size_t most)
{
	char *made = decode_text(in);

	if (!made)
		return NULL;
	if (strlen(made) > most)
		strcpy(made + most - 3, "...");
	for (char *at = made; *at; at++)
		if (*at < ' ' || *at > '~' || strchr("\"'`\\", *at))
			*at = '?';
	return made;
}

bool redirect_parse(const char *query, size_t len, struct redirect *ret, struct error *err)
{
	struct spans in = { 0 };

	if (len > MOST_QUERY)
		return refuse(err, "it is too long");
	if (!sort_pairs(&in, query, len, err) || !check_spans(&in, err))
		return false;
	*ret = (struct redirect){
		.state = decode_secret(in.state),
		.code = decode_secret(in.code),
		.error = decode_shown(in.error, MOST_ERROR),
		.description = decode_shown(in.description, MOST_DESCRIPTION),
		.iss = decode_text(in.iss),
	};
	return true;
}

void redirect_done(struct redirect *in)
{
	secret_free(in->state);
	secret_free(in->code);
	free(in->error);
	free(in->description);
	free(in->iss);
	*in = (struct redirect){ 0 };
}

bool redirect_is_from(const struct redirect *in, const char *authorize_url)
{
	const char *host = strstr(authorize_url, "://");
	size_t len;

	if (!in->iss)
		return true;
	if (!host)
		return false;
	len = (size_t)(host - authorize_url) + 3;
	len += strcspn(authorize_url + len, "/?#");
	return strncasecmp(in->iss, authorize_url, len) == 0 &&
	       (in->iss[len] == '\0' || in->iss[len] == '/');
}
