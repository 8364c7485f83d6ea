/* records_check.c */
#include "records_check.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "problem.h"
#include "schema.h"
#include "sfid.h"
#include "store.h"
#include "values.h"

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
	read = store_ready(sql);
	values_bind(in, read, 1);
	sqlite3_bind_int64(read, 2, row);
	if (sqlite3_step(read) == SQLITE_ROW)
		problem_add(err, "DUPLICATE_VALUE", NULL,
			    "duplicate value found: %s duplicates value on record with id: %.15s",
			    in->field->name, (const char *)sqlite3_column_text(read, 0));
	store_release(read);
	return err->count == 0;
}

bool records_check_references(struct values *in, struct problems *err)
{
	for (size_t i = 0; i < in->count; i++)
		if (in->list[i].kind == VALUE_TEXT && schema_is_id(in->list[i].field->type) &&
		    !check_reference(&in->list[i], err))
			return false;
	return true;
}

bool records_check_unique(const struct sobject *of, int64_t row, const struct values *in,
			  struct problems *err)
{
	for (size_t i = 0; i < in->count; i++)
		if (in->list[i].kind == VALUE_TEXT && in->list[i].field->flags & FIELD_UNIQUE &&
		    !check_unique(of, row, &in->list[i], err))
			return false;
	return true;
}
