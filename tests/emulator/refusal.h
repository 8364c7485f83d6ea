/* refusal.h - why an OAuth endpoint says no: the two words its answer carries. */
#pragma once
#include <stdbool.h>

struct refusal {
	const char *error; /* both constant */
	const char *description;
};

/* Returns false, so that a caller can `return refusal_set(...)`. */
static inline bool refusal_set(struct refusal *out, const char *error, const char *description)
{
	*out = (struct refusal){ error, description };
	return false;
}
