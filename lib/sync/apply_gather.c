/* apply_gather.c - what the store knows of records that live: links, unanswered writes, rows by link or
 * natural key, rows that look alike, fields and dues. In that order; work_gather(). */
#include <string.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "record/record.h"
#include "store/store.h"
#include "sync/apply_work.h"

static bool gather_links(struct work *work, struct error *err)
{
	const char **ids = work_take(work, work->count, sizeof(*ids));
	struct link *links = work_take(work, work->count, sizeof(*links));

	for (size_t i = 0; i < work->count; i++)
		ids[i] = work->subjects[i].record->id;
	if (!work->ops->links(work->in->session, ids, work->count, work->arena, links, err))
		return false;
	for (size_t i = 0; i < work->count; i++)
		work->subjects[i].link = links[i];
	return true;
}

/* A deletion did not come if the record is shown to live. */
static void thaw(struct work *work, struct subject *subject)
{
	bool deletion = subject->sent.operation == SENT_DELETE;

	subject->shows =
		!deletion && pair_shows(&subject->sent, subject->record, work->in->mapping->count);
	subject->frozen = !subject->shows && !work->given_up;
	if (subject->frozen)
		return;
	subject->input.asked = true;
	if (!deletion)
		subject->input.sent = &subject->sent;
}

/* The fields of what was never settled: none of them is. */
struct link_field *work_no_fields(struct work *work)
{
	size_t size = work->in->mapping->count * sizeof(struct link_field);

	return memset(work_take(work, 1, size), 0, size);
}

/* An earlier attempt, given up for lost, came after all: what was sent with it is not known any more,
 * so they are just matched. */
static bool gather_late_birth(struct work *work, struct subject *subject, const struct value *key,
			      struct error *err)
{
	struct due due;

	if (!work->ops->find_born_due(work->in->session, key, work->arena, &due, err))
		return false;
	if (due.number)
		subject->link = (struct link){ .found = true,
					       .state = LINK_LIVE,
					       .key = due.key,
					       .fields = work_no_fields(work) };
	return true;
}

/* A record that carries a key of ours is the row's for which it was made, its answer being lost. */
static bool gather_births(struct work *work, struct error *err)
{
	struct value *keys = work_take(work, work->count, sizeof(*keys));
	struct sent *births = work_take(work, work->count, sizeof(*births));

	for (size_t i = 0; i < work->count; i++)
		keys[i] = work->subjects[i].link.found ? (struct value){ 0 }
						       : work->subjects[i].record->key;
	if (!work->ops->find_births(work->in->session, keys, work->count, work->arena, births, err))
		return false;
	for (size_t i = 0; i < work->count; i++) {
		struct subject *subject = &work->subjects[i];

		if (!births[i].number) {
			if (!gather_late_birth(work, subject, &keys[i], err))
				return false;
			continue;
		}
		subject->sent = births[i];
		subject->link = (struct link){ .found = true,
					       .state = LINK_LIVE,
					       .key = births[i].key,
					       .fields = work_no_fields(work) };
		pair_settle_birth(work->in->mapping, &subject->sent, subject->link.fields);
		subject->shows = true;
		subject->input.sent = &subject->sent;
	}
	return true;
}

static bool gather_sent(struct work *work, struct error *err)
{
	const char **ids = work_take(work, work->count, sizeof(*ids));
	struct sent *sent = work_take(work, work->count, sizeof(*sent));

	for (size_t i = 0; i < work->count; i++)
		ids[i] = work->subjects[i].record->id;
	if (!work->ops->find_sent(work->in->session, ids, work->count, work->arena, sent, err))
		return false;
	for (size_t i = 0; i < work->count; i++) {
		struct subject *subject = &work->subjects[i];

		if (!sent[i].number || !subject->link.found)
			continue;
		subject->sent = sent[i];
		if (!work->ops->fields(work->in->session, &ids[i], 1, work->arena, &subject->link,
				       err))
			return false;
		thaw(work, subject);
	}
	return gather_births(work, err);
}

static bool is_looked_at(const struct work *work, const struct subject *subject)
{
	return !subject->frozen && merge_needs_row(&work->in->rules, &subject->input);
}

/* By link where there is one. */
static bool gather_linked_rows(struct work *work, struct error *err)
{
	struct value *keys = work_take(work, work->count, sizeof(*keys));
	struct store_row *rows = work_take(work, work->count, sizeof(*rows));

	for (size_t i = 0; i < work->count; i++) {
		const struct subject *subject = &work->subjects[i];

		keys[i] = is_looked_at(work, subject) && subject->link.found ? subject->link.key
									     : (struct value){ 0 };
	}
	if (!work->ops->rows(work->in->session, keys, work->count, work->arena, rows, err))
		return false;
	for (size_t i = 0; i < work->count; i++) {
		work->subjects[i].row = rows[i];
		work->subjects[i].input.row_is_linked = rows[i].found;
	}
	return true;
}

/* Rows that records of this unit have already, by the key that each row holds. */
struct claims {
	const struct subject **slots;
	size_t size;
	size_t key_field;
};

/* FNV-1a: only to spread keys over a small table. */
static size_t spread(const struct value *key)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < key->len; i++)
		hash = (hash ^ (unsigned char)key->text[i]) * 16777619u;
	return hash;
}

/* Whose the row is; `subject`, if nobody's yet. */
static const struct subject *claim(struct claims *in, const struct subject *subject)
{
	const struct value *key = &subject->row.values[in->key_field];
	size_t at = spread(key) & (in->size - 1);

	while (in->slots[at] && !value_equal(&in->slots[at]->row.values[in->key_field], key))
		at = (at + 1) & (in->size - 1);
	if (!in->slots[at])
		in->slots[at] = subject;
	return in->slots[at];
}

static void claim_linked(struct work *work, struct claims *ret)
{
	*ret = (struct claims){ .size = 16, .key_field = work->in->rules.key_field };
	while (ret->size < 2 * work->count)
		ret->size *= 2;
	ret->slots = work_take(work, ret->size, sizeof(*ret->slots));
	memset(ret->slots, 0, ret->size * sizeof(*ret->slots));
	for (size_t i = 0; i < work->count; i++)
		if (work->subjects[i].input.row_is_linked)
			claim(ret, &work->subjects[i]);
}

/* One row is one record's: the first of the unit that has it or asks for it. */
static void claim_natural(struct work *work, const size_t *which, size_t count)
{
	struct claims claims;

	claim_linked(work, &claims);
	for (size_t i = 0; i < count; i++) {
		struct subject *subject = &work->subjects[which[i]];
		const struct subject *first;

		if (!subject->row.found)
			continue;
		first = claim(&claims, subject);
		if (first == subject)
			continue;
		subject->owner = (struct store_owner){ .found = true, .state = LINK_LIVE };
		strcpy(subject->owner.remote_id, first->record->id);
	}
}

/* Where the link leads nowhere, by the record's own key. The table may find a row by a key that is
 * not spelled alike (COLLATE NOCASE): its link has the row's own spelling. */
static bool gather_natural_rows(struct work *work, struct error *err)
{
	size_t key_field = work->in->rules.key_field, count = 0;
	struct value *keys = work_take(work, work->count, sizeof(*keys));
	size_t *which = work_take(work, work->count, sizeof(*which));
	struct store_row *rows;
	struct store_owner *owners;

	for (size_t i = 0; i < work->count; i++) {
		struct subject *subject = &work->subjects[i];

		if (subject->row.found || !subject->record->values[key_field].text ||
		    !is_looked_at(work, subject))
			continue;
		keys[count] = subject->record->values[key_field];
		which[count++] = i;
	}
	rows = work_take(work, count, sizeof(*rows));
	owners = work_take(work, count, sizeof(*owners));
	if (!work->ops->rows(work->in->session, keys, count, work->arena, rows, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (rows[i].found)
			keys[i] = rows[i].values[key_field];
	if (!work->ops->owners(work->in->session, keys, count, owners, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct subject *subject = &work->subjects[which[i]];

		subject->row = rows[i];
		subject->owner = owners[i];
		subject->input.owner = &subject->owner;
		/* A row of the same key that is another one must match again. */
		if (rows[i].found && subject->link.found)
			subject->link.fields = work_no_fields(work);
	}
	if (count)
		claim_natural(work, which, count);
	return true;
}

struct value *work_match_values(struct work *work, const struct value *values)
{
	const struct apply *in = work->in;
	struct value *out = work_take(work, in->match_count, sizeof(*out));

	for (size_t i = 0; i < in->match_count; i++)
		out[i] = values[in->match[i]];
	return out;
}

/* The rows that look like it are due, and so is the record: who else looks so must be asked of the
 * remote. Once, as long as it does not change. */
static bool await_match(struct work *work, const struct subject *subject, const struct value *keys,
			size_t count, struct error *err)
{
	struct store_session *session = work->in->session;
	struct due due = { .since_ms = work->in->now_ms, .seen = subject->hash }, was;

	if (!work->ops->find_dues(session, (const char *const *)&subject->record->id, 1, &was, err))
		return false;
	if (was.number && record_hash_equal(&was.seen, &subject->hash))
		return true;
	for (size_t i = 0; i < count; i++)
		if (!work->ops->put_due(session,
					&(struct due){ .key = keys[i],
						       .since_ms = work->in->now_ms },
					false, err))
			return false;
	strcpy(due.remote_id, subject->record->id);
	return work->ops->put_due(session, &due, false, err);
}

static bool gather_candidates(struct work *work, struct error *err)
{
	struct value keys[8];
	size_t found;

	for (size_t i = 0; i < work->count; i++) {
		struct subject *subject = &work->subjects[i];

		if (subject->link.found || subject->row.found || subject->record->reject)
			continue;
		if (!work->ops->matches(work->in->session,
					work_match_values(work, subject->record->values), 8,
					work->arena, keys, &found, err))
			return false;
		subject->input.has_candidates = found;
		if (found && !work->builds && !await_match(work, subject, keys, found, err))
			return false;
	}
	return true;
}

/* When the row was edited: what was sent of that edit is no longer due. */
static int64_t edited_ms(const struct work *work, const struct subject *subject)
{
	int64_t due_ms = subject->due.edited_ms, sent_ms = subject->sent.edited_ms;

	return work_server_time(work->in, due_ms > sent_ms ? due_ms : sent_ms);
}

static bool gather_fields(struct work *work, struct error *err)
{
	for (size_t i = 0; i < work->count; i++) {
		struct subject *subject = &work->subjects[i];
		const char *id = subject->record->id;

		if (!is_looked_at(work, subject))
			continue;
		pair_room(&subject->result.pair, work->in->mapping->count, work->arena);
		if (!subject->link.fields) {
			subject->link.fields = work_no_fields(work);
			if (subject->link.found &&
			    !work->ops->fields(work->in->session, &id, 1, work->arena,
					       &subject->link, err))
				return false;
		}
		if (subject->link.found && !subject->due.number &&
		    !work->ops->find_dues(work->in->session, &id, 1, &subject->due, err))
			return false;
		subject->input.local_ms = edited_ms(work, subject);
	}
	return true;
}

bool work_gather(struct work *work, struct error *err)
{
	return gather_links(work, err) && gather_sent(work, err) && gather_linked_rows(work, err) &&
	       (work->in->rules.key_field == SIZE_MAX || gather_natural_rows(work, err)) &&
	       (!work->in->match_count || work->in->match_is_key || gather_candidates(work, err)) &&
	       gather_fields(work, err);
}
