/* token_log.h - every request to the token endpoint that was done, and what came of it.
 *
 * A request is in process until its answer has left, or can no longer leave. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "grant.h"

struct refusal;
struct text;

/* A new entry, in process; known by its number. */
size_t token_log_begin(const char *grant_type, bool is_faulted);

/* Which family it is about, known only when its token or code was found. */
void token_log_family(size_t entry, size_t grant, enum presented what);

/* Whether an older request about this family is still in process. */
bool token_log_is_busy(size_t entry, size_t grant);

/* NULL: it went well. */
void token_log_outcome(size_t entry, const struct refusal *why);
void token_log_end(size_t entry);

void token_log_write(struct text *out);
