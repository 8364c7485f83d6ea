/* values_check.c - in order: rights, what is required, formats. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "problem.h"
#include "schema.h"
#include "stamp.h"
#include "values.h"

static bool may_write(const struct field *field, bool create)
{
	return field->flags & (create ? FIELD_CREATEABLE : FIELD_UPDATEABLE) && !field->readonly;
}

/* The Id is named by the request's path, or beside the fields. */
static bool check_rights(const struct values *in, bool create, struct problems *err)
{
	struct problem *refused = NULL;
	char list[600] = "";

	for (size_t i = 0; i < in->count; i++) {
		const struct field *field = in->list[i].field;
		size_t used = strlen(list);

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

static bool check_required(const struct sobject *of, const struct values *in, bool create,
			   struct problems *err)
{
	struct problem *missing = NULL;
	char list[600] = "";

	for (size_t i = 0; i < of->count; i++) {
		const struct field *field = &of->fields[i];
		const struct value *given = values_find(in, field);
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

bool values_check_formats(struct values *in, struct problems *err)
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

bool values_check(const struct sobject *of, struct values *in, bool create, struct problems *err)
{
	return check_rights(in, create, err) && check_required(of, in, create, err) &&
	       values_check_formats(in, err);
}
