/* Changes on their way to the remote: what was sent is told by the journal alone, whatever ends. */
#include "bench.h"

static const struct value values[] = { { "Ann", 3 }, { 0 }, { "1", 1 } };
static const bool two[] = { true, true, false };

static struct sent update_of(const char *id)
{
	struct sent sent = { .operation = SENT_UPDATE,
			     .key = { "4", 1 },
			     .sent_ms = 100,
			     .edited_ms = 90,
			     .tries = 2,
			     .hash = { { 1, 2 } },
			     .payload = { { 3, 4 } },
			     .values = (struct value *)values,
			     .set = (bool *)two,
			     .run = "r1" };

	strcpy(sent.remote_id, id);
	return sent;
}

static struct sent creation_of(const char *key, const char *birth_key)
{
	struct sent sent = update_of("");

	sent.operation = SENT_CREATE;
	sent.key = text(key);
	strcpy(sent.birth_key, birth_key);
	return sent;
}

static int64_t put(struct bench *in, struct sent sent)
{
	begin(in);
	DO(in, put_sent, &sent);
	commit(in);
	return sent.number;
}

static struct sent found(struct bench *in, const char *id)
{
	struct sent sent;

	begin(in);
	DO(in, find_sent, &id, 1, in->arena, &sent);
	commit(in);
	return sent;
}

static void what_was_sent_comes_back(void **state)
{
	struct bench *in = *state;
	struct value births[] = { { "b1", 2 }, { 0 }, { "B1", 2 } };
	struct sent sent, born[3];
	int64_t first;

	must_prepare(in);
	assert_int_equal(found(in, "A").number, 0);
	first = put(in, update_of("A"));
	sent = found(in, "A");
	assert_true(first > 0 && sent.number == first);
	assert_int_equal(sent.operation, SENT_UPDATE);
	assert_false(sent.unknown);
	assert_string_equal(sent.remote_id, "A");
	assert_string_equal(sent.key.text, "4");
	assert_string_equal(sent.birth_key, "");
	assert_true(sent.sent_ms == 100 && sent.edited_ms == 90 && sent.tries == 2);
	assert_true(sent.hash.half[1] == 2 && sent.payload.half[0] == 3);
	assert_true(sent.set[0] && sent.set[1] && !sent.set[2]);
	assert_true(value_equal(&sent.values[0], &values[0]));
	assert_true(value_is_null(&sent.values[1]));
	assert_string_equal(sent.run, "r1");
	assert_int_equal(found(in, "B").number, 0);

	put(in, creation_of("5", "b1"));
	begin(in);
	DO(in, find_births, births, 3, in->arena, born);
	commit(in);
	assert_int_equal(born[0].operation, SENT_CREATE);
	assert_string_equal(born[0].birth_key, "b1");
	assert_string_equal(born[0].key.text, "5");
	assert_string_equal(born[0].remote_id, "");
	assert_true(!born[1].number && !born[2].number);
}

static void a_delete_sends_nothing(void **state)
{
	struct bench *in = *state;
	struct sent sent = { .operation = SENT_DELETE, .remote_id = "A", .run = "1" };

	must_prepare(in);
	put(in, sent);
	sent = found(in, "A");
	assert_int_equal(sent.operation, SENT_DELETE);
	assert_true(value_is_null(&sent.key));
	for (size_t i = 0; i < 3; i++)
		assert_false(sent.set[i]);
}

/* A field that is not mapped today is left out; the others are where they are now. */
static void by_the_mapping_of_today(void **state)
{
	struct bench *in = *state;
	struct sent sent;

	must_prepare(in);
	put(in, update_of("A"));
	in->fields[0] = in->fields[1];
	in->fields[1] = in->fields[2];
	in->mapping.count = 2;
	must_prepare(in);
	sent = found(in, "A");
	assert_true(sent.set[0] && !sent.set[1]);
	assert_true(value_is_null(&sent.values[0]));
}

/* Whatever had no answer when the program ended has none. */
static void unknown_after_a_start(void **state)
{
	struct bench *in = *state;
	struct sent *list;
	size_t count;
	int64_t first;

	must_prepare(in);
	first = put(in, update_of("A"));
	put(in, update_of("B"));
	begin(in);
	DO(in, unanswered, 1000, 0, 10, in->arena, &list, &count);
	assert_int_equal(count, 0);
	DO(in, mark_unknown, first);
	DO(in, unanswered, 1000, 0, 10, in->arena, &list, &count);
	assert_int_equal(count, 1);
	commit(in);
	must_prepare(in);
	begin(in);
	DO(in, unanswered, 101, 0, 10, in->arena, &list, &count);
	assert_int_equal(count, 2);
	assert_true(list[0].unknown && list[1].unknown);
	assert_string_equal(list[0].remote_id, "A");
	assert_true(value_equal(&list[1].values[0], &values[0]));
	DO(in, unanswered, 101, first, 10, in->arena, &list, &count);
	assert_int_equal(count, 1);
	DO(in, unanswered, 101, 0, 1, in->arena, &list, &count);
	assert_int_equal(count, 1);
	DO(in, unanswered, 100, 0, 10, in->arena, &list, &count); /* not before it was sent */
	assert_int_equal(count, 0);
	DO(in, end_sent, first, true);
	commit(in);
	assert_int_equal(found(in, "A").number, 0);
	assert_true(found(in, "B").number > 0);
}

static void one_at_a_time_of_a_pair_and_of_a_row(void **state)
{
	struct bench *in = *state;
	struct sent again = update_of("A"), twin = creation_of("5", "b2");

	must_prepare(in);
	put(in, update_of("A"));
	put(in, creation_of("5", "b1"));
	begin(in);
	assert_false(in->store->ops->put_sent(in->session, &again, &in->err));
	in->store->ops->rollback(in->session);
	begin(in);
	assert_false(in->store->ops->put_sent(in->session, &twin, &in->err));
	in->store->ops->rollback(in->session);
	in->job.name = "others"; /* whose pairs are others */
	must_prepare(in);
	put(in, update_of("A"));
}

static void numbers_are_never_used_twice(void **state)
{
	struct bench *in = *state;
	int64_t first, second;

	must_prepare(in);
	first = put(in, update_of("A"));
	begin(in);
	DO(in, end_sent, first, false);
	commit(in);
	second = put(in, update_of("A"));
	assert_true(second > first);
}

static void damage_is_told(void **state)
{
	static const char *const damages[] = {
		"UPDATE leadsync_journal SET sent = x'00'",
		"UPDATE leadsync_journal SET operation = 'erase'",
	};
	const char *id = "A";
	struct bench *in = *state;

	must_prepare(in);
	put(in, update_of("A"));
	for (size_t i = 0; i < 2; i++) {
		struct sent sent;

		sql(in, damages[i]);
		begin(in);
		assert_false(
			in->store->ops->find_sent(in->session, &id, 1, in->arena, &sent, &in->err));
		assert_string_equal(in->err.code, "damaged-ledger");
		in->store->ops->rollback(in->session);
	}
}

/* A creation is of the row it was sent for, not of a later one with its key. */
static void a_row_replaced_meanwhile(void **state)
{
	struct bench *in = *state;
	struct value birth = { "b1", 2 };
	struct store_marks marks;
	struct sent sent;

	must_prepare(in);
	sql(in, "INSERT INTO contact (id, last_name) VALUES (5, 'Ann'); DELETE FROM contact;"
		" INSERT INTO contact (id, last_name) VALUES (5, 'Anna')");
	put(in, creation_of("5", "b1")); /* of Anna: those marks are older */
	begin(in);
	DO(in, take_marks, 10, in->arena, &marks);
	DO(in, drop_marks);
	DO(in, find_births, &birth, 1, in->arena, &sent);
	assert_string_equal(sent.key.text, "5");
	commit(in);
	sql(in, "DELETE FROM contact; INSERT INTO contact (id) VALUES (5)");
	begin(in);
	DO(in, take_marks, 10, in->arena, &marks);
	DO(in, drop_marks);
	DO(in, find_births, &birth, 1, in->arena, &sent);
	assert_true(sent.number && value_is_null(&sent.key));
	commit(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(what_was_sent_comes_back),
		ROW(a_delete_sends_nothing),
		ROW(by_the_mapping_of_today),
		ROW(unknown_after_a_start),
		ROW(one_at_a_time_of_a_pair_and_of_a_row),
		ROW(numbers_are_never_used_twice),
		ROW(damage_is_told),
		ROW(a_row_replaced_meanwhile),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
