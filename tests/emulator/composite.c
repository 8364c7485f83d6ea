/* composite.c - in order: checking the request, running the parts, rolling back, the answer. */
#include "composite.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <strings.h>

#include "call.h"
#include "json_in.h"
#include "mem.h"
#include "part.h"
#include "reference.h"
#include "rest.h"
#include "store.h"
#include "write_log.h"
#include "writes.h"

#define PARTS_MAX 25
#define HEAVY_MAX 5 /* queries and collections */

struct composite {
	struct json_object *list;    /* the parts as they came */
	struct json_object *answers; /* owned: bodies by referenceId */
	struct call *parts;          /* owned */
	size_t count;
	bool all_or_none;
};

static bool refuse(struct call *call, const char *code, const char *message)
{
	call_error(call, 400, code, message);
	return false;
}

static bool is_name(const char *from)
{
	if (!*from)
		return false;
	for (; *from; from++)
		if (!isalnum((unsigned char)*from) && *from != '_')
			return false;
	return true;
}

/* These three are the whole's. */
static bool has_own(struct json_object *part)
{
	static const char *const names[] = { "Accept", "Authorization", "Content-Type" };
	struct json_object *headers;

	if (!json_object_object_get_ex(part, "httpHeaders", &headers) ||
	    !json_object_is_type(headers, json_type_object))
		return false;
	json_object_object_foreach(headers, name, value)
	{
		(void)value;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strcasecmp(names[i], name) == 0)
				return true;
	}
	return false;
}

static bool check_part(struct call *call, struct json_object *part, struct json_object *names)
{
	const char *name;

	if (!json_object_is_type(part, json_type_object))
		return refuse(call, "JSON_PARSER_ERROR", "A subrequest must be an object");
	name = json_in_text(part, "referenceId");
	if (!name || !json_in_text(part, "method") || !json_in_text(part, "url"))
		return refuse(call, "REQUIRED_FIELD_MISSING",
			      "method, url and referenceId are required in each subrequest");
	if (!is_name(name) || json_object_object_get_ex(names, name, NULL))
		return refuse(call, "INVALID_ARGUMENT",
			      "A referenceId must be unique, and of letters, digits and "
			      "underscores");
	json_object_object_add(names, name, NULL);
	return !has_own(part) ||
	       refuse(call, "INVALID_ARGUMENT",
		      "Accept, Authorization and Content-Type cannot be set in a subrequest");
}

static bool is_heavy(const char *url)
{
	return strstr(url, "/query") || strstr(url, "/composite/sobjects");
}

static bool check_parts(struct call *call, struct json_object *list)
{
	struct json_object *names = json_object_new_object();
	size_t heavy = 0;
	bool good = true;

	for (size_t i = 0; good && i < json_object_array_length(list); i++) {
		struct json_object *part = json_object_array_get_idx(list, i);

		good = check_part(call, part, names);
		heavy += good && is_heavy(json_in_text(part, "url"));
	}
	json_object_put(names);
	return good && (heavy <= HEAVY_MAX ||
			refuse(call, "LIMIT_EXCEEDED",
			       "The composite request cannot contain more than 5 queries and "
			       "sObject Collections"));
}

static bool check(struct call *call, struct json_object *body, struct json_object **list)
{
	static const char *const known[] = { "allOrNone", "collateSubrequests",
					     "compositeRequest" };

	json_object_object_foreach(body, name, value)
	{
		bool found = false;

		(void)value;
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			found = found || strcmp(known[i], name) == 0;
		if (!found)
			return refuse(call, "JSON_PARSER_ERROR", "Unrecognized field");
	}
	if (!json_object_object_get_ex(body, part_list_name(KIND_COMPOSITE), list) ||
	    !json_object_is_type(*list, json_type_array) || !json_object_array_length(*list))
		return refuse(call, "REQUIRED_FIELD_MISSING",
			      "compositeRequest must have at least one subrequest");
	if (json_object_array_length(*list) > PARTS_MAX)
		return refuse(call, "LIMIT_EXCEEDED",
			      "The composite request cannot contain more than 25 subrequests");
	return check_parts(call, *list);
}

static void keep_answer(struct composite *in, const struct call *part, const char *name)
{
	struct text copy = { 0 };

	text_add(&copy, part->out.at, part->out.used);
	json_object_object_add(in->answers, name, json_tokener_parse(text_done(&copy)));
	text_free(&copy);
}

/* True if it went well. */
static bool run_part(struct call *call, struct composite *in, size_t at)
{
	struct json_object *raw = json_object_array_get_idx(in->list, at), *made = NULL;
	struct call *part = &in->parts[at];
	struct text why = { 0 };

	json_object_deep_copy(raw, &made, NULL);
	if (reference_resolve(made, in->answers, &why)) {
		part_open(part, call, made);
		part->is_all_or_none = in->all_or_none;
		part_run(part);
		keep_answer(in, part, json_in_text(raw, "referenceId"));
	} else {
		part_open(part, call, raw);
		writes_note(part);
		call_error(part, 400, "PROCESSING_HALTED", text_done(&why));
		write_log_settle(part);
	}
	text_free(&why);
	json_object_put(made);
	return part->status < 400 && !(in->all_or_none && part->has_failures);
}

/* All but the culprit, whether they ran or not. */
static void halt(struct call *call, struct composite *in, size_t culprit)
{
	for (size_t i = 0; i < in->count; i++) {
		struct call *part = &in->parts[i];

		if (i == culprit)
			continue;
		if (i > culprit) {
			part_open(part, call, json_object_array_get_idx(in->list, i));
			writes_note(part);
		}
		for (size_t k = 0; k < part->extra_count; k++)
			free(part->extra[k].value);
		part->extra_count = 0;
		call_error(part, 400, "PROCESSING_HALTED",
			   "The transaction was rolled back since another operation in the same "
			   "transaction failed.");
		for (size_t k = 0; k < part->write_count; k++)
			write_log_tell(part, k, part->error, NULL);
	}
}

static void run_all(struct call *call, struct composite *in)
{
	size_t at = 0;
	bool good = true;

	store_begin();
	for (; at < in->count && good; at++)
		good = run_part(call, in, at) || !in->all_or_none;
	if (good) {
		store_commit();
		return;
	}
	store_undo();
	halt(call, in, at - 1);
}

static void write_part(const struct call *part, const char *name, struct text *out)
{
	text_word(out, "{\"body\":");
	part_write_body(part, out);
	text_word(out, ",\"httpHeaders\":{");
	for (size_t i = 0; i < part->extra_count; i++) {
		if (i)
			text_char(out, ',');
		text_json_word(out, part->extra[i].name);
		text_char(out, ':');
		text_json_word(out, part->extra[i].value);
	}
	text_printf(out, "},\"httpStatusCode\":%d,\"referenceId\":", part->status);
	text_json_word(out, name);
	text_char(out, '}');
}

static void write_all(struct call *call, const struct composite *in)
{
	text_word(&call->out, "{\"compositeResponse\":[");
	for (size_t i = 0; i < in->count; i++) {
		if (i)
			text_char(&call->out, ',');
		write_part(&in->parts[i],
			   json_in_text(json_object_array_get_idx(in->list, i), "referenceId"),
			   &call->out);
	}
	text_word(&call->out, "]}");
}

void composite_run(struct call *call)
{
	struct json_object *body = rest_has_json(call) ? call_json(call) : NULL;
	struct composite all = { 0 };

	if (!body)
		return;
	if (check(call, body, &all.list)) {
		all.all_or_none = json_in_bool(body, "allOrNone");
		all.count = json_object_array_length(all.list);
		all.parts = mem_new(all.count * sizeof(*all.parts));
		all.answers = json_object_new_object();
		run_all(call, &all);
		write_all(call, &all);
		for (size_t i = 0; i < all.count; i++)
			call_close(&all.parts[i]);
		free(all.parts);
		json_object_put(all.answers);
	}
	json_object_put(body);
}
