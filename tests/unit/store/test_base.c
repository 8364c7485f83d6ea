/* What the pairs held when last settled, as links keep it. */
#include "bench.h"

static struct link put_and_read(struct bench *in, const char *id, const struct link_field *fields)
{
	struct store_write write = { .remote_id = id,
				     .puts_link = true,
				     .link = { .found = true,
					       .key = text("5"),
					       .written_ms = 1234,
					       .fields = (struct link_field *)fields } };
	struct link link;

	begin(in);
	DO(in, write, &write, 1, in->arena);
	commit(in);
	DO(in, links, &id, 1, in->arena, &link);
	assert_null(link.fields);
	DO(in, fields, &id, 1, in->arena, &link);
	return link;
}

static const struct link_field some[] = {
	{ .base = { true, { "Ann", 3 }, { "Anna", 4 } }, .echo = true },
	{ .base = { true, { 0 }, { 0 } }, .hold = FIELD_HELD_MANUAL, .choice = LINK_CHOICE_LOCAL },
	{ .base = { true, { "1", 1 }, { "1", 1 } } },
};

static void fields_come_back(void **state)
{
	struct bench *in = *state;
	struct link link;

	must_prepare(in);
	link = put_and_read(in, "A", some);
	assert_int_equal(link.written_ms, 1234);
	assert_true(value_equal(&link.fields[0].base.ours, &some[0].base.ours));
	assert_true(value_equal(&link.fields[0].base.theirs, &some[0].base.theirs));
	assert_true(link.fields[0].echo && link.fields[0].base.settled);
	assert_int_equal(link.fields[1].hold, FIELD_HELD_MANUAL);
	assert_int_equal(link.fields[1].choice, LINK_CHOICE_LOCAL);
	assert_true(value_is_null(&link.fields[1].base.ours));
	assert_true(value_equal(&link.fields[2].base.theirs, &some[2].base.theirs));
}

static void a_link_put_without_fields_keeps_them(void **state)
{
	struct bench *in = *state;
	struct link link;

	must_prepare(in);
	put_and_read(in, "A", some);
	link = put_and_read(in, "A", NULL);
	assert_true(value_equal(&link.fields[0].base.theirs, &some[0].base.theirs));
	link = put_and_read(in, "B", NULL); /* which never had any */
	for (size_t i = 0; i < 3; i++)
		assert_false(link.fields[i].base.settled);
}

static void only_of_links_found(void **state)
{
	static const char *const ids[] = { "A", "X" };
	struct bench *in = *state;
	struct link links[2];

	must_prepare(in);
	put_and_read(in, "A", some);
	DO(in, links, ids, 2, in->arena, links);
	DO(in, fields, ids, 2, in->arena, links);
	assert_true(links[0].found && links[0].fields);
	assert_true(!links[1].found && !links[1].fields);
}

/* What is kept otherwise today was never settled. */
static void a_changed_field_is_another(void **state)
{
	static const struct {
		const char *what;
		struct mapping_field now;
		bool settled;
	} rows[] = {
		{ "the same",
		  { .field = "LastName", .column = "last_name", .type = VALUE_TEXT, .scale = 2 },
		  true },
		{ "another direction and rule",
		  { .field = "LastName",
		    .column = "last_name",
		    .type = VALUE_TEXT,
		    .scale = 2,
		    .direction = MAPPING_BOTH,
		    .rule = FIELD_RULE_MANUAL },
		  true },
		{ "another column",
		  { .field = "LastName", .column = "name", .type = VALUE_TEXT, .scale = 2 },
		  false },
		{ "another type",
		  { .field = "LastName", .column = "last_name", .type = VALUE_DATE, .scale = 2 },
		  false },
		{ "another scale",
		  { .field = "LastName", .column = "last_name", .type = VALUE_TEXT, .scale = 3 },
		  false },
		{ "another field",
		  { .field = "Name", .column = "last_name", .type = VALUE_TEXT, .scale = 2 },
		  false },
	};
	struct bench *in = *state;
	const char *id = "A";

	must_prepare(in);
	put_and_read(in, "A", some);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct link link;

		in->fields[0] = rows[i].now;
		must_prepare(in);
		DO(in, links, &id, 1, in->arena, &link);
		DO(in, fields, &id, 1, in->arena, &link);
		if (link.fields[0].base.settled != rows[i].settled)
			fail_msg("%s", rows[i].what);
		assert_true(link.fields[2].base.settled);
	}
}

static void fields_in_another_order(void **state)
{
	struct bench *in = *state;
	const char *id = "A";
	struct link link;

	must_prepare(in);
	put_and_read(in, "A", some);
	in->fields[3] = in->fields[0];
	in->fields[0] = in->fields[2];
	in->fields[2] = in->fields[3];
	must_prepare(in);
	DO(in, links, &id, 1, in->arena, &link);
	DO(in, fields, &id, 1, in->arena, &link);
	assert_true(value_equal(&link.fields[2].base.ours, &some[0].base.ours));
	assert_true(value_equal(&link.fields[0].base.ours, &some[2].base.ours));
	assert_string_equal(ask(in, "SELECT count(*) FROM leadsync_field"), "3");
}

/* A field that was not mapped when the link was put again is first-matched when it returns. */
static void a_field_out_of_the_mapping_is_forgotten(void **state)
{
	struct bench *in = *state;
	const char *id = "A";
	struct link link;

	must_prepare(in);
	put_and_read(in, "A", some);
	in->mapping.count = 2;
	must_prepare(in);
	put_and_read(in, "A", some);
	in->mapping.count = 3;
	must_prepare(in);
	DO(in, links, &id, 1, in->arena, &link);
	DO(in, fields, &id, 1, in->arena, &link);
	assert_true(link.fields[1].base.settled);
	assert_false(link.fields[2].base.settled);
}

static void damage_is_told(void **state)
{
	struct bench *in = *state;
	const char *id = "A";
	struct link link;

	must_prepare(in);
	put_and_read(in, "A", some);
	sql(in, "UPDATE leadsync_link SET base = x'01ff'");
	DO(in, links, &id, 1, in->arena, &link);
	assert_false(in->store->ops->fields(in->session, &id, 1, in->arena, &link, &in->err));
	assert_int_equal(in->err.kind, ERROR_STATE);
	assert_string_equal(in->err.code, "damaged-ledger");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(fields_come_back),        ROW(a_link_put_without_fields_keeps_them),
		ROW(only_of_links_found),     ROW(a_changed_field_is_another),
		ROW(fields_in_another_order), ROW(a_field_out_of_the_mapping_is_forgotten),
		ROW(damage_is_told),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
