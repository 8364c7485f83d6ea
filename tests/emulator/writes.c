/* writes.c - in order: counting, one record, taking a request apart, the log. */
#include "writes.h"

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
#include "part.h"
#include "schema.h"
#include "sfid.h"
#include "stamp.h"
#include "twice.h"

#define LOG_BYTES_MAX (64u << 20)

/* Where an object and an id or key stand in the path of a single record. */
#define OBJECT_PART 4
#define KEY_PART    5

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

/* `which` is "id" or "key", and `name` that; both NULL for a new record. */
static void add_record(struct call *call, const char *object, const char *which, const char *name,
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

static const char *type_of(struct json_object *record)
{
	struct json_object *attributes;

	if (!json_object_object_get_ex(record, "attributes", &attributes) ||
	    !json_object_is_type(attributes, json_type_object))
		return NULL;
	return json_in_text(attributes, "type");
}

/* The value of a member, whatever the case of its name. */
static const char *member(struct json_object *record, const char *name)
{
	json_object_object_foreach(record, key, value)
	{
		if (strcasecmp(key, name) == 0)
			return json_object_get_string(value);
	}
	return NULL;
}

static void note_keyed(struct call *call, const char *object, const char *field, const char *value,
		       struct json_object *body)
{
	const struct sobject *of = schema_find(object, strlen(object));
	char key[400];

	snprintf(key, sizeof(key), "%s/%s", proper(of, field), value ? value : "");
	if (strcasecmp(field, "Id") == 0)
		add_record(call, object, value ? "id" : NULL, value, body);
	else
		add_record(call, object, value ? "key" : NULL, value ? key : NULL, body);
}

static void note_collection(struct call *call, struct json_object *body)
{
	const char *field = call->part_count > 6 ? call->parts[6] : NULL;
	struct json_object *records;

	if (!json_object_object_get_ex(body, "records", &records) ||
	    !json_object_is_type(records, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(records); i++) {
		struct json_object *one = json_object_array_get_idx(records, i);
		const char *id, *type;

		if (!json_object_is_type(one, json_type_object))
			continue;
		type = type_of(one);
		id = member(one, "Id");
		if (!type)
			type = field ? call->parts[5] : "?";
		if (field)
			note_keyed(call, type, field, member(one, field), one);
		else
			add_record(call, type, id ? "id" : NULL, id, one);
	}
}

static void note_deletes(struct call *call)
{
	const char *at = call_param(call, "ids");

	while (at && *at) {
		size_t length = strcspn(at, ",");
		char id[40];
		const struct sobject *of;

		snprintf(id, sizeof(id), "%.*s", (int)length, at);
		of = schema_by_prefix(id);
		if (length)
			add_record(call, of ? of->name : "?", "id", id, NULL);
		at += length + (at[length] == ',');
	}
}

/* Children stand in members that are objects with records. */
static void note_tree(struct call *call, struct json_object *body, const char *object)
{
	struct json_object *records;

	if (!json_object_object_get_ex(body, "records", &records) ||
	    !json_object_is_type(records, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(records); i++) {
		struct json_object *one = json_object_array_get_idx(records, i);
		const char *type;

		if (!json_object_is_type(one, json_type_object))
			continue;
		type = type_of(one);
		add_record(call, type ? type : object, NULL, NULL, one);
		json_object_object_foreach(one, name, value)
		{
			(void)name;
			if (json_object_is_type(value, json_type_object) &&
			    json_object_object_get_ex(value, "records", NULL))
				note_tree(call, value, "?");
		}
	}
}

static void take_apart(struct call *call, struct json_object *body)
{
	switch ((int)call->kind) {
	case KIND_CREATE: add_record(call, call->parts[OBJECT_PART], NULL, NULL, body); break;
	case KIND_UPDATE:
		add_record(call, call->parts[OBJECT_PART], "id", call->parts[KEY_PART], body);
		break;
	case KIND_UPSERT:
		note_keyed(call, call->parts[OBJECT_PART], call->parts[KEY_PART],
			   call->parts[KEY_PART + 1], body);
		break;
	case KIND_DELETE:
		if (call->part_count > KEY_PART + 1)
			note_keyed(call, call->parts[OBJECT_PART], call->parts[KEY_PART],
				   call->parts[KEY_PART + 1], NULL);
		else
			add_record(call, call->parts[OBJECT_PART], "id", call->parts[KEY_PART],
				   NULL);
		break;
	case KIND_COLLECTIONS:
		if (call->verb == VERB_DELETE)
			note_deletes(call);
		else
			note_collection(call, body);
		break;
	case KIND_TREE: note_tree(call, body, call->parts[KEY_PART]); break;
	default: break;
	}
}

static void found_twice(const char *name, size_t length, void *arg)
{
	struct write *in = arg;

	note_twice(&in->fields_twice, name, length);
	fields_twice++;
}

static bool is_write(const struct call *call)
{
	return call->verb != VERB_GET && call->verb != VERB_HEAD &&
	       (call->kind == KIND_CREATE || call->kind == KIND_UPDATE ||
		call->kind == KIND_UPSERT || call->kind == KIND_DELETE ||
		call->kind == KIND_COLLECTIONS || call->kind == KIND_COMPOSITE ||
		call->kind == KIND_BATCH || call->kind == KIND_TREE);
}

/* The body, if it is a JSON object at all; what is wrong with it is not told here. */
static struct json_object *peek(struct call *call)
{
	struct text said = call->out;
	const char *error = call->error;
	int status = call->status;
	struct json_object *out;

	if (call->verb == VERB_DELETE || (!call->json && !call->body_length))
		return NULL;
	call->out = (struct text){ 0 };
	out = call_json(call);
	text_free(&call->out);
	call->out = said;
	call->error = error;
	call->status = status;
	return out;
}

void writes_note(struct call *call)
{
	struct json_object *body;

	if (!is_write(call) || call->is_late)
		return;
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
	body = peek(call);
	take_apart(call, body);
	json_object_put(body);
}

static void note_parts(struct call *call)
{
	struct json_object *body = peek(call), *list = NULL;

	if (body)
		json_object_object_get_ex(body, part_list_name(call->kind), &list);
	for (size_t i = 0;
	     json_object_is_type(list, json_type_array) && i < json_object_array_length(list);
	     i++) {
		struct call part;

		if (!part_open(&part, call, json_object_array_get_idx(list, i)))
			continue;
		writes_note(&part);
		writes_settle(&part);
		call_close(&part);
	}
	json_object_put(body);
}

void writes_note_unserved(struct call *call, const char *outcome)
{
	writes_note(call);
	if (!call->write)
		return;
	if (part_list_name(call->kind))
		note_parts(call);
	call->write_from = 0;
	call->write_count = json_object_array_length(call->write->records);
	for (size_t i = 0; i < call->write_count; i++)
		json_object_object_del(json_object_array_get_idx(call->write->records, i),
				       "status");
	call->error = outcome;
	writes_end(call);
}

void writes_tell(struct call *call, size_t at, const char *status, const char *id)
{
	struct json_object *record;

	if (!call->write || at >= call->write_count)
		return;
	record = json_object_array_get_idx(call->write->records, call->write_from + at);
	json_object_object_add(record, "status", json_object_new_string(status));
	if (id && *id)
		json_object_object_add(record, "id", json_object_new_string(id));
}

void writes_settle(struct call *call)
{
	char status[20];

	if (!call->write)
		return;
	snprintf(status, sizeof(status), "%d", call->status);
	for (size_t i = 0; i < call->write_count; i++)
		if (!json_object_object_get_ex(json_object_array_get_idx(call->write->records,
									 call->write_from + i),
					       "status", NULL))
			writes_tell(call, i, call->error ? call->error : status, NULL);
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

void writes_end(struct call *call)
{
	struct write *in = call->write;

	if (!in)
		return;
	writes_settle(call);
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

void writes_reset(void)
{
	while (first)
		drop_first();
	last = NULL;
	json_object_put(counts);
	counts = NULL;
	number = dropped = fields_twice = records_twice = 0;
}

void writes_write(struct text *out)
{
	text_word(out,
		  counts ? json_object_to_json_string_ext(counts, JSON_C_TO_STRING_PLAIN) : "{}");
}

void writes_write_log(struct text *out)
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
