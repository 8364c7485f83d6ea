/* fields.c - learns the object, resolves the rules, and tells what they came to. */
#include "sync/fields.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "record/schema.h"
#include "remote/remote.h"
#include "sync/learn.h"
#include "sync/run.h"

struct fields {
	const struct run_job *job;
	struct learn *learning;
	fields_done_fn *done;
	void *done_arg;
};

/* The view while it is put together. */
struct table {
	const struct run_job *job;
	const struct schema *schema;
	struct fields_line *lines;
	size_t count, wrong;
	struct error **problems; /* owned, one for each wrong line */
};

static void add_line(struct table *in, struct fields_line line)
{
	in->lines = mem_resize(in->lines, in->count + 1, sizeof(*in->lines));
	in->lines[in->count++] = line;
}

static bool is_writable(const struct schema_field *field)
{
	return field->createable || field->updateable;
}

static void describe_field(const struct schema_field *field, struct fields_line *line)
{
	line->type = field->type_name ? field->type_name : value_type_name(field->type);
	line->length = field->length;
	line->writable = is_writable(field);
}

static void add_wrong(const struct mapping_rule *rule, const struct error *problem, void *arg)
{
	struct table *in = arg;
	struct fields_line line = { .field = rule->field,
				    .column = rule->column ? rule->column : "",
				    .direction = rule->direction,
				    .type = "",
				    .line = rule->line };
	const struct schema_field *field = schema_find(in->schema, rule->field);

	if (field)
		describe_field(field, &line);
	in->problems = mem_resize(in->problems, in->wrong + 1, sizeof(*in->problems));
	in->problems[in->wrong] = mem_new(struct error);
	*in->problems[in->wrong] = *problem;
	line.problem = in->problems[in->wrong++];
	add_line(in, line);
}

static const struct mapping_rule *rule_of(const struct run_job *job, const char *field)
{
	const struct mapping_rule *all = NULL;

	for (size_t i = 0; i < job->rule_count; i++) {
		if (strcasecmp(job->rules[i].field, field) == 0)
			return &job->rules[i];
		if (strcmp(job->rules[i].field, "*") == 0)
			all = &job->rules[i];
	}
	return all;
}

static void add_mapped(struct table *in, const struct mapping *mapping)
{
	for (size_t i = 0; i < mapping->count; i++) {
		const struct mapping_field *made = &mapping->fields[i];
		const struct schema_field *field = schema_find(in->schema, made->field);
		const struct mapping_rule *rule = rule_of(in->job, made->field);
		struct fields_line line = { .field = made->field,
					    .column = made->column,
					    .direction = made->direction,
					    .type = value_type_name(made->type),
					    .length = made->length,
					    .line = rule ? rule->line : 0 };

		/* Reached through a relationship: another record's, never written. */
		if (field)
			describe_field(field, &line);
		add_line(in, line);
	}
}

static bool has_line(const struct table *in, const char *field)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcasecmp(in->lines[i].field, field) == 0)
			return true;
	return false;
}

static void add_unmapped(struct table *in)
{
	for (size_t i = 0; i < in->schema->count; i++) {
		const struct schema_field *field = &in->schema->fields[i];
		struct fields_line line = { .field = field->name, .direction = MAPPING_DOWN };

		if (!field->readable || has_line(in, field->name))
			continue;
		describe_field(field, &line);
		add_line(in, line);
	}
}

static const struct schema *related_schema(const char *object, void *arg)
{
	struct table *in = arg;
	struct remote *remote = in->job->remote;

	return remote->ops->schema(remote, object);
}

/* Lines of wrong rules come up while the rules are resolved, but stand behind the mapped ones. */
static void put_wrong_last(struct table *in)
{
	struct fields_line *sorted = mem_array(struct fields_line, in->count + 1);
	size_t to = 0;

	for (size_t i = 0; i < in->count; i++)
		if (!in->lines[i].problem)
			sorted[to++] = in->lines[i];
	for (size_t i = 0; i < in->count; i++)
		if (in->lines[i].problem)
			sorted[to++] = in->lines[i];
	free(in->lines);
	in->lines = sorted;
}

static void tell(struct fields *in, const struct schema *schema)
{
	struct table table = { .job = in->job, .schema = schema };
	struct error nothing_left;
	CLEANUP(mapping_free)
	struct mapping *mapping = mapping_resolve(in->job->rules, in->job->rule_count, schema,
						  related_schema, add_wrong, &table, &nothing_left);

	if (mapping)
		add_mapped(&table, mapping);
	put_wrong_last(&table);
	add_unmapped(&table);
	in->done(&(struct fields_view){ .object = schema->object,
					.label = schema->label ? schema->label : schema->object,
					.lines = table.lines,
					.count = table.count,
					.mapped = mapping ? mapping->count : 0,
					.wrong = table.wrong },
		 NULL, in->done_arg);
	for (size_t i = 0; i < table.wrong; i++)
		free(table.problems[i]);
	free(table.problems);
	free(table.lines);
}

static void learned(int64_t server_ms, const struct error *err, void *arg)
{
	struct fields *in = arg;
	struct remote *remote = in->job->remote;
	const struct schema *schema = err ? NULL : remote->ops->schema(remote, in->job->object);
	struct error why;

	(void)server_ms;
	in->learning = NULL;
	if (!err && !schema) {
		error_set(&why, ERROR_BUG, "no-schema", "describe of %s left no schema",
			  in->job->object);
		err = &why;
	}
	if (err)
		in->done(NULL, err, in->done_arg);
	else
		tell(in, schema);
	free(in);
}

struct fields *fields_start(struct loop *loop, const struct run_job *job, fields_done_fn *done,
			    void *arg)
{
	struct fields *in = mem_new(struct fields);

	*in = (struct fields){ .job = job, .done = done, .done_arg = arg };
	in->learning = learn_start(&(struct learn_args){ .loop = loop,
							 .remote = job->remote,
							 .object = job->object,
							 .rules = job->rules,
							 .rule_count = job->rule_count,
							 .again = true,
							 .job = job->name },
				   learned, in);
	return in;
}

void fields_cancel(struct fields *in)
{
	if (!in)
		return;
	learn_cancel(in->learning);
	free(in);
}
