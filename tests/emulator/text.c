/* text.c */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

void text_need(struct text *in, size_t more)
{
	size_t want = in->used + more;

	if (want <= in->room)
		return;
	if (want < in->room * 2)
		want = in->room * 2;
	if (want < 256)
		want = 256;
	in->at = mem_grow(in->at, want);
	in->room = want;
}

void text_free(struct text *in)
{
	free(in->at);
	*in = (struct text){ 0 };
}

const char *text_done(struct text *in)
{
	text_need(in, 1);
	in->at[in->used] = '\0';
	return in->at;
}

void text_printf(struct text *in, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		abort();
	text_need(in, (size_t)length + 1);
	va_start(args, format);
	vsnprintf(in->at + in->used, (size_t)length + 1, format, args);
	va_end(args);
	in->used += (size_t)length;
}

static void add_escape(struct text *in, unsigned char one)
{
	switch (one) {
	case '"': text_word(in, "\\\""); break;
	case '\\': text_word(in, "\\\\"); break;
	case '\n': text_word(in, "\\n"); break;
	case '\r': text_word(in, "\\r"); break;
	case '\t': text_word(in, "\\t"); break;
	case '\b': text_word(in, "\\b"); break;
	case '\f': text_word(in, "\\f"); break;
	default: text_printf(in, "\\u%04x", one); break;
	}
}

void text_json(struct text *in, const char *from, size_t length)
{
	size_t start = 0;

	if (!from) {
		text_word(in, "null");
		return;
	}
	text_need(in, length + 2);
	text_char(in, '"');
	for (size_t i = 0; i < length; i++) {
		unsigned char one = (unsigned char)from[i];

		if (one >= 0x20 && one != '"' && one != '\\')
			continue;
		text_add(in, from + start, i - start);
		add_escape(in, one);
		start = i + 1;
	}
	text_add(in, from + start, length - start);
	text_char(in, '"');
}

void text_json_word(struct text *in, const char *from)
{
	text_json(in, from, from ? strlen(from) : 0);
}

void text_int(struct text *in, int64_t number)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (number < 0)
		digits[--at] = '-';
	text_add(in, digits + at, sizeof(digits) - at);
}

/* The fewest digits that read back as the same number, as d.ddde+xx. */
static void shortest(double number, char *out, size_t room)
{
	for (int digits = 14; digits <= 16; digits++) {
		snprintf(out, room, "%.*e", digits, number);
		if (strtod(out, NULL) == number)
			return;
	}
}

void text_double(struct text *in, double number)
{
	char raw[40], digits[24];
	size_t count = 0;
	int power;

	if (number == (double)(int64_t)number && number > -1e7 && number < 1e7) {
		text_int(in, (int64_t)number);
		text_word(in, ".0");
		return;
	}
	shortest(number, raw, sizeof(raw));
	power = atoi(strchr(raw, 'e') + 1);
	for (const char *at = raw; *at != 'e'; at++)
		if (*at >= '0' && *at <= '9')
			digits[count++] = *at;
	while (count > 1 && digits[count - 1] == '0')
		count--;
	if (raw[0] == '-')
		text_char(in, '-');
	if (power >= 7 || power < -3) {
		text_printf(in, "%c.%.*sE%d", digits[0], (int)(count > 1 ? count - 1 : 1),
			    count > 1 ? digits + 1 : "0", power);
	} else if (power < 0) {
		text_printf(in, "0.%.*s%.*s", -power - 1, "00", (int)count, digits);
	} else {
		for (size_t i = 0; i <= (size_t)power; i++)
			text_char(in, i < count ? digits[i] : '0');
		text_char(in, '.');
		if (count > (size_t)power + 1)
			text_add(in, digits + power + 1, count - (size_t)power - 1);
		else
			text_char(in, '0');
	}
}
