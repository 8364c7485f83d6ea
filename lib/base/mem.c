#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No message: whatever could print one may need memory. The service manager names the signal. */
static void *or_abort(void *got)
{
	if (!got)
		abort();
	return got;
}

void *mem_zeroed(size_t count, size_t size)
{
	return or_abort(calloc(count ? count : 1, size ? size : 1));
}

void *mem_resize(void *old, size_t count, size_t size)
{
	return or_abort(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *mem_strdup(const char *text)
{
	return or_abort(strdup(text));
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = mem_zeroed(len + 1, 1);

	memcpy(copy, text, len);
	return copy;
}

char *mem_format(const char *format, ...)
{
	char *text;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		abort();
	return text;
}

void mem_free_scope(void *pointer_to_pointer)
{
	void *owned;

	memcpy(&owned, pointer_to_pointer, sizeof(owned));
	free(owned);
}
