/* reference.c */
#include "reference.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

/* One step of a path: ".name" or "[0]"; NULL if it leads nowhere. */
static struct json_object *step(struct json_object *in, const char **at)
{
	struct json_object *out = NULL;
	size_t length;
	char *name;

	if (**at == '[') {
		char *end;
		unsigned long index = strtoul(*at + 1, &end, 10);

		*at = *end == ']' ? end + 1 : "?";
		return json_object_is_type(in, json_type_array) && *end == ']'
			       ? json_object_array_get_idx(in, index)
			       : NULL;
	}
	*at += **at == '.';
	length = strcspn(*at, ".[");
	name = mem_text(*at, length);
	*at += length;
	if (length && json_object_is_type(in, json_type_object))
		json_object_object_get_ex(in, name, &out);
	free(name);
	return out;
}

/* The text of what stands between the braces; NULL if there is none. */
static const char *find(const char *path, struct json_object *answers)
{
	struct json_object *at = answers;

	do
		at = step(at, &path);
	while (at && *path);
	if (!at || json_object_is_type(at, json_type_object) ||
	    json_object_is_type(at, json_type_array))
		return NULL;
	return json_object_get_string(at);
}

static bool resolve_text(const char *from, struct json_object *answers, struct text *out,
			 struct text *why)
{
	const char *open;

	while ((open = strstr(from, "@{")) != NULL) {
		const char *end = strchr(open, '}'), *found;
		char *path;

		if (!end)
			break;
		text_add(out, from, (size_t)(open - from));
		path = mem_text(open + 2, (size_t)(end - open - 2));
		found = find(path, answers);
		if (found)
			text_word(out, found);
		else
			text_printf(why,
				    "Invalid reference specified. No value for %.200s found in "
				    "%.*s",
				    path, (int)strcspn(path, ".["), path);
		free(path);
		if (!found)
			return false;
		from = end + 1;
	}
	text_word(out, from);
	return true;
}

static bool resolve_string(struct json_object *in, struct json_object *answers, struct text *why)
{
	struct text out = { 0 };
	bool good;

	if (!strstr(json_object_get_string(in), "@{"))
		return true;
	good = resolve_text(json_object_get_string(in), answers, &out, why);
	if (good)
		json_object_set_string_len(in, text_done(&out), (int)out.used);
	text_free(&out);
	return good;
}

bool reference_resolve(struct json_object *in, struct json_object *answers, struct text *why)
{
	bool good = true;

	if (json_object_is_type(in, json_type_string))
		return resolve_string(in, answers, why);
	if (json_object_is_type(in, json_type_array))
		for (size_t i = 0; good && i < json_object_array_length(in); i++)
			good = reference_resolve(json_object_array_get_idx(in, i), answers, why);
	if (!json_object_is_type(in, json_type_object))
		return good;
	json_object_object_foreach(in, name, value)
	{
		(void)name;
		good = good && reference_resolve(value, answers, why);
	}
	return good;
}
