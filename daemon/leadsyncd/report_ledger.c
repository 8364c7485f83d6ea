/* report_ledger.c - lines of the ledger: rejects, conflicts, what owes the remote something. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "report.h"
#include "report_add.h"
#include "store/store.h"

#define ELLIPSIS "…"

/* A listing tells what a value is about, not a whole text area; JSON takes UTF-8 alone, and a
 * database holds what it was given. */
static void add_value(struct json_object *to, const char *name, const struct value *value)
{
	CLEANUP_FREE char *cut = NULL;
	const char *end = value->len > REPORT_VALUE_MOST ? ELLIPSIS : "";

	if (value_is_null(value)) {
		report_add_text(to, name, NULL);
		return;
	}
	if (!*end && str_is_utf8(value->text, value->len)) {
		json_object_object_add(to, name,
				       json_object_new_string_len(value->text, (int)value->len));
		return;
	}
	cut = mem_zeroed(REPORT_VALUE_MOST + sizeof(ELLIPSIS), 1);
	str_copy_printable(cut, REPORT_VALUE_MOST + 1, value->text, value->len);
	strcat(cut, end);
	report_add_text(to, name, cut);
}

static void add_flag(struct json_object *to, const char *name, bool flag)
{
	json_object_object_add(to, name, json_object_new_boolean(flag));
}

/* Whom a line is about; a due has "" for none. */
static void add_pair(struct json_object *to, const char *record_id, const struct value *key)
{
	report_add_text(to, "record_id", record_id && *record_id ? record_id : NULL);
	add_value(to, "key", key);
}

struct json_object *report_reject(const struct store_reject_line *line)
{
	const struct store_reject *reject = &line->reject;
	struct json_object *out = json_object_new_object();

	report_add_text(out, "job", line->job);
	report_add_text(out, "direction", reject->direction == TOLD_UP ? "up" : "down");
	add_pair(out, reject->remote_id, &reject->key);
	report_add_text(out, "table", line->table);
	report_add_text(out, "code", reject->code);
	report_add_text(out, "field", reject->field);
	add_flag(out, "field_only", reject->field_only);
	report_add_text(out, "text", reject->text);
	report_add_text(out, "remedy", reject->remedy);
	report_add_text(out, "run", reject->run);
	report_add_time(out, "at", reject->at_ms);
	add_flag(out, "ignored", reject->ignored);
	return out;
}

struct json_object *report_conflict(const struct store_conflict_line *line)
{
	const struct store_conflict *conflict = &line->conflict;
	struct json_object *out = json_object_new_object();

	report_add_text(out, "job", line->job);
	report_add_int(out, "number", line->number);
	report_add_text(out, "state", line->state);
	report_add_text(out, "kind", conflict->kind);
	add_pair(out, conflict->remote_id, &conflict->key);
	report_add_text(out, "field", conflict->field);
	add_value(out, "local", &conflict->local);
	report_add_time(out, "local_edited", conflict->local_ms);
	add_value(out, "remote", &conflict->remote);
	report_add_time(out, "remote_edited", conflict->remote_ms);
	report_add_text(out, "winner",
			conflict->winner && *conflict->winner ? conflict->winner : NULL);
	report_add_text(out, "reason", conflict->reason);
	report_add_text(out, "run", conflict->run);
	report_add_time(out, "at", conflict->at_ms);
	return out;
}

struct json_object *report_due(const struct store_due_line *line)
{
	const struct due *due = &line->due;
	struct json_object *out = json_object_new_object();

	report_add_text(out, "job", line->job);
	report_add_int(out, "number", due->number);
	report_add_text(out, "state", line->state);
	add_pair(out, due->remote_id, &due->key);
	report_add_time(out, "since", due->since_ms);
	report_add_time(out, "edited", due->edited_ms);
	report_add_time(out, "not_before", due->not_before_ms);
	report_add_int(out, "tries", due->tries);
	return out;
}
