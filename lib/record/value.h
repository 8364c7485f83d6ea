/* value.h - one typed field value in its one canonical form, so that equal means equal.
 *
 * A value is text: type and bytes. Made canonical at the border (value_canonical), compared byte by
 * byte ever after.
 *
 *   text      without white space at both ends, CRLF and CR as LF
 *   boolean   "0" or "1"; null is "0"
 *   integer   "-12": 64 bits, no leading zeros, no "-0"
 *   decimal   "1234.5": no exponent, no trailing zeros, rounded half away from zero to the field's
 *             scale, no "-0"
 *   date      "2026-01-02"
 *   datetime  "2026-01-02T03:04:05Z": UTC to the second; without an offset it is taken for UTC
 *   time      "03:04:05"
 *   id        18 characters
 *   set       multi-select picklist: members sorted bytewise, without doubles, joined by ';'
 *
 * Empty is null, for every type; a boolean is never null.
 * (Salesforce field types: Object Reference, "Field Types".) */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_type {
	VALUE_TEXT,
	VALUE_BOOLEAN,
	VALUE_INTEGER,
	VALUE_DECIMAL,
	VALUE_DATE,
	VALUE_DATETIME,
	VALUE_TIME,
	VALUE_ID,
	VALUE_SET,
};

/* `text` is borrowed (from a page's arena, usually) and not NUL-terminated; NULL is null. */
struct value {
	const char *text;
	uint32_t len;
};

struct arena;
struct error;

/* Raw text as a server or a database gives it (NULL: null) -> canonical. `scale` counts for
 * decimals only. The result is borrowed from `raw` where that was canonical already, else from
 * `arena`. Not of the type: false, ERROR_FIELD code bad-value; the text says what was expected,
 * never the value itself. */
bool value_canonical(enum value_type type, int scale, const char *raw, size_t len,
		     struct arena *arena, struct value *ret, struct error *err);

static inline bool value_is_null(const struct value *in)
{
	return !in->text;
}
bool value_equal(const struct value *a, const struct value *b);

const char *value_type_name(enum value_type type);

/* 15 or 18 characters -> 18 with its checksum; false if it is no id. */
bool value_id18(const char *text, size_t len, char out[19]);
