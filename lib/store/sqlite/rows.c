/* rows.c - the SQL of the job's own table, built from the mapping once a session. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "store/sqlite/session.h"

/* All names went through table.c: none holds a quote. */
static char *find_sql(const struct session *in)
{
	const struct mapping *mapping = in->job.mapping;
	char *sql = NULL;
	size_t size;
	FILE *out = open_memstream(&sql, &size);

	fputs("SELECT ", out);
	for (size_t i = 0; i < mapping->count; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : "", mapping->fields[i].column);
	fprintf(out, " FROM \"%s\" WHERE \"%s\" = ?1", in->job.table, in->job.key);
	fclose(out);
	return sql;
}

static bool is_down(const struct mapping_field *field)
{
	return field->direction != MAPPING_UP;
}

/* A table's own ON CONFLICT IGNORE or REPLACE drops the row, or another record's, and says nothing.
 * Only where there is one: what we say holds for the statements of its triggers too, and these
 * may have been meant to ignore. */
static const char *on_conflict(const struct session *in)
{
	return in->must_abort ? "OR ABORT " : "";
}

static char *insert_sql(const struct session *in)
{
	const struct mapping *mapping = in->job.mapping;
	char *sql = NULL;
	size_t size, count = 0;
	FILE *out = open_memstream(&sql, &size);

	fprintf(out, "INSERT %sINTO \"%s\" (", on_conflict(in), in->job.table);
	for (size_t i = 0; i < mapping->count; i++)
		if (is_down(&mapping->fields[i]))
			fprintf(out, "%s\"%s\"", count++ ? ", " : "", mapping->fields[i].column);
	fputs(") VALUES (", out);
	for (size_t i = 0; i < count; i++)
		fputs(i ? ", ?" : "?", out);
	fputs(")", out);
	if (in->key_field == SIZE_MAX && !in->key_is_rowid)
		fprintf(out, " RETURNING \"%s\"", in->job.key);
	fclose(out);
	return sql;
}

static char *update_sql(const struct session *in, const bool *set)
{
	const struct mapping *mapping = in->job.mapping;
	char *sql = NULL;
	size_t size, count = 0;
	FILE *out = open_memstream(&sql, &size);

	fprintf(out, "UPDATE %s\"%s\" SET ", on_conflict(in), in->job.table);
	for (size_t i = 0; i < mapping->count; i++)
		if (set[i])
			fprintf(out, "%s\"%s\" = ?", count++ ? ", " : "",
				mapping->fields[i].column);
	fprintf(out, " WHERE \"%s\" = ?", in->job.key);
	fclose(out);
	return sql;
}

static void bind_value(struct statement *s, int position, enum value_type type,
		       const struct value *value)
{
	int64_t number;

	if (!value->text)
		statement_bind_null_at(s, position);
	else if ((type == VALUE_INTEGER || type == VALUE_BOOLEAN) && session_number(value, &number))
		statement_bind_int_at(s, position, number);
	else
		statement_bind_text_at(s, position, value->text, value->len);
}

/* The fewest digits that give the same number again. */
static const char *real_text(double real, char out[40])
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(out, 40, "%.*g", digits, real);
		if (strtod(out, NULL) == real)
			break;
	}
	return out;
}

static struct value read_value(struct statement *s, int column, const struct mapping_field *field,
			       struct arena *arena)
{
	char digits[40];
	struct value raw = { 0 }, made;
	struct error why;
	size_t len = 0;
	const char *text;

	if (statement_type_at(s, column) == STATEMENT_REAL) {
		text = real_text(statement_real_at(s, column), digits);
		len = strlen(text);
	} else {
		text = statement_text_at(s, column, &len);
	}
	if (text)
		raw = (struct value){ arena_copy(arena, text, len), (uint32_t)len };
	return value_canonical(field->type, field->scale, raw.text, raw.len, arena, &made, &why)
		       ? made
		       : raw;
}

static bool find_one(struct session *in, struct statement *s, const struct value *key,
		     struct arena *arena, struct store_row *ret, struct error *err)
{
	const struct mapping *mapping = in->job.mapping;
	bool row = false;

	*ret = (struct store_row){ 0 };
	if (!key->text)
		return true;
	session_bind_key(in, s, 1, key);
	if (!statement_step(s, &row, err))
		return false;
	if (!row)
		return true;
	ret->found = true;
	ret->values = arena_take(arena, mapping->count * sizeof(*ret->values));
	for (size_t i = 0; i < mapping->count; i++)
		ret->values[i] = read_value(s, (int)i, &mapping->fields[i], arena);
	return true;
}

bool rows_find(struct session *in, const struct value *keys, size_t count, struct arena *arena,
	       struct store_row *ret, struct error *err)
{
	CLEANUP_FREE char *sql = in->kept[KEPT_ROW_FIND] ? NULL : find_sql(in);
	struct statement *s = session_kept(in, KEPT_ROW_FIND, sql, err);
	bool ok = s;

	for (size_t i = 0; ok && i < count; i++)
		ok = find_one(in, s, &keys[i], arena, &ret[i], err);
	if (s)
		statement_reset(s);
	return ok;
}

static bool last_rowid(struct session *in, struct value *ret, struct arena *arena,
		       struct error *err)
{
	struct statement *s = session_kept(in, KEPT_ROW_LAST, "SELECT last_insert_rowid()", err);
	bool row, ok = s && statement_step(s, &row, err);

	if (ok)
		*ret = session_value_at(s, 0, arena);
	if (s)
		statement_reset(s);
	return ok;
}

/* RETURNING is right whatever triggers do, and costs half an insert more. */
static bool run_returning(struct statement *s, struct value *ret, struct arena *arena,
			  struct error *err)
{
	bool row, ok = statement_step(s, &row, err);

	/* No row: a trigger of the table's owner dropped the insert without a word. */
	if (ok)
		*ret = row ? session_value_at(s, 0, arena) : (struct value){ 0 };
	statement_reset(s);
	return ok;
}

static bool insert(struct session *in, struct store_write *write, struct arena *arena,
		   struct error *err)
{
	const struct mapping *mapping = in->job.mapping;
	CLEANUP_FREE char *sql = in->kept[KEPT_ROW_INSERT] ? NULL : insert_sql(in);
	struct statement *s = session_kept(in, KEPT_ROW_INSERT, sql, err);
	int position = 1;

	if (!s)
		return false;
	for (size_t i = 0; i < mapping->count; i++)
		if (is_down(&mapping->fields[i]))
			bind_value(s, position++, mapping->fields[i].type, &write->values[i]);
	if (in->key_field != SIZE_MAX) {
		write->link.key = write->values[in->key_field];
		return statement_run(s, err);
	}
	if (in->key_is_rowid)
		return statement_run(s, err) && last_rowid(in, &write->link.key, arena, err);
	return run_returning(s, &write->link.key, arena, err);
}

/* The statement for this set of columns, from the last few used. */
static struct statement *update_statement(struct session *in, const bool *set, struct error *err)
{
	size_t size = in->job.mapping->count * sizeof(*set);
	CLEANUP_FREE char *sql = NULL;
	struct rows_update *slot;
	struct statement *s;

	for (size_t i = 0; i < ROWS_UPDATES; i++)
		if (in->updates[i].set && memcmp(in->updates[i].set, set, size) == 0)
			return in->updates[i].statement;
	sql = update_sql(in, set);
	s = statement_new(in->db, sql, err);
	if (!s)
		return NULL;
	slot = &in->updates[in->next_update++ % ROWS_UPDATES];
	statement_free(slot->statement);
	slot->statement = s;
	slot->set = memcpy(mem_resize(slot->set, size, 1), set, size);
	return s;
}

static bool update(struct session *in, const struct store_write *write, struct error *err)
{
	const struct mapping *mapping = in->job.mapping;
	struct statement *s = update_statement(in, write->set, err);
	int position = 1;

	if (!s)
		return false;
	for (size_t i = 0; i < mapping->count; i++)
		if (write->set[i])
			bind_value(s, position++, mapping->fields[i].type, &write->values[i]);
	session_bind_key(in, s, position, &write->row_key);
	return statement_run(s, err);
}

static bool drop(struct session *in, const struct store_write *write, struct error *err)
{
	CLEANUP_FREE char *sql =
		mem_format("DELETE FROM \"%s\" WHERE \"%s\" = ?1", in->job.table, in->job.key);
	struct statement *s = session_kept(in, KEPT_ROW_DELETE, sql, err);

	if (!s)
		return false;
	session_bind_key(in, s, 1, &write->row_key);
	return statement_run(s, err);
}

bool rows_write(struct session *in, struct store_write *write, struct arena *arena,
		struct error *err)
{
	switch (write->action) {
	case STORE_NOTHING: return true;
	case STORE_INSERT: return insert(in, write, arena, err);
	case STORE_UPDATE: return update(in, write, err);
	case STORE_DELETE: return drop(in, write, err);
	}
	return error_set(err, ERROR_BUG, "no-such-action", "an unknown action");
}

void rows_forget(struct session *in)
{
	for (size_t i = 0; i < ROWS_UPDATES; i++) {
		statement_free(in->updates[i].statement);
		free(in->updates[i].set);
	}
}
