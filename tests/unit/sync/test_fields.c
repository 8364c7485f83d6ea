/* The field sync: what the rules come to, told line by line, with neither store nor record touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake_remote.h"
#include "loop/loop.h"
#include "sync/fields.h"
#include "sync/run.h"

struct told {
	bool there;
	char code[56]; /* of the failure, if there was one */
	char text[1000];
	size_t mapped, wrong;
};

static void hear(const struct fields_view *view, const struct error *err, void *arg)
{
	static const char *const arrows[] = { "->", "<-", "<->" };
	struct told *in = arg;
	size_t used = 0;

	in->there = true;
	if (err) {
		strcpy(in->code, err->code);
		return;
	}
	in->mapped = view->mapped;
	in->wrong = view->wrong;
	for (size_t i = 0; i < view->count; i++) {
		const struct fields_line *line = &view->lines[i];

		used += (size_t)snprintf(in->text + used, sizeof(in->text) - used, "%s %s %s %s|",
					 line->field, line->column ? arrows[line->direction] : "-",
					 line->column ? line->column : "-",
					 line->problem ? line->problem->code : "");
	}
}

static struct told ask(struct fake *fake, struct loop *loop, const struct mapping_rule *rules,
		       size_t count)
{
	const struct run_job job = { .name = "contacts",
				     .object = "Contact",
				     .rules = rules,
				     .rule_count = count,
				     .remote = &fake->remote };
	struct told told = { .there = false };

	fields_start(loop, &job, hear, &told);
	assert_false(told.there);
	while (!told.there)
		loop_once(loop);
	return told;
}

static const struct mapping_rule rules[] = {
	{ "Email", "email", MAPPING_DOWN, 3 },
	{ "Fax", "fax", MAPPING_DOWN, 4 },
	{ "Title", "title", MAPPING_DOWN, 5 },
	{ "Owner.Email", "owner", MAPPING_DOWN, 6 },
};

static struct fake *make_remote(struct loop *loop)
{
	struct fake *fake = fake_new(loop);

	fake_add_field(fake, "Title", VALUE_TEXT, 0);
	fake_add_field(fake, "Email", VALUE_TEXT, 0);
	fake_add_field(fake, "Phone", VALUE_TEXT, 0);
	return fake;
}

static void rules_wrong_rules_and_fields_without_one(void **state)
{
	struct loop *loop = loop_new();
	struct fake *fake = make_remote(loop);
	struct told told = ask(fake, loop, rules, 4);

	(void)state;
	assert_string_equal(told.code, "");
	assert_int_equal(told.mapped, 2);
	assert_int_equal(told.wrong, 2);
	assert_ptr_equal(strstr(told.text, "Email -> email |Title -> title |"), told.text);
	assert_non_null(strstr(told.text, "|Fax -> fax no-such-field|Owner.Email -> owner "
					  "no-such-field|"));
	assert_non_null(strstr(told.text, "|Phone - - |"));
	assert_null(strstr(told.text, "Title - -"));
	assert_int_equal(fake->reads, 0);
	fake_free(fake);
	loop_free(loop);
}

static void a_field_that_is_hidden_meanwhile(void **state)
{
	struct loop *loop = loop_new();
	struct fake *fake = make_remote(loop);

	(void)state;
	ask(fake, loop, rules, 1);
	fake->fields[1].gone = true;
	assert_int_equal(ask(fake, loop, rules, 1).wrong, 1);
	fake_free(fake);
	loop_free(loop);
}

static void no_rule_that_holds_is_told_as_well(void **state)
{
	struct loop *loop = loop_new();
	struct fake *fake = make_remote(loop);
	struct told told = ask(fake, loop, &rules[1], 1);

	(void)state;
	assert_int_equal(told.mapped, 0);
	assert_int_equal(told.wrong, 1);
	fake_free(fake);
	loop_free(loop);
}

static void a_failure_is_the_answer(void **state)
{
	struct loop *loop = loop_new();
	struct fake *fake = make_remote(loop);

	(void)state;
	error_set(&fake->fail, ERROR_HUMAN, "INVALID_TYPE", "not there");
	fake->fail_at = 1;
	fake->fail_count = 1;
	assert_string_equal(ask(fake, loop, rules, 4).code, "INVALID_TYPE");
	fake_free(fake);
	loop_free(loop);
}

static void cancelled_it_never_answers(void **state)
{
	struct loop *loop = loop_new();
	struct fake *fake = make_remote(loop);
	const struct run_job job = { .name = "contacts",
				     .object = "Contact",
				     .rules = rules,
				     .rule_count = 4,
				     .remote = &fake->remote };
	struct told told = { .there = false };

	(void)state;
	fields_cancel(fields_start(loop, &job, hear, &told));
	fake->hang_at = fake->calls + 1;
	struct fields *hanging = fields_start(loop, &job, hear, &told);
	while (!fake->hangs)
		loop_once(loop);
	fields_cancel(hanging);
	assert_int_equal(fake->open_calls, 0);
	assert_false(told.there);
	fake_free(fake);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_wrong_rules_and_fields_without_one),
		cmocka_unit_test(a_field_that_is_hidden_meanwhile),
		cmocka_unit_test(no_rule_that_holds_is_told_as_well),
		cmocka_unit_test(a_failure_is_the_answer),
		cmocka_unit_test(cancelled_it_never_answers),
	};

	return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
