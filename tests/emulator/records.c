/* records.c - in order: finding, writing, saving, deleting. */
#include "records.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "denial.h"
#include "flow.h"
#include "problem.h"
#include "records_check.h"
#include "rules.h"
#include "schema.h"
#include "store.h"
#include "text.h"
#include "validation.h"
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

/* The values given, and the stamps of the save. */
static void write_values(const struct sobject *of, int64_t row, const struct values *in,
			 const char *user)
{
	struct text sql = { 0 };
	sqlite3_stmt *write;
	int at = 0;

	text_printf(&sql, "UPDATE \"%s\" SET ", of->name);
	for (size_t i = 0; i < in->count; i++) {
		text_char(&sql, '"');
		text_word(&sql, in->list[i].field->name);
		text_word(&sql, "\" = ?, ");
	}
	text_word(&sql, "LastModifiedById = ?, LastModifiedDate = ?, SystemModstamp = ? "
			"WHERE _row = ?");
	write = store_ready(text_done(&sql));
	text_free(&sql);
	for (size_t i = 0; i < in->count; i++)
		values_bind(&in->list[i], write, ++at);
	sqlite3_bind_text(write, ++at, user, -1, SQLITE_STATIC);
	sqlite3_bind_int64(write, ++at, clock_now_s());
	sqlite3_bind_int64(write, ++at, clock_now_s());
	sqlite3_bind_int64(write, ++at, row);
	store_step(write);
}

static bool has(const struct sobject *of, const struct values *in, const char *name)
{
	const struct field *field = schema_field(of, name, strlen(name));

	return field && values_find(in, field);
}

static void run_for(const char *sql, int64_t row)
{
	sqlite3_stmt *write = store_ready(sql);

	sqlite3_bind_int64(write, 1, row);
	store_step(write);
}

/* What follows from the fields given: the full name, and whether mail came back. */
static void derive(const struct sobject *of, int64_t row, const struct values *in)
{
	char sql[250];

	if (has(of, in, "LastName") || has(of, in, "FirstName")) {
		snprintf(sql, sizeof(sql),
			 "UPDATE \"%s\" SET Name = CASE WHEN FirstName IS NULL THEN LastName ELSE "
			 "FirstName || ' ' || LastName END WHERE _row = ?",
			 of->name);
		run_for(sql, row);
	}
	if (has(of, in, "EmailBouncedDate") && schema_field(of, "IsEmailBounced", 14)) {
		snprintf(sql, sizeof(sql),
			 "UPDATE \"%s\" SET IsEmailBounced = EmailBouncedDate IS NOT NULL WHERE "
			 "_row = ?",
			 of->name);
		run_for(sql, row);
	}
}

void records_touch(const struct sobject *of, int64_t row, const char *user, int64_t at_s,
		   bool system_only)
{
	sqlite3_stmt *write;
	char sql[250];

	snprintf(sql, sizeof(sql), "UPDATE \"%s\" SET SystemModstamp = ?1%s WHERE _row = ?3",
		 of->name, system_only ? "" : ", LastModifiedDate = ?1, LastModifiedById = ?2");
	write = store_ready(sql);
	sqlite3_bind_int64(write, 1, at_s);
	if (!system_only)
		sqlite3_bind_text(write, 2, user, -1, SQLITE_STATIC);
	sqlite3_bind_int64(write, 3, row);
	store_step(write);
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
	write = store_ready(text_done(&sql));
	text_free(&sql);
	sqlite3_bind_int64(write, 1, row);
	sqlite3_bind_text(write, 2, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(write, 3, user, -1, SQLITE_STATIC);
	sqlite3_bind_int64(write, 4, clock_now_s());
	store_step(write);
}

static void save(const struct sobject *of, int64_t row, const char *new_id,
		 const struct saver *saver, const struct values *values)
{
	store_begin();
	if (new_id)
		insert_empty(of, row, new_id, saver->user);
	write_values(of, row, values, saver->user);
	derive(of, row, values);
	if (saver->version)
		rules_assign(of, row, saver);
	store_commit();
}

/* All that a save must pass; `row` is 0 and `id` NULL for a new record. */
static bool check(const struct sobject *of, int64_t row, const char *id, struct values *values,
		  const struct saver *saver, struct problems *err)
{
	bool by_api = saver->version != NULL;

	if (!values_check(of, values, !row, err))
		return false;
	if (by_api)
		flow_run(of, row, values);
	if (row && schema_field(of, "IsConverted", 11) && store_flag(of, row, "IsConverted"))
		return single(err, 400, "CANNOT_UPDATE_CONVERTED_LEAD",
			      "cannot reference converted lead");
	if (by_api && !denial_allows(row ? DENIAL_UPDATE : DENIAL_CREATE, of, id, values, err))
		return false;
	return records_check_references(values, err) &&
	       (!by_api || validation_allows(of, row, values, err)) &&
	       records_check_unique(of, row, values, err) &&
	       (!by_api || rules_allow(of, row, values, saver, err));
}

static bool is_writeable(const struct sobject *of, struct problems *err)
{
	return of->flags & SOBJECT_WRITEABLE ||
	       single(err, 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
		      "entity type cannot be inserted or updated");
}

bool records_insert(const struct sobject *of, struct values *values, const struct saver *saver,
		    char id[SFID_SIZE], struct problems *err)
{
	int64_t row;

	if (!is_writeable(of, err) || !check(of, 0, NULL, values, saver, err))
		return false;
	row = store_next_row(of);
	sfid_make(of->prefix, row, id);
	save(of, row, id, saver, values);
	return true;
}

bool records_alter(const struct sobject *of, const char *id, struct values *values,
		   const struct saver *saver, struct problems *err)
{
	int64_t row;

	if (!is_writeable(of, err))
		return false;
	row = records_find(of, id, err);
	if (!row || !check(of, row, id, values, saver, err))
		return false;
	save(of, row, NULL, saver, values);
	return true;
}

bool records_create(const struct sobject *of, struct json_object *fields, const struct saver *saver,
		    char id[SFID_SIZE], struct problems *err)
{
	struct values values;
	bool good;

	if (!values_read(of, fields, &values, err))
		return false;
	good = records_insert(of, &values, saver, id, err);
	values_free(&values);
	return good;
}

bool records_update(const struct sobject *of, const char *id, struct json_object *fields,
		    const struct saver *saver, struct problems *err)
{
	struct values values;
	bool good;

	if (!records_find(of, id, err) || !values_read(of, fields, &values, err))
		return false;
	good = records_alter(of, id, &values, saver, err);
	values_free(&values);
	return good;
}

static bool was_logged(const struct sobject *of, const char *id)
{
	sqlite3_stmt *read = store_ready("SELECT 1 FROM _deleted WHERE object = ? AND id = ?");
	bool out;

	sqlite3_bind_text(read, 1, of->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(read, 2, id, -1, SQLITE_STATIC);
	out = sqlite3_step(read) == SQLITE_ROW;
	store_release(read);
	return out;
}

bool records_delete(const struct sobject *of, const char *id, const struct saver *saver,
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
	if (!row || (saver->version && !denial_allows(DENIAL_DELETE, of, id, NULL, err)))
		return false;
	store_begin();
	snprintf(sql, sizeof(sql), "UPDATE \"%s\" SET IsDeleted = 1 WHERE _row = %lld", of->name,
		 (long long)row);
	store_run(sql);
	records_touch(of, row, saver->user, clock_now_s(), false);
	store_log_delete(of, id, clock_now_s());
	store_commit();
	return true;
}
