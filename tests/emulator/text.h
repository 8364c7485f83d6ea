/* text.h - a growing text, and JSON written into it.
 *
 * Answers are written as text at once, with no tree between: a page of 2,000 records is some
 * 100,000 values. All zero is an empty text. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	char *at; /* owned; not always NUL-terminated, see text_done() */
	size_t used;
	size_t room;
};

/* Room for `more` bytes behind what is used. */
void text_need(struct text *in, size_t more);
void text_free(struct text *in);

/* The text with a NUL behind it; good until the next change. */
const char *text_done(struct text *in);

void text_printf(struct text *in, const char *format, ...)
	__attribute__((format(printf, 2, 3), nonnull(2)));

/* A JSON string in quotes. A NULL `from` is written as null. */
void text_json(struct text *in, const char *from, size_t length);
void text_json_word(struct text *in, const char *from);

/* A number as Java prints it, which Salesforce does: 250000.0, 1.0E7. */
void text_double(struct text *in, double number);
void text_int(struct text *in, int64_t number);

static inline void text_add(struct text *in, const char *from, size_t length)
{
	if (in->room - in->used < length)
		text_need(in, length);
	if (length)
		memcpy(in->at + in->used, from, length);
	in->used += length;
}

static inline void text_word(struct text *in, const char *from)
{
	text_add(in, from, strlen(from));
}

static inline void text_char(struct text *in, char one)
{
	text_add(in, &one, 1);
}

static inline void text_bool(struct text *in, bool yes)
{
	text_word(in, yes ? "true" : "false");
}
