#include "report.h"

#include <json-c/json.h>
#include <unistd.h>

#include "account.h"
#include "base/error.h"
#include "base/utc.h"
#include "conf/conf.h"
#include "daemon.h"
#include "job.h"
#include "loop/loop.h"
#include "sync/sync_store.h"

static void add_text(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, text ? json_object_new_string(text) : NULL);
}

static void add_int(struct json_object *to, const char *name, int64_t value)
{
	json_object_object_add(to, name, json_object_new_int64(value));
}

/* Points in time are ISO text; 0 stands for none. */
static void add_time(struct json_object *to, const char *name, int64_t ms)
{
	char text[UTC_TEXT_SIZE];

	utc_format(ms, text);
	add_text(to, name, ms ? text : NULL);
}

struct json_object *report_new(void)
{
	struct json_object *out = json_object_new_object();

	add_int(out, "version", 1);
	return out;
}

struct json_object *report_error(const struct error *err)
{
	struct json_object *out = json_object_new_object();

	add_text(out, "kind", error_kind_name(err->kind));
	add_text(out, "code", err->code);
	add_text(out, "text", err->text);
	return out;
}

static void add_counts(struct json_object *out, const struct run_counts *counts)
{
	add_int(out, "read", counts->read);
	add_int(out, "inserted", counts->inserted);
	add_int(out, "updated", counts->updated);
	add_int(out, "deleted", counts->deleted);
	add_int(out, "unchanged", counts->unchanged);
	add_int(out, "rejected", counts->rejected);
	add_int(out, "out_of_sight", counts->out_of_sight);
	add_int(out, "pages", counts->pages);
}

struct json_object *report_daemon(const struct daemon *daemon)
{
	struct json_object *out = json_object_new_object();

	add_text(out, "version", LEADSYNC_VERSION);
	add_int(out, "pid", getpid());
	add_time(out, "started", daemon_started_ms(daemon));
	json_object_object_add(out, "loopback_test",
			       json_object_new_boolean(daemon_conf(daemon)->daemon.loopback_test));
	return out;
}

struct json_object *report_account(const struct account *account, const struct daemon *daemon)
{
	struct json_object *out = json_object_new_object();
	struct sf_usage usage = account_usage(account);
	struct keeper_health health;

	keeper_health(account_keeper((struct account *)account), &health);
	add_text(out, "name", account_name(account));
	add_text(out, "state", health.state_name);
	add_text(out, "org_id", health.org_id);
	add_text(out, "instance_url", health.instance_url);
	add_int(out, "token_age_s",
		health.obtained_ms ? (loop_now_ms(daemon_loop(daemon)) - health.obtained_ms) / 1000
				   : -1);
	add_time(out, "token_expires", health.expires_ms);
	add_time(out, "next_refresh", health.next_refresh_ms);
	add_int(out, "token_requests", (int64_t)health.token_requests);
	add_int(out, "api_calls_used", usage.used);
	add_int(out, "api_calls_limit", usage.most);
	json_object_object_add(out, "trouble",
			       health.trouble ? report_error(health.trouble) : NULL);
	return out;
}

struct json_object *report_view(const struct job_view *view)
{
	struct json_object *out = json_object_new_object();

	add_text(out, "id", view->run_id);
	add_text(out, "phase", view->phase);
	add_time(out, "started", view->started_ms);
	add_time(out, "ended", view->ended_ms);
	add_int(out, "ms", view->spent_ms);
	add_counts(out, &view->counts);
	add_int(out, "leg_read", view->counts.leg_read);
	add_int(out, "leg_total", view->counts.total);
	json_object_object_add(out, "trouble", view->failed ? report_error(&view->trouble) : NULL);
	return out;
}

static struct json_object *report_summary(const struct sync_summary *summary)
{
	struct json_object *out = json_object_new_object();

	add_int(out, "linked", summary->linked);
	add_int(out, "deleted", summary->deleted);
	add_int(out, "out_of_sight", summary->out_of_sight);
	add_int(out, "rejects", summary->rejects);
	add_text(out, "cursor", summary->phase);
	add_time(out, "complete_until", summary->settled_ms);
	return out;
}

struct json_object *report_job(const struct job *job, const struct sync_summary *summary,
			       const struct error *unknown)
{
	struct json_object *out = json_object_new_object();
	const struct conf_job *conf = job_conf(job);
	struct job_view view;

	job_view(job, &view);
	add_text(out, "name", conf->name);
	add_text(out, "account", conf->account->name);
	add_text(out, "object", conf->object);
	add_text(out, "store", conf->store->name);
	add_text(out, "table", conf->table);
	add_int(out, "every_s", conf->every_s);
	add_text(out, "state", view.state_name);
	add_time(out, "next_run", view.next_ms);
	json_object_object_add(out, "run", view.started_ms ? report_view(&view) : NULL);
	json_object_object_add(out, "ledger", summary ? report_summary(summary) : NULL);
	json_object_object_add(out, "ledger_trouble", unknown ? report_error(unknown) : NULL);
	return out;
}

struct json_object *report_run_row(const struct sync_run_row *row)
{
	struct json_object *out = json_object_new_object();

	add_text(out, "id", row->id);
	add_text(out, "job", row->job);
	add_text(out, "outcome", row->outcome);
	add_time(out, "started", row->started_ms);
	add_time(out, "ended", row->ended_ms);
	add_int(out, "read", row->read);
	add_int(out, "inserted", row->inserted);
	add_int(out, "updated", row->updated);
	add_int(out, "deleted", row->deleted);
	add_int(out, "unchanged", row->unchanged);
	add_int(out, "rejected", row->rejected);
	add_int(out, "out_of_sight", row->out_of_sight);
	add_int(out, "repeats", row->repeats);
	add_text(out, "code", row->code);
	add_text(out, "text", row->text);
	return out;
}
