/* apply_scan.c - marks of other programs' changes become dues. Nothing is read of the remote: a record
 * is taken to hold what it held when last settled, which is enough to see that something must be
 * done, be it that a row's edit goes up or is put back. What, is found out when it is done. */
#include "base/arena.h"
#include "record/mapping.h"
#include "record/record.h"
#include "store/store.h"
#include "sync/apply_work.h"

#define MARKS_A_UNIT 500

/* A linked row that was touched. */
struct touched {
	const struct store_touched *mark;
	struct store_owner owner;
	struct link link;
	struct store_row row;
	struct sent sent;
};

static bool owe_row(struct work *work, const struct store_touched *mark, struct error *err)
{
	return work->ops->put_due(work->in->session,
				  &(struct due){ .key = mark->key,
						 .edited_ms = mark->at_ms,
						 .since_ms = work->in->now_ms },
				  false, err);
}

/* A row without a record: it may find one, or have one made. */
static bool scan_new(struct work *work, const struct touched *touched, struct error *err)
{
	if (!touched->row.found || (!work->in->match_count && !work->in->creates_records))
		return true;
	return work->ops->unrefuse(work->in->session, NULL, &touched->mark->key, NULL, err) &&
	       owe_row(work, touched->mark, err);
}

static bool owe_pair(struct work *work, const struct touched *touched, struct error *err)
{
	return work_owe(work, touched->owner.remote_id, NULL, touched->mark->at_ms, err);
}

static bool has_unread(const struct link_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!fields[i].base.settled || fields[i].choice != LINK_CHOICE_NONE)
			return true;
	return false;
}

static bool scan_pair(struct work *work, struct touched *touched, struct error *err)
{
	struct pair_input input = { .mapping = work->in->mapping,
				    .local = touched->row.values,
				    .fields = touched->link.fields,
				    .local_ms = work_server_time(work->in, touched->mark->at_ms) };
	struct pair_result pair;

	if (!touched->row.found || touched->link.state != LINK_LIVE)
		return true;
	/* It changed: what was refused of it may be taken now. */
	if (!work->ops->unrefuse(work->in->session, touched->owner.remote_id, NULL, NULL, err))
		return false;
	if (touched->sent.number)
		return owe_pair(work, touched, err); /* merged when that is over */
	pair_room(&pair, work->in->mapping->count, work->arena);
	pair_merge(&input, &pair);
	return !(pair.any_local || pair.any_remote ||
		 has_unread(touched->link.fields, work->in->mapping->count)) ||
	       owe_pair(work, touched, err);
}

static bool scan_one(struct work *work, struct touched *touched, struct error *err)
{
	const char *id = touched->owner.remote_id;

	if (!work->ops->rows(work->in->session, &touched->mark->key, 1, work->arena, &touched->row,
			     err))
		return false;
	if (!touched->owner.found)
		return scan_new(work, touched, err);
	return work->ops->links(work->in->session, &id, 1, work->arena, &touched->link, err) &&
	       work->ops->fields(work->in->session, &id, 1, work->arena, &touched->link, err) &&
	       work->ops->find_sent(work->in->session, &id, 1, work->arena, &touched->sent, err) &&
	       scan_pair(work, touched, err);
}

static bool scan_ended(struct work *work, const struct store_ended *ended, struct error *err)
{
	return !work->in->deletes_records ||
	       work_owe(work, ended->remote_id, NULL, ended->at_ms, err);
}

static bool follow(struct work *work, const struct store_marks *marks, struct error *err)
{
	for (size_t i = 0; i < marks->ended_count; i++)
		if (!scan_ended(work, &marks->ended[i], err))
			return false;
	for (size_t i = 0; i < marks->row_count; i++) {
		struct touched touched = { .mark = &marks->rows[i] };

		if (!work->ops->owners(work->in->session, &marks->rows[i].key, 1, &touched.owner,
				       err) ||
		    !scan_one(work, &touched, err))
			return false;
	}
	return work->ops->drop_marks(work->in->session, err);
}

static bool scan_some(struct work *work, bool *ret_more, struct error *err)
{
	struct store_marks marks;

	if (!work->ops->take_marks(work->in->session, MARKS_A_UNIT, work->arena, &marks, err) ||
	    !follow(work, &marks, err))
		return false;
	*ret_more = marks.more;
	return true;
}

bool work_scan(struct work *work, struct error *err)
{
	bool more;

	do {
		if (!scan_some(work, &more, err))
			return false;
	} while (more);
	return true;
}

static bool scan_unit(struct apply *in, bool *ret_more, struct error *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new();
	struct work work;

	work_start(&work, in, arena);
	return work_end(&work, work_begin(&work, err) && scan_some(&work, ret_more, err), err);
}

bool apply_scan(struct apply *in, struct error *err)
{
	bool more;

	do {
		if (!scan_unit(in, &more, err))
			return false;
	} while (more);
	return true;
}
