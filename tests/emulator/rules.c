/* rules.c */
#include "rules.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "call.h"
#include "data.h"
#include "json_in.h"
#include "schema.h"
#include "sfid.h"
#include "store.h"

#define ASSIGNEE 5 /* which salesperson */

static bool has_duplicate_rule, has_assignment_rule;

void rules_set(bool duplicates, bool assignment)
{
	has_duplicate_rule = duplicates;
	has_assignment_rule = assignment;
}

static bool find_twin(const struct sobject *of, const char *id, const char *email,
		      char twin[SFID_SIZE])
{
	sqlite3_stmt *read;
	char sql[150];
	bool found;

	snprintf(sql, sizeof(sql),
		 "SELECT Id FROM \"%s\" WHERE Email = ? AND IsDeleted = 0 AND Id <> ? LIMIT 1",
		 of->name);
	read = store_prepare(sql);
	sqlite3_bind_text(read, 1, email, -1, SQLITE_STATIC);
	sqlite3_bind_text(read, 2, id ? id : "", -1, SQLITE_STATIC);
	found = sqlite3_step(read) == SQLITE_ROW;
	if (found)
		memcpy(twin, sqlite3_column_text(read, 0), SFID_SIZE);
	sqlite3_finalize(read);
	return found;
}

bool rules_allow(struct call *call, const struct sobject *of, const char *id,
		 struct json_object *fields)
{
	const char *header = call_header(call, "Sforce-Duplicate-Rule-Header");
	const char *email = json_in_text(fields, "Email");
	char twin[SFID_SIZE];

	if (!has_duplicate_rule || !email || !schema_field(of, "Leadsync_Key__c", 15) ||
	    (header && strcasestr(header, "allowSave=true")) || !find_twin(of, id, email, twin))
		return true;
	call->out.used = 0;
	call->status = 400;
	text_printf(
		&call->out,
		"[{\"duplicateResult\":{\"allowSave\":true,\"duplicateRule\":\"Standard_%s_"
		"Duplicate_Rule\",\"duplicateRuleEntityType\":\"%s\",\"errorMessage\":\"Use one of "
		"these records?\",\"matchResults\":[{\"entityType\":\"%s\",\"errors\":[],"
		"\"matchEngine\":\"FuzzyMatchEngine\",\"matchRecords\":[{\"additionalInformation\":"
		"[],\"fieldDiffs\":[],\"matchConfidence\":100.0,\"record\":{\"attributes\":{"
		"\"type\":"
		"\"%s\",\"url\":\"/services/data/%s/sobjects/%s/%s\"},\"Id\":\"%s\"}}],\"rule\":"
		"\"Standard_%s_Match_Rule_v1_0\",\"size\":1,\"success\":true}]},\"errorCode\":"
		"\"DUPLICATES_DETECTED\",\"message\":\"Use one of these records?\"}]",
		of->name, of->name, of->name, of->name, call->version, of->name, twin, twin,
		of->name);
	return false;
}

void rules_assign(const struct call *call, const struct sobject *of, const char *id)
{
	const char *header = call_header(call, "Sforce-Auto-Assign");
	sqlite3_stmt *write;

	if (!has_assignment_rule || strcmp(of->name, "Lead") != 0 ||
	    (header && strcasecmp(header, "FALSE") == 0))
		return;
	write = store_prepare("UPDATE Lead SET OwnerId = ? WHERE Id = ?");
	sqlite3_bind_text(write, 1, data_salesperson(ASSIGNEE), -1, SQLITE_STATIC);
	sqlite3_bind_text(write, 2, id, -1, SQLITE_STATIC);
	store_finish(write);
}
