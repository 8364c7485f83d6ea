/* changes.c */
#include "changes.h"

#include <sqlite3.h>
#include <stdio.h>

#include "call.h"
#include "clock.h"
#include "schema.h"
#include "stamp.h"
#include "store.h"

#define UPDATED_DAYS 30
#define DELETED_DAYS 15
#define IDS_MAX      600000

struct span {
	const struct sobject *of;
	int64_t start_s, end_s, covered_s;
};

static bool bad_date(struct call *call, const char *why)
{
	call_error(call, 400, "INVALID_REPLICATION_DATE", why);
	return false;
}

static bool read_span(struct call *call, int days, struct span *out)
{
	const char *start = call_param(call, "start"), *end = call_param(call, "end");
	int64_t now_s = clock_now_s();

	out->of = schema_find(call->parts[4], strlen(call->parts[4]));
	if (!out->of) {
		call_not_found(call);
		return false;
	}
	if (!(out->of->flags & SOBJECT_REPLICATEABLE)) {
		call_error(call, 400, "INVALID_TYPE", "the entity type is not replicable");
		return false;
	}
	if (!start || !end || !stamp_parse(start, strlen(start), &out->start_s) ||
	    !stamp_parse(end, strlen(end), &out->end_s))
		return bad_date(call, "start and end must be valid dateTime values");
	out->start_s -= out->start_s % 60;
	out->end_s -= out->end_s % 60;
	if (out->end_s - out->start_s < 60)
		return bad_date(call, "endDate must be at least one minute greater than startDate");
	if (out->start_s < now_s - days * (int64_t)STAMP_DAY_S)
		return bad_date(call, days == UPDATED_DAYS
					      ? "startDate cannot be more than 30 days ago"
					      : "startDate before org replication enabled date");
	out->covered_s = out->end_s < now_s ? out->end_s : now_s - now_s % 60;
	return true;
}

static bool is_too_many(struct call *call, int count)
{
	if (count <= IDS_MAX)
		return false;
	call_error(call, 400, "EXCEEDED_ID_LIMIT", "Exceeded max number of ids: 600000");
	return true;
}

void changes_updated(struct call *call)
{
	sqlite3_stmt *read;
	struct span span;
	char text[200];
	int count = 0;

	if (!read_span(call, UPDATED_DAYS, &span))
		return;
	snprintf(text, sizeof(text),
		 "SELECT Id FROM \"%s\" WHERE SystemModstamp >= ? AND SystemModstamp < ?%s",
		 span.of->name, span.of->flags & SOBJECT_DELETABLE ? " AND IsDeleted = 0" : "");
	read = store_prepare(text);
	sqlite3_bind_int64(read, 1, span.start_s);
	sqlite3_bind_int64(read, 2, span.end_s);
	text_word(&call->out, "{\"ids\":[");
	while (sqlite3_step(read) == SQLITE_ROW)
		text_printf(&call->out, "%s\"%s\"", count++ ? "," : "",
			    sqlite3_column_text(read, 0));
	sqlite3_finalize(read);
	stamp_format(span.covered_s, text);
	text_printf(&call->out, "],\"latestDateCovered\":\"%s\"}", text);
	is_too_many(call, count);
}

void changes_deleted(struct call *call)
{
	sqlite3_stmt *read;
	struct span span;
	char text[29];
	int count = 0;

	if (!read_span(call, DELETED_DAYS, &span))
		return;
	read = store_prepare("SELECT id, at FROM _deleted WHERE object = ? AND at >= ? AND at < ? "
			     "ORDER BY at");
	sqlite3_bind_text(read, 1, span.of->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(read, 2, span.start_s);
	sqlite3_bind_int64(read, 3, span.end_s);
	text_word(&call->out, "{\"deletedRecords\":[");
	while (sqlite3_step(read) == SQLITE_ROW) {
		stamp_format(sqlite3_column_int64(read, 1), text);
		text_printf(&call->out, "%s{\"deletedDate\":\"%s\",\"id\":\"%s\"}",
			    count++ ? "," : "", text, sqlite3_column_text(read, 0));
	}
	sqlite3_finalize(read);
	stamp_format(clock_now_s() - DELETED_DAYS * (int64_t)STAMP_DAY_S, text);
	text_printf(&call->out, "],\"earliestDateAvailable\":\"%s\"", text);
	stamp_format(span.covered_s, text);
	text_printf(&call->out, ",\"latestDateCovered\":\"%s\"}", text);
	is_too_many(call, count);
}
