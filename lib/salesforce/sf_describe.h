/* sf_describe.h - the describe of an object, made provider-neutral. */
#pragma once
#include <stddef.h>

struct error;
struct schema;

/* The answer of /sobjects/NAME/describe, whole. Not what Salesforce sends: NULL, ERROR_RETRY code
 * not-json or protocol. */
struct schema *sf_describe_parse(const char *body, size_t len, struct error *err);
