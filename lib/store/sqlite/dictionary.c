/* dictionary.c - leadsync_field: the numbers under which packed values are kept. A field that is
 * kept in another column, or in another form, has another number: what a link knows of it means
 * nothing then. Direction and rules do not matter. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "store/sqlite/session.h"

const char dictionary_step_1[] =
	"CREATE TABLE leadsync_field ("
	"	job INTEGER NOT NULL,       -- leadsync_cursor.number\n"
	"	number INTEGER NOT NULL,    -- in leadsync_link.base and leadsync_journal.sent\n"
	"	field TEXT NOT NULL,        -- as the provider spells it\n"
	"	column_name TEXT NOT NULL,\n"
	"	type TEXT NOT NULL,\n"
	"	scale INTEGER NOT NULL,\n"
	"	PRIMARY KEY (job, number)"
	") WITHOUT ROWID";

static bool is_line_of(struct statement *s, const struct mapping_field *field)
{
	return strcmp(statement_text(s, "field"), field->field) == 0 &&
	       strcmp(statement_text(s, "column_name"), field->column) == 0 &&
	       strcmp(statement_text(s, "type"), value_type_name(field->type)) == 0 &&
	       statement_int(s, "scale") == field->scale;
}

static bool read_numbers(struct session *in, uint32_t *ret_last, struct error *err)
{
	const struct mapping *mapping = in->job.mapping;
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db,
			      "SELECT number, field, column_name, type, scale FROM leadsync_field"
			      " WHERE job = :job ORDER BY number",
			      err);
	bool row;

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	for (;;) {
		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			return true;
		*ret_last = (uint32_t)statement_int(s, "number");
		for (size_t i = 0; i < mapping->count; i++)
			if (is_line_of(s, &mapping->fields[i]))
				in->numbers[i] = *ret_last;
	}
}

static bool add(struct session *in, size_t field, uint32_t number, struct error *err)
{
	const struct mapping_field *mapped = &in->job.mapping->fields[field];
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"INSERT INTO leadsync_field (job, number, field, column_name, type, scale)"
		" VALUES (:job, :number, :field, :column, :type, :scale)",
		err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	statement_bind_int(s, ":number", number);
	statement_bind_text(s, ":field", mapped->field);
	statement_bind_text(s, ":column", mapped->column);
	statement_bind_text(s, ":type", value_type_name(mapped->type));
	statement_bind_int(s, ":scale", mapped->scale);
	in->numbers[field] = number;
	return statement_run(s, err);
}

bool dictionary_open(struct session *in, struct error *err)
{
	size_t count = in->job.mapping->count;
	uint32_t last = 0;

	in->numbers = mem_array(uint32_t, count + 1);
	if (!read_numbers(in, &last, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!in->numbers[i] && !add(in, i, ++last, err))
			return false;
	in->field_of = mem_array(size_t, (size_t)last + 1);
	in->number_count = last + 1;
	memset(in->field_of, 0xff, in->number_count * sizeof(*in->field_of));
	for (size_t i = 0; i < count; i++)
		in->field_of[in->numbers[i]] = i;
	return true;
}

size_t dictionary_field(const struct session *in, uint32_t number)
{
	return number < in->number_count ? in->field_of[number] : SIZE_MAX;
}

bool dictionary_find(struct db *db, int64_t job_number, const char *field, uint32_t **ret,
		     size_t *ret_count, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(db,
					    "SELECT number FROM leadsync_field WHERE job = :job"
					    " AND field = :field COLLATE NOCASE",
					    err);
	CLEANUP_FREE uint32_t *numbers = NULL;
	size_t count = 0;
	bool row;

	if (!s)
		return false;
	statement_bind_int(s, ":job", job_number);
	statement_bind_text(s, ":field", field);
	for (;;) {
		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		numbers = mem_resize(numbers, count + 1, sizeof(*numbers));
		numbers[count++] = (uint32_t)statement_int_at(s, 0);
	}
	*ret = TAKE(numbers);
	*ret_count = count;
	return true;
}
