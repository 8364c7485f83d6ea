/* arena.h - many small pieces of memory that end together, such as the values of one page. */
#pragma once
#include <stddef.h>

#include "base/mem.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *in);
CLEANUP_DEFINE(struct arena, arena_free)

/* Aligned for any type, not zeroed; lives until arena_free(). */
void *arena_take(struct arena *in, size_t size) __attribute__((returns_nonnull));

/* Copies `len` bytes and adds a NUL. */
char *arena_copy(struct arena *in, const char *text, size_t len) __attribute__((returns_nonnull));

/* Bytes handed out so far. */
size_t arena_used(const struct arena *in);
