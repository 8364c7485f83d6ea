#include "json_get.h"

#include <json-c/json.h>
#include <stddef.h>

struct json_object *json_get_member(struct json_object *from, const char *name)
{
	struct json_object *member;

	return from && json_object_object_get_ex(from, name, &member) ? member : NULL;
}

const char *json_get_text(struct json_object *from, const char *name)
{
	struct json_object *member = json_get_member(from, name);

	return member ? json_object_get_string(member) : "";
}

int64_t json_get_int(struct json_object *from, const char *name)
{
	return json_object_get_int64(json_get_member(from, name));
}
