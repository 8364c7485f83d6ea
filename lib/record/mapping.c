/* mapping.c - in order: mapping_resolve, a rule by itself, the "*" rule, then what the ledger
 * remembers. */
#include "record/mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/str.h"
#include "record/schema.h"

/* PostgreSQL cuts longer names. */
#define MOST_COLUMN 63
/* Salesforce follows five relationships upwards. */
#define MOST_STEPS 5

/* What all steps of one resolve need. */
struct resolve {
	const struct mapping_rule *rules;
	size_t count;
	const struct schema *schema;
	mapping_related_fn *related;
	mapping_problem_fn *problem;
	void *arg;
	struct mapping *made;
};

static void add_rule(struct resolve *in, const struct mapping_rule *rule);
static void add_all_others(struct resolve *in, const struct mapping_rule *rule);

struct mapping *mapping_resolve(const struct mapping_rule *rules, size_t count,
				const struct schema *schema, mapping_related_fn *related,
				mapping_problem_fn *problem, void *arg, struct error *err)
{
	CLEANUP(mapping_free) struct mapping *made = mem_new(struct mapping);
	struct resolve in = { rules, count, schema, related, problem, arg, made };

	made->shares = 1;
	for (size_t i = 0; i < count; i++)
		if (rules[i].column)
			add_rule(&in, &rules[i]);
	for (size_t i = 0; i < count; i++)
		if (strcmp(rules[i].field, "*") == 0)
			add_all_others(&in, &rules[i]);
	if (!made->count) {
		error_set(err, ERROR_HUMAN, "no-fields",
			  "no field of %s is left to keep equal: see what is wrong with each rule",
			  schema->object);
		return NULL;
	}
	return TAKE(made);
}

static void report(const struct resolve *in, const struct mapping_rule *rule,
		   const struct error *problem)
{
	if (in->problem)
		in->problem(rule, problem, in->arg);
}

/* Follows "Owner.Email" to the field at its end. `ret_name` (free it) is the whole path as the
 * provider spells it. */
static const struct schema_field *follow(const struct resolve *in, const char *path,
					 char **ret_name, struct error *err)
{
	CLEANUP_FREE char *name = mem_strdup("");
	const struct schema *schema = in->schema;
	const struct schema_field *field;
	const char *dot;

	for (int step = 0; (dot = strchr(path, '.')); step++) {
		const struct schema *next = NULL;
		size_t len = (size_t)(dot - path);
		char *longer;

		field = NULL;
		for (size_t i = 0; i < schema->count && !field; i++) {
			const char *relation = schema->fields[i].relationship;

			if (relation && strlen(relation) == len &&
			    strncasecmp(relation, path, len) == 0)
				field = &schema->fields[i];
		}
		if (!field || step == MOST_STEPS) {
			error_set(err, ERROR_FIELD, "no-such-field",
				  "%s has no relationship %.*s that our user may follow",
				  schema->object, (int)len, path);
			return NULL;
		}
		if (field->reference_to && in->related)
			next = in->related(field->reference_to, in->arg);
		if (!next) {
			error_set(err, ERROR_FIELD, "no-such-field",
				  "what %s of %s points to (%s) cannot be described",
				  field->relationship, schema->object,
				  field->reference_to ? field->reference_to : "several objects");
			return NULL;
		}
		longer = mem_format("%s%s.", name, field->relationship);
		free(name);
		name = longer;
		schema = next;
		path = dot + 1;
	}
	field = schema_find(schema, path);
	if (!field) {
		error_set(err, ERROR_FIELD, "no-such-field",
			  "%s has no field %s, or field-level security hides it from our user",
			  schema->object, path);
		return NULL;
	}
	*ret_name = mem_format("%s%s", name, field->name);
	return field;
}

static bool is_writable(const struct schema_field *field)
{
	return field->createable || field->updateable;
}

static const struct mapping_field *find_column(const struct mapping *in, const char *column)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcasecmp(in->fields[i].column, column) == 0)
			return &in->fields[i];
	return NULL;
}

static const struct mapping_field *find_field(const struct mapping *in, const char *field)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcmp(in->fields[i].field, field) == 0)
			return &in->fields[i];
	return NULL;
}

static bool check_column(const struct resolve *in, const char *field, const char *column,
			 struct error *err)
{
	const struct mapping_field *taken = find_column(in->made, column);

	if (!str_is_name(column) || strlen(column) > MOST_COLUMN)
		return error_set(err, ERROR_FIELD, "bad-column",
				 "column %s of %s: a name has letters, digits and _, begins with "
				 "a letter, and has at most %d characters",
				 column, field, MOST_COLUMN);
	if (taken)
		return error_set(err, ERROR_FIELD, "column-taken",
				 "column %s of %s already holds %s: give one of them a column of "
				 "another name",
				 column, field, taken->field);
	return true;
}

static void add_field(struct mapping *in, struct mapping_field field)
{
	if (!(in->count & (in->count - 1)))
		in->fields =
			mem_resize(in->fields, in->count ? 2 * in->count : 1, sizeof(*in->fields));
	in->fields[in->count++] = field;
}

static bool check_rule(const struct resolve *in, const struct mapping_rule *rule,
		       const struct schema_field *field, const char *name, struct error *err)
{
	bool reached = strchr(name, '.') != NULL;

	if (!field->readable)
		return error_set(err, ERROR_FIELD, "not-readable",
				 "%s is of type %s, which is no single value: map its parts", name,
				 field->type_name ? field->type_name : "?");
	if (rule->direction != MAPPING_DOWN && reached)
		return error_set(err, ERROR_FIELD, "not-writable",
				 "%s belongs to another record: it can only be read (->)", name);
	if (rule->direction != MAPPING_DOWN && !is_writable(field))
		return error_set(err, ERROR_FIELD, "not-writable",
				 "%s is read-only to our user: map it with ->, or grant edit "
				 "access by field-level security",
				 name);
	if (find_field(in->made, name))
		return error_set(err, ERROR_FIELD, "field-twice", "%s has a rule already", name);
	return check_column(in, name, rule->column, err);
}

static void add_rule(struct resolve *in, const struct mapping_rule *rule)
{
	CLEANUP_FREE char *name = NULL;
	const struct schema_field *field;
	struct mapping_field made;
	struct error why;

	field = follow(in, rule->field, &name, &why);
	if (!field || !check_rule(in, rule, field, name, &why)) {
		report(in, rule, &why);
		return;
	}
	made = (struct mapping_field){ .field = TAKE(name),
				       .column = mem_strdup(rule->column),
				       .type = field->type,
				       .scale = field->scale,
				       .length = field->length,
				       .direction = rule->direction,
				       .createable = field->createable,
				       .updateable = field->updateable,
				       .rule = rule->rule,
				       .blank = rule->blank };
	made.calculated = field->calculated || strchr(made.field, '.');
	if (strchr(made.field, '.'))
		made.createable = made.updateable = false;
	add_field(in->made, made);
}

static bool has_rule(const struct resolve *in, const char *field)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcasecmp(in->rules[i].field, field) == 0)
			return true;
	return false;
}

/* What "*" means for one field: read-only fields cannot go up. */
static bool direction_of(const struct mapping_rule *rule, const struct schema_field *field,
			 enum mapping_direction *ret)
{
	*ret = rule->direction == MAPPING_BOTH && !is_writable(field) ? MAPPING_DOWN
								      : rule->direction;
	return *ret != MAPPING_UP || is_writable(field);
}

static void add_all_others(struct resolve *in, const struct mapping_rule *rule)
{
	for (size_t i = 0; i < in->schema->count; i++) {
		const struct schema_field *field = &in->schema->fields[i];
		CLEANUP_FREE char *column = NULL;
		enum mapping_direction direction;
		struct error why;

		if (!field->readable || has_rule(in, field->name) ||
		    !direction_of(rule, field, &direction))
			continue;
		column = str_snake_case(field->name);
		if (!check_column(in, field->name, column, &why)) {
			report(in, rule, &why);
			continue;
		}
		add_field(in->made, (struct mapping_field){ .field = mem_strdup(field->name),
							    .column = TAKE(column),
							    .type = field->type,
							    .scale = field->scale,
							    .length = field->length,
							    .direction = direction,
							    .calculated = field->calculated,
							    .createable = field->createable,
							    .updateable = field->updateable,
							    .rule = rule->rule,
							    .blank = rule->blank });
	}
}

struct mapping *mapping_share(struct mapping *in)
{
	in->shares++;
	return in;
}

void mapping_free(struct mapping *in)
{
	if (!in || --in->shares)
		return;
	for (size_t i = 0; i < in->count; i++) {
		free(in->fields[i].field);
		free(in->fields[i].column);
	}
	free(in->fields);
	free(in);
}

static int by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

char *mapping_print(const struct mapping *in)
{
	char **lines = mem_array(char *, in->count);
	size_t size = 1;
	char *text, *at;

	for (size_t i = 0; i < in->count; i++) {
		const struct mapping_field *field = &in->fields[i];

		lines[i] = mem_format("%s\t%s\t%s\t%d\t%s\n", field->field, field->column,
				      value_type_name(field->type), field->scale,
				      field->direction == MAPPING_UP ? "up" : "down");
		size += strlen(lines[i]);
	}
	qsort(lines, in->count, sizeof(*lines), by_text);
	text = at = mem_zeroed(size, 1);
	for (size_t i = 0; i < in->count; i++) {
		at = stpcpy(at, lines[i]);
		free(lines[i]);
	}
	free(lines);
	return text;
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *at = text; *at;) {
		size_t this_len = strcspn(at, "\n");

		if (this_len == len && memcmp(at, line, len) == 0)
			return true;
		at += this_len + (at[this_len] == '\n');
	}
	return false;
}

bool mapping_has_new(const char *then, const char *now)
{
	while (*now) {
		size_t len = strcspn(now, "\n");

		if (!has_line(then, now, len))
			return true;
		now += len + (now[len] == '\n');
	}
	return false;
}
