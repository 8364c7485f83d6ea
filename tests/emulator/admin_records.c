/* admin_records.c - in order: arguments, single records, merge and conversion. */
#include "admin.h"

#include <stdio.h>

#include "call.h"
#include "clock.h"
#include "data.h"
#include "json_in.h"
#include "lifecycle.h"
#include "problem.h"
#include "records.h"
#include "schema.h"
#include "stamp.h"
#include "store.h"

/* What most of these calls are about. */
struct target {
	const struct sobject *of;
	char id[SFID_SIZE];
	const char *user;
};

static bool read_id(struct json_object *in, const char *name, char out[SFID_SIZE])
{
	const char *text = json_in_text(in, name);

	return text && sfid_parse(text, strlen(text), out);
}

static bool read_object(struct call *call, struct json_object *in, struct target *out)
{
	const char *name = json_in_text(in, "object"), *user = json_in_text(in, "user");

	out->of = name ? schema_find(name, strlen(name)) : NULL;
	out->user = user ? user : data_salesperson(0);
	if (out->of)
		return true;
	call_error(call, 400, "EMULATOR", "object is missing or unknown");
	return false;
}

static bool read_target(struct call *call, struct json_object *in, struct target *out)
{
	if (!read_object(call, in, out))
		return false;
	if (read_id(in, "id", out->id))
		return true;
	call_error(call, 400, "EMULATOR", "id is missing or malformed");
	return false;
}

static void finish(struct call *call, bool good, const struct problems *err, const char *id)
{
	if (good)
		text_printf(&call->out, "{\"ok\":true,\"id\":\"%s\"}", id);
	else
		call_fail_all(call, err);
}

/* A record committed late, or touched by the system alone. */
static bool force_stamp(struct json_object *in, const struct target *target, struct problems *err)
{
	const char *stamp = json_in_text(in, "stamp");
	int64_t at_s = clock_now_s();

	if (stamp && !stamp_parse(stamp, strlen(stamp), &at_s))
		return problem_add(err, "EMULATOR", NULL,
				   "stamp is no time such as "
				   "2026-01-02T03:04:05Z");
	if (stamp)
		records_touch(target->of, store_row(target->of, target->id), target->user, at_s,
			      false);
	return true;
}

static bool touch_system(struct json_object *in, const struct target *target, struct problems *err)
{
	const char *stamp = json_in_text(in, "stamp");
	int64_t at_s = clock_now_s(), row = records_find(target->of, target->id, err);

	if (!row)
		return false;
	if (stamp && !stamp_parse(stamp, strlen(stamp), &at_s))
		return problem_add(err, "EMULATOR", NULL, "stamp is no time");
	records_touch(target->of, row, target->user, at_s, true);
	return true;
}

void admin_edit(struct call *call, struct json_object *in)
{
	struct json_object *fields = NULL;
	struct problems err = { 0 };
	struct target target;
	struct saver saver;
	bool good;

	if (!read_target(call, in, &target))
		return;
	if (json_in_bool(in, "system")) {
		finish(call, touch_system(in, &target, &err), &err, target.id);
		return;
	}
	if (!json_object_object_get_ex(in, "fields", &fields) ||
	    !json_object_is_type(fields, json_type_object)) {
		call_error(call, 400, "EMULATOR", "fields is missing");
		return;
	}
	saver = saver_person(target.user);
	good = records_update(target.of, target.id, fields, &saver, &err) &&
	       force_stamp(in, &target, &err);
	finish(call, good, &err, target.id);
}

void admin_create(struct call *call, struct json_object *in)
{
	struct json_object *fields = NULL;
	struct problems err = { 0 };
	struct target target;
	struct saver saver;
	bool good;

	if (!read_object(call, in, &target))
		return;
	if (!json_object_object_get_ex(in, "fields", &fields) ||
	    !json_object_is_type(fields, json_type_object)) {
		call_error(call, 400, "EMULATOR", "fields is missing");
		return;
	}
	saver = saver_person(target.user);
	good = records_create(target.of, fields, &saver, target.id, &err) &&
	       force_stamp(in, &target, &err);
	finish(call, good, &err, target.id);
}

void admin_delete(struct call *call, struct json_object *in)
{
	struct problems err = { 0 };
	struct target target;
	struct saver saver;

	if (!read_target(call, in, &target))
		return;
	saver = saver_person(target.user);
	finish(call, records_delete(target.of, target.id, &saver, &err), &err, target.id);
}

void admin_undelete(struct call *call, struct json_object *in)
{
	struct problems err = { 0 };
	struct target target;

	if (read_target(call, in, &target))
		finish(call, lifecycle_undelete(target.of, target.id, target.user, &err), &err,
		       target.id);
}

void admin_purge(struct call *call, struct json_object *in)
{
	struct problems err = { 0 };
	struct target target;

	if (read_target(call, in, &target))
		finish(call, lifecycle_purge(target.of, target.id, &err), &err, target.id);
}

static bool merge_all(struct json_object *losers, const struct sobject *of, const char *winner,
		      const char *user, struct problems *err)
{
	for (size_t i = 0; i < json_object_array_length(losers); i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(losers, i));
		char id[SFID_SIZE];

		if (!text || !sfid_parse(text, strlen(text), id))
			return problem_add(err, "EMULATOR", NULL, "a loser is no id");
		if (!lifecycle_merge(of, winner, id, user, err))
			return false;
	}
	return true;
}

void admin_merge(struct call *call, struct json_object *in)
{
	struct json_object *losers = NULL;
	const char *user = json_in_text(in, "user");
	struct problems err = { 0 };
	char winner[SFID_SIZE];
	const struct sobject *of = read_id(in, "winner", winner) ? schema_by_prefix(winner) : NULL;
	bool good;

	if (!of || !json_object_object_get_ex(in, "losers", &losers) ||
	    !json_object_is_type(losers, json_type_array)) {
		call_error(call, 400, "EMULATOR", "give winner, and losers as an array of ids");
		return;
	}
	store_begin();
	good = merge_all(losers, of, winner, user ? user : data_salesperson(0), &err);
	(good ? store_commit : store_undo)();
	finish(call, good, &err, winner);
}

void admin_convert(struct call *call, struct json_object *in)
{
	char lead[SFID_SIZE], account[SFID_SIZE], contact[SFID_SIZE];
	const char *user = json_in_text(in, "user");
	struct lifecycle_converted out;
	struct problems err = { 0 };
	bool good;
	struct lifecycle_conversion how = {
		.lead = read_id(in, "lead", lead) ? lead : NULL,
		.account = read_id(in, "account", account) ? account : NULL,
		.contact = read_id(in, "contact", contact) ? contact : NULL,
		.user = user ? user : data_salesperson(0),
		.with_opportunity = json_in_bool(in, "opportunity"),
	};

	if (!how.lead) {
		call_error(call, 400, "EMULATOR", "lead is missing or malformed");
		return;
	}
	store_begin();
	good = lifecycle_convert(&how, &out, &err);
	(good ? store_commit : store_undo)();
	if (!good)
		call_fail_all(call, &err);
	else
		text_printf(&call->out,
			    "{\"ok\":true,\"lead\":\"%s\",\"account\":\"%s\",\"contact\":\"%s\","
			    "\"opportunity\":%s%s%s}",
			    lead, out.account, out.contact, *out.opportunity ? "\"" : "",
			    *out.opportunity ? out.opportunity : "null",
			    *out.opportunity ? "\"" : "");
}
