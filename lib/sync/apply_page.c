/* apply_page.c - one page of what is pulled, as one unit: deletions one by one, then what lives, then
 * rejects, the ids seen and the cursor. */
#include <string.h>

#include "base/arena.h"
#include "record/record.h"
#include "store/store.h"
#include "sync/apply_work.h"

#define RECORDS_AT_ONCE 50

/* FNV-1a: only to spread ids over a small table. */
static size_t spread(const char *id)
{
	uint32_t hash = 2166136261u;

	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619u;
	return hash;
}

/* What a page holds, in the page's arena: deletions go first, so that a merge's winner finds the row it
 * inherits. */
struct picked {
	struct record **deleted, **live;
	size_t deleted_count, live_count;
};

/* A page with a record twice would make two rows of it: only the last counts. */
static void pick_records(struct work *work, struct record_page *page, struct picked *ret)
{
	bool *last = work_take(work, page->count, sizeof(*last)); /* of its id */
	size_t size = 16;
	uint32_t *slots;

	while (size < 2 * page->count)
		size *= 2;
	slots = work_take(work, size, sizeof(*slots));
	memset(slots, 0, size * sizeof(*slots));
	*ret = (struct picked){ .deleted = work_take(work, page->count, sizeof(*ret->deleted)),
				.live = work_take(work, page->count, sizeof(*ret->live)) };
	for (size_t i = page->count; i-- > 0;) {
		const char *id = page->records[i].id;
		size_t at = spread(id) & (size - 1);

		while (slots[at] && strcmp(page->records[slots[at] - 1].id, id))
			at = (at + 1) & (size - 1);
		if (!slots[at])
			slots[at] = (uint32_t)i + 1;
		last[i] = slots[at] == i + 1;
	}
	for (size_t i = 0; i < page->count; i++) {
		struct record *record = &page->records[i];

		if (last[i] && record->deleted)
			ret->deleted[ret->deleted_count++] = record;
		else if (last[i])
			ret->live[ret->live_count++] = record;
	}
}

/* So many at a time, all in the page's unit: what is known of each of them takes some room. */
static bool do_records(struct work *page, struct record **records, size_t count,
		       bool (*step)(struct work *work, struct error *err), struct error *err)
{
	for (size_t from = 0; from < count; from += RECORDS_AT_ONCE) {
		CLEANUP(arena_free) struct arena *arena = arena_new();
		size_t left = count - from;
		struct work some;

		work_start(&some, page->in, arena);
		work_subjects(&some, records + from,
			      left < RECORDS_AT_ONCE ? left : RECORDS_AT_ONCE);
		if (!step(&some, err) || !work_close(&some, err))
			return false;
		work_keep_rejects(page, &some);
	}
	return true;
}

/* Every id of the page is one that the remote shows, taken or not. */
static bool note_seen(struct work *work, const struct record_page *page, struct error *err)
{
	struct apply *in = work->in;
	const char **ids = work_take(work, page->count, sizeof(*ids));

	for (size_t i = 0; i < page->count; i++)
		ids[i] = page->records[i].id;
	return (in->seen_begun || work->ops->seen_none(in->session, err)) &&
	       work->ops->seen(in->session, ids, page->count, err) &&
	       (page->next || work->ops->park_unseen(in->session, &work->counts.out_of_sight, err));
}

static bool save(struct work *work, struct error *err)
{
	struct apply *in = work->in;
	struct store_run line = apply_line(in, "running");

	return work->ops->save_state(in->session, &in->course.state, err) &&
	       work->ops->save_run(in->session, &line, err);
}

static bool do_page(struct work *work, struct record_page *page, struct error *err)
{
	struct apply *in = work->in;
	struct picked picked;

	in->rules.compare = in->course.leg == COURSE_LOAD && in->course.state.compare_owed;
	if (in->course.leg != COURSE_COMPARE) {
		work->counts.read = (int64_t)page->count;
		pick_records(work, page, &picked);
		if (!work_scan(work, err) ||
		    !do_records(work, picked.deleted, picked.deleted_count, work_deletions, err) ||
		    !do_records(work, picked.live, picked.live_count, work_pairs, err))
			return false;
	}
	if (in->course.tracks_seen && !note_seen(work, page, err))
		return false;
	course_page(&in->course, page);
	if (in->course.still_pages >= COURSE_STILL_PAGES && in->course.leg != COURSE_END)
		return error_set(err, ERROR_RETRY, "no-progress",
				 "%u pages in a row held nothing behind the position, and more are "
				 "said to follow",
				 in->course.still_pages);
	if (!work_close(work, err))
		return false;
	in->counts.pages++;
	in->counts.leg_read += (int64_t)page->count;
	in->counts.total = page->total;
	return !course_must_save(&in->course, work->ops->has_written(in->session)) ||
	       save(work, err);
}

bool apply_page(struct apply *in, struct record_page *page, struct error *err)
{
	struct course before = in->course;
	struct run_counts counts_before;
	struct work work;
	bool written = false, ok;

	if (!apply_scan(in, err))
		return false;
	counts_before = in->counts;
	if (page->server_ms > in->server_ms)
		in->server_ms = page->server_ms;
	work_start(&work, in, page->arena);
	ok = work_begin(&work, err) && do_page(&work, page, err);
	written = ok && work.ops->has_written(in->session);
	if (work_end(&work, ok, err)) {
		in->seen_begun = in->course.leg != COURSE_END && in->course.tracks_seen;
		if (written)
			course_was_saved(&in->course);
		return true;
	}
	in->course = before;
	in->counts = counts_before;
	return false;
}
