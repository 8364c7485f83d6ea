/* reference.h - @{name.path} in a subrequest: what an earlier one answered. */
#pragma once
#include <stdbool.h>

struct json_object;
struct text;

/* Replaces each one in the strings of `in`. `answers` has the bodies of the earlier parts by their
 * referenceId. False with a message if one of them leads nowhere. */
bool reference_resolve(struct json_object *in, struct json_object *answers, struct text *why);
