/* plan_find.c - names of a query: Email, Owner.Email, c.Account.Owner.Name. */
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "plan_where.h"
#include "problem.h"
#include "schema.h"
#include "soql.h"

static size_t add_join(struct plan_joins *in, int parent, const struct field *field,
		       const struct sobject *to)
{
	for (size_t i = 0; i < in->count; i++)
		if (in->list[i].parent == parent && in->list[i].field == field)
			return i;
	in->list = mem_grow(in->list, (in->count + 1) * sizeof(*in->list));
	in->list[in->count] =
		(struct plan_join){ parent, (int)in->count + 1, field, to, field->relationship };
	return in->count++;
}

static bool no_column(const struct soql *query, const char *at, size_t length,
		      const struct sobject *of, struct problem *err)
{
	return soql_fail(
		err, query->source, at, "INVALID_FIELD",
		"No such column '%.*s' on entity '%s'. If you are attempting to use a custom "
		"field, be sure to append the '__c' after the custom field name. Please "
		"reference your WSDL or the describe call for the appropriate names.",
		(int)(length > 80 ? 80 : length), at, of->name);
}

static size_t own_prefix(const struct plan_joins *joins, const struct soql *query,
			 struct soql_slice path)
{
	const char *dot = memchr(path.at, '.', path.length);
	size_t length = dot ? (size_t)(dot - path.at) : 0;
	const char *name = joins->from->name;
	struct sobject *to;

	if (!dot || schema_relation(joins->from, path.at, length, &to))
		return 0;
	if ((strlen(name) == length && strncasecmp(name, path.at, length) == 0) ||
	    (query->alias.length == length && length &&
	     strncasecmp(query->alias.at, path.at, length) == 0))
		return length + 1;
	return 0;
}

bool plan_find(struct plan_joins *joins, const struct soql *query, struct soql_slice path,
	       struct plan_name *out, struct problem *err)
{
	const struct sobject *of = joins->from;
	const char *end = path.at + path.length;
	const char *at;
	size_t level = 0;

	*out = (struct plan_name){ .skipped = own_prefix(joins, query, path) };
	at = path.at + out->skipped;
	for (;;) {
		const char *dot = memchr(at, '.', (size_t)(end - at));
		struct sobject *to;
		const struct field *field;

		if (!dot)
			break;
		field = schema_relation(of, at, (size_t)(dot - at), &to);
		if (!field || level == PLAN_LEVELS)
			return soql_fail(
				err, query->source, at, "INVALID_FIELD",
				"Didn't understand relationship '%.*s' in field path. If you "
				"are attempting to use a custom relationship, be sure to "
				"append the '__r' after the custom relationship name. Please "
				"reference your WSDL or the describe call for the "
				"appropriate names.",
				(int)(dot - at > 80 ? 80 : dot - at), at);
		out->chain[level] = add_join(joins, out->join, field, to);
		out->join = joins->list[out->chain[level++]].number;
		of = to;
		at = dot + 1;
	}
	out->owner = of;
	out->field = schema_field(of, at, (size_t)(end - at));
	return out->field || no_column(query, at, (size_t)(end - at), of, err);
}
