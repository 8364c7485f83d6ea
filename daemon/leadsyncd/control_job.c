/* control_job.c - what is done with one job: run, pause, resume, fields. */
#include <json-c/json.h>

#include "base/error.h"
#include "conf/conf.h"
#include "conversation.h"
#include "daemon.h"
#include "job.h"
#include "report.h"
#include "sync/fields.h"
#include "sync/sync_store.h"

/* run: progress as it comes, then the outcome. */
static void cancel_follower(void *follower)
{
	job_unfollow(follower);
}

static void send_progress(const struct job_view *view, void *arg)
{
	struct conversation *in = arg;
	struct json_object *line = report_new();

	json_object_object_add(line, "progress", report_view(view));
	conversation_send(in, line);
	json_object_put(line);
}

static void send_outcome(const struct job_view *view, void *arg)
{
	struct conversation *in = arg;
	struct json_object *answer = report_new();

	conversation_wait(in, NULL, NULL);
	json_object_object_add(answer, "run", report_view(view));
	if (view->failed)
		conversation_fail_with(in, answer, &view->trouble);
	else
		conversation_end(in, answer);
}

void verb_run(struct conversation *in, struct json_object *request)
{
	struct error err;

	if (!conversation_about_job(in, request, &err) ||
	    !job_run_now(in->job, request_flag(request, "full"), &err))
		conversation_fail(in, &err);
	else
		conversation_wait(in, job_follow(in->job, send_progress, send_outcome, in),
				  cancel_follower);
}

/* pause: nothing is written once it is answered. */
static void cancel_summary(void *call)
{
	sync_summary_cancel(call);
}

static void end_pause(const struct sync_summary *summary, const struct error *err, void *arg)
{
	struct conversation *in = arg;

	(void)summary;
	(void)err; /* a store that cannot be read is not written either */
	conversation_wait(in, NULL, NULL);
	conversation_end(in, report_new());
}

void verb_pause(struct conversation *in, struct json_object *request)
{
	struct error err;

	if (!conversation_about_job(in, request, &err) || !job_pause(in->job, &err))
		conversation_fail(in, &err);
	else
		/* Answered when the store's thread is done with what it has in hand. */
		conversation_wait(in,
				  sync_summary(job_store(in->job), job_conf(in->job)->name,
					       end_pause, in),
				  cancel_summary);
}

void verb_resume(struct conversation *in, struct json_object *request)
{
	struct error err;

	if (!conversation_about_job(in, request, &err) || !job_resume(in->job, &err))
		conversation_fail(in, &err);
	else
		conversation_end(in, report_new());
}

/* fields */
static void cancel_fields(void *fields)
{
	fields_cancel(fields);
}

static void send_fields(const struct fields_view *view, const struct error *err, void *arg)
{
	struct conversation *in = arg;
	struct json_object *answer;

	conversation_wait(in, NULL, NULL);
	if (err) {
		conversation_fail(in, err);
		return;
	}
	answer = report_new();
	json_object_object_add(answer, "fields", report_fields(job_conf(in->job)->name, view));
	conversation_end(in, answer);
}

void verb_fields(struct conversation *in, struct json_object *request)
{
	struct error err;

	if (!conversation_about_job(in, request, &err)) {
		conversation_fail(in, &err);
		return;
	}
	conversation_wait(in,
			  fields_start(daemon_loop(in->daemon), job_run_job(in->job), send_fields,
				       in),
			  cancel_fields);
}
