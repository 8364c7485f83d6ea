/* push_rows.c - rows without a record: each is matched with the one that is its own, or has one made,
 * or waits. In order: candidates; matched; made; push_rows. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "record/record.h"
#include "store/store.h"
#include "sync/push_work.h"

#define MOST_CANDIDATES 4 /* are told of */

/* A row that is due. */
struct orphan {
	struct due *due;
	struct store_row row;
	struct store_owner owner; /* a tombstone, at most */
	struct record *record;    /* that is its own; NULL: none */
};

static bool same_folded(const struct value *a, const struct value *b)
{
	return a->text && b->text && a->len == b->len && strncasecmp(a->text, b->text, a->len) == 0;
}

static bool looks_alike(const struct apply *in, const struct store_row *row,
			const struct record *record)
{
	if (record->deleted || record->reject)
		return false;
	for (size_t i = 0; i < in->match_count; i++)
		if (!same_folded(&row->values[in->match[i]], &record->values[in->match[i]]))
			return false;
	return in->match_count;
}

/* Whether a record may be a row's own. */
enum standing {
	FREE,       /* it has no row; one whose row is gone may be found anew: a REPLACE is a row
		       that ends and another one */
	TAKEN,      /* it is another row's */
	ON_ITS_WAY, /* a write of it is unanswered: nobody can say before that is over */
};

static bool find_standing(struct push_work *work, const struct record *record, enum standing *ret,
			  struct error *err)
{
	const char *id = record->id;
	struct link link;
	struct sent sent;

	if (!work->work.ops->links(work->work.in->session, &id, 1, work->work.arena, &link, err) ||
	    !work->work.ops->find_sent(work->work.in->session, &id, 1, work->work.arena, &sent,
				       err))
		return false;
	if (sent.number)
		*ret = ON_ITS_WAY;
	else
		*ret = link.found && (link.state != LINK_LIVE || link.key.text) ? TAKEN : FREE;
	return true;
}

/* Records that look like the row and may be its own. */
struct candidates {
	struct record *records[MOST_CANDIDATES];
	size_t count;
	bool on_its_way; /* one of them */
};

static void add_candidate(struct candidates *to, struct record *record)
{
	for (size_t i = 0; i < to->count; i++)
		if (strcmp(to->records[i]->id, record->id) == 0)
			return;
	if (to->count < MOST_CANDIDATES)
		to->records[to->count++] = record;
}

static bool find_candidates(struct push_work *work, const struct orphan *orphan,
			    struct candidates *ret, struct error *err)
{
	const struct push_batch *batch = work->batch;

	*ret = (struct candidates){ 0 };
	for (size_t i = 0; i < batch->page_count; i++)
		for (size_t k = 0; k < batch->pages[i]->count; k++) {
			struct record *record = &batch->pages[i]->records[k];
			enum standing standing;

			if (!looks_alike(work->work.in, &orphan->row, record))
				continue;
			if (!find_standing(work, record, &standing, err))
				return false;
			ret->on_its_way |= standing == ON_ITS_WAY;
			if (standing == FREE)
				add_candidate(ret, record);
		}
	return true;
}

/* Several on either side: a conflict, never a guess. */
static bool tell_several(struct push_work *work, const struct orphan *orphan,
			 struct record *const *records, size_t count, size_t rows,
			 struct error *err)
{
	char reason[200];
	size_t used =
		(size_t)snprintf(reason, sizeof(reason),
				 "%zu row%s and %s%zu record%s look alike:", rows,
				 rows == 1 ? "" : "s", count == MOST_CANDIDATES ? "at least " : "",
				 count, count == 1 ? "" : "s");

	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(reason + used, sizeof(reason) - used, " %s",
					 records[i]->id);
	work->work.counts.conflicts++;
	return work->work.ops->conflict(work->work.in->session,
					&(struct store_conflict){
						.key = orphan->due->key,
						.kind = "several-matches",
						.winner = "",
						.reason = reason,
						.run = work->work.in->id,
						.at_ms = work->work.in->server_ms },
					err) &&
	       push_hold(work, orphan->due, err);
}

/* --- matched --- */

/* As if it had been read with its link: the first match decides each field. */
static void fill_subject(struct push_work *work, struct orphan *orphan, struct subject *subject)
{
	subject->link = (struct link){ .found = true,
				       .state = LINK_LIVE,
				       .key = orphan->due->key,
				       .fields = work_no_fields(&work->work) };
	subject->row = orphan->row;
	subject->owner = orphan->owner;
	subject->due = *orphan->due;
	subject->input.row_is_linked = true;
	subject->input.owner = &subject->owner;
	subject->input.local_ms = work_server_time(work->work.in, orphan->due->edited_ms);
	pair_room(&subject->result.pair, work->work.in->mapping->count, work->work.arena);
}

static bool merge_matched(struct push_work *work, struct orphan **matched, size_t count,
			  struct error *err)
{
	struct record **records = work_take(&work->work, count, sizeof(*records));

	for (size_t i = 0; i < count; i++)
		records[i] = matched[i]->record;
	work_subjects(&work->work, records, count);
	for (size_t i = 0; i < count; i++)
		fill_subject(work, matched[i], &work->work.subjects[i]);
	if (!work_merge(&work->work, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct subject *subject = &work->work.subjects[i];
		struct due due;

		if (subject->result.write.failed) {
			if (!push_hold(work, matched[i]->due, err))
				return false;
			continue;
		}
		/* The row's due became the pair's with the link. */
		if (!work->work.ops->find_dues(work->work.in->session,
					       (const char *const *)&subject->record->id, 1, &due,
					       err))
			return false;
		if (!work->work.ops->close_conflict(work->work.in->session, NULL,
						    &matched[i]->due->key, NULL, err) ||
		    !push_pair(work, &due, subject, err))
			return false;
	}
	return true;
}

/* --- made --- */

static void make_key(char out[33])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		abort(); /* not possible on a Linux that has finished booting */
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* What the new record is given: a blank is what it has anyway. */
static void fill_sent(struct push_work *work, const struct orphan *orphan, struct sent *sent)
{
	const struct mapping *mapping = work->work.in->mapping;

	for (size_t i = 0; i < mapping->count; i++) {
		const struct mapping_field *field = &mapping->fields[i];
		bool blank = value_is_null(&orphan->row.values[i]);

		sent->values[i] = orphan->row.values[i];
		sent->set[i] = field->direction != MAPPING_DOWN && field->createable && !blank;
	}
}

static bool make_record(struct push_work *work, const struct orphan *orphan, struct error *err)
{
	size_t count = work->work.in->mapping->count;
	struct sent sent = { .operation = SENT_CREATE, .key = orphan->due->key };
	bool sends;

	sent.values = work_take(&work->work, count, sizeof(*sent.values));
	sent.set = work_take(&work->work, count, sizeof(*sent.set));
	fill_sent(work, orphan, &sent);
	if (work->work.in->key_field && *orphan->due->birth_key)
		strcpy(sent.birth_key, orphan->due->birth_key);
	else if (work->work.in->key_field)
		make_key(sent.birth_key);
	return push_send(work, orphan->due, NULL, &sent, &sends, err);
}

static bool has_none(struct push_work *work, const struct orphan *orphan, struct error *err)
{
	struct apply *in = work->work.in;
	bool elsewhere;

	if (!work->work.ops->close_conflict(in->session, NULL, &orphan->due->key, NULL, err) ||
	    !work->work.ops->is_elsewhere(in->session, &orphan->due->key, &elsewhere, err))
		return false;
	/* A deleted pair is not made again without consent, and a person is one record. */
	if (!in->creates_records || orphan->owner.found || elsewhere)
		return work->work.ops->drop_due(in->session, orphan->due->number, err);
	if (!in->key_field && !in->creates_unsafe)
		return push_hold(work, orphan->due, err);
	return make_record(work, orphan, err);
}

/* --- all --- */

/* Made under its key after all, and deleted since: a tombstone. */
static bool bury(struct push_work *work, const struct orphan *orphan, const struct record *record,
		 struct error *err)
{
	struct store_write write = {
		.remote_id = record->id,
		.puts_link = true,
		.link = { .found = true, .state = LINK_DELETED, .key = orphan->due->key }
	};
	struct due due;

	/* What the row owes does not become the pair's, as nothing is owed to a tombstone. */
	if (!work->work.ops->write(work->work.in->session, &write, 1, work->work.arena, err) ||
	    !work->work.ops->drop_due(work->work.in->session, orphan->due->number, err) ||
	    !work->work.ops->find_dues(work->work.in->session, (const char *const *)&record->id, 1,
				       &due, err))
		return false;
	return !due.number || work->work.ops->drop_due(work->work.in->session, due.number, err);
}

/* By what a person said, or by the key under which it was to be made. */
static bool take_named(struct push_work *work, struct orphan *orphan, struct record *named,
		       struct error *err)
{
	enum standing standing;

	if (named->deleted)
		return bury(work, orphan, named, err);
	if (!find_standing(work, named, &standing, err))
		return false;
	switch (standing) {
	case FREE: orphan->record = named; break;
	case TAKEN: return tell_several(work, orphan, &named, 1, 2, err);
	case ON_ITS_WAY: break; /* it stays due */
	}
	return true;
}

static bool take_candidate(struct push_work *work, struct orphan *orphan, struct error *err)
{
	struct candidates found;
	struct value rows[2];
	size_t row_count = 1;

	if (!find_candidates(work, orphan, &found, err))
		return false;
	if (found.on_its_way)
		return true; /* it stays due */
	if (!found.count)
		return has_none(work, orphan, err);
	if (!work->work.in->match_is_key &&
	    !work->work.ops->matches(work->work.in->session,
				     work_match_values(&work->work, orphan->row.values), 2,
				     work->work.arena, rows, &row_count, err))
		return false;
	if (found.count > 1 || row_count > 1)
		return tell_several(work, orphan, found.records, found.count, row_count, err);
	orphan->record = found.records[0];
	return true;
}

static bool settle_orphan(struct push_work *work, struct orphan *orphan, struct error *err)
{
	struct record *named = NULL;

	if (*orphan->due->chosen)
		named = push_find(work->batch, orphan->due->chosen);
	if (named && named->deleted)
		named = NULL; /* it never was the row's own */
	if (!*orphan->due->chosen && *orphan->due->birth_key)
		named = push_find_key(work->batch, orphan->due->birth_key);
	return named ? take_named(work, orphan, named, err) : take_candidate(work, orphan, err);
}

/* Under this key it is due no longer: another row may be. */
static bool forget_row(struct push_work *work, const struct due *due, struct error *err)
{
	struct due now;

	if (!work->work.ops->find_row_due(work->work.in->session, &due->key, &now, err))
		return false;
	return (due->key.text && now.number != due->number) ||
	       work->work.ops->drop_due(work->work.in->session, due->number, err);
}

/* As it is since the marks of what happened meanwhile were met. */
static bool renew(struct push_work *work, struct due *due, struct error *err)
{
	struct due now;

	if (!work->work.ops->find_row_due(work->work.in->session, &due->key, &now, err))
		return false;
	if (now.number == due->number)
		*due = now;
	return true;
}

static bool look_at(struct push_work *work, struct orphan *orphan, bool *ret_open,
		    struct error *err)
{
	struct apply *in = work->work.in;

	if (!renew(work, orphan->due, err))
		return false;
	if (!work->work.ops->rows(in->session, &orphan->due->key, 1, work->work.arena, &orphan->row,
				  err) ||
	    !work->work.ops->owners(in->session, &orphan->due->key, 1, &orphan->owner, err))
		return false;
	*ret_open =
		orphan->row.found && (!orphan->owner.found || orphan->owner.state == LINK_DELETED);
	return *ret_open || forget_row(work, orphan->due, err);
}

static bool is_given(struct orphan *const *matched, size_t count, const struct record *record)
{
	for (size_t i = 0; i < count; i++)
		if (matched[i]->record == record)
			return true;
	return false;
}

bool push_rows(struct push_work *work, struct error *err)
{
	struct push_batch *batch = work->batch;
	struct orphan *orphans = work_take(&work->work, batch->count, sizeof(*orphans));
	struct orphan **matched = work_take(&work->work, batch->count, sizeof(*matched));
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct orphan *orphan = &orphans[i];
		bool open;

		*orphan = (struct orphan){ .due = &batch->dues[i] };
		if (!look_at(work, orphan, &open, err) ||
		    (open && !settle_orphan(work, orphan, err)))
			return false;
		if (!orphan->record)
			continue;
		if (!is_given(matched, count, orphan->record))
			matched[count++] = orphan;
		else if (!tell_several(work, orphan, &orphan->record, 1, 2, err))
			return false;
	}
	return merge_matched(work, matched, count, err);
}
