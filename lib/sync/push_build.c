/* push_build.c - what was found is merged, and what the remote gets is journaled: one unit. In order:
 * what was found; a patch; pairs; what was unanswered; push_build. Rows are in push_rows.c. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "record/record.h"
#include "store/store.h"
#include "sync/push_work.h"

struct record *push_find(const struct push_batch *batch, const char *id)
{
	for (size_t i = 0; i < batch->page_count; i++)
		for (size_t k = 0; k < batch->pages[i]->count; k++)
			if (strcmp(batch->pages[i]->records[k].id, id) == 0)
				return &batch->pages[i]->records[k];
	return NULL;
}

struct record *push_find_key(const struct push_batch *batch, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < batch->page_count; i++)
		for (size_t k = 0; k < batch->pages[i]->count; k++) {
			struct record *record = &batch->pages[i]->records[k];

			if (record->key.text && record->key.len == len &&
			    memcmp(record->key.text, key, len) == 0)
				return record;
		}
	return NULL;
}

/* --- a patch --- */

struct record_hash push_field_payload(const struct work *work, const struct value *values,
				      size_t field)
{
	size_t size = work->in->mapping->count * sizeof(bool);
	bool *only = memset(arena_take(work->arena, size), 0, size);

	only[field] = true;
	return record_hash_of_set(values, only, work->in->mapping->count);
}

/* Leaves out what was refused before just so. */
static bool leave_out_refused(struct push_work *work, struct sent *sent, bool *ret_refused,
			      struct error *err)
{
	const struct mapping *mapping = work->work.in->mapping;
	const char *id = *sent->remote_id ? sent->remote_id : NULL;
	struct store_reject *refusals;
	size_t count;

	*ret_refused = false;
	if (!work->work.ops->refusals(work->work.in->session, id, &sent->key, work->work.arena,
				      &refusals, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; refusals[i].field_only && k < mapping->count; k++) {
			struct record_hash payload;

			if (!sent->set[k] || strcmp(mapping->fields[k].field, refusals[i].field))
				continue;
			payload = push_field_payload(&work->work, sent->values, k);
			if (record_hash_equal(&payload, &refusals[i].payload)) {
				sent->set[k] = false;
				*ret_refused = true;
			}
		}
	sent->payload = record_hash_of_set(sent->values, sent->set, mapping->count);
	for (size_t i = 0; i < count; i++) {
		if (refusals[i].field_only ||
		    !record_hash_equal(&sent->payload, &refusals[i].payload))
			continue;
		memset(sent->set, 0, mapping->count * sizeof(*sent->set));
		*ret_refused = true;
	}
	return true;
}

static bool is_canonical(struct push_work *work, size_t field, const struct value *value,
			 struct error *err)
{
	const struct mapping_field *mapped = &work->work.in->mapping->fields[field];
	struct value canonical;

	return value_canonical(mapped->type, mapped->scale, value->text, value->len,
			       work->work.arena, &canonical, err) &&
	       (value_equal(&canonical, value) || mapped->type == VALUE_BOOLEAN ||
		error_set(err, ERROR_FIELD, "bad-value", "not in its canonical form"));
}

/* One bad literal would fail all that are sent with it: it is refused here, by itself. */
static void leave_out_bad(struct push_work *work, struct sent *sent, bool *ret_refused)
{
	const struct mapping *mapping = work->work.in->mapping;

	for (size_t i = 0; i < mapping->count; i++) {
		struct error why;

		if (!sent->set[i] || is_canonical(work, i, &sent->values[i], &why))
			continue;
		work_reject(&work->work,
			    &(struct store_reject){
				    .direction = TOLD_UP,
				    .remote_id = *sent->remote_id ? arena_copy(work->work.arena,
									       sent->remote_id, 18)
								  : NULL,
				    .key = sent->key,
				    .code = "bad-value",
				    .field = mapping->fields[i].field,
				    .field_only = true,
				    .text = arena_copy(work->work.arena, why.text,
						       strlen(why.text)),
				    .remedy = "correct the value in the row",
				    .payload = push_field_payload(&work->work, sent->values, i) });
		sent->set[i] = false;
		*ret_refused = true;
	}
}

static bool is_empty(const struct sent *sent, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (sent->set[i])
			return false;
	return true;
}

/* Of the record as it will be, if it keeps what it is given. */
static struct record_hash hash_after(struct push_work *work, const struct record *record,
				     const struct sent *sent)
{
	size_t count = work->work.in->mapping->count;
	struct value *values = work_take(&work->work, count, sizeof(*values));
	struct record after = { .values = values };

	for (size_t i = 0; i < count; i++)
		values[i] = sent->set[i] ? sent->values[i] : record->values[i];
	return record_hash_of(&after, count);
}

/* Of a record that is yet to be made: nothing. */
static struct value *before_of(struct push_work *work, const struct record *record)
{
	size_t size = work->work.in->mapping->count * sizeof(struct value);

	return record ? record->values : memset(work_take(&work->work, 1, size), 0, size);
}

bool push_send(struct push_work *work, const struct due *due, const struct record *record,
	       struct sent *sent, bool *ret_sends, struct error *err)
{
	struct due rejected = *due;
	bool refused = false;

	*ret_sends = true;
	if (sent->operation != SENT_DELETE) {
		if (!leave_out_refused(work, sent, &refused, err))
			return false;
		leave_out_bad(work, sent, &refused);
		sent->payload =
			record_hash_of_set(sent->values, sent->set, work->work.in->mapping->count);
		*ret_sends = !is_empty(sent, work->work.in->mapping->count);
	}
	if (!*ret_sends) {
		rejected.state = DUE_REJECTED;
		return refused ? work->work.ops->set_due(work->work.in->session, &rejected, err)
			       : work->work.ops->drop_due(work->work.in->session, due->number, err);
	}
	sent->before = before_of(work, record);
	if (record)
		sent->hash = hash_after(work, record, sent);
	sent->edited_ms = due->edited_ms;
	sent->tries = due->tries;
	sent->run = work->work.in->id;
	sent->sent_ms = work->batch->server_ms ? work->batch->server_ms : work->work.in->server_ms;
	if (!work->work.ops->put_sent(work->work.in->session, sent, err) ||
	    !work->work.ops->drop_due(work->work.in->session, due->number, err))
		return false;
	work->batch->sent[work->batch->sent_count++] = *sent;
	return true;
}

/* --- pairs --- */

bool push_pair(struct push_work *work, const struct due *due, const struct subject *subject,
	       struct error *err)
{
	const struct merge_result *result = &subject->result;
	struct sent sent = { .operation = result->owes_delete ? SENT_DELETE : SENT_UPDATE,
			     .key = result->write.link.key,
			     .values = result->pair.values,
			     .set = result->pair.remote };
	bool sends = false;

	strcpy(sent.remote_id, subject->record->id);
	if (result->owes_delete) {
		sent.key = (struct value){ 0 };
		memset(sent.set, 0, work->work.in->mapping->count * sizeof(*sent.set));
	}
	if (merge_owes(result)) {
		if (!push_send(work, due, subject->record, &sent, &sends, err))
			return false;
	} else if (!work->work.ops->drop_due(work->work.in->session, due->number, err) ||
		   !work->work.ops->unrefuse(work->work.in->session, sent.remote_id, NULL, NULL,
					     err)) {
		return false;
	}
	return work_list(&work->work, subject, sends ? sent.number : 0, err);
}

bool push_hold(struct push_work *work, const struct due *due, struct error *err)
{
	struct due held = *due;

	held.state = DUE_HELD;
	return work->work.ops->set_due(work->work.in->session, &held, err);
}

static bool build_pair(struct push_work *work, const struct due *due, const struct subject *subject,
		       struct error *err)
{
	struct store_session *session = work->work.in->session;

	if (subject->frozen)
		return true;
	if (subject->result.count == MERGE_WAITS)
		return push_hold(work, due, err);
	if (subject->result.write.failed || !subject->link.found ||
	    subject->result.count == MERGE_REJECTED)
		return work->work.ops->drop_due(session, due->number, err);
	return push_pair(work, due, subject, err);
}

/* Nothing was shown of it: it is out of sight, and stays as it is until it is shown again. */
static bool park(struct push_work *work, const struct due *due, struct error *err)
{
	const char *id = due->remote_id;
	struct store_write write = { .remote_id = id, .puts_link = true };
	struct link link;

	if (!work->work.ops->links(work->work.in->session, &id, 1, work->work.arena, &link, err) ||
	    !work->work.ops->drop_due(work->work.in->session, due->number, err))
		return false;
	if (!link.found || link.state != LINK_LIVE)
		return true;
	work->work.counts.out_of_sight++;
	write.link = link;
	write.link.state = LINK_OUT_OF_SIGHT;
	return work->work.ops->write(work->work.in->session, &write, 1, work->work.arena, err);
}

static const struct due *due_of(const struct push_batch *batch, const char *id)
{
	for (size_t i = 0; i < batch->count; i++)
		if (strcmp(batch->dues[i].remote_id, id) == 0)
			return &batch->dues[i];
	return NULL;
}

/* As they are since the marks of what happened meanwhile were met. */
static bool renew_dues(struct push_work *work, struct error *err)
{
	struct push_batch *batch = work->batch;

	for (size_t i = 0; i < batch->count; i++) {
		const char *id = batch->dues[i].remote_id;
		struct due now;

		if (!work->work.ops->find_dues(work->work.in->session, &id, 1, &now, err))
			return false;
		if (now.number)
			batch->dues[i] = now;
	}
	return true;
}

static bool build_pairs(struct push_work *work, struct error *err)
{
	struct push_batch *batch = work->batch;
	struct record **found = work_take(&work->work, batch->count, sizeof(*found));
	size_t count = 0;

	if (!renew_dues(work, err))
		return false;
	for (size_t i = 0; i < batch->count; i++) {
		struct record *record = push_find(batch, batch->dues[i].remote_id);

		if (record)
			found[count++] = record;
		else if (!park(work, &batch->dues[i], err))
			return false;
	}
	work_subjects(&work->work, found, count);
	for (size_t i = 0; i < count; i++)
		work->work.subjects[i].due = *due_of(batch, found[i]->id);
	if (!work_deletions(&work->work, err) || !work_pairs(&work->work, err))
		return false;
	for (size_t i = 0; i < work->work.count; i++) {
		const struct subject *subject = &work->work.subjects[i];

		if (!build_pair(work, due_of(batch, subject->record->id), subject, err))
			return false;
	}
	return true;
}

/* --- what was unanswered --- */

/* There is nothing under the key: the creation is due again, under the same one, so that the first
 * could still come without doing harm. */
static bool bear_again(struct push_work *work, const struct sent *sent, struct error *err)
{
	struct due due = { .key = sent->key,
			   .edited_ms = sent->edited_ms,
			   .since_ms = work->work.in->now_ms,
			   .tries = sent->tries };

	strcpy(due.birth_key, sent->birth_key);
	if (!*sent->birth_key && due.key.text)
		work_reject(
			&work->work,
			&(struct store_reject){
				.direction = TOLD_UP,
				.key = due.key,
				.code = "creation-unanswered",
				.text = "a record was asked for, without a key to find it by, and "
					"the answer was lost: it may be there or not",
				.remedy = "look for it in Salesforce: if it is there, `leadsync "
					  "resolve JOB KEY --record ID`, else `leadsync retry`",
				.payload = sent->payload });
	return work->work.ops->end_sent(work->work.in->session, sent->number, false, err) &&
	       (!due.key.text || /* its row is gone: there is nobody to make it for */
		work->work.ops->put_due(work->work.in->session, &due, true, err));
}

/* It was made, and somebody deleted it: not made again without consent. */
static bool mourn(struct push_work *work, const struct sent *sent, const struct record *record,
		  struct error *err)
{
	struct store_write write = {
		.remote_id = record->id,
		.puts_link = true,
		.link = { .found = true, .state = LINK_DELETED, .key = sent->key }
	};
	struct due due;

	return work->work.ops->end_sent(work->work.in->session, sent->number, true, err) &&
	       work->work.ops->write(work->work.in->session, &write, 1, work->work.arena, err) &&
	       work->work.ops->find_dues(work->work.in->session, (const char *const *)&record->id,
					 1, &due, err) &&
	       (!due.number || work->work.ops->drop_due(work->work.in->session, due.number, err));
}

static bool lose(struct push_work *work, const struct sent *sent, struct error *err)
{
	const char *id = sent->remote_id;
	struct store_write write = { .remote_id = id, .puts_link = true };
	struct link link;

	if (!work->work.ops->end_sent(work->work.in->session, sent->number,
				      sent->operation == SENT_DELETE, err) ||
	    !work->work.ops->links(work->work.in->session, &id, 1, work->work.arena, &link, err))
		return false;
	if (!link.found || link.state != LINK_LIVE)
		return true;
	write.link = link;
	/* Compared as soon as it is shown again. */
	write.link.hash = (struct record_hash){ 0 };
	/* We asked for it to be deleted, and it is nowhere. */
	write.link.state = sent->operation == SENT_DELETE ? LINK_DELETED : LINK_OUT_OF_SIGHT;
	work->work.counts.out_of_sight += write.link.state == LINK_OUT_OF_SIGHT;
	return work->work.ops->write(work->work.in->session, &write, 1, work->work.arena, err);
}

static bool build_unanswered(struct push_work *work, struct error *err)
{
	struct push_batch *batch = work->batch;
	struct record **found = work_take(&work->work, batch->count, sizeof(*found));
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++) {
		const struct sent *sent = &batch->unanswered[i];
		bool born = sent->operation == SENT_CREATE;
		struct record *record = born ? push_find_key(batch, sent->birth_key)
					     : push_find(batch, sent->remote_id);
		bool ok = true;

		if (born && !record)
			ok = bear_again(work, sent, err);
		else if (born && record->deleted)
			ok = mourn(work, sent, record, err);
		else if (!record)
			ok = lose(work, sent, err);
		else
			found[count++] = record;
		if (!ok)
			return false;
	}
	work->work.builds = false;
	work->work.given_up = true;
	work_subjects(&work->work, found, count);
	return work_deletions(&work->work, err) && work_pairs(&work->work, err);
}

/* --- all --- */

/* Each operation by itself, since each is a request of its own. */
static int by_operation(const void *a, const void *b)
{
	const struct sent *one = a, *other = b;

	if (one->operation != other->operation)
		return one->operation < other->operation ? -1 : 1;
	return one->number < other->number ? -1 : one->number > other->number;
}

enum remote_operation push_operation(const struct push_batch *batch, size_t at)
{
	switch (batch->sent[at].operation) {
	case SENT_CREATE: return batch->has_key ? REMOTE_UPSERT : REMOTE_CREATE;
	case SENT_UPDATE: return REMOTE_UPDATE;
	case SENT_DELETE: break;
	}
	return REMOTE_DELETE;
}

static bool build(struct push_work *work, struct error *err)
{
	switch (work->batch->kind) {
	case PUSH_UNANSWERED: return build_unanswered(work, err);
	case PUSH_ROWS: return push_rows(work, err);
	case PUSH_PAIRS: return build_pairs(work, err);
	case PUSH_END: break;
	}
	return true;
}

bool push_build(struct apply *in, struct push_batch *batch, struct error *err)
{
	struct run_counts before = in->counts;
	struct push_work work = { .batch = batch };
	bool ok;

	if (batch->server_ms > in->server_ms)
		in->server_ms = batch->server_ms;
	work_start(&work.work, in, batch->arena);
	work.work.asked = work.work.builds = true;
	batch->sent = work_take(&work.work, batch->count, sizeof(*batch->sent));
	batch->has_key = in->key_field;
	ok = work_begin(&work.work, err) && work_scan(&work.work, err) && build(&work, err) &&
	     work_close(&work.work, err);
	if (work_end(&work.work, ok, err)) {
		qsort(batch->sent, batch->sent_count, sizeof(*batch->sent), by_operation);
		return true;
	}
	in->counts = before;
	batch->sent_count = 0;
	return false;
}
