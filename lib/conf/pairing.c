#include "conf/pairing.h"

#include <string.h>
#include <strings.h>

#include "conf/blocks.h"
#include "conf/conf.h"
#include "conf/mistakes.h"

/* A job and its [fields]. */
struct pairing {
	const struct conf_block *block, *fields;
	const struct conf_job *job;
	struct conf_mistakes *mistakes;
};

static void check_match(const struct pairing *in);
static void check_external_id(const struct pairing *in);
static void check_create(const struct pairing *in);

void conf_pairing_check(const struct conf_block *job, const struct conf_block *fields,
			struct conf_mistakes *mistakes)
{
	const struct pairing in = { job, fields, job->target, mistakes };

	check_match(&in);
	check_external_id(&in);
	check_create(&in);
}

/* Where the key stands; the section's header if it is left out. */
static const struct conf_line *line_of(const struct pairing *in, const char *key)
{
	const struct conf_line *line = conf_block_line(in->block, key);

	return line ? line : in->block->header;
}

/* NULL: no line of its own. By the lines, not the fields: one with a mistake in it is there too. */
static const struct conf_line *find_field(const struct pairing *in, const char *name)
{
	for (size_t i = 0; i < in->fields->count; i++)
		if (strcasecmp(in->fields->lines[i].key, name) == 0)
			return &in->fields->lines[i];
	return NULL;
}

static void check_match(const struct pairing *in)
{
	const struct conf_job *job = in->job;
	const struct conf_line *at = line_of(in, "match");

	for (size_t i = 0; i < job->match_count; i++) {
		const char *name = job->match[i];

		if (job->external_id && strcasecmp(name, job->external_id) == 0)
			conf_mistakes_add(in->mistakes, at->file, at->line,
					  "match: `%s` is the external_id, which pairs by itself: "
					  "take it out here",
					  name);
		else if (!find_field(in, name) && !find_field(in, "*"))
			conf_mistakes_add(in->mistakes, at->file, at->line,
					  "match: `%s` is not mapped, so no column can be compared "
					  "with it: add it to [fields %s]",
					  name, job->name);
	}
}

static void check_external_id(const struct pairing *in)
{
	const char *name = in->job->external_id;
	const struct conf_line *at = line_of(in, "external_id"), *mapped;

	mapped = name ? find_field(in, name) : NULL;
	if (mapped)
		conf_mistakes_add(in->mistakes, at->file, at->line,
				  "external_id: `%s` may not be mapped, as the daemon writes it: "
				  "take its line out of [fields %s] (%s:%d)",
				  name, in->job->name, mapped->file, mapped->line);
}

/* Is there a field that goes another way than `direction`? */
static bool has_other(const struct conf_job *job, enum conf_direction direction)
{
	for (size_t i = 0; i < job->field_count; i++)
		if (job->fields[i].direction != direction)
			return true;
	return false;
}

static void check_create(const struct pairing *in)
{
	const struct conf_job *job = in->job;
	const struct conf_line *at = line_of(in, "create");
	bool makes_records =
		job->create == CONF_CREATE_SALESFORCE || job->create == CONF_CREATE_BOTH;
	bool makes_rows = job->create == CONF_CREATE_LOCAL || job->create == CONF_CREATE_BOTH;
	/* Else the direction that seems to be missing may be that of a line with a mistake. */
	bool is_whole = job->field_count && job->field_count == in->fields->count;

	if (makes_records && !job->allow_unsafe_create &&
	    !conf_block_line(in->block, "external_id"))
		conf_mistakes_add(in->mistakes, at->file, at->line,
				  "create: %s needs external_id, a unique external id field by "
				  "which no record is made twice; if the object has none, "
				  "allow_unsafe_create = yes takes that risk",
				  at->value);
	if (makes_records && is_whole && !has_other(job, CONF_DOWN))
		conf_mistakes_add(in->mistakes, at->file, at->line,
				  "create: %s makes records, but no field goes up to fill them: "
				  "map one with <-> or <- in [fields %s]",
				  at->value, job->name);
	if (makes_rows && is_whole && !has_other(job, CONF_UP))
		conf_mistakes_add(in->mistakes, at->file, at->line,
				  "create: rows are made of records, but no field comes down to "
				  "fill them: map one with -> or <-> in [fields %s], or set create "
				  "to %s",
				  job->name, makes_records ? "salesforce" : "none");
}
