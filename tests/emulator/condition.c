/* condition.c */
#include "condition.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "json_in.h"
#include "problem.h"
#include "schema.h"

static const struct {
	const char *name;
	enum condition_kind kind;
} words[] = {
	{ "equals", CONDITION_EQUALS },   { "differs", CONDITION_DIFFERS },
	{ "blank", CONDITION_BLANK },     { "given", CONDITION_GIVEN },
	{ "changed", CONDITION_CHANGED },
};

static bool read_wanted(const struct sobject *of, const struct field *field,
			struct json_object *value, struct condition *out)
{
	bool has_value = out->kind == CONDITION_EQUALS || out->kind == CONDITION_DIFFERS;
	struct json_object *record = json_object_new_object();
	struct problems err = { 0 };
	bool good;

	json_object_object_add(record, field->name, has_value ? json_object_get(value) : NULL);
	good = field->type == FIELD_BOOLEAN && !has_value;
	if (good)
		values_set(&out->wanted, &(struct value){ .field = field });
	else
		good = values_read(of, record, &out->wanted, &err) &&
		       values_check_formats(&out->wanted, &err);
	json_object_put(record);
	return good;
}

bool condition_read(const struct sobject *of, struct json_object *from, struct condition *out,
		    const char **why)
{
	const char *name = json_in_text(from, "field");
	const struct field *field = name ? schema_field(of, name, strlen(name)) : NULL;
	struct json_object *value = NULL;

	*out = (struct condition){ .kind = CONDITION_ALWAYS };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (json_object_object_get_ex(from, words[i].name, &value)) {
			out->kind = words[i].kind;
			break;
		}
	if (out->kind == CONDITION_ALWAYS)
		return true;
	*why = "the condition names no field of the object, or no value that fits it";
	if (!field || !read_wanted(of, field, value, out)) {
		condition_free(out);
		return false;
	}
	out->negated = out->kind != CONDITION_EQUALS && out->kind != CONDITION_DIFFERS &&
		       !json_object_get_boolean(value);
	return true;
}

void condition_free(struct condition *in)
{
	values_free(&in->wanted);
}

static bool holds(const struct condition *in, const struct sobject *of, int64_t row,
		  const struct values *values)
{
	const struct value *wanted = &in->wanted.list[0];
	const struct value *given = values_find(values, wanted->field), *now;
	struct value stored = { .field = wanted->field };
	bool out;

	if (in->kind == CONDITION_GIVEN)
		return given != NULL;
	if (row)
		values_stored(of, row, wanted->field, &stored);
	now = given ? given : &stored;
	if (in->kind == CONDITION_BLANK)
		out = now->kind == VALUE_NULL;
	else if (in->kind == CONDITION_CHANGED)
		out = !values_equal(now, &stored);
	else
		out = values_equal(now, wanted) == (in->kind == CONDITION_EQUALS);
	free(stored.text);
	return out;
}

bool condition_holds(const struct condition *in, const struct sobject *of, int64_t row,
		     const struct values *values)
{
	return in->kind == CONDITION_ALWAYS || holds(in, of, row, values) != in->negated;
}
