/* collection.c - in order: the body, one record, ids, results. */
#include "collection.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "call.h"
#include "mem.h"
#include "problem.h"
#include "schema.h"
#include "store.h"
#include "write_log.h"

#define RUNS_MAX 10 /* of one type */

static bool refuse(struct call *call, const char *code, const char *message)
{
	call_error(call, 400, code, message);
	return false;
}

/* Members nobody knows are misspelt ones. */
static bool check_members(struct call *call, struct json_object *body)
{
	json_object_object_foreach(body, name, value)
	{
		bool is_switch = strcmp(name, "allOrNone") == 0;
		char message[200];

		if ((is_switch && json_object_is_type(value, json_type_boolean)) ||
		    (strcmp(name, "records") == 0 && json_object_is_type(value, json_type_array)))
			continue;
		snprintf(message, sizeof(message),
			 is_switch || strcmp(name, "records") == 0
				 ? "Cannot deserialize the value of %.60s"
				 : "Unrecognized field \"%.60s\"",
			 name);
		return refuse(call, "JSON_PARSER_ERROR", message);
	}
	return true;
}

static struct json_object *find_records(struct call *call, struct json_object *body)
{
	struct json_object *out = NULL;

	if (!check_members(call, body))
		return NULL;
	if (!json_object_object_get_ex(body, "records", &out) || !json_object_array_length(out)) {
		refuse(call, "REQUIRED_FIELD_MISSING", "At least 1 record is required");
		return NULL;
	}
	if (json_object_array_length(out) <= COLLECTION_MAX)
		return out;
	refuse(call, "EXCEEDED_ID_LIMIT",
	       "record limit reached. cannot submit more than 200 records into this call");
	return NULL;
}

static const struct sobject *find_type(struct call *call, struct json_object *record)
{
	struct json_object *attributes = NULL, *type = NULL;
	const struct sobject *out;
	char message[150];

	if (!json_object_is_type(record, json_type_object)) {
		refuse(call, "JSON_PARSER_ERROR", "Unexpected value: a record must be an object");
		return NULL;
	}
	if (!json_object_object_get_ex(record, "attributes", &attributes) ||
	    !json_object_is_type(attributes, json_type_object) ||
	    !json_object_object_get_ex(attributes, "type", &type) ||
	    !json_object_is_type(type, json_type_string)) {
		refuse(call, "INVALID_TYPE", "attributes.type is missing from a record");
		return NULL;
	}
	out = schema_find(json_object_get_string(type), (size_t)json_object_get_string_len(type));
	snprintf(message, sizeof(message), "sObject type '%.80s' is not supported.",
		 json_object_get_string(type));
	if (!out)
		refuse(call, "INVALID_TYPE", message);
	return out;
}

/* Takes the id out of the record: it is no value to be saved. */
static void take_id(struct json_object *record, const char *id_name, struct item *out)
{
	json_object_object_foreach(record, name, value)
	{
		if (strcasecmp(name, id_name) != 0)
			continue;
		free(out->given); /* named once more, in another case */
		out->given = NULL;
		out->has_given = true;
		if (value && *json_object_get_string(value))
			out->given = mem_text(json_object_get_string(value),
					      strlen(json_object_get_string(value)));
		json_object_object_del(record, name);
	}
}

static bool read_record(struct call *call, const struct sobject *of, const char *id_name,
			struct json_object *record, struct item *out)
{
	struct problems err = { 0 };

	out->of = find_type(call, record);
	if (!out->of)
		return false;
	if (of && out->of != of)
		return refuse(call, "INVALID_TYPE",
			      "attributes.type is not the type of the request");
	if (id_name)
		take_id(record, id_name, out);
	if (values_read(out->of, record, &out->values, &err))
		return true;
	call_fail_all(call, &err);
	return false;
}

static bool read_records(struct call *call, const struct sobject *of, const char *id_name,
			 struct json_object *records, struct collection *out)
{
	size_t length = json_object_array_length(records), runs = 0;

	out->items = mem_new(length * sizeof(*out->items));
	for (size_t i = 0; i < length; i++) {
		struct item *one = &out->items[out->count++];

		if (!read_record(call, of, id_name, json_object_array_get_idx(records, i), one))
			return false;
		runs += !i || one->of != one[-1].of;
		if (runs > RUNS_MAX)
			return refuse(call, "LIMIT_EXCEEDED",
				      "Cannot have more than 10 chunks in a single operation. "
				      "Please rearrange the data to reduce chunking.");
	}
	return true;
}

bool collection_read(struct call *call, const struct sobject *of, const char *id_name,
		     struct collection *out)
{
	struct json_object *body = call_json(call), *records, *all;
	bool good;

	*out = (struct collection){ 0 };
	if (!body)
		return false;
	records = find_records(call, body);
	good = records && read_records(call, of, id_name, records, out);
	out->all_or_none =
		call->is_all_or_none || (json_object_object_get_ex(body, "allOrNone", &all) &&
					 json_object_get_boolean(all));
	json_object_put(body);
	if (!good)
		collection_free(out);
	return good;
}

bool collection_read_ids(struct call *call, struct collection *out)
{
	const char *at = call_param(call, "ids"), *all = call_param(call, "allOrNone");

	*out = (struct collection){ .all_or_none = call->is_all_or_none ||
						   (all && strcasecmp(all, "true") == 0) };
	out->items = mem_new((COLLECTION_MAX + 1) * sizeof(*out->items));
	while (at && *at && out->count <= COLLECTION_MAX) {
		size_t length = strcspn(at, ",");
		struct item *one = &out->items[out->count++];

		one->has_given = true;
		one->given = mem_text(at, length);
		if (sfid_parse(at, length, one->id))
			one->of = schema_by_prefix(one->id);
		at += length + (at[length] == ',');
	}
	if (out->count && out->count <= COLLECTION_MAX)
		return true;
	if (!out->count)
		refuse(call, "REQUIRED_FIELD_MISSING", "At least 1 record is required");
	else
		refuse(call, "EXCEEDED_ID_LIMIT",
		       "record limit reached. cannot submit more than 200 records into this call");
	collection_free(out);
	return false;
}

static void free_item(struct item *in)
{
	values_free(&in->values);
	free(in->given);
	text_free(&in->errors);
}

void collection_free(struct collection *in)
{
	for (size_t i = 0; i < in->count; i++)
		free_item(&in->items[i]);
	free(in->items);
	*in = (struct collection){ 0 };
}

void collection_fail(struct item *in, const struct problems *problems)
{
	in->failed = problems->list[0].code;
	in->errors.used = 0;
	problem_write_record(problems->list, problems->count, &in->errors);
}

static bool are_twins(const struct item *left, const struct item *right)
{
	if (left->of != right->of || !left->given || !right->given)
		return false;
	if (*left->id || *right->id)
		return strcmp(left->id, right->id) == 0;
	return strcasecmp(left->given, right->given) == 0;
}

static void fail_twin(struct item *in, const char *what)
{
	struct problems err = { 0 };

	if (in->failed)
		return;
	problem_add(&err, "DUPLICATE_VALUE", NULL, "Duplicate %s specified: %.100s", what,
		    in->given);
	collection_fail(in, &err);
}

void collection_fail_twins(struct collection *in, const char *what)
{
	for (size_t i = 0; i < in->count; i++) {
		for (size_t k = i + 1; k < in->count; k++) {
			if (!are_twins(&in->items[i], &in->items[k]))
				continue;
			fail_twin(&in->items[i], what);
			fail_twin(&in->items[k], what);
		}
	}
}

static void roll_back(struct collection *in)
{
	struct problems err = { 0 };

	store_undo();
	problem_add(&err, "ALL_OR_NONE_OPERATION_ROLLED_BACK", NULL,
		    "Record rolled back because not all records were valid and the request was "
		    "using AllOrNone header");
	for (size_t i = 0; i < in->count; i++)
		if (!in->items[i].failed)
			collection_fail(&in->items[i], &err);
}

static void write_item(const struct item *in, bool tells_created, struct text *out)
{
	text_char(out, '{');
	if (!in->failed) {
		text_printf(out, "\"id\":\"%s\",\"success\":true,\"errors\":[]", in->id);
		if (tells_created)
			text_printf(out, ",\"created\":%s", in->is_created ? "true" : "false");
	} else {
		if (in->shows_id) {
			text_word(out, "\"id\":");
			text_json_word(out, in->given);
			text_char(out, ',');
		}
		text_word(out, "\"success\":false,\"errors\":");
		text_add(out, in->errors.at, in->errors.used);
	}
	text_char(out, '}');
}

void collection_finish(struct call *call, struct collection *in, bool tells_created)
{
	bool failed = false;

	for (size_t i = 0; i < in->count; i++)
		failed = failed || in->items[i].failed;
	if (failed && in->all_or_none)
		roll_back(in);
	else
		store_commit();
	call->has_failures = failed;
	text_char(&call->out, '[');
	for (size_t i = 0; i < in->count; i++) {
		const struct item *one = &in->items[i];

		if (i)
			text_char(&call->out, ',');
		write_item(one, tells_created, &call->out);
		write_log_tell(call, i, one->failed ? one->failed : "ok",
			       one->failed ? NULL : one->id);
	}
	text_char(&call->out, ']');
}
