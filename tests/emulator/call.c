/* call.c */
#include "call.h"

#include <event2/http.h>
#include <json-c/json.h>

#include "mem.h"
#include "problem.h"

#define JSON_TYPE "application/json;charset=UTF-8"

void call_open(struct call *in, enum verb verb, const char *uri)
{
	size_t length = strcspn(uri, "?#");
	const char *at = uri, *end = uri + length;

	*in = (struct call){ .verb = verb, .kind = KIND_UNKNOWN, .status = 200, .type = JSON_TYPE };
	in->path = mem_text(uri, length);
	if (*end == '?')
		params_parse(end + 1, strcspn(end + 1, "#"), &in->query);
	while (at < end && in->part_count < CALL_PARTS_MAX) {
		const char *stop;

		while (at < end && *at == '/') /* the CLI asks for //services */
			at++;
		stop = memchr(at, '/', (size_t)(end - at));
		if (!stop)
			stop = end;
		if (stop > at)
			in->parts[in->part_count++] = params_decode(at, (size_t)(stop - at), false);
		at = stop;
	}
}

void call_close(struct call *in)
{
	free(in->path);
	for (size_t i = 0; i < in->part_count; i++)
		free(in->parts[i]);
	for (size_t i = 0; i < in->extra_count; i++)
		free(in->extra[i].value);
	params_free(&in->query);
	text_free(&in->out);
	json_object_put(in->json);
	if (in->own_headers)
		evhttp_clear_headers(in->own_headers);
	free(in->own_headers);
	*in = (struct call){ 0 };
}

const char *call_header(const struct call *in, const char *name)
{
	return in->headers ? evhttp_find_header(in->headers, name) : NULL;
}

const char *call_param(const struct call *in, const char *name)
{
	return params_find(&in->query, name);
}

void call_add_header(struct call *in, const char *name, const char *value)
{
	if (in->extra_count < sizeof(in->extra) / sizeof(in->extra[0]))
		in->extra[in->extra_count++] =
			(struct call_header){ name, mem_text(value, strlen(value)) };
}

void call_fail(struct call *in, const struct problem *problem)
{
	in->out.used = 0;
	in->status = problem->status;
	in->error = problem->code;
	problem_write(problem, 1, &in->out);
}

void call_fail_all(struct call *in, const struct problems *problems)
{
	in->out.used = 0;
	in->status = problems->list[0].status;
	in->error = problems->list[0].code;
	problem_write(problems->list, problems->count, &in->out);
}

void call_error(struct call *in, int status, const char *code, const char *message)
{
	struct problem problem;

	problem_set(&problem, status, code, "%s", message);
	call_fail(in, &problem);
}

void call_not_found(struct call *in)
{
	call_error(in, 404, "NOT_FOUND", "The requested resource does not exist");
}

void call_not_allowed(struct call *in)
{
	call_error(in, 405, "METHOD_NOT_ALLOWED", "HTTP Method not allowed for this resource.");
}

void call_empty(struct call *in, int status)
{
	in->out.used = 0;
	in->status = status;
}

void call_plain(struct call *in, int status, const char *words)
{
	in->out.used = 0;
	in->status = status;
	in->type = "text/plain;charset=UTF-8";
	text_word(&in->out, words);
}

struct json_object *call_json(struct call *in)
{
	struct json_tokener *reader;
	struct json_object *out;
	enum json_tokener_error error;

	if (in->json)
		return json_object_get(in->json);
	reader = json_tokener_new_ex(32);
	json_tokener_set_flags(reader, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	out = json_tokener_parse_ex(reader, in->body ? in->body : "", (int)in->body_length);
	error = json_tokener_get_error(reader);
	if (error == json_tokener_success && json_object_is_type(out, json_type_object)) {
		json_tokener_free(reader);
		in->json = out;
		return json_object_get(out);
	}
	json_object_put(out);
	if (error == json_tokener_success)
		call_error(in, 400, "JSON_PARSER_ERROR",
			   "Unexpected value: the body must be a JSON object");
	else
		call_error(in, 400, "JSON_PARSER_ERROR",
			   error == json_tokener_continue ? "Unexpected end-of-input"
							  : json_tokener_error_desc(error));
	json_tokener_free(reader);
	return NULL;
}
