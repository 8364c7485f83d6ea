#include "job.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "account.h"
#include "base/log.h"
#include "conf/conf.h"
#include "hook.h"
#include "job_policy.h"
#include "loop/backoff.h"
#include "loop/loop.h"
#include "vault/vault.h"

#define SECOND_MS ((int64_t)1000)
#define MINUTE_MS (60 * SECOND_MS)

struct job_follower {
	LIST_ENTRY(job_follower) entry;
	job_progress_fn *progress;
	job_done_fn *done;
	void *arg;
};
LIST_HEAD(follower_list, job_follower);

struct job {
	struct job_args args;
	struct mapping_rule *rules;
	struct run_job run_job;
	enum job_state state;
	struct loop_timer *timer; /* NULL while running or paused */
	struct run *run;          /* NULL while not */
	bool full_next;
	bool full; /* the run under way */
	struct backoff backoff;
	struct job_view last;
	char run_id[16];
	int64_t began_ms; /* the run under way, on the steady clock: the wall's may be set meanwhile
			   */
	int64_t said_ms;  /* when the reason for parking was last said; 0: not yet */
	struct follower_list followers;
};

static void begin(void *arg);
static void tell_done(struct job *in);
static void progress(const char *phase, const struct run_counts *counts, void *arg);
static void ended(const struct run_outcome *outcome, void *arg);

static enum run_on_delete on_delete(const struct conf_job *conf)
{
	switch (conf->on_remote_delete) {
	case CONF_DELETE_KEEP: return RUN_DELETE_KEEP;
	case CONF_DELETE_MARK: return RUN_DELETE_MARK;
	case CONF_DELETE_ROW: return RUN_DELETE_ROW;
	}
	abort();
}

static enum mapping_direction direction(const struct conf_field *field)
{
	switch (field->direction) {
	case CONF_DOWN: return MAPPING_DOWN;
	case CONF_UP: return MAPPING_UP;
	case CONF_BOTH: return MAPPING_BOTH;
	}
	abort();
}

static enum field_rule rule(const struct conf_field *field)
{
	switch (field->conflict) {
	case CONF_CONFLICT_SALESFORCE: return FIELD_RULE_REMOTE;
	case CONF_CONFLICT_LOCAL: return FIELD_RULE_LOCAL;
	case CONF_CONFLICT_NEWEST: return FIELD_RULE_NEWEST;
	case CONF_CONFLICT_NONBLANK: return FIELD_RULE_NONBLANK;
	case CONF_CONFLICT_MANUAL: return FIELD_RULE_MANUAL;
	}
	abort();
}

static enum field_blank blank(const struct conf_field *field)
{
	switch (field->blank) {
	case CONF_BLANK_CLEAR: return FIELD_BLANK_CLEAR;
	case CONF_BLANK_KEEP: return FIELD_BLANK_KEEP;
	case CONF_BLANK_FILL: return FIELD_BLANK_FILL;
	}
	abort();
}

static void wait_for(struct job *in, int64_t delay_ms)
{
	in->timer = loop_after(in->args.loop, delay_ms, begin, in);
	in->last.next_ms = loop_now_ms(in->args.loop) + delay_ms;
}

static void fill_run_job(struct job *in)
{
	const struct conf_job *conf = in->args.conf;

	size_t count = conf->field_count;

	in->rules = mem_array(struct mapping_rule, count + 1);
	for (size_t i = 0; i < conf->field_count; i++)
		in->rules[i] = (struct mapping_rule){ .field = conf->fields[i].field,
						      .column = conf->fields[i].column,
						      .direction = direction(&conf->fields[i]),
						      .line = conf->fields[i].line,
						      .rule = rule(&conf->fields[i]),
						      .blank = blank(&conf->fields[i]) };
	/* It is ours to write, whatever `*` says. */
	if (conf->external_id)
		in->rules[count++] = (struct mapping_rule){ .field = conf->external_id };
	in->run_job = (struct run_job){ .name = conf->name,
					.object = conf->object,
					.table = conf->table,
					.key = conf->key,
					.where = conf->where,
					.rules = in->rules,
					.rule_count = count,
					.on_delete = on_delete(conf),
					.delete_remote =
						conf->on_local_delete == CONF_LOCAL_DELETE_RECORD,
					.match = (const char *const *)conf->match,
					.match_count = conf->match_count,
					.create_rows = conf->create == CONF_CREATE_LOCAL ||
						       conf->create == CONF_CREATE_BOTH,
					.create_records = conf->create == CONF_CREATE_SALESFORCE ||
							  conf->create == CONF_CREATE_BOTH,
					.external_id = conf->external_id,
					.create_unsafe = conf->allow_unsafe_create,
					.guard_s = conf->guard_s,
					.history_s = conf->history_s,
					.overlap_s = conf->overlap_s,
					.remote = account_remote(in->args.account),
					.store = in->args.store };
}

struct job *job_new(const struct job_args *args, struct error *err)
{
	struct job *in = mem_new(struct job);
	bool paused;

	if (!vault_job_paused(args->vault, args->conf->name, &paused, err)) {
		free(in);
		return NULL;
	}
	in->args = *args;
	fill_run_job(in);
	in->backoff = (struct backoff){ .first_ms = 30 * SECOND_MS, .most_ms = 15 * MINUTE_MS };
	in->last.counts.total = -1;
	LIST_INIT(&in->followers);
	if (paused)
		in->state = JOB_PAUSED;
	else
		/* Jobs of one daemon do not all start in the same instant. */
		wait_for(in, backoff_jitter_ms(SECOND_MS / 2, 90));
	return in;
}

void job_free(struct job *in)
{
	struct job_follower *follower;

	if (!in)
		return;
	loop_timer_cancel(in->timer);
	run_cancel(in->run);
	while ((follower = LIST_FIRST(&in->followers)))
		job_unfollow(follower);
	free(in->rules);
	free(in);
}

/* It would fail at its first request; the account has said why, and what to do. */
static void park_with_account(struct job *in, const struct error *why)
{
	if (in->state != JOB_WITHOUT_ACCOUNT)
		log_notice("job_waits", LOG_STR("job", in->args.conf->name),
			   LOG_STR("account", account_name(in->args.account)),
			   LOG_STR("code", why->code));
	in->state = JOB_WITHOUT_ACCOUNT;
	in->last.failed = true;
	in->last.trouble = *why;
	in->last.next_ms = 0;
	tell_done(in);
}

static void start_run(struct job *in);

static void begin(void *arg)
{
	struct job *in = arg;
	const struct error *trouble = account_trouble(in->args.account);

	in->timer = NULL;
	if (trouble)
		park_with_account(in, trouble);
	else
		start_run(in);
}

static void start_run(struct job *in)
{
	const struct run_args args = { .loop = in->args.loop,
				       .job = &in->run_job,
				       .instance = in->args.instance,
				       .full = in->full_next,
				       .relearn = in->last.failed };

	in->full = in->full_next;
	in->full_next = false;
	in->state = JOB_RUNNING;
	in->began_ms = loop_steady_ms(in->args.loop);
	in->last = (struct job_view){ .started_ms = loop_now_ms(in->args.loop),
				      .counts = { .total = -1 } };
	in->run = run_start(&args, progress, ended, in);
	snprintf(in->run_id, sizeof(in->run_id), "%s", run_id(in->run));
}

static void progress(const char *phase, const struct run_counts *counts, void *arg)
{
	struct job *in = arg;
	struct job_follower *follower, *next;
	struct job_view view;

	in->last.phase = phase;
	in->last.counts = *counts;
	job_view(in, &view);
	for (follower = LIST_FIRST(&in->followers); follower; follower = next) {
		next = LIST_NEXT(follower, entry);
		follower->progress(&view, follower->arg);
	}
}

/* Says why the job stands still. */
static void say_parked(struct job *in, const struct error *why)
{
	int64_t now_ms = loop_steady_ms(in->args.loop);
	CLEANUP_FREE char *remedy = mem_format("leadsync run %s", in->args.conf->name);

	if (!job_should_say(in->said_ms, now_ms))
		return;
	in->said_ms = now_ms;
	log_error("job_parked", LOG_STR("job", in->args.conf->name), LOG_STR("code", why->code),
		  LOG_STR("text", why->text), LOG_STR("remedy", remedy));
	hook_tell(in->args.hook, &(struct hook_event){ .event = "job-parked",
						       .job = in->args.conf->name,
						       .account = account_name(in->args.account),
						       .state = "parked",
						       .code = why->code,
						       .text = why->text,
						       .remedy = remedy });
}

static void say_well_again(struct job *in)
{
	if (in->said_ms)
		hook_tell(in->args.hook,
			  &(struct hook_event){ .event = "job-ok",
						.job = in->args.conf->name,
						.account = account_name(in->args.account),
						.state = "idle" });
	in->said_ms = 0;
}

/* A `done` may ask for the next run, but not follow it. */
static void tell_done(struct job *in)
{
	struct job_follower *follower;
	struct job_view view;

	job_view(in, &view);
	while ((follower = LIST_FIRST(&in->followers))) {
		struct job_follower told = *follower;

		job_unfollow(follower);
		told.done(&view, told.arg);
	}
}

static void after_success(struct job *in)
{
	backoff_reset(&in->backoff);
	in->state = JOB_IDLE;
	say_well_again(in);
	wait_for(in, job_delay_after_success(in->args.conf->every_s, in->last.spent_ms));
}

static void after_failure(struct job *in, const struct error *why)
{
	struct job_verdict verdict = job_after_failure(why, &in->backoff);

	in->last.trouble = *why;
	if (account_trouble(in->args.account)) {
		in->full_next = in->full_next || in->full;
		park_with_account(in, why);
		return;
	}
	/* Failed before its first page, it is not yet written down that everything is to be read.
	 */
	in->full_next = in->full && !in->last.counts.pages;
	in->state = verdict.parks ? JOB_PARKED : JOB_IDLE;
	if (verdict.parks)
		say_parked(in, why);
	else
		in->said_ms = 0;
	wait_for(in, verdict.delay_ms);
}

static void ended(const struct run_outcome *outcome, void *arg)
{
	struct job *in = arg;

	in->run = NULL;
	in->last = (struct job_view){ .counts = outcome->counts,
				      .started_ms = outcome->started_ms,
				      .ended_ms = outcome->ended_ms,
				      .spent_ms = loop_steady_ms(in->args.loop) - in->began_ms,
				      .failed = outcome->err != NULL };
	if (outcome->err)
		after_failure(in, outcome->err);
	else
		after_success(in);
	tell_done(in);
	if (outcome->err && outcome->err->kind == ERROR_STATE)
		in->args.fatal(&in->last.trouble, in->args.arg);
}

static bool store_paused(struct job *in, bool paused, struct error *err)
{
	return vault_job_set_paused(in->args.vault, in->args.conf->name, paused, err);
}

static void run_soon(struct job *in)
{
	loop_timer_cancel(in->timer);
	wait_for(in, 0);
}

bool job_run_now(struct job *in, bool full, struct error *err)
{
	const char *name = in->args.conf->name;

	switch (in->state) {
	case JOB_PAUSED:
		return error_set(err, ERROR_HUMAN, "paused",
				 "job %s is paused: `leadsync resume %s` lets it run", name, name);
	case JOB_RUNNING:
		return !full || error_set(err, ERROR_HUMAN, "running",
					  "a run of job %s is under way; ask for the full one when "
					  "it has ended",
					  name);
	case JOB_IDLE:
	case JOB_PARKED:
	case JOB_WITHOUT_ACCOUNT: break;
	}
	keeper_unpark(account_keeper(in->args.account));
	in->full_next = in->full_next || full;
	run_soon(in);
	return true;
}

bool job_pause(struct job *in, struct error *err)
{
	static const struct error paused = { .kind = ERROR_HUMAN,
					     .code = "paused",
					     .text = "the job was paused meanwhile" };

	if (!store_paused(in, true, err))
		return false;
	if (in->state == JOB_RUNNING) {
		run_cancel(TAKE(in->run));
		in->full_next = in->full && !in->last.counts.pages;
		in->last.failed = true;
		in->last.trouble = paused;
		in->last.ended_ms = loop_now_ms(in->args.loop);
	}
	loop_timer_cancel(TAKE(in->timer));
	in->state = JOB_PAUSED;
	in->last.next_ms = 0;
	tell_done(in);
	return true;
}

bool job_resume(struct job *in, struct error *err)
{
	if (!store_paused(in, false, err))
		return false;
	if (in->state == JOB_PAUSED) {
		in->state = JOB_IDLE;
		run_soon(in);
	}
	return true;
}

void job_account_changed(struct job *in)
{
	const struct error *trouble = account_trouble(in->args.account);

	if (trouble && in->state == JOB_IDLE) {
		loop_timer_cancel(TAKE(in->timer));
		park_with_account(in, trouble);
	} else if (!trouble && in->state == JOB_WITHOUT_ACCOUNT) {
		in->state = JOB_IDLE;
		run_soon(in);
	}
}

struct job_follower *job_follow(struct job *in, job_progress_fn *progress_fn, job_done_fn *done,
				void *arg)
{
	struct job_follower *follower = mem_new(struct job_follower);

	*follower = (struct job_follower){ .progress = progress_fn, .done = done, .arg = arg };
	LIST_INSERT_HEAD(&in->followers, follower, entry);
	return follower;
}

void job_unfollow(struct job_follower *in)
{
	if (!in)
		return;
	LIST_REMOVE(in, entry);
	free(in);
}

static const char *state_name(enum job_state state)
{
	switch (state) {
	case JOB_IDLE: return "idle";
	case JOB_RUNNING: return "running";
	case JOB_PARKED:
	case JOB_WITHOUT_ACCOUNT: return "parked";
	case JOB_PAUSED: return "paused";
	}
	return "unknown";
}

void job_view(const struct job *in, struct job_view *ret)
{
	*ret = in->last;
	ret->state = in->state;
	ret->state_name = state_name(in->state);
	ret->run_id = in->run_id;
	if (!ret->phase)
		ret->phase = "";
}

const struct run_job *job_run_job(const struct job *in)
{
	return &in->run_job;
}

const struct conf_job *job_conf(const struct job *in)
{
	return in->args.conf;
}

struct account *job_account(const struct job *in)
{
	return in->args.account;
}

struct sync_store *job_store(const struct job *in)
{
	return in->args.store;
}
