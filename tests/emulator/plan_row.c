/* plan_row.c - reading rows of a plan and writing them as JSON records. */
#include "plan.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "schema.h"
#include "stamp.h"
#include "store.h"

static void write_attributes(const struct sobject *of, const char *id, const char *version,
			     struct text *out)
{
	text_word(out, "{\"attributes\":{\"type\":\"");
	text_word(out, of->name);
	text_word(out, "\",\"url\":\"/services/data/");
	text_word(out, version);
	text_word(out, "/sobjects/");
	text_word(out, of->name);
	text_char(out, '/');
	text_word(out, id);
	text_word(out, "\"}");
}

/* Columns in the order of plan.c: city, country, accuracy, latitude, longitude, code, state,
 * street. */
static void write_address(sqlite3_stmt *from, int column, struct text *out)
{
	static const char *const keys[] = {
		"{\"city\":",      ",\"country\":",    ",\"geocodeAccuracy\":", ",\"latitude\":",
		",\"longitude\":", ",\"postalCode\":", ",\"state\":",           ",\"street\":"
	};
	bool empty = true;

	for (int i = 0; i < 8; i++)
		if (sqlite3_column_type(from, column + i) != SQLITE_NULL)
			empty = false;
	if (empty) {
		text_word(out, "null");
		return;
	}
	for (int i = 0; i < 8; i++) {
		int type = sqlite3_column_type(from, column + i);

		text_word(out, keys[i]);
		if (type == SQLITE_FLOAT || type == SQLITE_INTEGER)
			text_double(out, sqlite3_column_double(from, column + i));
		else
			text_json_word(out, (const char *)sqlite3_column_text(from, column + i));
	}
	text_char(out, '}');
}

static void write_day(int64_t day, struct text *out)
{
	char text[13] = "\"";

	stamp_format_day(day, text + 1);
	text[11] = '"';
	text_add(out, text, 12);
}

static void write_stamp(int64_t at_s, struct text *out)
{
	char text[31] = "\"";

	stamp_format(at_s, text + 1);
	text[29] = '"';
	text_add(out, text, 30);
}

void plan_write_value(const struct field *field, sqlite3_stmt *from, int column, struct text *out)
{
	if (field->type == FIELD_ADDRESS) {
		write_address(from, column, out);
		return;
	}
	if (sqlite3_column_type(from, column) == SQLITE_NULL) {
		text_word(out, "null");
		return;
	}
	switch (field->type) {
	case FIELD_BOOLEAN: text_bool(out, sqlite3_column_int(from, column) != 0); break;
	case FIELD_INT: text_int(out, sqlite3_column_int64(from, column)); break;
	case FIELD_DOUBLE:
	case FIELD_CURRENCY:
	case FIELD_PERCENT: text_double(out, sqlite3_column_double(from, column)); break;
	case FIELD_DATE: write_day(sqlite3_column_int64(from, column), out); break;
	case FIELD_DATETIME: write_stamp(sqlite3_column_int64(from, column), out); break;
	case FIELD_ID:
	case FIELD_REFERENCE:
	case FIELD_STRING:
	case FIELD_TEXTAREA:
	case FIELD_PICKLIST:
	case FIELD_MULTIPICKLIST:
	case FIELD_PHONE:
	case FIELD_URL:
	case FIELD_EMAIL:
		text_json(out, (const char *)sqlite3_column_text(from, column),
			  (size_t)sqlite3_column_bytes(from, column));
		break;
	case FIELD_ADDRESS: break;
	}
}

static void write_parts(const struct shape *in, sqlite3_stmt *from, const char *version,
			struct text *out)
{
	const char *id = (const char *)sqlite3_column_text(from, in->column);

	if (!id) {
		text_word(out, "null");
		return;
	}
	write_attributes(in->owner, id, version, out);
	for (size_t i = 0; i < in->part_count; i++) {
		const struct shape *part = &in->parts[i];

		text_add(out, ",\"", 2);
		text_word(out, part->key);
		text_add(out, "\":", 2);
		if (part->field)
			plan_write_value(part->field, from, part->column, out);
		else
			write_parts(part, from, version, out);
	}
	text_char(out, '}');
}

bool plan_write(struct plan *in, int64_t row, const char *version, struct text *out)
{
	bool found;

	sqlite3_bind_int64(in->read, 1, row);
	found = sqlite3_step(in->read) == SQLITE_ROW;
	if (found)
		write_parts(&in->top, in->read, version, out);
	sqlite3_reset(in->read);
	return found;
}

void plan_write_aggregate(struct plan *in, struct text *out)
{
	text_word(out, "{\"attributes\":{\"type\":\"AggregateResult\"}");
	if (sqlite3_step(in->list) == SQLITE_ROW) {
		for (size_t i = 0; i < in->top.part_count; i++) {
			const struct shape *part = &in->top.parts[i];

			text_printf(out, ",\"%s\":", part->key);
			if (!part->field)
				text_int(out, sqlite3_column_int64(in->list, part->column));
			else
				plan_write_value(part->field, in->list, part->column, out);
		}
	}
	text_char(out, '}');
	sqlite3_reset(in->list);
}

static void free_parts(struct shape *in)
{
	for (size_t i = 0; i < in->part_count; i++) {
		free_parts(&in->parts[i]);
		free(in->parts[i].key);
	}
	free(in->parts);
}

void plan_free(struct plan *in)
{
	if (!in)
		return;
	sqlite3_finalize(in->list);
	sqlite3_finalize(in->read);
	free_parts(&in->top);
	free(in);
}
