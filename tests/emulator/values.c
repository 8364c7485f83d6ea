/* values.c - in order: types, names and rights, what is required, formats. */
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
#include "sfid.h"
#include "stamp.h"

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

static bool read_types(const struct sobject *of, struct json_object *from, struct values *out,
		       struct problems *err)
{
	json_object_object_foreach(from, name, given)
	{
		const struct field *field = schema_field(of, name, strlen(name));
		struct value one;

		if (!field || field->type == FIELD_ADDRESS)
			continue;
		if (!read_one(given, field, &one))
			return bad_type(err, field, given);
		out->list = mem_grow(out->list, (out->count + 1) * sizeof(one));
		out->list[out->count++] = one;
	}
	return true;
}

static bool may_write(const struct field *field, bool create)
{
	return field->flags & (create ? FIELD_CREATEABLE : FIELD_UPDATEABLE) && !field->readonly;
}

static bool check_names(const struct sobject *of, struct json_object *from, bool create,
			struct problems *err)
{
	struct problem *refused = NULL;
	char list[600] = "";

	json_object_object_foreach(from, name, given)
	{
		const struct field *field = schema_field(of, name, strlen(name));
		size_t used = strlen(list);

		(void)given;
		if (strcmp(name, "attributes") == 0)
			continue;
		if (!field)
			return problem_add(err, "INVALID_FIELD", NULL,
					   "No such column '%.80s' on sobject of type %s", name,
					   of->name);
		if (field->type == FIELD_ID && !create)
			return problem_add(
				err, "INVALID_FIELD", NULL,
				"The Id field should not be specified in the sobject data.");
		if (may_write(field, create))
			continue;
		if (!refused) {
			problem_add(err, "INVALID_FIELD_FOR_INSERT_UPDATE", NULL, "%s", "");
			refused = &err->list[0];
		}
		if (refused->field_count < sizeof(refused->fields) / sizeof(refused->fields[0]))
			refused->fields[refused->field_count++] = field->name;
		snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", field->name);
	}
	if (refused)
		snprintf(
			refused->message, sizeof(refused->message),
			"Unable to create/update fields: %s. Please check the security settings of "
			"this field and verify that it is read/write for your profile or "
			"permission "
			"set.",
			list);
	return !refused;
}

static const struct value *find(const struct values *in, const struct field *field)
{
	for (size_t i = 0; i < in->count; i++)
		if (in->list[i].field == field)
			return &in->list[i];
	return NULL;
}

static bool check_required(const struct sobject *of, const struct values *in, bool create,
			   struct problems *err)
{
	struct problem *missing = NULL;
	char list[600] = "";

	for (size_t i = 0; i < of->count; i++) {
		const struct field *field = &of->fields[i];
		const struct value *given = find(in, field);
		size_t used = strlen(list);

		if (field->flags & (FIELD_NILLABLE | FIELD_DEFAULTED) && !field->fallback)
			continue;
		if (!may_write(field, true) || field->hidden || field->type == FIELD_BOOLEAN)
			continue;
		if (given ? given->kind != VALUE_NULL : !create || field->fallback != NULL)
			continue;
		if (!missing) {
			problem_add(err, "REQUIRED_FIELD_MISSING", NULL, "%s", "");
			missing = &err->list[0];
		}
		if (missing->field_count < sizeof(missing->fields) / sizeof(missing->fields[0]))
			missing->fields[missing->field_count++] = field->name;
		snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", field->name);
	}
	if (missing)
		snprintf(missing->message, sizeof(missing->message),
			 "Required fields are missing: [%s]", list);
	return !missing;
}

static size_t characters(const char *text)
{
	size_t out = 0;

	for (; *text; text++) {
		unsigned char one = (unsigned char)*text;

		out += (one & 0xc0) != 0x80;
		out += one >= 0xf0; /* a surrogate pair counts as two */
	}
	return out;
}

static bool is_email(const char *text)
{
	const char *at = strchr(text, '@'), *dot;

	if (!at || at == text || strchr(at + 1, '@') || strpbrk(text, " \t\r\n,;<>()[]\"\\"))
		return false;
	if (at[-1] == '.' || *text == '.' || strstr(text, ".."))
		return false;
	dot = strrchr(at, '.');
	if (!dot || dot == at + 1 || !dot[1] || !isalnum((unsigned char)at[1]))
		return false;
	for (const char *c = at + 1; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '.' && *c != '-')
			return false;
	return true;
}

static bool is_listed(const struct field *field, const char *text)
{
	for (size_t i = 0; field->values && field->values[i]; i++)
		if (strcasecmp(field->values[i], text) == 0)
			return true;
	return false;
}

static void check_text(const struct value *in, struct problems *err)
{
	const struct field *field = in->field;

	if (field->length && characters(in->text) > (size_t)field->length)
		problem_add(err, "STRING_TOO_LONG", field->name,
			    "%s: data value too large: %.255s (max length=%d)", field->label,
			    in->text, field->length);
	else if (field->type == FIELD_EMAIL && !is_email(in->text))
		problem_add(err, "INVALID_EMAIL_ADDRESS", field->name,
			    "%s: invalid email address: %.255s", field->label, in->text);
	else if (field->flags & FIELD_RESTRICTED && !is_listed(field, in->text))
		problem_add(err, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", field->name,
			    "%s: bad value for restricted picklist field: %.255s", field->label,
			    in->text);
}

static void check_number(struct value *in, struct problems *err)
{
	const struct field *field = in->field;
	double unit = pow(10, field->scale);
	double number = in->kind == VALUE_INT ? (double)in->integer : in->real;

	if (in->kind == VALUE_REAL)
		in->real = number = round(number * unit) / unit;
	if (fabs(number) >=
	    pow(10, field->precision - (field->type == FIELD_INT ? 0 : field->scale)))
		problem_add(err, "NUMBER_OUTSIDE_VALID_RANGE", field->name,
			    "%s: value outside of valid range on numeric field: %.10g",
			    field->label, number);
}

static bool check_formats(struct values *in, struct problems *err)
{
	for (size_t i = 0; i < in->count; i++) {
		struct value *one = &in->list[i];
		int64_t per = one->field->type == FIELD_DATE ? STAMP_DAY_S : 1;

		if (one->kind == VALUE_NULL) {
			if (schema_is_id(one->field->type) && !(one->field->flags & FIELD_NILLABLE))
				problem_add(err, "INVALID_CROSS_REFERENCE_KEY", one->field->name,
					    "%s: owner cannot be blank", one->field->label);
			continue;
		}
		if (schema_is_text(one->field->type))
			check_text(one, err);
		else if (schema_is_number(one->field->type))
			check_number(one, err);
		else if (one->field->type != FIELD_BOOLEAN && one->kind == VALUE_INT &&
			 !stamp_is_in_range(one->integer * per))
			problem_add(err, "NUMBER_OUTSIDE_VALID_RANGE", one->field->name,
				    "%s: invalid date", one->field->label);
	}
	return err->count == 0;
}

bool values_read(const struct sobject *of, struct json_object *from, bool create,
		 struct values *out, struct problems *err)
{
	*out = (struct values){ 0 };
	if (read_types(of, from, out, err) && check_names(of, from, create, err) &&
	    check_required(of, out, create, err) && check_formats(out, err))
		return true;
	values_free(out);
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
