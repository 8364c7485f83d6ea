/* apply_deleted.c - records that are deleted, one after the other: the winner of one merge may be
 * the loser of the next. */
#include <string.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "record/record.h"
#include "store/store.h"
#include "sync/apply_work.h"

/* The table keeps the row: that the record is deleted is kept all the same, with the row's key. */
static bool bury(struct work *work, const struct subject *subject, struct error *err)
{
	struct store_write tombstone = { .remote_id = subject->record->id,
					 .puts_link = true,
					 .link = subject->result.write.link };

	tombstone.link.key = subject->link.key;
	return work->ops->write(work->in->session, &tombstone, 1, work->arena, err);
}

static bool gather(struct work *work, struct subject *subject, struct link *winner,
		   struct error *err)
{
	struct store_session *session = work->in->session;
	const char *id = subject->record->id;

	if (!work->ops->links(session, &id, 1, work->arena, &subject->link, err) ||
	    !work->ops->find_sent(session, &id, 1, work->arena, &subject->sent, err))
		return false;
	if (!subject->link.found)
		return work->ops->find_dues(session, &id, 1, &subject->due, err);
	if (!merge_needs_row(&work->in->rules, &subject->input))
		return true;
	pair_room(&subject->result.pair, work->in->mapping->count, work->arena);
	if (!work->ops->fields(session, &id, 1, work->arena, &subject->link, err) ||
	    !work->ops->find_dues(session, &id, 1, &subject->due, err))
		return false;
	if (subject->record->master_id) {
		subject->input.winner = winner;
		if (!work->ops->links(session, &subject->record->master_id, 1, work->arena, winner,
				      err))
			return false;
	}
	if (!work->ops->rows(session, &subject->link.key, 1, work->arena, &subject->row, err))
		return false;
	subject->input.row_is_linked = subject->row.found;
	subject->input.local_ms = work_server_time(work->in, subject->due.edited_ms);
	return true;
}

static bool write_deleted(struct work *work, struct subject *subject, struct error *err)
{
	struct merge_result *result = &subject->result;
	struct store_write winner = { .remote_id = subject->record->master_id,
				      .puts_link = true,
				      .link = result->winner_link };

	/* What it held with another row says nothing of this one: they are just matched. */
	if (result->repoints)
		winner.link.fields = work_no_fields(work);
	if (!work->ops->write(work->in->session, &result->write, 1, work->arena, err) ||
	    (result->repoints && !result->write.failed &&
	     !work->ops->write(work->in->session, &winner, 1, work->arena, err)) ||
	    (result->write.failed && !bury(work, subject, err)))
		return false;
	return !result->write.puts_link || !subject->record->master_id ||
	       work->ops->lineage(work->in->session, subject->record->id,
				  subject->record->master_id, work->in->id, work->in->now_ms, err);
}

/* Nothing is owed to it any more; and if it waited for a row, that one may belong to another now. */
static bool forgive(struct work *work, const struct subject *subject, struct error *err)
{
	struct store_session *session = work->in->session;

	if (subject->due.number && !work->ops->drop_due(session, subject->due.number, err))
		return false;
	if (!subject->link.found)
		return !subject->due.number || work->ops->wake_held(session, err);
	return work->ops->unrefuse(session, subject->record->id, NULL, NULL, err);
}

static bool apply_deleted(struct work *work, struct subject *subject, struct error *err)
{
	struct link winner;

	if (!gather(work, subject, &winner, err))
		return false;
	merge(&work->in->rules, &subject->input, &subject->result);
	subject->shows = subject->sent.operation == SENT_DELETE; /* else it never comes */
	return write_deleted(work, subject, err) && work_tell(work, subject, err) &&
	       forgive(work, subject, err);
}

bool work_deletions(struct work *work, struct error *err)
{
	static const struct value yes = { "1", 1 };
	size_t mark = work->in->rules.mark_field, live = 0;

	for (size_t i = 0; i < work->count; i++) {
		struct subject *subject = &work->subjects[i];

		if (!subject->record->deleted) {
			/* Its input points into itself. */
			if (live != i) {
				work->subjects[live] = *subject;
				work->subjects[live].input.link = &work->subjects[live].link;
				work->subjects[live].input.row = &work->subjects[live].row;
			}
			live++;
			continue;
		}
		if (mark != SIZE_MAX)
			subject->record->values[mark] = yes;
		if (!apply_deleted(work, subject, err))
			return false;
	}
	work->count = live;
	return true;
}
