#include "salesforce/sf_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/utc.h"
#include "record/mapping.h"
#include "record/record.h"
#include "salesforce/sf_page.h"

static bool is_key(const struct sf_node *in, const char *key, size_t len)
{
	return in->key_len == len && memcmp(in->key, key, len) == 0;
}

const struct sf_node *sf_plan_find(const struct sf_node *in, size_t expected, const char *key,
				   size_t key_len)
{
	if (expected < in->count && is_key(&in->children[expected], key, key_len))
		return &in->children[expected];
	for (size_t i = 0; i < in->count; i++)
		if (is_key(&in->children[i], key, key_len))
			return &in->children[i];
	return NULL;
}

static struct sf_node *plan_key(struct sf_node *in, const char *key, size_t len)
{
	for (size_t i = 0; i < in->count; i++)
		if (is_key(&in->children[i], key, len))
			return &in->children[i];
	in->children = mem_resize(in->children, in->count + 1, sizeof(*in->children));
	in->children[in->count] = (struct sf_node){ .key = mem_strndup(key, len), .key_len = len };
	return &in->children[in->count++];
}

static struct sf_node *plan_system(struct sf_node *root, const char *key, enum sf_role role)
{
	struct sf_node *node = plan_key(root, key, strlen(key));

	node->roles |= role;
	return node;
}

static void plan_key_field(struct sf_node *root, const struct sf_shape *shape)
{
	struct sf_node *node = plan_system(root, shape->key_field, SF_ROLE_KEY);

	node->key_type = shape->key_type;
	node->key_scale = shape->key_scale;
}

static void plan_field(struct sf_node *root, const struct mapping_field *field, size_t value)
{
	const char *path = field->field;
	struct sf_node *node = root;

	for (const char *dot; (dot = strchr(path, '.')); path = dot + 1)
		node = plan_key(node, path, (size_t)(dot - path));
	node = plan_key(node, path, strlen(path));
	node->field = field;
	node->value = value;
}

struct sf_node *sf_plan_new(const struct mapping *mapping, const struct sf_shape *shape)
{
	struct sf_node *root = mem_new(struct sf_node);

	plan_system(root, "Id", SF_ROLE_ID);
	if (shape->stamp_field)
		plan_system(root, shape->stamp_field, SF_ROLE_STAMP);
	if (shape->has_deleted)
		plan_system(root, "IsDeleted", SF_ROLE_DELETED);
	if (shape->has_master)
		plan_system(root, "MasterRecordId", SF_ROLE_MASTER);
	if (shape->has_modified)
		plan_system(root, "LastModifiedDate", SF_ROLE_MODIFIED);
	if (shape->has_modifier)
		plan_system(root, "LastModifiedById", SF_ROLE_MODIFIER)->user_id = shape->user_id;
	if (shape->key_field)
		plan_key_field(root, shape);
	for (size_t i = 0; i < mapping->count && !shape->ids_only; i++)
		plan_field(root, &mapping->fields[i], i);
	return root;
}

static void free_children(struct sf_node *in)
{
	for (size_t i = 0; i < in->count; i++) {
		free_children(&in->children[i]);
		free(in->children[i].key);
	}
	free(in->children);
}

void sf_plan_free(struct sf_node *root)
{
	if (!root)
		return;
	free_children(root);
	free(root);
}

static bool protocol(struct error *err, const char *what)
{
	return error_set(err, ERROR_RETRY, "protocol",
			 "the answer of a query is not what Salesforce sends: %s", what);
}

static bool read_id(const struct sf_scalar *scalar, char out[19], struct error *err)
{
	return (scalar->kind == SF_JSON_STRING && value_id18(scalar->text, scalar->len, out)) ||
	       protocol(err, "a record's Id is no id");
}

static bool take_id(const struct sf_scalar *scalar, struct arena *arena, const char **ret,
		    struct error *err)
{
	char id[19];

	if (!read_id(scalar, id, err))
		return false;
	*ret = arena_copy(arena, id, 18);
	return true;
}

static bool take_time(const struct sf_scalar *scalar, int64_t *ret_ms, struct error *err)
{
	return (scalar->kind == SF_JSON_STRING && utc_parse(scalar->text, scalar->len, ret_ms)) ||
	       protocol(err, "a record's stamp is no time");
}

static bool take_modifier(const struct sf_node *node, const struct sf_scalar *scalar,
			  struct record *record, struct error *err)
{
	char id[19];

	if (!read_id(scalar, id, err))
		return false;
	record->by_us = node->user_id && strcmp(id, node->user_id) == 0;
	return true;
}

/* Which kind of JSON a type comes as; null may stand for all. */
static bool may_be(enum value_type type, enum sf_json kind)
{
	switch (type) {
	case VALUE_INTEGER:
	case VALUE_DECIMAL: return kind == SF_JSON_NUMBER || kind == SF_JSON_NULL;
	case VALUE_BOOLEAN: return kind == SF_JSON_BOOLEAN || kind == SF_JSON_NULL;
	case VALUE_TEXT:
	case VALUE_DATE:
	case VALUE_DATETIME:
	case VALUE_TIME:
	case VALUE_ID:
	case VALUE_SET: return kind == SF_JSON_STRING || kind == SF_JSON_NULL;
	}
	return false;
}

static bool take_value(const char *name, enum value_type type, int scale,
		       const struct sf_scalar *scalar, struct arena *arena, struct value *ret,
		       struct error *err)
{
	const char *text = scalar->kind == SF_JSON_NULL ? NULL : scalar->text;
	struct value made;
	struct error why;

	if (!may_be(type, scalar->kind))
		return error_set(err, ERROR_RECORD, "bad-value",
				 "%s: JSON of another type than %s, or too many digits", name,
				 value_type_name(type));
	if (!value_canonical(type, scale, text, scalar->len, arena, &made, &why))
		return error_set(err, ERROR_RECORD, why.code, "%s: %s", name, why.text);
	/* Borrowed from what is only lent. */
	if (text && made.text >= text && made.text <= text + scalar->len)
		made.text = arena_copy(arena, made.text, made.len);
	*ret = made;
	return true;
}

static bool take_role(const struct sf_node *node, enum sf_role role, const struct sf_scalar *scalar,
		      struct arena *arena, struct record *record, struct error *err)
{
	switch (role) {
	case SF_ROLE_ID: return take_id(scalar, arena, &record->id, err);
	case SF_ROLE_STAMP: return take_time(scalar, &record->stamp_ms, err);
	case SF_ROLE_DELETED:
		if (scalar->kind != SF_JSON_BOOLEAN)
			return protocol(err, "IsDeleted is not a boolean");
		record->deleted = *scalar->text == '1';
		return true;
	case SF_ROLE_MASTER:
		return scalar->kind == SF_JSON_NULL ||
		       take_id(scalar, arena, &record->master_id, err);
	case SF_ROLE_MODIFIED:
		return scalar->kind == SF_JSON_NULL || take_time(scalar, &record->modified_ms, err);
	case SF_ROLE_MODIFIER:
		return scalar->kind == SF_JSON_NULL || take_modifier(node, scalar, record, err);
	case SF_ROLE_KEY:
		return take_value(node->key, node->key_type, node->key_scale, scalar, arena,
				  &record->key, err);
	}
	return true;
}

static bool take_system(const struct sf_node *node, const struct sf_scalar *scalar,
			struct arena *arena, struct record *record, struct error *err)
{
	for (unsigned role = SF_ROLE_ID; role <= SF_ROLE_KEY && node->roles; role <<= 1)
		if ((node->roles & role) &&
		    !take_role(node, (enum sf_role)role, scalar, arena, record, err))
			return false;
	return true;
}

static bool take_mapped(const struct sf_node *node, const struct sf_scalar *scalar,
			struct arena *arena, struct record *record, struct error *err)
{
	const struct mapping_field *field = node->field;

	return take_value(field->field, field->type, field->scale, scalar, arena,
			  &record->values[node->value], err);
}

bool sf_plan_take(const struct sf_node *node, const struct sf_scalar *scalar, struct arena *arena,
		  struct record *record, struct error *err)
{
	return take_system(node, scalar, arena, record, err) &&
	       (!node->field || take_mapped(node, scalar, arena, record, err));
}

const char *sf_plan_name(const struct sf_node *node)
{
	return node->field ? node->field->field : node->key;
}

void sf_plan_take_nothing(const struct sf_node *node, struct record *record)
{
	static const struct value no = { "0", 1 };

	for (size_t i = 0; i < node->count; i++) {
		const struct mapping_field *field = node->children[i].field;

		if (field)
			record->values[node->children[i].value] =
				field->type == VALUE_BOOLEAN ? no : (struct value){ 0 };
		sf_plan_take_nothing(&node->children[i], record);
	}
}
