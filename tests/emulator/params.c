/* params.c */
#include "params.h"

#include "mem.h"
#include "text.h"

static int hex(char one)
{
	if (one >= '0' && one <= '9')
		return one - '0';
	if (one >= 'a' && one <= 'f')
		return one - 'a' + 10;
	if (one >= 'A' && one <= 'F')
		return one - 'A' + 10;
	return -1;
}

char *params_decode(const char *from, size_t length, bool plus_is_blank)
{
	char *out = mem_new(length + 1);
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		if (from[i] == '+' && plus_is_blank) {
			out[used++] = ' ';
		} else if (from[i] == '%' && i + 2 < length && hex(from[i + 1]) >= 0 &&
			   hex(from[i + 2]) >= 0) {
			out[used++] = (char)(hex(from[i + 1]) * 16 + hex(from[i + 2]));
			i += 2;
		} else {
			out[used++] = from[i];
		}
	}
	out[used] = '\0';
	return out;
}

void params_parse(const char *from, size_t length, struct params *out)
{
	const char *end = from + length;

	*out = (struct params){ 0 };
	while (from < end) {
		const char *stop = memchr(from, '&', (size_t)(end - from));
		const char *equal;

		if (!stop)
			stop = end;
		equal = memchr(from, '=', (size_t)(stop - from));
		if (!equal)
			equal = stop;
		if (stop > from) {
			const char *value = equal < stop ? equal + 1 : stop;

			out->list = mem_grow(out->list, (out->count + 1) * sizeof(*out->list));
			out->list[out->count++] = (struct param){
				.name = params_decode(from, (size_t)(equal - from), true),
				.value = params_decode(value, (size_t)(stop - value), true),
			};
		}
		from = stop + 1;
	}
}

void params_free(struct params *in)
{
	for (size_t i = 0; i < in->count; i++) {
		free(in->list[i].name);
		free(in->list[i].value);
	}
	free(in->list);
	*in = (struct params){ 0 };
}

const char *params_find(const struct params *in, const char *name)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcmp(in->list[i].name, name) == 0)
			return in->list[i].value;
	return NULL;
}

void params_encode(const char *from, struct text *out)
{
	for (; *from; from++) {
		unsigned char one = (unsigned char)*from;

		if ((one >= 'A' && one <= 'Z') || (one >= 'a' && one <= 'z') ||
		    (one >= '0' && one <= '9') || strchr("-._~", one))
			text_char(out, *from);
		else if (one == ' ')
			text_char(out, '+');
		else
			text_printf(out, "%%%02X", one);
	}
}
