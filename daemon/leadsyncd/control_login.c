/* control_login.c - `leadsync connect` and `disconnect`: a login is begun by one request, and
 * answered, confirmed or given up by others. */
#include <json-c/json.h>
#include <string.h>

#include "account.h"
#include "base/error.h"
#include "base/log.h"
#include "conf/conf.h"
#include "connect.h"
#include "conversation.h"
#include "daemon.h"
#include "job.h"
#include "loop/loop.h"
#include "report.h"
#include "revoker.h"
#include "secret/secret.h"

#define TRY_EVERY_MS 500
#define MOST_TRIES   80

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

static void add_id(struct json_object *to, const struct connect *connect)
{
	json_object_object_add(to, "id", json_object_new_string(connect_id(connect)));
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
	add_id(answer, daemon_connect(in->daemon, in->account));
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
	add_id(line, connect);
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

/* The login that the request is about, as long as it is under way. */
static struct connect *find_connect(struct conversation *in, struct error *err)
{
	struct connect *connect = daemon_connect(in->daemon, in->account);

	if (connect && strcmp(in->login, connect_id(connect)) == 0)
		return connect;
	error_set(err, ERROR_HUMAN, "no-login",
		  "account %s: this login is not under way any more (they last ten minutes, end "
		  "when the daemon does, and another takes the place of one that nobody waits "
		  "for): `leadsync connect %s` begins one",
		  account_name(in->account), account_name(in->account));
	return NULL;
}

static struct connect *about_login(struct conversation *in, struct json_object *request,
				   struct error *err)
{
	const char *id = request_text(request, "id");

	if (!conversation_about_account(in, request, err))
		return NULL;
	in->login = mem_strdup(id ? id : "");
	return find_connect(in, err);
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
	struct connect *connect = about_login(in, request, &err);

	if (!connect || !take_address(in, connect, &err)) {
		conversation_fail(in, &err);
		return;
	}
	connect_wait(connect, send_found, in);
	conversation_wait(in, connect, cancel_paste);
}

static void cancel_timer(void *timer)
{
	loop_timer_cancel(timer);
}

/* A token request of the account is under way, which takes half a minute at most: its end is waited
 * for. False: the failure is another, or it took too long. */
static bool try_again(struct conversation *in, const struct error *err, loop_fn *again)
{
	if (strcmp(err->code, "token-on-its-way") != 0 || in->tries++ >= MOST_TRIES)
		return false;
	conversation_wait(in, loop_after(daemon_loop(in->daemon), TRY_EVERY_MS, again, in),
			  cancel_timer);
	return true;
}

/* Pauses the account's jobs, before there is a token to run with, if they shall be held; `answer`
 * tells which were held now, and which were paused already. */
static bool hold_jobs(struct conversation *in, bool hold, struct json_object *answer,
		      struct error *err)
{
	struct json_object *held = json_object_new_array(), *paused = json_object_new_array();
	bool ok = true;

	json_object_object_add(answer, "held", held);
	json_object_object_add(answer, "paused", paused);
	for (size_t i = 0; ok && i < daemon_job_count(in->daemon); i++) {
		struct job *job = daemon_job(in->daemon, i);
		struct job_view view;

		if (job_account(job) != in->account)
			continue;
		job_view(job, &view);
		if (view.state != JOB_PAUSED && hold)
			ok = job_pause(job, err);
		if (view.state == JOB_PAUSED || hold)
			json_object_array_add(view.state == JOB_PAUSED ? paused : held,
					      json_object_new_string(job_conf(job)->name));
	}
	return ok;
}

/* What was held goes on: there is no login it could wait for. */
static void let_go(struct conversation *in, struct json_object *answer)
{
	struct json_object *held = json_object_object_get(answer, "held");
	struct error again;

	for (size_t i = 0; i < json_object_array_length(held); i++)
		job_resume(daemon_find_job(in->daemon, json_object_get_string(
							       json_object_array_get_idx(held, i))),
			   &again);
}

static void confirm(void *arg)
{
	struct conversation *in = arg;
	struct error err;

	conversation_wait(in, NULL, NULL);
	if (find_connect(in, &err) && daemon_confirm_connect(in->daemon, in->account, &err)) {
		conversation_end(in, TAKE(in->answer));
	} else if (!try_again(in, &err, confirm)) {
		let_go(in, in->answer);
		conversation_fail_with(in, TAKE(in->answer), &err);
	}
}

void verb_login_confirm(struct conversation *in, struct json_object *request)
{
	struct error err;

	in->answer = report_new();
	if (!about_login(in, request, &err)) {
		conversation_fail(in, &err);
	} else if (!hold_jobs(in, request_flag(request, "hold"), in->answer, &err)) {
		let_go(in, in->answer);
		conversation_fail(in, &err);
	} else {
		confirm(in);
	}
}

void verb_login_cancel(struct conversation *in, struct json_object *request)
{
	struct error err;

	if (!about_login(in, request, &err)) {
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

static void end_revoked(struct conversation *in, const char *what)
{
	struct json_object *answer = report_new();

	json_object_object_add(answer, "revoked", json_object_new_string(what));
	conversation_end(in, answer);
}

static void send_revoked(bool none_left, void *arg)
{
	struct conversation *in = arg;

	conversation_wait(in, NULL, NULL);
	end_revoked(in, none_left ? "yes" : "queued");
}

static void disconnect(void *arg)
{
	struct conversation *in = arg;
	struct keeper_health health;
	struct error err;

	conversation_wait(in, NULL, NULL);
	keeper_health(account_keeper(in->account), &health);
	if (!daemon_disconnect(in->daemon, in->account, &err)) {
		if (!try_again(in, &err, disconnect))
			conversation_fail(in, &err);
	} else if (!health.obtained_ms) {
		end_revoked(in, "nothing");
	} else {
		conversation_wait(in,
				  revoker_wait(daemon_revoker(in->daemon),
					       account_name(in->account), send_revoked, in),
				  cancel_wait);
	}
}

void verb_disconnect(struct conversation *in, struct json_object *request)
{
	struct error err;

	if (conversation_about_account(in, request, &err))
		disconnect(in);
	else
		conversation_fail(in, &err);
}
