/* control_status.c - what is: status, account, runs. */
#include <json-c/json.h>

#include "base/error.h"
#include "conf/conf.h"
#include "conversation.h"
#include "daemon.h"
#include "job.h"
#include "loop/loop.h"
#include "report.h"
#include "sync/sync_store.h"

#define FEW_RUNS 20

/* status: the accounts and keys at once, then each job's ledger, one after the other. */
static void next_summary(struct conversation *in);

static void cancel_summary(void *call)
{
	sync_summary_cancel(call);
}

static void add_job(const struct sync_summary *summary, const struct error *err, void *arg)
{
	struct conversation *in = arg;
	struct job *job = daemon_job(in->daemon, in->next++);

	conversation_wait(in, NULL, NULL);
	json_object_array_add(in->items, report_job(job, err ? NULL : summary, err,
						    loop_now_ms(daemon_loop(in->daemon))));
	next_summary(in);
}

static void next_summary(struct conversation *in)
{
	struct job *job;

	if (in->next == daemon_job_count(in->daemon)) {
		conversation_end(in, TAKE(in->answer));
		return;
	}
	job = daemon_job(in->daemon, in->next);
	conversation_wait(in, sync_summary(job_store(job), job_conf(job)->name, add_job, in),
			  cancel_summary);
}

void verb_status(struct conversation *in, struct json_object *request)
{
	struct json_object *accounts = json_object_new_array();

	(void)request;
	for (size_t i = 0; i < daemon_account_count(in->daemon); i++)
		json_object_array_add(accounts,
				      report_account(daemon_account(in->daemon, i), in->daemon));
	in->answer = report_new();
	in->items = json_object_new_array();
	json_object_object_add(in->answer, "daemon", report_daemon(in->daemon));
	json_object_object_add(in->answer, "accounts", accounts);
	json_object_object_add(in->answer, "keys", report_keys(in->daemon));
	json_object_object_add(in->answer, "jobs", in->items);
	next_summary(in);
}

void verb_account(struct conversation *in, struct json_object *request)
{
	struct json_object *answer;
	struct error err;

	if (!conversation_about_account(in, request, &err)) {
		conversation_fail(in, &err);
		return;
	}
	answer = report_new();
	json_object_object_add(answer, "account", report_login_needs(in->account, in->daemon));
	conversation_end(in, answer);
}

/* runs: each job's rows; the command sorts what it shows. */
static void next_runs(struct conversation *in);

static void cancel_runs(void *call)
{
	sync_runs_cancel(call);
}

static void add_runs(const struct sync_run_row *rows, size_t count, const struct error *err,
		     void *arg)
{
	struct conversation *in = arg;

	conversation_wait(in, NULL, NULL);
	in->next++;
	if (err) {
		conversation_fail(in, err);
		return;
	}
	for (size_t i = 0; i < count; i++)
		json_object_array_add(in->items, report_run_row(&rows[i]));
	next_runs(in);
}

static void next_runs(struct conversation *in)
{
	for (; in->next < daemon_job_count(in->daemon); in->next++) {
		struct job *job = daemon_job(in->daemon, in->next);
		const char *name = job_conf(job)->name;

		if (in->job && in->job != job)
			continue;
		conversation_wait(in, sync_runs(job_store(job), name, in->limit, add_runs, in),
				  cancel_runs);
		return;
	}
	conversation_end(in, TAKE(in->answer));
}

void verb_runs(struct conversation *in, struct json_object *request)
{
	struct error err;

	if (request_text(request, "job") && !conversation_about_job(in, request, &err)) {
		conversation_fail(in, &err);
		return;
	}
	in->limit = request_limit(request, FEW_RUNS);
	in->answer = report_new();
	in->items = json_object_new_array();
	json_object_object_add(in->answer, "runs", in->items);
	next_runs(in);
}
