/* fake_writes.c - in order: what was sent, kept; refusals; one change; a batch; what
 * becomes of it without an answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/mem.h"
#include "fake_private.h"
#include "record/mapping.h"

#define NEVER_ENDS (-1)

/* What is to be done later. */
struct fake_late {
	struct fake_late *next; /* in the order of time */
	int64_t at_ms;
	struct remote_call *call;
};

static struct value copy_value(struct arena *arena, const struct value *from)
{
	if (!from->text)
		return (struct value){ 0 };
	return (struct value){ arena_copy(arena, from->text, from->len), from->len };
}

static void copy_change(struct arena *arena, const struct remote_batch *batch,
			const struct remote_change *from, struct remote_change *to)
{
	size_t fields = batch->mapping->count;
	struct value *values = arena_take(arena, fields * sizeof(*values) + 1);
	bool *set = arena_take(arena, fields + 1);

	*to = (struct remote_change){
		.id = from->id ? arena_copy(arena, from->id, strlen(from->id)) : NULL,
		.key = from->key ? arena_copy(arena, from->key, strlen(from->key)) : NULL,
		.values = values,
		.set = set
	};
	for (size_t i = 0; i < fields; i++) {
		set[i] = batch->operation != REMOTE_DELETE && from->set[i];
		values[i] = set[i] ? copy_value(arena, &from->values[i]) : (struct value){ 0 };
	}
}

void fake_copy_batch(struct remote_call *call, const struct remote_batch *batch)
{
	struct remote_change *changes =
		arena_take(call->arena, batch->count * sizeof(*changes) + 1);

	call->batch = *batch;
	call->batch.mapping = call->mapping;
	call->batch.changes = changes;
	if (batch->key_field)
		call->batch.key_field =
			arena_copy(call->arena, batch->key_field, strlen(batch->key_field));
	for (size_t i = 0; i < batch->count; i++)
		copy_change(call->arena, batch, &batch->changes[i], &changes[i]);
}

/* --- refusals --- */

struct fake_refusal *fake_refuse(struct fake *in, const char *field, const char *value,
				 enum error_kind kind, const char *code, int times)
{
	if (in->refusal_count == FAKE_REFUSALS)
		abort();
	in->refusals[in->refusal_count] = (struct fake_refusal){
		.field = field, .value = value, .kind = kind, .code = code, .times = times
	};
	return &in->refusals[in->refusal_count++];
}

static size_t find_set(const struct remote_batch *batch, const struct remote_change *change,
		       const char *field)
{
	for (size_t i = 0; batch->operation != REMOTE_DELETE && i < batch->mapping->count; i++)
		if (change->set[i] && strcasecmp(batch->mapping->fields[i].field, field) == 0)
			return i;
	return SIZE_MAX;
}

static bool is_value(const struct value *value, const char *text)
{
	return value->text && strlen(text) == value->len &&
	       memcmp(text, value->text, value->len) == 0;
}

static bool meets(const struct fake_refusal *refusal, const struct remote_batch *batch,
		  const struct remote_change *change)
{
	size_t at;

	if (!refusal->times || (*refusal->id && !fake_is_same(refusal->id, change->id)))
		return false;
	if (!refusal->field)
		return true;
	at = find_set(batch, change, refusal->field);
	return at != SIZE_MAX && (!refusal->value || is_value(&change->values[at], refusal->value));
}

static struct fake_refusal *find_refusal(struct fake *in, const struct remote_batch *batch,
					 const struct remote_change *change, bool whole)
{
	for (size_t i = 0; i < in->refusal_count; i++)
		if (in->refusals[i].whole == whole && meets(&in->refusals[i], batch, change))
			return &in->refusals[i];
	return NULL;
}

static void spend(struct fake_refusal *refusal)
{
	if (refusal->times != NEVER_ENDS)
		refusal->times--;
}

/* Always false. */
static bool refuse(const struct remote_call *call, struct remote_result *result, size_t field,
		   enum error_kind kind, const char *code)
{
	result->outcome = REMOTE_REFUSED;
	error_set(&result->err, kind, code, "the fake refuses it");
	if (field != SIZE_MAX) {
		const char *name = call->batch.mapping->fields[field].field;

		result->fields = arena_take(call->arena, sizeof(*result->fields));
		result->fields[0] = arena_copy(call->arena, name, strlen(name));
		result->field_count = 1;
	}
	return false;
}

static bool check_values(struct fake *in, const struct remote_call *call, size_t at,
			 struct remote_result *result)
{
	const struct remote_change *change = &call->batch.changes[at];

	for (size_t i = 0; i < call->batch.mapping->count; i++) {
		const struct fake_field *field;

		if (!change->set[i])
			continue;
		field = fake_field(in, call->batch.mapping->fields[i].field);
		if (field->read_only || field->gone)
			return refuse(call, result, i, ERROR_FIELD,
				      "INVALID_FIELD_FOR_INSERT_UPDATE");
		if (field->type == VALUE_TEXT && change->values[i].len > (uint32_t)field->length)
			return refuse(call, result, i, ERROR_FIELD, "STRING_TOO_LONG");
		if (field->required && !change->values[i].text)
			return refuse(call, result, i, ERROR_RECORD, "REQUIRED_FIELD_MISSING");
	}
	return true;
}

static bool check_required(struct fake *in, const struct remote_call *call, size_t at,
			   struct remote_result *result)
{
	for (size_t i = 0; i < in->field_count; i++)
		if (in->fields[i].required && find_set(&call->batch, &call->batch.changes[at],
						       in->fields[i].name) == SIZE_MAX)
			return refuse(call, result, SIZE_MAX, ERROR_RECORD,
				      "REQUIRED_FIELD_MISSING");
	return true;
}

static bool check_unique(struct fake *in, const struct remote_call *call, size_t at,
			 const struct fake_record *self, struct remote_result *result)
{
	const struct remote_change *change = &call->batch.changes[at];

	for (size_t i = 0; i < call->batch.mapping->count; i++) {
		const char *name = call->batch.mapping->fields[i].field;

		if (!change->set[i] || !change->values[i].text ||
		    !fake_field(in, name)->external_id)
			continue;
		for (size_t k = 0; k < in->count; k++) {
			const struct fake_record *other = &in->records[k];
			const char *has = fake_value(in, other, name);

			if (other == self || other->deleted || other->purged || !has ||
			    strlen(has) != change->values[i].len ||
			    strncasecmp(has, change->values[i].text, change->values[i].len) != 0)
				continue;
			strcpy(result->holder, other->id);
			return refuse(call, result, i, ERROR_RECORD, "DUPLICATE_VALUE");
		}
	}
	return true;
}

/* --- one change --- */

/* SIZE_MAX: none lives; SIZE_MAX - 1: several do. */
static size_t find_key(const struct fake *in, const char *field, const char *key)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < in->count; i++) {
		const struct fake_record *record = &in->records[i];

		if (record->deleted || record->purged ||
		    !fake_is_same(fake_value(in, record, field), key))
			continue;
		if (found != SIZE_MAX)
			return SIZE_MAX - 1;
		found = i;
	}
	return found;
}

static void keep_value(struct fake *in, struct fake_record *record,
		       const struct mapping_field *field, const struct value *value)
{
	size_t at = fake_field_index(in, field->field);
	CLEANUP_FREE char *text = value->text ? mem_strndup(value->text, value->len) : NULL;

	if (text && field->type == VALUE_BOOLEAN) {
		fake_put(in, record, at, *text == '1' ? "true" : "false");
	} else if (text && in->fields[at].keeps) {
		CLEANUP_FREE char *kept = in->fields[at].keeps(text);

		fake_put(in, record, at, kept);
	} else {
		fake_put(in, record, at, text);
	}
}

static void save(struct fake *in, const struct remote_call *call, size_t at,
		 struct fake_record *record, struct remote_result *result)
{
	const struct remote_change *change = &call->batch.changes[at];

	for (size_t i = 0; i < call->batch.mapping->count; i++)
		if (change->set[i])
			keep_value(in, record, &call->batch.mapping->fields[i], &change->values[i]);
	record->stamp_ms = record->modified_ms = record->shows_ms = in->now_ms;
	record->by_us = true;
	result->outcome = REMOTE_DONE;
	strcpy(result->id, record->id);
}

static void make(struct fake *in, const struct remote_call *call, size_t at,
		 struct remote_result *result)
{
	const struct remote_change *change = &call->batch.changes[at];
	struct fake_record *made;

	if (!check_required(in, call, at, result) || !check_values(in, call, at, result) ||
	    !check_unique(in, call, at, NULL, result))
		return;
	made = fake_add_record(in, FAKE_MADE + ++in->made);
	if (in->traces)
		fprintf(stderr, "  remote %s made by us\n", made->id);
	if (change->key)
		fake_put(in, made, fake_field_index(in, call->batch.key_field), change->key);
	for (size_t i = 0; i < call->batch.mapping->count; i++)
		if (change->set[i])
			made->sent[fake_field_index(in, call->batch.mapping->fields[i].field)]++;
	save(in, call, at, made, result);
	result->created = true;
}

static void update(struct fake *in, const struct remote_call *call, size_t at,
		   struct fake_record *record, struct remote_result *result)
{
	if (!record || record->purged)
		refuse(call, result, SIZE_MAX, ERROR_RECORD, "NOT_FOUND");
	else if (record->hidden)
		refuse(call, result, SIZE_MAX, ERROR_RECORD,
		       "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY");
	else if (record->deleted)
		refuse(call, result, SIZE_MAX, ERROR_RECORD, "ENTITY_IS_DELETED");
	else if (check_values(in, call, at, result) && check_unique(in, call, at, record, result))
		save(in, call, at, record, result);
}

static void upsert(struct fake *in, const struct remote_call *call, size_t at,
		   struct remote_result *result)
{
	size_t found = find_key(in, call->batch.key_field, call->batch.changes[at].key);

	if (found == SIZE_MAX)
		make(in, call, at, result);
	else if (found == SIZE_MAX - 1)
		refuse(call, result, SIZE_MAX, ERROR_RECORD, "DUPLICATE_EXTERNAL_ID");
	else
		update(in, call, at, &in->records[found], result);
}

static void delete (struct fake *in, const struct remote_call *call, size_t at,
		    struct remote_result *result)
{
	struct fake_record *record = fake_find_id(in, call->batch.changes[at].id);

	if (record && !record->deleted && !record->purged && !record->hidden) {
		if (in->traces)
			fprintf(stderr, "  remote %s deleted by us\n", record->id);
		record->deleted = record->by_us = true;
		record->stamp_ms = record->modified_ms = record->shows_ms = in->now_ms;
		result->outcome = REMOTE_DONE;
	} else {
		refuse(call, result, SIZE_MAX, ERROR_RECORD,
		       record && record->deleted ? "ENTITY_IS_DELETED" : "NOT_FOUND");
		result->outcome = REMOTE_GONE;
	}
	strcpy(result->id, call->batch.changes[at].id);
}

static void do_change(struct fake *in, const struct remote_call *call, size_t at,
		      struct remote_result *result)
{
	const struct remote_change *change = &call->batch.changes[at];
	struct fake_refusal *refusal = find_refusal(in, &call->batch, change, false);

	if (fake_is_twice(&call->batch, at)) {
		refuse(call, result, SIZE_MAX, ERROR_RECORD, "DUPLICATE_VALUE");
	} else if (refusal) {
		spend(refusal);
		refuse(call, result,
		       refusal->field ? find_set(&call->batch, change, refusal->field) : SIZE_MAX,
		       refusal->kind, refusal->code);
	} else {
		switch (call->batch.operation) {
		case REMOTE_CREATE: make(in, call, at, result); break;
		case REMOTE_UPDATE:
			update(in, call, at, fake_find_id(in, change->id), result);
			break;
		case REMOTE_UPSERT: upsert(in, call, at, result); break;
		case REMOTE_DELETE: delete (in, call, at, result); break;
		}
	}
	if (in->traces && result->outcome != REMOTE_DONE)
		fprintf(stderr, "  remote refuses %s: %s\n",
			change->id    ? change->id
			: change->key ? change->key
				      : "a new one",
			result->err.code);
}

/* --- a batch --- */

static struct remote_results *do_batch(struct fake *in, const struct remote_call *call)
{
	struct arena *arena = arena_new();
	struct remote_results *made = arena_take(arena, sizeof(*made));

	made->arena = arena;
	made->count = call->batch.count;
	made->records = memset(arena_take(arena, made->count * sizeof(*made->records) + 1), 0,
			       made->count * sizeof(*made->records));
	for (size_t i = 0; i < made->count; i++) {
		struct remote_result *result = &made->records[i];

		do_change(in, call, i, result);
		/* It lives longer than the call. */
		if (result->fields) {
			const char **fields = arena_take(arena, sizeof(*fields));

			fields[0] = arena_copy(arena, result->fields[0], strlen(result->fields[0]));
			result->fields = fields;
		}
	}
	return made;
}

/* Index of the change because of which nothing of the request is done; SIZE_MAX: none. */
static size_t find_sinking(struct fake *in, const struct remote_call *call,
			   struct fake_refusal **ret)
{
	for (size_t i = 0; i < call->batch.count; i++) {
		*ret = find_refusal(in, &call->batch, &call->batch.changes[i], true);
		if (*ret)
			return i;
	}
	return SIZE_MAX;
}

static const struct mapping_field *field_of(const struct remote_call *call, const char *name)
{
	for (size_t i = 0; name && i < call->batch.mapping->count; i++)
		if (strcasecmp(call->batch.mapping->fields[i].field, name) == 0)
			return &call->batch.mapping->fields[i];
	return NULL;
}

/* One less is left; false: none was. */
static bool takes(unsigned *left)
{
	return *left && (*left)--;
}

static bool is_refused_whole(struct fake *in, const struct remote_call *call,
			     struct remote_written *written, struct error *err)
{
	struct fake_refusal *refusal = NULL;
	size_t at;

	if (takes(&in->fail_writes) || fake_fails(in, call)) {
		*err = in->fail;
		written->at = in->fail_index;
	} else if (in->most_changes && call->batch.count > in->most_changes) {
		error_set(err, ERROR_RETRY, "batch-too-large", "the fake takes %zu",
			  in->most_changes);
		written->at = in->most_changes;
	} else if ((at = find_sinking(in, call, &refusal)) != SIZE_MAX) {
		spend(refusal);
		error_set(err, refusal->kind, refusal->code, "the fake refuses the request");
		written->at = refusal->unnamed ? call->batch.count : at;
		if (!refusal->unnamed && refusal->kind == ERROR_FIELD)
			written->field = field_of(call, refusal->field);
	} else {
		return false;
	}
	written->end = REMOTE_NOT_DONE;
	written->err = err;
	return true;
}

void fake_answer_write(struct remote_call *call)
{
	struct fake *in = call->fake;
	struct remote_written written = { .end = REMOTE_ANSWERED, .server_ms = in->now_ms };
	struct error why;

	in->open_writes--;
	if (takes(&in->lose_writes) || fake_is_lost(in, call)) {
		remote_written_fn *done = call->written_done;
		void *arg = call->arg;

		error_set(&why, ERROR_RETRY, "reset", "connection reset");
		written = (struct remote_written){ .end = REMOTE_UNKNOWN, .err = &why };
		fake_meet_fate(call);
		done(&written, arg);
		return;
	}
	if (!is_refused_whole(in, call, &written, &why))
		written.results = do_batch(in, call);
	if (in->on_written)
		in->on_written(in, call->number, in->on_call_arg);
	call->written_done(&written, call->arg);
	fake_call_free(call);
}

/* --- without an answer --- */

static void do_unseen(struct fake *in, struct remote_call *call)
{
	struct fake_refusal *refusal;

	if (find_sinking(in, call, &refusal) == SIZE_MAX)
		remote_results_free(do_batch(in, call));
	fake_call_free(call);
}

static void put_late(struct fake *in, struct remote_call *call)
{
	struct fake_late *made = mem_new(struct fake_late), **at = &in->late;

	*made = (struct fake_late){ .at_ms = in->now_ms + in->later_ms, .call = call };
	while (*at && (*at)->at_ms <= made->at_ms)
		at = &(*at)->next;
	made->next = *at;
	*at = made;
}

void fake_meet_fate(struct remote_call *call)
{
	struct fake *in = call->fake;

	if (in->traces)
		fprintf(stderr, "  remote: a write without an answer, %s\n",
			in->fate == FAKE_DONE         ? "done"
			: in->fate == FAKE_DONE_LATER ? "done later"
						      : "not done");
	switch (in->fate) {
	case FAKE_NOT_DONE: fake_call_free(call); break;
	case FAKE_DONE: do_unseen(in, call); break;
	case FAKE_DONE_LATER: put_late(in, call); break;
	}
}

static struct remote_call *take_late(struct fake *in)
{
	struct fake_late *first = in->late;
	struct remote_call *call = first->call;

	in->late = first->next;
	free(first);
	return call;
}

void fake_do_late(struct fake *in)
{
	int64_t now_ms = in->now_ms;

	while (in->late && in->late->at_ms <= now_ms) {
		in->now_ms = in->late->at_ms; /* stamped when it was done */
		if (in->traces)
			fprintf(stderr, "  remote: a write from before is done\n");
		do_unseen(in, take_late(in));
	}
	in->now_ms = now_ms;
}

void fake_late_free(struct fake *in)
{
	while (in->late)
		fake_call_free(take_late(in));
}
