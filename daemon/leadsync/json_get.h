/* json_get.h - members of the daemon's answers, missing ones as empty: listings go on whatever a
 * newer daemon leaves out. */
#pragma once
#include <stdint.h>

struct json_object;

const char *json_get_text(struct json_object *from, const char *name); /* "" if absent or null */
int64_t json_get_int(struct json_object *from, const char *name);      /* 0 */
struct json_object *json_get_member(struct json_object *from,
				    const char *name); /* NULL; borrowed */
