#include "sync/course.h"

#include <string.h>

#include "record/mapping.h"
#include "record/record.h"
#include "remote/remote.h"

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

int64_t course_kept_ms(const struct cursor *in)
{
	switch (in->phase) {
	case CURSOR_NONE: return 0;
	case CURSOR_LOAD:
	case CURSOR_SETTLED: return in->bound_ms;
	/* The increment began at the settled bound less the overlap, so this errs on the early
	 * side. */
	case CURSOR_CHANGES: return *in->last_id ? in->last_ms : in->since_ms;
	}
	return 0;
}

static void begin_load(struct cursor *cursor, int64_t bound_ms, int64_t deletions_ms)
{
	*cursor = (struct cursor){ .phase = CURSOR_LOAD,
				   .bound_ms = bound_ms,
				   .deletions_ms = deletions_ms,
				   .whole_ms = cursor->whole_ms };
}

/* What calls for reading everything again, and for finding what is out of sight. */
static void find_purpose(struct course *in, const struct course_args *args)
{
	struct store_state *state = &in->state;
	struct cursor *cursor = &state->cursor;
	int64_t now_ms = args->server_ms - COURSE_MARGIN_MS;
	bool whole = args->full || !same_text(state->where, args->where);

	if (cursor->phase == CURSOR_NONE) {
		begin_load(cursor, now_ms, now_ms);
		cursor->whole_ms = now_ms;
		return;
	}
	in->was_ahead = cursor->bound_ms > now_ms + args->overlap_ms;
	if (in->was_ahead) {
		state->compare_owed = true;
		begin_load(cursor, now_ms - COURSE_DELETIONS_MS, now_ms - COURSE_DELETIONS_MS);
		return;
	}
	if (whole || now_ms - cursor->deletions_ms > COURSE_DELETIONS_MS ||
	    now_ms - cursor->whole_ms >
		    (same_text(args->where, "") ? COURSE_WHOLE_MS : COURSE_WHOLE_WHERE_MS))
		state->compare_owed = true;
	if (whole || mapping_has_new(state->mapping ? state->mapping : "", args->mapping))
		begin_load(cursor, course_kept_ms(cursor), cursor->deletions_ms);
}

bool course_begin(struct course *in, const struct store_state *state, const struct cursor *known,
		  const struct course_args *args)
{
	struct store_state today, made = { 0 };

	*in = (struct course){ .saved = state->cursor,
			       .server_ms = args->server_ms,
			       .overlap_ms = args->overlap_ms };
	store_state_copy(&in->state, state);
	if (known)
		in->state.cursor = *known;
	find_purpose(in, args);
	today = in->state;
	today.mapping = (char *)args->mapping;
	today.where = (char *)args->where;
	today.schema = (char *)args->schema;
	store_state_copy(&made, &today);
	store_state_clear(&in->state);
	in->state = made;
	return state->cursor.phase == CURSOR_NONE || in->was_ahead ||
	       state->compare_owed != in->state.compare_owed ||
	       in->state.cursor.phase != (known ? known->phase : state->cursor.phase) ||
	       !same_text(state->mapping, args->mapping) || !same_text(state->where, args->where) ||
	       !same_text(state->schema, args->schema) || args->full;
}

void course_clear(struct course *in)
{
	store_state_clear(&in->state);
}

static void begin_changes(struct course *in)
{
	struct cursor *cursor = &in->state.cursor;
	int64_t since_ms = cursor->bound_ms - in->overlap_ms;
	int64_t until_ms = in->server_ms - COURSE_MARGIN_MS;

	in->fresh_done = true;
	if (until_ms <= since_ms)
		return;
	cursor->phase = CURSOR_CHANGES;
	cursor->since_ms = since_ms;
	cursor->bound_ms = until_ms;
	cursor->last_ms = 0;
	*cursor->last_id = '\0';
	in->leg = COURSE_CHANGES;
}

enum course_leg course_next(struct course *in)
{
	const struct cursor *cursor = &in->state.cursor;

	in->leg = COURSE_END;
	in->leg_server_ms = in->server_ms;
	in->tracks_seen = false;
	in->unsaved_pages = 0;
	in->still_pages = 0;
	*in->compare_id = '\0';
	if (cursor->phase == CURSOR_LOAD) {
		in->leg = COURSE_LOAD;
		in->tracks_seen = in->state.compare_owed && !*cursor->last_id;
	} else if (in->state.compare_owed) {
		in->leg = COURSE_COMPARE;
		in->tracks_seen = true;
	} else if (cursor->phase == CURSOR_CHANGES) {
		in->leg = COURSE_CHANGES;
	} else if (!in->fresh_done) {
		begin_changes(in);
	}
	return in->leg;
}

void course_query(const struct course *in, struct remote_query *ret)
{
	const struct cursor *cursor = &in->state.cursor;
	const char *last_id = in->leg == COURSE_COMPARE ? in->compare_id : cursor->last_id;
	const char *after_id = *last_id ? last_id : NULL;

	ret->order = in->leg == COURSE_CHANGES ? REMOTE_BY_STAMP : REMOTE_BY_ID;
	ret->ids_only = in->leg == COURSE_COMPARE;
	ret->after_id = after_id;
	if (in->leg == COURSE_CHANGES) {
		ret->from_ms = after_id ? cursor->last_ms : cursor->since_ms;
		ret->until_ms = cursor->bound_ms;
	}
}

static void settle(struct course *in)
{
	struct cursor *cursor = &in->state.cursor;

	switch (in->leg) {
	case COURSE_END: return;
	case COURSE_LOAD: cursor->phase = CURSOR_SETTLED; break;
	case COURSE_CHANGES:
		cursor->phase = CURSOR_SETTLED;
		cursor->deletions_ms = cursor->bound_ms;
		break;
	case COURSE_COMPARE: break;
	}
	if (in->tracks_seen) {
		in->state.compare_owed = false;
		cursor->whole_ms = in->leg_server_ms - COURSE_MARGIN_MS;
		if (cursor->deletions_ms < in->leg_server_ms - COURSE_MARGIN_MS)
			cursor->deletions_ms = in->leg_server_ms - COURSE_MARGIN_MS;
	}
	if (in->leg != COURSE_COMPARE) {
		cursor->since_ms = cursor->last_ms = 0;
		*cursor->last_id = '\0';
	}
	in->leg = COURSE_END;
}

/* Is the record behind the position, and one of the leg's window? A record that was edited since
 * the query was answered stands at its old place with its new stamp: what follows it has not been
 * read. */
static bool is_beyond(const struct course *in, const struct record *record)
{
	const struct cursor *cursor = &in->state.cursor;

	if (in->leg == COURSE_COMPARE)
		return strcmp(record->id, in->compare_id) > 0;
	if (in->leg == COURSE_LOAD)
		return strcmp(record->id, cursor->last_id) > 0;
	if (record->stamp_ms >= cursor->bound_ms)
		return false;
	if (record->stamp_ms != cursor->last_ms)
		return record->stamp_ms > cursor->last_ms;
	return strcmp(record->id, cursor->last_id) > 0;
}

/* To the last such record of the page. */
static bool move(struct course *in, const struct record_page *page)
{
	struct cursor *cursor = &in->state.cursor;

	for (size_t i = page->count; i-- > 0;) {
		const struct record *record = &page->records[i];

		if (!is_beyond(in, record))
			continue;
		if (in->leg == COURSE_COMPARE) {
			strcpy(in->compare_id, record->id);
		} else {
			cursor->last_ms = in->leg == COURSE_CHANGES ? record->stamp_ms : 0;
			strcpy(cursor->last_id, record->id);
		}
		return true;
	}
	return false;
}

void course_page(struct course *in, const struct record_page *page)
{
	if (page->server_ms > in->server_ms && page->server_ms < COURSE_LAST_DATE_MS)
		in->server_ms = page->server_ms;
	if (move(in, page))
		in->still_pages = 0;
	else
		in->still_pages++;
	in->unsaved_pages++;
	if (!page->next)
		settle(in);
}

bool course_must_save(const struct course *in, bool written)
{
	enum cursor_phase phase = in->state.cursor.phase;

	if (written || phase == CURSOR_LOAD)
		return true;
	if (in->leg != COURSE_END) /* a compare has no position */
		return in->leg == COURSE_CHANGES && in->unsaved_pages >= COURSE_UNSAVED_PAGES;
	/* What the ledger holds of a leg that is over now must not be resumed. */
	return in->saved.phase != CURSOR_SETTLED || in->tracks_seen;
}

bool course_must_save_at_end(const struct course *in)
{
	const struct cursor *cursor = &in->state.cursor;

	return cursor->phase == CURSOR_SETTLED &&
	       (in->saved.phase != CURSOR_SETTLED ||
		cursor->bound_ms - in->saved.bound_ms > COURSE_SAVED_AGE_MS);
}

void course_was_saved(struct course *in)
{
	in->saved = in->state.cursor;
	in->unsaved_pages = 0;
}
