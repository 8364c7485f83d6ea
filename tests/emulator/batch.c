/* batch.c */
#include "batch.h"

#include <json-c/json.h>

#include "call.h"
#include "json_in.h"
#include "limits.h"
#include "part.h"
#include "rest.h"

#define PARTS_MAX 25

/* The first part was paid for by the whole. */
static void run(struct call *part, size_t number)
{
	if (number && !limits_take())
		call_error(part, 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
	else
		part_run(part);
}

static void write_result(const struct call *part, struct text *out)
{
	text_printf(out, "{\"statusCode\":%d,\"result\":", part->status);
	part_write_body(part, out);
	text_char(out, '}');
}

/* True if it failed. */
static bool answer(struct call *call, struct json_object *in, size_t number, bool halted)
{
	struct call part;
	bool failed;

	if (!part_open(&part, call, in))
		call_open(&part, VERB_OTHER, "/");
	if (halted)
		call_error(&part, 412, "BATCH_PROCESSING_HALTED",
			   "Batch processing halted per request");
	else
		run(&part, number);
	write_result(&part, &call->out);
	failed = part.status >= 400;
	call_close(&part);
	return failed;
}

static void run_all(struct call *call, struct json_object *list, bool halts)
{
	struct text results = { 0 }, kept;
	bool failed = false;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (i)
			text_char(&call->out, ',');
		failed = answer(call, json_object_array_get_idx(list, i), i, failed && halts) ||
			 failed;
	}
	kept = call->out;
	text_printf(&results, "{\"hasErrors\":%s,\"results\":[", failed ? "true" : "false");
	text_add(&results, kept.at, kept.used);
	text_word(&results, "]}");
	text_free(&kept);
	call->out = results;
}

void batch_run(struct call *call)
{
	struct json_object *body = rest_has_json(call) ? call_json(call) : NULL, *list = NULL;

	if (!body)
		return;
	json_object_object_get_ex(body, part_list_name(KIND_BATCH), &list);
	if (!json_object_is_type(list, json_type_array) || !json_object_array_length(list))
		call_error(call, 400, "JSON_PARSER_ERROR",
			   "batchRequests must be an array of requests");
	else if (json_object_array_length(list) > PARTS_MAX)
		call_error(call, 400, "LIMIT_EXCEEDED",
			   "The batch cannot contain more than 25 requests");
	else
		run_all(call, list, json_in_bool(body, "haltOnError"));
	json_object_put(body);
}
