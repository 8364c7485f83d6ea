/* control_ledger.c - the ledger's listings and what is done about them: errors, conflicts, backlog;
 * retry, ignore, resolve; detach. */
#include <json-c/json.h>
#include <string.h>

#include "base/error.h"
#include "conf/conf.h"
#include "conversation.h"
#include "daemon.h"
#include "job.h"
#include "loop/loop.h"
#include "record/value.h"
#include "report.h"
#include "sync/sync_listing.h"
#include "vault/vault.h"

#define FEW_LINES 50

/* Listings: each job's lines, one job after the other. */
static void cancel_listing(void *call)
{
	sync_listing_cancel(call);
}

static void next_listing(struct conversation *in)
{
	for (; in->next < daemon_job_count(in->daemon); in->next++) {
		struct job *job = daemon_job(in->daemon, in->next);
		/* One more than is shown, to know whether there is more. */
		const struct store_listing what = { .job = job_conf(job)->name,
						    .all = in->all,
						    .limit = in->limit + 1 };

		if (in->job && in->job != job)
			continue;
		in->list(in, job, &what);
		return;
	}
	json_object_object_add(in->answer, "more", json_object_new_boolean(in->more));
	conversation_end(in, TAKE(in->answer));
}

/* One job's lines are there: how many of them are shown. False: there are none, and it was said. */
static bool arrived(struct conversation *in, size_t *count, const struct error *err)
{
	conversation_wait(in, NULL, NULL);
	in->next++;
	if (err) {
		conversation_fail(in, err);
		return false;
	}
	if (*count > in->limit) {
		*count = in->limit;
		in->more = true;
	}
	return true;
}

static void verb_listing(struct conversation *in, struct json_object *request, const char *name,
			 listing_fn *list)
{
	struct error err;

	if (request_text(request, "job") && !conversation_about_job(in, request, &err)) {
		conversation_fail(in, &err);
		return;
	}
	in->limit = request_limit(request, FEW_LINES);
	in->all = request_flag(request, "all");
	in->list = list;
	in->answer = report_new();
	in->items = json_object_new_array();
	json_object_object_add(in->answer, name, in->items);
	next_listing(in);
}

static void add_rejects(const struct store_reject_line *lines, size_t count,
			const struct error *err, void *arg)
{
	struct conversation *in = arg;

	if (!arrived(in, &count, err))
		return;
	for (size_t i = 0; i < count; i++)
		json_object_array_add(in->items, report_reject(&lines[i]));
	next_listing(in);
}

static void list_rejects(struct conversation *in, struct job *job, const struct store_listing *what)
{
	conversation_wait(in, sync_list_rejects(job_store(job), what, add_rejects, in),
			  cancel_listing);
}

void verb_errors(struct conversation *in, struct json_object *request)
{
	verb_listing(in, request, "errors", list_rejects);
}

static void add_conflicts(const struct store_conflict_line *lines, size_t count,
			  const struct error *err, void *arg)
{
	struct conversation *in = arg;

	if (!arrived(in, &count, err))
		return;
	for (size_t i = 0; i < count; i++)
		json_object_array_add(in->items, report_conflict(&lines[i]));
	next_listing(in);
}

static void list_conflicts(struct conversation *in, struct job *job,
			   const struct store_listing *what)
{
	conversation_wait(in, sync_list_conflicts(job_store(job), what, add_conflicts, in),
			  cancel_listing);
}

void verb_conflicts(struct conversation *in, struct json_object *request)
{
	verb_listing(in, request, "conflicts", list_conflicts);
}

static void add_dues(const struct store_due_line *lines, size_t count, const struct error *err,
		     void *arg)
{
	struct conversation *in = arg;

	if (!arrived(in, &count, err))
		return;
	for (size_t i = 0; i < count; i++)
		json_object_array_add(in->items, report_due(&lines[i]));
	next_listing(in);
}

static void list_dues(struct conversation *in, struct job *job, const struct store_listing *what)
{
	conversation_wait(in, sync_list_dues(job_store(job), what, add_dues, in), cancel_listing);
}

void verb_backlog(struct conversation *in, struct json_object *request)
{
	verb_listing(in, request, "backlog", list_dues);
}

/* Orders. */
static void cancel_order(void *call)
{
	sync_order_cancel(call);
}

/* What was asked for is not there: nothing was done. */
static void fail_unlisted(struct conversation *in, const char *what, const char *command)
{
	const char *job = job_conf(in->job)->name;
	struct error err;

	error_set(&err, ERROR_HUMAN, "not-listed",
		  "job %s has no %s of %s; `leadsync %s %s` lists them, with the record's id (15 "
		  "or 18 characters) and the row's key",
		  job, what, in->about, command, job);
	conversation_fail(in, &err);
}

/* True: the order was followed. Else it was not, and that is said. */
static bool followed(struct conversation *in, int64_t count, const struct error *err,
		     const char *what, const char *command)
{
	conversation_wait(in, NULL, NULL);
	if (err)
		conversation_fail(in, err);
	else if (!count && in->about)
		fail_unlisted(in, what, command);
	else
		return true;
	return false;
}

static struct json_object *report_touched(int64_t count)
{
	struct json_object *answer = report_new();

	json_object_object_add(answer, "touched", json_object_new_int64(count));
	return answer;
}

/* Tells the job to run, if it only waits for its time; false: it was not told. */
static bool run_soon(struct job *job)
{
	struct job_view view;
	struct error err;

	job_view(job, &view);
	return view.state == JOB_IDLE && job_run_now(job, false, &err);
}

/* The next run does what is left to be done of it. */
static void end_with_run(struct conversation *in, int64_t count)
{
	struct json_object *answer = report_touched(count);
	bool runs = count && run_soon(in->job);
	struct job_view view;

	job_view(in->job, &view);
	json_object_object_add(answer, "runs", json_object_new_boolean(runs));
	json_object_object_add(answer, "state", json_object_new_string(view.state_name));
	conversation_end(in, answer);
}

static void end_retry(int64_t count, const struct error *err, void *arg)
{
	if (followed(arg, count, err, "error", "errors"))
		end_with_run(arg, count);
}

static void end_ignore(int64_t count, const struct error *err, void *arg)
{
	if (followed(arg, count, err, "error", "errors"))
		conversation_end(arg, report_touched(count));
}

static void end_resolve(int64_t count, const struct error *err, void *arg)
{
	if (followed(arg, count, err, "open conflict", "conflicts"))
		end_with_run(arg, count);
}

/* The job, record or row and field that the request is about. */
static bool begin_order(struct conversation *in, struct json_object *request,
			struct store_order *ret, struct error *err)
{
	const char *id = request_text(request, "id");

	if (!conversation_about_job(in, request, err))
		return false;
	if (!id && ret->act != STORE_RETRY)
		return error_set(err, ERROR_HUMAN, "bad-request",
				 "which record or row is meant is missing");
	ret->instance = vault_instance(daemon_vault(in->daemon));
	ret->job = job_conf(in->job)->name;
	ret->id = id;
	ret->field = request_text(request, "field");
	if (id && ret->field)
		in->about = mem_format("'%s', field '%s'", id, ret->field);
	else if (id || ret->field)
		in->about = mem_format(id ? "'%s'" : "field '%s'", id ? id : ret->field);
	ret->now_ms = loop_now_ms(daemon_loop(in->daemon));
	return true;
}

static void send_order(struct conversation *in, const struct store_order *order,
		       sync_order_fn *done)
{
	conversation_wait(in, sync_order(job_store(in->job), order, done, in), cancel_order);
}

void verb_retry(struct conversation *in, struct json_object *request)
{
	struct store_order order = { .act = STORE_RETRY };
	struct error err;

	if (begin_order(in, request, &order, &err))
		send_order(in, &order, end_retry);
	else
		conversation_fail(in, &err);
}

void verb_ignore(struct conversation *in, struct json_object *request)
{
	struct store_order order = { .act = STORE_IGNORE };
	struct error err;

	if (begin_order(in, request, &order, &err))
		send_order(in, &order, end_ignore);
	else
		conversation_fail(in, &err);
}

/* Who is right: one of the sides, or a record. */
static bool parse_decision(struct json_object *request, struct store_order *ret, char record_id[19],
			   struct error *err)
{
	const char *winner = request_text(request, "winner");
	const char *record = request_text(request, "record");

	if (record && !winner) {
		ret->record_id = record_id;
		return value_id18(record, strlen(record), record_id) ||
		       error_set(err, ERROR_HUMAN, "bad-id",
				 "'%s' is not the id of a record: 15 or 18 letters and digits",
				 record);
	}
	if (winner && !record && strcmp(winner, "local") == 0) {
		ret->winner = TOLD_LOCAL;
		return true;
	}
	if (winner && !record && strcmp(winner, "remote") == 0) {
		ret->winner = TOLD_REMOTE;
		return true;
	}
	return error_set(err, ERROR_HUMAN, "bad-request",
			 "a conflict is decided for one side, or for a record");
}

void verb_resolve(struct conversation *in, struct json_object *request)
{
	struct store_order order = { .act = STORE_RESOLVE };
	char record_id[19];
	struct error err;

	if (begin_order(in, request, &order, &err) &&
	    parse_decision(request, &order, record_id, &err))
		send_order(in, &order, end_resolve);
	else
		conversation_fail(in, &err);
}

/* detach: a paused job has no run under way, and begins none meanwhile. */
static void end_detach(int64_t count, const struct error *err, void *arg)
{
	struct conversation *in = arg;
	const struct conf_job *conf = job_conf(in->job);
	struct json_object *answer;

	(void)count;
	conversation_wait(in, NULL, NULL);
	if (err) {
		conversation_fail(in, err);
		return;
	}
	answer = report_new();
	json_object_object_add(answer, "store", json_object_new_string(conf->store->name));
	json_object_object_add(answer, "table", json_object_new_string(conf->table));
	conversation_end(in, answer);
}

static bool is_paused(const struct job *job, struct error *err)
{
	const char *name = job_conf(job)->name;
	struct job_view view;

	job_view(job, &view);
	return view.state == JOB_PAUSED ||
	       error_set(err, ERROR_HUMAN, "not-paused",
			 "job %s is %s: `leadsync pause %s` first, which also ends a run under way",
			 name, view.state_name, name);
}

void verb_detach(struct conversation *in, struct json_object *request)
{
	struct error err;

	if (!conversation_about_job(in, request, &err) || !is_paused(in->job, &err))
		conversation_fail(in, &err);
	else
		conversation_wait(in,
				  sync_detach(job_store(in->job),
					      vault_instance(daemon_vault(in->daemon)),
					      job_conf(in->job)->name, end_detach, in),
				  cancel_order);
}
