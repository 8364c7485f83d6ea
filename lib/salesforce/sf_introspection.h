/* sf_introspection.h - what the endpoint says of a token (RFC 7662). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* The body of a 200. *ret_expires_ms is 0 for a dead token, or where no end is said that can be
 * believed. ERROR_RETRY code protocol. */
bool sf_introspection_parse(const char *body, size_t len, int64_t now_ms, bool *ret_active,
			    int64_t *ret_expires_ms, struct error *err);
