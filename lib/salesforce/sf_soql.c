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
#include "salesforce/sf_page.h"

/* Salesforce takes 16,384 bytes of URI and headers together; a token can be 4 KiB. */
#define MOST_URI ((size_t)16384 - 6144)

static bool check_field(const struct schema *schema, const char *path, struct error *err)
{
	CLEANUP_FREE char *names = mem_strdup(path);
	bool found = false, plain = true;
	char *rest = names;

	if (!strchr(path, '.')) {
		const struct schema_field *field = schema_find(schema, path);

		found = field && field->readable;
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
	return (found && plain) ||
	       error_set(err, ERROR_HUMAN, "no-such-field",
			 "%s has no field %s for our user any more: mend the job, or the user's "
			 "field-level security in Setup",
			 schema->object, path);
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
	for (size_t i = 0; i < query->mapping->count && !query->ids_only; i++)
		if (!check_field(schema, query->mapping->fields[i].field, err))
			return false;
	return !query->where || check_where(query->where, err);
}

static void write_select(FILE *out, const struct remote_query *query, const struct sf_shape *shape)
{
	const char *system[] = { "Id", shape->stamp_field, shape->has_deleted ? "IsDeleted" : NULL,
				 shape->has_master ? "MasterRecordId" : NULL };
	size_t count = sizeof(system) / sizeof(system[0]);

	fputs("SELECT Id", out);
	for (size_t i = 1; i < count; i++)
		if (system[i])
			fprintf(out, ",%s", system[i]);
	for (size_t i = 0; i < query->mapping->count && !query->ids_only; i++) {
		const char *field = query->mapping->fields[i].field;
		bool is_system = false;

		for (size_t k = 0; k < count; k++)
			is_system |= system[k] && strcmp(system[k], field) == 0;
		if (!is_system)
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
	fprintf(out, " AND %s < %s ORDER BY %s, Id", stamp, until, stamp);
}

char *sf_soql_text(const struct remote_query *query, const struct schema *schema,
		   struct sf_shape *ret_shape, struct error *err)
{
	bool changes = query->order == REMOTE_BY_STAMP;
	struct sf_shape shape = { .stamp_field = schema->stamp_field,
				  .has_deleted = changes && schema->has_deleted,
				  .has_master = changes && schema->has_master,
				  .ids_only = query->ids_only };
	char *text;
	size_t len;
	FILE *out;

	if (!check_query(query, schema, err))
		return NULL;
	out = open_memstream(&text, &len);
	if (!out)
		abort();
	write_select(out, query, &shape);
	if (query->where || query->after_id || changes)
		fputs(" WHERE ", out);
	if (query->where)
		fprintf(out, "(%s)%s", query->where, query->after_id || changes ? " AND " : "");
	if (changes) {
		write_changes(out, query, shape.stamp_field);
	} else {
		if (query->after_id)
			fprintf(out, "Id > '%s'", query->after_id);
		fputs(" ORDER BY Id", out);
	}
	if (fclose(out))
		abort();
	*ret_shape = shape;
	return text;
}

char *sf_soql_path(const char *api_version, const struct remote_query *query, const char *text,
		   struct error *err)
{
	CLEANUP_FREE char *encoded = url_encode(text, strlen(text));
	CLEANUP_FREE char *path =
		mem_format("/services/data/v%s/%s/?q=%s", api_version,
			   query->order == REMOTE_BY_STAMP ? "queryAll" : "query", encoded);

	if (strlen(path) > MOST_URI) {
		error_set(err, ERROR_HUMAN, "query-too-long",
			  "the query for %s would be a URL of %zu bytes, Salesforce takes %zu: map "
			  "fewer fields or shorten 'where'",
			  query->object, strlen(path), MOST_URI);
		return NULL;
	}
	return TAKE(path);
}
