/* apply_pairs.c - records that live, as pairs; what the store knows of them is in apply_gather.c. In
 * order: flapping fields; the merge and what it writes; what is listed and what is due. */
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
	work_settled(work, subject->record->id);
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
	return work_gather(work, err) && work_merge(work, err);
}
