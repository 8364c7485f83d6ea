#include "salesforce/sf_soql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/utc.h"
#include "http/url.h"
#include "record/mapping.h"
#include "record/schema.h"
#include "remote/remote.h"
#include "salesforce/sf_literal.h"
#include "salesforce/sf_page.h"

/* Salesforce takes 16,384 bytes of URI and headers together; a token can be 4 KiB. */
#define MOST_URI ((size_t)16384 - 6144)

static bool no_such_field(const struct schema *schema, const char *path, struct error *err)
{
	return error_set(err, ERROR_HUMAN, "no-such-field",
			 "%s has no field %s for our user any more: mend the job, or the user's "
			 "field-level security in Setup",
			 schema->object, path);
}

/* One of the object's own, not reached through a relationship; NULL if our user has none. */
static const struct schema_field *find_own(const struct schema *schema, const char *name)
{
	const struct schema_field *field = str_is_name(name) ? schema_find(schema, name) : NULL;

	return field && field->readable ? field : NULL;
}

static bool shows(const struct schema *schema, const char *name, enum value_type type)
{
	const struct schema_field *field = find_own(schema, name);

	return field && field->type == type;
}

static bool check_field(const struct schema *schema, const char *path, struct error *err)
{
	CLEANUP_FREE char *names = mem_strdup(path);
	bool found = false, plain = true;
	char *rest = names;

	if (!strchr(path, '.')) {
		found = find_own(schema, path);
	} else {
		size_t len = strcspn(path, ".");

		for (size_t i = 0; i < schema->count && !found; i++) {
			const char *relation = schema->fields[i].relationship;

			found = relation && strlen(relation) == len &&
				strncasecmp(relation, path, len) == 0;
		}
	}
	for (const char *name; (name = strsep(&rest, "."));)
		plain &= str_is_name(name);
	return (found && plain) || no_such_field(schema, path, err);
}

/* Brackets and quotes must close, or the operator's condition would swallow ours. */
static bool check_where(const char *where, struct error *err)
{
	bool quoted = false;
	int open = 0;

	for (const char *at = where; *at && open >= 0; at++) {
		if (quoted && *at == '\\' && at[1])
			at++;
		else if (*at == '\'')
			quoted = !quoted;
		else if (!quoted)
			open += (*at == '(') - (*at == ')');
	}
	return (!quoted && !open) ||
	       error_set(err, ERROR_HUMAN, "bad-where",
			 "a quote or bracket in 'where' of the job does not close");
}

static const char *pick_name(const struct remote_query *query)
{
	return query->pick_field ? query->pick_field : "Id";
}

static bool check_picks(const struct remote_query *query, const struct schema *schema,
			struct error *err)
{
	if (!query->pick_count)
		return error_set(err, ERROR_BUG, "no-picks", "no value to pick records by");
	return find_own(schema, pick_name(query)) || no_such_field(schema, pick_name(query), err);
}

static bool check_query(const struct remote_query *query, const struct schema *schema,
			struct error *err)
{
	char id[19];

	if (!str_is_name(query->object) || strcasecmp(query->object, schema->object) != 0)
		return error_set(err, ERROR_BUG, "wrong-schema", "the schema is another object's");
	if (query->order == REMOTE_BY_STAMP && !schema->stamp_field)
		return error_set(err, ERROR_HUMAN, "no-stamp",
				 "%s has no SystemModstamp, LastModifiedDate or CreatedDate that "
				 "our user can see: it cannot be read by changes",
				 query->object);
	if (query->after_id && !value_id18(query->after_id, strlen(query->after_id), id))
		return error_set(err, ERROR_BUG, "bad-id", "the cursor holds no id");
	if (query->order == REMOTE_PICKED && !check_picks(query, schema, err))
		return false;
	if (query->key_field && !find_own(schema, query->key_field))
		return no_such_field(schema, query->key_field, err);
	for (size_t i = 0; i < query->mapping->count && !query->ids_only; i++)
		if (!check_field(schema, query->mapping->fields[i].field, err))
			return false;
	return !query->where || check_where(query->where, err);
}

static struct sf_shape shape_of(const struct remote_query *query, const struct schema *schema)
{
	bool all = query->order == REMOTE_BY_ID, values = !query->ids_only;
	struct sf_shape shape = {
		.stamp_field = schema->stamp_field,
		.has_deleted = !all && schema->has_deleted,
		.has_master = !all && schema->has_master,
		.has_modified = values && shows(schema, "LastModifiedDate", VALUE_DATETIME),
		.has_modifier = values && shows(schema, "LastModifiedById", VALUE_ID),
		.ids_only = query->ids_only,
	};

	if (values && query->key_field) {
		const struct schema_field *field = find_own(schema, query->key_field);

		shape.key_field = field->name;
		shape.key_type = field->type;
		shape.key_scale = field->scale;
	}
	return shape;
}

static bool is_among(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void write_select(FILE *out, const struct remote_query *query, const struct sf_shape *shape)
{
	const char *system[] = { "Id",
				 shape->stamp_field,
				 shape->has_deleted ? "IsDeleted" : NULL,
				 shape->has_master ? "MasterRecordId" : NULL,
				 shape->has_modified ? "LastModifiedDate" : NULL,
				 shape->has_modifier ? "LastModifiedById" : NULL,
				 shape->key_field };
	size_t count = sizeof(system) / sizeof(system[0]);

	fputs("SELECT Id", out);
	for (size_t i = 1; i < count; i++)
		if (system[i] && !is_among(system, i, system[i]))
			fprintf(out, ",%s", system[i]);
	for (size_t i = 0; i < query->mapping->count && !query->ids_only; i++) {
		const char *field = query->mapping->fields[i].field;

		if (!is_among(system, count, field))
			fprintf(out, ",%s", field);
	}
	fprintf(out, " FROM %s", query->object);
}

static void write_changes(FILE *out, const struct remote_query *query, const char *stamp)
{
	char from[UTC_TEXT_SIZE], until[UTC_TEXT_SIZE];

	utc_format(query->from_ms, from);
	utc_format(query->until_ms, until);
	if (query->after_id)
		fprintf(out, "(%s > %s OR (%s = %s AND Id > '%s'))", stamp, from, stamp, from,
			query->after_id);
	else
		fprintf(out, "%s >= %s", stamp, from);
	fprintf(out, " AND %s < %s", stamp, until);
}

static bool write_picks(FILE *out, const struct remote_query *query, const struct schema *schema,
			struct error *err)
{
	const struct schema_field *field = find_own(schema, pick_name(query));

	fprintf(out, "%s IN (", field->name);
	for (size_t i = 0; i < query->pick_count; i++) {
		fputs(i ? "," : "", out);
		if (!sf_literal_write(out, field, &query->picks[i], err))
			return false;
	}
	fputc(')', out);
	return true;
}

static bool write_where(FILE *out, const struct remote_query *query, const struct schema *schema,
			struct error *err)
{
	bool has_ours = query->order != REMOTE_BY_ID || query->after_id;

	if (query->where || has_ours)
		fputs(" WHERE ", out);
	if (query->where)
		fprintf(out, "(%s)%s", query->where, has_ours ? " AND " : "");
	switch (query->order) {
	case REMOTE_BY_ID:
		if (query->after_id)
			fprintf(out, "Id > '%s'", query->after_id);
		fputs(" ORDER BY Id", out);
		return true;
	case REMOTE_BY_STAMP:
		write_changes(out, query, schema->stamp_field);
		fprintf(out, " ORDER BY %s, Id", schema->stamp_field);
		return true;
	case REMOTE_PICKED: return write_picks(out, query, schema, err);
	}
	return true;
}

char *sf_soql_text(const struct remote_query *query, const struct schema *schema,
		   struct sf_shape *ret_shape, struct error *err)
{
	CLEANUP_FREE char *text = NULL;
	struct sf_shape shape;
	size_t len;
	FILE *out;
	bool ok;

	if (!check_query(query, schema, err))
		return NULL;
	shape = shape_of(query, schema);
	out = open_memstream(&text, &len);
	if (!out)
		abort();
	write_select(out, query, &shape);
	ok = write_where(out, query, schema, err);
	if (fclose(out))
		abort();
	if (!ok)
		return NULL;
	*ret_shape = shape;
	return TAKE(text);
}

/* Of many picks fewer can be asked for; what else makes a query long is for the operator. */
static void too_long(const struct remote_query *query, size_t len, struct error *err)
{
	if (query->order == REMOTE_PICKED)
		error_set(err, ERROR_RETRY, "query-too-long",
			  "the query for %zu values of %s would be a URL of %zu bytes, Salesforce "
			  "takes %zu: pick by fewer",
			  query->pick_count, query->object, len, MOST_URI);
	else
		error_set(err, ERROR_HUMAN, "query-too-long",
			  "the query for %s would be a URL of %zu bytes, Salesforce takes %zu: map "
			  "fewer fields or shorten 'where'",
			  query->object, len, MOST_URI);
}

char *sf_soql_path(const char *api_version, const struct remote_query *query, const char *text,
		   struct error *err)
{
	CLEANUP_FREE char *encoded = url_encode(text, strlen(text));
	CLEANUP_FREE char *path =
		mem_format("/services/data/v%s/%s/?q=%s", api_version,
			   query->order == REMOTE_BY_ID ? "query" : "queryAll", encoded);

	if (strlen(path) > MOST_URI) {
		too_long(query, strlen(path), err);
		return NULL;
	}
	return TAKE(path);
}
