/* rules.c */
#include "rules.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "data.h"
#include "problem.h"
#include "saver.h"
#include "schema.h"
#include "sfid.h"
#include "store.h"
#include "values.h"

#define ASSIGNEE 5 /* which salesperson */

static enum rules_duplicates duplicate_rule;
static bool has_assignment_rule;

void rules_set(enum rules_duplicates duplicates, bool assignment)
{
	duplicate_rule = duplicates;
	has_assignment_rule = assignment;
}

static bool find_twin(const struct sobject *of, int64_t row, const char *email,
		      char twin[SFID_SIZE])
{
	sqlite3_stmt *read;
	char sql[150];
	bool found;

	snprintf(sql, sizeof(sql),
		 "SELECT Id FROM \"%s\" WHERE Email = ? AND IsDeleted = 0 AND _row <> ? LIMIT 1",
		 of->name);
	read = store_ready(sql);
	sqlite3_bind_text(read, 1, email, -1, SQLITE_STATIC);
	sqlite3_bind_int64(read, 2, row);
	found = sqlite3_step(read) == SQLITE_ROW;
	if (found)
		memcpy(twin, sqlite3_column_text(read, 0), SFID_SIZE);
	store_release(read);
	return found;
}

bool rules_allow(const struct sobject *of, int64_t row, const struct values *values,
		 const struct saver *saver, struct problems *err)
{
	const struct field *field = schema_field(of, "Email", 5);
	const struct value *email = field ? values_find(values, field) : NULL;
	bool is_alert = duplicate_rule == RULES_DUPLICATES_ALERT;
	char twin[SFID_SIZE];

	if (duplicate_rule == RULES_DUPLICATES_OFF || !email || email->kind != VALUE_TEXT ||
	    (is_alert && saver->allow_duplicates) || !find_twin(of, row, email->text, twin))
		return true;
	problem_add(err, "DUPLICATES_DETECTED", NULL, "Use one of these records?");
	err->list[0].twin_of = of->name;
	err->list[0].version = saver->version;
	err->list[0].is_alert = is_alert;
	err->list[0].has_fields = false;
	memcpy(err->list[0].twin, twin, SFID_SIZE);
	return false;
}

void rules_assign(const struct sobject *of, int64_t row, const struct saver *saver)
{
	sqlite3_stmt *write;

	if (!has_assignment_rule || !saver->assign || strcmp(of->name, "Lead") != 0)
		return;
	write = store_ready("UPDATE Lead SET OwnerId = ? WHERE _row = ?");
	sqlite3_bind_text(write, 1, data_salesperson(ASSIGNEE), -1, SQLITE_STATIC);
	sqlite3_bind_int64(write, 2, row);
	store_step(write);
}
