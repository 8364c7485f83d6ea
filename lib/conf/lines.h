/* lines.h - the bytes of a conf file as logical lines: section headers, and keys with values.
 *
 * Knows the syntax and nothing of what the keys mean: `[word name]`, `key = value`, comments on
 * lines of their own, a backslash at a line's end continues it on the next (comments between are
 * left out). What is no line is a mistake and is left out; reading goes on behind it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct conf_mistakes;

#define CONF_FILE_MOST  (1024 * 1024)
#define CONF_LINE_MOST  16384
#define CONF_KEY_MOST   200
#define CONF_TITLE_MOST 64 /* of a section's name */

struct conf_line {
	const char *file; /* borrowed from conf_lines_read */
	int line;         /* the first of those it was continued on */
	bool is_section;
	char *key;   /* a section's word */
	char *value; /* a section's name; "" if there is none */
};

struct conf_lines {
	struct conf_line *items;
	size_t count;
};
void conf_lines_done(struct conf_lines *in);

/* Appends the lines of the file at `path`, which must outlive them. A file that is not ours to
 * trust, or not text, is one mistake and no line: the answer is then false. */
bool conf_lines_read(struct conf_lines *in, const char *path, struct conf_mistakes *mistakes);
