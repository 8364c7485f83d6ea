/* A describe as Salesforce gives it, shortened, and answers that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "record/schema.h"
#include "salesforce/sf_describe.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))

/* What every field has besides, in the order and with the neighbours a real answer has. */
#define FIELD(name, type, more)                                                                    \
	"{\"aggregatable\":true,\"byteLength\":240,\"compoundFieldName\":null,\"custom\":false,"   \
	"\"label\":\"The " name "\",\"name\":\"" name "\",\"picklistValues\":[{\"active\":true,"   \
	"\"label\":\"Web\",\"validFor\":null,\"value\":\"Web\"}],\"soapType\":\"xsd:string\","     \
	"\"type\":\"" type "\",\"filterable\":true," more "}"
#define FLAGS(create, update, nil)                                                                 \
	"\"createable\":" create ",\"updateable\":" update ",\"nillable\":" nil ","                \
	"\"calculated\":false,\"externalId\":false,\"unique\":false"
#define PLAIN                                                                                      \
	FLAGS("true", "true", "true")                                                              \
	",\"length\":80,\"precision\":0,\"scale\":0,\"referenceTo\":[],\"relationshipName\":null"

static const char lead[] =
	"{\"actionOverrides\":[],\"childRelationships\":[{\"field\":\"WhoId\"}],\"custom\":"
	"false,"
	"\"fields\":[" FIELD("Id", "id", FLAGS("false", "false", "false") ",\"length\":18") "," FIELD(
		"IsDeleted", "boolean",
		FLAGS("false", "false",
		      "false")) "," FIELD("MasterRecordId", "reference",
					  FLAGS("false", "false",
						"true") ",\"referenceTo\":[\"Lead\"],"
							"\"relationshipName\":"
							"\"MasterRecord\"") "," FIELD("LastName",
										      "string", PLAIN) "," FIELD("Address",
														 "address", PLAIN) "," FIELD("Photo__c", "base64", PLAIN) "," FIELD("Strange__c", "brandnewtype", PLAIN) "," FIELD("Revenue__c", "currency", FLAGS("true", "true", "true") ",\"length\":0,\"precision\":18,\"scale\":2") "," FIELD("Rate__c",
																																										   "percent",
																																										   PLAIN) "," FIELD("Score__c", "double", PLAIN) "," FIELD("Employees", "int", PLAIN) "," FIELD("Big__c",
																																																						"long", PLAIN) "," FIELD("Birth__c",
																																																									 "date", PLAIN) "," FIELD("Wake__c", "time", PLAIN) "," FIELD("SystemModstamp", "datetime", FLAGS("false", "false", "false")) "," FIELD("LastModifiedDate", "datetime", FLAGS("false", "false", "false")) "," FIELD("Tags__c", "multipicklist", PLAIN) "," FIELD("Status", "picklist", PLAIN) "," FIELD("Email",
																																																																																														"email", PLAIN) "," FIELD("Full_Label__c",
																																																																																																	  "string",
																																																																																																	  "\"createable\":false,\"updateable\":false,"
																																																																																																	  "\"nillable\":true,\"calculated\":true,\"externalId\":false,\"unique\":false") "," FIELD("Ext_Key__c",
																																																																																																												   "string",
																																																																																																												   "\"createable\":true,\"updateable\":true,\"nillable\":true,"
																																																																																																												   "\"calculated\":false,\"externalId\":true,\"unique\":true,\"length\":64") "," FIELD("OwnerId",
																																																																																																																						       "reference",
																																																																																																																						       FLAGS("true",
																																																																																																																							     "true",
																																																																																																																							     "false") ",\"referenceTo\":[\"Group\",\"User\"],\"relationshipName\":\"Owner\"") "," FIELD("WhatId",
																																																																																																																																			"reference",
																																																																																																																																			FLAGS("true",
																																																																																																																																			      "true",
																																																																																																																																			      "true") ",\"referenceTo\":[\"Account\",\"Case\"],\"relationshipName\":\"What\"") "],\"keyPrefix\":\"00Q\",\"label\":\"Lead\",\"name\":\"Lead\",\"queryable\":true,"
																																																																																																																																													       "\"replicateable\":true,\"urls\":{\"describe\":\"/services/data/v66.0/sobjects/Lead\"}}\n";

static void the_object(void **state)
{
	struct error err;
	CLEANUP(schema_free) struct schema *got = sf_describe_parse(lead, strlen(lead), &err);

	(void)state;
	assert_non_null(got);
	assert_string_equal(got->object, "Lead");
	assert_string_equal(got->label, "Lead");
	assert_true(got->queryable);
	assert_true(got->replicateable);
	assert_true(got->has_deleted);
	assert_true(got->has_master);
	assert_string_equal(got->stamp_field, "SystemModstamp");
	assert_int_equal(got->count, 23);
}

static void its_fields(void **state)
{
	static const struct {
		const char *name;
		enum value_type type;
		bool readable;
	} rows[] = {
		{ "Id", VALUE_ID, true },
		{ "IsDeleted", VALUE_BOOLEAN, true },
		{ "MasterRecordId", VALUE_ID, true },
		{ "LastName", VALUE_TEXT, true },
		{ "Address", VALUE_TEXT, false },
		{ "Photo__c", VALUE_TEXT, false },
		{ "Strange__c", VALUE_TEXT, false },
		{ "Revenue__c", VALUE_DECIMAL, true },
		{ "Rate__c", VALUE_DECIMAL, true },
		{ "Score__c", VALUE_DECIMAL, true },
		{ "Employees", VALUE_INTEGER, true },
		{ "Big__c", VALUE_INTEGER, true },
		{ "Birth__c", VALUE_DATE, true },
		{ "Wake__c", VALUE_TIME, true },
		{ "SystemModstamp", VALUE_DATETIME, true },
		{ "Tags__c", VALUE_SET, true },
		{ "Status", VALUE_TEXT, true },
		{ "Email", VALUE_TEXT, true },
	};
	struct error err;
	CLEANUP(schema_free) struct schema *got = sf_describe_parse(lead, strlen(lead), &err);
	const struct schema_field *field;

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		field = schema_find(got, rows[i].name);
		assert_non_null(field);
		assert_int_equal(field->readable, rows[i].readable);
		if (rows[i].readable)
			assert_int_equal(field->type, rows[i].type);
	}
	field = schema_find(got, "Revenue__c");
	assert_int_equal(field->precision, 18);
	assert_int_equal(field->scale, 2);
	assert_string_equal(field->type_name, "currency");
	assert_string_equal(field->label, "The Revenue__c");
	field = schema_find(got, "lastname");
	assert_int_equal(field->length, 80);
	assert_true(field->createable && field->updateable && field->nillable);
	assert_false(field->calculated || field->external_id || field->unique);
	field = schema_find(got, "Full_Label__c");
	assert_true(field->calculated);
	assert_false(field->createable || field->updateable);
	field = schema_find(got, "Ext_Key__c");
	assert_true(field->external_id && field->unique);
}

static void references(void **state)
{
	struct error err;
	CLEANUP(schema_free) struct schema *got = sf_describe_parse(lead, strlen(lead), &err);

	(void)state;
	assert_string_equal(schema_find(got, "MasterRecordId")->reference_to, "Lead");
	assert_string_equal(schema_find(got, "OwnerId")->relationship, "Owner");
	assert_string_equal(schema_find(got, "OwnerId")->reference_to, "User");
	assert_string_equal(schema_find(got, "WhatId")->relationship, "What");
	assert_null(schema_find(got, "WhatId")->reference_to);
	assert_null(schema_find(got, "LastName")->relationship);
}

static void what_is_no_describe(void **state)
{
	static const struct {
		const char *body, *code;
	} rows[] = {
		{ "", "not-json" },
		{ "<html>", "not-json" },
		{ "[]", "not-json" },
		{ "{\"name\":\"Lead\",\"fields\":[", "not-json" },
		{ "{\"name\":\"Lead\",\"fields\":[]}x", "not-json" },
		{ "{\"name\":\"Lead\",\"fields\":[]}\n x", "not-json" },
		{ "{\"name\":\"Lead\"}", "protocol" },
		{ "{\"fields\":[]}", "protocol" },
		{ "{\"name\":\"Le ad\",\"fields\":[]}", "protocol" },
		{ "{\"name\":\"Lead\",\"fields\":{}}", "protocol" },
		{ "{\"name\":\"Lead\",\"fields\":[null]}", "protocol" },
		{ "{\"name\":\"Lead\",\"fields\":[{\"name\":\"A\"}]}", "protocol" },
		{ "{\"name\":\"Lead\",\"fields\":[{\"name\":\"A b\",\"type\":\"string\"}]}",
		  "protocol" },
		{ "{\"name\":\"Lead\",\"fields\":[{\"name\":\"A\",\"type\":\"string\"},"
		  "{\"name\":\"a\",\"type\":\"string\"}]}",
		  "protocol" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct error err = { 0 };

		assert_null(sf_describe_parse(rows[i].body, strlen(rows[i].body), &err));
		assert_int_equal(err.kind, ERROR_RETRY);
		assert_string_equal(err.code, rows[i].code);
	}
}

static void a_cut_is_noticed(void **state)
{
	(void)state;
	for (size_t len = strlen(lead) - 2; len > 7; len -= 7) {
		CLEANUP_FREE char *cut = mem_strndup(lead, len);
		struct error err;

		assert_null(sf_describe_parse(cut, len, &err));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_object),       cmocka_unit_test(its_fields),
		cmocka_unit_test(references),       cmocka_unit_test(what_is_no_describe),
		cmocka_unit_test(a_cut_is_noticed),
	};

	return cmocka_run_group_tests_name("sf_describe", tests, NULL, NULL);
}
