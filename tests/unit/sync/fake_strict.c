/* fake_strict.c - what no program may send, and how often each field was sent. */
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "fake_private.h"
#include "record/mapping.h"

bool fake_is_same(const char *a, const char *b)
{
	return a && b && strcasecmp(a, b) == 0;
}

bool fake_is_twice(const struct remote_batch *batch, size_t at)
{
	for (size_t i = 0; i < batch->count; i++)
		if (i != at && (fake_is_same(batch->changes[i].id, batch->changes[at].id) ||
				fake_is_same(batch->changes[i].key, batch->changes[at].key)))
			return true;
	return false;
}

bool fake_is_canonical(enum value_type type, int scale, const struct value *value)
{
	struct arena *arena = arena_new();
	struct value again;
	struct error why;
	bool ok = value_canonical(type, scale, value->text, value->len, arena, &again, &why) &&
		  value_equal(value, &again);

	arena_free(arena);
	return ok;
}

static void check_value(struct fake *in, const struct mapping_field *field,
			const struct value *value)
{
	if (!fake_is_canonical(field->type, field->scale, value))
		fake_violation(in, "%s: \"%.*s\" is not canonical", field->field, (int)value->len,
			       value->text ? value->text : "");
}

static void check_change(struct fake *in, const struct remote_batch *batch, size_t at)
{
	const struct remote_change *change = &batch->changes[at];
	bool by_id = batch->operation == REMOTE_UPDATE || batch->operation == REMOTE_DELETE;
	size_t set = 0;

	if (by_id != (change->id != NULL) || (by_id && strlen(change->id) != 18))
		fake_violation(in, "change %zu: an id where none belongs, or none", at);
	if ((batch->operation == REMOTE_UPSERT) != (change->key != NULL))
		fake_violation(in, "change %zu: a key where none belongs, or none", at);
	if (fake_is_twice(batch, at))
		fake_violation(in, "change %zu: %s twice in a batch", at,
			       change->id ? change->id : change->key);
	if (batch->operation == REMOTE_DELETE)
		return;
	for (size_t i = 0; i < batch->mapping->count; i++) {
		const struct mapping_field *field = &batch->mapping->fields[i];

		if (!change->set[i])
			continue;
		set++;
		if (field->direction == MAPPING_DOWN)
			fake_violation(in, "%s does not travel upwards", field->field);
		if (batch->key_field && strcasecmp(field->field, batch->key_field) == 0)
			fake_violation(in, "%s is the key and a value", field->field);
		check_value(in, field, &change->values[i]);
	}
	if (!set)
		fake_violation(in, "change %zu changes nothing", at);
}

static void count_fields(struct fake *in, const struct remote_batch *batch,
			 const struct remote_change *change)
{
	struct fake_record *record = change->id ? fake_find_id(in, change->id) : NULL;

	for (size_t i = 0; record && i < batch->mapping->count; i++)
		if (change->set[i])
			record->sent[fake_field_index(in, batch->mapping->fields[i].field)]++;
}

void fake_check_batch(struct fake *in, const struct remote_batch *batch)
{
	if (!batch->count || batch->count > REMOTE_WRITE_MOST)
		fake_violation(in, "%zu changes in a batch", batch->count);
	if (strcmp(batch->object, "Contact") != 0)
		fake_violation(in, "a write to %s", batch->object);
	if (batch->operation == REMOTE_UPSERT &&
	    (!batch->key_field || !fake_field(in, batch->key_field)->external_id))
		fake_violation(in, "an upsert without an external id field");
	for (size_t i = 0; i < batch->count; i++) {
		check_change(in, batch, i);
		if (batch->operation != REMOTE_DELETE)
			count_fields(in, batch, &batch->changes[i]);
	}
}
