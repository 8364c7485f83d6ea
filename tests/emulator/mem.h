/* mem.h - memory, or abort: an emulator out of memory has nothing left to say. */
#pragma once
#include <stdlib.h>
#include <string.h>

static inline void *mem_new(size_t bytes)
{
	void *got = calloc(1, bytes ? bytes : 1);

	if (!got)
		abort();
	return got;
}

static inline void *mem_grow(void *old, size_t bytes)
{
	void *got = realloc(old, bytes ? bytes : 1);

	if (!got)
		abort();
	return got;
}

static inline char *mem_text(const char *from, size_t length)
{
	char *got = mem_new(length + 1);

	memcpy(got, from, length);
	return got;
}
