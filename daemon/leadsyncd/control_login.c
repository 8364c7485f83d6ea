/* control_login.c - `leadsync connect` and `disconnect`: a login is begun by one request, and
 * answered, confirmed or given up by others. */
#include <json-c/json.h>
#include <string.h>

#include "account.h"
#include "base/error.h"
#include "base/log.h"
#include "connect.h"
#include "conversation.h"
#include "daemon.h"
#include "report.h"
#include "revoker.h"
#include "secret/secret.h"

/* The client that waited for the browser went away: nobody will confirm. */
static void cancel_login(void *arg)
{
	struct conversation *in = arg;

	connect_wait(daemon_connect(in->daemon, in->account), NULL, NULL);
	daemon_end_connect(in->daemon, in->account);
}

/* The client that pasted went away; the login stays until its time is over. */
static void cancel_paste(void *connect)
{
	connect_wait(connect, NULL, NULL);
}

static void send_found(const struct connect_found *found, const struct error *err, void *arg)
{
	struct conversation *in = arg;
	struct json_object *answer;

	conversation_wait(in, NULL, NULL);
	if (err) {
		struct error why = *err;

		daemon_end_connect(in->daemon, in->account);
		conversation_fail(in, &why);
		return;
	}
	answer = report_new();
	json_object_object_add(answer, "login", report_found(found));
	conversation_end(in, answer);
}

void verb_login(struct conversation *in, struct json_object *request)
{
	bool paste = request_flag(request, "paste");
	struct connect *connect = NULL;
	struct json_object *line;
	struct error err;

	if (conversation_about_account(in, request, &err))
		connect = daemon_begin_connect(in->daemon, in->account, TAKE(in->payload), paste,
					       &err);
	if (!connect) {
		conversation_fail(in, &err);
		return;
	}
	line = report_new();
	if (connect_url(connect))
		json_object_object_add(line, "authorize_url",
				       json_object_new_string(connect_url(connect)));
	if (connect_url(connect) && paste) {
		conversation_end(in, line);
		return;
	}
	conversation_send(in, line);
	json_object_put(line);
	connect_wait(connect, send_found, in);
	conversation_wait(in, in, cancel_login);
}

static struct connect *find_connect(struct conversation *in, struct json_object *request,
				    struct error *err)
{
	struct connect *connect;

	if (!conversation_about_account(in, request, err))
		return NULL;
	connect = daemon_connect(in->daemon, in->account);
	if (!connect)
		error_set(err, ERROR_HUMAN, "no-login",
			  "account %s: no login is under way (they last ten minutes, and end when "
			  "the daemon does): `leadsync connect %s` begins one",
			  account_name(in->account), account_name(in->account));
	return connect;
}

static bool take_address(struct conversation *in, struct connect *connect, struct error *err)
{
	if (!in->payload)
		return error_set(err, ERROR_HUMAN, "bad-request", "login-paste needs an address");
	if (connect_is_awaited(connect))
		return error_set(err, ERROR_HUMAN, "login-under-way",
				 "another `leadsync connect` waits for this login already");
	return connect_paste(connect, in->payload, err);
}

void verb_login_paste(struct conversation *in, struct json_object *request)
{
	struct error err;
	struct connect *connect = find_connect(in, request, &err);

	if (!connect || !take_address(in, connect, &err)) {
		conversation_fail(in, &err);
		return;
	}
	connect_wait(connect, send_found, in);
	conversation_wait(in, connect, cancel_paste);
}

void verb_login_confirm(struct conversation *in, struct json_object *request)
{
	struct error err;

	if (!find_connect(in, request, &err) ||
	    !daemon_confirm_connect(in->daemon, in->account, request_flag(request, "hold"), &err))
		conversation_fail(in, &err);
	else
		conversation_end(in, report_new());
}

void verb_login_cancel(struct conversation *in, struct json_object *request)
{
	struct error err;

	if (!find_connect(in, request, &err)) {
		conversation_fail(in, &err);
		return;
	}
	daemon_end_connect(in->daemon, in->account);
	conversation_end(in, report_new());
}

/* disconnect: erased at once; whether it is revoked, the first try tells. */
static void cancel_wait(void *wait)
{
	revoker_unwait(wait);
}

static void send_revoked(bool none_left, void *arg)
{
	struct conversation *in = arg;
	struct json_object *answer = report_new();

	conversation_wait(in, NULL, NULL);
	json_object_object_add(answer, "revoked", json_object_new_boolean(none_left));
	conversation_end(in, answer);
}

void verb_disconnect(struct conversation *in, struct json_object *request)
{
	struct error err;

	if (!conversation_about_account(in, request, &err) ||
	    !daemon_disconnect(in->daemon, in->account, &err)) {
		conversation_fail(in, &err);
		return;
	}
	conversation_wait(in,
			  revoker_wait(daemon_revoker(in->daemon), account_name(in->account),
				       send_revoked, in),
			  cancel_wait);
}
