/* rest_record.c - in order: helpers, by id, by external id. */
#include "rest_record.h"

#include <json-c/json.h>
#include <sqlite3.h>
#include <stdio.h>
#include <strings.h>

#include "call.h"
#include "precondition.h"
#include "problem.h"
#include "query.h"
#include "records.h"
#include "rest.h"
#include "schema.h"
#include "session.h"
#include "store.h"

static const struct sobject *find_object(struct call *call)
{
	const struct sobject *of = schema_find(call->parts[4], strlen(call->parts[4]));

	if (!of)
		call_not_found(call);
	return of;
}

/* The id in the path, made of 18 characters. */
static bool find_id(struct call *call, const struct sobject *of, char id[SFID_SIZE])
{
	const char *given = call->parts[5];
	struct problem err;

	if (!sfid_parse(given, strlen(given), id)) {
		problem_set(&err, 400, "MALFORMED_ID", "malformed id %.60s", given);
		call_fail(call, &err);
		return false;
	}
	if (strncmp(id, of->prefix, 3) != 0) {
		call_not_found(call);
		return false;
	}
	return true;
}

static void remove_record(struct call *call, const struct sobject *of, const char *id)
{
	const struct saver saver = saver_of(call);
	struct problems err = { 0 };

	if (records_delete(of, id, &saver, &err))
		call_empty(call, 204);
	else
		call_fail_all(call, &err);
}

static void write_created(struct call *call, const struct sobject *of, const char *id,
			  const char *tail)
{
	char location[120];

	snprintf(location, sizeof(location), "/services/data/%s/sobjects/%s/%s", call->version,
		 of->name, id);
	call_add_header(call, "Location", location);
	call->status = 201;
	text_printf(&call->out, "{\"id\":\"%s\",\"success\":true,\"errors\":[]%s}", id, tail);
}

static void create(struct call *call, const struct sobject *of, struct json_object *fields,
		   const char *tail)
{
	const struct saver saver = saver_of(call);
	struct problems err = { 0 };
	char id[SFID_SIZE];

	if (!records_create(of, fields, &saver, id, &err)) {
		call_fail_all(call, &err);
		return;
	}
	write_created(call, of, id, tail);
}

/* False if the call has ended with what is wrong. */
static bool update(struct call *call, const struct sobject *of, const char *id,
		   struct json_object *fields)
{
	const struct saver saver = saver_of(call);
	struct problems err = { 0 };

	if (!records_update(of, id, fields, &saver, &err)) {
		call_fail_all(call, &err);
		return false;
	}
	return true;
}

void rest_record_create(struct call *call)
{
	const struct sobject *of = find_object(call);
	struct json_object *fields;

	if (!of || !rest_has_json(call))
		return;
	fields = call_json(call);
	if (!fields)
		return;
	create(call, of, fields, "");
	json_object_put(fields);
}

static void read_one(struct call *call, const struct sobject *of, const char *id)
{
	if (!precondition_holds(call, of, id))
		return;
	precondition_tell(call, of, id);
	query_read(call, of, id, call_param(call, "fields"));
}

void rest_record_read(struct call *call)
{
	const struct sobject *of = find_object(call);
	struct problems err = { 0 };
	char id[SFID_SIZE];

	if (!of || !find_id(call, of, id))
		return;
	if (!records_find(of, id, &err))
		call_fail_all(call, &err);
	else
		read_one(call, of, id);
}

void rest_record_update(struct call *call)
{
	const struct sobject *of = find_object(call);
	struct json_object *fields;
	char id[SFID_SIZE];

	if (!of || !find_id(call, of, id) || !rest_has_json(call))
		return;
	fields = call_json(call);
	if (!fields)
		return;
	if (precondition_holds(call, of, id) && update(call, of, id, fields))
		call_empty(call, 204);
	json_object_put(fields);
}

void rest_record_delete(struct call *call)
{
	const struct sobject *of = find_object(call);
	char id[SFID_SIZE];

	if (of && find_id(call, of, id))
		remove_record(call, of, id);
}

/* The ids that hold the key of the path; -1 if there is no such key field, and the call has ended.
 */
static int find_external(struct call *call, const struct sobject *of, const struct field **field,
			 char ids[2][SFID_SIZE])
{
	const char *name = call->parts[5];
	struct problem err;
	sqlite3_stmt *read;
	char sql[200];
	int count = 0;

	*field = schema_field(of, name, strlen(name));
	if (!*field || !((*field)->flags & (FIELD_EXTERNAL | FIELD_ID_LOOKUP))) {
		problem_set(&err, 404, "NOT_FOUND",
			    "Provided external ID field does not exist or is not accessible: %.80s",
			    name);
		call_fail(call, &err);
		return -1;
	}
	snprintf(sql, sizeof(sql), "SELECT Id FROM \"%s\" WHERE \"%s\" = ?%s", of->name,
		 (*field)->name, of->flags & SOBJECT_DELETABLE ? " AND IsDeleted = 0" : "");
	read = store_prepare(sql);
	sqlite3_bind_text(read, 1, call->parts[6], -1, SQLITE_STATIC);
	while (sqlite3_step(read) == SQLITE_ROW && count < 2)
		memcpy(ids[count++], sqlite3_column_text(read, 0), SFID_SIZE);
	sqlite3_finalize(read);
	return count;
}

static void write_choices(struct call *call, const struct sobject *of, char ids[2][SFID_SIZE])
{
	call->status = 300;
	text_char(&call->out, '[');
	for (int i = 0; i < 2; i++)
		text_printf(&call->out, "%s\"/services/data/%s/sobjects/%s/%s\"", i ? "," : "",
			    call->version, of->name, ids[i]);
	text_char(&call->out, ']');
}

void rest_record_read_external(struct call *call)
{
	const struct sobject *of = find_object(call);
	const struct field *field;
	char ids[2][SFID_SIZE];
	int count = of ? find_external(call, of, &field, ids) : -1;

	if (count == 0)
		call_not_found(call);
	else if (count == 1)
		read_one(call, of, ids[0]);
	else if (count == 2)
		write_choices(call, of, ids);
}

void rest_record_delete_external(struct call *call)
{
	const struct sobject *of = find_object(call);
	const struct field *field;
	char ids[2][SFID_SIZE];
	int count = of ? find_external(call, of, &field, ids) : -1;

	if (count == 0)
		call_not_found(call);
	else if (count == 1)
		remove_record(call, of, ids[0]);
	else if (count == 2)
		write_choices(call, of, ids);
}

static void upsert_one(struct call *call, const struct sobject *of, const struct field *field,
		       struct json_object *fields, const char *id)
{
	const char *only = call_param(call, "updateOnly");

	if (!id && only && strcasecmp(only, "true") == 0) {
		call_not_found(call);
	} else if (!id) {
		json_object_object_add(fields, field->name, json_object_new_string(call->parts[6]));
		create(call, of, fields, ",\"created\":true");
	} else if (precondition_holds(call, of, id) && update(call, of, id, fields)) {
		text_printf(&call->out,
			    "{\"id\":\"%s\",\"success\":true,\"errors\":[],\"created\":false}", id);
	}
}

void rest_record_upsert(struct call *call)
{
	const struct sobject *of = find_object(call);
	const struct field *field;
	struct json_object *fields;
	char ids[2][SFID_SIZE];
	int count;

	if (!of || !rest_has_json(call))
		return;
	count = find_external(call, of, &field, ids);
	if (count < 0)
		return;
	fields = call_json(call);
	if (!fields)
		return;
	if (json_object_object_get_ex(fields, field->name, NULL) ||
	    json_object_object_get_ex(fields, "Id", NULL))
		call_error(call, 400, "INVALID_FIELD",
			   "The external id field and Id should not be specified in the sobject "
			   "data.");
	else if (count == 2)
		write_choices(call, of, ids);
	else
		upsert_one(call, of, field, fields, count ? ids[0] : NULL);
	json_object_put(fields);
}
