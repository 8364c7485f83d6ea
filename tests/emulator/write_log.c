/* write_log.c - in order: counting, opening an entry, one record, how it ended, the log. */
#include "write_log.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "call.h"
#include "clock.h"
#include "json_in.h"
#include "mem.h"
#include "schema.h"
#include "sfid.h"
#include "stamp.h"
#include "twice.h"

#define LOG_BYTES_MAX (64u << 20)

/* A request being taken down; then its text in the log. */
struct write {
	struct json_object *records;                      /* owned: an array */
	struct json_object *seen;                         /* owned: the objects of it, as keys */
	struct json_object *fields_twice, *records_twice; /* owned: arrays, or NULL */
	int64_t at_ms;
	uint64_t number;
	char *text; /* owned, once it has ended */
	struct write *next;
};

static struct json_object *counts;
static struct write *first, *last;
static size_t log_bytes;
static uint64_t number, dropped, fields_twice, records_twice;

static const char *const told_headers[] = {
	"Sforce-Auto-Assign", "Sforce-Duplicate-Rule-Header", "Sforce-Call-Options", "Sforce-Mru",
	"If-Match",           "If-Unmodified-Since"
};

static struct json_object *within(struct json_object *in, const char *name)
{
	struct json_object *out;

	if (!json_object_object_get_ex(in, name, &out)) {
		out = json_object_new_object();
		json_object_object_add(in, name, out);
	}
	return out;
}

static void count(struct json_object *in, const char *name)
{
	struct json_object *out;

	if (json_object_object_get_ex(in, name, &out))
		json_object_int_inc(out, 1);
	else
		json_object_object_add(in, name, json_object_new_int64(1));
}

static void note_twice(struct json_object **list, const char *name, size_t length)
{
	if (!*list)
		*list = json_object_new_array();
	json_object_array_add(*list, json_object_new_string_len(name, (int)length));
}

/* The name as the schema writes it, whatever case a client uses. */
static const char *proper(const struct sobject *of, const char *name)
{
	const struct field *field = of ? schema_field(of, name, strlen(name)) : NULL;

	return field ? field->name : name;
}

static void found_twice(const char *name, size_t length, void *arg)
{
	struct write *in = arg;

	note_twice(&in->fields_twice, name, length);
	fields_twice++;
}

void write_log_open(struct call *call)
{
	if (!call->write) {
		call->write = mem_new(sizeof(*call->write));
		*call->write = (struct write){ .records = json_object_new_array(),
					       .seen = json_object_new_object(),
					       .at_ms = clock_now_ms(),
					       .number = ++number };
		if (call->body_length)
			twice_find(call->body, call->body_length, found_twice, call->write);
	}
	if (!counts)
		counts = json_object_new_object();
	call->write_from = json_object_array_length(call->write->records);
	call->write_count = 0;
}

/* Whether the request named this record before. */
static bool is_named(struct write *in, const char *object, const char *name)
{
	char key[500];

	snprintf(key, sizeof(key), "%s %s", object, name);
	for (char *at = strchr(name, '/') ? key : ""; *at; at++)
		*at = (char)tolower((unsigned char)*at); /* keys have no case, ids have */
	if (json_object_object_get_ex(in->seen, key, NULL))
		return true;
	within(in->seen, key);
	return false;
}

static void add_fields(const struct sobject *of, struct json_object *body, struct json_object *sums,
		       struct json_object *named, struct json_object *fields)
{
	json_object_object_foreach(body, given, value)
	{
		const char *field = proper(of, given);

		if (strcmp(given, "attributes") == 0 || strcasecmp(field, "Id") == 0 ||
		    json_object_is_type(value, json_type_object))
			continue;
		count(sums, field);
		if (named)
			count(named, field);
		json_object_array_add(fields, json_object_new_string(field));
	}
}

void write_log_add(struct call *call, const char *object, const char *which, const char *name,
		   struct json_object *body)
{
	const struct sobject *of = schema_find(object, strlen(object));
	struct json_object *record = json_object_new_object(), *fields = json_object_new_array();
	struct json_object *sums, *named = NULL;
	char id[SFID_SIZE];

	object = of ? of->name : object;
	if (name && strcmp(which, "id") == 0 && sfid_parse(name, strlen(name), id))
		name = id;
	sums = within(counts, object);
	if (!json_object_object_get_ex(call->write->seen, object, NULL))
		count(sums, "requests");
	within(call->write->seen, object);
	count(sums, "records");
	if (name) {
		named = within(within(sums, "by_record"), name);
		if (is_named(call->write, object, name)) {
			note_twice(&call->write->records_twice, name, strlen(name));
			records_twice++;
		}
	}
	sums = within(sums, "fields");
	if (body)
		add_fields(of, body, sums, named, fields);
	json_object_object_add(record, "object", json_object_new_string(object));
	if (name)
		json_object_object_add(record, which, json_object_new_string(name));
	json_object_object_add(record, "fields", fields);
	json_object_array_add(call->write->records, record);
	call->write_count++;
}

void write_log_tell(struct call *call, size_t at, const char *status, const char *id)
{
	struct json_object *record;

	if (!call->write || at >= call->write_count)
		return;
	record = json_object_array_get_idx(call->write->records, call->write_from + at);
	json_object_object_add(record, "status", json_object_new_string(status));
	if (id && *id)
		json_object_object_add(record, "id", json_object_new_string(id));
}

void write_log_settle(struct call *call)
{
	char status[20];

	if (!call->write)
		return;
	snprintf(status, sizeof(status), "%d", call->status);
	for (size_t i = 0; i < call->write_count; i++)
		if (!json_object_object_get_ex(json_object_array_get_idx(call->write->records,
									 call->write_from + i),
					       "status", NULL))
			write_log_tell(call, i, call->error ? call->error : status, NULL);
}

static void add_headers(const struct call *call, struct json_object *out)
{
	struct json_object *headers = json_object_new_object();

	for (size_t i = 0; i < sizeof(told_headers) / sizeof(told_headers[0]); i++) {
		const char *value = call_header(call, told_headers[i]);

		if (value)
			json_object_object_add(headers, told_headers[i],
					       json_object_new_string(value));
	}
	json_object_object_add(out, "headers", headers);
}

static char *as_text(struct call *call)
{
	static const char *const verbs[] = { "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "?" };
	struct json_object *out = json_object_new_object(), *all = NULL;
	struct write *in = call->write;
	char stamp[29];
	char *text;

	stamp_format(in->at_ms / 1000, stamp);
	json_object_object_add(out, "number", json_object_new_int64((int64_t)in->number));
	json_object_object_add(out, "at", json_object_new_string(stamp));
	json_object_object_add(out, "kind", json_object_new_string(kind_name(call->kind)));
	json_object_object_add(out, "verb", json_object_new_string(verbs[call->verb]));
	json_object_object_add(out, "path", json_object_new_string(call->path));
	json_object_object_add(out, "status", json_object_new_int(call->status));
	json_object_object_add(out, "outcome",
			       json_object_new_string(call->error ? call->error : "ok"));
	if (call->json && json_object_object_get_ex(call->json, "allOrNone", &all))
		json_object_object_add(out, "allOrNone", json_object_get(all));
	add_headers(call, out);
	json_object_object_add(out, "fields_twice", json_object_get(in->fields_twice));
	json_object_object_add(out, "records_twice", json_object_get(in->records_twice));
	json_object_object_add(out, "records", json_object_get(in->records));
	text = strdup(json_object_to_json_string_ext(out, JSON_C_TO_STRING_PLAIN));
	json_object_put(out);
	if (!text)
		abort();
	return text;
}

static void drop_first(void)
{
	struct write *old = first;

	log_bytes -= strlen(old->text);
	first = old->next;
	free(old->text);
	free(old);
}

void write_log_end(struct call *call)
{
	struct write *in = call->write;

	if (!in)
		return;
	write_log_settle(call);
	in->text = as_text(call);
	json_object_put(in->records);
	json_object_put(in->seen);
	json_object_put(in->fields_twice);
	json_object_put(in->records_twice);
	log_bytes += strlen(in->text);
	if (first)
		last->next = in;
	else
		first = in;
	last = in;
	for (; log_bytes > LOG_BYTES_MAX && first != last; dropped++)
		drop_first();
	call->write = NULL;
}

void write_log_end_unserved(struct call *call, const char *outcome)
{
	call->write_from = 0;
	call->write_count = json_object_array_length(call->write->records);
	for (size_t i = 0; i < call->write_count; i++)
		json_object_object_del(json_object_array_get_idx(call->write->records, i),
				       "status");
	call->error = outcome;
	write_log_end(call);
}

void write_log_reset(void)
{
	while (first)
		drop_first();
	last = NULL;
	json_object_put(counts);
	counts = NULL;
	number = dropped = fields_twice = records_twice = 0;
}

void write_log_write_counts(struct text *out)
{
	text_word(out,
		  counts ? json_object_to_json_string_ext(counts, JSON_C_TO_STRING_PLAIN) : "{}");
}

void write_log_write(struct text *out)
{
	text_printf(out,
		    "{\"requests\":%llu,\"dropped\":%llu,\"fields_twice\":%llu,"
		    "\"records_twice\":%llu,\"log\":[",
		    (unsigned long long)number, (unsigned long long)dropped,
		    (unsigned long long)fields_twice, (unsigned long long)records_twice);
	for (const struct write *at = first; at; at = at->next) {
		text_word(out, at->text);
		if (at->next)
			text_char(out, ',');
	}
	text_word(out, "]}");
}
