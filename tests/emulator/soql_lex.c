/* soql_lex.c - tokens and string literals of a query. */
#include "soql.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "mem.h"

static struct soql_token token(enum soql_token_kind kind, const char *from, const char *end)
{
	return (struct soql_token){ kind, { from, (size_t)(end - from) } };
}

static struct soql_token string_token(const char **at)
{
	const char *from = *at, *end = from + 1;

	while (*end && *end != '\'') {
		if (*end == '\\' && end[1])
			end++;
		end++;
	}
	if (!*end) {
		*at = end;
		return token(SOQL_BAD, from, end);
	}
	*at = end + 1;
	return token(SOQL_STRING, from, end + 1);
}

/* A number, or a date with or without time: they all begin with digits. */
static struct soql_token digit_token(const char **at)
{
	const char *from = *at, *end = from;
	enum soql_token_kind kind = SOQL_NUMBER;

	if (*end == '-' || *end == '+')
		end++;
	while (isdigit((unsigned char)*end))
		end++;
	if (end - from == 4 && *end == '-') {
		kind = SOQL_DATE;
		while (isdigit((unsigned char)*end) || *end == '-')
			end++;
		if (*end == 'T' || *end == 't') {
			kind = SOQL_DATETIME;
			while (isalnum((unsigned char)*end) || strchr(":.+-", *end)) {
				if (!*end)
					break;
				end++;
			}
		}
	} else {
		while (isalnum((unsigned char)*end) || *end == '.' ||
		       ((*end == '-' || *end == '+') && (end[-1] == 'e' || end[-1] == 'E')))
			end++;
		for (const char *c = from; c < end; c++)
			if (isalpha((unsigned char)*c) && *c != 'e' && *c != 'E')
				kind = SOQL_BAD;
	}
	*at = end;
	return token(kind, from, end);
}

struct soql_token soql_next_token(const char **at)
{
	const char *from, *end;

	while (isspace((unsigned char)**at))
		(*at)++;
	from = end = *at;
	if (!*from)
		return token(SOQL_END, from, from);
	if (*from == '\'')
		return string_token(at);
	if (isdigit((unsigned char)*from) ||
	    ((*from == '-' || *from == '+') && (isdigit((unsigned char)from[1]) || from[1] == '.')))
		return digit_token(at);
	if (isalpha((unsigned char)*from)) {
		while (isalnum((unsigned char)*end) || *end == '_' || *end == '.')
			end++;
		*at = end;
		return token(SOQL_NAME, from, end);
	}
	if (!strncmp(from, "!=", 2) || !strncmp(from, "<=", 2) || !strncmp(from, ">=", 2) ||
	    !strncmp(from, "<>", 2))
		*at = from + 2;
	else if (strchr("=<>(),:", *from))
		*at = from + 1;
	else {
		do
			(*at)++; /* the whole character */
		while (((unsigned char)**at & 0xc0) == 0x80);
		return token(SOQL_BAD, from, *at);
	}
	return token(SOQL_SYMBOL, from, *at);
}

bool soql_is(struct soql_slice name, const char *word)
{
	return strlen(word) == name.length && strncasecmp(name.at, word, name.length) == 0;
}

static size_t put_utf8(char *out, unsigned point)
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xc0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | point >> 12);
	out[1] = (char)(0x80 | (point >> 6 & 0x3f));
	out[2] = (char)(0x80 | (point & 0x3f));
	return 3;
}

/* \uXXXX; returns the characters read, 0 if it is none. */
static size_t unicode(const char *at, const char *end, char *out, size_t *used)
{
	unsigned point = 0;

	if (end - at < 5)
		return 0;
	for (int i = 1; i <= 4; i++) {
		int one = tolower((unsigned char)at[i]);

		if (!isxdigit(one))
			return 0;
		point = point * 16 + (unsigned)(isdigit(one) ? one - '0' : one - 'a' + 10);
	}
	if (point == 0 || (point >= 0xd800 && point < 0xe000))
		return 0;
	*used += put_utf8(out + *used, point);
	return 5;
}

char *soql_unquote(struct soql_slice literal, bool like)
{
	static const char names[] = "nNrRtTbBfF\"'\\", means[] = "\n\n\r\r\t\t\b\b\f\f\"'\\";
	const char *at = literal.at + 1, *end = literal.at + literal.length - 1;
	char *out = mem_new(literal.length * 2);
	size_t used = 0;

	while (at < end) {
		const char *known;
		size_t took;

		if (*at != '\\') {
			out[used++] = *at++;
			continue;
		}
		at++;
		known = strchr(names, *at);
		if ((*at == '%' || *at == '_') && like) {
			out[used++] = '\\';
			out[used++] = *at++;
		} else if (*at == '\\' && like) {
			out[used++] = '\\';
			out[used++] = *at++;
		} else if (known && *known) {
			out[used++] = means[known - names];
			at++;
		} else if ((*at == 'u' || *at == 'U') && (took = unicode(at, end, out, &used))) {
			at += took;
		} else {
			free(out);
			return NULL;
		}
	}
	out[used] = '\0';
	return out;
}
