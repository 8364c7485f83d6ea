/* plan_where.c - in order: values, checks by type, one condition, the tree. */
#include "plan_where.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"
#include "problem.h"
#include "schema.h"
#include "sfid.h"
#include "soql.h"
#include "stamp.h"
#include "text.h"

struct plan_value {
	enum { VALUE_TEXT, VALUE_INT, VALUE_REAL } kind;
	char *text; /* owned */
	int64_t integer;
	double real;
};

struct writer {
	struct plan_joins *joins;
	const struct soql *query;
	struct text *sql;
	struct plan_values *values;
	struct problem *err;
};

/* A literal that fits its field: null, a single value, or a range [from, until) of days or seconds.
 */
struct operand {
	bool is_null;
	bool is_range;
	struct plan_value value;
	int64_t from, until;
};

static void add_value(struct writer *in, struct plan_value value)
{
	in->values->list = mem_grow(in->values->list, (in->values->count + 1) * sizeof(value));
	in->values->list[in->values->count++] = value;
	text_char(in->sql, '?');
}

static void add_int(struct writer *in, int64_t number)
{
	add_value(in, (struct plan_value){ .kind = VALUE_INT, .integer = number });
}

bool plan_bind(const struct plan_values *values, sqlite3_stmt *into)
{
	int state = SQLITE_OK;

	for (size_t i = 0; i < values->count && state == SQLITE_OK; i++) {
		const struct plan_value *one = &values->list[i];
		int at = (int)i + 1;

		switch (one->kind) {
		case VALUE_TEXT:
			state = sqlite3_bind_text(into, at, one->text, -1, SQLITE_TRANSIENT);
			break;
		case VALUE_INT: state = sqlite3_bind_int64(into, at, one->integer); break;
		case VALUE_REAL: state = sqlite3_bind_double(into, at, one->real); break;
		}
	}
	return state == SQLITE_OK;
}

void plan_values_free(struct plan_values *in)
{
	for (size_t i = 0; i < in->count; i++)
		free(in->list[i].text);
	free(in->list);
	*in = (struct plan_values){ 0 };
}

static bool bad_type(struct writer *in, const struct soql_node *node, const struct field *field)
{
	const char *soap = schema_soap_type(field->type);
	bool text = schema_is_text(field->type) || schema_is_id(field->type);

	return soql_fail(
		in->err, in->query->source, node->field.at, "INVALID_FIELD",
		"value of filter criterion for field '%s' must be of type %s and should %sbe "
		"enclosed in quotes",
		field->name, strncmp(soap, "xsd:", 4) == 0 ? soap + 4 : "string",
		text ? "" : "not ");
}

static bool text_operand(struct writer *in, const struct soql_node *node, const struct field *field,
			 const struct soql_value *value, struct operand *out)
{
	char id[SFID_SIZE];
	char *text;

	if (value->kind != SOQL_STRING)
		return bad_type(in, node, field);
	if (value->text.length > 4002)
		return problem_set(in->err, 400, "INVALID_QUERY_FILTER_OPERATOR",
				   "filter value for field '%s' is longer than 4000 characters",
				   field->name);
	text = soql_unquote(value->text, node->compare == SOQL_LIKE);
	if (!text)
		return soql_fail(in->err, in->query->source, value->text.at, "MALFORMED_QUERY",
				 "Illegal character sequence '\\' in string literal");
	out->value = (struct plan_value){ .kind = VALUE_TEXT, .text = text };
	if (!*text && node->compare != SOQL_LIKE) { /* '' is null, as stored text is never empty */
		free(text);
		out->value.text = NULL;
		out->is_null = true;
	} else if (schema_is_id(field->type)) {
		if (!sfid_parse(text, strlen(text), id)) {
			soql_fail(in->err, in->query->source, node->field.at,
				  "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: %.60s", text);
			free(text);
			return false;
		}
		free(text);
		out->value.text = mem_text(id, 18);
	}
	return true;
}

static bool date_operand(struct writer *in, const struct soql_node *node, const struct field *field,
			 const struct soql_value *value, struct operand *out)
{
	bool is_date = field->type == FIELD_DATE;
	int64_t at = 0, day_s = is_date ? 1 : STAMP_DAY_S;

	out->value.kind = VALUE_INT;
	if (value->kind == SOQL_NAME) {
		if (!soql_relative_days(value, stamp_floor_day(clock_now_s()), &out->from,
					&out->until))
			return bad_type(in, node, field);
		out->is_range = true;
		out->from *= day_s;
		out->until *= day_s;
		return true;
	}
	if (value->kind != (is_date ? SOQL_DATE : SOQL_DATETIME))
		return bad_type(in, node, field);
	if (!(is_date ? stamp_parse_day(value->text.at, value->text.length, &at)
		      : stamp_parse(value->text.at, value->text.length, &at)))
		return soql_fail(in->err, in->query->source, value->text.at, "MALFORMED_QUERY",
				 "Invalid %s: %.*s", is_date ? "date" : "datetime",
				 (int)(value->text.length > 60 ? 60 : value->text.length),
				 value->text.at);
	if (!stamp_is_in_range(is_date ? at * STAMP_DAY_S : at))
		return soql_fail(in->err, in->query->source, value->text.at, "INVALID_FIELD",
				 "date outside the valid range 1700-01-01 to 4000-12-31");
	out->value.integer = at;
	return true;
}

static bool make_operand(struct writer *in, const struct soql_node *node, const struct field *field,
			 const struct soql_value *value, struct operand *out)
{
	*out = (struct operand){ 0 };
	if (value->kind == SOQL_NAME && !value->count.at && soql_is(value->text, "null")) {
		out->is_null = true;
		return true;
	}
	if (schema_is_text(field->type) || schema_is_id(field->type))
		return text_operand(in, node, field, value, out);
	if (field->type == FIELD_BOOLEAN) {
		bool yes = soql_is(value->text, "true");

		if (value->kind != SOQL_NAME || (!yes && !soql_is(value->text, "false")))
			return bad_type(in, node, field);
		out->value = (struct plan_value){ .kind = VALUE_INT, .integer = yes };
		return true;
	}
	if (schema_is_number(field->type)) {
		if (value->kind != SOQL_NUMBER)
			return bad_type(in, node, field);
		out->value = (struct plan_value){ .kind = VALUE_REAL,
						  .real = strtod(value->text.at, NULL) };
		return true;
	}
	return date_operand(in, node, field, value, out);
}

static bool may_compare(struct writer *in, const struct soql_node *node, const struct field *field)
{
	bool order = node->compare >= SOQL_LT && node->compare <= SOQL_GE;
	const char *kind = schema_type_name(field->type);

	if (field->flags & FIELD_NO_FILTER || field->type == FIELD_ADDRESS)
		return soql_fail(in->err, in->query->source, node->field.at, "INVALID_FIELD",
				 "field '%s' can not be filtered in a query call", field->name);
	if ((node->compare == SOQL_LIKE && !schema_is_text(field->type)) ||
	    (order && field->type == FIELD_BOOLEAN))
		return soql_fail(in->err, in->query->source, node->field.at,
				 "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on %s field",
				 kind);
	return true;
}

static void write_range(struct writer *in, const char *column, enum soql_compare compare,
			const struct operand *range)
{
	bool not = compare == SOQL_NE || compare == SOQL_NOT_IN;

	switch (compare) {
	case SOQL_LT:
	case SOQL_GE:
		text_printf(in->sql, "%s %s ", column, compare == SOQL_LT ? "<" : ">=");
		add_int(in, range->from);
		break;
	case SOQL_LE:
	case SOQL_GT:
		text_printf(in->sql, "%s %s ", column, compare == SOQL_LE ? "<" : ">=");
		add_int(in, range->until);
		break;
	case SOQL_NE:
	case SOQL_NOT_IN:
	case SOQL_EQ:
	case SOQL_IN:
	case SOQL_LIKE:
		text_printf(in->sql, "%s(%s >= ", not ? "NOT coalesce(" : "", column);
		add_int(in, range->from);
		text_printf(in->sql, " AND %s < ", column);
		add_int(in, range->until);
		text_word(in->sql, not ? "), 0)" : ")");
		break;
	}
}

static void write_compare(struct writer *in, const char *column, enum soql_compare compare,
			  const struct operand *operand)
{
	static const char *const signs[] = {
		[SOQL_EQ] = "=",  [SOQL_NE] = "IS NOT", [SOQL_LT] = "<",
		[SOQL_LE] = "<=", [SOQL_GT] = ">",      [SOQL_GE] = ">=",
		[SOQL_LIKE] = "", [SOQL_IN] = "=",      [SOQL_NOT_IN] = "IS NOT"
	};

	if (operand->is_range) {
		write_range(in, column, compare, operand);
	} else if (operand->is_null) {
		if (compare == SOQL_EQ || compare == SOQL_IN)
			text_printf(in->sql, "%s IS NULL", column);
		else if (compare == SOQL_NE || compare == SOQL_NOT_IN)
			text_printf(in->sql, "%s IS NOT NULL", column);
		else
			text_word(in->sql, "0");
	} else if (compare == SOQL_LIKE) {
		text_printf(in->sql, "sf_like(%s, ", column);
		add_value(in, operand->value);
		text_char(in->sql, ')');
	} else {
		text_printf(in->sql, "%s %s ", column, signs[compare]);
		add_value(in, operand->value);
	}
}

/* Plain values of a list go into one SQL IN, which an index can serve; null and ranges beside it.
 */
static bool write_list(struct writer *in, const struct soql_node *node, const struct field *field,
		       const char *column)
{
	bool not = node->compare == SOQL_NOT_IN;
	struct text beside = { 0 }, *main = in->sql;
	bool any = false, has_null = false;

	text_printf(in->sql, not ? "(NOT coalesce(%s IN (" : "(%s IN (", column);
	for (size_t i = 0; i < node->value_count; i++) {
		struct operand operand;

		if (!make_operand(in, node, field, &node->values[i], &operand)) {
			text_free(&beside);
			return false;
		}
		if (operand.is_null || operand.is_range) {
			has_null = has_null || operand.is_null;
			text_word(&beside, not ? " AND " : " OR ");
			if (operand.is_null) {
				text_printf(&beside, not ? "%s IS NOT NULL" : "%s IS NULL", column);
			} else { /* numbers of our own making need no binding */
				text_printf(&beside, "%s coalesce(%s >= %lld AND %s < %lld, 0)",
					    not ? "NOT" : "", column, (long long)operand.from,
					    column, (long long)operand.until);
			}
			continue;
		}
		if (any)
			text_char(main, ',');
		add_value(in, operand.value);
		any = true;
	}
	text_word(in->sql, not ? "), 0)" : ")");
	text_add(in->sql, beside.at, beside.used);
	text_char(in->sql, ')');
	text_free(&beside);
	return true;
}

static bool write_condition(struct writer *in, const struct soql_node *node)
{
	struct plan_name found;
	struct operand operand;
	char column[120];

	if (!plan_find(in->joins, in->query, node->field, &found, in->err) ||
	    !may_compare(in, node, found.field))
		return false;
	snprintf(column, sizeof(column), "t%d.\"%s\"", found.join, found.field->name);
	if (node->compare == SOQL_IN || node->compare == SOQL_NOT_IN)
		return write_list(in, node, found.field, column);
	if (!make_operand(in, node, found.field, &node->values[0], &operand))
		return false;
	write_compare(in, column, node->compare, &operand);
	return true;
}

static bool write_node(struct writer *in, const struct soql_node *node);

/* One pair of parentheses for a whole chain: SQLite's parser nests a hundred at most. */
static bool write_chain(struct writer *in, const struct soql_node *node, enum soql_node_kind kind)
{
	if (node->kind != kind)
		return write_node(in, node);
	if (!write_chain(in, node->left, kind))
		return false;
	text_word(in->sql, kind == SOQL_AND ? " AND " : " OR ");
	return write_chain(in, node->right, kind);
}

static bool write_node(struct writer *in, const struct soql_node *node)
{
	bool good;

	switch (node->kind) {
	case SOQL_CONDITION: return write_condition(in, node);
	case SOQL_NOT: /* nothing is unknown in SOQL: a null is simply not equal, not less, not like
			*/
		text_word(in->sql, "NOT coalesce(");
		good = write_node(in, node->left);
		text_word(in->sql, ", 0)");
		return good;
	case SOQL_AND:
	case SOQL_OR:
		text_char(in->sql, '(');
		good = write_chain(in, node, node->kind);
		text_char(in->sql, ')');
		return good;
	}
	return false;
}

bool plan_where(struct plan_joins *joins, const struct soql *query, const struct soql_node *node,
		struct text *sql, struct plan_values *values, struct problem *err)
{
	struct writer in = { joins, query, sql, values, err };

	text_char(sql, '(');
	if (!write_node(&in, node))
		return false;
	text_char(sql, ')');
	return true;
}
