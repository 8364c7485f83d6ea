/* schema.c - the small objects, and finding things in all of them. */
#include "schema.h"

#include <string.h>
#include <strings.h>

#include "clock.h"
#include "schema_values.h"
#include "stamp.h"

#define EDIT        (FIELD_NILLABLE | FIELD_CREATEABLE | FIELD_UPDATEABLE)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

#define ID_FIELD(label)                                                                            \
	{                                                                                          \
		"Id", label, FIELD_ID, .length = 18, .flags = FIELD_DEFAULTED | FIELD_ID_LOOKUP    \
	}
#define DELETED_FIELD                                                                              \
	{                                                                                          \
		"IsDeleted", "Deleted", FIELD_BOOLEAN, .flags = FIELD_DEFAULTED                    \
	}
#define OWNER_FIELD                                                                                \
	{                                                                                          \
		"OwnerId", "Owner ID", FIELD_REFERENCE,                                            \
			.length = 18,                                                              \
			.flags = FIELD_CREATEABLE | FIELD_UPDATEABLE | FIELD_DEFAULTED,            \
			.refers = "User", .relationship = "Owner"                                  \
	}
#define AUDIT_FIELDS                                                                               \
	{ "CreatedDate", "Created Date", FIELD_DATETIME, .flags = FIELD_DEFAULTED },               \
		{ "CreatedById",                                                                   \
		  "Created By ID",                                                                 \
		  FIELD_REFERENCE,                                                                 \
		  .length = 18,                                                                    \
		  .flags = FIELD_DEFAULTED,                                                        \
		  .refers = "User",                                                                \
		  .relationship = "CreatedBy" },                                                   \
		{ "LastModifiedDate", "Last Modified Date", FIELD_DATETIME,                        \
		  .flags = FIELD_DEFAULTED },                                                      \
		{ "LastModifiedById",                                                              \
		  "Last Modified By ID",                                                           \
		  FIELD_REFERENCE,                                                                 \
		  .length = 18,                                                                    \
		  .flags = FIELD_DEFAULTED,                                                        \
		  .refers = "User",                                                                \
		  .relationship = "LastModifiedBy" },                                              \
	{                                                                                          \
		"SystemModstamp", "System Modstamp", FIELD_DATETIME, .flags = FIELD_DEFAULTED      \
	}

static struct field account_fields[] = {
	ID_FIELD("Account ID"),
	DELETED_FIELD,
	{ "MasterRecordId", "Master Record ID", FIELD_REFERENCE, .length = 18,
	  .flags = FIELD_NILLABLE, .refers = "Account", .relationship = "MasterRecord" },
	{ "Name", "Account Name", FIELD_STRING, .length = 255,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE | FIELD_NAME_FIELD,
	  .extra = "switchablepersonname" },
	{ "Type", "Account Type", FIELD_PICKLIST, .length = 255, .flags = EDIT },
	{ "Industry", "Industry", FIELD_PICKLIST, .length = 255, .flags = EDIT,
	  .values = schema_industries },
	{ "Phone", "Account Phone", FIELD_PHONE, .length = 40, .flags = EDIT },
	{ "Website", "Website", FIELD_URL, .length = 255, .flags = EDIT },
	{ "AnnualRevenue", "Annual Revenue", FIELD_CURRENCY, .precision = 18, .flags = EDIT },
	{ "NumberOfEmployees", "Employees", FIELD_INT, .precision = 8, .flags = EDIT },
	OWNER_FIELD,
	AUDIT_FIELDS,
};

static struct field user_fields[] = {
	ID_FIELD("User ID"),
	{ "Username", "Username", FIELD_STRING, .length = 80,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE | FIELD_ID_LOOKUP },
	{ "LastName", "Last Name", FIELD_STRING, .length = 80,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE, .compound = "Name" },
	{ "FirstName", "First Name", FIELD_STRING, .length = 40, .flags = EDIT,
	  .compound = "Name" },
	{ "Name", "Full Name", FIELD_STRING, .length = 121, .flags = FIELD_NAME_FIELD,
	  .extra = "personname" },
	{ "Alias", "Alias", FIELD_STRING, .length = 8,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE },
	{ "CommunityNickname", "Nickname", FIELD_STRING, .length = 40,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE },
	{ "Email", "Email", FIELD_EMAIL, .length = 128,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE },
	{ "Title", "Title", FIELD_STRING, .length = 80, .flags = EDIT },
	{ "Phone", "Phone", FIELD_PHONE, .length = 40, .flags = EDIT },
	{ "IsActive", "Active", FIELD_BOOLEAN,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE | FIELD_DEFAULTED },
	{ "UserType", "User Type", FIELD_PICKLIST, .length = 40,
	  .flags = FIELD_NILLABLE | FIELD_RESTRICTED },
	{ "ProfileId", "Profile ID", FIELD_REFERENCE, .length = 18,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE, .refers = "Profile",
	  .relationship = "Profile" },
	{ "TimeZoneSidKey", "Time Zone", FIELD_PICKLIST, .length = 40,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE | FIELD_RESTRICTED },
	{ "LocaleSidKey", "Locale", FIELD_PICKLIST, .length = 40,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE | FIELD_RESTRICTED },
	{ "LanguageLocaleKey", "Language", FIELD_PICKLIST, .length = 40,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE | FIELD_RESTRICTED },
	AUDIT_FIELDS,
};

static struct field organization_fields[] = {
	ID_FIELD("Organization ID"),
	{ "Name", "Name", FIELD_STRING, .length = 80,
	  .flags = FIELD_NAME_FIELD | FIELD_UPDATEABLE },
	{ "OrganizationType", "Edition", FIELD_PICKLIST, .length = 40,
	  .flags = FIELD_NILLABLE | FIELD_RESTRICTED },
	{ "InstanceName", "Instance Name", FIELD_STRING, .length = 5, .flags = FIELD_NILLABLE },
	{ "IsSandbox", "Is Sandbox", FIELD_BOOLEAN, .flags = FIELD_DEFAULTED },
	{ "NamespacePrefix", "Namespace Prefix", FIELD_STRING, .length = 15,
	  .flags = FIELD_NILLABLE },
	{ "TrialExpirationDate", "Trial Expiration Date", FIELD_DATETIME, .flags = FIELD_NILLABLE },
	{ "LanguageLocaleKey", "Language", FIELD_PICKLIST, .length = 40,
	  .flags = FIELD_UPDATEABLE | FIELD_RESTRICTED },
	{ "DefaultLocaleSidKey", "Locale", FIELD_PICKLIST, .length = 40,
	  .flags = FIELD_UPDATEABLE | FIELD_RESTRICTED },
	{ "TimeZoneSidKey", "Time Zone", FIELD_PICKLIST, .length = 40,
	  .flags = FIELD_UPDATEABLE | FIELD_RESTRICTED },
	AUDIT_FIELDS,
};

static struct field group_fields[] = {
	ID_FIELD("Group ID"),
	{ "Name", "Name", FIELD_STRING, .length = 40, .flags = FIELD_NAME_FIELD },
	{ "DeveloperName", "Developer Name", FIELD_STRING, .length = 80, .flags = FIELD_NILLABLE },
	{ "Type", "Type", FIELD_PICKLIST, .length = 40, .flags = FIELD_RESTRICTED },
	{ "Email", "Email", FIELD_EMAIL, .length = 255, .flags = FIELD_NILLABLE },
	AUDIT_FIELDS,
};

static struct field opportunity_fields[] = {
	ID_FIELD("Opportunity ID"),
	DELETED_FIELD,
	{ "AccountId", "Account ID", FIELD_REFERENCE, .length = 18, .flags = EDIT,
	  .refers = "Account", .relationship = "Account" },
	{ "Name", "Name", FIELD_STRING, .length = 120,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE | FIELD_NAME_FIELD },
	{ "StageName", "Stage", FIELD_PICKLIST, .length = 255,
	  .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE },
	{ "CloseDate", "Close Date", FIELD_DATE, .flags = FIELD_CREATEABLE | FIELD_UPDATEABLE },
	{ "Amount", "Amount", FIELD_CURRENCY, .precision = 18, .scale = 2, .flags = EDIT },
	{ "Probability", "Probability (%)", FIELD_PERCENT, .precision = 3, .flags = EDIT },
	OWNER_FIELD,
	AUDIT_FIELDS,
};

static struct sobject objects[] = {
	{ "Account", "Account", "Accounts", "001", account_fields, COUNT(account_fields),
	  SOBJECT_WRITEABLE | SOBJECT_DELETABLE | SOBJECT_MERGEABLE | SOBJECT_REPLICATEABLE },
	{ "Contact", "Contact", "Contacts", "003", schema_contact_fields, 0,
	  SOBJECT_WRITEABLE | SOBJECT_DELETABLE | SOBJECT_MERGEABLE | SOBJECT_REPLICATEABLE },
	{ "Group", "Group", "Group", "00G", group_fields, COUNT(group_fields), 0 },
	{ "Lead", "Lead", "Leads", "00Q", schema_lead_fields, 0,
	  SOBJECT_WRITEABLE | SOBJECT_DELETABLE | SOBJECT_MERGEABLE | SOBJECT_REPLICATEABLE },
	{ "Opportunity", "Opportunity", "Opportunities", "006", opportunity_fields,
	  COUNT(opportunity_fields),
	  SOBJECT_WRITEABLE | SOBJECT_DELETABLE | SOBJECT_REPLICATEABLE },
	{ "Organization", "Organization", "Organizations", "00D", organization_fields,
	  COUNT(organization_fields), 0 },
	{ "User", "User", "Users", "005", user_fields, COUNT(user_fields), SOBJECT_REPLICATEABLE },
	{ NULL },
};

static const struct {
	const char *name;
	const char *soap;
} types[] = {
	[FIELD_ID] = { "id", "tns:ID" },
	[FIELD_REFERENCE] = { "reference", "tns:ID" },
	[FIELD_STRING] = { "string", "xsd:string" },
	[FIELD_TEXTAREA] = { "textarea", "xsd:string" },
	[FIELD_PICKLIST] = { "picklist", "xsd:string" },
	[FIELD_MULTIPICKLIST] = { "multipicklist", "xsd:string" },
	[FIELD_PHONE] = { "phone", "xsd:string" },
	[FIELD_URL] = { "url", "xsd:string" },
	[FIELD_EMAIL] = { "email", "xsd:string" },
	[FIELD_BOOLEAN] = { "boolean", "xsd:boolean" },
	[FIELD_INT] = { "int", "xsd:int" },
	[FIELD_DOUBLE] = { "double", "xsd:double" },
	[FIELD_CURRENCY] = { "currency", "xsd:double" },
	[FIELD_PERCENT] = { "percent", "xsd:double" },
	[FIELD_DATE] = { "date", "xsd:date" },
	[FIELD_DATETIME] = { "datetime", "xsd:dateTime" },
	[FIELD_ADDRESS] = { "address", "urn:address" },
};

static int64_t modified_s;

struct sobject *schema_all(void)
{
	for (struct sobject *at = objects; at->name; at++) {
		if (at->fields == schema_lead_fields)
			at->count = schema_lead_count;
		else if (at->fields == schema_contact_fields)
			at->count = schema_contact_count;
	}
	return objects;
}

static bool same(const char *name, const char *from, size_t length)
{
	return (*name | 32) == (*from | 32) && strncasecmp(name, from, length) == 0 &&
	       name[length] == '\0';
}

struct sobject *schema_find(const char *name, size_t length)
{
	for (struct sobject *at = schema_all(); at->name; at++)
		if (same(at->name, name, length))
			return at;
	return NULL;
}

struct sobject *schema_by_prefix(const char *id)
{
	for (struct sobject *at = schema_all(); at->name; at++)
		if (strncmp(at->prefix, id, 3) == 0)
			return at;
	return NULL;
}

struct field *schema_field(const struct sobject *of, const char *name, size_t length)
{
	for (size_t i = 0; i < of->count; i++)
		if (!of->fields[i].hidden && same(of->fields[i].name, name, length))
			return &of->fields[i];
	return NULL;
}

struct sobject *schema_referred(const struct field *field)
{
	const char *last = strrchr(field->refers, ',');

	last = last ? last + 1 : field->refers;
	return schema_find(last, strlen(last));
}

struct field *schema_relation(const struct sobject *of, const char *name, size_t length,
			      struct sobject **to)
{
	for (size_t i = 0; i < of->count; i++) {
		struct field *field = &of->fields[i];

		if (!field->relationship || field->hidden ||
		    !same(field->relationship, name, length))
			continue;
		*to = schema_referred(field);
		return *to ? field : NULL;
	}
	return NULL;
}

static bool retype(struct field *field, const char *type)
{
	for (size_t i = 0; type && i < COUNT(types); i++) {
		if (strcmp(types[i].name, type) == 0) {
			field->type = (enum field_type)i;
			return true;
		}
	}
	return false;
}

bool schema_drift(struct sobject *in, const char *name, const char *change, const char *type)
{
	struct field *field = NULL;
	int64_t now_s = clock_now_s();

	for (size_t i = 0; i < in->count; i++)
		if (same(in->fields[i].name, name, strlen(name)))
			field = &in->fields[i];
	if (!field)
		return false;
	if (strcmp(change, "hide") == 0)
		field->hidden = true;
	else if (strcmp(change, "show") == 0)
		field->hidden = false;
	else if (strcmp(change, "readonly") == 0)
		field->readonly = true;
	else if (strcmp(change, "writeable") == 0)
		field->readonly = false;
	else if (strcmp(change, "retype") != 0 || !retype(field, type))
		return false;
	modified_s = now_s > schema_modified_s() ? now_s : schema_modified_s() + 1;
	return true;
}

int64_t schema_modified_s(void)
{
	if (!modified_s)
		modified_s = stamp_day(2025, 12, 1) * STAMP_DAY_S + 33245;
	return modified_s;
}

const char *schema_type_name(enum field_type type)
{
	return types[type].name;
}

const char *schema_soap_type(enum field_type type)
{
	return types[type].soap;
}
