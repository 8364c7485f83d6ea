/* describe.c - in order: objects, fields, relationships, the endpoints. */
#include "describe.h"

#include <stdio.h>

#include "call.h"
#include "schema.h"
#include "stamp.h"

static void flag(struct text *out, const char *name, bool yes)
{
	text_printf(out, ",\"%s\":%s", name, yes ? "true" : "false");
}

static void word(struct text *out, const char *name, const char *value)
{
	text_printf(out, ",\"%s\":", name);
	text_json_word(out, value);
}

/* Everything that /sobjects/ tells too; the brace is left open. */
static void write_object(const struct sobject *of, const char *version, struct text *out)
{
	bool writeable = (of->flags & SOBJECT_WRITEABLE) != 0;
	bool deletable = (of->flags & SOBJECT_DELETABLE) != 0;

	text_printf(
		out,
		"{\"activateable\":false,\"associateEntityType\":null,\"associateParentEntity\":"
		"null,\"custom\":false,\"customSetting\":false,\"deepCloneable\":false");
	flag(out, "createable", writeable);
	flag(out, "deletable", deletable);
	flag(out, "deprecatedAndHidden", false);
	flag(out, "feedEnabled", writeable);
	flag(out, "hasSubtypes", false);
	flag(out, "isInterface", false);
	flag(out, "isSubtype", false);
	word(out, "keyPrefix", of->prefix);
	word(out, "label", of->label);
	word(out, "labelPlural", of->plural);
	flag(out, "layoutable", true);
	flag(out, "mergeable", (of->flags & SOBJECT_MERGEABLE) != 0);
	flag(out, "mruEnabled", true);
	word(out, "name", of->name);
	flag(out, "queryable", true);
	flag(out, "replicateable", (of->flags & SOBJECT_REPLICATEABLE) != 0);
	flag(out, "retrieveable", true);
	flag(out, "searchable", true);
	flag(out, "triggerable", writeable);
	flag(out, "undeletable", deletable);
	flag(out, "updateable", writeable);
	text_printf(
		out,
		",\"urls\":{\"sobject\":\"/services/data/%s/sobjects/%s\",\"describe\":"
		"\"/services/data/%s/sobjects/%s/describe\",\"rowTemplate\":\"/services/data/%s/"
		"sobjects/%s/{ID}\"}",
		version, of->name, version, of->name, version, of->name);
}

static void write_values(const struct field *of, struct text *out)
{
	text_word(out, ",\"picklistValues\":[");
	for (size_t i = 0; of->values && of->values[i]; i++) {
		text_word(out, i ? ",{\"active\":true" : "{\"active\":true");
		flag(out, "defaultValue", of->fallback && strcmp(of->fallback, of->values[i]) == 0);
		word(out, "label", of->values[i]);
		text_word(out, ",\"validFor\":null");
		word(out, "value", of->values[i]);
		text_char(out, '}');
	}
	text_char(out, ']');
}

static void write_references(const struct field *of, struct text *out)
{
	const char *at = of->refers ? of->refers : "";

	text_word(out, ",\"referenceTo\":[");
	while (*at) {
		size_t length = strcspn(at, ",");

		text_json(out, at, length);
		at += length;
		if (*at == ',')
			text_char(out, *at++);
	}
	text_char(out, ']');
	word(out, "relationshipName", of->relationship);
	text_word(out, ",\"relationshipOrder\":null");
}

static bool is_permissionable(const struct field *of)
{
	static const char *const never[] = { "Salutation",       "FirstName",
					     "IndividualId",     "EmailBouncedReason",
					     "EmailBouncedDate", "OwnerId" };

	if (of->type == FIELD_ADDRESS || of->formula)
		return true;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (strcmp(of->name, never[i]) == 0)
			return false;
	return of->flags & FIELD_NILLABLE && of->flags & (FIELD_CREATEABLE | FIELD_UPDATEABLE);
}

static bool is_search_prefilterable(const struct field *of)
{
	static const char *const names[] = { "AccountId",
					     "ReportsToId",
					     "ConvertedAccountId",
					     "ConvertedContactId",
					     "ConvertedOpportunityId",
					     "DandbCompanyId",
					     "IndividualId" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(of->name, names[i]) == 0)
			return true;
	return false;
}

static void write_size(const struct field *of, struct text *out)
{
	int bytes = schema_is_id(of->type) ? 18 : of->length * 3;

	text_printf(out,
		    ",\"byteLength\":%d,\"length\":%d,\"digits\":%d,\"precision\":%d,\"scale\":%d",
		    bytes, of->length, of->type == FIELD_INT ? of->precision : 0,
		    of->type == FIELD_INT ? 0 : of->precision, of->scale);
}

static void write_abilities(const struct sobject *owner, const struct field *of, struct text *out)
{
	bool compound = of->type == FIELD_ADDRESS, long_text = of->length > 4099;
	bool number = schema_is_number(of->type) && of->type != FIELD_INT;

	flag(out, "aggregatable", of->type != FIELD_BOOLEAN && !compound && !long_text);
	flag(out, "calculated", of->formula != NULL);
	flag(out, "createable", of->flags & FIELD_CREATEABLE && !of->readonly);
	flag(out, "custom", (of->flags & FIELD_CUSTOM) != 0);
	flag(out, "defaultedOnCreate", (of->flags & FIELD_DEFAULTED) != 0);
	flag(out, "externalId", (of->flags & FIELD_EXTERNAL) != 0);
	flag(out, "filterable", !(of->flags & FIELD_NO_FILTER));
	flag(out, "groupable",
	     !number && of->type != FIELD_DATETIME && !long_text && !compound && !of->formula);
	flag(out, "idLookup", (of->flags & FIELD_ID_LOOKUP) != 0);
	flag(out, "nameField", (of->flags & FIELD_NAME_FIELD) != 0);
	flag(out, "namePointing",
	     of->flags & FIELD_POLYMORPHIC && strcmp(owner->name, "Lead") == 0);
	flag(out, "nillable", (of->flags & FIELD_NILLABLE) != 0);
	flag(out, "permissionable", is_permissionable(of));
	flag(out, "polymorphicForeignKey", (of->flags & FIELD_POLYMORPHIC) != 0);
	flag(out, "queryByDistance", compound);
	flag(out, "restrictedPicklist", (of->flags & FIELD_RESTRICTED) != 0);
	flag(out, "searchPrefilterable", is_search_prefilterable(of));
	flag(out, "sortable", !(of->flags & FIELD_NO_SORT));
	flag(out, "unique", (of->flags & FIELD_UNIQUE) != 0);
	flag(out, "updateable", of->flags & FIELD_UPDATEABLE && !of->readonly);
}

static void write_field(const struct sobject *owner, const struct field *of, struct text *out)
{
	text_word(out, "{\"aiPredictionField\":false,\"autoNumber\":false");
	word(out, "name", of->name);
	word(out, "label", of->label);
	word(out, "type", schema_type_name(of->type));
	word(out, "soapType", schema_soap_type(of->type));
	word(out, "compoundFieldName", of->compound);
	word(out, "extraTypeInfo", of->extra);
	word(out, "calculatedFormula", of->formula ? "Name" : NULL);
	write_size(of, out);
	write_abilities(owner, of, out);
	write_values(of, out);
	write_references(of, out);
	if (of->type == FIELD_BOOLEAN)
		flag(out, "defaultValue", false);
	else
		word(out, "defaultValue", NULL);
	text_word(out,
		  ",\"cascadeDelete\":false,\"caseSensitive\":false,\"controllerName\":null,"
		  "\"defaultValueFormula\":null,\"dependentPicklist\":false,"
		  "\"deprecatedAndHidden\":false,"
		  "\"displayLocationInDecimal\":false,\"encrypted\":false,\"filteredLookupInfo\":"
		  "null,"
		  "\"formulaTreatNullNumberAsZero\":false,\"highScaleNumber\":false,"
		  "\"htmlFormatted\":false,\"inlineHelpText\":null,\"mask\":null,\"maskType\":null,"
		  "\"referenceTargetField\":null,\"restrictedDelete\":false,"
		  "\"writeRequiresMasterRead\":false}");
}

static void write_children(const struct sobject *of, struct text *out)
{
	const char *comma = "";

	text_word(out, ",\"childRelationships\":[");
	for (const struct sobject *child = schema_all(); child->name; child++) {
		for (size_t i = 0; i < child->count; i++) {
			const struct field *field = &child->fields[i];

			if (!field->refers || field->hidden || strcmp(field->refers, of->name) != 0)
				continue;
			text_printf(out,
				    "%s{\"cascadeDelete\":false,\"childSObject\":\"%s\","
				    "\"deprecatedAndHidden\":false,\"field\":\"%s\","
				    "\"junctionIdListNames\":"
				    "[],\"junctionReferenceTo\":[],\"relationshipName\":null,"
				    "\"restrictedDelete\":false}",
				    comma, child->name, field->name);
			comma = ",";
		}
	}
	text_char(out, ']');
}

/* True if the client's copy is still good; else the answer's Last-Modified is set. */
static bool is_unchanged(struct call *call)
{
	const char *since = call_header(call, "If-Modified-Since");
	char text[30];
	int64_t since_s;

	if (since && stamp_parse_http(since, &since_s) && since_s >= schema_modified_s()) {
		call_empty(call, 304);
		return true;
	}
	stamp_format_http(schema_modified_s(), text);
	call_add_header(call, "Last-Modified", text);
	snprintf(text, sizeof(text), "\"%08llx--gzip\"", (unsigned long long)schema_modified_s());
	call_add_header(call, "ETag", text);
	return false;
}

static const struct sobject *find(struct call *call)
{
	const struct sobject *of = schema_find(call->parts[4], strlen(call->parts[4]));

	if (!of)
		call_not_found(call);
	return of;
}

void describe_global(struct call *call)
{
	if (is_unchanged(call))
		return;
	text_word(&call->out, "{\"encoding\":\"UTF-8\",\"maxBatchSize\":200,\"sobjects\":[");
	for (const struct sobject *at = schema_all(); at->name; at++) {
		if (at != schema_all())
			text_char(&call->out, ',');
		write_object(at, call->version, &call->out);
		text_char(&call->out, '}');
	}
	text_word(&call->out, "]}");
}

void describe_brief(struct call *call)
{
	const struct sobject *of = find(call);

	if (!of)
		return;
	text_word(&call->out, "{\"objectDescribe\":");
	write_object(of, call->version, &call->out);
	text_word(&call->out, "},\"recentItems\":[]}");
}

void describe_full(struct call *call)
{
	const struct sobject *of = find(call);
	const char *comma = "";

	if (!of || is_unchanged(call))
		return;
	write_object(of, call->version, &call->out);
	text_word(&call->out,
		  ",\"actionOverrides\":[],\"compactLayoutable\":true,\"defaultImplementation"
		  "\":null,\"extendedBy\":null,\"extendsInterfaces\":null,\"implementedBy\":null,"
		  "\"implementsInterfaces\":null,\"listviewable\":null,\"lookupLayoutable\":null,"
		  "\"namedLayoutInfos\":[],\"networkScopeFieldName\":null,\"searchLayoutable\":"
		  "true,\"sobjectDescribeOption\":\"FULL\",\"supportedScopes\":[{\"label\":\"All\","
		  "\"name\":\"everything\"},{\"label\":\"Mine\",\"name\":\"mine\"}],"
		  "\"recordTypeInfos\":[{\"active\":true,\"available\":true,"
		  "\"defaultRecordTypeMapping\":true,\"developerName\":\"Master\",\"master\":true,"
		  "\"name\":\"Master\",\"recordTypeId\":\"012000000000000AAA\",\"urls\":{}}]");
	write_children(of, &call->out);
	text_word(&call->out, ",\"fields\":[");
	for (size_t i = 0; i < of->count; i++) {
		if (of->fields[i].hidden)
			continue;
		text_word(&call->out, comma);
		write_field(of, &of->fields[i], &call->out);
		comma = ",";
	}
	text_word(&call->out, "]}");
}
