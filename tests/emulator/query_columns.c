/* query_columns.c */
#include "query_columns.h"

#include "plan.h"
#include "schema.h"

static void write_list(const struct shape *in, struct text *out)
{
	text_char(out, '[');
	for (size_t i = 0; i < in->part_count; i++) {
		const struct shape *part = &in->parts[i];
		const struct field *field = part->field;
		enum field_type type = field ? field->type : FIELD_STRING;
		unsigned flags = field ? field->flags : 0;

		text_printf(
			out,
			"%s{\"aggregate\":%s,\"apexType\":\"%s\",\"booleanType\":%s,\"columnName\":"
			"\"%s\",\"custom\":%s,\"displayName\":\"%s\",\"foreignKeyName\":null,"
			"\"insertable\":%s,\"joinColumns\":",
			i ? "," : "", part->part_count ? "true" : "false", schema_type_name(type),
			type == FIELD_BOOLEAN ? "true" : "false", part->key,
			flags & FIELD_CUSTOM ? "true" : "false", part->key,
			flags & FIELD_CREATEABLE ? "true" : "false");
		write_list(part, out);
		text_printf(out, ",\"numberType\":%s,\"textType\":%s,\"updatable\":%s}",
			    schema_is_number(type) ? "true" : "false",
			    schema_is_text(type) || schema_is_id(type) ? "true" : "false",
			    flags & FIELD_UPDATEABLE ? "true" : "false");
	}
	text_char(out, ']');
}

void query_columns_write(const struct plan *plan, struct text *out)
{
	text_word(out, "{\"columnMetadata\":");
	write_list(&plan->top, out);
	text_printf(out,
		    ",\"entityName\":\"%s\",\"groupBy\":false,\"idSelected\":true,\"keyPrefix\":\"%"
		    "s\"}",
		    plan->from->name, plan->from->prefix);
}
