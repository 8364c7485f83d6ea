/* statement.h - one prepared statement; parameters and columns by name.
 *
 *     CLEANUP(statement_free)
 *     struct statement *s = statement_new(db, "SELECT a FROM t WHERE k = :k", &err);
 *
 *     statement_bind_int(s, ":k", 7);
 *     while (statement_step(s, &row, &err) && row)
 *             use(statement_text(s, "a"));
 *
 * A name that the statement does not have is a bug and ends the process. Bound text is copied
 * unless the call says static (then it must outlive the step). Freed before its connection closes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct db;
struct error;
struct statement;

struct statement *statement_new(struct db *db, const char *sql, struct error *err);
void statement_free(struct statement *in);
CLEANUP_DEFINE(struct statement, statement_free)

/* Forgets bindings and position, ready for the next use. */
void statement_reset(struct statement *in);

/* Binding to a statement that has been stepped rewinds it first. A value that SQLite does not take
 * (too long) fails the step. */
void statement_bind_null(struct statement *in, const char *name);
void statement_bind_int(struct statement *in, const char *name, int64_t value);
void statement_bind_text(struct statement *in, const char *name,
			 const char *text); /* NULL binds null */
void statement_bind_bytes(struct statement *in, const char *name, const void *bytes, size_t len);

/* By position, for statements built from a mapping; static text (not copied). Positions count
 * from 1. */
int statement_position(struct statement *in, const char *name);
void statement_bind_text_at(struct statement *in, int position, const char *text, size_t len);
void statement_bind_int_at(struct statement *in, int position, int64_t value);
void statement_bind_null_at(struct statement *in, int position);

/* One row, or the end: *ret_row says which; the end rewinds. Fails as db.h's classes say, and
 * outside a unit if the statement writes (ERROR_BUG code no-unit, or what lost the unit). */
bool statement_step(struct statement *in, bool *ret_row, struct error *err);

/* Steps a statement that gives no rows, then resets it. */
bool statement_run(struct statement *in, struct error *err);

enum statement_type {
	STATEMENT_NULL,
	STATEMENT_INT,
	STATEMENT_REAL,
	STATEMENT_TEXT,
	STATEMENT_BLOB
};

/* Of the current row; text and bytes are good until the next step or reset. */
enum statement_type statement_type_at(struct statement *in, int column);
const char *statement_text_at(struct statement *in, int column, size_t *ret_len);
int64_t statement_int_at(struct statement *in, int column);
double statement_real_at(struct statement *in, int column);
bool statement_is_null(struct statement *in, const char *column);
int64_t statement_int(struct statement *in, const char *column);
const char *statement_text(struct statement *in, const char *column); /* NULL for null */
const void *statement_bytes(struct statement *in, const char *column, size_t *ret_len);
