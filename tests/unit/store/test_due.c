/* What owes the remote something: in order, once, and without losing an edit. */
#include "bench.h"

static struct due of_pair(const char *id, int64_t edited_ms)
{
	struct due due = { .edited_ms = edited_ms, .since_ms = edited_ms };

	strcpy(due.remote_id, id);
	return due;
}

static struct due of_row(const char *key, int64_t edited_ms)
{
	return (struct due){ .key = text(key), .edited_ms = edited_ms, .since_ms = edited_ms };
}

static void put(struct bench *in, struct due due, bool anew)
{
	begin(in);
	DO(in, put_due, &due, anew);
	commit(in);
}

/* "A B" or "4 5". */
static const char *taken(struct bench *in, bool pairs, int64_t after, size_t most, int64_t now_ms)
{
	static char list[200];
	struct due *dues;
	size_t count;

	begin(in);
	DO(in, take_dues, pairs, after, most, now_ms, in->arena, &dues, &count);
	commit(in);
	*list = '\0';
	for (size_t i = 0; i < count; i++) {
		strcat(list, i ? " " : "");
		strcat(list, pairs ? dues[i].remote_id : dues[i].key.text);
		assert_int_equal(pairs, !dues[i].key.text);
		assert_int_equal(pairs, *dues[i].remote_id != '\0');
	}
	return list;
}

static struct due found(struct bench *in, const char *id)
{
	struct due due;

	begin(in);
	DO(in, find_dues, &id, 1, &due);
	commit(in);
	return due;
}

static struct due found_row(struct bench *in, const char *key)
{
	struct value value = text(key);
	struct due due;

	begin(in);
	DO(in, find_row_due, &value, &due);
	commit(in);
	return due;
}

static void in_the_order_they_came(void **state)
{
	struct bench *in = *state;
	int64_t first;

	must_prepare(in);
	assert_string_equal(taken(in, true, 0, 10, 0), "");
	put(in, of_pair("B", 10), false);
	put(in, of_row("7", 20), false);
	put(in, of_pair("A", 30), false);
	put(in, of_row("4", 40), false);
	put(in, of_pair("C", 50), false);
	assert_string_equal(taken(in, true, 0, 10, 0), "B A C");
	assert_string_equal(taken(in, false, 0, 10, 0), "7 4");
	assert_string_equal(taken(in, true, 0, 2, 0), "B A");
	first = found(in, "A").number;
	assert_string_equal(taken(in, true, first, 10, 0), "C");
	put(in, of_pair("B", 60), true); /* behind all others */
	assert_string_equal(taken(in, true, 0, 10, 0), "A C B");
	assert_int_equal(found(in, "B").since_ms, 10);
	assert_int_equal(found(in, "B").edited_ms, 60);
	put(in, of_pair("C", 5), false); /* stays where it is */
	assert_string_equal(taken(in, true, 0, 10, 0), "A C B");
	assert_int_equal(found(in, "C").edited_ms, 50);
	assert_int_equal(found(in, "X").number, 0);
	assert_int_equal(found_row(in, "7").edited_ms, 20);
	assert_string_equal(found_row(in, "7").key.text, "7");
	assert_int_equal(found_row(in, "8").number, 0);
}

static void a_number_is_never_given_twice(void **state)
{
	struct bench *in = *state;
	int64_t last;

	must_prepare(in);
	put(in, of_pair("A", 1), false);
	put(in, of_pair("A", 1), true);
	last = found(in, "A").number;
	begin(in);
	DO(in, drop_due, last);
	commit(in);
	assert_int_equal(found(in, "A").number, 0);
	put(in, of_pair("B", 1), false);
	assert_true(found(in, "B").number > last);
}

static void only_what_waits_and_when(void **state)
{
	struct bench *in = *state;
	struct due due;

	must_prepare(in);
	put(in, of_pair("A", 1), false);
	due = found(in, "A");
	due.not_before_ms = 1000;
	due.tries = 2;
	begin(in);
	DO(in, set_due, &due);
	commit(in);
	assert_string_equal(taken(in, true, 0, 9, 999), "");
	assert_string_equal(taken(in, true, 0, 9, 1000), "A");
	put(in, of_pair("A", 50), false); /* an edit does not cut the back-off short */
	assert_string_equal(taken(in, true, 0, 9, 999), "");
	assert_int_equal(found(in, "A").tries, 2);
	for (enum due_state i = DUE_REJECTED; i <= DUE_HELD; i++) {
		due.state = i;
		begin(in);
		DO(in, set_due, &due);
		commit(in);
		assert_string_equal(taken(in, true, 0, 9, 9999), "");
		assert_int_equal(found(in, "A").state, i);
		put(in, of_pair("A", 60), false);
		assert_string_equal(taken(in, true, 0, 9, 0), "A");
		assert_int_equal(found(in, "A").tries, 0);
	}
}

static void not_while_a_write_is_unanswered(void **state)
{
	struct bench *in = *state;
	struct sent update = { .operation = SENT_UPDATE, .remote_id = "A", .run = "1" }, create = {
		.operation = SENT_CREATE, .key = { "4", 1 }, .birth_key = "00", .run = "1"
	};

	must_prepare(in);
	put(in, of_pair("A", 1), false);
	put(in, of_pair("B", 1), false);
	put(in, of_row("4", 1), false);
	put(in, of_row("5", 1), false);
	begin(in);
	DO(in, put_sent, &update);
	DO(in, put_sent, &create);
	commit(in);
	assert_string_equal(taken(in, true, 0, 9, 0), "B");
	assert_string_equal(taken(in, false, 0, 9, 0), "5");
	begin(in);
	DO(in, end_sent, update.number, false);
	DO(in, end_sent, create.number, false);
	commit(in);
	assert_string_equal(taken(in, true, 0, 9, 0), "A B");
	assert_string_equal(taken(in, false, 0, 9, 0), "4 5");
}

static void a_row_that_gets_a_record(void **state)
{
	struct bench *in = *state;
	struct store_write dead = { .remote_id = "D",
				    .puts_link = true,
				    .link = { .state = LINK_DELETED, .key = { "6", 1 } } };

	must_prepare(in);
	put(in, of_row("4", 20), false);
	put(in, of_row("5", 30), false);
	link_row(in, "A", "4");
	assert_int_equal(found_row(in, "4").number, 0);
	assert_int_equal(found(in, "A").edited_ms, 20);
	assert_int_equal(found(in, "A").since_ms, 20);
	put(in, of_pair("B", 40), false); /* due already by itself */
	link_row(in, "B", "5");
	assert_int_equal(found_row(in, "5").number, 0);
	assert_int_equal(found(in, "B").edited_ms, 40);
	assert_string_equal(taken(in, false, 0, 9, 0), "");
	put(in, of_row("6", 50), false);
	begin(in);
	DO(in, write, &dead, 1, in->arena);
	commit(in);
	assert_int_equal(found(in, "D").number, 0); /* a tombstone owes nothing */
	assert_string_equal(taken(in, false, 0, 9, 0), "6");
}

static void a_row_refused_and_then_matched(void **state)
{
	struct bench *in = *state;
	struct store_reject reject = { .direction = TOLD_UP,
				       .key = { "4", 1 },
				       .code = "C",
				       .text = "t",
				       .remedy = "r",
				       .run = "1" };

	must_prepare(in);
	put(in, of_row("4", 20), false);
	begin(in);
	DO(in, reject, &reject);
	commit(in);
	assert_int_equal(found_row(in, "4").state, DUE_REJECTED);
	link_row(in, "A", "4");
	assert_int_equal(found(in, "A").state, DUE_WAITING);
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_rejects"), "0");
}

/* One job's dues are not another's, and a new session finds them. */
static void of_one_job(void **state)
{
	struct bench *in = *state;

	must_prepare(in);
	put(in, of_pair("A", 1), false);
	in->job.name = "others";
	must_prepare(in);
	assert_string_equal(taken(in, true, 0, 9, 0), "");
	assert_int_equal(found(in, "A").number, 0);
	in->job.name = "contacts";
	must_prepare(in);
	assert_string_equal(taken(in, true, 0, 9, 0), "A");
	assert_int_equal(found(in, "A").edited_ms, 1);
}

static void summed_up_and_listed(void **state)
{
	struct store_listing all = { .limit = 10 };
	struct bench *in = *state;
	struct sent sent = { .operation = SENT_UPDATE, .remote_id = "C", .run = "1" };
	struct store_summary summary;
	struct store_due_line *lines;
	struct due due;
	size_t count;

	must_prepare(in);
	put(in, of_pair("A", 30), false);
	put(in, of_row("4", 20), false);
	put(in, of_pair("B", 10), false);
	due = found(in, "B");
	due.state = DUE_HELD;
	begin(in);
	DO(in, set_due, &due);
	DO(in, put_sent, &sent);
	commit(in);
	must(in, in->store->ops->summary(in->store, "contacts", &summary, &in->err), "summary");
	assert_int_equal(summary.waiting, 2);
	assert_int_equal(summary.held, 1);
	assert_int_equal(summary.sent, 1);
	assert_int_equal(summary.unknown, 0);
	assert_int_equal(summary.oldest_due_ms, 20);
	must(in, in->store->ops->list_dues(in->store, &all, in->arena, &lines, &count, &in->err),
	     "list");
	assert_int_equal(count, 4);
	assert_string_equal(lines[0].due.remote_id, "A");
	assert_string_equal(lines[0].state, "waiting");
	assert_string_equal(lines[0].job, "contacts");
	assert_string_equal(lines[1].due.key.text, "4");
	assert_string_equal(lines[2].state, "held");
	assert_string_equal(lines[3].state, "sent");
	assert_string_equal(ask(in, "SELECT group_concat(state || coalesce(remote_id, key)) FROM"
				    " leadsync_v_backlog"),
			    "waitingA,waiting4,heldB,sentC");
	assert_string_equal(ask(in, "SELECT since FROM leadsync_v_backlog WHERE key = '4'"),
			    "1970-01-01T00:00:00.020Z");
	all.job = "others";
	must(in, in->store->ops->list_dues(in->store, &all, in->arena, &lines, &count, &in->err),
	     "list");
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(in_the_order_they_came),
		ROW(a_number_is_never_given_twice),
		ROW(only_what_waits_and_when),
		ROW(not_while_a_write_is_unanswered),
		ROW(a_row_that_gets_a_record),
		ROW(a_row_refused_and_then_matched),
		ROW(of_one_job),
		ROW(summed_up_and_listed),
	};

	return cmocka_run_group_tests_name("due", tests, NULL, NULL);
}
