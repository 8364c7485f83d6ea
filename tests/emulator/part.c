/* part.c */
#include "part.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "call.h"
#include "json_in.h"
#include "mem.h"
#include "rest.h"
#include "write_log.h"

const char *part_list_name(enum kind kind)
{
	return kind == KIND_COMPOSITE ? "compositeRequest"
	       : kind == KIND_BATCH   ? "batchRequests"
				      : NULL;
}

static enum verb verb_of(const char *method)
{
	static const struct {
		const char *name;
		enum verb verb;
	} verbs[] = {
		{ "GET", VERB_GET },     { "HEAD", VERB_HEAD }, { "POST", VERB_POST },
		{ "PATCH", VERB_PATCH }, { "PUT", VERB_PUT },   { "DELETE", VERB_DELETE },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, method) == 0)
			return verbs[i].verb;
	return VERB_OTHER;
}

/* A composite's part has headers of its own, and one of a batch those of the whole. */
static void take_headers(struct call *part, const struct call *whole, struct json_object *in)
{
	struct evkeyvalq *headers;
	struct json_object *given;

	if (whole->kind == KIND_BATCH) {
		part->headers = whole->headers;
		return;
	}
	headers = mem_new(sizeof(*headers));
	TAILQ_INIT(headers);
	evhttp_add_header(headers, "Content-Type", "application/json");
	part->headers = part->own_headers = headers;
	if (!json_object_object_get_ex(in, "httpHeaders", &given) ||
	    !json_object_is_type(given, json_type_object))
		return;
	json_object_object_foreach(given, name, value)
	{
		if (value)
			evhttp_add_header(headers, name, json_object_get_string(value));
	}
}

bool part_open(struct call *part, const struct call *whole, struct json_object *in)
{
	bool is_batch = whole->kind == KIND_BATCH;
	struct json_object *body = NULL;
	struct text uri = { 0 };
	const char *method, *url;

	if (!json_object_is_type(in, json_type_object))
		return false;
	method = json_in_text(in, "method");
	url = json_in_text(in, "url");
	if (!method || !url)
		return false;
	if (is_batch)
		text_word(&uri, *url == '/' ? "/services/data" : "/services/data/");
	text_word(&uri, url);
	call_open(part, verb_of(method), text_done(&uri));
	text_free(&uri);
	json_object_object_get_ex(in, is_batch ? "richInput" : "body", &body);
	part->json = json_object_is_type(body, json_type_object) ? json_object_get(body) : NULL;
	part->session = whole->session;
	part->write = whole->write;
	part->is_late = whole->is_late;
	take_headers(part, whole, in);
	if (part->part_count > 2 && strcmp(part->parts[0], "services") == 0 &&
	    strcmp(part->parts[1], "data") == 0)
		rest_find(part);
	return true;
}

void part_run(struct call *part)
{
	bool is_resource = part->part_count > 2 && strcmp(part->parts[0], "services") == 0 &&
			   strcmp(part->parts[1], "data") == 0;

	/* None of these stands within another. */
	if (!is_resource || part->kind == KIND_COMPOSITE || part->kind == KIND_BATCH ||
	    part->kind == KIND_TREE)
		call_not_found(part);
	else
		rest_find(part)(part);
	write_log_settle(part);
}

void part_write_body(const struct call *part, struct text *out)
{
	if (part->out.used)
		text_add(out, part->out.at, part->out.used);
	else
		text_word(out, "null");
}
