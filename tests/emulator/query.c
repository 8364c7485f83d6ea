/* query.c - in order: locators, a page, the endpoints, reading one record. */
#include "query.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "call.h"
#include "clock.h"
#include "mem.h"
#include "plan.h"
#include "problem.h"
#include "query_columns.h"
#include "schema.h"
#include "session.h"
#include "sfid.h"
#include "soql.h"
#include "stamp.h"
#include "store.h"

#define PAGE_DEFAULT   2000
#define PAGE_MIN       200
#define PAGE_BYTES_MAX (8 << 20) /* wide rows make smaller pages */
#define LOCATOR_LIFE_S (2 * (int64_t)STAMP_DAY_S)

struct locator {
	char id[SFID_SIZE];
	char user[SFID_SIZE];
	struct plan *plan; /* owned */
	uint32_t *rows;    /* owned */
	size_t count;
	int64_t made_s;
	struct locator *next;
};

static struct locator *locators;
static int64_t locator_number = 9000;
static size_t page_max;

void query_set_page_max(size_t rows)
{
	page_max = rows;
}

static void free_locator(struct locator *in)
{
	plan_free(in->plan);
	free(in->rows);
	free(in);
}

static void drop_locators(int64_t made_before_s)
{
	struct locator **at = &locators;

	while (*at) {
		struct locator *one = *at;

		if (one->made_s < made_before_s) {
			*at = one->next;
			free_locator(one);
		} else {
			at = &one->next;
		}
	}
}

void query_expire_locators(void)
{
	drop_locators(INT64_MAX);
}

/* batchSize is a hint, kept between 200 and 2,000. */
static size_t page_size(const struct call *call)
{
	const char *options = call_header(call, "Sforce-Query-Options");
	const char *asked = options ? strcasestr(options, "batchSize=") : NULL;
	size_t out = PAGE_DEFAULT;

	if (asked) {
		long number = strtol(asked + strlen("batchSize="), NULL, 10);

		out = number < PAGE_MIN       ? PAGE_MIN
		      : number > PAGE_DEFAULT ? PAGE_DEFAULT
					      : (size_t)number;
	}
	return page_max && page_max < out ? page_max : out;
}

static void collect_rows(struct locator *in)
{
	size_t room = 0;

	while (sqlite3_step(in->plan->list) == SQLITE_ROW) {
		if (in->count == room) {
			room = room ? room * 2 : 64;
			in->rows = mem_grow(in->rows, room * sizeof(*in->rows));
		}
		in->rows[in->count++] = (uint32_t)sqlite3_column_int64(in->plan->list, 0);
	}
	sqlite3_reset(in->plan->list);
}

static size_t write_records(struct call *call, struct locator *in, size_t from, size_t until,
			    struct text *out)
{
	size_t written = 0, at = from;

	text_word(out, "\"records\":[");
	store_begin(); /* one look at the file for the whole page */
	while (at < until && out->used < PAGE_BYTES_MAX) {
		size_t start = out->used;

		if (written)
			text_char(out, ',');
		if (plan_write(in->plan, in->rows[at], call->version, out))
			written++;
		else
			out->used = start;
		at++;
	}
	store_commit();
	text_char(out, ']');
	return at;
}

static bool write_page(struct call *call, struct locator *in, size_t from)
{
	size_t size = page_size(call);
	size_t until = in->count - from > size ? from + size : in->count;
	struct text records = { 0 };
	size_t reached = write_records(call, in, from, until, &records);
	bool done = reached == in->count;

	text_printf(&call->out, "{\"totalSize\":%zu,\"done\":%s,", in->count,
		    done ? "true" : "false");
	if (!done)
		text_printf(&call->out, "\"nextRecordsUrl\":\"/services/data/%s/query/%s-%zu\",",
			    call->version, in->id, reached);
	text_add(&call->out, records.at, records.used);
	text_char(&call->out, '}');
	text_free(&records);
	return done;
}

static void run_rows(struct call *call, struct plan *plan)
{
	struct locator *made = mem_new(sizeof(*made));

	made->plan = plan;
	made->made_s = clock_now_s();
	sfid_make("0r8", locator_number++, made->id);
	memcpy(made->user, call->session->user, sizeof(made->user));
	collect_rows(made);
	if (write_page(call, made, 0)) {
		free_locator(made);
		return;
	}
	drop_locators(clock_now_s() - LOCATOR_LIFE_S);
	made->next = locators;
	locators = made;
}

static void run_count(struct call *call, struct plan *plan)
{
	int64_t count = 0;

	if (sqlite3_step(plan->list) == SQLITE_ROW)
		count = sqlite3_column_int64(plan->list, 0);
	text_printf(&call->out, "{\"totalSize\":%lld,\"done\":true,\"records\":[]}",
		    (long long)count);
	plan_free(plan);
}

static void run_aggregate(struct call *call, struct plan *plan)
{
	text_word(&call->out, "{\"totalSize\":1,\"done\":true,\"records\":[");
	plan_write_aggregate(plan, &call->out);
	text_word(&call->out, "]}");
	plan_free(plan);
}

void query_run(struct call *call)
{
	const char *source = call_param(call, "q");
	const char *columns = call_param(call, "columns");
	struct problem err = { 0 };
	struct soql query;
	struct plan *plan;

	if (!source) {
		call_error(call, 400, "MALFORMED_QUERY", "A query string has to be specified");
		return;
	}
	if (!soql_parse(source, &query, &err)) {
		call_fail(call, &err);
		return;
	}
	plan = plan_new(&query, call->kind == KIND_QUERY_ALL, &err);
	if (!plan) {
		call_fail(call, &err);
	} else if (columns && strcasecmp(columns, "true") == 0) {
		query_columns_write(plan, &call->out);
		plan_free(plan);
	} else {
		switch (plan->kind) {
		case PLAN_ROWS: run_rows(call, plan); break;
		case PLAN_COUNT: run_count(call, plan); break;
		case PLAN_AGGREGATE: run_aggregate(call, plan); break;
		}
	}
	soql_free(&query);
}

void query_more(struct call *call, const char *text)
{
	const char *dash = strrchr(text, '-');
	char *end = NULL;
	size_t from = dash ? strtoul(dash + 1, &end, 10) : 0;

	drop_locators(clock_now_s() - LOCATOR_LIFE_S);
	for (struct locator *at = locators; at && dash; at = at->next) {
		if ((size_t)(dash - text) != strlen(at->id) ||
		    strncmp(at->id, text, strlen(at->id)) != 0 ||
		    strcmp(at->user, call->session->user) != 0 || !dash[1] || *end ||
		    from >= at->count)
			continue;
		write_page(call, at, from);
		return;
	}
	call_error(call, 400, "INVALID_QUERY_LOCATOR", "invalid query locator");
}

static bool add_fields(struct text *soql, const struct sobject *of, const char *fields,
		       struct problem *err)
{
	const char *comma = "";

	for (size_t i = 0; !fields && i < of->count; i++) {
		if (of->fields[i].hidden)
			continue;
		text_printf(soql, "%s%s", comma, of->fields[i].name);
		comma = ",";
	}
	while (fields && *fields) {
		size_t length = strcspn(fields, ",");

		if (length && !schema_field(of, fields, length) && !memchr(fields, '.', length))
			return problem_set(err, 400, "INVALID_FIELD",
					   "No such column '%.*s' on sobject of type %s",
					   (int)(length > 80 ? 80 : length), fields, of->name);
		if (length)
			text_printf(soql, "%s%.*s", comma, (int)length, fields);
		if (length)
			comma = ",";
		fields += length + (fields[length] == ',');
	}
	return true;
}

struct plan *query_plan(const struct sobject *of, const char *fields, struct problem *err)
{
	struct text source = { 0 };
	struct soql query;
	struct plan *plan = NULL;

	text_word(&source, "SELECT ");
	if (add_fields(&source, of, fields, err)) {
		text_printf(&source, " FROM %s", of->name);
		if (soql_parse(text_done(&source), &query, err)) {
			plan = plan_new(&query, false, err);
			soql_free(&query);
		}
	}
	text_free(&source);
	return plan;
}

void query_read(struct call *call, const struct sobject *of, const char *id, const char *fields)
{
	struct problem err = { 0 };
	struct plan *plan = query_plan(of, fields, &err);

	if (!plan)
		call_fail(call, &err);
	else if (!plan_write(plan, store_row(of, id), call->version, &call->out))
		call_not_found(call);
	plan_free(plan);
}
