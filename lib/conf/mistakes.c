#include "conf/mistakes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void conf_mistakes_add(struct conf_mistakes *in, const char *file, int line, const char *format,
		       ...)
{
	char raw[1024], text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	str_copy_printable(text, sizeof(text), raw, strlen(raw));

	in->items = mem_resize(in->items, in->count + 1, sizeof(*in->items));
	in->items[in->count++] = (struct conf_mistake){
		.file = mem_strdup(file),
		.line = line,
		.text = mem_strdup(text),
	};
}

struct order {
	char *const *files;
	size_t count;
};

static size_t rank(const struct order *in, const char *file)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcmp(in->files[i], file) == 0)
			return i;
	return in->count;
}

static int compare(const void *left, const void *right, void *arg)
{
	const struct conf_mistake *a = left, *b = right;
	size_t rank_a = rank(arg, a->file), rank_b = rank(arg, b->file);

	if (rank_a != rank_b)
		return rank_a < rank_b ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return strcmp(a->text, b->text);
}

void conf_mistakes_sort(struct conf_mistakes *in, char *const *files, size_t file_count)
{
	struct order order = { .files = files, .count = file_count };

	if (in->count)
		qsort_r(in->items, in->count, sizeof(*in->items), compare, &order);
}

void conf_mistakes_done(struct conf_mistakes *in)
{
	for (size_t i = 0; i < in->count; i++) {
		free(in->items[i].file);
		free(in->items[i].text);
	}
	free(in->items);
	*in = (struct conf_mistakes){ 0 };
}
