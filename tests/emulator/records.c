/* records.c - in order: finding, checks against other rows, writing, deleting. */
#include "records.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "problem.h"
#include "schema.h"
#include "store.h"
#include "text.h"
#include "values.h"

static bool single(struct problems *err, int status, const char *code, const char *message)
{
	problem_add(err, code, NULL, "%s", message);
	err->list[0].status = status;
	return false;
}

int64_t records_find(const struct sobject *of, const char *id, struct problems *err)
{
	int64_t row = store_row(of, id);

	if (row && (!(of->flags & SOBJECT_DELETABLE) || !store_flag(of, row, "IsDeleted")))
		return row;
	if (row) {
		single(err, 404, "ENTITY_IS_DELETED", "entity is deleted");
	} else {
		single(err, 404, "NOT_FOUND", "The requested resource does not exist");
		err->list[0].has_fields = false;
	}
	return 0;
}

static bool may_refer(const struct field *field, const char *prefix_of)
{
	const struct sobject *to = schema_by_prefix(prefix_of);
	const char *found = to ? strstr(field->refers, to->name) : NULL;
	size_t length = to ? strlen(to->name) : 0;

	return found && (found == field->refers || found[-1] == ',') &&
	       (found[length] == ',' || !found[length]);
}

static bool check_reference(struct value *in, struct problems *err)
{
	char id[SFID_SIZE];
	const struct sobject *to;
	int64_t row;

	if (!sfid_parse(in->text, strlen(in->text), id))
		return problem_add(err, "MALFORMED_ID", in->field->name, "malformed id %.60s",
				   in->text);
	if (strlen(in->text) == 15)
		in->text = realloc(in->text, SFID_SIZE);
	if (!in->text)
		abort();
	memcpy(in->text, id, SFID_SIZE);
	if (!may_refer(in->field, id)) {
		bool in_org = schema_referred(in->field) != NULL;

		return problem_add(err,
				   in_org ? "FIELD_INTEGRITY_EXCEPTION"
					  : "INVALID_CROSS_REFERENCE_KEY",
				   in->field->name,
				   in_org ? "%s: id value of incorrect type: %s"
					  : "%s: invalid cross reference id: %s",
				   in->field->label, id);
	}
	to = schema_by_prefix(id);
	row = store_row(to, id);
	if (!row)
		return problem_add(err, "INVALID_CROSS_REFERENCE_KEY", in->field->name,
				   "invalid cross reference id");
	if (to->flags & SOBJECT_DELETABLE && store_flag(to, row, "IsDeleted"))
		return problem_add(err, "ENTITY_IS_DELETED", in->field->name, "entity is deleted");
	return true;
}

static bool check_unique(const struct sobject *of, int64_t row, const struct value *in,
			 struct problems *err)
{
	sqlite3_stmt *read;
	char sql[200];

	snprintf(sql, sizeof(sql),
		 "SELECT Id FROM \"%s\" WHERE \"%s\" = ? AND IsDeleted = 0 AND _row <> ?", of->name,
		 in->field->name);
	read = store_prepare(sql);
	values_bind(in, read, 1);
	sqlite3_bind_int64(read, 2, row);
	if (sqlite3_step(read) == SQLITE_ROW)
		problem_add(err, "DUPLICATE_VALUE", NULL,
			    "duplicate value found: %s duplicates value on record with id: %.15s",
			    in->field->name, (const char *)sqlite3_column_text(read, 0));
	sqlite3_finalize(read);
	return err->count == 0;
}

static bool check_rows(const struct sobject *of, int64_t row, struct values *in,
		       struct problems *err)
{
	for (size_t i = 0; i < in->count; i++)
		if (in->list[i].kind == VALUE_TEXT && schema_is_id(in->list[i].field->type) &&
		    !check_reference(&in->list[i], err))
			return false;
	for (size_t i = 0; i < in->count; i++)
		if (in->list[i].kind == VALUE_TEXT && in->list[i].field->flags & FIELD_UNIQUE &&
		    !check_unique(of, row, &in->list[i], err))
			return false;
	return true;
}

static void write_values(const struct sobject *of, int64_t row, const struct values *in)
{
	struct text sql = { 0 };
	sqlite3_stmt *write;
	int at = 0;

	if (!in->count)
		return;
	text_printf(&sql, "UPDATE \"%s\" SET ", of->name);
	for (size_t i = 0; i < in->count; i++)
		text_printf(&sql, "%s\"%s\" = ?", i ? ", " : "", in->list[i].field->name);
	text_printf(&sql, " WHERE _row = %lld", (long long)row);
	write = store_prepare(text_done(&sql));
	text_free(&sql);
	for (size_t i = 0; i < in->count; i++)
		values_bind(&in->list[i], write, ++at);
	store_finish(write);
}

/* What follows from the fields given: the full name, and whether mail came back. */
static void derive(const struct sobject *of, int64_t row)
{
	char sql[250];

	if (!schema_field(of, "FirstName", 9) || !schema_field(of, "Name", 4))
		return;
	snprintf(
		sql, sizeof(sql),
		"UPDATE \"%s\" SET Name = CASE WHEN FirstName IS NULL THEN LastName ELSE FirstName "
		"|| ' ' || LastName END WHERE _row = %lld",
		of->name, (long long)row);
	store_run(sql);
	if (!schema_field(of, "IsEmailBounced", 14))
		return;
	snprintf(
		sql, sizeof(sql),
		"UPDATE \"%s\" SET IsEmailBounced = EmailBouncedDate IS NOT NULL WHERE _row = %lld",
		of->name, (long long)row);
	store_run(sql);
}

void records_touch(const struct sobject *of, int64_t row, const char *user, int64_t at_s,
		   bool system_only)
{
	sqlite3_stmt *write;
	char sql[250];

	snprintf(sql, sizeof(sql), "UPDATE \"%s\" SET SystemModstamp = ?1%s WHERE _row = ?3",
		 of->name, system_only ? "" : ", LastModifiedDate = ?1, LastModifiedById = ?2");
	write = store_prepare(sql);
	sqlite3_bind_int64(write, 1, at_s);
	if (!system_only)
		sqlite3_bind_text(write, 2, user, -1, SQLITE_STATIC);
	sqlite3_bind_int64(write, 3, row);
	store_finish(write);
}

static void insert_empty(const struct sobject *of, int64_t row, const char *id, const char *user)
{
	struct text sql = { 0 };
	sqlite3_stmt *write;

	text_printf(&sql, "INSERT INTO \"%s\"(_row, Id, OwnerId, CreatedById, CreatedDate",
		    of->name);
	for (size_t i = 0; i < of->count; i++)
		if (of->fields[i].fallback)
			text_printf(&sql, ", \"%s\"", of->fields[i].name);
	text_word(&sql, ") VALUES(?1, ?2, ?3, ?3, ?4");
	for (size_t i = 0; i < of->count; i++)
		if (of->fields[i].fallback)
			text_printf(&sql, ", '%s'", of->fields[i].fallback);
	text_char(&sql, ')');
	write = store_prepare(text_done(&sql));
	text_free(&sql);
	sqlite3_bind_int64(write, 1, row);
	sqlite3_bind_text(write, 2, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(write, 3, user, -1, SQLITE_STATIC);
	sqlite3_bind_int64(write, 4, clock_now_s());
	store_finish(write);
}

static void save(const struct sobject *of, int64_t row, const char *new_id, const char *user,
		 const struct values *values)
{
	store_begin();
	if (new_id)
		insert_empty(of, row, new_id, user);
	write_values(of, row, values);
	derive(of, row);
	records_touch(of, row, user, clock_now_s(), false);
	store_commit();
}

static bool is_writeable(const struct sobject *of, struct problems *err)
{
	return of->flags & SOBJECT_WRITEABLE ||
	       single(err, 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
		      "entity type cannot be inserted or updated");
}

bool records_create(const struct sobject *of, struct json_object *fields, const char *user,
		    char id[SFID_SIZE], struct problems *err)
{
	struct values values;
	int64_t row = store_next_row(of);
	bool good;

	if (!is_writeable(of, err) || !values_read(of, fields, true, &values, err))
		return false;
	good = check_rows(of, row, &values, err);
	if (good) {
		sfid_make(of->prefix, row, id);
		save(of, row, id, user, &values);
	}
	values_free(&values);
	return good;
}

bool records_update(const struct sobject *of, const char *id, struct json_object *fields,
		    const char *user, struct problems *err)
{
	struct values values;
	int64_t row;
	bool good;

	if (!is_writeable(of, err))
		return false;
	row = records_find(of, id, err);
	if (!row || !values_read(of, fields, false, &values, err))
		return false;
	if (schema_field(of, "IsConverted", 11) && store_flag(of, row, "IsConverted"))
		good = single(err, 400, "CANNOT_UPDATE_CONVERTED_LEAD",
			      "cannot reference converted lead");
	else
		good = check_rows(of, row, &values, err);
	if (good)
		save(of, row, NULL, user, &values);
	values_free(&values);
	return good;
}

static bool was_logged(const struct sobject *of, const char *id)
{
	sqlite3_stmt *read = store_prepare("SELECT 1 FROM _deleted WHERE object = ? AND id = ?");
	bool out;

	sqlite3_bind_text(read, 1, of->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(read, 2, id, -1, SQLITE_STATIC);
	out = sqlite3_step(read) == SQLITE_ROW;
	sqlite3_finalize(read);
	return out;
}

bool records_delete(const struct sobject *of, const char *id, const char *user,
		    struct problems *err)
{
	int64_t row;
	char sql[120];

	if (!(of->flags & SOBJECT_DELETABLE))
		return single(err, 400, "INVALID_TYPE_FOR_OPERATION",
			      "entity type cannot be deleted");
	if (!store_row(of, id) && was_logged(of, id))
		return single(err, 404, "INVALID_CROSS_REFERENCE_KEY",
			      "invalid cross reference id");
	row = records_find(of, id, err);
	if (!row)
		return false;
	snprintf(sql, sizeof(sql), "UPDATE \"%s\" SET IsDeleted = 1 WHERE _row = %lld", of->name,
		 (long long)row);
	store_run(sql);
	records_touch(of, row, user, clock_now_s(), false);
	store_log_delete(of, id, clock_now_s());
	return true;
}
