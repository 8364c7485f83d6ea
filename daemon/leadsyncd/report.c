#include "report.h"

#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "base/error.h"
#include "base/utc.h"
#include "conf/conf.h"
#include "connect.h"
#include "daemon.h"
#include "daemon/conf_secret.h"
#include "job.h"
#include "loop/loop.h"
#include "report_add.h"
#include "sync/fields.h"
#include "sync/sync_store.h"
#include "vault/vault.h"

void report_add_text(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, text ? json_object_new_string(text) : NULL);
}

void report_add_int(struct json_object *to, const char *name, int64_t value)
{
	json_object_object_add(to, name, json_object_new_int64(value));
}

void report_add_time(struct json_object *to, const char *name, int64_t ms)
{
	char text[UTC_TEXT_SIZE];

	utc_format(ms, text);
	report_add_text(to, name, ms ? text : NULL);
}

struct json_object *report_new(void)
{
	struct json_object *out = json_object_new_object();

	report_add_int(out, "version", 1);
	return out;
}

struct json_object *report_error(const struct error *err)
{
	struct json_object *out = json_object_new_object();

	report_add_text(out, "kind", error_kind_name(err->kind));
	report_add_text(out, "code", err->code);
	report_add_text(out, "text", err->text);
	return out;
}

static void add_counts(struct json_object *out, const struct run_counts *counts)
{
	report_add_int(out, "read", counts->read);
	report_add_int(out, "inserted", counts->inserted);
	report_add_int(out, "updated", counts->updated);
	report_add_int(out, "deleted", counts->deleted);
	report_add_int(out, "unchanged", counts->unchanged);
	report_add_int(out, "rejected", counts->rejected);
	report_add_int(out, "out_of_sight", counts->out_of_sight);
	report_add_int(out, "pages", counts->pages);
	report_add_int(out, "sent_created", counts->sent_created);
	report_add_int(out, "sent_updated", counts->sent_updated);
	report_add_int(out, "sent_deleted", counts->sent_deleted);
	report_add_int(out, "refused", counts->refused);
	report_add_int(out, "unknown", counts->unknown);
	report_add_int(out, "conflicts", counts->conflicts);
	report_add_int(out, "put_back", counts->put_back);
}

struct json_object *report_daemon(const struct daemon *daemon)
{
	struct json_object *out = json_object_new_object();

	report_add_text(out, "version", LEADSYNC_VERSION);
	report_add_int(out, "pid", getpid());
	report_add_time(out, "started", daemon_started_ms(daemon));
	json_object_object_add(out, "loopback_test",
			       json_object_new_boolean(daemon_conf(daemon)->daemon.loopback_test));
	return out;
}

static const char *flow_name(enum conf_flow flow)
{
	switch (flow) {
	case CONF_FLOW_WEB: return "web";
	case CONF_FLOW_JWT: return "jwt";
	case CONF_FLOW_CLIENT_CREDENTIALS: return "client_credentials";
	}
	return "?";
}

struct json_object *report_account(const struct account *account, const struct daemon *daemon)
{
	struct json_object *out = json_object_new_object();
	struct sf_usage usage = account_usage(account);
	struct keeper_health health;

	keeper_health(account_keeper(account), &health);
	report_add_text(out, "name", account_name(account));
	report_add_text(out, "flow", flow_name(account_conf(account)->flow));
	report_add_text(out, "state", health.state_name);
	report_add_text(out, "org_id", health.org_id);
	report_add_text(out, "instance_url", health.instance_url);
	report_add_int(out, "token_age_s",
		       health.obtained_ms
			       ? (loop_now_ms(daemon_loop(daemon)) - health.obtained_ms) / 1000
			       : -1);
	report_add_time(out, "token_expires", health.expires_ms);
	report_add_text(out, "expiry_known_from", health.expiry);
	report_add_time(out, "next_refresh", health.next_refresh_ms);
	report_add_text(out, "rotation", health.rotation);
	report_add_time(out, "last_proof", health.proved_ms);
	report_add_time(out, "idle_limit", health.idle_ends_ms);
	report_add_int(out, "token_requests", (int64_t)health.token_requests);
	report_add_int(out, "api_calls_used", usage.used);
	report_add_int(out, "api_calls_limit", usage.most);
	json_object_object_add(out, "trouble",
			       health.trouble ? report_error(health.trouble) : NULL);
	return out;
}

/* Where the credential is: "vault", "missing" (it would be there), "elsewhere", or "none". */
static const char *credential_place(const struct account *account, const struct daemon *daemon)
{
	const char *name = conf_secret_name(account_conf(account));
	struct error unreadable;
	bool found;

	if (!conf_credential(account_conf(account)))
		return "none";
	if (!name)
		return "elsewhere";
	return vault_secret_has(daemon_vault(daemon), name, &found, &unreadable) && found
		       ? "vault"
		       : "missing";
}

struct json_object *report_login_needs(struct account *account, const struct daemon *daemon)
{
	const struct conf_account *conf = account_conf(account);
	struct json_object *out = report_account(account, daemon), *jobs = json_object_new_array();

	report_add_text(out, "login_url", conf->login_url);
	report_add_text(out, "client_id", conf->client_id);
	report_add_text(out, "redirect_uri", conf->redirect_uri);
	report_add_text(out, "username", conf->username);
	report_add_text(out, "credential", credential_place(account, daemon));
	for (size_t i = 0; i < daemon_job_count(daemon); i++)
		if (job_account(daemon_job(daemon, i)) == account)
			json_object_array_add(jobs, json_object_new_string(
							    job_conf(daemon_job(daemon, i))->name));
	json_object_object_add(out, "jobs", jobs);
	return out;
}

struct json_object *report_found(const struct connect_found *found)
{
	struct json_object *out = json_object_new_object();

	report_add_text(out, "org_id", found->org_id);
	report_add_text(out, "org_name", found->who.org_name);
	report_add_text(out, "org_type", found->who.org_type);
	report_add_text(out, "instance", found->who.instance);
	report_add_text(out, "instance_url", found->instance_url);
	json_object_object_add(out, "sandbox", json_object_new_boolean(found->who.sandbox));
	report_add_text(out, "username", found->who.username);
	report_add_text(out, "name", found->who.name);
	report_add_text(out, "user_id", found->user_id);
	report_add_text(out, "scope", found->scope);
	report_add_int(out, "api_calls_used", found->who.calls_used);
	report_add_int(out, "api_calls_limit", found->who.calls_most);
	json_object_object_add(out, "first", json_object_new_boolean(!*found->pinned_org));
	return out;
}

static void add_key(const char *key_id, size_t count, bool active, void *arg)
{
	struct json_object *item = json_object_new_object();

	report_add_text(item, "id", key_id);
	report_add_int(item, "sealed", (int64_t)count);
	json_object_object_add(item, "active", json_object_new_boolean(active));
	json_object_array_add(arg, item);
}

struct json_object *report_keys(const struct daemon *daemon)
{
	struct json_object *out = json_object_new_array();
	struct error unreadable;

	if (!vault_key_list(daemon_vault(daemon), add_key, out, &unreadable))
		json_object_put(TAKE(out));
	return out;
}

static const char *arrow(enum mapping_direction direction)
{
	switch (direction) {
	case MAPPING_DOWN: return "->";
	case MAPPING_UP: return "<-";
	case MAPPING_BOTH: return "<->";
	}
	return "?";
}

static struct json_object *report_field(const struct fields_line *line)
{
	struct json_object *out = json_object_new_object();

	report_add_text(out, "field", line->field);
	report_add_text(out, "column", line->column);
	report_add_text(out, "arrow", line->column ? arrow(line->direction) : NULL);
	report_add_text(out, "type", line->type);
	report_add_int(out, "length", line->length);
	json_object_object_add(out, "writable", json_object_new_boolean(line->writable));
	report_add_int(out, "line", line->line);
	json_object_object_add(out, "problem", line->problem ? report_error(line->problem) : NULL);
	return out;
}

struct json_object *report_fields(const char *job, const struct fields_view *view)
{
	struct json_object *out = json_object_new_object(), *lines = json_object_new_array();

	for (size_t i = 0; i < view->count; i++)
		json_object_array_add(lines, report_field(&view->lines[i]));
	report_add_text(out, "job", job);
	report_add_text(out, "object", view->object);
	report_add_text(out, "label", view->label);
	report_add_int(out, "mapped", (int64_t)view->mapped);
	report_add_int(out, "wrong", (int64_t)view->wrong);
	json_object_object_add(out, "lines", lines);
	return out;
}

struct json_object *report_view(const struct job_view *view)
{
	struct json_object *out = json_object_new_object();

	report_add_text(out, "id", view->run_id);
	report_add_text(out, "phase", view->phase);
	report_add_time(out, "started", view->started_ms);
	report_add_time(out, "ended", view->ended_ms);
	report_add_int(out, "ms", view->spent_ms);
	add_counts(out, &view->counts);
	report_add_int(out, "leg_read", view->counts.leg_read);
	report_add_int(out, "leg_total", view->counts.total);
	json_object_object_add(out, "trouble", view->failed ? report_error(&view->trouble) : NULL);
	return out;
}

static struct json_object *report_backlog(const struct sync_summary *summary, int64_t now_ms)
{
	struct json_object *out = json_object_new_object();
	int64_t oldest_ms = summary->oldest_due_ms;

	report_add_int(out, "waiting", summary->waiting);
	report_add_int(out, "sent", summary->sent);
	report_add_int(out, "unknown", summary->unknown);
	report_add_int(out, "rejected", summary->rejected);
	report_add_int(out, "held", summary->held);
	report_add_time(out, "oldest", oldest_ms);
	report_add_int(out, "oldest_age_s",
		       oldest_ms && now_ms > oldest_ms ? (now_ms - oldest_ms) / 1000 : 0);
	return out;
}

static struct json_object *report_summary(const struct sync_summary *summary, int64_t now_ms)
{
	struct json_object *out = json_object_new_object();

	report_add_int(out, "linked", summary->linked);
	report_add_int(out, "deleted", summary->deleted);
	report_add_int(out, "out_of_sight", summary->out_of_sight);
	report_add_int(out, "rejects", summary->rejects);
	report_add_int(out, "conflicts", summary->conflicts);
	json_object_object_add(out, "backlog", report_backlog(summary, now_ms));
	report_add_text(out, "cursor", summary->phase);
	report_add_time(out, "complete_until", summary->settled_ms);
	return out;
}

/* Is anything mapped that goes to the remote? */
static bool job_sends(const struct conf_job *conf)
{
	for (size_t i = 0; i < conf->field_count; i++)
		if (conf->fields[i].direction != CONF_DOWN)
			return true;
	return false;
}

struct json_object *report_job(const struct job *job, const struct sync_summary *summary,
			       const struct error *unknown, int64_t now_ms)
{
	struct json_object *out = json_object_new_object();
	const struct conf_job *conf = job_conf(job);
	struct job_view view;

	job_view(job, &view);
	report_add_text(out, "name", conf->name);
	report_add_text(out, "account", conf->account->name);
	report_add_text(out, "object", conf->object);
	report_add_text(out, "store", conf->store->name);
	report_add_text(out, "table", conf->table);
	report_add_int(out, "every_s", conf->every_s);
	json_object_object_add(out, "sends", json_object_new_boolean(job_sends(conf)));
	report_add_text(out, "state", view.state_name);
	report_add_time(out, "next_run", view.next_ms);
	json_object_object_add(out, "run", view.started_ms ? report_view(&view) : NULL);
	json_object_object_add(out, "ledger", summary ? report_summary(summary, now_ms) : NULL);
	json_object_object_add(out, "ledger_trouble", unknown ? report_error(unknown) : NULL);
	return out;
}

struct json_object *report_run_row(const struct sync_run_row *row)
{
	struct json_object *out = json_object_new_object();

	report_add_text(out, "id", row->id);
	report_add_text(out, "job", row->job);
	report_add_text(out, "outcome", row->outcome);
	report_add_time(out, "started", row->started_ms);
	report_add_time(out, "ended", row->ended_ms);
	report_add_int(out, "read", row->read);
	report_add_int(out, "inserted", row->inserted);
	report_add_int(out, "updated", row->updated);
	report_add_int(out, "deleted", row->deleted);
	report_add_int(out, "unchanged", row->unchanged);
	report_add_int(out, "rejected", row->rejected);
	report_add_int(out, "out_of_sight", row->out_of_sight);
	report_add_int(out, "sent_created", row->sent_created);
	report_add_int(out, "sent_updated", row->sent_updated);
	report_add_int(out, "sent_deleted", row->sent_deleted);
	report_add_int(out, "refused", row->refused);
	report_add_int(out, "conflicts", row->conflicts);
	report_add_int(out, "put_back", row->put_back);
	report_add_int(out, "repeats", row->repeats);
	report_add_text(out, "code", row->code);
	report_add_text(out, "text", row->text);
	return out;
}
