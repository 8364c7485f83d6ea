/* problem.c */
#include "problem.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

static size_t sequence(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Values quoted in a message are cut by bytes, or were no UTF-8 to begin with: drops the broken
 * characters, for the answer is JSON. */
static void clean(char *message)
{
	char *to = message;

	for (char *at = message; *at;) {
		size_t length = sequence((unsigned char)*at), good = 1;

		while (good < length && ((unsigned char)at[good] & 0xc0) == 0x80)
			good++;
		if (length && good == length) {
			memmove(to, at, length);
			to += length;
			at += length;
		} else {
			at++;
		}
	}
	*to = '\0';
}

bool problem_set(struct problem *out, int status, const char *code, const char *format, ...)
{
	va_list args;

	*out = (struct problem){ .status = status, .code = code };
	va_start(args, format);
	vsnprintf(out->message, sizeof(out->message), format, args);
	va_end(args);
	clean(out->message);
	return false;
}

bool problem_add(struct problems *out, const char *code, const char *field, const char *format, ...)
{
	struct problem *one;
	va_list args;

	if (out->count == sizeof(out->list) / sizeof(out->list[0]))
		return false;
	one = &out->list[out->count++];
	*one = (struct problem){ .status = 400, .code = code, .has_fields = true };
	if (field)
		one->fields[one->field_count++] = field;
	va_start(args, format);
	vsnprintf(one->message, sizeof(one->message), format, args);
	va_end(args);
	clean(one->message);
	return false;
}

void problem_write(const struct problem *list, size_t count, struct text *out)
{
	text_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		const struct problem *one = &list[i];

		text_word(out, i ? ",{\"message\":" : "{\"message\":");
		text_json_word(out, one->message);
		text_word(out, ",\"errorCode\":");
		text_json_word(out, one->code);
		if (one->has_fields) {
			text_word(out, ",\"fields\":[");
			for (size_t k = 0; k < one->field_count; k++) {
				if (k)
					text_char(out, ',');
				text_json_word(out, one->fields[k]);
			}
			text_char(out, ']');
		}
		text_char(out, '}');
	}
	text_char(out, ']');
}
