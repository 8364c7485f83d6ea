/* writes.c - takes a request apart, into the log. */
#include "writes.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "call.h"
#include "json_in.h"
#include "part.h"
#include "schema.h"
#include "write_log.h"

/* Where an object and an id or key stand in the path of a single record. */
#define OBJECT_PART 4
#define KEY_PART    5

static const char *type_of(struct json_object *record)
{
	struct json_object *attributes;

	if (!json_object_object_get_ex(record, "attributes", &attributes) ||
	    !json_object_is_type(attributes, json_type_object))
		return NULL;
	return json_in_text(attributes, "type");
}

/* The value of a member, whatever the case of its name. */
static const char *member(struct json_object *record, const char *name)
{
	json_object_object_foreach(record, key, value)
	{
		if (strcasecmp(key, name) == 0)
			return json_object_get_string(value);
	}
	return NULL;
}

static void note_keyed(struct call *call, const char *object, const char *field, const char *value,
		       struct json_object *body)
{
	const struct sobject *of = schema_find(object, strlen(object));
	const struct field *named = of ? schema_field(of, field, strlen(field)) : NULL;
	char key[400];

	snprintf(key, sizeof(key), "%s/%s", named ? named->name : field, value ? value : "");
	if (strcasecmp(field, "Id") == 0)
		write_log_add(call, object, value ? "id" : NULL, value, body);
	else
		write_log_add(call, object, value ? "key" : NULL, value ? key : NULL, body);
}

static void note_collection(struct call *call, struct json_object *body)
{
	const char *field = call->part_count > 6 ? call->parts[6] : NULL;
	struct json_object *records;

	if (!json_object_object_get_ex(body, "records", &records) ||
	    !json_object_is_type(records, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(records); i++) {
		struct json_object *one = json_object_array_get_idx(records, i);
		const char *id, *type;

		if (!json_object_is_type(one, json_type_object))
			continue;
		type = type_of(one);
		id = member(one, "Id");
		if (!type)
			type = field ? call->parts[5] : "?";
		if (field)
			note_keyed(call, type, field, member(one, field), one);
		else
			write_log_add(call, type, id ? "id" : NULL, id, one);
	}
}

static void note_deletes(struct call *call)
{
	const char *at = call_param(call, "ids");

	while (at && *at) {
		size_t length = strcspn(at, ",");
		char id[40];
		const struct sobject *of;

		snprintf(id, sizeof(id), "%.*s", (int)length, at);
		of = schema_by_prefix(id);
		if (length)
			write_log_add(call, of ? of->name : "?", "id", id, NULL);
		at += length + (at[length] == ',');
	}
}

/* Children stand in members that are objects with records. */
static void note_tree(struct call *call, struct json_object *body, const char *object)
{
	struct json_object *records;

	if (!json_object_object_get_ex(body, "records", &records) ||
	    !json_object_is_type(records, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(records); i++) {
		struct json_object *one = json_object_array_get_idx(records, i);
		const char *type;

		if (!json_object_is_type(one, json_type_object))
			continue;
		type = type_of(one);
		write_log_add(call, type ? type : object, NULL, NULL, one);
		json_object_object_foreach(one, name, value)
		{
			(void)name;
			if (json_object_is_type(value, json_type_object) &&
			    json_object_object_get_ex(value, "records", NULL))
				note_tree(call, value, "?");
		}
	}
}

static void take_apart(struct call *call, struct json_object *body)
{
	switch ((int)call->kind) {
	case KIND_CREATE: write_log_add(call, call->parts[OBJECT_PART], NULL, NULL, body); break;
	case KIND_UPDATE:
		write_log_add(call, call->parts[OBJECT_PART], "id", call->parts[KEY_PART], body);
		break;
	case KIND_UPSERT:
		note_keyed(call, call->parts[OBJECT_PART], call->parts[KEY_PART],
			   call->parts[KEY_PART + 1], body);
		break;
	case KIND_DELETE:
		if (call->part_count > KEY_PART + 1)
			note_keyed(call, call->parts[OBJECT_PART], call->parts[KEY_PART],
				   call->parts[KEY_PART + 1], NULL);
		else
			write_log_add(call, call->parts[OBJECT_PART], "id", call->parts[KEY_PART],
				      NULL);
		break;
	case KIND_COLLECTIONS:
		if (call->verb == VERB_DELETE)
			note_deletes(call);
		else
			note_collection(call, body);
		break;
	case KIND_TREE: note_tree(call, body, call->parts[KEY_PART]); break;
	default: break;
	}
}

static bool is_write(const struct call *call)
{
	return call->verb != VERB_GET && call->verb != VERB_HEAD &&
	       (call->kind == KIND_CREATE || call->kind == KIND_UPDATE ||
		call->kind == KIND_UPSERT || call->kind == KIND_DELETE ||
		call->kind == KIND_COLLECTIONS || call->kind == KIND_COMPOSITE ||
		call->kind == KIND_BATCH || call->kind == KIND_TREE);
}

/* The body, if it is a JSON object at all; what is wrong with it is not told here. */
static struct json_object *peek(struct call *call)
{
	struct text said = call->out;
	const char *error = call->error;
	int status = call->status;
	struct json_object *out;

	if (call->verb == VERB_DELETE || (!call->json && !call->body_length))
		return NULL;
	call->out = (struct text){ 0 };
	out = call_json(call);
	text_free(&call->out);
	call->out = said;
	call->error = error;
	call->status = status;
	return out;
}

void writes_note(struct call *call)
{
	struct json_object *body;

	if (!is_write(call) || call->is_late)
		return;
	write_log_open(call);
	body = peek(call);
	take_apart(call, body);
	json_object_put(body);
}

static void note_parts(struct call *call)
{
	struct json_object *body = peek(call), *list = NULL;

	if (body)
		json_object_object_get_ex(body, part_list_name(call->kind), &list);
	for (size_t i = 0;
	     json_object_is_type(list, json_type_array) && i < json_object_array_length(list);
	     i++) {
		struct call part;

		if (!part_open(&part, call, json_object_array_get_idx(list, i)))
			continue;
		writes_note(&part);
		write_log_settle(&part);
		call_close(&part);
	}
	json_object_put(body);
}

void writes_note_unserved(struct call *call, const char *outcome)
{
	writes_note(call);
	if (!call->write)
		return;
	if (part_list_name(call->kind))
		note_parts(call);
	write_log_end_unserved(call, outcome);
}
