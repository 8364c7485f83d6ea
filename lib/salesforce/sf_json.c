#include "salesforce/sf_json.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MOST_DEPTH 32

struct json_tokener *sf_json_tokener(void)
{
	struct json_tokener *made = json_tokener_new_ex(MOST_DEPTH);

	if (!made)
		abort();
	json_tokener_set_flags(made, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	return made;
}

struct json_object *sf_json_parse(const char *body, size_t len, bool *ret_whole)
{
	struct json_tokener *tokener = sf_json_tokener();
	struct json_object *made = NULL;
	size_t end;

	if (len < INT32_MAX)
		made = json_tokener_parse_ex(tokener, body, (int)len);
	/* A NUL, and what follows it, json-c passes over. */
	end = json_tokener_get_parse_end(tokener);
	while (end < len && body[end] && strchr(" \t\r\n", body[end]))
		end++;
	*ret_whole = end == len;
	json_tokener_free(tokener);
	return made;
}

struct json_object *sf_json_whole(const char *body, size_t len)
{
	bool whole;
	struct json_object *made = sf_json_parse(body, len, &whole);

	if (made && !whole)
		json_object_put(TAKE(made));
	return made;
}

const char *sf_json_text(struct json_object *in, const char *key)
{
	struct json_object *value;
	const char *text;

	if (!json_object_object_get_ex(in, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

const char *sf_json_text_or_empty(struct json_object *in, const char *key)
{
	const char *text = sf_json_text(in, key);

	return text ? text : "";
}

size_t sf_json_members(struct json_object *in)
{
	size_t count = 0;

	if (json_object_is_type(in, json_type_object)) {
		json_object_object_foreach(in, key, value)
		{
			(void)key;
			count += 1 + sf_json_members(value);
		}
	} else if (json_object_is_type(in, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(in); i++)
			count += sf_json_members(json_object_array_get_idx(in, i));
	}
	return count;
}
