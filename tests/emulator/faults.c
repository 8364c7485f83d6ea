/* faults.c - in order: the list, reading one, meeting a call. */
#include "faults.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "data.h"
#include "json_in.h"
#include "mem.h"

struct fault {
	char match[200];
	int64_t times, skip; /* -1 times: for ever */
	double rate;         /* how many of those it could meet it does, 1 for all */
	uint64_t random;     /* the state that decides which */
	int status;          /* 0: the real answer */
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

bool faults_add(struct json_object *from, const char **why)
{
	static const char *const known[] = {
		"match",         "times",         "skip",     "status", "body", "content_type",
		"headers",       "commit",        "delay_ms", "reset",  "hang", "cut_after",
		"truncate_gzip", "truncate_body", "slow",     "rate",   "seed", "commit_later_s"
	};
	const char *match = json_in_text(from, "match");
	struct json_object *slow = NULL, *rate = NULL;
	bool rated;
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
	rated = json_object_object_get_ex(from, "rate", &rate);
	out = mem_new(sizeof(*out));
	*out = (struct fault){
		.times = json_in_int(from, "times", rated ? -1 : 1),
		.rate = rated ? json_object_get_double(rate) : 1,
		.random = (uint64_t)json_in_int(from, "seed", 1),
		.skip = json_in_int(from, "skip", 0),
		.status = (int)json_in_int(from, "status", 0),
		.commit = json_in_bool(from, "commit"),
		.spec = json_object_get(from),
		.shape = { .delay_ms = json_in_int(from, "delay_ms", 0),
			   .reset = json_in_bool(from, "reset"),
			   .hang = json_in_bool(from, "hang"),
			   .truncate_gzip = json_in_bool(from, "truncate_gzip"),
			   .cut_after = json_in_int(from, "cut_after", -1),
			   .truncate_body = json_in_int(from, "truncate_body", -1),
			   .slow_bytes = json_in_int(slow, "bytes", 0),
			   .slow_ms = json_in_int(slow, "interval_ms", 0),
			   .later_s = json_in_int(from, "commit_later_s", -1) },
	};
	if (out->shape.later_s >= 0 && !out->status && !out->shape.hang)
		out->shape.reset = true; /* the answer is lost in any case */
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

/* Each call it could meet moves the skip on, or the dice. */
static bool meets(struct fault *in, const struct call *call)
{
	if (!matches(in, call))
		return false;
	if (in->skip > 0) {
		in->skip--;
		return false;
	}
	return in->rate >= 1 || (double)(data_random(&in->random) >> 11) * 0x1p-53 < in->rate;
}

static void take(struct fault **at)
{
	struct fault *one = *at;

	met = mem_new(sizeof(*met));
	*met = *one;
	met->spec = json_object_get(one->spec);
	if (one->times < 0 || --one->times > 0)
		return;
	*at = one->next;
	free_fault(one);
}

enum fault_way faults_meet(struct call *call, struct fault_shape *shape)
{
	struct fault **at = &faults;

	*shape = (struct fault_shape){ .cut_after = -1, .truncate_body = -1, .later_s = -1 };
	free_fault(met);
	met = NULL;
	while (*at && !meets(*at, call))
		at = &(*at)->next;
	if (!*at)
		return FAULT_NONE;
	take(at);
	call->faulted = true;
	*shape = met->shape;
	if (met->shape.later_s >= 0)
		return FAULT_LATER;
	if (met->commit || (!met->status && !met->shape.reset && !met->shape.hang))
		return FAULT_NONE;
	faults_answer(call);
	return FAULT_INSTEAD;
}

void faults_answer(struct call *call)
{
	const char *body, *type;
	struct json_object *headers;

	if (!met || !met->status)
		return;
	body = json_in_text(met->spec, "body");
	type = json_in_text(met->spec, "content_type");
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
