/* mem.h - memory that is either there or ends the process, and freeing by scope.
 *
 * A failed allocation ends the process: the next start recovers, as after any other crash. */
#pragma once
#include <stddef.h>

/* Zeroed. */
#define mem_new(type)          ((type *)mem_zeroed(1, sizeof(type)))
#define mem_array(type, count) ((type *)mem_zeroed((count), sizeof(type)))

void *mem_zeroed(size_t count, size_t size) __attribute__((returns_nonnull, warn_unused_result));
void *mem_resize(void *old, size_t count, size_t size) __attribute__((warn_unused_result));
char *mem_strdup(const char *text) __attribute__((returns_nonnull, warn_unused_result));
char *mem_strndup(const char *text, size_t len)
	__attribute__((returns_nonnull, warn_unused_result));

/* printf into memory of its own; free() it. */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* CLEANUP(x_free) struct x *local: x_free(local) runs on every way out of the scope. CLEANUP_FREE
 * is for what free() frees. TAKE(local) hands the object on and leaves NULL behind. */
#define CLEANUP(free_fn) __attribute__((cleanup(free_fn##_scope)))
#define CLEANUP_DEFINE(type, free_fn)                                                              \
	static inline void free_fn##_scope(type **in)                                              \
	{                                                                                          \
		free_fn(*in);                                                                      \
	}
#define CLEANUP_FREE __attribute__((cleanup(mem_free_scope)))
#define TAKE(pointer)                                                                              \
	({                                                                                         \
		__typeof__(pointer) taken_ = (pointer);                                            \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

void mem_free_scope(void *pointer_to_pointer);
