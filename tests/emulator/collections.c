/* collections.c - in order: saving and deleting one of many, the verbs, reading. */
#include "collections.h"

#include <json-c/json.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "call.h"
#include "collection.h"
#include "plan.h"
#include "problem.h"
#include "query.h"
#include "records.h"
#include "rest.h"
#include "schema.h"
#include "store.h"

#define READ_MAX 2000 /* ids */

static void refuse(struct item *in, const char *code, const char *field, const char *message)
{
	struct problems err = { 0 };

	problem_add(&err, code, field, "%s", message);
	collection_fail(in, &err);
}

/* An id nobody ever had is told as NOT_FOUND of a resource only where it stands in the path. */
static void fail(struct item *in, struct problems *err)
{
	if (strcmp(err->list[0].code, "NOT_FOUND") == 0)
		refuse(in, "INVALID_CROSS_REFERENCE_KEY", NULL, "invalid cross reference id");
	else
		collection_fail(in, err);
}

static void insert(struct item *in, const struct saver *saver)
{
	struct problems err = { 0 };

	in->is_created = records_insert(in->of, &in->values, saver, in->id, &err);
	if (!in->is_created)
		collection_fail(in, &err);
}

static void alter(struct item *in, const struct saver *saver)
{
	struct problems err = { 0 };

	if (!records_alter(in->of, in->id, &in->values, saver, &err))
		fail(in, &err);
}

/* The id of an update or a delete, as it was given; false with a failure if it is none. */
static bool check_id(struct item *in)
{
	char message[150];

	if (!*in->id && in->given && sfid_parse(in->given, strlen(in->given), in->id) &&
	    (!in->of || strncmp(in->id, in->of->prefix, 3) == 0))
		return true;
	if (*in->id && in->of && strncmp(in->id, in->of->prefix, 3) == 0)
		return true;
	snprintf(message, sizeof(message),
		 *in->id && in->of ? "%s ID: id value of incorrect type: %.60s"
				   : "%smalformed id %.60s",
		 *in->id && in->of ? in->of->label : "", in->given);
	*in->id = '\0';
	refuse(in, "MALFORMED_ID", NULL, message);
	in->shows_id = true;
	return false;
}

void collections_create(struct call *call)
{
	const struct saver saver = saver_of(call);
	struct collection all;

	if (!rest_has_json(call) || !collection_read(call, NULL, NULL, &all))
		return;
	store_begin();
	for (size_t i = 0; i < all.count; i++)
		insert(&all.items[i], &saver);
	collection_finish(call, &all, false);
	collection_free(&all);
}

void collections_update(struct call *call)
{
	const struct saver saver = saver_of(call);
	struct collection all;

	if (!rest_has_json(call) || !collection_read(call, NULL, "Id", &all))
		return;
	for (size_t i = 0; i < all.count; i++) {
		if (!all.items[i].given)
			refuse(&all.items[i], "MISSING_ARGUMENT", NULL,
			       "Id not specified in an update call");
		else
			check_id(&all.items[i]);
	}
	collection_fail_twins(&all, "id");
	store_begin();
	for (size_t i = 0; i < all.count; i++)
		if (!all.items[i].failed)
			alter(&all.items[i], &saver);
	collection_finish(call, &all, false);
	collection_free(&all);
}

static void remove_one(struct item *in, const struct saver *saver)
{
	struct problems err = { 0 };

	if (!in->of)
		refuse(in, "INVALID_CROSS_REFERENCE_KEY", NULL, "invalid cross reference id");
	else if (!records_delete(in->of, in->id, saver, &err))
		fail(in, &err);
}

void collections_delete(struct call *call)
{
	const struct saver saver = saver_of(call);
	struct collection all;

	if (!collection_read_ids(call, &all))
		return;
	for (size_t i = 0; i < all.count; i++)
		if (!*all.items[i].id)
			check_id(&all.items[i]);
	collection_fail_twins(&all, "id");
	store_begin();
	for (size_t i = 0; i < all.count; i++)
		if (!all.items[i].failed)
			remove_one(&all.items[i], &saver);
	collection_finish(call, &all, false);
	collection_free(&all);
}

/* How many living rows hold the key: 0, 1 or 2 for more. */
static int find_by_key(const struct sobject *of, const struct field *field, const char *key,
		       char ids[2][SFID_SIZE])
{
	sqlite3_stmt *read;
	char sql[200];
	int count = 0;

	snprintf(sql, sizeof(sql), "SELECT Id FROM \"%s\" WHERE \"%s\" = ?%s LIMIT 2", of->name,
		 field->name, of->flags & SOBJECT_DELETABLE ? " AND IsDeleted = 0" : "");
	read = store_ready(sql);
	sqlite3_bind_text(read, 1, key, -1, SQLITE_STATIC);
	while (sqlite3_step(read) == SQLITE_ROW)
		memcpy(ids[count++], sqlite3_column_text(read, 0), SFID_SIZE);
	store_release(read);
	return count;
}

static void upsert_by_key(struct item *in, const struct field *field, const struct saver *saver)
{
	const struct value *key = values_find(&in->values, field);
	char ids[2][SFID_SIZE], message[200];
	int count;

	count = find_by_key(in->of, field, key->text, ids);
	if (count == 0) {
		insert(in, saver);
	} else if (count == 1) {
		memcpy(in->id, ids[0], SFID_SIZE);
		values_drop(&in->values, field); /* it led here, and is no change */
		alter(in, saver);
	} else {
		snprintf(message, sizeof(message),
			 "%s: more than one record found for external id field: [%s, %s]",
			 field->label, ids[0], ids[1]);
		refuse(in, "DUPLICATE_EXTERNAL_ID", field->name, message);
	}
}

static void upsert_by_id(struct item *in, const struct saver *saver)
{
	if (!in->given)
		insert(in, saver);
	else
		alter(in, saver);
}

/* Finds what cannot be upserted before anything is. */
static void check_key(struct item *in, const struct field *field)
{
	const struct value *key = values_find(&in->values, field);
	char message[120];

	snprintf(message, sizeof(message), "%s not specified", field->name);
	if (field->type == FIELD_ID ? !in->has_given : !key || key->kind != VALUE_TEXT)
		refuse(in, "MISSING_ARGUMENT", NULL, message);
	else if (field->type != FIELD_ID)
		in->given = strdup(key->text);
	else if (in->given)
		check_id(in);
}

void collections_upsert(struct call *call)
{
	const struct saver saver = saver_of(call);
	const struct sobject *of = schema_find(call->parts[5], strlen(call->parts[5]));
	const struct field *field =
		of ? schema_field(of, call->parts[6], strlen(call->parts[6])) : NULL;
	bool by_id = field && field->type == FIELD_ID;
	struct collection all;
	struct problem err;

	if (!of) {
		call_not_found(call);
		return;
	}
	if (!field || !(field->flags & (FIELD_EXTERNAL | FIELD_ID_LOOKUP))) {
		problem_set(&err, 404, "NOT_FOUND",
			    "Provided external ID field does not exist or is not accessible: %.80s",
			    call->parts[6]);
		call_fail(call, &err);
		return;
	}
	if (!rest_has_json(call) || !collection_read(call, of, by_id ? "Id" : NULL, &all))
		return;
	for (size_t i = 0; i < all.count; i++)
		check_key(&all.items[i], field);
	collection_fail_twins(&all, by_id ? "id" : "external id");
	store_begin();
	for (size_t i = 0; i < all.count; i++) {
		if (all.items[i].failed)
			continue;
		if (by_id)
			upsert_by_id(&all.items[i], &saver);
		else
			upsert_by_key(&all.items[i], field, &saver);
	}
	collection_finish(call, &all, true);
	collection_free(&all);
}

static bool add_joined(struct json_object *in, const char *name, struct text *out)
{
	struct json_object *list;

	if (!json_object_object_get_ex(in, name, &list) ||
	    !json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *one = json_object_get_string(json_object_array_get_idx(list, i));

		text_printf(out, "%s%s", i ? "," : "", one ? one : "");
	}
	return true;
}

/* Both lists by comma, from the query string or from the body. */
static bool read_lists(struct call *call, struct text *ids, struct text *fields)
{
	struct json_object *body;
	bool good;

	if (call->verb == VERB_POST) {
		body = rest_has_json(call) ? call_json(call) : NULL;
		if (!body)
			return false;
		good = add_joined(body, "ids", ids) && add_joined(body, "fields", fields);
		json_object_put(body);
	} else {
		good = call_param(call, "ids") && call_param(call, "fields");
		text_word(ids, good ? call_param(call, "ids") : "");
		text_word(fields, good ? call_param(call, "fields") : "");
	}
	if (!good || !ids->used || !fields->used)
		call_error(call, 400, "MISSING_ARGUMENT", "ids and fields must be specified");
	return good && ids->used && fields->used;
}

static bool write_row(struct call *call, struct plan *plan, const char *at, size_t length)
{
	struct problem err;
	char id[SFID_SIZE];

	if (!sfid_parse(at, length, id)) {
		problem_set(&err, 400, "MALFORMED_ID", "malformed id %.*s",
			    (int)(length > 60 ? 60 : length), at);
		call_fail(call, &err);
		return false;
	}
	if (!plan_write(plan, store_row(plan->from, id), call->version, &call->out))
		text_word(&call->out, "null");
	return true;
}

static void write_rows(struct call *call, struct plan *plan, const char *ids)
{
	size_t count = 0;

	text_char(&call->out, '[');
	for (const char *at = ids; *at; count++) {
		size_t length = strcspn(at, ",");

		if (count == READ_MAX) {
			call_error(call, 400, "EXCEEDED_ID_LIMIT",
				   "record limit reached. cannot submit more than 2000 records "
				   "into this call");
			return;
		}
		if (count)
			text_char(&call->out, ',');
		if (!write_row(call, plan, at, length))
			return;
		at += length + (at[length] == ',');
	}
	text_char(&call->out, ']');
}

void collections_read(struct call *call)
{
	const struct sobject *of = schema_find(call->parts[5], strlen(call->parts[5]));
	struct text ids = { 0 }, fields = { 0 };
	struct problem err;
	struct plan *plan;

	if (!of) {
		call_not_found(call);
		return;
	}
	if (read_lists(call, &ids, &fields)) {
		plan = query_plan(of, text_done(&fields), &err);
		if (plan)
			write_rows(call, plan, text_done(&ids));
		else
			call_fail(call, &err);
		plan_free(plan);
	}
	text_free(&ids);
	text_free(&fields);
}
