/* values.c - reading; values_check.c checks. */
#include "values.h"

#include <ctype.h>
#include <json-c/json.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "mem.h"
#include "problem.h"
#include "schema.h"
#include "stamp.h"
#include "store.h"

static bool bad_type(struct problems *err, const struct field *field, struct json_object *from)
{
	static const char *const names[] = { "VALUE_NULL",         "VALUE_TRUE",
					     "VALUE_NUMBER_FLOAT", "VALUE_NUMBER_INT",
					     "START_OBJECT",       "START_ARRAY",
					     "VALUE_STRING" };
	const char *soap = schema_soap_type(field->type);

	return problem_add(
		err, "JSON_PARSER_ERROR", NULL,
		"Cannot deserialize instance of %s from %s value %.200s or request may be "
		"missing a required field at [line:1, column:1]",
		strncmp(soap, "xsd:", 4) == 0 ? soap + 4 : "string",
		names[json_object_get_type(from)], from ? json_object_get_string(from) : "null");
}

/* Blanks around a text are lost, CRLF becomes LF, and an empty text is null. */
static char *normalise(const char *from)
{
	size_t length = strlen(from), used = 0;
	char *out;

	while (length && isspace((unsigned char)*from)) {
		from++;
		length--;
	}
	while (length && isspace((unsigned char)from[length - 1]))
		length--;
	out = mem_new(length + 1);
	for (size_t i = 0; i < length; i++)
		if (from[i] != '\r' || i + 1 >= length || from[i + 1] != '\n')
			out[used++] = from[i];
	out[used] = '\0';
	return out;
}

static void read_text(struct json_object *from, struct value *out)
{
	out->text = normalise(json_object_get_string(from));
	out->kind = VALUE_TEXT;
	if (!*out->text) {
		free(out->text);
		out->text = NULL;
		out->kind = VALUE_NULL;
	}
}

static bool read_number(struct json_object *from, const struct field *field, struct value *out)
{
	double number;
	char *end;

	if (json_object_is_type(from, json_type_string)) {
		const char *text = json_object_get_string(from);

		number = strtod(text, &end);
		if (end == text || *end || !isfinite(number))
			return false;
	} else if (json_object_is_type(from, json_type_int) ||
		   json_object_is_type(from, json_type_double)) {
		number = json_object_get_double(from);
	} else {
		return false;
	}
	out->kind = VALUE_REAL;
	out->real = number;
	if (field->type != FIELD_INT)
		return true;
	if (number != trunc(number))
		return false;
	if (fabs(number) > 2147483647.0)
		return false;
	out->kind = VALUE_INT;
	out->integer = (int64_t)number;
	return true;
}

static bool read_boolean(struct json_object *from, struct value *out)
{
	out->kind = VALUE_INT;
	if (json_object_is_type(from, json_type_boolean)) {
		out->integer = json_object_get_boolean(from);
		return true;
	}
	if (!json_object_is_type(from, json_type_string))
		return false;
	out->integer = strcasecmp(json_object_get_string(from), "true") == 0;
	return out->integer || strcasecmp(json_object_get_string(from), "false") == 0;
}

static bool read_date(struct json_object *from, const struct field *field, struct value *out)
{
	const char *text = json_object_get_string(from);
	bool is_date = field->type == FIELD_DATE;

	out->kind = VALUE_INT;
	if (!json_object_is_type(from, json_type_string))
		return false;
	if (!*text) {
		out->kind = VALUE_NULL;
		return true;
	}
	return is_date ? stamp_parse_day(text, strlen(text), &out->integer)
		       : stamp_parse(text, strlen(text), &out->integer);
}

static bool read_one(struct json_object *from, const struct field *field, struct value *out)
{
	*out = (struct value){ .field = field };
	if (!from)
		return field->type != FIELD_BOOLEAN;
	if (json_object_is_type(from, json_type_object) ||
	    json_object_is_type(from, json_type_array))
		return false;
	if (field->type == FIELD_BOOLEAN)
		return read_boolean(from, out);
	if (schema_is_number(field->type))
		return read_number(from, field, out);
	if (field->type == FIELD_DATE || field->type == FIELD_DATETIME)
		return read_date(from, field, out);
	if (schema_is_id(field->type) && !json_object_is_type(from, json_type_string))
		return false;
	read_text(from, out);
	return true;
}

static void add(struct value one, struct values *out)
{
	if (out->count == out->room) {
		out->room = out->room ? out->room * 2 : 16;
		out->list = mem_grow(out->list, out->room * sizeof(one));
	}
	out->list[out->count++] = one;
}

static bool read_all(const struct sobject *of, struct json_object *from, struct values *out,
		     struct problems *err)
{
	const char *unknown = NULL;

	json_object_object_foreach(from, name, given)
	{
		const struct field *field = schema_field(of, name, strlen(name));
		struct value one = { .field = field };

		if (!field && strcmp(name, "attributes") != 0)
			unknown = unknown ? unknown : name;
		if (!field)
			continue;
		if (field->type != FIELD_ADDRESS && !read_one(given, field, &one))
			return bad_type(err, field, given);
		add(one, out);
	}
	return !unknown ||
	       problem_add(err, "INVALID_FIELD", NULL,
			   "No such column '%.80s' on sobject of type %s", unknown, of->name);
}

bool values_read(const struct sobject *of, struct json_object *from, struct values *out,
		 struct problems *err)
{
	*out = (struct values){ 0 };
	if (read_all(of, from, out, err))
		return true;
	values_free(out);
	return false;
}

struct value *values_find(const struct values *in, const struct field *field)
{
	for (size_t i = 0; i < in->count; i++)
		if (in->list[i].field == field)
			return &in->list[i];
	return NULL;
}

void values_set(struct values *in, const struct value *from)
{
	struct value *to = values_find(in, from->field);
	struct value one = *from;

	if (from->text)
		one.text = mem_text(from->text, strlen(from->text));
	if (!to) {
		add(one, in);
		return;
	}
	free(to->text);
	*to = one;
}

void values_drop(struct values *in, const struct field *field)
{
	struct value *found = values_find(in, field);

	if (!found)
		return;
	free(found->text);
	*found = in->list[--in->count];
}

void values_stored(const struct sobject *of, int64_t row, const struct field *field,
		   struct value *out)
{
	sqlite3_stmt *read;
	char sql[200];

	*out = (struct value){ .field = field };
	snprintf(sql, sizeof(sql), "SELECT \"%s\" FROM \"%s\" WHERE _row = ?", field->name,
		 of->name);
	read = store_ready(sql);
	sqlite3_bind_int64(read, 1, row);
	if (sqlite3_step(read) == SQLITE_ROW) {
		switch (sqlite3_column_type(read, 0)) {
		case SQLITE_TEXT:
			out->kind = VALUE_TEXT;
			out->text = mem_text((const char *)sqlite3_column_text(read, 0),
					     (size_t)sqlite3_column_bytes(read, 0));
			break;
		case SQLITE_INTEGER:
			out->kind = VALUE_INT;
			out->integer = sqlite3_column_int64(read, 0);
			break;
		case SQLITE_FLOAT:
			out->kind = VALUE_REAL;
			out->real = sqlite3_column_double(read, 0);
			break;
		default: break;
		}
	}
	store_release(read);
}

bool values_equal(const struct value *left, const struct value *right)
{
	if (left->kind != right->kind)
		return false;
	switch (left->kind) {
	case VALUE_NULL: return true;
	case VALUE_TEXT: return strcmp(left->text, right->text) == 0;
	case VALUE_INT: return left->integer == right->integer;
	case VALUE_REAL: return fabs(left->real - right->real) < 1e-9;
	}
	return false;
}

void values_free(struct values *in)
{
	for (size_t i = 0; i < in->count; i++)
		free(in->list[i].text);
	free(in->list);
	*in = (struct values){ 0 };
}

void values_bind(const struct value *in, sqlite3_stmt *into, int at)
{
	switch (in->kind) {
	case VALUE_NULL: sqlite3_bind_null(into, at); break;
	case VALUE_TEXT: sqlite3_bind_text(into, at, in->text, -1, SQLITE_TRANSIENT); break;
	case VALUE_INT: sqlite3_bind_int64(into, at, in->integer); break;
	case VALUE_REAL: sqlite3_bind_double(into, at, in->real); break;
	}
}
