/* apply_pairs.c - records that live, as pairs. In order: what the store knows of them; flapping
 * fields; the merge and what it writes; what is listed and what is due. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/log.h"
#include "record/mapping.h"
#include "record/record.h"
#include "store/store.h"
#include "sync/apply_work.h"

#define FLAP_WRITES    5
#define FLAP_WINDOW_MS ((int64_t)3600 * 1000)

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

	subject->shows = !deletion && pair_shows(&subject->sent, subject->link.fields,
						 subject->record, work->in->mapping->count);
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

static bool gather(struct work *work, struct error *err)
{
	return gather_links(work, err) && gather_sent(work, err) && gather_linked_rows(work, err) &&
	       (work->in->rules.key_field == SIZE_MAX || gather_natural_rows(work, err)) &&
	       (!work->in->match_count || work->in->match_is_key || gather_candidates(work, err)) &&
	       gather_fields(work, err);
}

/* How many of the last writes of a field went to either side in turn. */
static unsigned turns(const struct store_recent *recent, size_t count, const char *field)
{
	const struct store_recent *last = NULL;
	unsigned made = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(recent[i].field, field) != 0)
			continue;
		if (last && last->side == recent[i].side)
			break;
		last = &recent[i];
		made++;
	}
	return made;
}

static bool list_flap(struct work *work, const struct subject *subject, size_t field,
		      struct error *err)
{
	const struct mapping_field *mapped = &work->in->mapping->fields[field];

	work->counts.conflicts++;
	log_warning("field_frozen", LOG_STR("job", work->in->job), LOG_STR("run", work->in->id),
		    LOG_STR("record", subject->record->id), LOG_STR("field", mapped->field),
		    LOG_STR("text",
			    "written on both sides in turn, five times within an hour: two "
			    "programs disagree about it. `leadsync resolve` lets it go on"));
	return work->ops->conflict(work->in->session,
				   &(struct store_conflict){
					   .remote_id = subject->record->id,
					   .key = subject->link.key,
					   .field = mapped->field,
					   .kind = "flapping",
					   .local = subject->row.values[field],
					   .remote = subject->record->values[field],
					   .remote_ms = subject->record->modified_ms,
					   .local_ms = subject->input.local_ms,
					   .winner = "",
					   .reason = "written on both sides in turn",
					   .run = work->in->id,
					   .at_ms = work->in->server_ms },
				   err);
}

/* A field that both sides keep writing over is held from now on, and merged as such. */
static bool hold_flapping(struct work *work, struct subject *subject, struct error *err)
{
	const struct mapping *mapping = work->in->mapping;
	struct store_recent *recent;
	bool held = false;
	size_t count;

	if (!subject->result.merged ||
	    !(subject->result.pair.any_local || subject->result.pair.any_remote))
		return true;
	if (!work->ops->recent(work->in->session, subject->record->id,
			       work->in->server_ms - FLAP_WINDOW_MS, work->arena, &recent, &count,
			       err))
		return false;
	for (size_t i = 0; count >= FLAP_WRITES && i < mapping->count; i++) {
		if (mapping->fields[i].direction != MAPPING_BOTH ||
		    subject->result.pair.fields[i].give == FIELD_GIVE_NOTHING ||
		    subject->link.fields[i].choice != LINK_CHOICE_NONE ||
		    turns(recent, count, mapping->fields[i].field) < FLAP_WRITES)
			continue;
		subject->link.fields[i].hold = FIELD_HELD_FLAP;
		held = true;
		if (!list_flap(work, subject, i, err))
			return false;
	}
	if (held) {
		merge(&work->in->rules, &subject->input, &subject->result);
		subject->result.write.puts_link = true;
	}
	return true;
}

static bool merge_all(struct work *work, struct error *err)
{
	for (size_t i = 0; i < work->count; i++) {
		struct subject *subject = &work->subjects[i];

		if (subject->frozen)
			continue;
		merge(&work->in->rules, &subject->input, &subject->result);
		if (!hold_flapping(work, subject, err))
			return false;
		if (subject->shows)
			subject->result.write.link.written_ms = subject->record->modified_ms;
	}
	return true;
}

/* In one go; what a rule of the table refuses is marked. */
static bool write_all(struct work *work, struct error *err)
{
	struct store_write *writes = work_take(work, work->count, sizeof(*writes));
	size_t *which = work_take(work, work->count, sizeof(*which)), count = 0;

	for (size_t i = 0; i < work->count; i++) {
		const struct store_write *write = &work->subjects[i].result.write;

		if (work->subjects[i].frozen ||
		    (write->action == STORE_NOTHING && !write->puts_link))
			continue;
		writes[count] = *write;
		which[count++] = i;
	}
	if (!work->ops->write(work->in->session, writes, count, work->arena, err))
		return false;
	for (size_t i = 0; i < count; i++)
		work->subjects[which[i]].result.write = writes[i];
	return true;
}

static const char *winner_of(const struct pair_field *field)
{
	switch (field->give) {
	case FIELD_GIVE_LOCAL: return "remote";
	case FIELD_GIVE_REMOTE: return "local";
	case FIELD_GIVE_NOTHING: break;
	}
	/* Decided, and then forbidden by the field's policy: nobody is asked. */
	if (field->reason == FIELD_BLANK_KEPT || field->reason == FIELD_VALUE_KEPT)
		return "neither";
	return "";
}

static bool list_conflict(struct work *work, const struct subject *subject, size_t i, int64_t sent,
			  struct error *err)
{
	const struct pair_field *field = &subject->result.pair.fields[i];
	struct store_conflict made = {
		.remote_id = subject->record->id,
		.key = subject->result.write.link.key,
		.field = work->in->mapping->fields[i].field,
		.kind = subject->link.fields[i].base.settled ? "both-changed" : "first-match",
		.local = subject->row.values[i],
		.remote = subject->record->values[i],
		.local_ms = subject->input.local_ms,
		.remote_ms = subject->record->modified_ms,
		.winner = winner_of(field),
		.reason = field_reason_name(field->reason),
		.run = work->in->id,
		.at_ms = work->in->server_ms,
		.sent = field->give == FIELD_GIVE_REMOTE ? sent : 0,
	};

	/* Decided for the remote's sake and not sent yet, or not with this write: it is listed when
	 * it is. */
	if (field->give == FIELD_GIVE_REMOTE && (!sent || !subject->result.pair.remote[i]))
		return true;
	work->counts.conflicts++;
	return work->ops->conflict(work->in->session, &made, err);
}

static bool list_change(struct work *work, const struct subject *subject, size_t i, int64_t sent,
			struct error *err)
{
	const struct merge_result *result = &subject->result;
	bool local = result->pair.local[i];
	const struct value *row = &subject->row.values[i], *record = &subject->record->values[i];

	return work->ops->change(work->in->session,
				 &(struct store_change){
					 .remote_id = subject->record->id,
					 .key = result->write.link.key,
					 .field = work->in->mapping->fields[i].field,
					 .side = local ? TOLD_LOCAL : TOLD_REMOTE,
					 .before = local ? *row : *record,
					 .after = result->pair.values[i],
					 .reason = field_reason_name(result->pair.fields[i].reason),
					 .run = work->in->id,
					 .at_ms = work->in->server_ms,
					 .sent = local ? 0 : sent },
				 err);
}

bool work_list(struct work *work, const struct subject *subject, int64_t sent, struct error *err)
{
	const struct pair_result *pair = &subject->result.pair;

	if (!subject->result.merged)
		return true;
	for (size_t i = 0; i < work->in->mapping->count; i++) {
		const struct link_field *before = &subject->link.fields[i];
		/* What a person decided is listed already. */
		bool contest = pair->fields[i].conflict && before->choice == LINK_CHOICE_NONE;
		bool closes = before->hold != FIELD_FREE && pair->link[i].hold == FIELD_FREE;
		bool writes = pair->local[i] || (pair->remote[i] && sent);

		/* Once: where it is only found to be owed, it is merged again when it is sent. */
		work->counts.put_back += writes && pair->fields[i].reason == FIELD_PUT_BACK;
		if ((contest && !list_conflict(work, subject, i, sent, err)) ||
		    (closes &&
		     !work->ops->close_conflict(work->in->session, subject->record->id, NULL,
						work->in->mapping->fields[i].field, err)) ||
		    (writes && !list_change(work, subject, i, sent, err)))
			return false;
	}
	return true;
}

static bool list_beaten(struct work *work, const struct subject *subject, struct error *err)
{
	if (!subject->result.edit_beat)
		return true;
	work->counts.conflicts++;
	return work->ops->conflict(work->in->session,
				   &(struct store_conflict){
					   .remote_id = subject->record->id,
					   .key = subject->result.write.link.key,
					   .kind = "delete-edit",
					   .local_ms = subject->input.local_ms,
					   .remote_ms = subject->record->modified_ms,
					   .winner = subject->result.edit_beat,
					   .reason = "an edit is stronger than a deletion",
					   .run = work->in->id,
					   .at_ms = work->in->server_ms },
				   err);
}

int64_t work_server_time(const struct apply *in, int64_t local_ms)
{
	return local_ms ? (local_ms + in->clock_offset_ms) / 1000 * 1000 : 0;
}

bool work_owe(struct work *work, const char *remote_id, const struct due *due, int64_t edited_ms,
	      struct error *err)
{
	struct due made = { .edited_ms = edited_ms, .since_ms = work->in->now_ms };

	if (due && due->number && due->state == DUE_WAITING)
		return true;
	strcpy(made.remote_id, remote_id);
	return work->ops->put_due(work->in->session, &made, false, err);
}

/* What was refused may be taken now that the record is another than it was, by somebody else's doing;
 * and what was refused of a write that came after all was not. */
static bool forgive(struct work *work, const struct subject *subject, struct error *err)
{
	const char *id = subject->record->id;

	if (subject->shows)
		return work->ops->unrefuse(work->in->session, id, NULL, subject->sent.set, err);
	if (record_hash_equal(&subject->hash, &subject->link.hash) ||
	    merge_is_echo(subject->record, &subject->link))
		return true;
	return work->ops->unrefuse(work->in->session, id, NULL, NULL, err);
}

/* Whether the pair owes the remote something, as of now. */
static bool tell_due(struct work *work, const struct subject *subject, struct error *err)
{
	const struct merge_result *result = &subject->result;

	if (work->builds || subject->record->reject || !subject->link.found)
		return true;
	if (!forgive(work, subject, err))
		return false;
	if (merge_owes(result))
		return work_owe(work, subject->record->id, &subject->due, subject->sent.edited_ms,
				err);
	return !subject->due.number || !result->merged ||
	       work->ops->drop_due(work->in->session, subject->due.number, err);
}

static const char *key_field_name(const struct apply *in)
{
	return in->rules.key_field == SIZE_MAX ? NULL
					       : in->mapping->fields[in->rules.key_field].field;
}

/* "UNIQUE constraint failed: contact.email": the field behind the column. */
static const char *field_of_failure(const struct apply *in, const char *text)
{
	const char *at = strrchr(text, '.');

	if (!strstr(text, "constraint failed: ") || !at)
		return NULL;
	for (size_t i = 0; i < in->mapping->count; i++) {
		const char *column = in->mapping->fields[i].column;
		size_t len = strlen(column);

		if (strncasecmp(at + 1, column, len) == 0 && strcspn(at + 1, ") ,") == len)
			return in->mapping->fields[i].field;
	}
	return NULL;
}

static void reject_failed(struct work *work, const struct subject *subject)
{
	const struct error *failed = subject->result.write.failed;

	work_reject(work,
		    &(struct store_reject){
			    .direction = TOLD_DOWN,
			    .remote_id = subject->record->id,
			    .key = subject->link.key,
			    .code = failed->code,
			    .field = field_of_failure(work->in, failed->text),
			    .text = failed->text,
			    .remedy =
				    subject->record->deleted
					    ? "the record is deleted: delete its row by hand, or "
					      "first what refers to it"
					    : "mend the row or the rule of the table that refuses "
					      "it, or the record; then `leadsync run JOB --full` "
					      "reads it again" });
}

static void reject_record(struct work *work, const struct subject *subject)
{
	const struct record *record = subject->record;
	const struct merge_result *result = &subject->result;
	struct store_reject made = { .direction = TOLD_DOWN, .remote_id = record->id };

	if (record->reject) {
		made.code = record->reject->code;
		made.field = record->reject_field;
		made.text = record->reject->text;
		made.remedy = "correct the value at the remote, or take the field out of the job";
	} else {
		made.code = result->reject_code;
		made.field = key_field_name(work->in);
		made.text = result->reject_text;
		made.remedy = result->reject_remedy;
	}
	work_reject(work, &made);
}

static void count(struct work *work, const struct subject *subject)
{
	if (subject->frozen) {
		work->counts.unchanged++;
		return;
	}
	if (subject->result.write.failed) {
		reject_failed(work, subject);
		return;
	}
	switch (subject->result.count) {
	case MERGE_UNCHANGED: work->counts.unchanged++; break;
	case MERGE_BURIED:
	case MERGE_UNMATCHED:
	case MERGE_WAITS: work->counts.unchanged++; return;
	case MERGE_INSERTED: work->counts.inserted++; break;
	case MERGE_UPDATED: work->counts.updated++; break;
	case MERGE_DELETED: work->counts.deleted++; break;
	case MERGE_REJECTED: reject_record(work, subject); return;
	}
	work->settled[work->settled_count++] = subject->record->id;
}

bool work_tell(struct work *work, const struct subject *subject, struct error *err)
{
	count(work, subject);
	/* What was not merged knows nothing yet of an unanswered write, seen or not. */
	if (subject->frozen || subject->result.write.failed ||
	    (subject->sent.number && subject->result.count == MERGE_REJECTED))
		return true;
	return (!subject->sent.number ||
		work->ops->end_sent(work->in->session, subject->sent.number, subject->shows,
				    err)) &&
	       (work->builds || work_list(work, subject, 0, err)) &&
	       list_beaten(work, subject, err) && tell_due(work, subject, err);
}

bool work_merge(struct work *work, struct error *err)
{
	if (!merge_all(work, err) || !write_all(work, err))
		return false;
	for (size_t i = 0; i < work->count; i++)
		if (!work_tell(work, &work->subjects[i], err))
			return false;
	return true;
}

bool work_pairs(struct work *work, struct error *err)
{
	return gather(work, err) && work_merge(work, err);
}
