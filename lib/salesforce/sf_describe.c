#include "salesforce/sf_describe.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/str.h"
#include "record/schema.h"
#include "salesforce/sf_json.h"

/* What a type is to us. Types that are not here (address, location, base64, complexvalue, anyType,
 * json, and what is yet to come) are no single value: not readable. */
static const struct {
	const char *name;
	enum value_type type;
} types[] = {
	{ "boolean", VALUE_BOOLEAN },
	{ "combobox", VALUE_TEXT },
	{ "currency", VALUE_DECIMAL },
	{ "datacategorygroupreference", VALUE_TEXT },
	{ "date", VALUE_DATE },
	{ "datetime", VALUE_DATETIME },
	{ "double", VALUE_DECIMAL },
	{ "email", VALUE_TEXT },
	{ "encryptedstring", VALUE_TEXT },
	{ "id", VALUE_ID },
	{ "int", VALUE_INTEGER },
	{ "long", VALUE_INTEGER },
	{ "multipicklist", VALUE_SET },
	{ "percent", VALUE_DECIMAL },
	{ "phone", VALUE_TEXT },
	{ "picklist", VALUE_TEXT },
	{ "reference", VALUE_ID },
	{ "string", VALUE_TEXT },
	{ "textarea", VALUE_TEXT },
	{ "time", VALUE_TIME },
	{ "url", VALUE_TEXT },
};

static char *copy_of(struct json_object *in, const char *key)
{
	const char *text = sf_json_text(in, key);

	return text ? mem_strdup(text) : NULL;
}

static bool flag_of(struct json_object *in, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(in, key, &value) &&
	       json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

static int count_of(struct json_object *in, const char *key)
{
	struct json_object *value;
	int64_t count;

	if (!json_object_object_get_ex(in, key, &value) ||
	    !json_object_is_type(value, json_type_int))
		return 0;
	count = json_object_get_int64(value);
	return count < 0 || count > INT32_MAX ? 0 : (int)count;
}

/* Where a reference may lead to several objects (an owner: User or Group), User is meant. */
static char *target_of(struct json_object *in)
{
	const char *target = NULL;
	struct json_object *names;

	if (!json_object_object_get_ex(in, "referenceTo", &names) ||
	    !json_object_is_type(names, json_type_array))
		return NULL;
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		struct json_object *name = json_object_array_get_idx(names, i);
		const char *text = json_object_is_type(name, json_type_string)
					   ? json_object_get_string(name)
					   : "";

		if (strcmp(text, "User") == 0 || json_object_array_length(names) == 1)
			target = text;
	}
	return target && str_is_name(target) ? mem_strdup(target) : NULL;
}

static struct schema_field field_of(struct json_object *in, const char *name, const char *type)
{
	const char *relationship = sf_json_text(in, "relationshipName");
	struct schema_field field = {
		.name = mem_strdup(name),
		.label = copy_of(in, "label"),
		.type_name = mem_strdup(type),
		.length = count_of(in, "length"),
		.precision = count_of(in, "precision"),
		.scale = count_of(in, "scale"),
		.createable = flag_of(in, "createable"),
		.updateable = flag_of(in, "updateable"),
		.nillable = flag_of(in, "nillable"),
		.calculated = flag_of(in, "calculated"),
		.external_id = flag_of(in, "externalId"),
		.unique = flag_of(in, "unique"),
		.filterable = flag_of(in, "filterable"),
		.reference_to = target_of(in),
	};

	if (relationship && str_is_name(relationship))
		field.relationship = mem_strdup(relationship);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, type) == 0) {
			field.type = types[i].type;
			field.readable = true;
		}
	}
	return field;
}

static bool protocol(struct error *err, const char *what)
{
	return error_set(err, ERROR_RETRY, "protocol",
			 "the answer of a describe is not what Salesforce sends: %s", what);
}

static bool add_fields(struct schema *schema, struct json_object *body, struct error *err)
{
	struct json_object *fields;

	if (!json_object_object_get_ex(body, "fields", &fields) ||
	    !json_object_is_type(fields, json_type_array))
		return protocol(err, "it has no fields");
	for (size_t i = 0; i < json_object_array_length(fields); i++) {
		struct json_object *field = json_object_array_get_idx(fields, i);
		const char *name = sf_json_text(field, "name");
		const char *type = sf_json_text(field, "type");

		if (!name || !type || !str_is_name(name))
			return protocol(err, "a field has no name or no type");
		schema_add(schema, field_of(field, name, type));
	}
	schema_finish(schema);
	for (size_t i = 1; i < schema->count; i++)
		if (strcasecmp(schema->fields[i - 1].name, schema->fields[i].name) == 0)
			return protocol(err, "a field stands there twice");
	return true;
}

static struct schema *schema_of(struct json_object *body, struct error *err)
{
	CLEANUP(schema_free) struct schema *schema = NULL;
	const char *name = sf_json_text(body, "name");

	if (!name || !str_is_name(name)) {
		protocol(err, "the object has no name");
		return NULL;
	}
	schema = schema_new(name);
	schema->label = copy_of(body, "label");
	schema->queryable = flag_of(body, "queryable");
	schema->replicateable = flag_of(body, "replicateable");
	return add_fields(schema, body, err) ? TAKE(schema) : NULL;
}

struct schema *sf_describe_parse(const char *body, size_t len, struct error *err)
{
	bool whole;
	struct json_object *made = sf_json_parse(body, len, &whole);
	struct schema *schema = NULL;

	if (!json_object_is_type(made, json_type_object))
		error_set(err, ERROR_RETRY, "not-json",
			  "a login or maintenance page, or half an answer, instead of JSON");
	else if (!whole)
		protocol(err, "it goes on behind its end");
	else
		schema = schema_of(made, err);
	json_object_put(made);
	return schema;
}
