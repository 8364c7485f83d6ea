/* Rules resolved against a small Contact: what is taken, what is reported, what is remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "record/mapping.h"
#include "record/schema.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))

static void add(struct schema *in, const char *name, enum value_type type, const char *flags,
		const char *relationship, const char *reference_to)
{
	schema_add(in, (struct schema_field){
			       .name = strdup(name),
			       .label = strdup(name),
			       .type_name = strdup(value_type_name(type)),
			       .type = type,
			       .scale = type == VALUE_DECIMAL ? 2 : 0,
			       .readable = strchr(flags, 'r') != NULL,
			       .updateable = strchr(flags, 'u') != NULL,
			       .createable = strchr(flags, 'u') != NULL,
			       .calculated = strchr(flags, 'c') != NULL,
			       .relationship = relationship ? strdup(relationship) : NULL,
			       .reference_to = reference_to ? strdup(reference_to) : NULL,
		       });
}

static struct schema *new_contact(void)
{
	struct schema *in = schema_new("Contact");

	add(in, "SystemModstamp", VALUE_DATETIME, "r", NULL, NULL);
	add(in, "Id", VALUE_ID, "r", NULL, NULL);
	add(in, "LastName", VALUE_TEXT, "ru", NULL, NULL);
	add(in, "Email", VALUE_TEXT, "ru", NULL, NULL);
	add(in, "Email__c", VALUE_TEXT, "ru", NULL, NULL);
	add(in, "Score__c", VALUE_DECIMAL, "ru", NULL, NULL);
	add(in, "Full_Label__c", VALUE_TEXT, "rc", NULL, NULL);
	add(in, "MailingAddress", VALUE_TEXT, "", NULL, NULL);
	add(in, "OwnerId", VALUE_ID, "ru", "Owner", "User");
	add(in, "WhatId", VALUE_ID, "ru", "What", NULL);
	schema_finish(in);
	return in;
}

static struct schema *new_user(void)
{
	struct schema *in = schema_new("User");

	add(in, "Email", VALUE_TEXT, "ru", NULL, NULL);
	add(in, "ManagerId", VALUE_ID, "ru", "Manager", "User");
	schema_finish(in);
	return in;
}

static const struct schema *find_related(const char *object, void *arg)
{
	return strcmp(object, "User") == 0 ? *(struct schema **)arg : NULL;
}

struct seen {
	struct schema *user; /* first, as find_related() takes it */
	char problems[512];
};

static void note_problem(const struct mapping_rule *rule, const struct error *problem, void *arg)
{
	struct seen *seen = arg;
	size_t used = strlen(seen->problems);

	assert_int_equal(problem->kind, ERROR_FIELD);
	assert_true(*problem->text);
	snprintf(seen->problems + used, sizeof(seen->problems) - used, "%d:%s ", rule->line,
		 problem->code);
}

static void check_resolve(const struct mapping_rule *rules, size_t count, const char *want_fields,
			  const char *want_problems)
{
	CLEANUP(schema_free) struct schema *contact = new_contact();
	CLEANUP(schema_free) struct schema *user = new_user();
	CLEANUP(mapping_free) struct mapping *mapping = NULL;
	struct seen seen = { .user = user };
	struct error err;
	char got[1024] = "";

	mapping = mapping_resolve(rules, count, contact, find_related, note_problem, &seen, &err);
	for (size_t i = 0; mapping && i < mapping->count; i++) {
		const struct mapping_field *field = &mapping->fields[i];
		size_t used = strlen(got);

		snprintf(got + used, sizeof(got) - used, "%s%s%s%s ", field->field,
			 field->direction == MAPPING_DOWN ? "->"
			 : field->direction == MAPPING_UP ? "<-"
							  : "<->",
			 field->column, field->calculated ? "(calculated)" : "");
	}
	assert_string_equal(got, want_fields);
	assert_string_equal(seen.problems, want_problems);
	if (!mapping) {
		assert_int_equal(err.kind, ERROR_HUMAN);
		assert_string_equal(err.code, "no-fields");
	}
}

static void rules_keep_their_order(void **state)
{
	static const struct mapping_rule rules[] = {
		{ "lastname", "last_name", MAPPING_BOTH, 1 },
		{ "Id", "sf_id", MAPPING_DOWN, 2 },
		{ "SystemModstamp", "changed", MAPPING_DOWN, 3 },
		{ "Score__c", "score", MAPPING_UP, 4 },
		{ "full_label__c", "label", MAPPING_DOWN, 5 },
		{ "owner.EMAIL", "owner_email", MAPPING_DOWN, 6 },
		{ "Owner.Manager.Email", "boss", MAPPING_DOWN, 7 },
	};

	(void)state;
	check_resolve(rules, LEN(rules),
		      "LastName<->last_name Id->sf_id SystemModstamp->changed Score__c<-score "
		      "Full_Label__c->label(calculated) Owner.Email->owner_email(calculated) "
		      "Owner.Manager.Email->boss(calculated) ",
		      "");
}

static void bad_rules_fall_by_themselves(void **state)
{
	static const struct mapping_rule rules[] = {
		{ "Nope__c", "nope", MAPPING_DOWN, 1 },
		{ "MailingAddress", "address", MAPPING_DOWN, 2 },
		{ "Full_Label__c", "label", MAPPING_BOTH, 3 },
		{ "Id", "id", MAPPING_UP, 4 },
		{ "Owner.Email", "owner", MAPPING_BOTH, 5 },
		{ "Nobody.Email", "nobody", MAPPING_DOWN, 6 },
		{ "What.Name", "what", MAPPING_DOWN, 7 },
		{ "Owner.Nope", "nope", MAPPING_DOWN, 8 },
		{ "Email", "email", MAPPING_BOTH, 9 },
		{ "LastName", "EMAIL", MAPPING_BOTH, 10 },
		{ "EMAIL", "mail", MAPPING_BOTH, 11 },
		{ "Score__c", "my score", MAPPING_BOTH, 12 },
		{ ".", "dot", MAPPING_DOWN, 13 },
		{ "", "empty", MAPPING_DOWN, 14 },
		{ "Owner.Manager.Manager.Manager.Manager.Manager.Email", "far", MAPPING_DOWN, 15 },
		{ "LastName", "c234567890123456789012345678901234567890123456789012345678901234",
		  MAPPING_DOWN, 16 },
	};

	(void)state;
	check_resolve(rules, LEN(rules), "Email<->email ",
		      "1:no-such-field 2:not-readable 3:not-writable 4:not-writable 5:not-writable "
		      "6:no-such-field 7:no-such-field 8:no-such-field 10:column-taken "
		      "11:field-twice 12:bad-column 13:no-such-field 14:no-such-field "
		      "15:no-such-field 16:bad-column ");
}

static void star_is_every_other_field(void **state)
{
	static const struct mapping_rule rules[] = {
		{ "*", NULL, MAPPING_DOWN, 1 },
		{ "LastName", "owner_id", MAPPING_BOTH, 2 },
		{ "Id", "sf_id", MAPPING_DOWN, 3 },
	};

	(void)state;
	check_resolve(rules, LEN(rules),
		      "LastName<->owner_id Id->sf_id Email->email "
		      "Full_Label__c->full_label(calculated) Score__c->score "
		      "SystemModstamp->system_modstamp WhatId->what_id ",
		      "1:column-taken 1:column-taken ");
}

static void star_both_ways_takes_read_only_fields_down(void **state)
{
	static const struct mapping_rule both[] = {
		{ "*", NULL, MAPPING_BOTH, 1 },
		{ "email__c", "custom_email", MAPPING_DOWN, 2 },
	};
	static const struct mapping_rule up[] = {
		{ "*", NULL, MAPPING_UP, 1 },
		{ "email__c", "custom_email", MAPPING_DOWN, 2 },
	};

	(void)state;
	check_resolve(both, LEN(both),
		      "Email__c->custom_email Email<->email Full_Label__c->full_label(calculated) "
		      "Id->id LastName<->last_name OwnerId<->owner_id Score__c<->score "
		      "SystemModstamp->system_modstamp WhatId<->what_id ",
		      "");
	check_resolve(up, LEN(up),
		      "Email__c->custom_email Email<-email LastName<-last_name OwnerId<-owner_id "
		      "Score__c<-score WhatId<-what_id ",
		      "");
}

static void a_field_without_a_column_is_not_mapped(void **state)
{
	static const struct mapping_rule rules[] = {
		{ "*", NULL, MAPPING_DOWN, 1 },
		{ "Email", NULL, MAPPING_DOWN, 2 },
		{ "Nope", NULL, MAPPING_DOWN, 3 },
	};
	CLEANUP(schema_free) struct schema *contact = new_contact();
	CLEANUP(mapping_free) struct mapping *mapping = NULL;
	struct error err;

	(void)state;
	mapping = mapping_resolve(rules, LEN(rules), contact, NULL, NULL, NULL, &err);
	assert_non_null(mapping);
	for (size_t i = 0; i < mapping->count; i++)
		assert_string_not_equal(mapping->fields[i].field, "Email");
}

static void nothing_left_is_an_error(void **state)
{
	static const struct mapping_rule rules[] = { { "Nope", "nope", MAPPING_DOWN, 1 } };

	(void)state;
	check_resolve(rules, 1, "", "1:no-such-field ");
	check_resolve(NULL, 0, "", "");
}

static char *print_rules(const struct mapping_rule *rules, size_t count)
{
	CLEANUP(schema_free) struct schema *contact = new_contact();
	CLEANUP(mapping_free) struct mapping *mapping = NULL;
	struct error err;

	mapping = mapping_resolve(rules, count, contact, NULL, NULL, NULL, &err);
	assert_non_null(mapping);
	return mapping_print(mapping);
}

static void what_the_ledger_remembers(void **state)
{
	static const struct mapping_rule rules[] = {
		{ "Score__c", "score", MAPPING_BOTH, 1 },
		{ "Email", "email", MAPPING_BOTH, 2 },
		{ "LastName", "name", MAPPING_BOTH, 3 },
	};
	static const struct mapping_rule turned[] = {
		{ "Email", "email", MAPPING_DOWN, 1 },
		{ "Score__c", "score", MAPPING_BOTH, 2 },
	};
	static const struct mapping_rule only_up[] = {
		{ "Email", "email", MAPPING_BOTH, 1 },
		{ "Score__c", "score", MAPPING_UP, 2 },
	};
	static const struct mapping_rule moved[] = { { "Email", "mail", MAPPING_DOWN, 1 } };
	CLEANUP_FREE char *all = print_rules(rules, 3);
	CLEANUP_FREE char *two = print_rules(rules, 2);
	CLEANUP_FREE char *again = print_rules(turned, 2);
	CLEANUP_FREE char *up = print_rules(only_up, 2);
	CLEANUP_FREE char *elsewhere = print_rules(moved, 1);

	(void)state;
	assert_string_equal(two, "Email\temail\ttext\t0\tdown\n"
				 "Score__c\tscore\tdecimal\t2\tdown\n");
	assert_string_equal(two, again);
	assert_false(mapping_has_new(two, again));
	assert_true(mapping_has_new(up, two));
	assert_false(mapping_has_new(all, two));
	assert_true(mapping_has_new(two, all));
	assert_true(mapping_has_new("", two));
	assert_true(mapping_has_new(all, elsewhere));
	assert_false(mapping_has_new("", ""));
}

static void a_share_keeps_it(void **state)
{
	static const struct mapping_rule rules[] = { { "Email", "email", MAPPING_DOWN, 1 } };
	CLEANUP(schema_free) struct schema *contact = new_contact();
	struct error err;
	struct mapping *first = mapping_resolve(rules, 1, contact, NULL, NULL, NULL, &err);
	struct mapping *second = mapping_share(first);

	(void)state;
	mapping_free(first);
	assert_string_equal(second->fields[0].field, "Email");
	mapping_free(second);
	mapping_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_keep_their_order),
		cmocka_unit_test(bad_rules_fall_by_themselves),
		cmocka_unit_test(star_is_every_other_field),
		cmocka_unit_test(star_both_ways_takes_read_only_fields_down),
		cmocka_unit_test(a_field_without_a_column_is_not_mapped),
		cmocka_unit_test(nothing_left_is_an_error),
		cmocka_unit_test(what_the_ledger_remembers),
		cmocka_unit_test(a_share_keeps_it),
	};

	return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
