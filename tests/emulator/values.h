/* values.h - the fields of a JSON record, checked as Salesforce checks them before a save. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field;
struct json_object;
struct problems;
struct sobject;
struct sqlite3_stmt;

enum value_kind { VALUE_NULL, VALUE_TEXT, VALUE_INT, VALUE_REAL };

struct value {
	const struct field *field;
	enum value_kind kind;
	char *text; /* owned */
	int64_t integer;
	double real;
};

struct values {
	struct value *list; /* owned */
	size_t count, room;
};

/* Reads: types, then names. A value of a wrong type, or an unknown field, is no record at all, so
 * that a whole request fails by it; `out` is empty then. */
bool values_read(const struct sobject *of, struct json_object *from, struct values *out,
		 struct problems *err);

/* Checks all that needs no other row: rights, what is required, lengths and formats, in this order;
 * the first of these with anything wrong is told. Numbers are rounded to their scale. */
bool values_check(const struct sobject *of, struct values *in, bool create, struct problems *err);
bool values_check_formats(struct values *in, struct problems *err);

void values_free(struct values *in);
void values_bind(const struct value *in, struct sqlite3_stmt *into, int at);

/* NULL if the field is not among them. */
struct value *values_find(const struct values *in, const struct field *field);

/* A copy of `from` takes the place of the field's value, or is added. */
void values_set(struct values *in, const struct value *from);

void values_drop(struct values *in, const struct field *field);

/* What a row holds; the text is the caller's. */
void values_stored(const struct sobject *of, int64_t row, const struct field *field,
		   struct value *out);
bool values_equal(const struct value *left, const struct value *right);
