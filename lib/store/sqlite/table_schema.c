/* table_schema.c */
#include "store/sqlite/table_schema.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "sqlite/db.h"
#include "sqlite/statement.h"

void table_schema_clear(struct table_schema *in)
{
	for (size_t i = 0; i < in->count; i++)
		free(in->columns[i].name);
	free(in->columns);
	*in = (struct table_schema){ 0 };
}

static enum affinity affinity_of(const char *type)
{
	static const struct {
		const char *part;
		enum affinity means;
	} rules[] = {
		{ "INT", AFFINITY_INTEGER }, { "CHAR", AFFINITY_TEXT }, { "CLOB", AFFINITY_TEXT },
		{ "TEXT", AFFINITY_TEXT },   { "BLOB", AFFINITY_NONE }, { "REAL", AFFINITY_REAL },
		{ "FLOA", AFFINITY_REAL },   { "DOUB", AFFINITY_REAL },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcasestr(type, rules[i].part))
			return rules[i].means;
	return *type ? AFFINITY_NUMERIC : AFFINITY_NONE;
}

const struct table_column *table_schema_column(const struct table_schema *in, const char *name)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcasecmp(in->columns[i].name, name) == 0)
			return &in->columns[i];
	return NULL;
}

static bool read_columns(struct db *db, const char *name, struct table_schema *table,
			 struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		db,
		"SELECT name, type, \"notnull\" AS not_null, dflt_value IS NOT NULL AS has_default,"
		" pk, hidden FROM pragma_table_xinfo(:table, 'main')",
		err);
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":table", name);
	for (;;) {
		struct table_column *column;
		const char *type;

		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			return true;
		table->columns = mem_resize(table->columns, table->count + 1, sizeof(*column));
		column = &table->columns[table->count++];
		*column = (struct table_column){ .name = mem_strdup(statement_text(s, "name")) };
		type = statement_text(s, "type");
		column->affinity = affinity_of(type ? type : "");
		column->is_integer = type && strcasecmp(type, "INTEGER") == 0;
		column->not_null = statement_int(s, "not_null");
		column->has_default = statement_int(s, "has_default");
		column->key_part = statement_int(s, "pk");
		column->generated = statement_int(s, "hidden") >= 2;
		table->key_parts += column->key_part > 0;
	}
}

bool table_schema_is_unique(struct db *db, const char *table, const char *column, bool of_key,
			    bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(db,
			      "SELECT 1 FROM pragma_index_list(:table, 'main') AS list"
			      " WHERE list.\"unique\" = 1 AND list.partial = 0 AND (:of_key = 0 OR "
			      "list.origin = 'pk')"
			      " AND (SELECT count(*) FROM pragma_index_info(list.name, 'main')) = 1"
			      " AND (SELECT name FROM pragma_index_info(list.name, 'main')) = "
			      ":column COLLATE NOCASE",
			      err);

	if (!s)
		return false;
	statement_bind_text(s, ":table", table);
	statement_bind_text(s, ":column", column);
	statement_bind_int(s, ":of_key", of_key);
	return statement_step(s, ret, err);
}

/* SQLite documentation, "CREATE TABLE", section 5. */
static bool find_rowid(struct db *db, const char *name, struct table_schema *table,
		       struct error *err)
{
	const struct table_column *key = NULL;
	bool has_index;

	for (size_t i = 0; i < table->count; i++)
		if (table->columns[i].key_part)
			key = &table->columns[i];
	if (!key || table->key_parts != 1 || !key->is_integer || table->without_rowid)
		return true;
	if (!table_schema_is_unique(db, name, key->name, true, &has_index, err))
		return false;
	if (!has_index)
		table->rowid = key->name;
	return true;
}

bool table_schema_is_rowid(const struct table_schema *in, const char *column)
{
	return in->rowid && strcasecmp(in->rowid, column) == 0;
}

bool table_schema_read(struct db *db, const char *table, struct table_schema *ret,
		       struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		db,
		"SELECT list.type AS type, wr, sql LIKE '%AUTOINCREMENT%' AS counts_on,"
		" sql LIKE '%CONFLICT%' AS has_conflict_clause"
		" FROM pragma_table_list AS list LEFT JOIN sqlite_schema AS made"
		" ON made.name = list.name AND made.type = 'table'"
		" WHERE schema = 'main' AND list.name = :table COLLATE NOCASE",
		err);
	const char *type;
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":table", table);
	if (!statement_step(s, &row, err))
		return false;
	if (!row)
		return true;
	type = statement_text(s, "type");
	ret->found = true;
	ret->is_table = type && strcmp(type, "table") == 0;
	ret->without_rowid = statement_int(s, "wr");
	ret->has_conflict_clause = statement_int(s, "has_conflict_clause");
	ret->counts_on = statement_int(s, "counts_on");
	return read_columns(db, table, ret, err) && find_rowid(db, table, ret, err);
}
