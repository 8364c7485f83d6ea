/* sf_soql.h - a query in Salesforce's words. */
#pragma once

struct error;
struct remote_query;
struct schema;
struct sf_shape;

/* The text of a query; free() it. `ret_shape` is what it selects besides the mapping's fields, its
 * strings the schema's. Object and fields must stand in the schema (that of query->object) and be
 * plain names: ERROR_HUMAN codes no-such-field, bad-where, no-stamp; ERROR_BUG for a bad id or a pick
 * that is not canonical (sf_literal.h). The shape has no user_id yet. */
char *sf_soql_text(const struct remote_query *query, const struct schema *schema,
		   struct sf_shape *ret_shape, struct error *err);

/* The path that asks it: below /query, or /queryAll where deletions are wanted; free() it. Longer
 * than a server takes: NULL, code query-too-long; ERROR_RETRY if it picks, else ERROR_HUMAN. */
char *sf_soql_path(const char *api_version, const struct remote_query *query, const char *text,
		   struct error *err);
