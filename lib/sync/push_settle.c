/* push_settle.c - what became of a request, as one unit. In order: done; refused; passing trouble;
 * push_settle; push_give_back; push_refuse. */
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "loop/backoff.h"
#include "record/mapping.h"
#include "record/record.h"
#include "store/store.h"
#include "sync/push_work.h"

#define MOST_TRIES     8 /* of one change */
#define FIRST_RETRY_MS 2000
#define MOST_RETRY_MS  ((int64_t)6 * 3600 * 1000)

static const char no_remedy[] = "correct the row, or the record; it is sent again when either, the "
				"mapping or the object changes, or with `leadsync retry`";

/* --- done --- */

static bool load(struct push_work *work, const char *id, struct link *ret, struct error *err)
{
	return work->work.ops->links(work->work.in->session, &id, 1, work->work.arena, ret, err) &&
	       (!ret->found ||
		work->work.ops->fields(work->work.in->session, &id, 1, work->work.arena, ret, err));
}

static bool put_link(struct push_work *work, const char *id, const struct link *link,
		     struct error *err)
{
	struct store_write write = { .remote_id = id, .puts_link = true, .link = *link };

	return work->work.ops->write(work->work.in->session, &write, 1, work->work.arena, err);
}

static bool end(struct push_work *work, const struct sent *sent, bool done, struct error *err)
{
	return work->work.ops->end_sent(work->work.in->session, sent->number, done, err);
}

static bool settle_update(struct push_work *work, const struct sent *sent, int64_t server_ms,
			  struct error *err)
{
	struct link link;

	if (!end(work, sent, true, err) || !load(work, sent->remote_id, &link, err))
		return false;
	work->work.counts.sent_updated++;
	if (!link.found)
		return true;
	pair_settle(link.fields, sent->values, sent->set, work->work.in->mapping->count);
	link.hash = sent->hash;
	link.written_ms = server_ms;
	return put_link(work, sent->remote_id, &link, err) &&
	       work->work.ops->unrefuse(work->work.in->session, sent->remote_id, NULL, sent->set,
					err);
}

static bool settle_create(struct push_work *work, const struct sent *sent,
			  const struct remote_result *result, int64_t server_ms, struct error *err)
{
	const char *id = result->id;
	struct link link;

	if (!load(work, id, &link, err))
		return false;
	work->work.counts.sent_created++;
	if (!link.found)
		link = (struct link){ .found = true, .fields = work_no_fields(&work->work) };
	pair_settle_birth(work->work.in->mapping, sent, link.fields);
	link.state = LINK_LIVE;
	link.key = sent->key;
	link.hash = (struct record_hash){ 0 }; /* what it holds besides is to be read */
	link.written_ms = server_ms;
	/* The link is made while its creation stands: it knows of the row what that knew. What was
	 * refused of the row is the pair's with it. */
	return put_link(work, id, &link, err) && end(work, sent, true, err) &&
	       work->work.ops->unrefuse(work->work.in->session, id, NULL, sent->set, err);
}

static bool settle_delete(struct push_work *work, const struct sent *sent, struct error *err)
{
	struct link link;

	if (!end(work, sent, true, err) || !load(work, sent->remote_id, &link, err))
		return false;
	work->work.counts.sent_deleted++;
	link.state = LINK_DELETED;
	link.fields = NULL;
	return !link.found || put_link(work, sent->remote_id, &link, err);
}

static bool settle_done(struct push_work *work, const struct sent *sent,
			const struct remote_result *result, int64_t server_ms, struct error *err)
{
	switch (sent->operation) {
	case SENT_CREATE: return settle_create(work, sent, result, server_ms, err);
	case SENT_UPDATE: return settle_update(work, sent, server_ms, err);
	case SENT_DELETE: break;
	}
	return settle_delete(work, sent, err);
}

/* --- not done --- */

/* Without the birth key: under that of what was answered stands nothing. */
static struct due due_again(const struct push_work *work, const struct sent *sent)
{
	struct due made = { .key = sent->key,
			    .edited_ms = sent->edited_ms,
			    .since_ms = work->work.in->now_ms,
			    .tries = sent->tries };

	strcpy(made.remote_id, sent->remote_id);
	/* Not under another key: an earlier attempt under this one may come yet. */
	strcpy(made.birth_key, sent->birth_key);
	return made;
}

static bool make_due(struct push_work *work, const struct due *due, struct error *err)
{
	return work->work.ops->put_due(work->work.in->session, due, true, err);
}

static void reject(struct push_work *work, const struct sent *sent, const char *field,
		   bool field_only, const struct record_hash *payload, const struct error *why)
{
	work_reject(&work->work,
		    &(struct store_reject){
			    .direction = TOLD_UP,
			    .remote_id = *sent->remote_id ? sent->remote_id : NULL,
			    .key = sent->key,
			    .code = arena_copy(work->work.arena, why->code, strlen(why->code)),
			    .field = field,
			    .field_only = field_only,
			    .text = arena_copy(work->work.arena, why->text, strlen(why->text)),
			    .remedy = no_remedy,
			    .payload = *payload });
}

/* As a whole: with its reject, which work_close() lists, it is due no longer until something
 * changes. */
static bool refuse_all(struct push_work *work, const struct sent *sent, const char *field,
		       const struct error *why, struct error *err)
{
	struct due due = due_again(work, sent);

	reject(work, sent, field, false, &sent->payload, why);
	return end(work, sent, false, err) && make_due(work, &due, err);
}

static size_t field_index(const struct push_work *work, const char *name)
{
	const struct mapping *mapping = work->work.in->mapping;

	for (size_t i = 0; i < mapping->count; i++)
		if (strcmp(mapping->fields[i].field, name) == 0)
			return i;
	return SIZE_MAX;
}

/* These fields are set aside, the others go by themselves at once. */
static bool refuse_fields(struct push_work *work, const struct sent *sent,
			  const char *const *fields, size_t count, const struct error *why,
			  struct error *err)
{
	struct due due = due_again(work, sent);
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		size_t at = field_index(work, fields[i]);
		struct record_hash payload;

		if (at == SIZE_MAX || !sent->set[at])
			continue;
		payload = push_field_payload(&work->work, sent->values, at);
		reject(work, sent, work->work.in->mapping->fields[at].field, true, &payload, why);
		any = true;
	}
	if (!any)
		return refuse_all(work, sent, NULL, why, err);
	return end(work, sent, false, err) && make_due(work, &due, err);
}

/* Only so often, then it is as good as refused. */
static bool try_again(struct push_work *work, const struct sent *sent, const struct error *why,
		      struct error *err)
{
	struct due due = due_again(work, sent);
	struct backoff backoff = { .first_ms = FIRST_RETRY_MS,
				   .most_ms = MOST_RETRY_MS,
				   .tries = sent->tries };

	if (sent->tries + 1 >= MOST_TRIES)
		return refuse_all(work, sent, NULL, why, err);
	due.tries = sent->tries + 1;
	due.not_before_ms = work->work.in->now_ms + backoff_next_ms(&backoff, why->retry_after_s);
	return end(work, sent, false, err) && make_due(work, &due, err);
}

/* The answer itself says that the record is deleted. */
static bool bury(struct push_work *work, const struct sent *sent, struct error *err)
{
	size_t count = work->work.in->mapping->count;
	struct record *record = work_take(&work->work, 1, sizeof(*record));

	*record = (struct record){ .id = arena_copy(work->work.arena, sent->remote_id, 18),
				   .deleted = true };
	record->values = memset(work_take(&work->work, count, sizeof(struct value)), 0,
				count * sizeof(struct value));
	if (!end(work, sent, false, err))
		return false;
	work_subjects(&work->work, &record, 1);
	return work_deletions(&work->work, err);
}

static bool settle_refused(struct push_work *work, const struct sent *sent,
			   const struct remote_result *result, struct error *ret_stop,
			   bool *ret_stops, struct error *err)
{
	const struct error *why = &result->err;
	struct due due;

	if (sent->operation == SENT_UPDATE && strcmp(why->code, "ENTITY_IS_DELETED") == 0)
		return bury(work, sent, err);
	switch (why->kind) {
	case ERROR_RETRY:
	case ERROR_STALE: return try_again(work, sent, why, err);
	case ERROR_FIELD:
		return refuse_fields(work, sent, (const char *const *)result->fields,
				     result->field_count, why, err);
	case ERROR_RECORD:
	case ERROR_BUG:
		return refuse_all(work, sent, result->field_count ? result->fields[0] : NULL, why,
				  err);
	case ERROR_QUOTA:
	case ERROR_LOGIN:
	case ERROR_HUMAN:
	case ERROR_STATE: break;
	}
	*ret_stop = *why;
	*ret_stops = true;
	due = due_again(work, sent);
	return end(work, sent, false, err) && make_due(work, &due, err);
}

/* --- a request --- */

static bool settle_unknown(struct push_work *work, const struct push_end *how, struct error *err)
{
	for (size_t i = 0; i < how->part.count; i++) {
		const struct sent *sent = &work->batch->sent[how->part.from + i];

		work->work.counts.unknown++;
		if (!work->work.ops->mark_unknown(work->work.in->session, sent->number, err))
			return false;
	}
	return true;
}

static bool settle_all(struct push_work *work, const struct push_end *how, struct error *ret_stop,
		       bool *ret_stops, struct error *err)
{
	/* An answer need not say its time; what was said last is not later. */
	int64_t server_ms = how->server_ms ? how->server_ms : work->work.in->server_ms;

	for (size_t i = 0; i < how->part.count; i++) {
		const struct sent *sent = &work->batch->sent[how->part.from + i];
		const struct remote_result *result = &how->results->records[i];
		bool ok = result->outcome == REMOTE_REFUSED
				  ? settle_refused(work, sent, result, ret_stop, ret_stops, err)
				  : settle_done(work, sent, result, server_ms, err);

		if (!ok)
			return false;
	}
	return true;
}

/* A unit of the batch's, in which what became of a part is written down. */
static bool begin_unit(struct push_work *work, struct apply *in, struct push_batch *batch,
		       struct error *err)
{
	*work = (struct push_work){ .batch = batch };
	work_start(&work->work, in, batch->arena);
	work_subjects(&work->work, NULL, 0);
	return work_begin(&work->work, err);
}

static bool end_unit(struct push_work *work, bool ok, struct error *err)
{
	struct run_counts before = work->work.in->counts;
	struct store_run line;

	ok = ok && work_close(&work->work, err);
	if (ok) {
		line = apply_line(work->work.in, "running");
		ok = work->work.ops->save_run(work->work.in->session, &line, err);
	}
	if (work_end(&work->work, ok, err))
		return true;
	work->work.in->counts = before;
	return false;
}

bool push_settle(struct apply *in, struct push_batch *batch, const struct push_end *how,
		 bool *ret_stops, struct error *ret_stop, struct error *err)
{
	struct push_work work;
	bool ok;

	*ret_stops = false;
	if (how->server_ms > in->server_ms)
		in->server_ms = how->server_ms;
	ok = begin_unit(&work, in, batch, err);
	if (ok && how->end == REMOTE_ANSWERED)
		ok = settle_all(&work, how, ret_stop, ret_stops, err);
	else if (ok)
		ok = settle_unknown(&work, how, err);
	return end_unit(&work, ok, err);
}

bool push_give_back(struct apply *in, struct push_batch *batch, const struct push_part *part,
		    struct error *err)
{
	struct push_work work;
	bool ok = begin_unit(&work, in, batch, err);

	for (size_t i = 0; ok && i < part->count; i++) {
		const struct sent *sent = &batch->sent[part->from + i];
		struct due due = due_again(&work, sent);

		ok = end(&work, sent, false, err) && make_due(&work, &due, err);
	}
	return end_unit(&work, ok, err);
}

bool push_refuse(struct apply *in, struct push_batch *batch, size_t at, const char *field,
		 const struct error *why, struct error *err)
{
	const struct sent *sent = &batch->sent[at];
	struct push_work work;
	bool ok = begin_unit(&work, in, batch, err);

	if (ok && field)
		ok = refuse_fields(&work, sent, &field, 1, why, err);
	else if (ok)
		ok = refuse_all(&work, sent, NULL, why, err);
	return end_unit(&work, ok, err);
}
