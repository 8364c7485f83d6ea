/* fake_remote.c - the calls: what is asked, which faults befall it, and its answer. */
#include "fake_remote.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "fake_private.h"
#include "loop/loop.h"
#include "record/mapping.h"
#include "record/record.h"
#include "record/schema.h"

static struct fake *of(struct remote *in)
{
	return (struct fake *)in;
}

void fake_violation(struct fake *in, const char *format, ...)
{
	va_list args;

	if (in->violations++)
		return;
	va_start(args, format);
	vsnprintf(in->violation, sizeof(in->violation), format, args);
	va_end(args);
}

void fake_wait(struct fake *in, int64_t ms)
{
	in->now_ms += ms;
	fake_do_late(in);
}

bool fake_has_late(const struct fake *in)
{
	return in->late != NULL;
}

unsigned fake_requests(const struct fake *in, enum fake_request_kind kind)
{
	unsigned count = 0;

	for (size_t i = 0; i < in->log_count; i++)
		count += in->log[i].kind == kind;
	return count;
}

static struct schema_field describe_field(const struct fake_field *in)
{
	return (struct schema_field){ .name = mem_strdup(in->name),
				      .label = mem_strdup(in->name),
				      .type_name = mem_strdup("string"),
				      .type = in->type,
				      .scale = in->scale,
				      .length = in->length,
				      .readable = true,
				      .createable = !in->read_only,
				      .updateable = !in->read_only,
				      .nillable = !in->required,
				      .external_id = in->external_id,
				      .unique = in->external_id,
				      .filterable = true };
}

static struct schema_field describe_own(const char *name, enum value_type type)
{
	return (struct schema_field){ .name = mem_strdup(name),
				      .label = mem_strdup(name),
				      .type_name = mem_strdup("system"),
				      .type = type,
				      .readable = true };
}

static void make_schema(struct fake *in)
{
	schema_free(in->schema);
	in->schema = schema_new("Contact");
	in->schema->version = in->version ? mem_strdup(in->version) : NULL;
	for (size_t i = 0; i < in->field_count; i++)
		if (!in->fields[i].gone)
			schema_add(in->schema, describe_field(&in->fields[i]));
	schema_add(in->schema, describe_own("IsDeleted", VALUE_BOOLEAN));
	schema_add(in->schema, describe_own("SystemModstamp", VALUE_DATETIME));
	schema_finish(in->schema);
}

void fake_call_free(struct remote_call *in)
{
	mapping_free(in->mapping);
	arena_free(in->arena);
	free(in);
}

bool fake_fails(const struct fake *in, const struct remote_call *call)
{
	return in->fail_at && call->number >= in->fail_at &&
	       call->number < in->fail_at + in->fail_count;
}

bool fake_is_lost(const struct fake *in, const struct remote_call *call)
{
	return in->lose_at && call->number >= in->lose_at &&
	       call->number < in->lose_at + in->lose_count;
}

#define MOST_PICK_BYTES 3000 /* of all of them, as if each byte took three in a URL */

static bool is_too_long(const struct fake *in, const struct remote_call *call)
{
	size_t bytes = 0;

	for (size_t i = 0; !call->next && call->query.pick_field && i < call->query.pick_count; i++)
		bytes += call->query.picks[i].len;
	return bytes > MOST_PICK_BYTES ||
	       (in->most_picks && !call->next && call->query.pick_count > in->most_picks);
}

/* As the real one: no query can be asked for it. */
static bool is_no_literal(struct fake *in, const struct remote_call *call)
{
	const struct fake_field *field;
	bool bad = false;

	if (!call->page_done || call->next || !call->query.pick_field)
		return false;
	field = fake_field(in, call->query.pick_field);
	for (size_t i = 0; i < call->query.pick_count; i++)
		bad |= !fake_is_canonical(field->type, field->scale, &call->query.picks[i]);
	return bad;
}

/* True: it fails. */
static bool find_fault(struct fake *in, const struct remote_call *call, struct error *err)
{
	if (fake_is_lost(in, call))
		error_set(err, ERROR_RETRY, "reset", "connection reset");
	else if (fake_fails(in, call))
		*err = in->fail;
	else if (call->next && call->number == in->expire_at)
		error_set(err, ERROR_STALE, "INVALID_QUERY_LOCATOR", "gone");
	else if (call->page_done && is_too_long(in, call))
		error_set(err, ERROR_RETRY, "query-too-long", "the fake takes %zu", in->most_picks);
	else if (is_no_literal(in, call))
		error_set(err, ERROR_BUG, "bad-pick", "a value to pick by is not canonical");
	else
		return false;
	return true;
}

static void answer_page(struct remote_call *call, const struct error *err)
{
	struct fake *in = call->fake;
	struct record_page *page = NULL;

	in->open_reads--;
	if (!err)
		page = call->next ? fake_next_page(in, call) : fake_first_page(in, call);
	call->page_done(page, err, call->arg);
	fake_call_free(call);
}

static void answer_schema(struct remote_call *call, const struct error *err)
{
	struct fake *in = call->fake;

	if (!err)
		make_schema(in);
	call->schema_done(err ? NULL : in->schema, true, in->now_ms, err, call->arg);
	fake_call_free(call);
}

static void answer(void *arg)
{
	struct remote_call *call = arg;
	struct fake *in = call->fake;
	struct error why;
	bool fails;

	call->soon = NULL;
	if (in->is_cut && in->is_cut()) {
		in->fate = FAKE_NOT_DONE;
		in->hangs = true;
		return;
	}
	fake_do_late(in);
	if (in->on_call)
		in->on_call(in, call->number, in->on_call_arg);
	fake_wait(in, 1000);
	loop_test_advance(in->loop, 1000);
	if (call->number == in->hang_at) {
		in->hangs = true; /* until it is cancelled */
		return;
	}
	in->open_calls--;
	if (call->written_done) {
		fake_answer_write(call);
		return;
	}
	fails = find_fault(in, call, &why);
	if (call->page_done)
		answer_page(call, fails ? &why : NULL);
	else
		answer_schema(call, fails ? &why : NULL);
}

static struct remote_call *start(struct fake *in, struct mapping *mapping,
				 struct fake_request request, void *arg)
{
	struct remote_call *call = mem_new(struct remote_call);

	*call = (struct remote_call){ .fake = in,
				      .number = ++in->calls,
				      .arg = arg,
				      .arena = arena_new(),
				      .mapping = mapping ? mapping_share(mapping) : NULL };
	in->open_calls++;
	request.call = call->number;
	if (!(in->log_count & (in->log_count - 1)))
		in->log = mem_resize(in->log, in->log_count ? 2 * in->log_count : 1,
				     sizeof(*in->log));
	in->log[in->log_count++] = request;
	call->soon = loop_soon(in->loop, answer, call);
	return call;
}

static struct remote_call *do_describe(struct remote *remote, const char *object,
				       remote_schema_fn *done, void *arg)
{
	struct remote_call *call =
		start(of(remote), NULL, (struct fake_request){ .kind = FAKE_DESCRIBE }, arg);

	(void)object;
	call->schema_done = done;
	return call;
}

static const struct schema *last_schema(struct remote *remote, const char *object)
{
	return strcmp(object, "Contact") == 0 ? of(remote)->schema : NULL;
}

static void open_read(struct fake *in)
{
	if (in->open_writes)
		fake_violation(in, "a read while a write has no answer");
	in->open_reads++;
}

static void look_at_window(struct fake *in, const struct remote_query *query)
{
	if (query->until_ms - query->from_ms > in->largest_window_ms)
		in->largest_window_ms = query->until_ms - query->from_ms;
	if (!in->least_from_ms || query->from_ms < in->least_from_ms)
		in->least_from_ms = query->from_ms;
}

static const char *copy_text(struct arena *arena, const char *text)
{
	return text ? arena_copy(arena, text, strlen(text)) : NULL;
}

static void copy_picks(struct remote_call *call, const struct remote_query *query)
{
	struct value *picks = arena_take(call->arena, query->pick_count * sizeof(*picks) + 1);

	for (size_t i = 0; i < query->pick_count; i++) {
		const struct value *from = &query->picks[i];

		picks[i] = *from;
		if (from->text)
			picks[i].text = arena_copy(call->arena, from->text, from->len);
		else
			fake_violation(call->fake, "a null was picked");
	}
	if (!query->pick_count)
		fake_violation(call->fake, "nothing was picked");
	call->query.picks = picks;
}

static struct remote_call *do_read(struct remote *remote, const struct remote_query *query,
				   remote_page_fn *done, void *arg)
{
	struct fake *in = of(remote);
	struct remote_call *call = start(in, query->mapping,
					 (struct fake_request){ .kind = FAKE_READ,
								.order = query->order,
								.by_field = query->pick_field,
								.has_where = query->where,
								.count = query->pick_count },
					 arg);

	open_read(in);
	in->reads++;
	call->page_done = done;
	call->query = *query;
	call->query.where = copy_text(call->arena, query->where);
	call->query.after_id = copy_text(call->arena, query->after_id);
	call->query.pick_field = copy_text(call->arena, query->pick_field);
	call->query.key_field = copy_text(call->arena, query->key_field);
	if (query->order == REMOTE_PICKED)
		copy_picks(call, query);
	if (query->order == REMOTE_BY_STAMP)
		look_at_window(in, query);
	return call;
}

static struct remote_call *do_read_more(struct remote *remote, struct mapping *mapping,
					const char *next, remote_page_fn *done, void *arg)
{
	struct remote_call *call =
		start(of(remote), mapping, (struct fake_request){ .kind = FAKE_READ_MORE }, arg);

	open_read(of(remote));
	call->page_done = done;
	call->next = arena_copy(call->arena, next, strlen(next));
	return call;
}

static struct remote_call *do_write(struct remote *remote, const struct remote_batch *batch,
				    remote_written_fn *done, void *arg)
{
	struct fake *in = of(remote);
	struct remote_call *call = start(in, batch->mapping,
					 (struct fake_request){ .kind = FAKE_WRITE,
								.operation = batch->operation,
								.count = batch->count },
					 arg);

	if (in->open_reads || in->open_writes)
		fake_violation(in, "a write while another call has no answer");
	in->writes++;
	in->open_writes++;
	call->written_done = done;
	fake_copy_batch(call, batch);
	fake_check_batch(in, &call->batch);
	return call;
}

static void do_cancel(struct remote_call *call)
{
	struct fake *in = call->fake;

	loop_timer_cancel(call->soon);
	in->open_calls--;
	in->open_reads -= call->page_done != NULL;
	if (!call->written_done) {
		fake_call_free(call);
		return;
	}
	in->open_writes--;
	fake_meet_fate(call);
}

static const char *org_id(struct remote *remote)
{
	return of(remote)->org_id;
}

static const struct remote_ops fake_ops = {
	.describe = do_describe,
	.schema = last_schema,
	.read = do_read,
	.read_more = do_read_more,
	.write = do_write,
	.cancel = do_cancel,
	.org_id = org_id,
};

struct fake *fake_new(struct loop *loop)
{
	struct fake *in = mem_new(struct fake);

	*in = (struct fake){ .remote.ops = &fake_ops,
			     .loop = loop,
			     .now_ms = FAKE_NOW,
			     .org_id = "00D000000000001EAA",
			     .page_size = 3 };
	return in;
}

void fake_free(struct fake *in)
{
	if (!in)
		return;
	if (in->open_calls)
		abort(); /* every call is answered or cancelled */
	for (size_t i = 0; i < in->count; i++)
		for (size_t k = 0; k < FAKE_FIELDS; k++)
			free(in->records[i].values[k]);
	fake_positions_free(in);
	fake_late_free(in);
	free(in->records);
	free(in->log);
	schema_free(in->schema);
	free(in);
}
