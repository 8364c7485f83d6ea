/* What operators ask of the ledger: retry, ignore, resolve, detach; and its listings. */
#include "bench.h"

#define ONE "003000000000001AAA"
#define TWO "003000000000002AAA"

static int64_t follow(struct bench *in, struct store_order order)
{
	int64_t count = -1;

	order.job = order.job ? order.job : "contacts";
	order.instance = "ours";
	order.now_ms = 77;
	must(in, in->store->ops->order(in->store, &order, &count, &in->err), "order");
	return count;
}

static void put_reject(struct bench *in, struct store_reject reject)
{
	reject.code = "CODE";
	reject.text = "t";
	reject.remedy = "r";
	reject.run = "1";
	reject.at_ms = 10;
	begin(in);
	DO(in, reject, &reject);
	commit(in);
}

static void some_rejects(struct bench *in)
{
	must_prepare(in);
	put_reject(in, (struct store_reject){ .direction = TOLD_DOWN, .remote_id = ONE });
	put_reject(in, (struct store_reject){ .direction = TOLD_UP, .remote_id = ONE });
	put_reject(in, (struct store_reject){ .direction = TOLD_UP,
					      .remote_id = TWO,
					      .field = "Score__c",
					      .field_only = true });
	put_reject(in, (struct store_reject){ .direction = TOLD_UP, .key = { "4", 1 } });
}

#define REJECTS "SELECT count(*) FROM leadsync_rejects"
#define WAITING                                                                                    \
	"SELECT coalesce(group_concat(coalesce(remote_id, key)), '') FROM (SELECT * FROM"          \
	" leadsync_due WHERE state = 'waiting' ORDER BY remote_id IS NULL, remote_id)"

static void retry_all(void **state)
{
	struct bench *in = *state;

	some_rejects(in);
	assert_string_equal(ask(in, WAITING), "");
	assert_int_equal(follow(in, (struct store_order){ .act = STORE_RETRY }), 4);
	assert_string_equal(ask(in, REJECTS), "0");
	assert_string_equal(ask(in, WAITING), ONE "," TWO ",4");
	assert_int_equal(follow(in, (struct store_order){ .act = STORE_RETRY }), 0);
}

static void retry_some(void **state)
{
	static const struct {
		const char *id, *field;
		int64_t count;
		const char *waiting;
	} rows[] = {
		{ ONE, NULL, 2, ONE },
		{ "003000000000001", NULL, 2, ONE },
		{ "003000000000001aaa", NULL, 0, "" },
		{ "4", NULL, 1, "4" },
		{ "2", NULL, 1, TWO }, /* by the pair's row */
		{ "5", NULL, 0, "" },
		{ NULL, "score__c", 1, TWO },
		{ ONE, "Score__c", 0, "" },
	};
	struct bench *in = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t count;

		some_rejects(in);
		link_row(in, TWO, "2");
		count = follow(in, (struct store_order){ .act = STORE_RETRY,
							 .id = rows[i].id,
							 .field = rows[i].field });
		if (count != rows[i].count || strcmp(ask(in, WAITING), rows[i].waiting) != 0)
			fail_msg("%zu: %lld %s", i, (long long)count, ask(in, WAITING));
		sql(in, "DELETE FROM leadsync_rejects; DELETE FROM leadsync_due");
	}
}

static size_t listed(struct bench *in, const struct store_listing *what,
		     struct store_reject_line **lines)
{
	size_t count;

	must(in, in->store->ops->list_rejects(in->store, what, in->arena, lines, &count, &in->err),
	     "list");
	return count;
}

static void ignore_some(void **state)
{
	struct store_listing listing = { .limit = 10 };
	struct bench *in = *state;
	struct store_reject_line *lines;
	struct store_summary summary;

	some_rejects(in);
	assert_int_equal(listed(in, &listing, &lines), 4);
	assert_string_equal(lines[0].reject.key.text, "4");
	assert_string_equal(lines[0].table, "contact");
	assert_true(lines[1].reject.field_only);
	assert_string_equal(lines[1].reject.field, "Score__c");
	assert_int_equal(follow(in, (struct store_order){ .act = STORE_IGNORE, .id = ONE }), 2);
	assert_int_equal(follow(in, (struct store_order){ .act = STORE_IGNORE, .id = ONE }), 0);
	assert_int_equal(listed(in, &listing, &lines), 2);
	must(in, in->store->ops->summary(in->store, "contacts", &summary, &in->err), "summary");
	assert_int_equal(summary.rejects, 2);
	assert_int_equal(summary.rejected, 2);
	assert_string_equal(
		ask(in, "SELECT group_concat(direction || coalesce(remote_id, key) || field_only ||"
			" at || ignored) FROM leadsync_v_rejects WHERE remote_id IS NOT '" ONE "'"),
		"up" TWO "11970-01-01T00:00:00.010Z0,up401970-01-01T00:00:00.010Z0");
	listing.all = true;
	assert_int_equal(listed(in, &listing, &lines), 4);
	listing.limit = 1;
	assert_int_equal(listed(in, &listing, &lines), 1);
	listing.job = "others";
	assert_int_equal(listed(in, &listing, &lines), 0);
	assert_string_equal(ask(in, WAITING), ""); /* and still not sent */
}

static void hold_two_fields(struct bench *in)
{
	static struct link_field fields[] = {
		{ .base = { true, { "a", 1 }, { "b", 1 } }, .hold = FIELD_HELD_MANUAL },
		{ .base = { true, { "a", 1 }, { "b", 1 } }, .hold = FIELD_HELD_FLAP },
		{ .base = { true, { "1", 1 }, { "1", 1 } } },
	};
	struct store_write write = { .remote_id = ONE,
				     .puts_link = true,
				     .link = { .key = { "4", 1 }, .fields = fields } };
	struct store_conflict conflict = { .remote_id = ONE,
					   .field = "LastName",
					   .kind = "both-changed",
					   .winner = "",
					   .reason = "r",
					   .run = "1" };

	must_prepare(in);
	begin(in);
	DO(in, write, &write, 1, in->arena);
	DO(in, conflict, &conflict);
	commit(in);
}

static const struct link_field *fields_of(struct bench *in, const char *id)
{
	struct link link;

	DO(in, links, &id, 1, in->arena, &link);
	DO(in, fields, &id, 1, in->arena, &link);
	return link.fields;
}

static void resolve_a_field(void **state)
{
	struct bench *in = *state;
	struct store_order order = {
		.act = STORE_RESOLVE, .id = ONE, .field = "lastname", .winner = TOLD_LOCAL
	};
	const struct link_field *fields;

	hold_two_fields(in);
	assert_int_equal(follow(in, order), 1);
	assert_string_equal(ask(in,
				"SELECT job || remote_id || key || state FROM leadsync_v_links"),
			    "contacts" ONE "4live");
	fields = fields_of(in, ONE);
	assert_int_equal(fields[0].choice, LINK_CHOICE_LOCAL);
	assert_int_equal(fields[0].hold, FIELD_HELD_MANUAL);
	assert_int_equal(fields[1].choice, LINK_CHOICE_NONE);
	assert_true(value_equal(&fields[0].base.theirs, &(struct value){ "b", 1 }));
	assert_string_equal(ask(in, WAITING), ONE);
	assert_string_equal(ask(in, "SELECT state FROM leadsync_conflicts"), "resolved");
	order.winner = TOLD_REMOTE;
	order.field = NULL;
	order.id = "4"; /* the row's key */
	assert_int_equal(follow(in, order), 2);
	fields = fields_of(in, ONE);
	assert_int_equal(fields[0].choice, LINK_CHOICE_REMOTE);
	assert_int_equal(fields[1].choice, LINK_CHOICE_REMOTE);
	assert_int_equal(fields[2].choice, LINK_CHOICE_NONE);
}

static void resolve_nothing(void **state)
{
	struct bench *in = *state;
	struct store_order order = { .act = STORE_RESOLVE, .winner = TOLD_LOCAL };
	static const char *const ids[] = { NULL, TWO, "5" };

	hold_two_fields(in);
	for (size_t i = 0; i < 3; i++) {
		order.id = ids[i];
		assert_int_equal(follow(in, order), 0);
	}
	order.id = ONE;
	order.field = "Active__c"; /* which nobody holds */
	assert_int_equal(follow(in, order), 0);
	order.field = "Nothing";
	assert_int_equal(follow(in, order), 0);
	order.job = "others";
	order.field = NULL;
	assert_int_equal(follow(in, order), 0);
	assert_string_equal(ask(in, WAITING), "");
	assert_string_equal(ask(in, "SELECT state FROM leadsync_conflicts"), "open");
}

static void resolve_a_row(void **state)
{
	struct bench *in = *state;
	struct store_order order = { .act = STORE_RESOLVE,
				     .id = "4",
				     .record_id = "003000000000002" };
	struct store_conflict conflict = { .key = { "4", 1 },
					   .kind = "several-matches",
					   .winner = "",
					   .reason = "r",
					   .run = "1" };
	struct due due = { .state = DUE_HELD, .key = { "4", 1 }, .since_ms = 5 };
	int64_t count;

	must_prepare(in);
	begin(in);
	DO(in, put_due, &due, false);
	DO(in, conflict, &conflict);
	commit(in);
	assert_int_equal(follow(in, order), 1);
	begin(in);
	DO(in, find_row_due, &due.key, &due);
	assert_int_equal(due.state, DUE_WAITING);
	assert_string_equal(due.chosen, TWO);
	DO(in, put_due, &(struct due){ .key = { "4", 1 } }, true); /* an edit forgets nothing */
	DO(in, find_row_due, &due.key, &due);
	assert_string_equal(due.chosen, TWO);
	commit(in);
	assert_string_equal(ask(in, "SELECT state FROM leadsync_conflicts"), "resolved");
	order.id = "5";
	assert_int_equal(follow(in, order), 0);
	order.record_id = "nobody";
	order.job = "contacts";
	order.instance = "ours";
	assert_false(in->store->ops->order(in->store, &order, &count, &in->err));
	assert_string_equal(in->err.code, "bad-id");
}

static void another_ones_ledger_is_left_alone(void **state)
{
	struct store_order order = { .act = STORE_RETRY, .instance = "theirs", .job = "contacts" };
	struct bench *in = *state;
	int64_t count;

	must_prepare(in);
	assert_false(in->store->ops->order(in->store, &order, &count, &in->err));
	assert_string_equal(in->err.code, "other-instance");
	assert_false(in->store->ops->detach(in->store, "theirs", "contacts", &in->err));
	assert_int_equal(in->err.kind, ERROR_STATE);
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_cursor"), "1");
}

static void nothing_before_the_first_run(void **state)
{
	struct store_listing listing = { .limit = 10 };
	struct store_order order = { .act = STORE_RETRY, .instance = "ours", .job = "contacts" };
	struct bench *in = *state;
	struct store_reject_line *lines;
	struct store_conflict_line *conflicts;
	struct store_due_line *dues;
	size_t count;
	int64_t done;

	in->store = sqlite_store_open(in->path, &in->err);
	assert_int_equal(listed(in, &listing, &lines), 0);
	must(in,
	     in->store->ops->list_conflicts(in->store, &listing, in->arena, &conflicts, &count,
					    &in->err),
	     "list");
	assert_int_equal(count, 0);
	must(in, in->store->ops->list_dues(in->store, &listing, in->arena, &dues, &count, &in->err),
	     "list");
	assert_int_equal(count, 0);
	must(in, in->store->ops->order(in->store, &order, &done, &in->err), "order");
	assert_int_equal(done, 0);
	must(in, in->store->ops->detach(in->store, "ours", "contacts", &in->err), "detach");
}

static const char ledger_lines[] =
	"SELECT (SELECT count(*) FROM leadsync_cursor) || (SELECT count(*) FROM leadsync_link)"
	" || (SELECT count(*) FROM leadsync_due) || (SELECT count(*) FROM leadsync_journal)"
	" || (SELECT count(*) FROM leadsync_rejects) || (SELECT count(*) FROM leadsync_conflicts)"
	" || (SELECT count(*) FROM leadsync_changes) || (SELECT count(*) / 3 FROM leadsync_field)"
	" || (SELECT count(*) FROM leadsync_mark) || (SELECT count(*) FROM leadsync_capture)"
	" || (SELECT count(*) FROM leadsync_lineage) || (SELECT count(*) FROM leadsync_runs)"
	" || (SELECT count(*) FROM leadsync_tables)"
	" || (SELECT count(*) / 3 FROM sqlite_schema WHERE type = 'trigger')"
	" || (SELECT count(*) FROM sqlite_schema WHERE name LIKE 'leadsync_%_match')";

static void fill_a_job(struct bench *in, const char *name, const char *table)
{
	static const size_t by_name[] = { 0 };
	struct due due = { .remote_id = TWO };
	struct sent sent = { .operation = SENT_UPDATE, .remote_id = ONE, .run = "1" };
	struct store_change change = {
		.remote_id = ONE, .field = "LastName", .reason = "r", .run = "1"
	};
	struct store_run run = {
		.id = name, .job = name, .outcome = "done", .code = "", .text = ""
	};

	in->job.name = name;
	in->job.table = table;
	in->job.match = by_name;
	in->job.match_count = 1;
	hold_two_fields(in);
	put_reject(in, (struct store_reject){ .direction = TOLD_DOWN, .remote_id = ONE });
	begin(in);
	DO(in, put_due, &due, false);
	DO(in, put_sent, &sent);
	DO(in, change, &change);
	DO(in, lineage, ONE, TWO, "1", 1);
	DO(in, save_run, &run);
	commit(in);
}

static void detached(void **state)
{
	struct bench *in = *state;

	fill_a_job(in, "contacts", "contact");
	sql(in, "INSERT INTO contact (last_name) VALUES ('Ann')");
	fill_a_job(in, "others", "other");
	sql(in, "INSERT INTO other (last_name) VALUES ('Ann')");
	assert_string_equal(ask(in, ledger_lines), "222222222222222");
	in->store->ops->release(TAKE(in->session));
	for (int i = 0; i < 2; i++) { /* once more does nothing more */
		must(in, in->store->ops->detach(in->store, "ours", "contacts", &in->err), "detach");
		assert_string_equal(ask(in, ledger_lines), "111111111111111");
	}
	assert_string_equal(ask(in, "SELECT count(*) FROM contact"), "1");
	sql(in, "UPDATE contact SET last_name = 'x'"); /* nothing of ours is in the way */
	must_prepare(in);
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_mark"), "1");
	must(in, in->store->ops->detach(in->store, "ours", "nobody", &in->err), "detach");
}

/* A table that two jobs fill stays ours until the last of them goes. */
static void one_of_two_jobs(void **state)
{
	struct bench *in = *state;

	must_prepare(in);
	in->job.name = "others";
	must_prepare(in);
	in->store->ops->release(TAKE(in->session));
	must(in, in->store->ops->detach(in->store, "ours", "contacts", &in->err), "detach");
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_tables"), "1");
	must(in, in->store->ops->detach(in->store, "ours", "others", &in->err), "detach");
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_tables"), "0");
	assert_string_equal(ask(in, "SELECT count(*) FROM sqlite_schema WHERE name = 'contact'"),
			    "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(retry_all),
		ROW(retry_some),
		ROW(ignore_some),
		ROW(resolve_a_field),
		ROW(resolve_nothing),
		ROW(resolve_a_row),
		ROW(another_ones_ledger_is_left_alone),
		ROW(nothing_before_the_first_run),
		ROW(detached),
		ROW(one_of_two_jobs),
	};

	return cmocka_run_group_tests_name("orders", tests, NULL, NULL);
}
