#include "fake_remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "loop/loop.h"
#include "record/mapping.h"
#include "record/record.h"
#include "record/schema.h"

struct fake_position {
	size_t *found; /* indices of the result, in order */
	size_t count;
	bool ids_only;
};

struct remote_call {
	struct fake *fake;
	struct loop_timer *soon;
	unsigned number;
	char *object;
	remote_schema_fn *schema_done;
	remote_page_fn *page_done;
	void *arg;
	struct mapping *mapping;
	struct remote_query query; /* first pages */
	char *where, *after_id, *next;
};

static struct fake *of(struct remote *in)
{
	return (struct fake *)in;
}

void fake_id(unsigned number, char out[19])
{
	char id15[16];

	snprintf(id15, sizeof(id15), "003%012u", number);
	if (!value_id18(id15, 15, out))
		abort();
}

static size_t field_index(const struct fake *in, const char *name)
{
	for (size_t i = 0; i < in->field_count; i++)
		if (strcasecmp(in->fields[i].name, name) == 0)
			return i;
	abort();
}

struct fake_record *fake_find(struct fake *in, unsigned number)
{
	char id[19];

	fake_id(number, id);
	for (size_t i = 0; i < in->count; i++)
		if (strcmp(in->records[i].id, id) == 0)
			return &in->records[i];
	return NULL;
}

static struct fake_record *must_find(struct fake *in, unsigned number)
{
	struct fake_record *found = fake_find(in, number);

	if (!found)
		abort();
	return found;
}

void fake_add_field(struct fake *in, const char *name, enum value_type type, int scale)
{
	in->fields[in->field_count++] = (struct fake_field){ name, type, scale, false };
}

struct fake_record *fake_create(struct fake *in, unsigned number, const char *const *values)
{
	struct fake_record *made;

	in->records = mem_resize(in->records, in->count + 1, sizeof(*in->records));
	made = &in->records[in->count++];
	*made = (struct fake_record){ .stamp_ms = in->now_ms, .shows_ms = in->now_ms };
	fake_id(number, made->id);
	for (size_t i = 0; i < in->field_count; i++)
		made->values[i] = values[i] ? mem_strdup(values[i]) : NULL;
	return made;
}

static void touch(struct fake *in, struct fake_record *record)
{
	record->stamp_ms = in->now_ms;
	record->shows_ms = in->now_ms;
}

void fake_set(struct fake *in, unsigned number, const char *field, const char *value)
{
	struct fake_record *record = must_find(in, number);
	char **at = &record->values[field_index(in, field)];

	free(*at);
	*at = value ? mem_strdup(value) : NULL;
	touch(in, record);
}

static void set_deleted(struct fake *in, struct fake_record *record, bool deleted)
{
	record->deleted = deleted;
	touch(in, record);
}

void fake_delete(struct fake *in, unsigned number)
{
	set_deleted(in, must_find(in, number), true);
}

void fake_undelete(struct fake *in, unsigned number)
{
	struct fake_record *record = must_find(in, number);

	*record->master_id = '\0';
	set_deleted(in, record, false);
}

void fake_merge(struct fake *in, unsigned loser, unsigned winner)
{
	struct fake_record *record = must_find(in, loser);

	fake_id(winner, record->master_id);
	set_deleted(in, record, true);
	touch(in, must_find(in, winner));
}

const char *fake_value(const struct fake *in, const struct fake_record *record, const char *field)
{
	if (strcmp(field, "IsDeleted") == 0)
		return record->deleted ? "true" : "false";
	return record->values[field_index(in, field)];
}

/* Answers. */

static bool make_schema(struct fake *in)
{
	schema_free(in->schema);
	in->schema = schema_new("Contact");
	for (size_t i = 0; i < in->field_count; i++)
		if (!in->fields[i].gone)
			schema_add(in->schema,
				   (struct schema_field){ .name = mem_strdup(in->fields[i].name),
							  .label = mem_strdup(in->fields[i].name),
							  .type_name = mem_strdup("string"),
							  .type = in->fields[i].type,
							  .scale = in->fields[i].scale,
							  .length = 80,
							  .readable = true,
							  .filterable = true });
	schema_add(in->schema, (struct schema_field){ .name = mem_strdup("IsDeleted"),
						      .label = mem_strdup("Deleted"),
						      .type_name = mem_strdup("boolean"),
						      .type = VALUE_BOOLEAN,
						      .readable = true });
	schema_add(in->schema, (struct schema_field){ .name = mem_strdup("SystemModstamp"),
						      .label = mem_strdup("Stamp"),
						      .type_name = mem_strdup("datetime"),
						      .type = VALUE_DATETIME,
						      .readable = true });
	schema_finish(in->schema);
	return true;
}

static void call_free(struct remote_call *in)
{
	in->fake->open_calls--;
	mapping_free(in->mapping);
	free(in->object);
	free(in->where);
	free(in->after_id);
	free(in->next);
	free(in);
}

/* "City = 'Paris'" is all it understands. */
static bool passes(const struct fake *in, const struct fake_record *record, const char *where)
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

static bool shows(const struct fake *in, const struct fake_record *record,
		  const struct remote_query *query)
{
	if (record->shows_ms > in->now_ms || record->purged || record->hidden ||
	    !passes(in, record, query->where))
		return false;
	if (query->order == REMOTE_BY_ID)
		return !record->deleted &&
		       (!query->after_id || strcmp(record->id, query->after_id) > 0);
	if (record->deleted && in->bin_is_short)
		return false;
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
	return strcmp(a->id, b->id);
}

static unsigned make_position(struct fake *in, const struct remote_query *query)
{
	struct fake_position *made;

	in->positions = mem_resize(in->positions, in->position_count + 1, sizeof(*in->positions));
	made = &in->positions[in->position_count];
	*made = (struct fake_position){ .found = mem_array(size_t, in->count),
					.ids_only = query->ids_only };
	for (size_t i = 0; i < in->count; i++)
		if (shows(in, &in->records[i], query))
			made->found[made->count++] = i;
	sorting = in;
	sorting_by = query->order;
	if (made->count)
		qsort(made->found, made->count, sizeof(size_t), compare);
	return in->position_count++;
}

static void fill(struct fake *in, const struct fake_record *from, struct record_page *page,
		 bool ids_only)
{
	struct record *record = record_page_add(page);
	struct error why;

	record->id = arena_copy(page->arena, from->id, 18);
	record->stamp_ms = from->stamp_ms;
	record->deleted = from->deleted;
	if (*from->master_id)
		record->master_id = arena_copy(page->arena, from->master_id, 18);
	for (size_t i = 0; i < page->mapping->count && !ids_only; i++) {
		const struct mapping_field *field = &page->mapping->fields[i];
		const char *raw = fake_value(in, from, field->field);
		char *copy = raw ? arena_copy(page->arena, raw, strlen(raw)) : NULL;

		if (value_canonical(field->type, field->scale, copy, raw ? strlen(raw) : 0,
				    page->arena, &record->values[i], &why))
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
		fill(in, &in->records[at->found[i]], page, at->ids_only);
	page->total = (int64_t)at->count;
	page->server_ms = in->now_ms;
	if (in->repeats)
		page->next = mem_format("%u/%zu", position, from);
	else if (end < at->count)
		page->next = mem_format("%u/%zu", position, end);
	return page;
}

static bool fails(struct fake *in, struct remote_call *call)
{
	return in->fail_at && call->number >= in->fail_at &&
	       call->number < in->fail_at + in->fail_count;
}

static void answer(void *arg)
{
	struct remote_call *call = arg;
	struct fake *in = call->fake;
	struct error stale;
	const struct error *err = NULL;
	struct record_page *page = NULL;
	unsigned position;
	size_t from = 0;

	call->soon = NULL;
	if (in->on_call)
		in->on_call(in, call->number, in->on_call_arg);
	in->now_ms += 1000;
	if (call->number == in->hang_at) {
		in->hangs = true;
		return;
	}
	if (fails(in, call)) {
		err = &in->fail;
	} else if (call->next) {
		if (call->number == in->expire_at) {
			error_set(&stale, ERROR_STALE, "INVALID_QUERY_LOCATOR", "gone");
			err = &stale;
		} else {
			if (sscanf(call->next, "%u/%zu", &position, &from) != 2)
				abort();
			page = page_of(in, position, from, call->mapping);
		}
	} else if (call->page_done) {
		page = page_of(in, make_position(in, &call->query), 0, call->mapping);
	} else {
		make_schema(in);
	}
	if (call->page_done)
		call->page_done(page, err, call->arg);
	else
		call->schema_done(err ? NULL : in->schema, true, in->now_ms, err, call->arg);
	call_free(call);
}

static struct remote_call *start(struct fake *in, void *arg)
{
	struct remote_call *call = mem_new(struct remote_call);

	*call = (struct remote_call){ .fake = in, .number = ++in->calls, .arg = arg };
	in->open_calls++;
	call->soon = loop_soon(in->loop, answer, call);
	return call;
}

static struct remote_call *do_describe(struct remote *remote, const char *object,
				       remote_schema_fn *done, void *arg)
{
	struct remote_call *call = start(of(remote), arg);

	call->object = mem_strdup(object);
	call->schema_done = done;
	return call;
}

static const struct schema *last_schema(struct remote *remote, const char *object)
{
	return strcmp(object, "Contact") == 0 ? of(remote)->schema : NULL;
}

static struct remote_call *do_read(struct remote *remote, const struct remote_query *query,
				   remote_page_fn *done, void *arg)
{
	struct fake *in = of(remote);
	struct remote_call *call = start(in, arg);

	in->reads++;
	call->page_done = done;
	call->mapping = mapping_share(query->mapping);
	call->query = *query;
	if (query->where)
		call->query.where = call->where = mem_strdup(query->where);
	if (query->after_id)
		call->query.after_id = call->after_id = mem_strdup(query->after_id);
	if (query->order == REMOTE_BY_STAMP) {
		if (query->until_ms - query->from_ms > in->largest_window_ms)
			in->largest_window_ms = query->until_ms - query->from_ms;
		if (!in->least_from_ms || query->from_ms < in->least_from_ms)
			in->least_from_ms = query->from_ms;
	}
	return call;
}

static struct remote_call *do_read_more(struct remote *remote, struct mapping *mapping,
					const char *next, remote_page_fn *done, void *arg)
{
	struct remote_call *call = start(of(remote), arg);

	call->page_done = done;
	call->mapping = mapping_share(mapping);
	call->next = mem_strdup(next);
	return call;
}

static void do_cancel(struct remote_call *call)
{
	loop_timer_cancel(call->soon);
	call_free(call);
}

static const char *org_id(struct remote *remote)
{
	return of(remote)->org_id;
}

static const struct remote_ops fake_ops = {
	.describe = do_describe,
	.schema = last_schema,
	.read = do_read,
	.read_more = do_read_more,
	.cancel = do_cancel,
	.org_id = org_id,
};

struct fake *fake_new(struct loop *loop)
{
	struct fake *in = mem_new(struct fake);

	*in = (struct fake){ .remote.ops = &fake_ops,
			     .loop = loop,
			     .now_ms = FAKE_NOW,
			     .org_id = "00D000000000001EAA",
			     .page_size = 3 };
	return in;
}

void fake_free(struct fake *in)
{
	if (!in)
		return;
	if (in->open_calls)
		abort(); /* every call is answered or cancelled */
	for (size_t i = 0; i < in->count; i++)
		for (size_t k = 0; k < FAKE_FIELDS; k++)
			free(in->records[i].values[k]);
	for (unsigned i = 0; i < in->position_count; i++)
		free(in->positions[i].found);
	free(in->positions);
	free(in->records);
	schema_free(in->schema);
	free(in);
}
