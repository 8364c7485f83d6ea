/* fake_reads.c - which records a query shows, in which order, page by page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/mem.h"
#include "fake_private.h"
#include "record/mapping.h"
#include "record/record.h"

struct fake_position {
	size_t *found; /* indices of the result, in order */
	size_t count;
	bool ids_only;
	char key_field[40];
};

/* "City = 'Paris'" is all it understands. */
bool fake_passes(const struct fake *in, const struct fake_record *record, const char *where)
{
	char field[40], value[40];
	const char *has;

	if (!where)
		return true;
	if (sscanf(where, "%39s = '%39[^']'", field, value) != 2)
		abort();
	has = fake_value(in, record, field);
	return has && strcmp(has, value) == 0;
}

static bool is_pick(const char *text, const struct value *pick)
{
	return text && pick->text && strlen(text) == pick->len &&
	       strncasecmp(text, pick->text, pick->len) == 0;
}

static bool is_picked(const struct fake *in, const struct fake_record *record,
		      const struct remote_query *query)
{
	const char *text =
		query->pick_field ? fake_value(in, record, query->pick_field) : record->id;

	for (size_t i = 0; i < query->pick_count; i++)
		if (is_pick(text, &query->picks[i]))
			return true;
	return false;
}

static bool shows(const struct fake *in, const struct fake_record *record,
		  const struct remote_query *query)
{
	if (record->shows_ms > in->now_ms || record->purged || record->hidden ||
	    !fake_passes(in, record, query->where))
		return false;
	if (query->order == REMOTE_BY_ID)
		return !record->deleted &&
		       (!query->after_id || strcmp(record->id, query->after_id) > 0);
	if (record->deleted && in->bin_is_short)
		return false;
	if (query->order == REMOTE_PICKED)
		return is_picked(in, record, query);
	if (record->stamp_ms >= query->until_ms || record->stamp_ms < query->from_ms)
		return false;
	return !query->after_id || record->stamp_ms > query->from_ms ||
	       strcmp(record->id, query->after_id) > 0;
}

static const struct fake *sorting;
static enum remote_order sorting_by;

static int compare(const void *left, const void *right)
{
	const struct fake_record *a = &sorting->records[*(const size_t *)left];
	const struct fake_record *b = &sorting->records[*(const size_t *)right];

	if (sorting_by == REMOTE_BY_STAMP && a->stamp_ms != b->stamp_ms)
		return a->stamp_ms < b->stamp_ms ? -1 : 1;
	return strcmp(a->id, b->id) * (sorting_by == REMOTE_PICKED ? -1 : 1);
}

static unsigned make_position(struct fake *in, const struct remote_query *query)
{
	struct fake_position *made;

	in->positions = mem_resize(in->positions, in->position_count + 1, sizeof(*in->positions));
	made = &in->positions[in->position_count];
	*made = (struct fake_position){ .found = mem_array(size_t, in->count),
					.ids_only = query->ids_only };
	if (query->key_field)
		snprintf(made->key_field, sizeof(made->key_field), "%s", query->key_field);
	for (size_t i = 0; i < in->count; i++)
		if (shows(in, &in->records[i], query))
			made->found[made->count++] = i;
	sorting = in;
	sorting_by = query->order;
	if (made->count)
		qsort(made->found, made->count, sizeof(size_t), compare);
	return in->position_count++;
}

/* False: `reject` says why. */
static bool fill_value(const struct fake *in, const struct fake_record *from, const char *name,
		       const struct mapping_field *type, struct arena *arena, struct value *ret,
		       struct error *err)
{
	const char *raw = fake_value(in, from, name);
	char *copy = raw ? arena_copy(arena, raw, strlen(raw)) : NULL;

	return value_canonical(type->type, type->scale, copy, raw ? strlen(raw) : 0, arena, ret,
			       err);
}

static void fill(struct fake *in, const struct fake_record *from, struct record_page *page,
		 const struct fake_position *position)
{
	static const struct mapping_field text = { .type = VALUE_TEXT };
	struct record *record = record_page_add(page);
	struct error why;

	record->id = arena_copy(page->arena, from->id, 18);
	record->stamp_ms = from->stamp_ms;
	record->modified_ms = from->modified_ms;
	record->by_us = from->by_us;
	record->deleted = from->deleted;
	if (*from->master_id)
		record->master_id = arena_copy(page->arena, from->master_id, 18);
	if (*position->key_field &&
	    !fill_value(in, from, position->key_field, &text, page->arena, &record->key, &why))
		abort();
	for (size_t i = 0; i < page->mapping->count && !position->ids_only; i++) {
		const struct mapping_field *field = &page->mapping->fields[i];

		if (fill_value(in, from, field->field, field, page->arena, &record->values[i],
			       &why))
			continue;
		memset(record->values, 0, page->mapping->count * sizeof(*record->values));
		record->reject = memcpy(arena_take(page->arena, sizeof(why)), &why, sizeof(why));
		record->reject_field = arena_copy(page->arena, field->field, strlen(field->field));
		return;
	}
}

static struct record_page *page_of(struct fake *in, unsigned position, size_t from,
				   struct mapping *mapping)
{
	const struct fake_position *at = &in->positions[position];
	struct record_page *page = record_page_new(mapping);
	size_t end = from + in->page_size < at->count ? from + in->page_size : at->count;

	for (size_t i = from; i < end; i++)
		fill(in, &in->records[at->found[i]], page, at);
	page->total = (int64_t)at->count;
	page->server_ms = in->now_ms;
	if (in->repeats)
		page->next = mem_format("%u/%zu", position, from);
	else if (end < at->count)
		page->next = mem_format("%u/%zu", position, end);
	return page;
}

struct record_page *fake_first_page(struct fake *in, const struct remote_call *call)
{
	return page_of(in, make_position(in, &call->query), 0, call->mapping);
}

struct record_page *fake_next_page(struct fake *in, const struct remote_call *call)
{
	unsigned position;
	size_t from;

	if (sscanf(call->next, "%u/%zu", &position, &from) != 2)
		abort();
	return page_of(in, position, from, call->mapping);
}

void fake_positions_free(struct fake *in)
{
	for (unsigned i = 0; i < in->position_count; i++)
		free(in->positions[i].found);
	free(in->positions);
}
