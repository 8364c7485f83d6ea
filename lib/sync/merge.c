/* merge.c - in order: what lives, by what its pair has; what is deleted; merge(). */
#include "sync/merge.h"

#include <stdint.h>
#include <string.h>

#include "record/mapping.h"

static bool same_hash(const struct merge_input *in)
{
	return in->link->found && record_hash_equal(&in->link->hash, &in->hash);
}

bool merge_needs_row(const struct merge_rules *rules, const struct merge_input *in)
{
	if (in->record->deleted)
		return in->link->found && in->link->state != LINK_DELETED;
	if (in->record->reject)
		return false;
	return rules->compare || in->asked || in->sent || in->link->state != LINK_LIVE ||
	       !same_hash(in);
}

bool merge_is_echo(const struct record *record, const struct link *link)
{
	return record->by_us && record->modified_ms && record->modified_ms <= link->written_ms;
}

bool merge_owes(const struct merge_result *in)
{
	return in->owes_delete || (in->merged && in->pair.any_remote);
}

/* Our own user saved it after that was sent, and it was not answered. */
static bool is_sent_echo(const struct record *record, const struct sent *sent)
{
	return sent && record->by_us && record->modified_ms > sent->sent_ms;
}

static void reject(struct merge_result *to, const char *code, const char *text, const char *remedy)
{
	to->count = MERGE_REJECTED;
	to->reject_code = code;
	to->reject_text = text;
	to->reject_remedy = remedy;
}

static void make_row(const struct merge_rules *rules, const struct merge_input *in,
		     struct merge_result *to)
{
	struct pair_result *pair = &to->pair;

	for (size_t i = 0; i < rules->mapping->count; i++) {
		bool down = rules->mapping->fields[i].direction != MAPPING_UP;
		struct value theirs = in->record->values[i];

		pair->local[i] = down;
		pair->remote[i] = false;
		pair->values[i] = theirs;
		pair->link[i] =
			(struct link_field){ .base = { true, down ? theirs : (struct value){ 0 },
						       theirs } };
	}
	to->count = MERGE_INSERTED;
	to->write.action = STORE_INSERT;
	to->write.puts_link = true;
	if (rules->key_field != SIZE_MAX)
		to->write.link.key = in->record->values[rules->key_field];
}

static void merge_fields(const struct merge_rules *rules, const struct merge_input *in,
			 struct merge_result *to)
{
	struct pair_input pair = { .mapping = rules->mapping,
				   .local = in->row->values,
				   .remote = in->record->values,
				   .fields = in->link->fields,
				   .sent = in->sent,
				   .local_ms = in->local_ms,
				   .remote_ms = in->record->modified_ms,
				   .echo = merge_is_echo(in->record, in->link),
				   .sent_echo = is_sent_echo(in->record, in->sent) };

	pair_merge(&pair, &to->pair);
	to->merged = true;
}

/* The row is there; `key` is the one by which it was found. */
static void put_right(const struct merge_rules *rules, const struct merge_input *in,
		      struct value key, struct merge_result *to)
{
	size_t key_field = rules->key_field;
	bool adopts = !in->row_is_linked || !in->link->found;

	merge_fields(rules, in, to);
	if (to->pair.any_local) {
		to->count = MERGE_UPDATED;
		to->write.action = STORE_UPDATE;
		to->write.row_key = key;
	}
	to->write.link.key = key;
	if (key_field != SIZE_MAX && to->pair.local[key_field])
		to->write.link.key = to->pair.values[key_field];
	else if (adopts && key_field != SIZE_MAX)
		to->write.link.key = in->row->values[key_field];
	to->write.puts_link = adopts || in->link->state != LINK_LIVE || !same_hash(in) ||
			      in->sent || to->pair.link_changed ||
			      !value_equal(&to->write.link.key, &in->link->key);
	if (in->owner && in->owner->found && strcmp(in->owner->remote_id, in->record->id) != 0)
		to->write.takes_from = in->owner->remote_id;
}

/* What was never settled says so, unless nobody saved the record since it was made. */
static bool edited_since(const struct merge_rules *rules, const struct merge_input *in)
{
	bool echo = merge_is_echo(in->record, in->link);

	for (size_t i = 0; i < rules->mapping->count; i++)
		if (!in->sent && !echo && rules->mapping->fields[i].direction != MAPPING_UP &&
		    !in->link->fields[i].base.settled)
			return true;
	return pair_remote_edited(rules->mapping, in->link->fields, in->record, echo);
}

static void miss_row(const struct merge_rules *rules, const struct merge_input *in,
		     struct merge_result *to)
{
	bool edited = edited_since(rules, in);

	if (in->link->state == LINK_LIVE && rules->deletes_records && !edited) {
		to->owes_delete = true;
		return;
	}
	if (!edited && !rules->compare && in->link->state == LINK_LIVE) {
		to->write.link.key = (struct value){ 0 };
		to->write.link.fields = NULL;
		to->write.puts_link = !same_hash(in) || in->link->key.text;
		return;
	}
	make_row(rules, in, to);
	if (rules->deletes_records && edited && in->link->state == LINK_LIVE)
		to->edit_beat = "remote";
}

static bool is_taken(const struct merge_input *in)
{
	return in->owner && in->owner->found && in->owner->state == LINK_LIVE &&
	       strcmp(in->owner->remote_id, in->record->id) != 0;
}

static void find_row(const struct merge_rules *rules, const struct merge_input *in,
		     struct merge_result *to)
{
	if (in->row->found && is_taken(in)) {
		reject(to, "key-taken",
		       "another record has the same value in the field that is the "
		       "table's key",
		       "make the two differ at the remote, or merge them there; then "
		       "`leadsync run JOB --full`");
	} else if (in->row->found) {
		put_right(rules, in, in->record->values[rules->key_field], to);
	} else if (in->link->found) {
		miss_row(rules, in, to);
	} else if (in->has_candidates) {
		to->count = MERGE_WAITS;
	} else if (!rules->creates_rows) {
		to->count = MERGE_UNMATCHED;
	} else {
		make_row(rules, in, to);
	}
}

static void merge_live(const struct merge_rules *rules, const struct merge_input *in,
		       struct merge_result *to)
{
	bool natural = rules->key_field != SIZE_MAX;

	if (natural && !in->record->values[rules->key_field].text)
		reject(to, "key-missing", "the field that is the table's key is empty",
		       "fill the field in at the remote, or choose another key");
	else if (in->row->found && in->row_is_linked)
		put_right(rules, in, in->link->key, to);
	else
		find_row(rules, in, to);
}

static void lose_row(const struct merge_rules *rules, const struct merge_input *in,
		     struct merge_result *to)
{
	static const struct value yes = { "1", 1 };
	size_t mark = rules->mark_field;

	switch (rules->on_delete) {
	case MERGE_KEEP: break;
	case MERGE_MARK:
		if (value_equal(&in->row->values[mark], &yes))
			break;
		memset(to->pair.local, 0, rules->mapping->count * sizeof(*to->pair.local));
		to->pair.local[mark] = true;
		to->pair.values[mark] = yes;
		to->write.action = STORE_UPDATE;
		to->write.row_key = in->link->key;
		to->count = MERGE_DELETED;
		break;
	case MERGE_DELETE:
		if (to->edit_beat)
			break;
		to->write.action = STORE_DELETE;
		to->write.row_key = in->link->key;
		to->write.link.key = (struct value){ 0 };
		to->count = MERGE_DELETED;
		break;
	}
}

/* An edit that the record will never see. */
static bool row_was_edited(const struct merge_rules *rules, const struct merge_input *in)
{
	for (size_t i = 0; i < rules->mapping->count; i++) {
		const struct field_base *base = &in->link->fields[i].base;

		if (rules->mapping->fields[i].direction != MAPPING_DOWN && base->settled &&
		    !value_equal(&in->row->values[i], &base->ours))
			return true;
	}
	return false;
}

static void merge_deleted(const struct merge_rules *rules, const struct merge_input *in,
			  struct merge_result *to)
{
	if (in->link->found && in->link->state == LINK_DELETED && in->link->key.text)
		to->count = MERGE_BURIED;
	if (!in->link->found || in->link->state == LINK_DELETED)
		return;
	to->write.puts_link = true;
	to->write.link.state = LINK_DELETED;
	to->write.link.key = in->link->key;
	to->write.link.fields = NULL;
	if (!in->row->found) {
		to->write.link.key = (struct value){ 0 };
	} else if (in->winner && !in->winner->key.text &&
		   !(in->winner->found && in->winner->state == LINK_DELETED)) {
		/* No hash: the winner's own values are compared as soon as it is read. */
		to->repoints = true;
		to->winner_link =
			(struct link){ .found = true, .state = LINK_LIVE, .key = in->link->key };
		to->write.link.key = (struct value){ 0 };
	} else {
		if (row_was_edited(rules, in))
			to->edit_beat = "local";
		lose_row(rules, in, to);
	}
}

void merge(const struct merge_rules *rules, const struct merge_input *in, struct merge_result *ret)
{
	struct pair_result room = ret->pair;

	*ret = (struct merge_result){ .count = MERGE_UNCHANGED, .pair = room };
	ret->write = (struct store_write){ .remote_id = in->record->id,
					   .values = room.values,
					   .set = room.local,
					   .read_back = true };
	ret->write.link = (struct link){ .found = true,
					 .state = LINK_LIVE,
					 .hash = in->hash,
					 .written_ms = in->link->written_ms,
					 .fields = room.link };
	if (in->record->deleted)
		merge_deleted(rules, in, ret);
	else if (in->record->reject)
		ret->count = MERGE_REJECTED; /* its own words say why */
	else if (merge_needs_row(rules, in))
		merge_live(rules, in, ret);
}
