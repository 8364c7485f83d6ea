#include "conf/fields.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/str.h"
#include "conf/closest.h"
#include "conf/keys.h"
#include "conf/mistakes.h"
#include "conf/names.h"
#include "conf/words.h"

static bool refuse(struct error *err, const char *why)
{
	return error_set(err, ERROR_HUMAN, "conf", "%s", why);
}

/* "Name" or "Name.Name" */
static bool check_field(const char *field, struct error *err)
{
	const char *dot = strchr(field, '.');
	CLEANUP_FREE char *relation = dot ? mem_strndup(field, (size_t)(dot - field)) : NULL;

	if (dot && strchr(dot + 1, '.'))
		return refuse(err, "only one relationship can be followed: Owner.Email, not "
				   "Account.Owner.Email");
	if (dot ? conf_is_field_name(relation) && conf_is_field_name(dot + 1)
		: conf_is_field_name(field))
		return true;
	return refuse(err, "expected a field's API name such as Email, Score__c or Owner.Email");
}

static const struct {
	const char *text;
	enum conf_direction direction;
} arrows[] = { { "<->", CONF_BOTH }, { "<-", CONF_UP }, { "->", CONF_DOWN } };

/* What stands behind the arrow; NULL if there is none. */
static const char *read_arrow(const char *text, enum conf_direction *ret)
{
	for (size_t i = 0; i < sizeof(arrows) / sizeof(arrows[0]); i++) {
		if (!str_starts_with(text, arrows[i].text))
			continue;
		*ret = arrows[i].direction;
		return text + strlen(arrows[i].text);
	}
	return NULL;
}

static const struct conf_word blanks[] = {
	{ "clear", CONF_BLANK_CLEAR },
	{ "keep", CONF_BLANK_KEEP },
	{ "fill", CONF_BLANK_FILL },
	{ 0 },
};

/* What of a field's options has been said. */
struct options {
	bool conflict, blank;
};

static bool refuse_option(const char *name, struct error *err)
{
	struct conf_closest closest = { .wrong = name };
	char hint[CONF_CLOSEST_HINT_SIZE];

	conf_closest_try(&closest, "conflict");
	conf_closest_try(&closest, "blank");
	return error_set(err, ERROR_HUMAN, "conf",
			 "unknown option `%.60s`: expected conflict = RULE or blank = POLICY%s",
			 name, conf_closest_hint(&closest, hint));
}

static bool read_word(const char *name, const struct conf_word *words, const char *value,
		      bool *said, int *ret, struct error *err)
{
	if (*said)
		return error_set(err, ERROR_HUMAN, "conf", "the option `%s` stands twice", name);
	*said = true;
	return conf_words_find(words, value, ret, err) || error_prefix(err, "%s", name);
}

static bool put_conflict(const char *value, struct options *said, struct conf_field *ret,
			 struct error *err)
{
	const struct conf_word *rules = conf_key_find(CONF_JOB, "conflict")->words;
	int rule;

	if (ret->direction != CONF_BOTH)
		return refuse(err, "conflict: belongs to <-> only: a field that goes one way takes "
				   "what its source holds");
	if (!read_word("conflict", rules, value, &said->conflict, &rule, err))
		return false;
	ret->conflict = (enum conf_conflict)rule;
	return true;
}

static bool put_blank(const char *value, struct options *said, struct conf_field *ret,
		      struct error *err)
{
	int policy;

	if (!read_word("blank", blanks, value, &said->blank, &policy, err))
		return false;
	ret->blank = (enum conf_blank)policy;
	return true;
}

static bool put_option(const char *name, const char *value, struct options *said,
		       struct conf_field *ret, struct error *err)
{
	if (strcmp(name, "conflict") == 0)
		return put_conflict(value, said, ret, err);
	if (strcmp(name, "blank") == 0)
		return put_blank(value, said, ret, err);
	return refuse_option(name, err);
}

/* Without the blanks at both ends. free() it. */
static char *cut(const char *text, size_t len)
{
	size_t from = strspn(text, " \t");

	if (from > len)
		from = len;
	while (len > from && strchr(" \t", text[len - 1]))
		len--;
	return mem_strndup(text + from, len - from);
}

/* "name = value" up to the next comma or the end. */
static bool read_option(const char *text, size_t len, struct options *said, struct conf_field *ret,
			struct error *err)
{
	const char *sign = memchr(text, '=', len);
	CLEANUP_FREE char *name = cut(text, sign ? (size_t)(sign - text) : len);
	CLEANUP_FREE char *value = sign ? cut(sign + 1, len - (size_t)(sign + 1 - text)) : NULL;

	if (!value)
		return error_set(err, ERROR_HUMAN, "conf",
				 "expected conflict = RULE or blank = POLICY behind a comma, not "
				 "`%.60s`",
				 name);
	return put_option(name, value, said, ret, err);
}

/* From the first comma on, or nothing. */
static bool read_options(const char *text, struct conf_field *ret, struct error *err)
{
	struct options said = { 0 };

	while (*text) {
		size_t len = strcspn(++text, ",");

		if (!read_option(text, len, &said, ret, err))
			return false;
		text += len;
	}
	return true;
}

static bool read_direction(const char *field, const char **text, enum conf_direction *ret,
			   struct error *err)
{
	const char *rest = read_arrow(*text, ret);

	if (!rest)
		return refuse(err, "expected an arrow, and a column where it is not called as the "
				   "field: `-> column`, `<- column` or `<-> column`");
	if (*ret != CONF_DOWN && strchr(field, '.'))
		return refuse(err, "belongs to another record, which is only read: use ->");
	*text = rest;
	return true;
}

/* Where no column is named, the field's name in snake_case; untouched for `*`. free() it. */
static bool read_column(const char *field, const char *text, size_t len, char **ret,
			struct error *err)
{
	CLEANUP_FREE char *named = cut(text, len);
	CLEANUP_FREE char *column = NULL;

	if (strcmp(field, "*") == 0)
		return !*named || refuse(err, "`*` stands for many fields and takes no column: "
					      "`* = ->`");
	column = *named ? TAKE(named) : str_snake_case(field);
	if (!conf_column_check(column, err))
		return false;
	*ret = TAKE(column);
	return true;
}

bool conf_field_parse(const char *field, const char *value, struct conf_field *ret,
		      struct error *err)
{
	CLEANUP_FREE char *column = NULL;
	struct conf_field made = *ret;
	size_t len;

	if (strcmp(field, "*") != 0 && !check_field(field, err))
		return false;
	if (!read_direction(field, &value, &made.direction, err))
		return false;
	len = strcspn(value, ",");
	if (!read_column(field, value, len, &column, err) || !read_options(value + len, &made, err))
		return false;
	made.field = mem_strdup(field);
	made.column = TAKE(column);
	*ret = made;
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

bool conf_fields_read(const struct conf_job *job, const char *field)
{
	const struct conf_field *rest = NULL;

	for (size_t i = 0; i < job->field_count; i++) {
		if (is_same(job->fields[i].field, field))
			return job->fields[i].direction == CONF_DOWN;
		if (is_same(job->fields[i].field, "*"))
			rest = &job->fields[i];
	}
	return rest && rest->direction != CONF_UP; /* of a two-way one it comes down only */
}
