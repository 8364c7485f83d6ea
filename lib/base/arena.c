#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* A page of 2,000 records fills a dozen chunks; one record rarely more than one. */
#define CHUNK_SIZE ((size_t)64 * 1024)

struct chunk {
	struct chunk *older;
	size_t used;
	size_t size;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct chunk *newest;
	size_t used;
};

struct arena *arena_new(void)
{
	return mem_new(struct arena);
}

void arena_free(struct arena *in)
{
	if (!in)
		return;
	for (struct chunk *chunk = in->newest, *older; chunk; chunk = older) {
		older = chunk->older;
		free(chunk);
	}
	free(in);
}

static char *take_bytes(struct arena *in, size_t size, size_t align)
{
	struct chunk *chunk = in->newest;
	size_t start = chunk ? (chunk->used + align - 1) & ~(align - 1) : 0;

	if (!chunk || start > chunk->size || chunk->size - start < size) {
		size_t room = size > CHUNK_SIZE / 4 ? size : CHUNK_SIZE;

		/* Not zeroed: most of it is written at once. */
		chunk = mem_resize(NULL, 1, sizeof(*chunk) + room);
		*chunk = (struct chunk){ .size = room };
		/* A big piece gets a chunk of its own, behind the one that still has room. */
		if (room != CHUNK_SIZE && in->newest) {
			chunk->older = in->newest->older;
			in->newest->older = chunk;
		} else {
			chunk->older = in->newest;
			in->newest = chunk;
		}
		start = 0;
	}
	chunk->used = start + size;
	in->used += size;
	return chunk->bytes + start;
}

void *arena_take(struct arena *in, size_t size)
{
	return take_bytes(in, size, alignof(max_align_t));
}

char *arena_copy(struct arena *in, const char *text, size_t len)
{
	char *copy = take_bytes(in, len + 1, 1);

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

size_t arena_used(const struct arena *in)
{
	return in->used;
}
