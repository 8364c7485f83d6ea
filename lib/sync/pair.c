#include "sync/pair.h"

#include <string.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "record/record.h"
#include "store/due.h"

void pair_room(struct pair_result *ret, size_t count, struct arena *arena)
{
	*ret = (struct pair_result){
		.fields = arena_take(arena, count * sizeof(*ret->fields)),
		.values = arena_take(arena, count * sizeof(*ret->values)),
		.local = arena_take(arena, count * sizeof(*ret->local)),
		.remote = arena_take(arena, count * sizeof(*ret->remote)),
		.link = arena_take(arena, count * sizeof(*ret->link)),
	};
}

/* What a person said of a held field is merged as if just matched, with that side as the rule. */
static void choose(const struct link_field *field, struct field_merge_input *to)
{
	bool holds = field->hold == FIELD_HELD_MANUAL || field->hold == FIELD_HELD_FLAP;

	if (field->choice == LINK_CHOICE_NONE || !holds)
		return;
	to->hold = FIELD_FREE;
	to->base.settled = false;
	to->blank = FIELD_BLANK_CLEAR;
	to->rule = field->choice == LINK_CHOICE_LOCAL ? FIELD_RULE_LOCAL : FIELD_RULE_REMOTE;
}

static struct field_merge_input input_of(const struct pair_input *in, size_t i)
{
	const struct mapping_field *mapped = &in->mapping->fields[i];
	const struct link_field *field = &in->fields[i];
	struct field_merge_input made = {
		.direction = mapped->direction,
		.rule = mapped->rule,
		.blank = mapped->blank,
		.remote_writable = mapped->updateable,
		.local = in->local[i],
		.remote = in->remote ? in->remote[i] : field->base.theirs,
		.base = field->base,
		.local_ms = in->local_ms,
		.remote_ms = in->remote_ms,
		.hold = field->hold,
		.echo = (in->echo && field->echo) ||
			(in->sent_echo && in->sent && in->sent->set[i] && in->remote &&
			 !value_equal(&in->remote[i], &in->sent->before[i])),
		.sent = in->sent && in->sent->set[i] ? &in->sent->values[i] : NULL,
	};

	if (in->remote)
		choose(field, &made);
	return made;
}

static bool same_base(const struct field_base *a, const struct field_base *b)
{
	return a->settled == b->settled && (!a->settled || (value_equal(&a->ours, &b->ours) &&
							    value_equal(&a->theirs, &b->theirs)));
}

static void merge_field(const struct pair_input *in, size_t i, struct pair_result *ret)
{
	const struct link_field *field = &in->fields[i];
	struct field_merge_input question = input_of(in, i);
	struct field_merge_result made = field_merge(&question);
	struct link_field *link = &ret->link[i];

	ret->fields[i] = (struct pair_field){ made.give, made.reason, made.conflict };
	ret->values[i] = made.value;
	ret->local[i] = made.give == FIELD_GIVE_LOCAL;
	ret->remote[i] = made.give == FIELD_GIVE_REMOTE;
	ret->any_local |= ret->local[i];
	ret->any_remote |= ret->remote[i];
	ret->any_conflict |= made.conflict;
	ret->put_back += made.reason == FIELD_PUT_BACK;
	*link = (struct link_field){ .base = made.meanwhile, .hold = made.hold };
	/* A person's word stands until it is carried out. */
	if (ret->remote[i] && question.hold != field->hold) {
		link->hold = field->hold;
		link->choice = field->choice;
		link->base = field->base;
	}
	if (!in->remote) {
		link->echo = field->echo;
		link->choice = field->choice;
	}
	ret->link_changed |= !same_base(&link->base, &field->base) || link->hold != field->hold ||
			     link->echo != field->echo || link->choice != field->choice;
}

void pair_merge(const struct pair_input *in, struct pair_result *ret)
{
	ret->any_local = ret->any_remote = ret->any_conflict = ret->link_changed = false;
	ret->put_back = 0;
	for (size_t i = 0; i < in->mapping->count; i++) {
		if (in->remote || in->fields[i].base.settled) {
			merge_field(in, i, ret);
			continue;
		}
		/* Nothing is known of what the record holds: it must be read. */
		ret->fields[i] = (struct pair_field){ .reason = FIELD_UNCHANGED };
		ret->values[i] = (struct value){ 0 };
		ret->local[i] = ret->remote[i] = false;
		ret->link[i] = in->fields[i];
	}
}

void pair_settle(struct link_field *fields, const struct value *values, const bool *set,
		 size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (set[i])
			fields[i] = (struct link_field){ .base = { true, values[i], values[i] },
							 .echo = true };
}

void pair_settle_birth(const struct mapping *mapping, const struct sent *sent,
		       struct link_field *fields)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (!sent->set[i] && mapping->fields[i].direction != MAPPING_DOWN &&
		    mapping->fields[i].createable)
			fields[i] =
				(struct link_field){ .base = { .settled = true }, .echo = true };
	pair_settle(fields, sent->values, sent->set, mapping->count);
}

bool pair_shows(const struct sent *sent, const struct record *record, size_t count)
{
	bool saved = record->by_us && record->modified_ms > sent->sent_ms;

	for (size_t i = 0; i < count; i++) {
		if (!sent->set[i] || value_equal(&record->values[i], &sent->values[i]))
			continue;
		if (!saved || value_equal(&record->values[i], &sent->before[i]))
			return false;
	}
	return true;
}

bool pair_remote_edited(const struct mapping *mapping, const struct link_field *fields,
			const struct record *record, bool echo)
{
	for (size_t i = 0; i < mapping->count; i++) {
		const struct link_field *field = &fields[i];

		if (mapping->fields[i].direction == MAPPING_UP || !field->base.settled ||
		    (echo && field->echo))
			continue;
		if (!value_equal(&record->values[i], &field->base.theirs))
			return true;
	}
	return false;
}
