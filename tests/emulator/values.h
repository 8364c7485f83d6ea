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
	size_t count;
};

/* Reads and checks all that needs no other row: types, names, rights, what is required, lengths and
 * formats, in this order; the first of these with anything wrong is told. */
bool values_read(const struct sobject *of, struct json_object *from, bool create,
		 struct values *out, struct problems *err);
void values_free(struct values *in);
void values_bind(const struct value *in, struct sqlite3_stmt *into, int at);
