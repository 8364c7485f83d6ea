#include "http/wiping.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *wiping_malloc(size_t size)
{
	return malloc(size);
}

void *wiping_calloc(size_t count, size_t size)
{
	return calloc(count, size);
}

void *wiping_realloc(void *old, size_t size)
{
	size_t had = old ? malloc_usable_size(old) : 0;
	void *grown = malloc(size);

	if (!grown)
		return NULL;
	if (old)
		memcpy(grown, old, had < size ? had : size);
	wiping_free(old);
	return grown;
}

void wiping_free(void *old)
{
	if (!old)
		return;
	explicit_bzero(old, malloc_usable_size(old));
	free(old);
}

char *wiping_strdup(const char *text)
{
	return strdup(text);
}
