/* twice.c */
#include "twice.h"

#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>

#include "mem.h"

struct key {
	const char *at;
	size_t length;
};

/* The keys of the objects that are open, the innermost last. */
struct scope {
	struct key *keys;
	size_t count, room;
	size_t starts[64]; /* where the keys of each level begin */
	size_t depth;
};

static bool is_known(const struct scope *in, const char *at, size_t length)
{
	for (size_t i = in->starts[in->depth - 1]; i < in->count; i++)
		if (in->keys[i].length == length && strncasecmp(in->keys[i].at, at, length) == 0)
			return true;
	return false;
}

static void keep(struct scope *in, const char *at, size_t length)
{
	if (in->count == in->room) {
		in->room = in->room ? in->room * 2 : 64;
		in->keys = mem_grow(in->keys, in->room * sizeof(*in->keys));
	}
	in->keys[in->count++] = (struct key){ at, length };
}

static const char *string_end(const char *at, const char *end)
{
	while (at < end && *at != '"')
		at += *at == '\\' ? 2 : 1;
	return at < end ? at : end;
}

static bool is_key(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	return at < end && *at == ':';
}

void twice_find(const char *text, size_t length,
		void (*found)(const char *name, size_t length, void *arg), void *arg)
{
	const char *end = text + length;
	struct scope scope = { 0 };

	for (const char *at = text; at < end; at++) {
		if (*at == '{' && scope.depth < sizeof(scope.starts) / sizeof(scope.starts[0])) {
			scope.starts[scope.depth++] = scope.count;
		} else if (*at == '}' && scope.depth) {
			scope.count = scope.starts[--scope.depth];
		} else if (*at == '"') {
			const char *name = at + 1;

			at = string_end(name, end);
			if (at == end || !scope.depth || !is_key(at + 1, end))
				continue;
			if (is_known(&scope, name, (size_t)(at - name)))
				found(name, (size_t)(at - name), arg);
			else
				keep(&scope, name, (size_t)(at - name));
		}
	}
	free(scope.keys);
}
