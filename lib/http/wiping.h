/* wiping.h - memory for curl that is zeroed before it is given back, so that no freed buffer keeps
 * a token. Private to lib/http. */
#pragma once
#include <stddef.h>

void *wiping_malloc(size_t size);
void *wiping_calloc(size_t count, size_t size);
void *wiping_realloc(void *old, size_t size);
void wiping_free(void *old);
char *wiping_strdup(const char *text);
