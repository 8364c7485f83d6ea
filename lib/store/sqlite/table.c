/* table.c - the job's own table: made from the mapping where there is none, grown where we made it,
 * checked where others did. leadsync_tables lists those that we made.
 *
 * In order: what may be wrong; making and growing; table_ensure. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "record/mapping.h"
#include "store/sqlite/session.h"
#include "store/sqlite/table_schema.h"

const char table_step_1[] =
	"CREATE TABLE leadsync_tables ("
	"	name TEXT PRIMARY KEY COLLATE NOCASE  -- made by us, so grown by us\n"
	") WITHOUT ROWID";

static bool is_ours(struct session *in, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "SELECT 1 FROM leadsync_tables WHERE name = :table", err);

	if (!s)
		return false;
	statement_bind_text(s, ":table", in->job.table);
	return statement_step(s, ret, err);
}

static bool has_trigger(struct session *in, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db,
					    "SELECT 1 FROM sqlite_schema WHERE type = 'trigger'"
					    " AND tbl_name = :table COLLATE NOCASE"
					    " AND name NOT GLOB 'leadsync_[0-9]*_*'",
					    err);

	if (!s)
		return false;
	statement_bind_text(s, ":table", in->job.table);
	return statement_step(s, ret, err);
}

/* What is wrong, gathered: the first becomes the error, all are told. */
struct findings {
	const struct session *in;
	size_t count;
	struct error first;
};

static void find(struct findings *in, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void find(struct findings *in, const char *code, const char *format, ...)
{
	struct error problem;
	char text[sizeof(problem.text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_set(&problem, ERROR_HUMAN, code, "table %s: %s", in->in->job.table, text);
	if (!in->count++)
		in->first = problem;
	if (in->in->job.problem)
		in->in->job.problem(&problem, in->in->job.problem_arg);
}

static bool findings_end(const struct findings *in, struct error *err)
{
	if (!in->count)
		return true;
	*err = in->first;
	if (in->count > 1) {
		char more[48];
		size_t len = strlen(err->text), room;

		snprintf(more, sizeof(more), " (and %zu more)", in->count - 1);
		room = sizeof(err->text) - strlen(more) - 1;
		strcpy(err->text + (len < room ? len : room), more);
	}
	return false;
}

static const char *sql_type(enum value_type type)
{
	return type == VALUE_INTEGER || type == VALUE_BOOLEAN ? "INTEGER" : "TEXT";
}

/* Text that looks like a number would be turned into one: "007" into 7. */
static bool must_stay_text(enum value_type type)
{
	return type == VALUE_TEXT || type == VALUE_ID || type == VALUE_SET;
}

static void check_field(struct findings *in, const struct table_schema *table,
			const struct mapping_field *field)
{
	const struct table_column *column = table_schema_column(table, field->column);

	if (!column)
		find(in, "no-column",
		     "there is no column %s, to which %s is mapped: add it (ALTER TABLE \"%s\" ADD "
		     "COLUMN \"%s\" %s), or correct the rule",
		     field->column, field->field, in->in->job.table, field->column,
		     sql_type(field->type));
	else if (field->direction == MAPPING_UP)
		; /* only read */
	else if (column->generated)
		find(in, "generated-column",
		     "column %s is generated and cannot be written: map %s to an ordinary column",
		     field->column, field->field);
	else if (must_stay_text(field->type) && column->affinity != AFFINITY_TEXT &&
		 column->affinity != AFFINITY_NONE)
		find(in, "numeric-column",
		     "column %s would turn text such as 007 into a number: %s (%s) needs a column "
		     "declared TEXT",
		     field->column, field->field, value_type_name(field->type));
}

/* A mapping that only goes up makes no row. */
static bool makes_rows(const struct mapping *mapping)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (mapping->fields[i].direction != MAPPING_UP)
			return true;
	return false;
}

/* Any other column must do without us. */
static void check_others(struct findings *in, const struct table_schema *table)
{
	const struct mapping *mapping = in->in->job.mapping;

	if (!makes_rows(mapping))
		return;
	for (size_t i = 0; i < table->count; i++) {
		const struct table_column *column = &table->columns[i];
		bool filled = strcasecmp(column->name, in->in->job.key) == 0 ||
			      table_schema_is_rowid(table, column->name);

		for (size_t k = 0; k < mapping->count; k++)
			filled |= mapping->fields[k].direction != MAPPING_UP &&
				  strcasecmp(mapping->fields[k].column, column->name) == 0;
		if (!filled && column->not_null && !column->has_default && !column->generated)
			find(in, "required-column",
			     "column %s is NOT NULL without a default and no rule fills it, so no "
			     "row could be made: give it a default, or map a field to it",
			     column->name);
	}
}

static bool check_key(struct findings *found, struct session *in, const struct table_schema *table,
		      struct error *err)
{
	const char *key = in->job.key;
	const struct table_column *column = table_schema_column(table, key);
	bool rowid = table_schema_is_rowid(table, key), unique, triggers;

	if (!column) {
		find(found, "no-key-column",
		     "there is no column %s, which `key` names: name a NOT NULL unique column",
		     key);
		return true;
	}
	if (!table_schema_is_unique(in->db, in->job.table, key, false, &unique, err) ||
	    !has_trigger(in, &triggers, err))
		return false;
	/* A trigger may drop an insert, and the last rowid would be another row's. */
	in->key_is_rowid = rowid && !triggers;
	in->key_is_number = column->affinity != AFFINITY_TEXT && column->affinity != AFFINITY_NONE;
	if (!column->not_null && !rowid)
		find(found, "key-null",
		     "key column %s may be NULL, which tells no row from another: declare it NOT "
		     "NULL",
		     key);
	if (!unique && !rowid)
		find(found, "key-not-unique",
		     "key column %s is not unique by itself: add a UNIQUE index on it alone, or "
		     "name "
		     "another column in `key`",
		     key);
	if (column->affinity == AFFINITY_NONE)
		find(found, "key-untyped",
		     "key column %s is declared without a type: declare it INTEGER or TEXT", key);
	if (in->key_field == SIZE_MAX && !rowid && !column->has_default &&
	    makes_rows(in->job.mapping))
		find(found, "key-not-assigned",
		     "key column %s has neither a rule nor a value of its own in a new row: map a "
		     "field to it, or make it an INTEGER PRIMARY KEY AUTOINCREMENT, or give it a "
		     "DEFAULT",
		     key);
	/* A link would be taken to mean a row that an application has made since. */
	if (in->key_field == SIZE_MAX && rowid && !table->counts_on)
		find(found, "key-reused",
		     "key column %s gives the number of a deleted row to a new one: make the table "
		     "with %s INTEGER PRIMARY KEY AUTOINCREMENT, or map the key "
		     "(Id = -> sf_id, with key = sf_id)",
		     key, key);
	return true;
}

/* Without one, each record that has no row yet would cost a look at every row. */
static bool check_match(struct findings *found, struct session *in,
			const struct table_schema *table, struct error *err)
{
	for (size_t i = 0; i < in->job.match_count && !table->ours; i++) {
		const struct mapping_field *field = &in->job.mapping->fields[in->job.match[i]];
		bool there;

		if (!table_schema_column(table, field->column))
			continue;
		if (!match_has_index(in, in->job.match[i], &there, err))
			return false;
		if (!there)
			find(found, "no-match-index",
			     "column %s, which `match` names, has no index that finds it%s: CREATE "
			     "INDEX \"%s_%s_match\" ON \"%s\" (\"%s\"%s);",
			     field->column,
			     match_folds(field->type) ? " in upper and lower case" : "",
			     in->job.table, field->column, in->job.table, field->column,
			     match_folds(field->type) ? " COLLATE NOCASE" : "");
	}
	return true;
}

/* A new row may hold more than it was given. */
static bool fills_by_itself(const struct session *in, const struct table_schema *table)
{
	const struct mapping *mapping = in->job.mapping;

	for (size_t i = 0; i < mapping->count; i++) {
		const struct table_column *column =
			table_schema_column(table, mapping->fields[i].column);

		if (mapping->fields[i].direction == MAPPING_UP && column &&
		    (column->has_default || column->generated ||
		     table_schema_is_rowid(table, column->name)))
			return true;
	}
	return false;
}

static bool check(struct session *in, const struct table_schema *table, struct error *err)
{
	struct findings found = { .in = in };

	if (!table->is_table) {
		find(&found, "not-a-table",
		     "it is a view or a virtual table: name an ordinary table");
		return findings_end(&found, err);
	}
	for (size_t i = 0; i < in->job.mapping->count; i++)
		check_field(&found, table, &in->job.mapping->fields[i]);
	if (!check_key(&found, in, table, err) || !check_match(&found, in, table, err))
		return false;
	check_others(&found, table);
	return findings_end(&found, err);
}

/* A name goes into SQL between quotes and must not hold one; ours are plain altogether. */
static bool check_names(const struct session *in, struct error *err)
{
	const struct mapping *mapping = in->job.mapping;
	const char *bad = NULL;

	if (!str_is_name(in->job.table))
		bad = in->job.table;
	else if (!str_is_name(in->job.key))
		bad = in->job.key;
	for (size_t i = 0; i < mapping->count && !bad; i++)
		if (!str_is_name(mapping->fields[i].column))
			bad = mapping->fields[i].column;
	if (bad)
		return error_set(err, ERROR_HUMAN, "bad-name",
				 "job %s: \"%s\" cannot be the name of a table or column here: "
				 "letters, digits and _, beginning with a letter",
				 in->job.name, bad);
	if (strncasecmp(in->job.table, "leadsync_", 9) == 0 ||
	    strncasecmp(in->job.table, "sqlite_", 7) == 0)
		return error_set(err, ERROR_HUMAN, "bad-name",
				 "job %s: tables named leadsync_* and sqlite_* are not for people: "
				 "name another table",
				 in->job.name);
	return true;
}

static bool remember(struct session *in, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db, "INSERT INTO leadsync_tables (name) VALUES (:table) ON CONFLICT DO NOTHING",
		err);

	if (!s)
		return false;
	statement_bind_text(s, ":table", in->job.table);
	return statement_run(s, err);
}

static bool make(struct session *in, struct error *err)
{
	const struct mapping *mapping = in->job.mapping;
	CLEANUP_FREE char *sql = NULL;
	size_t size;
	FILE *out = open_memstream(&sql, &size);

	fprintf(out, "CREATE TABLE \"%s\" (", in->job.table);
	if (in->key_field == SIZE_MAX)
		fprintf(out, "\"%s\" INTEGER PRIMARY KEY AUTOINCREMENT", in->job.key);
	else
		fprintf(out, "\"%s\" %s NOT NULL PRIMARY KEY", in->job.key,
			sql_type(mapping->fields[in->key_field].type));
	for (size_t i = 0; i < mapping->count; i++)
		if (strcasecmp(mapping->fields[i].column, in->job.key) != 0)
			fprintf(out, ", \"%s\" %s", mapping->fields[i].column,
				sql_type(mapping->fields[i].type));
	fputs(")", out);
	fclose(out);
	return db_run(in->db, sql, err) && remember(in, err);
}

static bool grow(struct session *in, const struct table_schema *table, struct error *err)
{
	const struct mapping *mapping = in->job.mapping;

	for (size_t i = 0; i < mapping->count; i++) {
		const struct mapping_field *field = &mapping->fields[i];
		CLEANUP_FREE char *sql = NULL;

		if (table_schema_column(table, field->column) || i == in->key_field)
			continue;
		sql = mem_format("ALTER TABLE \"%s\" ADD COLUMN \"%s\" %s", in->job.table,
				 field->column, sql_type(field->type));
		if (!db_run(in->db, sql, err))
			return false;
	}
	return true;
}

static bool read_table(struct session *in, struct table_schema *ret, struct error *err)
{
	return table_schema_read(in->db, in->job.table, ret, err) && is_ours(in, &ret->ours, err);
}

bool table_ensure(struct session *in, bool *ret_made, struct error *err)
{
	const struct mapping *mapping = in->job.mapping;
	__attribute__((cleanup(table_schema_clear))) struct table_schema table = { 0 };
	bool made;

	if (!check_names(in, err))
		return false;
	for (size_t i = 0; i < mapping->count; i++)
		if (mapping->fields[i].direction != MAPPING_UP &&
		    strcasecmp(mapping->fields[i].column, in->job.key) == 0)
			in->key_field = i;
	if (!read_table(in, &table, err))
		return false;
	made = !table.found;
	if (made || (table.ours && table.is_table)) {
		if (!(made ? make(in, err) : grow(in, &table, err)))
			return false;
		table_schema_clear(&table);
		if (!read_table(in, &table, err))
			return false;
	}
	if (!check(in, &table, err))
		return false;
	in->must_abort = table.has_conflict_clause;
	in->table_is_ours = table.ours;
	in->fills_by_itself = fills_by_itself(in, &table);
	*ret_made = made;
	return true;
}
