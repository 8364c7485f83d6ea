#include "sync/apply_work.h"

#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "record/mapping.h"
#include "record/record.h"
#include "store/store.h"
#include "sync/sync_store_worker.h"

void work_start(struct work *work, struct apply *in, struct arena *arena)
{
	*work = (struct work){ .in = in, .ops = apply_ops(in), .arena = arena };
}

void *work_take(struct work *work, size_t count, size_t size)
{
	return arena_take(work->arena, (count ? count : 1) * size);
}

bool work_begin(struct work *work, struct error *err)
{
	return work->ops->begin(work->in->session, err);
}

static void log_rejects(struct apply *in, const struct reject_list *rejects)
{
	for (size_t i = 0; i < rejects->count; i++) {
		const struct store_reject *reject = &rejects->items[i];

		if (in->reject_lines++ < APPLY_REJECT_LINES)
			log_warning("rejected", LOG_STR("job", in->job), LOG_STR("run", in->id),
				    LOG_STR("direction",
					    reject->direction == TOLD_UP ? "up" : "down"),
				    LOG_STR("code", reject->code), LOG_STR("field", reject->field),
				    LOG_STR("record", reject->remote_id));
	}
}

bool work_end(struct work *work, bool ok, struct error *err)
{
	struct apply *in = work->in;
	bool written = ok && work->ops->has_written(in->session);

	if (ok && work->ops->commit(in->session, err)) {
		if (written)
			sync_store_touched(in->store, in->job);
		in->noted |= written;
		log_rejects(in, &work->kept);
		log_rejects(in, &work->rejects);
		return true;
	}
	work->ops->rollback(in->session);
	sync_store_suspect(in->store);
	return false;
}

void work_subjects(struct work *work, struct record **records, size_t count)
{
	work->subjects = work_take(work, count, sizeof(*work->subjects));
	work->count = count;
	for (size_t i = 0; i < count; i++) {
		struct subject *subject = &work->subjects[i];

		*subject = (struct subject){ .record = records[i] };
		subject->hash = record_hash_of(records[i], work->in->mapping->count);
		subject->input = (struct merge_input){ .record = subject->record,
						       .hash = subject->hash,
						       .link = &subject->link,
						       .row = &subject->row,
						       .asked = work->asked };
	}
}

void work_settled(struct work *work, const char *remote_id)
{
	if (work->settled_count == work->settled_room) {
		size_t room = work->settled_room ? 2 * work->settled_room : 64;
		const char **more = work_take(work, room, sizeof(*more));

		if (work->settled_count)
			memcpy(more, work->settled, work->settled_count * sizeof(*more));
		work->settled = more;
		work->settled_room = room;
	}
	work->settled[work->settled_count++] = remote_id;
}

static struct store_reject *add_reject(struct work *work, struct reject_list *to)
{
	if (to->count == to->room) {
		size_t room = to->room ? 2 * to->room : 16;
		struct store_reject *more = work_take(work, room, sizeof(*more));

		if (to->count)
			memcpy(more, to->items, to->count * sizeof(*more));
		to->items = more;
		to->room = room;
	}
	return &to->items[to->count++];
}

void work_reject(struct work *work, const struct store_reject *reject)
{
	struct store_reject *made = add_reject(work, &work->rejects);

	*made = *reject;
	made->run = work->in->id;
	made->at_ms = work->in->now_ms;
	if (reject->direction == TOLD_DOWN)
		work->counts.rejected++;
	else
		work->counts.refused++;
}

static const char *copy_of(struct work *work, const char *text)
{
	return text ? arena_copy(work->arena, text, strlen(text)) : NULL;
}

void work_keep_rejects(struct work *to, const struct work *from)
{
	for (size_t i = 0; i < from->rejects.count; i++) {
		const struct store_reject *reject = &from->rejects.items[i];

		*add_reject(to, &to->kept) = (struct store_reject){
			.direction = reject->direction,
			.remote_id = copy_of(to, reject->remote_id),
			.code = copy_of(to, reject->code),
			.field = copy_of(to, reject->field),
		};
	}
}

static void add_counts(struct run_counts *to, const struct run_counts *more)
{
	to->read += more->read;
	to->inserted += more->inserted;
	to->updated += more->updated;
	to->deleted += more->deleted;
	to->unchanged += more->unchanged;
	to->rejected += more->rejected;
	to->out_of_sight += more->out_of_sight;
	to->sent_created += more->sent_created;
	to->sent_updated += more->sent_updated;
	to->sent_deleted += more->sent_deleted;
	to->refused += more->refused;
	to->unknown += more->unknown;
	to->conflicts += more->conflicts;
	to->put_back += more->put_back;
}

bool work_close(struct work *work, struct error *err)
{
	for (size_t i = 0; i < work->rejects.count; i++)
		if (!work->ops->reject(work->in->session, &work->rejects.items[i], err))
			return false;
	if (!work->ops->unreject(work->in->session, work->settled, work->settled_count, err))
		return false;
	add_counts(&work->in->counts, &work->counts);
	return true;
}
