/* own.c - a write of ours and what it leaves behind: no mark for this job (capture.h), unless what
 * the row holds after it is more than we gave it, which somebody must then look at.
 *
 * In order: reading back; own_begin, own_write, own_end. */
#include <string.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "store/sqlite/session.h"

static bool is_blank(const struct mapping_field *field, const struct value *value)
{
	/* A null boolean is read as false. */
	return !value->text ||
	       (field->type == VALUE_BOOLEAN && value->len == 1 && value->text[0] == '0');
}

static bool was_given(const struct store_write *write, const struct mapping_field *fields, size_t i)
{
	return write->action == STORE_INSERT ? fields[i].direction != MAPPING_UP : write->set[i];
}

/* Does this field of the row hold what nobody knows of? `before`: NULL of a new row. */
static bool is_news(const struct session *in, const struct store_write *write,
		    const struct value *before, const struct value *after, size_t i)
{
	const struct mapping_field *fields = in->job.mapping->fields;

	if (!was_given(write, fields, i))
		return before ? !value_equal(&before[i], &after[i])
			      : !is_blank(&fields[i], &after[i]);
	if (write->read_back && write->link.fields)
		return false;
	return !value_equal(&write->values[i], &after[i]) &&
	       !(is_blank(&fields[i], &write->values[i]) && is_blank(&fields[i], &after[i]));
}

static void settle_read(const struct session *in, struct store_write *write,
			const struct value *after, struct arena *arena)
{
	size_t count = in->job.mapping->count, size = count * sizeof(*write->link.fields);
	struct link_field *fields;

	if (!write->read_back || !write->link.fields)
		return;
	/* The caller's own stay as they are: the write may be tried again. */
	fields = memcpy(arena_take(arena, size), write->link.fields, size);
	for (size_t i = 0; i < count; i++)
		if (was_given(write, in->job.mapping->fields, i))
			fields[i].base.ours = after[i];
	write->link.fields = fields;
}

static const struct value *key_after(const struct session *in, const struct store_write *write)
{
	if (write->action == STORE_INSERT)
		return &write->link.key;
	if (write->action == STORE_UPDATE && in->key_field != SIZE_MAX && write->set[in->key_field])
		return &write->values[in->key_field];
	return &write->row_key;
}

/* What the row holds after the owner's triggers. */
static bool read_back(struct session *in, struct store_write *write, const struct store_row *before,
		      struct arena *arena, bool *ret_news, struct error *err)
{
	const struct value *key = key_after(in, write);
	struct store_row after;

	if (!rows_find(in, key, 1, arena, &after, err))
		return false;
	*ret_news = after.found != (write->action != STORE_DELETE);
	if (*ret_news || !after.found)
		return true;
	for (size_t i = 0; i < in->job.mapping->count && !*ret_news; i++)
		*ret_news = is_news(in, write, before->values, after.values, i);
	settle_read(in, write, after.values, arena);
	return true;
}

static bool disown(struct session *in, int64_t youngest, const struct store_write *write,
		   struct error *err)
{
	const struct value *key = key_after(in, write);

	if (key->text && !marks_disown(&in->capture, youngest, key, err))
		return false;
	return write->action != STORE_UPDATE || value_equal(key, &write->row_key) ||
	       marks_disown(&in->capture, youngest, &write->row_key, err);
}

/* Then the marks of a whole page are taken back at once. */
static bool is_simple(const struct session *in)
{
	return in->alone && !in->fills_by_itself;
}

bool own_begin(struct session *in, int64_t *ret_youngest, struct error *err)
{
	*ret_youngest = 0;
	return !is_simple(in) || marks_youngest(&in->capture, ret_youngest, err);
}

bool own_end(struct session *in, int64_t youngest, struct error *err)
{
	return !is_simple(in) || marks_disown_all(&in->capture, youngest, err);
}

bool own_write(struct session *in, struct store_write *write, struct arena *arena,
	       struct error *err)
{
	bool must_read =
		in->foreign_triggers || (in->fills_by_itself && write->action == STORE_INSERT);
	struct store_row before = { 0 };
	bool news = false;
	int64_t youngest;

	if (write->action == STORE_NOTHING)
		return true;
	if (is_simple(in))
		return rows_write(in, write, arena, err);
	if (!marks_youngest(&in->capture, &youngest, err) ||
	    (must_read && write->action == STORE_UPDATE &&
	     !rows_find(in, &write->row_key, 1, arena, &before, err)) ||
	    !rows_write(in, write, arena, err) ||
	    (must_read && !read_back(in, write, &before, arena, &news, err)))
		return false;
	return news || disown(in, youngest, write, err);
}
