/* lifecycle.c - in order: the recycle bin, merging, conversion. */
#include "lifecycle.h"

#include <json-c/json.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "problem.h"
#include "records.h"
#include "schema.h"
#include "store.h"

static bool refuse(struct problems *err, int status, const char *code, const char *message)
{
	problem_add(err, code, NULL, "%s", message);
	err->list[0].status = status;
	return false;
}

/* Runs a statement that has ?1 and, if `second` is given, ?2. */
static void run(const char *sql, const char *first, const char *second)
{
	sqlite3_stmt *statement = store_prepare(sql);

	sqlite3_bind_text(statement, 1, first, -1, SQLITE_STATIC);
	if (second)
		sqlite3_bind_text(statement, 2, second, -1, SQLITE_STATIC);
	store_finish(statement);
}

static int64_t find_deleted(const struct sobject *of, const char *id, struct problems *err)
{
	int64_t row = store_row(of, id);

	if (row && store_flag(of, row, "IsDeleted"))
		return row;
	refuse(err, 400, row ? "UNDELETE_FAILED" : "NOT_FOUND",
	       row ? "Entity is not in the recycle bin" : "The requested resource does not exist");
	return 0;
}

bool lifecycle_undelete(const struct sobject *of, const char *id, const char *user,
			struct problems *err)
{
	int64_t row = find_deleted(of, id, err);
	char sql[120];

	if (!row)
		return false;
	snprintf(sql, sizeof(sql),
		 "UPDATE \"%s\" SET IsDeleted = 0, MasterRecordId = NULL WHERE Id = ?", of->name);
	run(sql, id, NULL);
	records_touch(of, row, user, clock_now_s(), false);
	store_unlog_delete(of, id);
	return true;
}

bool lifecycle_purge(const struct sobject *of, const char *id, struct problems *err)
{
	char sql[120];

	if (!find_deleted(of, id, err))
		return false;
	snprintf(sql, sizeof(sql), "DELETE FROM \"%s\" WHERE Id = ?", of->name);
	run(sql, id, NULL);
	return true;
}

static void move_children(const struct sobject *of, const char *winner, const char *loser)
{
	char sql[300];

	for (const struct sobject *child = schema_all(); child->name; child++) {
		for (size_t i = 0; i < child->count; i++) {
			const struct field *field = &child->fields[i];

			if (!field->refers || strcmp(field->refers, of->name) != 0 ||
			    strcmp(field->name, "MasterRecordId") == 0)
				continue;
			snprintf(sql, sizeof(sql),
				 "UPDATE \"%s\" SET \"%s\" = ?1, SystemModstamp = %lld WHERE "
				 "\"%s\" = ?2",
				 child->name, field->name, (long long)clock_now_s(), field->name);
			run(sql, winner, loser);
		}
	}
}

bool lifecycle_merge(const struct sobject *of, const char *winner, const char *loser,
		     const char *user, struct problems *err)
{
	const struct saver saver = saver_person(user);
	int64_t into;
	char sql[120];

	if (!(of->flags & SOBJECT_MERGEABLE) || strcmp(winner, loser) == 0)
		return refuse(err, 400, "INVALID_OPERATION", "records cannot be merged");
	into = records_find(of, winner, err);
	if (!into || !records_delete(of, loser, &saver, err))
		return false;
	snprintf(sql, sizeof(sql), "UPDATE \"%s\" SET MasterRecordId = ?1 WHERE Id = ?2", of->name);
	run(sql, winner, loser);
	move_children(of, winner, loser);
	records_touch(of, into, user, clock_now_s(), false);
	return true;
}

/* One text column of a row, as a new JSON string, or NULL. */
static struct json_object *text_of(const struct sobject *of, int64_t row, const char *column)
{
	struct json_object *out = NULL;
	sqlite3_stmt *read;
	char sql[200];

	snprintf(sql, sizeof(sql), "SELECT \"%s\" FROM \"%s\" WHERE _row = %lld", column, of->name,
		 (long long)row);
	read = store_prepare(sql);
	if (sqlite3_step(read) == SQLITE_ROW && sqlite3_column_text(read, 0))
		out = json_object_new_string((const char *)sqlite3_column_text(read, 0));
	sqlite3_finalize(read);
	return out;
}

static const char *const carried[][2] = {
	{ "FirstName", "FirstName" },
	{ "LastName", "LastName" },
	{ "Salutation", "Salutation" },
	{ "Title", "Title" },
	{ "Email", "Email" },
	{ "Phone", "Phone" },
	{ "MobilePhone", "MobilePhone" },
	{ "Fax", "Fax" },
	{ "Street", "MailingStreet" },
	{ "City", "MailingCity" },
	{ "State", "MailingState" },
	{ "PostalCode", "MailingPostalCode" },
	{ "Country", "MailingCountry" },
	{ "LeadSource", "LeadSource" },
	{ "Description", "Description" },
};

/* The lead's values for a contact; of a contact that is there, only for its empty fields. */
static struct json_object *contact_fields(const struct sobject *lead, int64_t row,
					  const struct sobject *contact, int64_t into)
{
	struct json_object *out = json_object_new_object();

	for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
		struct json_object *given = text_of(lead, row, carried[i][0]);
		struct json_object *has = into ? text_of(contact, into, carried[i][1]) : NULL;

		if (given && !has)
			json_object_object_add(out, carried[i][1], given);
		else
			json_object_put(given);
		json_object_put(has);
	}
	return out;
}

static bool make_contact(const struct lifecycle_conversion *how, int64_t lead_row,
			 struct lifecycle_converted *out, struct problems *err)
{
	const struct saver saver = saver_person(how->user);
	const struct sobject *lead = schema_find("Lead", 4), *contact = schema_find("Contact", 7);
	int64_t into = how->contact ? records_find(contact, how->contact, err) : 0;
	struct json_object *fields;
	bool good;

	if (how->contact && !into)
		return false;
	fields = contact_fields(lead, lead_row, contact, into);
	if (into) {
		memcpy(out->contact, how->contact, SFID_SIZE);
		good = records_update(contact, how->contact, fields, &saver, err);
	} else {
		json_object_object_add(fields, "AccountId", json_object_new_string(out->account));
		good = records_create(contact, fields, &saver, out->contact, err);
	}
	json_object_put(fields);
	return good;
}

static bool make_account(const struct lifecycle_conversion *how, int64_t lead_row,
			 struct lifecycle_converted *out, struct problems *err)
{
	const struct saver saver = saver_person(how->user);
	const struct sobject *account = schema_find("Account", 7);
	struct json_object *fields;
	bool good;

	if (how->account) {
		memcpy(out->account, how->account, SFID_SIZE);
		return records_find(account, how->account, err) != 0;
	}
	fields = json_object_new_object();
	json_object_object_add(fields, "Name",
			       text_of(schema_find("Lead", 4), lead_row, "Company"));
	good = records_create(account, fields, &saver, out->account, err);
	json_object_put(fields);
	return good;
}

static bool make_opportunity(const struct lifecycle_conversion *how, int64_t lead_row,
			     struct lifecycle_converted *out, struct problems *err)
{
	const struct saver saver = saver_person(how->user);
	struct json_object *fields;
	bool good;

	if (!how->with_opportunity)
		return true;
	fields = json_object_new_object();
	json_object_object_add(fields, "Name",
			       text_of(schema_find("Lead", 4), lead_row, "Company"));
	json_object_object_add(fields, "StageName", json_object_new_string("Prospecting"));
	json_object_object_add(fields, "CloseDate", json_object_new_string("2027-03-31"));
	json_object_object_add(fields, "AccountId", json_object_new_string(out->account));
	good = records_create(schema_find("Opportunity", 11), fields, &saver, out->opportunity,
			      err);
	json_object_put(fields);
	return good;
}

bool lifecycle_convert(const struct lifecycle_conversion *how, struct lifecycle_converted *out,
		       struct problems *err)
{
	const struct sobject *lead = schema_find("Lead", 4);
	int64_t row = records_find(lead, how->lead, err);
	sqlite3_stmt *write;

	*out = (struct lifecycle_converted){ 0 };
	if (!row)
		return false;
	if (store_flag(lead, row, "IsConverted"))
		return refuse(err, 400, "CANNOT_UPDATE_CONVERTED_LEAD",
			      "cannot reference converted lead");
	if (!make_account(how, row, out, err) || !make_contact(how, row, out, err) ||
	    !make_opportunity(how, row, out, err))
		return false;
	write = store_prepare("UPDATE Lead SET IsConverted = 1, Status = 'Closed - Converted', "
			      "ConvertedDate = ?, ConvertedAccountId = ?, ConvertedContactId = ?, "
			      "ConvertedOpportunityId = nullif(?, '') WHERE _row = ?");
	sqlite3_bind_int64(write, 1, clock_now_s() / 86400);
	sqlite3_bind_text(write, 2, out->account, -1, SQLITE_STATIC);
	sqlite3_bind_text(write, 3, out->contact, -1, SQLITE_STATIC);
	sqlite3_bind_text(write, 4, out->opportunity, -1, SQLITE_STATIC);
	sqlite3_bind_int64(write, 5, row);
	store_finish(write);
	records_touch(lead, row, how->user, clock_now_s(), false);
	return true;
}
