/* faults.c - in order: the list, reading one, meeting a call. */
#include "faults.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "mem.h"

struct fault {
	char match[200];
	int64_t times, skip;
	int status; /* 0: the real answer */
	bool commit;
	struct json_object *spec; /* owned: body, content_type, headers */
	struct fault_shape shape;
	struct fault *next;
};

static struct fault *faults;
static struct fault *met; /* owned: the last one met, for faults_answer() */

static void free_fault(struct fault *in)
{
	if (in)
		json_object_put(in->spec);
	free(in);
}

void faults_clear(void)
{
	while (faults) {
		struct fault *next = faults->next;

		free_fault(faults);
		faults = next;
	}
}

void faults_write(struct text *out)
{
	text_word(out, "{\"faults\":[");
	for (const struct fault *at = faults; at; at = at->next)
		text_printf(out, "{\"remaining\":%lld,\"skip\":%lld,\"fault\":%s}%s",
			    (long long)at->times, (long long)at->skip,
			    json_object_to_json_string_ext(at->spec, JSON_C_TO_STRING_PLAIN),
			    at->next ? "," : "");
	text_word(out, "]}");
}

static int64_t int_of(struct json_object *in, const char *name, int64_t fallback)
{
	struct json_object *found;

	return json_object_object_get_ex(in, name, &found) ? json_object_get_int64(found)
							   : fallback;
}

static bool bool_of(struct json_object *in, const char *name)
{
	struct json_object *found;

	return json_object_object_get_ex(in, name, &found) && json_object_get_boolean(found);
}

static const char *text_of(struct json_object *in, const char *name)
{
	struct json_object *found;

	return json_object_object_get_ex(in, name, &found) ? json_object_get_string(found) : NULL;
}

bool faults_add(struct json_object *from, const char **why)
{
	static const char *const known[] = { "match",         "times",         "skip",
					     "status",        "body",          "content_type",
					     "headers",       "commit",        "delay_ms",
					     "reset",         "hang",          "cut_after",
					     "truncate_gzip", "truncate_body", "slow" };
	const char *match = text_of(from, "match");
	struct json_object *slow = NULL;
	struct fault *out, **end = &faults;

	json_object_object_foreach(from, key, value)
	{
		bool found = false;

		(void)value;
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			found = found || strcmp(known[i], key) == 0;
		if (!found) {
			*why = "unknown key in fault";
			return false;
		}
	}
	if (!match || !*match || strlen(match) >= sizeof(out->match)) {
		*why = "match is missing";
		return false;
	}
	json_object_object_get_ex(from, "slow", &slow);
	out = mem_new(sizeof(*out));
	*out = (struct fault){
		.times = int_of(from, "times", 1),
		.skip = int_of(from, "skip", 0),
		.status = (int)int_of(from, "status", 0),
		.commit = bool_of(from, "commit"),
		.spec = json_object_get(from),
		.shape = { .delay_ms = int_of(from, "delay_ms", 0),
			   .reset = bool_of(from, "reset"),
			   .hang = bool_of(from, "hang"),
			   .truncate_gzip = bool_of(from, "truncate_gzip"),
			   .cut_after = int_of(from, "cut_after", -1),
			   .truncate_body = int_of(from, "truncate_body", -1),
			   .slow_bytes = int_of(slow, "bytes", 0),
			   .slow_ms = int_of(slow, "interval_ms", 0) },
	};
	snprintf(out->match, sizeof(out->match), "%s", match);
	while (*end)
		end = &(*end)->next;
	*end = out;
	return true;
}

static bool matches(const struct fault *in, const struct call *call)
{
	if (in->match[0] == '/')
		return strncmp(call->path, in->match, strlen(in->match)) == 0;
	return strcmp(in->match, "*") == 0 || strcmp(in->match, kind_name(call->kind)) == 0;
}

bool faults_meet(struct call *call, struct fault_shape *shape)
{
	struct fault **at = &faults, *one;

	*shape = (struct fault_shape){ .cut_after = -1, .truncate_body = -1 };
	free_fault(met);
	met = NULL;
	while (*at && (!matches(*at, call) || (*at)->skip > 0)) {
		if (matches(*at, call))
			(*at)->skip--;
		at = &(*at)->next;
	}
	one = *at;
	if (!one)
		return false;
	call->faulted = true;
	*shape = one->shape;
	met = mem_new(sizeof(*met));
	*met = *one;
	met->spec = json_object_get(one->spec);
	if (--one->times <= 0) {
		*at = one->next;
		free_fault(one);
	}
	if (met->status && !met->commit)
		faults_answer(call);
	return !met->commit && (met->status || met->shape.reset || met->shape.hang);
}

void faults_answer(struct call *call)
{
	const char *body, *type;
	struct json_object *headers;

	if (!met || !met->status)
		return;
	body = text_of(met->spec, "body");
	type = text_of(met->spec, "content_type");
	call->out.used = 0;
	call->status = met->status;
	text_word(&call->out, body ? body : "");
	if (type)
		call->type = type; /* lives until the next call, as do the names of headers */
	if (!json_object_object_get_ex(met->spec, "headers", &headers))
		return;
	json_object_object_foreach(headers, name, value)
	{
		call_add_header(call, name, json_object_get_string(value));
	}
}
