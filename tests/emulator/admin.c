/* admin.c - in order: the org's state, the routes. Records are in admin_records.c,
 * tokens in admin_oauth.c, rules in admin_rules.c. */
#include "admin.h"

#include <strings.h>

#include "call.h"
#include "clock.h"
#include "counters.h"
#include "faults.h"
#include "json_in.h"
#include "limits.h"
#include "pending.h"
#include "query.h"
#include "schema.h"
#include "stamp.h"
#include "store.h"
#include "write_log.h"

static void bad(struct call *call, const char *why)
{
	call_error(call, 400, "EMULATOR", why);
}

static void write_clock(struct call *call)
{
	char text[29];

	stamp_format(clock_now_s(), text);
	text_printf(&call->out, "{\"now\":\"%s\",\"epoch_s\":%lld,\"offset_s\":%lld}", text,
		    (long long)clock_now_s(), (long long)(clock_offset_ms() / 1000));
}

static void move_clock(struct call *call, struct json_object *in)
{
	const char *set = json_in_text(in, "set");
	int64_t advance_s = 0, at_s;

	if (set && stamp_parse(set, strlen(set), &at_s))
		clock_set_offset_ms(clock_offset_ms() + at_s * 1000 - clock_now_ms());
	else if ((advance_s = json_in_int(in, "advance_s", 0)) != 0)
		clock_set_offset_ms(clock_offset_ms() + advance_s * 1000);
	else
		return bad(call, "give advance_s, or set with a time such as 2026-01-02T03:04:05Z");
	store_set_meta("clock_offset_ms", clock_offset_ms());
	write_clock(call);
}

static void write_limits(struct call *call)
{
	text_printf(&call->out, "{\"used\":%lld,\"max\":%lld}", (long long)limits_used(),
		    (long long)limits_max());
}

static void set_limits(struct call *call, struct json_object *in)
{
	limits_set_used(json_in_int(in, "used", limits_used()));
	limits_set_max(json_in_int(in, "max", limits_max()));
	write_limits(call);
}

static void expire_locators(struct call *call, struct json_object *in)
{
	(void)in;
	query_expire_locators();
	text_word(&call->out, "{\"ok\":true}");
}

static void set_pages(struct call *call, struct json_object *in)
{
	int64_t most = json_in_int(in, "max", -1);

	if (most < 0)
		return bad(call, "give max, 0 for what the client asks");
	query_set_page_max((size_t)most);
	text_word(&call->out, "{\"ok\":true}");
}

static void drift(struct call *call, struct json_object *in)
{
	static const char *const changes[] = { "hide", "show", "readonly", "writeable", "retype" };
	const char *name = json_in_text(in, "object");
	struct sobject *of = name ? schema_find(name, strlen(name)) : NULL;
	bool done = false;
	char stamp[30];

	if (!of)
		return bad(call, "unknown object");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const char *field = json_in_text(in, changes[i]);

		if (!field)
			continue;
		if (!schema_drift(of, field, changes[i], json_in_text(in, "type")))
			return bad(call, "unknown field or type");
		done = true;
	}
	if (!done)
		return bad(call, "give hide, show, readonly, writeable or retype with type");
	stamp_format_http(schema_modified_s(), stamp);
	text_printf(&call->out, "{\"last_modified\":\"%s\"}", stamp);
}

static void add_fault(struct call *call, struct json_object *in)
{
	const char *why = "";

	if (!faults_add(in, &why))
		return bad(call, why);
	faults_write(&call->out);
}

static void clear_faults(struct call *call)
{
	faults_clear();
	faults_write(&call->out);
}

static void write_faults(struct call *call)
{
	faults_write(&call->out);
}

static void write_pending(struct call *call)
{
	pending_write(&call->out);
}

static void clear_pending(struct call *call)
{
	pending_clear();
	pending_write(&call->out);
}

static void write_counters(struct call *call)
{
	counters_write(&call->out);
}

static void reset_counters(struct call *call, struct json_object *in)
{
	(void)in;
	counters_reset();
	text_word(&call->out, "{\"ok\":true}");
}

static void write_writes(struct call *call)
{
	write_log_write_counts(&call->out);
}

static void write_write_log(struct call *call)
{
	write_log_write(&call->out);
}

static void reset_writes(struct call *call, struct json_object *in)
{
	(void)in;
	write_log_reset();
	text_word(&call->out, "{\"ok\":true}");
}

static const struct {
	const char *path;
	void (*run)(struct call *call, struct json_object *in);
} posts[] = {
	{ "edit", admin_edit },
	{ "create", admin_create },
	{ "delete", admin_delete },
	{ "undelete", admin_undelete },
	{ "purge", admin_purge },
	{ "merge", admin_merge },
	{ "convert", admin_convert },
	{ "random", admin_random },
	{ "clock", move_clock },
	{ "sessions/expire", admin_expire_sessions },
	{ "sessions/timeout", admin_set_session_timeout },
	{ "revoke", admin_revoke },
	{ "oauth", admin_set_oauth },
	{ "limits", set_limits },
	{ "locators/expire", expire_locators },
	{ "instance", admin_move_instance },
	{ "rules", admin_set_rules },
	{ "validations", admin_add_validation },
	{ "flows", admin_add_flow },
	{ "denials", admin_add_denial },
	{ "pages", set_pages },
	{ "schema", drift },
	{ "faults", add_fault },
	{ "counters/reset", reset_counters },
	{ "writes/reset", reset_writes },
};

static const struct {
	enum verb verb;
	const char *path;
	void (*run)(struct call *call);
} others[] = {
	{ VERB_GET, "clock", write_clock },
	{ VERB_GET, "limits", write_limits },
	{ VERB_GET, "faults", write_faults },
	{ VERB_DELETE, "faults", clear_faults },
	{ VERB_GET, "pending", write_pending },
	{ VERB_DELETE, "pending", clear_pending },
	{ VERB_GET, "counters", write_counters },
	{ VERB_GET, "writes", write_writes },
	{ VERB_GET, "writes/log", write_write_log },
	{ VERB_GET, "sessions", admin_write_sessions },
	{ VERB_GET, "grants", admin_write_grants },
	{ VERB_GET, "token_log", admin_write_token_log },
	{ VERB_GET, "oauth", admin_write_oauth },
	{ VERB_GET, "validations", admin_write_validations },
	{ VERB_DELETE, "validations", admin_clear_validations },
	{ VERB_GET, "flows", admin_write_flows },
	{ VERB_DELETE, "flows", admin_clear_flows },
	{ VERB_GET, "denials", admin_write_denials },
	{ VERB_DELETE, "denials", admin_clear_denials },
};

static void post(struct call *call, const char *path)
{
	struct json_object *in;

	if (!call->body_length) {
		call->body = "{}";
		call->body_length = 2;
	}
	in = call_json(call);
	if (!in)
		return;
	for (size_t i = 0; i < sizeof(posts) / sizeof(posts[0]); i++) {
		if (strcmp(posts[i].path, path) == 0) {
			posts[i].run(call, in);
			json_object_put(in);
			return;
		}
	}
	json_object_put(in);
	call_not_found(call);
}

void admin_answer(struct call *call)
{
	const char *path = strstr(call->path, "/_emulator");

	path += strlen("/_emulator");
	path += *path == '/';
	if (call->verb == VERB_POST) {
		post(call, path);
		return;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].verb == call->verb && strcmp(others[i].path, path) == 0) {
			others[i].run(call);
			return;
		}
	}
	call_not_found(call);
}
