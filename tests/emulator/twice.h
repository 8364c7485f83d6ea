/* twice.h - keys that stand twice in one object of a JSON text, which a parsed one cannot tell. */
#pragma once
#include <stddef.h>

/* `found` is called with each, once per repetition; names are compared without case. */
void twice_find(const char *text, size_t length,
		void (*found)(const char *name, size_t length, void *arg), void *arg);
