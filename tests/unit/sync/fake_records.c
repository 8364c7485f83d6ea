/* fake_records.c - the records, and what people do to them at the remote. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "fake_private.h"

void fake_id(unsigned number, char out[19])
{
	char id15[16];

	snprintf(id15, sizeof(id15), "003%012u", number);
	if (!value_id18(id15, 15, out))
		abort();
}

size_t fake_field_index(const struct fake *in, const char *name)
{
	for (size_t i = 0; i < in->field_count; i++)
		if (strcasecmp(in->fields[i].name, name) == 0)
			return i;
	abort();
}

struct fake_field *fake_field(struct fake *in, const char *name)
{
	return &in->fields[fake_field_index(in, name)];
}

struct fake_record *fake_find_id(struct fake *in, const char *id)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcmp(in->records[i].id, id) == 0)
			return &in->records[i];
	return NULL;
}

struct fake_record *fake_find(struct fake *in, unsigned number)
{
	char id[19];

	fake_id(number, id);
	return fake_find_id(in, id);
}

static struct fake_record *must_find(struct fake *in, unsigned number)
{
	struct fake_record *found = fake_find(in, number);

	if (!found)
		abort();
	return found;
}

struct fake_record *fake_with(struct fake *in, const char *field, const char *value)
{
	size_t at = fake_field_index(in, field);

	for (size_t i = 0; i < in->count; i++) {
		struct fake_record *record = &in->records[i];

		if (!record->deleted && !record->purged && record->values[at] &&
		    strcmp(record->values[at], value) == 0)
			return record;
	}
	return NULL;
}

unsigned fake_alive(const struct fake *in)
{
	unsigned alive = 0;

	for (size_t i = 0; i < in->count; i++)
		alive += !in->records[i].deleted && !in->records[i].purged;
	return alive;
}

struct fake_field *fake_add_field(struct fake *in, const char *name, enum value_type type,
				  int scale)
{
	in->fields[in->field_count] =
		(struct fake_field){ .name = name, .type = type, .scale = scale, .length = 80 };
	return &in->fields[in->field_count++];
}

struct fake_record *fake_add_record(struct fake *in, unsigned number)
{
	struct fake_record *made;

	in->records = mem_resize(in->records, in->count + 1, sizeof(*in->records));
	made = &in->records[in->count++];
	*made = (struct fake_record){ .stamp_ms = in->now_ms,
				      .modified_ms = in->now_ms,
				      .shows_ms = in->now_ms };
	fake_id(number, made->id);
	return made;
}

void fake_put(struct fake *in, struct fake_record *record, size_t field, const char *value)
{
	if (in->traces)
		fprintf(stderr, "  remote %s %s: %s -> %s\n", record->id, in->fields[field].name,
			record->values[field] ? record->values[field] : "null",
			value ? value : "null");
	free(record->values[field]);
	record->values[field] = value ? mem_strdup(value) : NULL;
}

struct fake_record *fake_create(struct fake *in, unsigned number, const char *const *values)
{
	struct fake_record *made;

	fake_do_late(in);
	made = fake_add_record(in, number);
	for (size_t i = 0; i < in->field_count; i++)
		fake_put(in, made, i, values[i]);
	return made;
}

static void touch(struct fake *in, struct fake_record *record)
{
	record->stamp_ms = record->modified_ms = in->now_ms;
	record->shows_ms = in->now_ms;
	record->by_us = false;
}

void fake_set(struct fake *in, unsigned number, const char *field, const char *value)
{
	struct fake_record *record;

	fake_do_late(in);
	record = must_find(in, number);
	fake_put(in, record, fake_field_index(in, field), value);
	touch(in, record);
}

void fake_set_as_us(struct fake *in, unsigned number, const char *field, const char *value)
{
	fake_set(in, number, field, value);
	must_find(in, number)->by_us = true;
}

static void set_deleted(struct fake *in, unsigned number, bool deleted)
{
	struct fake_record *record;

	fake_do_late(in);
	record = must_find(in, number);
	if (in->traces)
		fprintf(stderr, "  remote %s %s\n", record->id, deleted ? "deleted" : "undeleted");
	record->deleted = deleted;
	touch(in, record);
}

void fake_delete(struct fake *in, unsigned number)
{
	set_deleted(in, number, true);
}

void fake_undelete(struct fake *in, unsigned number)
{
	*must_find(in, number)->master_id = '\0';
	set_deleted(in, number, false);
}

void fake_merge(struct fake *in, unsigned loser, unsigned winner)
{
	fake_id(winner, must_find(in, loser)->master_id);
	set_deleted(in, loser, true);
	touch(in, must_find(in, winner));
}

const char *fake_value(const struct fake *in, const struct fake_record *record, const char *field)
{
	if (strcmp(field, "IsDeleted") == 0)
		return record->deleted ? "true" : "false";
	return record->values[fake_field_index(in, field)];
}

unsigned fake_sent(const struct fake *in, const char *field, unsigned but)
{
	size_t at = fake_field_index(in, field);
	unsigned sent = 0;
	char id[19];

	fake_id(but, id);
	for (size_t i = 0; i < in->count; i++)
		if (strcmp(in->records[i].id, id) != 0)
			sent += in->records[i].sent[at];
	return sent;
}
