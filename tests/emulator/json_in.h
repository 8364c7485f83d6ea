/* json_in.h - members of a JSON object that came in, whatever is missing or of another type. */
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

static inline const char *json_in_text(struct json_object *in, const char *name)
{
	struct json_object *found;

	return json_object_object_get_ex(in, name, &found) ? json_object_get_string(found) : NULL;
}

static inline int64_t json_in_int(struct json_object *in, const char *name, int64_t fallback)
{
	struct json_object *found;

	return json_object_object_get_ex(in, name, &found) ? json_object_get_int64(found)
							   : fallback;
}

static inline bool json_in_bool(struct json_object *in, const char *name)
{
	struct json_object *found;

	return json_object_object_get_ex(in, name, &found) && json_object_get_boolean(found);
}
