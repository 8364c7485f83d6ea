#include "sqlite/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite/connection.h"

struct statement {
	struct db *db;
	sqlite3_stmt *stmt;
	char **columns; /* names, as SQLite forgets its own when it prepares anew */
	int column_count;
	int expected; /* the column most likely asked for next: callers read from left to right */
	int prepared; /* how often SQLite had prepared anew when the names were taken */
	bool writes;
	bool stepped; /* since the last reset */
	int bind_code;
};

static void forget_columns(struct statement *in)
{
	for (int i = 0; i < in->column_count; i++)
		free(in->columns[i]);
	free(in->columns);
	in->columns = NULL;
	in->column_count = 0;
}

static void learn_columns(struct statement *in)
{
	forget_columns(in);
	in->column_count = sqlite3_column_count(in->stmt);
	in->columns = mem_array(char *, (size_t)in->column_count);
	for (int i = 0; i < in->column_count; i++) {
		const char *name = sqlite3_column_name(in->stmt, i);

		if (!name)
			abort(); /* no memory */
		in->columns[i] = mem_strdup(name);
	}
	in->expected = 0;
	in->prepared = sqlite3_stmt_status(in->stmt, SQLITE_STMTSTATUS_REPREPARE, 0);
}

struct statement *statement_new(struct db *db, const char *sql, struct error *err)
{
	struct statement *in;
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);

	if (code != SQLITE_OK) {
		db_failed(db, code, FAILURE_PREPARING, err);
		return NULL;
	}
	if (!stmt) {
		error_set(err, ERROR_BUG, "sqlite", "%s: an empty statement", db->path);
		return NULL;
	}
	in = mem_new(struct statement);
	*in = (struct statement){ .db = db, .stmt = stmt };
	in->writes = !sqlite3_stmt_readonly(stmt);
	learn_columns(in);
	return in;
}

void statement_free(struct statement *in)
{
	if (!in)
		return;
	sqlite3_finalize(in->stmt);
	forget_columns(in);
	free(in);
}

static void rewind_it(struct statement *in)
{
	/* Its answer repeats the failure that the last step has told already. */
	sqlite3_reset(in->stmt);
	in->stepped = false;
}

void statement_reset(struct statement *in)
{
	rewind_it(in);
	sqlite3_clear_bindings(in->stmt);
	in->bind_code = SQLITE_OK;
}

__attribute__((noreturn)) static void unknown_name(struct statement *in, const char *name)
{
	fprintf(stderr, "no %s in the statement: %s\n", name, sqlite3_sql(in->stmt));
	abort();
}

int statement_position(struct statement *in, const char *name)
{
	int position = sqlite3_bind_parameter_index(in->stmt, name);

	if (!position)
		unknown_name(in, name);
	return position;
}

/* SQLite takes values only before the first step. */
static void before_bind(struct statement *in)
{
	if (in->stepped)
		rewind_it(in);
}

/* Binding cannot fail for the caller: what SQLite refuses (a value too long) the step reports. */
static void after_bind(struct statement *in, int position, int code)
{
	if (code == SQLITE_RANGE)
		unknown_name(in, "parameter at that position");
	if (code == SQLITE_OK)
		return;
	/* What stood there before must not be written in its place. */
	sqlite3_bind_null(in->stmt, position);
	in->bind_code = code;
}

static void bind_text(struct statement *in, int position, const char *text, size_t len,
		      sqlite3_destructor_type owner)
{
	before_bind(in);
	after_bind(in, position,
		   sqlite3_bind_text64(in->stmt, position, text, len, owner, SQLITE_UTF8));
}

void statement_bind_null(struct statement *in, const char *name)
{
	statement_bind_null_at(in, statement_position(in, name));
}

void statement_bind_int(struct statement *in, const char *name, int64_t value)
{
	statement_bind_int_at(in, statement_position(in, name), value);
}

void statement_bind_text(struct statement *in, const char *name, const char *text)
{
	bind_text(in, statement_position(in, name), text, text ? strlen(text) : 0,
		  SQLITE_TRANSIENT);
}

void statement_bind_bytes(struct statement *in, const char *name, const void *bytes, size_t len)
{
	int position = statement_position(in, name);

	before_bind(in);
	/* A null pointer would bind null, not an empty blob. */
	after_bind(in, position,
		   sqlite3_bind_blob64(in->stmt, position, len ? bytes : "", len,
				       SQLITE_TRANSIENT));
}

void statement_bind_text_at(struct statement *in, int position, const char *text, size_t len)
{
	bind_text(in, position, text, len, SQLITE_STATIC);
}

void statement_bind_int_at(struct statement *in, int position, int64_t value)
{
	before_bind(in);
	after_bind(in, position, sqlite3_bind_int64(in->stmt, position, value));
}

void statement_bind_null_at(struct statement *in, int position)
{
	before_bind(in);
	after_bind(in, position, sqlite3_bind_null(in->stmt, position));
}

static bool step_failed(struct statement *in, int code, struct error *err)
{
	/* Classified before the reset, which clears the connection's text. */
	db_failed(in->db, code, FAILURE_RUNNING, err);
	rewind_it(in);
	return false;
}

bool statement_step(struct statement *in, bool *ret_row, struct error *err)
{
	int code;

	if (in->writes && !db_may_write(in->db, err))
		return false;
	if (in->bind_code != SQLITE_OK)
		return step_failed(in, in->bind_code, err);
	in->stepped = true;
	code = sqlite3_step(in->stmt);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return step_failed(in, code, err);
	if (code == SQLITE_DONE)
		rewind_it(in);
	else if (in->prepared != sqlite3_stmt_status(in->stmt, SQLITE_STMTSTATUS_REPREPARE, 0))
		learn_columns(in);
	*ret_row = code == SQLITE_ROW;
	return true;
}

bool statement_run(struct statement *in, struct error *err)
{
	bool row;
	bool ok = statement_step(in, &row, err);

	statement_reset(in);
	if (ok && row)
		return error_set(err, ERROR_BUG, "sqlite", "%s: rows from a statement without any",
				 in->db->path);
	return ok;
}

static int column_of(struct statement *in, const char *name)
{
	for (int i = 0; i < in->column_count; i++) {
		int column = (in->expected + i) % in->column_count;

		if (strcmp(in->columns[column], name) == 0) {
			in->expected = column + 1;
			return column;
		}
	}
	unknown_name(in, name);
}

enum statement_type statement_type_at(struct statement *in, int column)
{
	switch (sqlite3_column_type(in->stmt, column)) {
	case SQLITE_INTEGER: return STATEMENT_INT;
	case SQLITE_FLOAT: return STATEMENT_REAL;
	case SQLITE_TEXT: return STATEMENT_TEXT;
	case SQLITE_BLOB: return STATEMENT_BLOB;
	default: return STATEMENT_NULL;
	}
}

const char *statement_text_at(struct statement *in, int column, size_t *ret_len)
{
	const char *text;

	if (sqlite3_column_type(in->stmt, column) == SQLITE_NULL) {
		*ret_len = 0;
		return NULL;
	}
	/* Text first, length after: it is the length of that form. */
	text = (const char *)sqlite3_column_text(in->stmt, column);
	*ret_len = (size_t)sqlite3_column_bytes(in->stmt, column);
	if (!text)
		abort(); /* not null, so there was no memory to convert it */
	return text;
}

int64_t statement_int_at(struct statement *in, int column)
{
	return sqlite3_column_int64(in->stmt, column);
}

double statement_real_at(struct statement *in, int column)
{
	return sqlite3_column_double(in->stmt, column);
}

bool statement_is_null(struct statement *in, const char *column)
{
	return statement_type_at(in, column_of(in, column)) == STATEMENT_NULL;
}

int64_t statement_int(struct statement *in, const char *column)
{
	return statement_int_at(in, column_of(in, column));
}

const char *statement_text(struct statement *in, const char *column)
{
	size_t len;

	return statement_text_at(in, column_of(in, column), &len);
}

const void *statement_bytes(struct statement *in, const char *column, size_t *ret_len)
{
	int at = column_of(in, column);
	const void *bytes = sqlite3_column_blob(in->stmt, at);

	*ret_len = (size_t)sqlite3_column_bytes(in->stmt, at);
	return bytes;
}
