/* server.c */
#include "server.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "admin.h"
#include "call.h"
#include "counters.h"
#include "faults.h"
#include "oauth.h"
#include "oauth_base.h"
#include "pending.h"
#include "reply.h"
#include "rest.h"
#include "write_log.h"
#include "writes.h"

#define URI_MAX      16384
#define BODY_MAX     (150 << 20)
#define UNPACKED_MAX (200u << 20)

static const struct {
	const char *path;
	enum kind kind;
	void (*run)(struct call *call);
} oauth_routes[] = {
	{ "/services/oauth2/authorize", KIND_AUTHORIZE, oauth_authorize },
	{ "/login", KIND_AUTHORIZE, oauth_login },
	{ "/setup/secur/RemoteAccessAuthorizationPage.apexp", KIND_AUTHORIZE, oauth_approve },
	{ "/services/oauth2/token", KIND_TOKEN, oauth_token },
	{ "/services/oauth2/introspect", KIND_INTROSPECT, oauth_introspect },
	{ "/services/oauth2/revoke", KIND_REVOKE, oauth_revoke },
	{ "/services/oauth2/userinfo", KIND_USERINFO, oauth_userinfo },
};

static enum verb verb_of(const struct evhttp_request *request)
{
	switch (evhttp_request_get_command(request)) {
	case EVHTTP_REQ_GET: return VERB_GET;
	case EVHTTP_REQ_HEAD: return VERB_HEAD;
	case EVHTTP_REQ_POST: return VERB_POST;
	case EVHTTP_REQ_PATCH: return VERB_PATCH;
	case EVHTTP_REQ_PUT: return VERB_PUT;
	case EVHTTP_REQ_DELETE: return VERB_DELETE;
	case EVHTTP_REQ_OPTIONS:
	case EVHTTP_REQ_TRACE:
	case EVHTTP_REQ_CONNECT: break;
	}
	return VERB_OTHER;
}

static void not_found(struct call *call)
{
	call_not_found(call);
}

static void (*find_handler(struct call *call))(struct call *call)
{
	const char *path = call->path;

	while (path[0] == '/' && path[1] == '/')
		path++;
	for (size_t i = 0; i < sizeof(oauth_routes) / sizeof(oauth_routes[0]); i++) {
		if (strcmp(path, oauth_routes[i].path) == 0) {
			call->kind = oauth_routes[i].kind;
			return oauth_routes[i].run;
		}
	}
	if (call->part_count && strcmp(call->parts[0], "id") == 0) {
		call->kind = KIND_IDENTITY;
		return oauth_identity;
	}
	if (call->part_count && strcmp(call->parts[0], "_emulator") == 0) {
		call->kind = KIND_ADMIN;
		return admin_answer;
	}
	if (!oauth_base_is_login(call_header(call, "Host")) && call->part_count >= 2 &&
	    strcmp(call->parts[0], "services") == 0 && strcmp(call->parts[1], "data") == 0)
		return rest_find(call);
	return not_found;
}

static size_t header_bytes(const struct evkeyvalq *headers)
{
	const struct evkeyval *at;
	size_t out = 0;

	for (at = headers->tqh_first; at; at = at->next.tqe_next)
		out += strlen(at->key) + strlen(at->value) + 4;
	return out;
}

/* An unpacked copy of a gzip body; false if it is none. */
static bool unpack(const char *from, size_t length, struct text *out)
{
	z_stream reader = { .next_in = (unsigned char *)(uintptr_t)from,
			    .avail_in = (unsigned)length };
	int state = Z_OK;

	if (inflateInit2(&reader, 15 + 16) != Z_OK)
		abort();
	while (state == Z_OK && out->used < UNPACKED_MAX) {
		text_need(out, 65536);
		reader.next_out = (unsigned char *)out->at + out->used;
		reader.avail_out = 65536;
		state = inflate(&reader, Z_NO_FLUSH);
		out->used += 65536 - reader.avail_out;
	}
	inflateEnd(&reader);
	return state == Z_STREAM_END;
}

/* The body as text; `unpacked` owns it if it came packed. */
static bool read_body(struct evhttp_request *request, struct call *call, struct text *unpacked)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	const char *encoding = call_header(call, "Content-Encoding");

	call->body_length = evbuffer_get_length(body);
	call->body = (const char *)evbuffer_pullup(body, -1);
	if (!encoding || strcasecmp(encoding, "gzip") != 0)
		return true;
	if (!unpack(call->body, call->body_length, unpacked))
		return false;
	call->body = unpacked->at;
	call->body_length = unpacked->used;
	return true;
}

/* False if the call has ended. */
static bool read_request(struct evhttp_request *request, struct call *call, struct text *unpacked)
{
	size_t length = strlen(evhttp_request_get_uri(request));

	if (length > URI_MAX)
		call_empty(call, 414);
	else if (length + header_bytes(call->headers) > URI_MAX)
		call_empty(call, 431);
	else if (!read_body(request, call, unpacked))
		call_error(call, 400, "JSON_PARSER_ERROR", "The body is not valid gzip");
	else
		return true;
	return false;
}

/* Only what the REST API is asked for can be done later. */
static void take_later(const struct evhttp_request *request, struct call *call, int64_t after_s)
{
	if (call->part_count > 2 && strcmp(call->parts[0], "services") == 0 &&
	    strcmp(call->parts[1], "data") == 0 &&
	    pending_take(call, evhttp_request_get_uri(request), after_s))
		writes_note_unserved(call, "pending");
}

static void answer(struct evhttp_request *request, struct call *call)
{
	void (*handler)(struct call * call) = find_handler(call);
	struct fault_shape shape;
	struct text unpacked = { 0 };

	pending_run();
	if (call->kind == KIND_ADMIN) {
		read_body(request, call, &unpacked);
		handler(call);
		reply_send(request, call, NULL);
		text_free(&unpacked);
		return;
	}
	counters_add(call->kind);
	switch (faults_meet(call, &shape)) {
	case FAULT_NONE:
		if (read_request(request, call, &unpacked))
			handler(call);
		faults_answer(call);
		break;
	case FAULT_INSTEAD:
		if (read_body(request, call, &unpacked))
			writes_note_unserved(call, "faulted");
		break;
	case FAULT_LATER:
		if (read_request(request, call, &unpacked))
			take_later(request, call, shape.later_s);
		faults_answer(call);
		break;
	}
	write_log_end(call);
	counters_add_status(shape.reset || shape.hang ? 0 : call->status, call->faulted);
	reply_send(request, call, &shape);
	text_free(&unpacked);
}

static void on_request(struct evhttp_request *request, void *unused)
{
	struct call call;
	enum verb verb = verb_of(request);

	(void)unused;
	call_open(&call, verb, evhttp_request_get_uri(request));
	call.headers = evhttp_request_get_input_headers(request);
	if (verb == VERB_POST && call_param(&call, "_HttpMethod") &&
	    strcmp(call_param(&call, "_HttpMethod"), "PATCH") == 0)
		call.verb = VERB_PATCH; /* for clients that cannot */
	answer(request, &call);
	call_close(&call);
}

void server_start(struct evhttp *http)
{
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
						 EVHTTP_REQ_PATCH | EVHTTP_REQ_PUT |
						 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
	evhttp_set_max_headers_size(http, 4 * URI_MAX);
	evhttp_set_max_body_size(http, BODY_MAX);
	evhttp_set_gencb(http, on_request, NULL);
}
