#include "salesforce/sf_record.h"

#include <json-c/json.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "record/mapping.h"
#include "record/record.h"
#include "salesforce/sf_plan.h"

struct reading {
	struct arena *arena;
	struct record *record;
	struct error *err;
};

static bool read_object(struct reading *in, const struct sf_node *node, struct json_object *object);

bool sf_record_read(const struct sf_node *root, struct json_object *object, struct arena *arena,
		    struct record *record, struct error *err)
{
	struct reading in = { arena, record, err };

	return read_object(&in, root, object);
}

static bool protocol(struct error *err, const char *what)
{
	return error_set(err, ERROR_RETRY, "protocol",
			 "the answer of a query is not what Salesforce sends: %s", what);
}

/* What json-c makes of whole numbers that do not fit into its 64 bits. */
static bool is_saturated(const char *text)
{
	return strcmp(text, "18446744073709551615") == 0 ||
	       strcmp(text, "-9223372036854775808") == 0;
}

/* json-c keeps the source text of a double, so no digit of it is lost. */
static struct sf_scalar scalar_of(struct json_object *value)
{
	struct sf_scalar made = { .kind = SF_JSON_OTHER };

	switch (json_object_get_type(value)) {
	case json_type_null: made.kind = SF_JSON_NULL; break;
	case json_type_string:
		made.kind = SF_JSON_STRING;
		made.text = json_object_get_string(value);
		made.len = (size_t)json_object_get_string_len(value);
		break;
	case json_type_boolean:
		made.kind = SF_JSON_BOOLEAN;
		made.text = json_object_get_boolean(value) ? "1" : "0";
		made.len = 1;
		break;
	case json_type_double:
	case json_type_int:
		made.text =
			json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN, &made.len);
		if (!json_object_is_type(value, json_type_int) || !is_saturated(made.text))
			made.kind = SF_JSON_NUMBER;
		break;
	case json_type_object:
	case json_type_array: break;
	}
	return made;
}

static void reject(struct reading *in, const struct sf_node *node, const struct error *why)
{
	const char *field = sf_plan_name(node);
	struct error *copy;

	if (in->record->reject)
		return;
	copy = arena_take(in->arena, sizeof(*copy));
	*copy = *why;
	in->record->reject = copy;
	in->record->reject_field = arena_copy(in->arena, field, strlen(field));
}

static bool read_member(struct reading *in, const struct sf_node *node, struct json_object *value)
{
	struct sf_scalar scalar;
	struct error why;

	if (node->count && !value)
		sf_plan_take_nothing(node, in->record);
	else if (node->count && !json_object_is_type(value, json_type_object))
		return protocol(in->err, "a relationship is not an object");
	else if (node->count && !read_object(in, node, value))
		return false;
	scalar = scalar_of(value);
	if (sf_plan_take(node, &scalar, in->arena, in->record, &why))
		return true;
	if (why.kind == ERROR_RECORD) {
		reject(in, node, &why);
		return true;
	}
	*in->err = why;
	return false;
}

/* Each child is met at most once, for an object has no key twice; so their number tells whether one
 * is missing. */
static bool read_object(struct reading *in, const struct sf_node *node, struct json_object *object)
{
	size_t met = 0, expected = 0;

	json_object_object_foreach(object, key, value)
	{
		const struct sf_node *child = sf_plan_find(node, expected, key, strlen(key));

		if (!child)
			continue;
		expected = (size_t)(child - node->children) + 1;
		met++;
		if (!read_member(in, child, value))
			return false;
	}
	return met == node->count || protocol(in->err, "a record lacks a field that was asked for");
}
