/* plan.c - in order: names and joins, conditions, the select list, the statements. */
#include "plan.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "mem.h"
#include "plan_where.h"
#include "problem.h"
#include "schema.h"
#include "soql.h"
#include "store.h"

struct draft {
	const struct soql *query;
	struct plan *plan;
	struct plan_joins joins;
	struct text columns;
	int column_count;
	bool all_rows;
	struct problem *err;
};

static int add_column(struct draft *in, int join, const char *name)
{
	text_printf(&in->columns, "%st%d.\"%s\"", in->column_count ? ", " : "", join, name);
	return in->column_count++;
}

static void add_address(struct draft *in, int join, const struct field *field)
{
	static const char *const parts[] = { "City",     "Country",   "GeocodeAccuracy",
					     "Latitude", "Longitude", "PostalCode",
					     "State",    "Street" };
	char name[60];

	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "%.*s%s",
			 (int)(strlen(field->name) - strlen("Address")), field->name, parts[i]);
		add_column(in, join, name);
	}
}

static struct shape *add_part(struct shape *into, const char *key, size_t length)
{
	struct shape *out;

	into->parts = mem_grow(into->parts, (into->part_count + 1) * sizeof(*into->parts));
	out = &into->parts[into->part_count++];
	*out = (struct shape){ .key = mem_text(key, length) };
	return out;
}

static struct shape *find_part(struct shape *in, const char *key, size_t length)
{
	for (size_t i = 0; i < in->part_count; i++)
		if (strncasecmp(in->parts[i].key, key, length) == 0 && !in->parts[i].key[length])
			return &in->parts[i];
	return NULL;
}

static void add_value(struct draft *in, struct shape *into, int join, const struct field *field,
		      const struct sobject *owner)
{
	struct shape *part = add_part(into, field->name, strlen(field->name));

	part->field = field;
	part->owner = owner;
	part->column = in->column_count;
	if (field->type == FIELD_ADDRESS)
		add_address(in, join, field);
	else
		add_column(in, join, field->name);
}

/* Walks Owner.Manager.Name down to the record that holds the last name. */
static struct shape *open_parents(struct draft *in, struct soql_slice path,
				  const struct plan_name *found)
{
	struct shape *at = &in->plan->top;
	const char *from = path.at;
	size_t level = 0;

	if (found->skipped)
		from += found->skipped;
	for (;;) {
		const char *dot = memchr(from, '.', (size_t)(path.at + path.length - from));
		const struct plan_join *join;
		struct shape *part;

		if (!dot)
			return at;
		join = &in->joins.list[found->chain[level++]];
		part = find_part(at, join->name, strlen(join->name));
		if (!part) {
			part = add_part(at, join->name, strlen(join->name));
			part->owner = join->to;
			part->column = add_column(in, join->number, "Id");
		}
		at = part;
		from = dot + 1;
	}
}

static bool add_select(struct draft *in, const struct soql_select *select)
{
	struct plan_name found;
	struct shape *into;

	if (!plan_find(&in->joins, in->query, select->field, &found, in->err))
		return false;
	into = open_parents(in, select->field, &found);
	if (find_part(into, found.field->name, strlen(found.field->name)))
		return problem_set(in->err, 400, "INVALID_FIELD", "duplicate field selected: %.*s",
				   (int)select->field.length, select->field.at);
	add_value(in, into, found.join, found.field, found.owner);
	return true;
}

static bool add_group(struct draft *in, const struct soql_select *select)
{
	const struct sobject *of = in->plan->from;
	bool standard = soql_is(select->field, "standard"),
	     custom = soql_is(select->field, "custom");

	if (!standard && !custom && !soql_is(select->field, "all"))
		return soql_fail(in->err, in->query->source, select->field.at, "MALFORMED_QUERY",
				 "unexpected token: '%.*s'", (int)select->field.length,
				 select->field.at);
	if (!standard && (in->query->limit < 0 || in->query->limit > 200))
		return problem_set(in->err, 400, "MALFORMED_QUERY",
				   "The SOQL FIELDS function must have a LIMIT of at most 200");
	for (size_t i = 0; i < of->count; i++) {
		const struct field *field = &of->fields[i];
		bool is_custom = (field->flags & FIELD_CUSTOM) != 0;

		if (field->hidden || (standard && is_custom) || (custom && !is_custom) ||
		    find_part(&in->plan->top, field->name, strlen(field->name)))
			continue;
		add_value(in, &in->plan->top, 0, field, of);
	}
	return true;
}

static bool add_aggregate(struct draft *in, const struct soql_select *select, int number)
{
	static const struct field number_field = { .type = FIELD_DOUBLE };
	static const char *const names[] = {
		"count", "count_distinct", "min", "max", "sum", "avg"
	};
	struct plan_name found;
	struct shape *part;
	size_t which = 0;
	char key[20];

	while (which < 6 && !soql_is(select->function, names[which]))
		which++;
	if (which == 6)
		return soql_fail(in->err, in->query->source, select->function.at, "MALFORMED_QUERY",
				 "unknown function: %.*s", (int)select->function.length,
				 select->function.at);
	if (!plan_find(&in->joins, in->query, select->field, &found, in->err))
		return false;
	if ((which >= 4 && !schema_is_number(found.field->type)) ||
	    found.field->type == FIELD_ADDRESS || found.field->flags & FIELD_NO_SORT ||
	    (which > 1 && found.field->type == FIELD_BOOLEAN))
		return problem_set(in->err, 400, "MALFORMED_QUERY",
				   "field %s does not support aggregate operator %.*s",
				   found.field->name, (int)select->function.length,
				   select->function.at);
	snprintf(key, sizeof(key), "expr%d", number);
	part = select->alias.at ? add_part(&in->plan->top, select->alias.at, select->alias.length)
				: add_part(&in->plan->top, key, strlen(key));
	part->column = in->column_count;
	if (which > 1)
		part->field = which == 5 ? &number_field : found.field;
	text_printf(&in->columns, "%s%s(%st%d.\"%s\")", in->column_count ? ", " : "",
		    which == 1 ? "count" : names[which], which == 1 ? "DISTINCT " : "", found.join,
		    found.field->name);
	in->column_count++;
	return true;
}

static bool add_selects(struct draft *in)
{
	const struct soql *query = in->query;

	if (query->selects[0].kind == SOQL_COUNT && query->select_count == 1) {
		in->plan->kind = PLAN_COUNT;
		return true;
	}
	if (query->selects[0].kind == SOQL_AGGREGATE)
		in->plan->kind = PLAN_AGGREGATE;
	else
		add_column(in, 0, "Id"); /* the record's url */
	for (size_t i = 0; i < query->select_count; i++) {
		const struct soql_select *one = &query->selects[i];
		bool good;

		if (one->kind == SOQL_COUNT ||
		    (one->kind == SOQL_AGGREGATE) != (in->plan->kind == PLAN_AGGREGATE))
			return problem_set(
				in->err, 400, "MALFORMED_QUERY",
				"Grouped field should not be aggregated, or field must be "
				"grouped or aggregated: %.*s",
				(int)one->field.length, one->field.at);
		if (one->kind == SOQL_AGGREGATE)
			good = add_aggregate(in, one, (int)i);
		else if (one->kind == SOQL_FIELDS)
			good = add_group(in, one);
		else
			good = add_select(in, one);
		if (!good)
			return false;
	}
	return true;
}

static bool add_orders(struct draft *in, struct text *sql)
{
	for (size_t i = 0; i < in->query->order_count; i++) {
		const struct soql_order *order = &in->query->orders[i];
		struct plan_name found;

		if (!plan_find(&in->joins, in->query, order->field, &found, in->err))
			return false;
		if (found.field->flags & FIELD_NO_SORT || found.field->type == FIELD_MULTIPICKLIST)
			return soql_fail(in->err, in->query->source, order->field.at,
					 "MALFORMED_QUERY",
					 "field '%s' can not be sorted in a query call",
					 found.field->name);
		text_printf(sql, "%s t%d.\"%s\"%s%s", i ? "," : " ORDER BY", found.join,
			    found.field->name, order->descending ? " DESC" : "",
			    order->nulls == SOQL_NULLS_LAST ? " NULLS LAST"
			    : order->descending             ? " NULLS FIRST"
							    : "");
	}
	return true;
}

static void add_from(const struct draft *in, struct text *sql)
{
	text_printf(sql, " FROM \"%s\" AS t0", in->plan->from->name);
	for (size_t i = 0; i < in->joins.count; i++) {
		const struct plan_join *join = &in->joins.list[i];

		text_printf(sql, " LEFT JOIN \"%s\" AS t%d ON t%d.Id = t%d.\"%s\"", join->to->name,
			    join->number, join->number, join->parent, join->field->name);
	}
}

static bool hides_deleted(const struct draft *in)
{
	return !in->all_rows && in->plan->from->flags & SOBJECT_DELETABLE;
}

static bool prepare(struct draft *in, const struct text *where, const struct text *order,
		    const struct plan_values *values)
{
	const struct soql *query = in->query;
	struct text sql = { 0 };
	int state;

	if (in->plan->kind == PLAN_AGGREGATE)
		text_printf(&sql, "SELECT %.*s", (int)in->columns.used, in->columns.at);
	else
		text_word(&sql, in->plan->kind == PLAN_COUNT ? "SELECT count(*) FROM (SELECT 1"
							     : "SELECT t0._row");
	add_from(in, &sql);
	text_word(&sql, hides_deleted(in) ? " WHERE t0.IsDeleted = 0" : " WHERE 1");
	if (where->used)
		text_printf(&sql, " AND %.*s", (int)where->used, where->at);
	if (in->plan->kind == PLAN_ROWS && order->used)
		text_add(&sql, order->at, order->used);
	if (in->plan->kind != PLAN_AGGREGATE && (query->limit >= 0 || query->offset > 0))
		text_printf(&sql, " LIMIT %lld OFFSET %lld", (long long)query->limit,
			    query->offset > 0 ? (long long)query->offset : 0);
	if (in->plan->kind == PLAN_COUNT)
		text_char(&sql, ')');
	state = sqlite3_prepare_v2(store_db(), text_done(&sql), -1, &in->plan->list, NULL);
	text_free(&sql);
	if (state != SQLITE_OK || !plan_bind(values, in->plan->list))
		return problem_set(in->err, 400, "QUERY_TOO_COMPLICATED",
				   "Query is either selecting too many fields or the filter "
				   "conditions are too complicated.");
	if (in->plan->kind != PLAN_ROWS)
		return true;
	text_printf(&sql, "SELECT %.*s", (int)in->columns.used, in->columns.at);
	add_from(in, &sql);
	text_printf(&sql, " WHERE t0._row = ?%s", hides_deleted(in) ? " AND t0.IsDeleted = 0" : "");
	in->plan->read = store_prepare(text_done(&sql));
	text_free(&sql);
	return true;
}

static bool build(struct draft *in)
{
	struct text where = { 0 }, order = { 0 };
	struct plan_values values = { 0 };
	bool good = add_selects(in);

	if (good && in->query->where)
		good = plan_where(&in->joins, in->query, in->query->where, &where, &values,
				  in->err);
	good = good && add_orders(in, &order) && prepare(in, &where, &order, &values);
	text_free(&where);
	text_free(&order);
	plan_values_free(&values);
	return good;
}

struct plan *plan_new(const struct soql *query, bool all_rows, struct problem *err)
{
	struct draft in = { .query = query, .all_rows = all_rows, .err = err };
	const struct sobject *from = schema_find(query->from.at, query->from.length);
	bool good;

	if (!from) {
		soql_fail(
			err, query->source, query->from.at, "INVALID_TYPE",
			"sObject type '%.*s' is not supported. If you are attempting to use a "
			"custom object, be sure to append the '__c' after the entity name. Please "
			"reference your WSDL or the describe call for the appropriate names.",
			(int)(query->from.length > 80 ? 80 : query->from.length), query->from.at);
		return NULL;
	}
	in.plan = mem_new(sizeof(*in.plan));
	in.plan->from = from;
	in.plan->top.owner = from;
	in.joins.from = from;
	good = build(&in);
	text_free(&in.columns);
	free(in.joins.list);
	if (good)
		return in.plan;
	plan_free(in.plan);
	return NULL;
}
