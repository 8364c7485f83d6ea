/* control.c - a request is parsed, handed to the verb's function, and lives as a conversation until
 * its last line is sent. */
#include "control.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "conversation.h"
#include "daemon.h"
#include "report.h"
#include "secret/secret.h"

#define MOST_LINES 1000

LIST_HEAD(conversation_list, conversation);

struct control {
	struct daemon *daemon;
	struct lines_server *server;
	struct conversation_list talks;
};

static const struct verb {
	const char *name;
	verb_fn *fn;
	bool changes; /* logged with who asked */
} verbs[] = {
	{ "status", verb_status, false },
	{ "account", verb_account, false },
	{ "runs", verb_runs, false },
	{ "run", verb_run, true },
	{ "pause", verb_pause, true },
	{ "resume", verb_resume, true },
	{ "fields", verb_fields, false },
	{ "errors", verb_errors, false },
	{ "conflicts", verb_conflicts, false },
	{ "backlog", verb_backlog, false },
	{ "retry", verb_retry, true },
	{ "ignore", verb_ignore, true },
	{ "resolve", verb_resolve, true },
	{ "detach", verb_detach, true },
	{ "login", verb_login, true },
	{ "login-paste", verb_login_paste, true },
	{ "login-confirm", verb_login_confirm, true },
	{ "login-cancel", verb_login_cancel, true },
	{ "disconnect", verb_disconnect, true },
	{ "secret-set", verb_secret_set, true },
	{ "secret-list", verb_secret_list, false },
	{ "secret-delete", verb_secret_delete, true },
	{ "key-rotate", verb_key_rotate, true },
};

static void conversation_free(struct conversation *in)
{
	LIST_REMOVE(in, entry);
	if (in->under_way)
		in->cancel(in->under_way);
	json_object_put(in->answer);
	secret_free(in->payload);
	free(in->login);
	free(in->about);
	free(in);
}

void conversation_wait(struct conversation *in, void *handle, void (*cancel)(void *handle))
{
	in->under_way = handle;
	in->cancel = cancel;
}

void conversation_send(struct conversation *in, struct json_object *line)
{
	lines_send(in->client, json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
}

static void end_with(struct conversation *in, struct json_object *last)
{
	struct lines_client *client = in->client;

	conversation_send(in, last);
	json_object_put(last);
	conversation_free(in);
	lines_end(client);
}

void conversation_end(struct conversation *in, struct json_object *answer)
{
	json_object_object_add(answer, "done", json_object_new_boolean(true));
	end_with(in, answer);
}

void conversation_fail_with(struct conversation *in, struct json_object *answer,
			    const struct error *err)
{
	json_object_object_add(answer, "error", report_error(err));
	end_with(in, answer);
}

void conversation_fail(struct conversation *in, const struct error *err)
{
	conversation_fail_with(in, report_new(), err);
}

const char *request_text(struct json_object *request, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(request, name, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

bool request_flag(struct json_object *request, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(request, name, &value) && json_object_get_boolean(value);
}

size_t request_limit(struct json_object *request, size_t otherwise)
{
	struct json_object *limit;
	int64_t asked = 0;

	if (json_object_object_get_ex(request, "limit", &limit))
		asked = json_object_get_int64(limit);
	if (asked <= 0)
		return otherwise;
	return asked < MOST_LINES ? (size_t)asked : MOST_LINES;
}

bool conversation_about_job(struct conversation *in, struct json_object *request, struct error *err)
{
	const char *name = request_text(request, "job");

	in->job = name ? daemon_find_job(in->daemon, name) : NULL;
	return in->job ||
	       error_set(err, ERROR_HUMAN, "no-such-job",
			 "no job named '%s' in the conf; `leadsync status` lists the jobs",
			 name ? name : "");
}

bool conversation_about_account(struct conversation *in, struct json_object *request,
				struct error *err)
{
	const char *name = request_text(request, "account");

	in->account = name ? daemon_find_account(in->daemon, name) : NULL;
	return in->account ||
	       error_set(err, ERROR_HUMAN, "no-such-account",
			 "no account named '%s' in the conf; `leadsync status` lists the accounts",
			 name ? name : "");
}

static const struct verb *find_verb(struct json_object *request)
{
	const char *name = request_text(request, "verb");

	for (size_t i = 0; name && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* NULL unless `text` is exactly one JSON object. */
static struct json_object *parse_object(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(8);
	struct json_object *parsed;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	parsed = json_tokener_parse_ex(tokener, text, (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != len ||
	    !json_object_is_type(parsed, json_type_object)) {
		json_object_put(parsed);
		parsed = NULL;
	}
	json_tokener_free(tokener);
	return parsed;
}

/* What stands behind the TAB, if there is one. */
static bool take_payload(const char *tab, const char *end, struct secret **ret, struct error *err)
{
	*ret = NULL;
	if (!tab || tab + 1 == end)
		return true;
	*ret = secret_from_text(tab + 1, (size_t)(end - tab - 1));
	return *ret || error_set(err, ERROR_HUMAN, "bad-request",
				 "what stands behind the TAB is not base64url");
}

static void begin(struct conversation *in, const struct verb *verb, struct json_object *request)
{
	if (verb->changes)
		log_info("control", LOG_STR("verb", verb->name), LOG_INT("uid", in->peer.uid),
			 LOG_INT("pid", in->peer.pid), LOG_STR("job", request_text(request, "job")),
			 LOG_STR("account", request_text(request, "account")));
	verb->fn(in, request);
}

static void answer(struct lines_client *client, const struct lines_peer *peer, char *line,
		   size_t len, void *arg)
{
	struct control *control = arg;
	struct conversation *in = mem_new(struct conversation);
	const char *tab = memchr(line, '\t', len);
	struct json_object *request = parse_object(line, tab ? (size_t)(tab - line) : len);
	const struct verb *verb = request ? find_verb(request) : NULL;
	struct error err;

	in->daemon = control->daemon;
	in->client = client;
	in->peer = *peer;
	LIST_INSERT_HEAD(&control->talks, in, entry);
	if (!verb)
		error_set(&err, ERROR_HUMAN, "bad-request",
			  "not a request this daemon knows; are leadsync and leadsyncd of one "
			  "version?");
	if (!verb || !take_payload(tab, line + len, &in->payload, &err))
		conversation_fail(in, &err);
	else
		begin(in, verb, request);
	json_object_put(request);
}

static void gone(struct lines_client *client, void *arg)
{
	struct control *control = arg;
	struct conversation *in;

	LIST_FOREACH(in, &control->talks, entry)
	{
		if (in->client == client) {
			conversation_free(in);
			return;
		}
	}
}

struct control *control_new(struct daemon *daemon, const char *path, int inherited_fd,
			    struct error *err)
{
	CLEANUP(control_free) struct control *in = mem_new(struct control);

	in->daemon = daemon;
	LIST_INIT(&in->talks);
	in->server =
		lines_server_new(daemon_loop(daemon), path, inherited_fd, answer, gone, in, err);
	return in->server ? TAKE(in) : NULL;
}

void control_free(struct control *in)
{
	struct conversation *talk;

	if (!in)
		return;
	while ((talk = LIST_FIRST(&in->talks)))
		conversation_free(talk);
	lines_server_free(in->server);
	free(in);
}
