/* push_take.c - what is taken to be sent, and what must be read before. In order: the batch; what is
 * unanswered; rows; pairs; push_take. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "record/record.h"
#include "store/store.h"
#include "sync/apply_work.h"
#include "sync/push_batch.h"

#define MOST_PICK 1000 /* bytes */

struct push_batch *push_batch_new(enum push_kind kind)
{
	struct push_batch *made = mem_new(struct push_batch);

	made->arena = arena_new();
	made->kind = kind;
	return made;
}

void push_batch_free(struct push_batch *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->page_count; i++)
		record_page_free(in->pages[i]);
	free(in->pages);
	arena_free(in->arena);
	free(in);
}

static struct push_search *add_search(struct push_batch *batch, const char *field, bool within)
{
	struct push_search *made = &batch->searches[batch->search_count++];

	*made = (struct push_search){ .field = field, .within = within };
	made->picks = arena_take(batch->arena, (batch->count + 1) * sizeof(*made->picks));
	return made;
}

static void pick(struct push_search *in, const char *text, size_t len)
{
	in->picks[in->count++] = (struct value){ text, (uint32_t)len };
}

static void end_search(struct push_batch *batch)
{
	if (!batch->searches[batch->search_count - 1].count)
		batch->search_count--;
}

static void search_ids(struct push_batch *batch)
{
	struct push_search *search = add_search(batch, NULL, true);

	for (size_t i = 0; i < batch->count; i++)
		pick(search, batch->dues[i].remote_id, strlen(batch->dues[i].remote_id));
	end_search(batch);
}

/* By id, or, if there is none yet, by key. An id is asked for even if it is out of the job's scope
 * now: whether our write came is what matters. */
static void search_unanswered(const struct apply *in, struct push_batch *batch)
{
	struct push_search *search = add_search(batch, NULL, false);

	for (size_t i = 0; i < batch->count; i++)
		if (*batch->unanswered[i].remote_id)
			pick(search, batch->unanswered[i].remote_id,
			     strlen(batch->unanswered[i].remote_id));
	end_search(batch);
	if (!in->key_field)
		return;
	search = add_search(batch, in->key_field, false);
	for (size_t i = 0; i < batch->count; i++)
		if (*batch->unanswered[i].birth_key)
			pick(search, batch->unanswered[i].birth_key,
			     strlen(batch->unanswered[i].birth_key));
	end_search(batch);
}

/* No record holds what is not of its field's type: nobody is asked for it. */
static bool is_of_its_type(const struct apply *in, size_t field, const struct value *value,
			   struct arena *arena)
{
	const struct mapping_field *mapped = &in->mapping->fields[field];
	struct value canonical;
	struct error why;

	return value_canonical(mapped->type, mapped->scale, value->text, value->len, arena,
			       &canonical, &why) &&
	       value_equal(&canonical, value);
}

/* A null matches nothing; nor does what is longer than any key, which no query could hold. */
static bool is_whole(const struct apply *in, const struct store_row *row, struct arena *arena)
{
	for (size_t i = 0; i < in->match_count; i++) {
		const struct value *value = &row->values[in->match[i]];

		if (value_is_null(value) || value->len > MOST_PICK ||
		    !is_of_its_type(in, in->match[i], value, arena))
			return false;
	}
	return in->match_count;
}

/* Who looks like a row is asked by the first match field; the others are compared here. */
static bool search_rows(struct apply *in, struct push_batch *batch, struct error *err)
{
	struct value *keys = arena_take(batch->arena, batch->count * sizeof(*keys));
	struct store_row *rows = arena_take(batch->arena, batch->count * sizeof(*rows));
	struct push_search *matches, *births, *chosen;

	for (size_t i = 0; i < batch->count; i++)
		keys[i] = batch->dues[i].key;
	if (!apply_ops(in)->rows(in->session, keys, batch->count, batch->arena, rows, err))
		return false;
	if (in->match_count) {
		matches = add_search(batch, in->mapping->fields[in->match[0]].field, true);
		for (size_t i = 0; i < batch->count; i++)
			if (rows[i].found && is_whole(in, &rows[i], batch->arena))
				matches->picks[matches->count++] = rows[i].values[in->match[0]];
		end_search(batch);
	}
	if (in->key_field) {
		births = add_search(batch, in->key_field, false);
		for (size_t i = 0; i < batch->count; i++)
			if (*batch->dues[i].birth_key)
				pick(births, batch->dues[i].birth_key,
				     strlen(batch->dues[i].birth_key));
		end_search(batch);
	}
	chosen = add_search(batch, NULL, true);
	for (size_t i = 0; i < batch->count; i++)
		if (*batch->dues[i].chosen)
			pick(chosen, batch->dues[i].chosen, strlen(batch->dues[i].chosen));
	end_search(batch);
	return true;
}

static bool take_unanswered(struct apply *in, struct push_batch *batch, size_t most, int64_t *after,
			    struct error *err)
{
	if (!apply_ops(in)->unanswered(in->session, in->server_ms - in->overlap_ms, *after, most,
				       batch->arena, &batch->unanswered, &batch->count, err))
		return false;
	if (batch->count)
		*after = batch->unanswered[batch->count - 1].number;
	search_unanswered(in, batch);
	return true;
}

static bool take_dues(struct apply *in, struct push_batch *batch, size_t most, int64_t after,
		      struct error *err)
{
	return apply_ops(in)->take_dues(in->session, batch->kind == PUSH_PAIRS, after, most,
					in->now_ms, batch->arena, &batch->dues, &batch->count, err);
}

/* What nobody could say to whom it belongs may be clear now that something else changed. */
static bool wake_held(struct apply *in, struct error *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new();
	struct work work;

	work_start(&work, in, arena);
	return work_end(&work, work_begin(&work, err) && work.ops->wake_held(in->session, err),
			err);
}

/* What no record could be made for may be made now. */
static bool wake_makeable(struct apply *in, struct error *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new();
	struct work work;

	if (!in->creates_records || !(in->key_field || in->creates_unsafe))
		return true;
	work_start(&work, in, arena);
	return work_end(&work, work_begin(&work, err) && work.ops->wake_makeable(in->session, err),
			err);
}

static bool take_rows(struct apply *in, struct push_batch *batch, size_t most, int64_t *after,
		      struct error *err)
{
	if ((!*after && !wake_makeable(in, err)) || !take_dues(in, batch, most, *after, err) ||
	    (!*after && (batch->count || in->args.full) &&
	     (!wake_held(in, err) || !take_dues(in, batch, most, *after, err))))
		return false;
	if (!batch->count)
		return true;
	*after = batch->dues[batch->count - 1].number;
	return search_rows(in, batch, err);
}

static bool take_pairs(struct apply *in, struct push_batch *batch, size_t most, int64_t *after,
		       struct error *err)
{
	if (!take_dues(in, batch, most, *after, err))
		return false;
	if (batch->count)
		*after = batch->dues[batch->count - 1].number;
	search_ids(batch);
	return true;
}

bool push_take(struct apply *in, struct push_batch *batch, size_t most, int64_t *after,
	       struct error *err)
{
	switch (batch->kind) {
	case PUSH_UNANSWERED: return take_unanswered(in, batch, most, after, err);
	case PUSH_ROWS: return take_rows(in, batch, most, after, err);
	case PUSH_PAIRS: return take_pairs(in, batch, most, after, err);
	case PUSH_END: break;
	}
	return true;
}
