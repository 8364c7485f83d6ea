/* control_vault.c - what is sealed: secrets by name, and the keys. */
#include <json-c/json.h>

#include "base/error.h"
#include "base/log.h"
#include "conversation.h"
#include "daemon.h"
#include "daemon/secret_report.h"
#include "report.h"
#include "vault/vault.h"

static bool has_name(struct json_object *request, const char **ret, struct error *err)
{
	*ret = request_text(request, "name");
	return (*ret && **ret) ||
	       error_set(err, ERROR_HUMAN, "bad-request", "the name of a secret is missing");
}

void verb_secret_set(struct conversation *in, struct json_object *request)
{
	const char *name;
	struct error err;

	if (!in->payload)
		error_set(&err, ERROR_HUMAN, "bad-request", "secret-set needs a secret");
	if (!in->payload || !has_name(request, &name, &err) ||
	    !daemon_set_secret(in->daemon, name, in->payload, &err)) {
		conversation_fail(in, &err);
		return;
	}
	log_notice("secret_set", LOG_STR("name", name), LOG_INT("uid", in->peer.uid));
	conversation_end(in, report_new());
}

void verb_secret_list(struct conversation *in, struct json_object *request)
{
	struct json_object *list, *answer;
	struct error err;

	(void)request;
	list = secret_report(daemon_vault(in->daemon), daemon_conf(in->daemon), &err);
	if (!list) {
		conversation_fail(in, &err);
		return;
	}
	answer = report_new();
	json_object_object_add(answer, "secrets", list);
	conversation_end(in, answer);
}

void verb_secret_delete(struct conversation *in, struct json_object *request)
{
	const char *name;
	struct error err;

	if (!has_name(request, &name, &err) ||
	    !vault_secret_delete(daemon_vault(in->daemon), name, &err)) {
		conversation_fail(in, &err);
		return;
	}
	log_notice("secret_deleted", LOG_STR("name", name), LOG_INT("uid", in->peer.uid));
	conversation_end(in, report_new());
}

void verb_key_rotate(struct conversation *in, struct json_object *request)
{
	struct json_object *answer;
	struct error err;
	size_t count;

	(void)request;
	if (!daemon_rotate_key(in->daemon, &count, &err)) {
		conversation_fail(in, &err);
		return;
	}
	answer = report_new();
	json_object_object_add(answer, "resealed", json_object_new_int64((int64_t)count));
	json_object_object_add(answer, "key", json_object_new_string(daemon_key(in->daemon)));
	conversation_end(in, answer);
}
