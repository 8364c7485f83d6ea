/* part.h - a subrequest of a composite or batch request, as a call of its own.
 *
 * It has the session and the log entry of the whole, and is not admitted or counted again. */
#pragma once
#include <stdbool.h>

#include "kind.h"

struct call;
struct json_object;

/* The member of the whole's body that lists the parts; NULL if the kind has none. */
const char *part_list_name(enum kind kind);

/* Of an element of that list; false if it has no method or URL. To be closed by call_close(). */
bool part_open(struct call *part, const struct call *whole, struct json_object *in);

/* Answers it as the REST API does. */
void part_run(struct call *part);

/* The answer as a JSON value: null if there is no body. */
struct text;
void part_write_body(const struct call *part, struct text *out);
