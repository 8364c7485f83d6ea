/* What people are told: refusals, conflicts, values that were overwritten. */
#include "bench.h"

static struct store_reject refusal(const char *id, const char *key)
{
	return (struct store_reject){ .direction = TOLD_UP,
				      .remote_id = id,
				      .key = text(key),
				      .code = "CODE",
				      .field = "LastName",
				      .text = "t",
				      .remedy = "r",
				      .run = "1",
				      .at_ms = 10,
				      .payload = { { 5, 6 } } };
}

static void put_reject(struct bench *in, struct store_reject reject)
{
	begin(in);
	DO(in, reject, &reject);
	commit(in);
}

static size_t refusals(struct bench *in, const char *id, const char *key, struct store_reject **ret)
{
	struct value value = text(key);
	size_t count;

	begin(in);
	DO(in, refusals, id, &value, in->arena, ret, &count);
	commit(in);
	return count;
}

static void refusals_of_pairs_and_rows(void **state)
{
	struct bench *in = *state;
	struct store_reject down = refusal("A", NULL), field = refusal("A", NULL), *list;

	must_prepare(in);
	assert_int_equal(refusals(in, "A", NULL, &list), 0);
	put_reject(in, refusal("A", NULL));
	put_reject(in, refusal(NULL, "4"));
	down.direction = TOLD_DOWN;
	put_reject(in, down);
	field.field_only = true;
	put_reject(in, field);
	field.field = "Score__c";
	put_reject(in, field);
	assert_int_equal(refusals(in, "A", NULL, &list), 3);
	assert_int_equal(list[0].payload.half[1], 6);
	assert_int_equal(list[0].field_only + list[1].field_only + list[2].field_only, 2);
	assert_int_equal(refusals(in, NULL, "4", &list), 1);
	assert_string_equal(list[0].key.text, "4");
	assert_string_equal(list[0].code, "CODE");
	assert_null(list[0].remote_id);
	assert_int_equal(refusals(in, "B", NULL, &list), 0);
	assert_int_equal(refusals(in, NULL, "5", &list), 0);
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_rejects"), "5");
}

static void the_same_refusal_is_written_once(void **state)
{
	struct bench *in = *state;
	struct store_reject again = refusal("A", NULL), *list;
	const char *id = "A";

	must_prepare(in);
	put_reject(in, refusal("A", NULL));
	sql(in, "UPDATE leadsync_rejects SET ignored = 1");
	again.run = "2";
	again.direction = TOLD_DOWN;
	put_reject(in, again);
	begin(in);
	DO(in, reject, &again);
	assert_false(in->store->ops->has_written(in->session));
	DO(in, unreject, &id, 1);
	assert_true(in->store->ops->has_written(in->session));
	commit(in);
	again.direction = TOLD_UP;
	put_reject(in, again);
	assert_int_equal(refusals(in, "A", NULL, &list), 1);
	assert_string_equal(list[0].run, "1");
	assert_true(list[0].ignored);
	again.payload.half[0] = 9; /* something else was sent, and refused just so */
	put_reject(in, again);
	assert_int_equal(refusals(in, "A", NULL, &list), 1);
	assert_int_equal(list[0].payload.half[0], 9);
	assert_true(list[0].ignored);
	again.code = "OTHER";
	put_reject(in, again);
	assert_int_equal(refusals(in, "A", NULL, &list), 1);
	assert_false(list[0].ignored);
}

static struct due due_of(struct bench *in, const char *id)
{
	struct due due;

	begin(in);
	DO(in, find_dues, &id, 1, &due);
	commit(in);
	return due;
}

static void a_refused_pair_is_not_taken_again(void **state)
{
	struct bench *in = *state;
	struct due due = { .remote_id = "A", .edited_ms = 7, .since_ms = 5 };
	struct store_reject field = refusal("B", NULL);

	must_prepare(in);
	begin(in);
	DO(in, put_due, &due, false);
	commit(in);
	put_reject(in, refusal("A", NULL));
	assert_int_equal(due_of(in, "A").state, DUE_REJECTED);
	assert_int_equal(due_of(in, "A").edited_ms, 7);
	put_reject(in, refusal("C", NULL)); /* which was taken out when it was sent */
	assert_int_equal(due_of(in, "C").state, DUE_REJECTED);
	field.field_only = true;
	put_reject(in, field); /* the rest of the pair flows */
	assert_int_equal(due_of(in, "B").number, 0);
	begin(in);
	DO(in, put_due, &due, false);
	commit(in);
	assert_int_equal(due_of(in, "A").state, DUE_WAITING);
}

static void unrefused(void **state)
{
	struct bench *in = *state;
	struct store_reject field = refusal("B", NULL), down = refusal("D", NULL), *list;

	must_prepare(in);
	put_reject(in, refusal("A", NULL));
	put_reject(in, refusal("C", NULL));
	put_reject(in, refusal(NULL, "4"));
	field.field_only = true;
	put_reject(in, field);
	down.direction = TOLD_DOWN;
	put_reject(in, down);
	begin(in);
	DO(in, unrefuse, "A", &(struct value){ 0 }, NULL);
	commit(in);
	assert_int_equal(refusals(in, "A", NULL, &list), 0);
	assert_int_equal(due_of(in, "A").state, DUE_WAITING);
	assert_int_equal(due_of(in, "C").state, DUE_REJECTED);
	begin(in);
	DO(in, unrefuse_all);
	commit(in);
	assert_string_equal(ask(in, "SELECT group_concat(remote_id) FROM leadsync_rejects"), "D");
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_due WHERE state = 'waiting'"),
			    "4");
	assert_int_equal(due_of(in, "B").state, DUE_WAITING);
}

static void unrefused_in_part(void **state)
{
	struct bench *in = *state;
	struct store_reject name = refusal("B", NULL), score = name, whole = name, *list;
	bool set[8] = { true }; /* LastName, the first of the mapping */

	must_prepare(in);
	name.field = "LastName";
	score.field = "Score__c";
	name.field_only = score.field_only = true;
	put_reject(in, name);
	put_reject(in, score);
	put_reject(in, whole);
	assert_int_equal(refusals(in, "B", NULL, &list), 3);
	begin(in);
	DO(in, unrefuse, "B", NULL, set);
	commit(in);
	assert_int_equal(refusals(in, "B", NULL, &list), 1);
	assert_string_equal(list[0].field, "Score__c");
	assert_int_equal(due_of(in, "B").state, DUE_WAITING);
}

static struct store_conflict contest(const char *local, int64_t sent)
{
	return (struct store_conflict){ .remote_id = "A",
					.key = { "4", 1 },
					.field = "LastName",
					.kind = "both-changed",
					.local = text(local),
					.remote = text("R"),
					.local_ms = 1,
					.remote_ms = 2,
					.winner = "local",
					.reason = "conflict-local",
					.run = "1",
					.at_ms = 10,
					.sent = sent };
}

static void put_conflict(struct bench *in, struct store_conflict conflict)
{
	begin(in);
	DO(in, conflict, &conflict);
	commit(in);
}

static int64_t send_one(struct bench *in)
{
	struct sent sent = { .operation = SENT_UPDATE, .remote_id = "A", .run = "1" };

	begin(in);
	DO(in, put_sent, &sent);
	commit(in);
	return sent.number;
}

static void end_one(struct bench *in, int64_t number, bool done)
{
	begin(in);
	DO(in, end_sent, number, done);
	commit(in);
}

#define CONFLICTS                                                                                  \
	"SELECT coalesce(group_concat(coalesce(local, '-') || ' ' || state, ', '), '') FROM"       \
	" (SELECT * FROM leadsync_conflicts ORDER BY number)"

static void a_contest_is_listed_once(void **state)
{
	struct bench *in = *state;
	int64_t sent;

	must_prepare(in);
	sent = send_one(in);
	put_conflict(in, contest("L", sent));
	assert_string_equal(ask(in, CONFLICTS), "L deciding");
	end_one(in, sent, false); /* did not arrive */
	sent = send_one(in);
	put_conflict(in, contest("L", sent));
	assert_string_equal(ask(in, CONFLICTS), "L deciding");
	end_one(in, sent, true);
	assert_string_equal(ask(in, CONFLICTS), "L decided");
	put_conflict(in, contest("L", 0)); /* a later one just like it */
	assert_string_equal(ask(in, CONFLICTS), "L decided, L decided");
	sent = send_one(in);
	put_conflict(in, contest("M", sent));
	end_one(in, sent, false);
	put_conflict(in, contest("N", 0)); /* M was never carried out */
	assert_string_equal(ask(in, CONFLICTS), "L decided, L decided, N decided");
}

static void what_a_person_must_say(void **state)
{
	struct bench *in = *state;
	struct store_conflict conflict = contest("L", 0), whole = contest(NULL, 0);
	struct store_listing listing = { .limit = 10 };
	struct store_summary summary;
	struct store_conflict_line *lines;
	size_t count;

	must_prepare(in);
	conflict.winner = whole.winner = "";
	whole.field = NULL;
	whole.kind = "several-matches";
	whole.remote_id = NULL;
	put_conflict(in, conflict);
	put_conflict(in, conflict);
	put_conflict(in, whole);
	put_conflict(in, whole);
	assert_string_equal(ask(in, CONFLICTS), "L open, - open");
	must(in, in->store->ops->summary(in->store, "contacts", &summary, &in->err), "summary");
	assert_int_equal(summary.conflicts, 2);
	must(in,
	     in->store->ops->list_conflicts(in->store, &listing, in->arena, &lines, &count,
					    &in->err),
	     "list");
	assert_int_equal(count, 2);
	assert_string_equal(lines[0].conflict.kind, "several-matches");
	assert_null(lines[0].conflict.field);
	assert_string_equal(lines[1].state, "open");
	assert_string_equal(lines[1].job, "contacts");
	assert_string_equal(lines[1].conflict.local.text, "L");
	assert_int_equal(lines[1].conflict.remote_ms, 2);
	begin(in);
	DO(in, close_conflict, "A", &(struct value){ "4", 1 }, NULL);
	commit(in);
	assert_string_equal(ask(in, CONFLICTS), "L open, - resolved");
	begin(in);
	DO(in, close_conflict, "A", &(struct value){ 0 }, "LastName");
	commit(in);
	assert_string_equal(ask(in, CONFLICTS), "L resolved, - resolved");
	must(in,
	     in->store->ops->list_conflicts(in->store, &listing, in->arena, &lines, &count,
					    &in->err),
	     "list");
	assert_int_equal(count, 0);
	listing.all = true;
	must(in,
	     in->store->ops->list_conflicts(in->store, &listing, in->arena, &lines, &count,
					    &in->err),
	     "list");
	assert_int_equal(count, 2);
}

/* An open one whose sides went on is not open twice. */
static void another_contest_of_the_field(void **state)
{
	struct bench *in = *state;
	struct store_conflict conflict = contest("L", 0);

	must_prepare(in);
	conflict.winner = "";
	put_conflict(in, conflict);
	conflict.local = text("M");
	put_conflict(in, conflict);
	assert_string_equal(ask(in, CONFLICTS), "L resolved, M open");
}

static void put_change(struct bench *in, const char *field, enum told_side side, int64_t at_ms,
		       int64_t sent)
{
	struct store_change change = { .remote_id = "A",
				       .key = { "4", 1 },
				       .field = field,
				       .side = side,
				       .before = text("a"),
				       .after = text(NULL),
				       .reason = "local-changed",
				       .run = "1",
				       .at_ms = at_ms,
				       .sent = sent };

	begin(in);
	DO(in, change, &change);
	commit(in);
}

static void changes_of_a_write(void **state)
{
	struct bench *in = *state;
	int64_t sent;

	must_prepare(in);
	put_change(in, "LastName", TOLD_LOCAL, 10, 0);
	sent = send_one(in);
	put_change(in, "Score__c", TOLD_REMOTE, 20, sent);
	assert_string_equal(
		ask(in, "SELECT group_concat(unanswered || field || before || at)"
			" FROM leadsync_v_changes"),
		"0LastNamea1970-01-01T00:00:00.010Z,1Score__ca1970-01-01T00:00:00.020Z");
	end_one(in, sent, false);
	assert_string_equal(ask(in, "SELECT group_concat(field) FROM leadsync_changes"),
			    "LastName");
	sent = send_one(in);
	put_change(in, "Score__c", TOLD_REMOTE, 20, sent);
	end_one(in, sent, true);
	assert_string_equal(ask(in, "SELECT group_concat(field || sent) FROM leadsync_changes"),
			    "LastName0,Score__c0");
}

static void recent_ones(void **state)
{
	struct bench *in = *state;
	struct store_recent *recent;
	size_t count;

	must_prepare(in);
	put_change(in, "LastName", TOLD_LOCAL, 10, 0);
	put_change(in, "LastName", TOLD_REMOTE, 20, 0);
	put_change(in, "Score__c", TOLD_LOCAL, 30, 0);
	begin(in);
	DO(in, recent, "A", 20, in->arena, &recent, &count);
	assert_int_equal(count, 2);
	assert_string_equal(recent[0].field, "Score__c");
	assert_int_equal(recent[1].side, TOLD_REMOTE);
	DO(in, recent, "B", 0, in->arena, &recent, &count);
	assert_int_equal(count, 0);
	commit(in);
	for (int i = 0; i < 600; i++)
		put_change(in, "LastName", TOLD_LOCAL, 40, 0);
	begin(in);
	DO(in, recent, "A", 0, in->arena, &recent, &count);
	assert_int_equal(count, 512);
	commit(in);
}

static void old_ones_are_forgotten(void **state)
{
	struct bench *in = *state;
	struct store_conflict open = contest("L", 0);
	int64_t sent;

	must_prepare(in);
	sent = send_one(in);
	put_change(in, "LastName", TOLD_LOCAL, 10, 0);
	put_change(in, "LastName", TOLD_LOCAL, 10, sent);
	put_change(in, "Score__c", TOLD_LOCAL, 30, 0);
	put_conflict(in, contest("D", 0));
	open.winner = "";
	put_conflict(in, open);
	begin(in);
	DO(in, forget_old, 10);
	assert_false(in->store->ops->has_written(in->session));
	DO(in, forget_old, 11);
	commit(in);
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_changes"), "2");
	assert_string_equal(ask(in, CONFLICTS), "L open");
	assert_string_equal(ask(in, "SELECT key || winner || coalesce(local_edited, '') FROM"
				    " leadsync_v_conflicts"),
			    "41970-01-01T00:00:00.001Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(refusals_of_pairs_and_rows),
		ROW(the_same_refusal_is_written_once),
		ROW(a_refused_pair_is_not_taken_again),
		ROW(unrefused),
		ROW(unrefused_in_part),
		ROW(a_contest_is_listed_once),
		ROW(what_a_person_must_say),
		ROW(another_contest_of_the_field),
		ROW(changes_of_a_write),
		ROW(recent_ones),
		ROW(old_ones_are_forgotten),
	};

	return cmocka_run_group_tests_name("told", tests, NULL, NULL);
}
