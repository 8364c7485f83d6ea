#include "sync/merge.h"

#include <stdint.h>
#include <string.h>

#include "record/mapping.h"

static bool same_hash(const struct merge_input *in)
{
	return in->link->found && in->link->hash.half[0] == in->hash.half[0] &&
	       in->link->hash.half[1] == in->hash.half[1];
}

bool merge_needs_row(const struct merge_rules *rules, const struct merge_input *in)
{
	if (in->record->deleted)
		return in->link->found && in->link->state != LINK_DELETED;
	if (in->record->reject)
		return false;
	return rules->compare || in->link->state != LINK_LIVE || !same_hash(in);
}

static bool is_down(const struct merge_rules *rules, size_t field)
{
	return rules->mapping->fields[field].direction != MAPPING_UP;
}

static void reject(struct merge_result *to, const char *code, const char *text, const char *remedy)
{
	to->count = MERGE_REJECTED;
	to->reject_code = code;
	to->reject_text = text;
	to->reject_remedy = remedy;
}

/* The row as it stands, against its source. Answers whether any column is to be written. */
static bool find_differences(const struct merge_rules *rules, const struct merge_input *in,
			     bool *set)
{
	bool any = false;

	for (size_t i = 0; i < rules->mapping->count; i++) {
		set[i] = is_down(rules, i) &&
			 !value_equal(&in->record->values[i], &in->row->values[i]);
		any |= set[i];
	}
	return any;
}

static void make_row(const struct merge_rules *rules, const struct merge_input *in,
		     struct merge_result *to, bool *set)
{
	for (size_t i = 0; i < rules->mapping->count; i++)
		set[i] = is_down(rules, i);
	to->count = MERGE_INSERTED;
	to->write.action = STORE_INSERT;
	to->write.puts_link = true;
	if (rules->key_field != SIZE_MAX)
		to->write.link.key = in->record->values[rules->key_field];
}

/* The row is there; `key` is the one it has now. */
static void put_right(const struct merge_rules *rules, const struct merge_input *in,
		      struct value key, struct merge_result *to, bool *set)
{
	bool adopts = !in->row_is_linked;

	if (find_differences(rules, in, set)) {
		to->count = MERGE_UPDATED;
		to->write.action = STORE_UPDATE;
		to->write.row_key = key;
	}
	to->write.link.key =
		rules->key_field != SIZE_MAX ? in->record->values[rules->key_field] : key;
	to->write.puts_link = adopts || in->link->state != LINK_LIVE || !same_hash(in) ||
			      !value_equal(&to->write.link.key, &in->link->key);
}

static void merge_live(const struct merge_rules *rules, const struct merge_input *in,
		       struct merge_result *to, bool *set)
{
	bool natural = rules->key_field != SIZE_MAX;

	if (natural && !in->record->values[rules->key_field].text) {
		reject(to, "key-missing", "the field that is the table's key is empty",
		       "fill the field in at the remote, or choose another key");
	} else if (in->row->found && in->row_is_linked) {
		put_right(rules, in, in->link->key, to, set);
	} else if (!natural || !in->row->found) {
		make_row(rules, in, to, set);
	} else if (in->owner && in->owner->found && in->owner->state == LINK_LIVE &&
		   strcmp(in->owner->remote_id, in->record->id) != 0) {
		reject(to, "key-taken",
		       "another record has the same value in the field that is the "
		       "table's key",
		       "make the two differ at the remote, or merge them there; then "
		       "`leadsync run JOB --full`");
	} else {
		put_right(rules, in, in->record->values[rules->key_field], to, set);
		if (in->owner && in->owner->found &&
		    strcmp(in->owner->remote_id, in->record->id) != 0)
			to->write.takes_from = in->owner->remote_id;
	}
}

static void lose_row(const struct merge_rules *rules, const struct merge_input *in,
		     struct merge_result *to, bool *set)
{
	static const struct value yes = { "1", 1 };
	size_t mark = rules->mark_field;

	switch (rules->on_delete) {
	case MERGE_KEEP: break;
	case MERGE_MARK:
		if (value_equal(&in->row->values[mark], &yes))
			break;
		memset(set, 0, rules->mapping->count * sizeof(*set));
		set[mark] = true;
		to->write.action = STORE_UPDATE;
		to->write.row_key = in->link->key;
		to->count = MERGE_DELETED;
		break;
	case MERGE_DELETE:
		to->write.action = STORE_DELETE;
		to->write.row_key = in->link->key;
		to->write.link.key = (struct value){ 0 };
		to->count = MERGE_DELETED;
		break;
	}
}

static void merge_deleted(const struct merge_rules *rules, const struct merge_input *in,
			  struct merge_result *to, bool *set)
{
	if (in->link->found && in->link->state == LINK_DELETED && in->link->key.text)
		to->count = MERGE_BURIED;
	if (!in->link->found || in->link->state == LINK_DELETED)
		return;
	to->write.puts_link = true;
	to->write.link.state = LINK_DELETED;
	to->write.link.key = in->link->key;
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
		lose_row(rules, in, to, set);
	}
}

struct merge_result merge(const struct merge_rules *rules, const struct merge_input *in, bool *set)
{
	struct merge_result made = { .count = MERGE_UNCHANGED };

	made.write = (struct store_write){ .remote_id = in->record->id,
					   .values = in->record->values,
					   .set = set };
	made.write.link = (struct link){ .found = true, .state = LINK_LIVE, .hash = in->hash };
	if (in->record->deleted)
		merge_deleted(rules, in, &made, set);
	else if (in->record->reject)
		made.count = MERGE_REJECTED; /* its own words say why */
	else if (merge_needs_row(rules, in))
		merge_live(rules, in, &made, set);
	return made;
}
