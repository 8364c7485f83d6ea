/* plan.h - a query made runnable: names looked up, types checked, SQL written, JSON shaped.
 *
 * A plan is two statements: one lists the rows' numbers, the other reads one row. Thus a result is
 * held as a list of numbers, and its pages show the values of the moment they are read. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

struct field;
struct problem;
struct sobject;
struct soql;
struct sqlite3_stmt;

enum plan_kind { PLAN_ROWS, PLAN_COUNT, PLAN_AGGREGATE };

/* A key of the JSON record: a value in `column`, or a parent record whose Id is in `column`. */
struct shape {
	char *key;                   /* owned */
	const struct field *field;   /* NULL for a parent */
	const struct sobject *owner; /* whose field it is; of a parent: its object */
	int column;
	struct shape *parts; /* owned, of a parent */
	size_t part_count;
};

struct plan {
	enum plan_kind kind;
	const struct sobject *from;
	struct sqlite3_stmt *list; /* the _row numbers, or the one row of a count or an aggregate */
	struct sqlite3_stmt
		*read;    /* column 0 is the Id; parameter 1 the _row; NULL unless PLAN_ROWS */
	struct shape top; /* its parts are the record */
};

/* `all_rows` is queryAll. Owned by the caller on success. */
struct plan *plan_new(const struct soql *query, bool all_rows, struct problem *err);
void plan_free(struct plan *in);

/* Writes the record `row`; false, writing nothing, if it is gone (or deleted, unless all_rows). */
bool plan_write(struct plan *in, int64_t row, const char *version, struct text *out);

/* Writes the single record of an aggregate. */
void plan_write_aggregate(struct plan *in, struct text *out);

/* One value of type `field->type` from a column, as JSON. */
void plan_write_value(const struct field *field, struct sqlite3_stmt *from, int column,
		      struct text *out);
