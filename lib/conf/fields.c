#include "conf/fields.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/str.h"
#include "conf/mistakes.h"
#include "conf/names.h"

#define NAME_MOST 80

static bool refuse(struct error *err, const char *why)
{
	return error_set(err, ERROR_HUMAN, "conf", "%s", why);
}

static bool is_name(const char *text, size_t len)
{
	CLEANUP_FREE char *name = mem_strndup(text, len);

	return len <= NAME_MOST && str_is_name(name);
}

/* "Name" or "Name.Name" */
static bool check_field(const char *field, struct error *err)
{
	const char *dot = strchr(field, '.');

	if (dot && strchr(dot + 1, '.'))
		return refuse(err, "only one relationship can be followed: Owner.Email, not "
				   "Account.Owner.Email");
	if (dot ? is_name(field, (size_t)(dot - field)) && is_name(dot + 1, strlen(dot + 1))
		: is_name(field, strlen(field)))
		return true;
	return refuse(err, "expected a field's API name such as Email, Score__c or Owner.Email");
}

bool conf_field_parse(const char *field, const char *arrow, struct conf_field *ret,
		      struct error *err)
{
	bool is_rest = strcmp(field, "*") == 0;
	CLEANUP_FREE char *column = NULL;

	if (!is_rest && !check_field(field, err))
		return false;
	if (str_starts_with(arrow, "<->") || str_starts_with(arrow, "<-"))
		return refuse(err, "this version syncs from Salesforce to the table only: use ->");
	if (!str_starts_with(arrow, "->"))
		return refuse(err, "expected `-> column`, or -> alone");
	arrow += strlen("->");
	arrow += strspn(arrow, " \t");
	if (strchr(arrow, ','))
		return refuse(err, "options of a field are not in this version: expected `-> "
				   "column` and nothing behind it");
	if (is_rest) {
		if (*arrow)
			return refuse(err,
				      "`*` stands for many fields and takes no column: `* = ->`");
	} else {
		column = *arrow ? mem_strdup(arrow) : str_snake_case(field);
		if (!conf_column_check(column, err))
			return false;
	}
	ret->field = mem_strdup(field);
	ret->column = TAKE(column);
	ret->direction = CONF_DOWN;
	return true;
}

static void tell_twice(const struct conf_field *later, const struct conf_field *first,
		       const char *what, const char *name, struct conf_mistakes *mistakes)
{
	if (strcmp(later->file, first->file) == 0)
		conf_mistakes_add(mistakes, later->file, later->line,
				  "the %s `%s` stands twice; first on line %d", what, name,
				  first->line);
	else
		conf_mistakes_add(mistakes, later->file, later->line,
				  "the %s `%s` stands twice; first at %s:%d", what, name,
				  first->file, first->line);
}

/* SQL and Salesforce both take no notice of case in names. */
static bool is_same(const char *a, const char *b)
{
	return a && b && strcasecmp(a, b) == 0;
}

void conf_fields_check(const struct conf_job *job, struct conf_mistakes *mistakes)
{
	for (size_t i = 0; i < job->field_count; i++) {
		const struct conf_field *later = &job->fields[i];

		for (size_t k = 0; k < i; k++) {
			const struct conf_field *first = &job->fields[k];

			if (is_same(later->field, first->field)) {
				tell_twice(later, first, "field", later->field, mistakes);
				break;
			}
			if (is_same(later->column, first->column)) {
				tell_twice(later, first, "column", later->column, mistakes);
				break;
			}
		}
	}
}

bool conf_fields_have(const struct conf_job *job, const char *field)
{
	for (size_t i = 0; i < job->field_count; i++)
		if (is_same(job->fields[i].field, field) || is_same(job->fields[i].field, "*"))
			return true;
	return false;
}
