/* tree.c - in order: reading the tree, saving it, the answer. */
#include "tree.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "call.h"
#include "json_in.h"
#include "mem.h"
#include "problem.h"
#include "records.h"
#include "rest.h"
#include "schema.h"
#include "store.h"
#include "values.h"
#include "write_log.h"

#define RECORDS_MAX 200
#define DEPTH_MAX   5

struct node {
	const struct sobject *of;
	const char *name; /* its referenceId; lives as long as the body */
	const struct node *parent;
	const struct field *link; /* the field that refers to the parent */
	struct values values;
	char id[SFID_SIZE];
	const char *failed; /* the statusCode, or NULL */
	struct text errors;
};

struct tree {
	struct node nodes[RECORDS_MAX];
	size_t count;
};

static bool refuse(struct call *call, const char *code, const char *message)
{
	call_error(call, 400, code, message);
	return false;
}

static bool read_records(struct call *call, struct json_object *in, const struct node *parent,
			 const struct sobject *of, struct tree *out, int depth);

/* The object that a child relationship leads to: it is named as its plural is. */
static const struct sobject *find_child(const struct sobject *of, const char *name,
					const struct field **link)
{
	for (const struct sobject *child = schema_all(); child->name; child++) {
		if (strcasecmp(child->plural, name) != 0)
			continue;
		for (size_t i = 0; i < child->count; i++) {
			*link = &child->fields[i];
			if ((*link)->refers && strcmp((*link)->refers, of->name) == 0 &&
			    (*link)->flags & FIELD_CREATEABLE)
				return child;
		}
	}
	return NULL;
}

static bool read_children(struct call *call, struct json_object *record, struct node *parent,
			  struct tree *out, int depth)
{
	bool good = true;

	json_object_object_foreach(record, name, value)
	{
		const struct field *link;
		const struct sobject *of = find_child(parent->of, name, &link);
		size_t from = out->count;

		if (!good || !of || !json_object_is_type(value, json_type_object))
			continue;
		good = read_records(call, value, parent, of, out, depth + 1);
		for (size_t i = from; i < out->count; i++)
			if (out->nodes[i].parent == parent)
				out->nodes[i].link = link;
	}
	return good;
}

/* What is not a child relationship is a value. */
static bool read_values(struct call *call, struct json_object *record, struct node *out)
{
	struct json_object *fields = json_object_new_object();
	struct problems err = { 0 };
	const struct field *link;
	bool good;

	json_object_object_foreach(record, name, value)
	{
		if (!find_child(out->of, name, &link))
			json_object_object_add(fields, name, json_object_get(value));
	}
	good = values_read(out->of, fields, &out->values, &err);
	json_object_put(fields);
	if (!good)
		call_fail_all(call, &err);
	return good;
}

static bool is_taken(const struct tree *in, const char *name)
{
	for (size_t i = 0; i + 1 < in->count; i++)
		if (strcmp(in->nodes[i].name, name) == 0)
			return true;
	return false;
}

static bool read_record(struct call *call, struct json_object *record, const struct node *parent,
			const struct sobject *of, struct tree *out, int depth)
{
	struct json_object *attributes = NULL;
	struct node *node;
	const char *type;

	if (out->count == RECORDS_MAX)
		return refuse(call, "EXCEEDED_ID_LIMIT",
			      "record limit reached. cannot submit more than 200 records into "
			      "this call");
	node = &out->nodes[out->count++];
	*node = (struct node){ .of = of, .parent = parent, .name = "" };
	json_object_object_get_ex(record, "attributes", &attributes);
	type = json_object_is_type(attributes, json_type_object) ? json_in_text(attributes, "type")
								 : NULL;
	if (!type || schema_find(type, strlen(type)) != of)
		return refuse(call, "INVALID_TYPE",
			      "attributes.type is missing, or not the type expected here");
	node->name = json_in_text(attributes, "referenceId");
	if (!node->name || is_taken(out, node->name)) {
		node->name = "";
		return refuse(call, "INVALID_ARGUMENT",
			      "Each record must have a referenceId of its own");
	}
	return read_values(call, record, node) && read_children(call, record, node, out, depth);
}

static bool read_records(struct call *call, struct json_object *in, const struct node *parent,
			 const struct sobject *of, struct tree *out, int depth)
{
	struct json_object *records = NULL;

	if (!json_object_object_get_ex(in, "records", &records) ||
	    !json_object_is_type(records, json_type_array) || !json_object_array_length(records))
		return refuse(call, "REQUIRED_FIELD_MISSING", "At least 1 record is required");
	if (depth > DEPTH_MAX)
		return refuse(call, "LIMIT_EXCEEDED", "A tree can be no deeper than 5 levels");
	for (size_t i = 0; i < json_object_array_length(records); i++) {
		struct json_object *one = json_object_array_get_idx(records, i);

		if (!json_object_is_type(one, json_type_object))
			return refuse(call, "JSON_PARSER_ERROR", "A record must be an object");
		if (!read_record(call, one, parent, of, out, depth))
			return false;
	}
	return true;
}

/* A parent stands before its children. */
static bool save(struct node *in, const struct saver *saver)
{
	struct problems err = { 0 };

	if (in->link)
		values_set(&in->values,
			   &(struct value){ .field = in->link,
					    .kind = VALUE_TEXT,
					    .text = (char *)(uintptr_t)in->parent->id });
	if (in->parent && in->parent->failed)
		return true; /* it is told of the parent */
	if (records_insert(in->of, &in->values, saver, in->id, &err))
		return true;
	in->failed = err.list[0].code;
	problem_write_record(err.list, err.count, &in->errors);
	return false;
}

static void write_results(struct call *call, struct tree *in, bool failed)
{
	bool some = false;

	call->status = failed ? 400 : 201;
	call->has_failures = failed;
	text_printf(&call->out, "{\"hasErrors\":%s,\"results\":[", failed ? "true" : "false");
	for (size_t i = 0; i < in->count; i++) {
		struct node *one = &in->nodes[i];

		write_log_tell(call, i,
			       one->failed ? one->failed
			       : failed    ? "ALL_OR_NONE_OPERATION_ROLLED_BACK"
					   : "ok",
			       failed ? NULL : one->id);
		if (failed && !one->failed)
			continue;
		text_word(&call->out, some ? ",{\"referenceId\":" : "{\"referenceId\":");
		some = true;
		text_json_word(&call->out, one->name);
		if (failed)
			text_printf(&call->out, ",\"errors\":%s}", text_done(&one->errors));
		else
			text_printf(&call->out, ",\"id\":\"%s\"}", one->id);
	}
	text_word(&call->out, "]}");
}

static void save_all(struct call *call, struct tree *in)
{
	const struct saver saver = saver_of(call);
	bool failed = false;

	store_begin();
	for (size_t i = 0; i < in->count; i++)
		failed = !save(&in->nodes[i], &saver) || failed;
	if (failed)
		store_undo();
	else
		store_commit();
	write_results(call, in, failed);
}

void tree_create(struct call *call)
{
	const struct sobject *of = schema_find(call->parts[5], strlen(call->parts[5]));
	struct json_object *body;
	struct tree *tree;

	if (!of) {
		call_not_found(call);
		return;
	}
	body = rest_has_json(call) ? call_json(call) : NULL;
	if (!body)
		return;
	tree = mem_new(sizeof(*tree));
	if (read_records(call, body, NULL, of, tree, 1))
		save_all(call, tree);
	for (size_t i = 0; i < tree->count; i++) {
		values_free(&tree->nodes[i].values);
		text_free(&tree->nodes[i].errors);
	}
	free(tree);
	json_object_put(body);
}
