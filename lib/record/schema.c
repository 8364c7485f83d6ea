#include "record/schema.h"

#include <stdlib.h>
#include <strings.h>

struct schema *schema_new(const char *object)
{
	struct schema *in = mem_new(struct schema);

	in->object = mem_strdup(object);
	return in;
}

void schema_free(struct schema *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->count; i++) {
		free(in->fields[i].name);
		free(in->fields[i].label);
		free(in->fields[i].type_name);
		free(in->fields[i].relationship);
		free(in->fields[i].reference_to);
	}
	free(in->fields);
	free(in->object);
	free(in->label);
	free(in->version);
	free(in);
}

struct schema_field *schema_add(struct schema *in, struct schema_field field)
{
	/* Grows when the count reaches a power of two. */
	if (!(in->count & (in->count - 1)))
		in->fields =
			mem_resize(in->fields, in->count ? 2 * in->count : 1, sizeof(*in->fields));
	in->fields[in->count] = field;
	return &in->fields[in->count++];
}

static int by_name(const void *left, const void *right)
{
	const struct schema_field *a = left, *b = right;

	return strcasecmp(a->name, b->name);
}

static int name_to_field(const void *name, const void *field)
{
	return strcasecmp(name, ((const struct schema_field *)field)->name);
}

void schema_finish(struct schema *in)
{
	static const char *const stamps[] = { "SystemModstamp", "LastModifiedDate", "CreatedDate" };

	if (in->count)
		qsort(in->fields, in->count, sizeof(*in->fields), by_name);
	in->stamp_field = NULL;
	for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]) && !in->stamp_field; i++) {
		const struct schema_field *field = schema_find(in, stamps[i]);

		if (field && field->readable && field->type == VALUE_DATETIME)
			in->stamp_field = stamps[i];
	}
	in->has_deleted = schema_find(in, "IsDeleted") != NULL;
	in->has_master = schema_find(in, "MasterRecordId") != NULL;
}

const struct schema_field *schema_find(const struct schema *in, const char *name)
{
	if (!in->count)
		return NULL;
	return bsearch(name, in->fields, in->count, sizeof(*in->fields), name_to_field);
}
