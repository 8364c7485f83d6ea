/* Tables of cases for each rule, each blank policy and whatever else field_merge.h speaks of; then
 * every combination over a small alphabet; then histories of edits, crashes and merges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sync/field_merge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const directions[] = { "down", "up", "both" };
static const char *const rules[] = { "remote", "local", "newest", "nonblank", "manual" };
static const char *const blanks[] = { "clear", "keep", "fill" };
static const char *const holds[] = { "free", "manual", "flap", "undone" };

/* "-" is null. */
static struct value value_of(const char *text)
{
	return strcmp(text, "-") == 0 ? (struct value){ 0 }
				      : (struct value){ text, (uint32_t)strlen(text) };
}

static void format_value(char *out, size_t size, struct value in)
{
	snprintf(out, size, "%.*s", in.text ? (int)in.len : 1, in.text ? in.text : "-");
}

static void format_base(char *out, size_t size, const struct field_base *in)
{
	char ours[24], theirs[24];

	if (!in->settled) {
		snprintf(out, size, "none");
		return;
	}
	format_value(ours, sizeof(ours), in->ours);
	format_value(theirs, sizeof(theirs), in->theirs);
	snprintf(out, size, "%s/%s", ours, theirs);
}

/* "remote=b local-changed a/a>b/b": what is given, why, the base until the answer and after it,
 * where it is another; then "conflict" and what holds it. */
static void format_result(char *out, size_t size, const struct field_merge_result *in)
{
	char value[24], meanwhile[64], done[64], given[40] = "nothing";

	format_value(value, sizeof(value), in->value);
	format_base(meanwhile, sizeof(meanwhile), &in->meanwhile);
	format_base(done, sizeof(done), &in->done);
	if (in->give != FIELD_GIVE_NOTHING)
		snprintf(given, sizeof(given), "%s=%s",
			 in->give == FIELD_GIVE_LOCAL ? "local" : "remote", value);
	snprintf(out, size, "%s %s %s%s%s%s%s%s", given, field_reason_name(in->reason),
		 strcmp(meanwhile, done) == 0 ? "" : meanwhile,
		 strcmp(meanwhile, done) == 0 ? "" : ">", done, in->conflict ? " conflict" : "",
		 in->hold == FIELD_FREE ? "" : " ", in->hold == FIELD_FREE ? "" : holds[in->hold]);
}

struct row {
	const char *name;
	const char *local, *remote;
	const char *ours, *theirs; /* NULL: no base */
	const char *want;
	enum field_hold hold;
	bool echo, read_only;
	const char *sent;
	int64_t local_ms, remote_ms;
};

static void check_rows(enum mapping_direction direction, enum field_rule rule,
		       enum field_blank blank, const struct row *rows, size_t count)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		struct value sent = value_of(row->sent ? row->sent : "-");
		struct field_merge_input in = { .direction = direction,
						.rule = rule,
						.blank = blank,
						.remote_writable = !row->read_only,
						.local = value_of(row->local),
						.remote = value_of(row->remote),
						.hold = row->hold,
						.echo = row->echo,
						.sent = row->sent ? &sent : NULL,
						.local_ms = row->local_ms,
						.remote_ms = row->remote_ms };
		struct field_merge_result made;
		char text[200];

		if (row->ours)
			in.base = (struct field_base){ true, value_of(row->ours),
						       value_of(row->theirs) };
		made = field_merge(&in);
		format_result(text, sizeof(text), &made);
		if (strcmp(text, row->want) != 0) {
			print_error("%s %s %s: %s\n  wanted %s\n  got    %s\n",
				    directions[direction], rules[rule], blanks[blank], row->name,
				    row->want, text);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define CHECK(direction, rule, blank, rows)                                                        \
	check_rows(direction, FIELD_RULE_##rule, FIELD_BLANK_##blank, rows, COUNT(rows))

/* Where no rule is asked, every rule says the same. */
static void test_no_contest(void **state)
{
	static const struct row rows[] = {
		{ "nothing changed", "a", "a", "a", "a", "nothing unchanged a/a" },
		{ "nothing changed, blank", "-", "-", "-", "-", "nothing unchanged -/-" },
		{ "a settled difference stays", "a", "b", "a", "b", "nothing unchanged a/b" },
		{ "a settled blank stays", "-", "b", "-", "b", "nothing unchanged -/b" },
		{ "remote changed", "a", "b", "a", "a", "local=b remote-changed b/b" },
		{ "local changed", "b", "a", "a", "a", "remote=b local-changed a/a>b/b" },
		{ "remote blanked", "a", "-", "a", "a", "local=- remote-changed -/-" },
		{ "local blanked", "-", "a", "a", "a", "remote=- local-changed a/a>-/-" },
		{ "remote filled", "-", "b", "-", "-", "local=b remote-changed b/b" },
		{ "local filled", "b", "-", "-", "-", "remote=b local-changed -/->b/b" },
		{ "the same change", "b", "b", "a", "a", "nothing same-change b/b" },
		{ "both blanked", "-", "-", "a", "a", "nothing same-change -/-" },
		{ "a difference, remote edited", "a", "c", "a", "b", "local=c remote-changed c/c" },
		{ "a difference, local edited", "c", "b", "a", "b",
		  "remote=c local-changed a/b>c/c" },
		{ "a difference, edited away", "b", "b", "a", "b", "nothing same-change b/b" },
		{ "just matched, equal", "a", "a", .want = "nothing first-match-equal a/a" },
		{ "just matched, blank", "-", "-", .want = "nothing first-match-equal -/-" },
	};
	(void)state;
	for (unsigned rule = 0; rule < COUNT(rules); rule++)
		check_rows(MAPPING_BOTH, rule, FIELD_BLANK_CLEAR, rows, COUNT(rows));
}

static void test_rule_remote(void **state)
{
	static const struct row rows[] = {
		{ "two values", "b", "c", "a", "a", "local=c conflict-remote c/c conflict" },
		{ "local blanked", "-", "c", "a", "a", "local=c conflict-remote c/c conflict" },
		{ "remote blanked", "b", "-", "a", "a", "local=- conflict-remote -/- conflict" },
		{ "the later is local", "b", "c", "a", "a", "local=c conflict-remote c/c conflict",
		  .local_ms = 2, .remote_ms = 1 },
		{ "matched, two values", "b", "c",
		  .want = "local=c first-match-remote c/c conflict" },
		{ "matched, local blank", "-", "c", .want = "local=c first-match-remote c/c" },
		{ "matched, remote blank", "b", "-",
		  .want = "local=- first-match-remote -/- conflict" },
	};
	(void)state;
	CHECK(MAPPING_BOTH, REMOTE, CLEAR, rows);
}

static void test_rule_local(void **state)
{
	static const struct row rows[] = {
		{ "two values", "b", "c", "a", "a", "remote=b conflict-local a/a>b/b conflict" },
		{ "local blanked", "-", "c", "a", "a", "remote=- conflict-local a/a>-/- conflict" },
		{ "remote blanked", "b", "-", "a", "a",
		  "remote=b conflict-local a/a>b/b conflict" },
		{ "matched, two values", "b", "c",
		  .want = "remote=b first-match-local none>b/b conflict" },
		{ "matched, local blank", "-", "c",
		  .want = "remote=- first-match-local none>-/- conflict" },
		{ "matched, remote blank", "b", "-",
		  .want = "remote=b first-match-local none>b/b" },
	};
	(void)state;
	CHECK(MAPPING_BOTH, LOCAL, CLEAR, rows);
}

static void test_rule_newest(void **state)
{
	static const struct row rows[] = {
		{ "remote is later", "b", "c", "a", "a",
		  "local=c conflict-newest-remote c/c conflict", .local_ms = 1, .remote_ms = 2 },
		{ "local is later", "b", "c", "a", "a",
		  "remote=b conflict-newest-local a/a>b/b conflict", .local_ms = 2,
		  .remote_ms = 1 },
		{ "at one time", "b", "c", "a", "a", "local=c conflict-newest-remote c/c conflict",
		  .local_ms = 2, .remote_ms = 2 },
		{ "local's time not known", "b", "c", "a", "a",
		  "local=c conflict-newest-remote c/c conflict", .remote_ms = 1 },
		{ "remote's time not known", "b", "c", "a", "a",
		  "local=c conflict-newest-remote c/c conflict", .local_ms = 1 },
		{ "no time known", "b", "c", "a", "a",
		  "local=c conflict-newest-remote c/c conflict" },
		{ "the later is a blank", "-", "c", "a", "a",
		  "remote=- conflict-newest-local a/a>-/- conflict", .local_ms = 2,
		  .remote_ms = 1 },
		{ "only the earlier changed", "a", "c", "a", "a", "local=c remote-changed c/c",
		  .local_ms = 2, .remote_ms = 1 },
		{ "matched, local is later", "b", "c",
		  .want = "remote=b first-match-newest-local none>b/b conflict", .local_ms = 2,
		  .remote_ms = 1 },
		{ "matched, remote is later", "b", "c",
		  .want = "local=c first-match-newest-remote c/c conflict", .local_ms = 1,
		  .remote_ms = 2 },
		{ "matched, no time known", "b", "c",
		  .want = "local=c first-match-newest-remote c/c conflict" },
	};
	(void)state;
	CHECK(MAPPING_BOTH, NEWEST, CLEAR, rows);
}

static void test_rule_nonblank(void **state)
{
	static const struct row rows[] = {
		{ "two values", "b", "c", "a", "a", "local=c conflict-remote c/c conflict" },
		{ "local blanked", "-", "c", "a", "a",
		  "local=c conflict-nonblank-remote c/c conflict" },
		{ "remote blanked", "b", "-", "a", "a",
		  "remote=b conflict-nonblank-local a/a>b/b conflict" },
		{ "both blanked", "-", "-", "a", "a", "nothing same-change -/-" },
		{ "blanked alone: no contest", "-", "a", "a", "a",
		  "remote=- local-changed a/a>-/-" },
		{ "matched, two values", "b", "c",
		  .want = "local=c first-match-remote c/c conflict" },
		{ "matched, local blank", "-", "c",
		  .want = "local=c first-match-nonblank-remote c/c" },
		{ "matched, remote blank", "b", "-",
		  .want = "remote=b first-match-nonblank-local none>b/b" },
		{ "a false is no blank", "1", "0", "-", "-",
		  "local=0 conflict-remote 0/0 conflict" },
	};
	(void)state;
	CHECK(MAPPING_BOTH, NONBLANK, CLEAR, rows);
}

static void test_rule_manual(void **state)
{
	static const struct row rows[] = {
		{ "two values", "b", "c", "a", "a", "nothing conflict-manual a/a conflict manual" },
		{ "local blanked", "-", "c", "a", "a",
		  "nothing conflict-manual a/a conflict manual" },
		{ "remote blanked", "b", "-", "a", "a",
		  "nothing conflict-manual a/a conflict manual" },
		{ "held: not a second conflict", "b", "c", "a", "a", "nothing frozen a/a manual",
		  .hold = FIELD_HELD_MANUAL },
		{ "held, local edited", "d", "c", "a", "a", "nothing frozen a/a manual",
		  .hold = FIELD_HELD_MANUAL },
		{ "held, edited to be equal", "c", "c", "a", "a", "nothing frozen a/a manual",
		  .hold = FIELD_HELD_MANUAL },
		{ "matched, two values", "b", "c",
		  .want = "nothing first-match-manual none conflict manual" },
		{ "matched, local blank", "-", "c",
		  .want = "nothing first-match-manual none conflict manual" },
		{ "matched and held", "b", "c", .want = "nothing frozen none manual",
		  .hold = FIELD_HELD_MANUAL },
	};
	(void)state;
	CHECK(MAPPING_BOTH, MANUAL, CLEAR, rows);
}

static void test_blank_clear(void **state)
{
	static const struct row both[] = {
		{ "local blanked", "-", "a", "a", "a", "remote=- local-changed a/a>-/-" },
		{ "remote blanked", "a", "-", "a", "a", "local=- remote-changed -/-" },
		{ "a conflict won by a blank", "b", "-", "a", "a",
		  "local=- conflict-remote -/- conflict" },
	};
	static const struct row down[] = {
		{ "the source is blanked", "a", "-", "a", "a", "local=- remote-changed -/-" },
		{ "an edit beside a blank source", "b", "-", "-", "-", "local=- put-back -/-" },
		{ "matched, the source is blank", "b", "-",
		  .want = "local=- first-match-remote -/-" },
	};
	(void)state;
	CHECK(MAPPING_BOTH, REMOTE, CLEAR, both);
	CHECK(MAPPING_DOWN, REMOTE, CLEAR, down);
}

static void test_blank_keep(void **state)
{
	static const struct row both[] = {
		{ "local blanked", "-", "a", "a", "a", "nothing blank-kept -/a" },
		{ "and again", "-", "a", "-", "a", "nothing unchanged -/a" },
		{ "remote blanked", "a", "-", "a", "a", "nothing blank-kept a/-" },
		{ "then local edited", "b", "-", "a", "-", "remote=b local-changed a/->b/b" },
		{ "then remote edited", "a", "b", "a", "-", "local=b remote-changed b/b" },
		{ "then the value blanked too", "-", "-", "a", "-", "nothing same-change -/-" },
		{ "a value over a value", "b", "a", "a", "a", "remote=b local-changed a/a>b/b" },
		{ "a value over a blank", "b", "-", "-", "-", "remote=b local-changed -/->b/b" },
		{ "a conflict won by a blank", "b", "-", "a", "a",
		  "nothing blank-kept b/- conflict" },
		{ "a conflict won by a value", "-", "b", "a", "a",
		  "local=b conflict-remote b/b conflict" },
		{ "a conflict of two values", "b", "c", "a", "a",
		  "local=c conflict-remote c/c conflict" },
		{ "matched, the winner is blank", "b", "-", .want = "nothing blank-kept b/-" },
		{ "matched, the loser is blank", "-", "b",
		  .want = "local=b first-match-remote b/b" },
		{ "a false is no blank", "0", "1", "1", "1", "remote=0 local-changed 1/1>0/0" },
	};
	static const struct row nonblank[] = {
		{ "the rule needs no policy", "b", "-", "a", "a",
		  "remote=b conflict-nonblank-local a/a>b/b conflict" },
		{ "matched", "b", "-", .want = "remote=b first-match-nonblank-local none>b/b" },
	};
	static const struct row manual[] = {
		{ "a person is asked first", "b", "-", "a", "a",
		  "nothing conflict-manual a/a conflict manual" },
	};
	static const struct row down[] = {
		{ "the source is blanked", "a", "-", "a", "a", "nothing blank-kept a/-" },
		{ "an edit beside a blank source", "b", "-", "a", "-", "nothing blank-kept b/-" },
		{ "the target is blanked", "-", "a", "a", "a", "local=a put-back a/a" },
		{ "the source has one again", "a", "b", "a", "-", "local=b remote-changed b/b" },
		{ "matched, the source is blank", "b", "-", .want = "nothing blank-kept b/-" },
	};
	static const struct row up[] = {
		{ "the source is blanked", "-", "a", "a", "a", "nothing blank-kept -/a" },
		{ "the target is blanked", "a", "-", "a", "a", "remote=a put-back a/a" },
	};
	(void)state;
	CHECK(MAPPING_BOTH, REMOTE, KEEP, both);
	CHECK(MAPPING_BOTH, NONBLANK, KEEP, nonblank);
	CHECK(MAPPING_BOTH, MANUAL, KEEP, manual);
	CHECK(MAPPING_DOWN, REMOTE, KEEP, down);
	CHECK(MAPPING_UP, REMOTE, KEEP, up);
}

static void test_blank_fill(void **state)
{
	static const struct row both[] = {
		{ "a value over a blank", "b", "-", "-", "-", "remote=b local-changed -/->b/b" },
		{ "a blank is filled", "-", "b", "-", "-", "local=b remote-changed b/b" },
		{ "local blanked", "-", "a", "a", "a", "nothing blank-kept -/a" },
		{ "and again", "-", "a", "-", "a", "nothing unchanged -/a" },
		{ "local edited", "b", "a", "a", "a", "nothing value-kept b/a" },
		{ "remote edited", "a", "b", "a", "a", "nothing value-kept a/b" },
		{ "a conflict of two values", "b", "c", "a", "a",
		  "nothing value-kept b/c conflict" },
		{ "a conflict, remote blanked", "b", "-", "a", "a",
		  "remote=b conflict-nonblank-local a/a>b/b conflict" },
		{ "a conflict, local blanked", "-", "c", "a", "a",
		  "local=c conflict-nonblank-remote c/c conflict" },
		{ "matched, two values", "b", "c", .want = "nothing value-kept b/c conflict" },
		{ "matched, local is blank", "-", "c",
		  .want = "local=c first-match-nonblank-remote c/c" },
		{ "matched, remote is blank", "b", "-",
		  .want = "remote=b first-match-nonblank-local none>b/b" },
		{ "a false is no blank", "0", "1", "1", "1", "nothing value-kept 0/1" },
	};
	static const struct row manual[] = {
		{ "two values: a person is asked", "b", "c", "a", "a",
		  "nothing conflict-manual a/a conflict manual" },
		{ "a blank: nothing to ask", "b", "-",
		  .want = "remote=b first-match-nonblank-local none>b/b" },
	};
	static const struct row down[] = {
		{ "the source changed", "a", "b", "a", "a", "nothing value-kept a/b" },
		{ "the target is edited", "b", "a", "a", "a", "nothing value-kept b/a" },
		{ "the target is blanked", "-", "a", "a", "a", "local=a put-back a/a" },
		{ "matched, two values", "b", "c", .want = "nothing value-kept b/c" },
		{ "matched, the target is blank", "-", "c",
		  .want = "local=c first-match-remote c/c" },
		{ "matched, the source is blank", "b", "-", .want = "nothing blank-kept b/-" },
	};
	(void)state;
	CHECK(MAPPING_BOTH, REMOTE, FILL, both);
	CHECK(MAPPING_BOTH, MANUAL, FILL, manual);
	CHECK(MAPPING_DOWN, REMOTE, FILL, down);
}

/* Every rule: a one-way field asks none. */
static void test_one_way(void **state)
{
	static const struct row down[] = {
		{ "the source changed", "a", "b", "a", "a", "local=b remote-changed b/b" },
		{ "the target is edited", "b", "a", "a", "a", "local=a put-back a/a" },
		{ "both", "b", "c", "a", "a", "local=c put-back c/c" },
		{ "both to the same", "b", "b", "a", "a", "nothing same-change b/b" },
		{ "the target of a settled difference", "c", "b", "a", "b",
		  "local=b put-back b/b" },
		{ "matched", "a", "b", .want = "local=b first-match-remote b/b" },
		{ "the remote is read only", "a", "b", "a", "a", "local=b remote-changed b/b",
		  .read_only = true },
		{ "an echo means nothing here", "a", "b", "a", "a", "local=b remote-changed b/b",
		  .echo = true },
	};
	static const struct row up[] = {
		{ "the source changed", "b", "a", "a", "a", "remote=b local-changed a/a>b/b" },
		{ "the target is edited", "a", "b", "a", "a", "remote=a put-back a/a" },
		{ "both", "b", "c", "a", "a", "remote=b put-back a/a>b/b" },
		{ "both to the same", "b", "b", "a", "a", "nothing same-change b/b" },
		{ "matched", "a", "b", .want = "remote=a first-match-local none>a/a" },
	};
	(void)state;
	for (unsigned rule = 0; rule < COUNT(rules); rule++) {
		check_rows(MAPPING_DOWN, rule, FIELD_BLANK_CLEAR, down, COUNT(down));
		check_rows(MAPPING_UP, rule, FIELD_BLANK_CLEAR, up, COUNT(up));
	}
}

static void test_echo(void **state)
{
	static const struct row up[] = {
		{ "the remote's form of ours", "A", "a", "A", "A", "nothing echo A/a",
		  .echo = true },
		{ "and from then on", "A", "a", "A", "a", "nothing unchanged A/a" },
		{ "edited there later", "A", "b", "A", "a", "remote=A put-back A/a>A/A" },
		{ "edited here since", "B", "a", "A", "A", "remote=B local-changed A/a>B/B",
		  .echo = true },
		{ "just as we wrote it", "A", "A", "A", "A", "nothing unchanged A/A",
		  .echo = true },
		{ "no base: nothing of ours", "A", "a",
		  .want = "remote=A first-match-local none>A/A", .echo = true },
	};
	static const struct row both[] = {
		{ "the row gets the remote's form", "A", "a", "A", "A", "local=a echo a/a",
		  .echo = true },
		{ "edited here since: no conflict", "B", "a", "A", "A",
		  "remote=B local-changed A/a>B/B", .echo = true },
	};
	(void)state;
	CHECK(MAPPING_UP, REMOTE, CLEAR, up);
	CHECK(MAPPING_BOTH, REMOTE, CLEAR, both);
}

/* We sent b, had no answer, and read the record again. */
static void test_unanswered(void **state)
{
	static const struct row rows[] = {
		{ "arrived", "b", "b", "a", "a", "nothing echo b/b", .sent = "b" },
		{ "did not", "b", "a", "a", "a", "remote=b local-changed a/a>b/b", .sent = "b" },
		{ "arrived, edited here since", "c", "b", "a", "a",
		  "remote=c local-changed b/b>c/c", .sent = "b" },
		{ "arrived, taken back here", "a", "b", "a", "a", "remote=a local-changed b/b>a/a",
		  .sent = "b" },
		{ "did not, edited here since", "c", "a", "a", "a",
		  "remote=c local-changed a/a>c/c", .sent = "b" },
		{ "did not, taken back here", "a", "a", "a", "a", "nothing unchanged a/a",
		  .sent = "b" },
		{ "edited there", "b", "c", "a", "a", "local=c conflict-remote c/c conflict",
		  .sent = "b" },
		{ "arrived in another form", "b", "x", "a", "a", "local=x echo x/x", .sent = "b",
		  .echo = true },
		{ "in another form, edited here", "c", "x", "a", "a",
		  "remote=c local-changed b/x>c/c", .sent = "b", .echo = true },
		{ "arrived, at a first match", "b", "b", .want = "nothing echo b/b", .sent = "b" },
		{ "at a first match, edited here", "c", "b",
		  .want = "remote=c local-changed b/b>c/c", .sent = "b" },
		{ "a blank arrived", "-", "-", "a", "a", "nothing echo -/-", .sent = "-" },
		{ "held: nothing is learned", "b", "b", "a", "a", "nothing frozen a/a flap",
		  .sent = "b", .hold = FIELD_HELD_FLAP },
		{ "held by hand: nothing either", "b", "x", "a", "a", "nothing frozen a/a manual",
		  .sent = "b", .echo = true, .hold = FIELD_HELD_MANUAL },
	};
	static const struct row up[] = {
		{ "arrived in another form", "b", "x", "a", "a", "nothing echo b/x", .sent = "b",
		  .echo = true },
	};
	static const struct row down[] = {
		{ "what was sent is not ours to know", "a", "b", "a", "a",
		  "local=b remote-changed b/b", .sent = "b" },
	};
	(void)state;
	CHECK(MAPPING_BOTH, REMOTE, CLEAR, rows);
	CHECK(MAPPING_UP, REMOTE, CLEAR, up);
	CHECK(MAPPING_DOWN, REMOTE, CLEAR, down);
}

static void test_held(void **state)
{
	static const struct row rows[] = {
		{ "flap", "b", "a", "a", "a", "nothing frozen a/a flap", .hold = FIELD_HELD_FLAP },
		{ "flap, remote changed", "a", "b", "a", "a", "nothing frozen a/a flap",
		  .hold = FIELD_HELD_FLAP },
		{ "flap, both changed", "b", "c", "a", "a", "nothing frozen a/a flap",
		  .hold = FIELD_HELD_FLAP },
		{ "flap, equal again", "b", "b", "a", "a", "nothing frozen a/a flap",
		  .hold = FIELD_HELD_FLAP },
		{ "undone", "a", "b", "a", "b", "nothing undone a/b undone",
		  .hold = FIELD_HELD_UNDONE },
		{ "undone, local edited", "c", "b", "a", "b", "remote=c local-changed a/b>c/c",
		  .hold = FIELD_HELD_UNDONE },
		{ "undone, remote edited", "a", "c", "a", "b", "local=c remote-changed c/c",
		  .hold = FIELD_HELD_UNDONE },
		{ "undone, both edited", "c", "d", "a", "b", "local=d conflict-remote d/d conflict",
		  .hold = FIELD_HELD_UNDONE },
		{ "undone, the undo's echo", "a", "x", "a", "b", "nothing undone a/x undone",
		  .hold = FIELD_HELD_UNDONE, .echo = true },
		{ "undone, the undo unanswered", "b", "b", "b", "a", "nothing undone b/a undone",
		  .hold = FIELD_HELD_UNDONE, .sent = "a" },
		{ "undone, it arrived unanswered", "b", "a", "b", "a", "nothing undone b/a undone",
		  .hold = FIELD_HELD_UNDONE, .sent = "a" },
		{ "undone without a base", "a", "b", .want = "nothing undone none undone",
		  .hold = FIELD_HELD_UNDONE },
	};
	static const struct row down[] = {
		{ "undone, one-way: not put back", "a", "b", "a", "b", "nothing undone a/b undone",
		  .hold = FIELD_HELD_UNDONE },
		{ "until the source changes", "a", "c", "a", "b", "local=c remote-changed c/c",
		  .hold = FIELD_HELD_UNDONE },
	};
	(void)state;
	CHECK(MAPPING_BOTH, REMOTE, CLEAR, rows);
	CHECK(MAPPING_DOWN, REMOTE, CLEAR, down);
}

static void test_read_only(void **state)
{
	static const struct row rows[] = {
		{ "local changed", "b", "a", "a", "a", "nothing remote-read-only a/a",
		  .read_only = true },
		{ "writable again", "b", "a", "a", "a", "remote=b local-changed a/a>b/b" },
		{ "remote changed", "a", "b", "a", "a", "local=b remote-changed b/b",
		  .read_only = true },
		{ "a conflict not decided yet", "b", "c", "a", "a", "nothing remote-read-only a/a",
		  .read_only = true },
		{ "matched", "b", "c", .want = "nothing remote-read-only none", .read_only = true },
		{ "the same change", "b", "b", "a", "a", "nothing same-change b/b",
		  .read_only = true },
	};
	static const struct row keep[] = {
		{ "a kept blank owes nothing", "-", "a", "a", "a", "nothing blank-kept -/a",
		  .read_only = true },
	};
	static const struct row up[] = {
		{ "nor is put back yet", "a", "b", "a", "a", "nothing remote-read-only a/a",
		  .read_only = true },
	};
	(void)state;
	CHECK(MAPPING_BOTH, LOCAL, CLEAR, rows);
	CHECK(MAPPING_BOTH, LOCAL, KEEP, keep);
	CHECK(MAPPING_UP, LOCAL, CLEAR, up);
}

static void test_reason_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FIELD_REASONS; i++) {
		assert_non_null(field_reason_name(i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(field_reason_name(i), field_reason_name(j));
	}
}

/* ---- every combination ---- */

static const struct value alphabet[] = { { 0 }, { "a", 1 }, { "b", 1 }, { "c", 1 } };

#define LETTERS COUNT(alphabet)

static void print_input(const struct field_merge_input *in)
{
	struct field_merge_result made = field_merge(in);
	char local[24], remote[24], sent[24] = "none", base[64], result[200];

	format_value(local, sizeof(local), in->local);
	format_value(remote, sizeof(remote), in->remote);
	format_base(base, sizeof(base), &in->base);
	if (in->sent)
		format_value(sent, sizeof(sent), *in->sent);
	format_result(result, sizeof(result), &made);
	print_error("%s %s %s L=%s R=%s base=%s hold=%s echo=%d sent=%s writable=%d "
		    "ms=%d,%d\n  -> %s\n",
		    directions[in->direction], rules[in->rule], blanks[in->blank], local, remote,
		    base, holds[in->hold], in->echo, sent, in->remote_writable, (int)in->local_ms,
		    (int)in->remote_ms, result);
}

#define MUST(in, truth)                                                                            \
	do {                                                                                       \
		if (!(truth)) {                                                                    \
			print_input(in);                                                           \
			fail_msg("does not hold: %s", #truth);                                     \
		}                                                                                  \
	} while (0)

/* As MUST, where there is an `if` that says when. */
#define MUST_IF(in, when, truth) MUST(in, !(when) || (truth))

static bool same_base(const struct field_base *a, const struct field_base *b)
{
	return a->settled == b->settled && (!a->settled || (value_equal(&a->ours, &b->ours) &&
							    value_equal(&a->theirs, &b->theirs)));
}

static bool same_result(const struct field_merge_result *a, const struct field_merge_result *b)
{
	return a->give == b->give && value_equal(&a->value, &b->value) && a->hold == b->hold &&
	       a->conflict == b->conflict && a->reason == b->reason &&
	       same_base(&a->meanwhile, &b->meanwhile) && same_base(&a->done, &b->done);
}

/* Both writes done and nothing else happened. */
static struct field_merge_input apply(const struct field_merge_input *in,
				      const struct field_merge_result *made)
{
	struct field_merge_input next = *in;

	if (made->give == FIELD_GIVE_LOCAL)
		next.local = made->value;
	if (made->give == FIELD_GIVE_REMOTE)
		next.remote = made->value;
	next.base = made->done;
	next.hold = made->hold;
	next.echo = false;
	if (made->hold == FIELD_FREE)
		next.sent = NULL; /* a held field's write stays open until its caller closes it */
	return next;
}

static void check_gift(const struct field_merge_input *in, const struct field_merge_result *made)
{
	bool down = made->give == FIELD_GIVE_LOCAL, up = made->give == FIELD_GIVE_REMOTE;
	const struct value *from = down ? &in->remote : &in->local;
	const struct value *over = down ? &in->local : &in->remote;
	bool given = down || up;

	/* No value that neither side held, none that is there already. */
	MUST_IF(in, given, value_equal(&made->value, from));
	MUST_IF(in, given, !value_equal(&made->value, over));
	MUST_IF(in, !given, value_is_null(&made->value));
	MUST_IF(in, up, in->remote_writable && in->direction != MAPPING_DOWN);
	MUST_IF(in, down, in->direction != MAPPING_UP);
	MUST_IF(in, given && in->blank != FIELD_BLANK_CLEAR, !value_is_null(&made->value));
	MUST_IF(in, given && in->blank == FIELD_BLANK_FILL, value_is_null(over));
	MUST_IF(in, given, made->hold == FIELD_FREE);
}

static void check_untouched(const struct field_merge_input *in,
			    const struct field_merge_result *made)
{
	bool untouched = in->base.settled && !in->sent && value_equal(&in->local, &in->base.ours) &&
			 value_equal(&in->remote, &in->base.theirs);

	MUST_IF(in, untouched, made->give == FIELD_GIVE_NOTHING);
	MUST_IF(in, untouched, same_base(&made->done, &in->base));
	MUST_IF(in, value_equal(&in->local, &in->remote), made->give == FIELD_GIVE_NOTHING);
	MUST_IF(in, value_equal(&in->local, &in->remote), !made->conflict);
}

static void check_base(const struct field_merge_input *in, const struct field_merge_result *made)
{
	struct field_merge_input next = apply(in, made);
	bool owes = made->reason == FIELD_REMOTE_READ_ONLY || made->hold != FIELD_FREE;

	/* It is what both hold then; meanwhile differs only if an answer is awaited. */
	MUST_IF(in, !owes,
		made->done.settled && value_equal(&next.local, &made->done.ours) &&
			value_equal(&next.remote, &made->done.theirs));
	MUST_IF(in, made->give != FIELD_GIVE_REMOTE, same_base(&made->meanwhile, &made->done));
	MUST_IF(in, owes && !in->echo && !in->sent, same_base(&made->done, &in->base));
	MUST_IF(in, in->hold == FIELD_HELD_MANUAL || in->hold == FIELD_HELD_FLAP,
		made->hold == in->hold && same_base(&made->done, &in->base) &&
			made->give == FIELD_GIVE_NOTHING && !made->conflict);
}

static void check_again(const struct field_merge_input *in, const struct field_merge_result *made)
{
	struct field_merge_input next = apply(in, made);
	struct field_merge_result again = field_merge(&next);

	MUST(in, again.give == FIELD_GIVE_NOTHING);
	MUST(in, !again.conflict);
	MUST(in, same_base(&again.done, &made->done));
	MUST(in, again.hold == made->hold);
	MUST_IF(in, made->hold == FIELD_FREE && made->reason != FIELD_REMOTE_READ_ONLY,
		again.reason == FIELD_UNCHANGED);
}

/* The remote got it or not, the answer was lost, and the row was edited or not. */
static void check_crash(const struct field_merge_input *in, const struct field_merge_result *made)
{
	struct field_merge_input lost = *in, arrived;
	struct field_merge_result again;

	if (made->give != FIELD_GIVE_REMOTE)
		return;
	lost.base = made->meanwhile;
	lost.hold = made->hold;
	lost.echo = false;
	lost.sent = &made->value;
	again = field_merge(&lost);
	MUST(in, again.give == made->give && value_equal(&again.value, &made->value));
	MUST_IF(in, !in->echo && !in->sent && in->hold == FIELD_FREE,
		again.reason == made->reason && again.conflict == made->conflict);
	arrived = lost;
	arrived.remote = made->value;
	for (size_t i = 0; i < LETTERS; i++) {
		bool edited = !value_equal(&alphabet[i], &made->value);

		arrived.local = alphabet[i];
		again = field_merge(&arrived);
		MUST(&arrived, !again.conflict && again.give != FIELD_GIVE_LOCAL);
		MUST_IF(&arrived, !edited, same_base(&again.done, &made->done));
		MUST_IF(&arrived, edited && in->blank == FIELD_BLANK_CLEAR,
			again.give == FIELD_GIVE_REMOTE);
		MUST_IF(&arrived, !edited, again.give == FIELD_GIVE_NOTHING);
	}
}

static void check_contest(const struct field_merge_input *in, const struct field_merge_result *made)
{
	bool both_changed = !value_equal(&in->local, &in->base.ours) &&
			    !value_equal(&in->remote, &in->base.theirs);

	MUST_IF(in, made->conflict, in->direction == MAPPING_BOTH);
	MUST_IF(in, made->conflict, !in->base.settled || both_changed);
	MUST_IF(in, made->hold != in->hold,
		(made->hold == FIELD_HELD_MANUAL && made->conflict &&
		 in->rule == FIELD_RULE_MANUAL) ||
			(made->hold == FIELD_FREE && in->hold == FIELD_HELD_UNDONE));
	/* A value that both sides' edits contend for never goes without a line in the ledger. */
	MUST_IF(in,
		made->give != FIELD_GIVE_NOTHING && in->direction == MAPPING_BOTH && !in->echo &&
			!in->sent && in->base.settled && both_changed,
		made->conflict);
	MUST_IF(in,
		made->give != FIELD_GIVE_NOTHING && in->direction == MAPPING_BOTH && !in->sent &&
			!in->base.settled && !value_is_null(&in->local) &&
			!value_is_null(&in->remote),
		made->conflict);
}

static struct field_merge_input mirror(const struct field_merge_input *in)
{
	static const enum mapping_direction other_way[] = { MAPPING_UP, MAPPING_DOWN,
							    MAPPING_BOTH };
	static const enum field_rule other_rule[] = { FIELD_RULE_LOCAL, FIELD_RULE_REMOTE,
						      FIELD_RULE_NEWEST, FIELD_RULE_NONBLANK,
						      FIELD_RULE_MANUAL };
	struct field_merge_input other = *in;

	other.direction = other_way[in->direction];
	other.rule = other_rule[in->rule];
	other.local = in->remote;
	other.remote = in->local;
	other.base.ours = in->base.theirs;
	other.base.theirs = in->base.ours;
	other.local_ms = in->remote_ms;
	other.remote_ms = in->local_ms;
	return other;
}

/* Seen in a mirror it is the same, where Salesforce has no advantage: a tie, two nonblanks. */
static void check_mirror(const struct field_merge_input *in, const struct field_merge_result *made)
{
	static const enum field_give other_side[] = { FIELD_GIVE_NOTHING, FIELD_GIVE_REMOTE,
						      FIELD_GIVE_LOCAL };
	bool one_blank = value_is_null(&in->local) || value_is_null(&in->remote);
	bool tie = !in->local_ms || !in->remote_ms || in->local_ms == in->remote_ms;
	struct field_merge_input other = mirror(in);
	struct field_merge_result seen;

	if (in->echo || in->sent || !in->remote_writable ||
	    (in->rule == FIELD_RULE_NEWEST && tie) ||
	    (in->rule == FIELD_RULE_NONBLANK && !one_blank))
		return;
	seen = field_merge(&other);
	MUST(in, seen.give == other_side[made->give]);
	MUST(in, value_equal(&seen.value, &made->value));
	MUST(in, seen.conflict == made->conflict && seen.hold == made->hold);
	MUST(in, seen.done.settled == made->done.settled);
	MUST_IF(in, made->done.settled,
		value_equal(&seen.done.ours, &made->done.theirs) &&
			value_equal(&seen.done.theirs, &made->done.ours));
}

static void check_what_is_not_asked(const struct field_merge_input *in,
				    const struct field_merge_result *made)
{
	static const struct value never_read = { (const char *)1, 1 };
	struct field_merge_input other = *in;
	struct field_merge_result same;

	other.rule = (in->rule + 1) % COUNT(rules);
	same = field_merge(&other);
	MUST_IF(in, in->direction != MAPPING_BOTH, same_result(&same, made));
	if (!in->base.settled) {
		other = *in;
		other.base.ours = other.base.theirs = never_read;
		same = field_merge(&other);
		MUST(in, same_result(&same, made));
	}
	if (in->rule != FIELD_RULE_NEWEST) {
		other = *in;
		other.local_ms = 9;
		other.remote_ms = 5;
		same = field_merge(&other);
		MUST(in, same_result(&same, made));
	}
}

static void check_case(const struct field_merge_input *in)
{
	struct field_merge_result made = field_merge(in);

	check_gift(in, &made);
	check_untouched(in, &made);
	check_base(in, &made);
	check_again(in, &made);
	check_crash(in, &made);
	check_contest(in, &made);
	check_mirror(in, &made);
	check_what_is_not_asked(in, &made);
}

/* One digit of a number in a mixed base: so that all combinations are one loop. */
static unsigned take(unsigned *number, unsigned base)
{
	unsigned digit = *number % base;

	*number /= base;
	return digit;
}

static void test_every_combination(void **state)
{
	/* A time is looked at by `newest` alone, which thus stands here four times. */
	static const struct {
		enum field_rule rule;
		int64_t local_ms, remote_ms;
	} judges[] = {
		{ FIELD_RULE_REMOTE, 0, 0 },   { FIELD_RULE_LOCAL, 0, 0 },
		{ FIELD_RULE_NEWEST, 2, 1 },   { FIELD_RULE_NEWEST, 1, 2 },
		{ FIELD_RULE_NEWEST, 2, 2 },   { FIELD_RULE_NEWEST, 2, 0 },
		{ FIELD_RULE_NONBLANK, 0, 0 }, { FIELD_RULE_MANUAL, 0, 0 },
	};
	unsigned cases = 0;
	(void)state;

	for (;; cases++) {
		unsigned rest = cases, judge = take(&rest, COUNT(judges));
		struct field_merge_input in = { .rule = judges[judge].rule,
						.local_ms = judges[judge].local_ms,
						.remote_ms = judges[judge].remote_ms };
		unsigned base, sent;

		in.direction = take(&rest, COUNT(directions));
		in.blank = take(&rest, COUNT(blanks));
		in.hold = take(&rest, COUNT(holds));
		in.echo = take(&rest, 2);
		in.remote_writable = take(&rest, 2);
		in.local = alphabet[take(&rest, LETTERS)];
		in.remote = alphabet[take(&rest, LETTERS)];
		sent = take(&rest, LETTERS + 1);
		in.sent = sent < LETTERS ? &alphabet[sent] : NULL;
		base = take(&rest, LETTERS * LETTERS + 1);
		if (rest)
			break;
		if (base < LETTERS * LETTERS)
			in.base = (struct field_base){ true, alphabet[base % LETTERS],
						       alphabet[base / LETTERS] };
		check_case(&in);
	}
	print_message("%u combinations\n", cases);
	assert_int_equal(cases, 8 * 3 * 3 * 4 * 2 * 2 * 4 * 4 * 5 * 17);
}

/* ---- histories ---- */

#define HISTORIES 20000
#define SEED      20260207u

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* A pair with one field. `in` holds both sides and the link; `sent` is its journal. */
struct pair {
	struct field_merge_input in;
	struct value sent;
	bool remote_folds;   /* the remote stores A as a */
	unsigned downs, ups; /* writes */
	unsigned conflicts;
	int64_t now_ms;
};

static struct value store_at_remote(const struct pair *pair, struct value in)
{
	static const struct value small = { "a", 1 };

	return pair->remote_folds && in.text && *in.text == 'A' ? small : in;
}

static void edit_local(struct pair *pair, struct value to)
{
	if (value_equal(&pair->in.local, &to))
		return;
	pair->in.local = to;
	pair->in.local_ms = ++pair->now_ms;
}

static void edit_remote(struct pair *pair, struct value to)
{
	if (value_equal(&pair->in.remote, &to))
		return;
	pair->in.remote = to;
	pair->in.remote_ms = ++pair->now_ms;
	pair->in.echo = false;
}

enum fate { ANSWERED, CUT_BEFORE, CUT_AFTER };

/* Merges and does what it says. A cut one leaves the link as it is meanwhile, and the journal; had
 * the remote got it or not. */
static enum field_give merge_once(struct pair *pair, enum fate fate)
{
	struct field_merge_result made = field_merge(&pair->in);

	pair->in.base = made.meanwhile;
	pair->in.hold = made.hold;
	pair->in.echo = false;
	pair->in.sent = NULL;
	pair->conflicts += made.conflict;
	if (made.give == FIELD_GIVE_LOCAL) {
		pair->in.local = made.value;
		pair->downs++;
	} else if (made.give == FIELD_GIVE_REMOTE) {
		pair->ups++;
		if (fate != CUT_BEFORE) {
			pair->in.remote = store_at_remote(pair, made.value);
			pair->in.echo = true;
		}
		if (fate == ANSWERED)
			pair->in.base = made.done;
		pair->sent = made.value;
		pair->in.sent = fate == ANSWERED ? NULL : &pair->sent;
	}
	return made.give;
}

static unsigned merge_until_quiet(struct pair *pair)
{
	unsigned rounds = 0;

	while (merge_once(pair, ANSWERED) != FIELD_GIVE_NOTHING)
		MUST(&pair->in, ++rounds <= 2);
	return rounds;
}

enum editors { NOBODY, LOCALS, REMOTES, EVERYBODY, EDITORS };

/* Edits, cuts and merges, and at the end no more of either. Returns the last value edited. */
static struct value live(struct pair *pair, enum editors who, uint32_t *seed, size_t letters)
{
	struct value last = pair->in.local;

	for (unsigned events = 2 + next_random(seed) % 12; events; events--) {
		struct value to = alphabet[next_random(seed) % letters];

		switch (next_random(seed) % 4) {
		case 0:
			if (who == LOCALS || who == EVERYBODY)
				edit_local(pair, last = to);
			break;
		case 1:
			if (who == REMOTES || who == EVERYBODY)
				edit_remote(pair, last = to);
			break;
		case 2: merge_once(pair, ANSWERED); break;
		case 3: merge_once(pair, next_random(seed) % 2 ? CUT_BEFORE : CUT_AFTER); break;
		}
	}
	return last;
}

static struct pair random_pair(uint32_t *seed)
{
	struct pair pair = { .now_ms = 1 };

	pair.in = (struct field_merge_input){ .direction = next_random(seed) % COUNT(directions),
					      .rule = next_random(seed) % COUNT(rules),
					      .blank = next_random(seed) % COUNT(blanks),
					      .remote_writable = true,
					      .local = alphabet[next_random(seed) % LETTERS],
					      .local_ms = 1,
					      .remote_ms = 1 };
	pair.in.remote = pair.in.local;
	if (next_random(seed) % 4)
		pair.in.base = (struct field_base){ true, pair.in.local, pair.in.remote };
	return pair;
}

static void test_histories(void **state)
{
	uint32_t seed = SEED;
	unsigned seen_equal = 0, seen_apart = 0, seen_held = 0;
	(void)state;

	print_message("seed %u\n", seed);
	for (unsigned i = 0; i < HISTORIES; i++) {
		struct pair pair = random_pair(&seed);
		enum editors who = next_random(&seed) % EDITORS;
		enum mapping_direction way = pair.in.direction;
		bool policy = pair.in.blank != FIELD_BLANK_CLEAR, settled = pair.in.base.settled;
		struct value last = live(&pair, who, &seed, LETTERS);
		struct value local, remote;
		bool equal, held;

		merge_until_quiet(&pair);
		equal = value_equal(&pair.in.local, &pair.in.remote);
		held = pair.in.hold != FIELD_FREE;
		MUST_IF(&pair.in, !policy && !held, equal);
		MUST_IF(&pair.in, held, pair.in.rule == FIELD_RULE_MANUAL && pair.conflicts);
		/* An untouched field is never written. */
		MUST_IF(&pair.in, who == NOBODY, pair.downs + pair.ups + pair.conflicts == 0);
		/* Who edits alone is never contradicted, however the daemon was cut. */
		if (!policy && settled && who == LOCALS && way != MAPPING_DOWN)
			MUST(&pair.in, pair.downs + pair.conflicts == 0 &&
					       value_equal(&pair.in.remote, &last));
		if (!policy && settled && who == REMOTES && way != MAPPING_UP)
			MUST(&pair.in,
			     pair.ups + pair.conflicts == 0 && value_equal(&pair.in.local, &last));
		/* Quiet is quiet. */
		local = pair.in.local;
		remote = pair.in.remote;
		MUST(&pair.in, merge_until_quiet(&pair) == 0);
		MUST(&pair.in,
		     value_equal(&local, &pair.in.local) && value_equal(&remote, &pair.in.remote));
		seen_equal += equal;
		seen_apart += !equal && !held;
		seen_held += held;
	}
	assert_true(seen_equal && seen_apart && seen_held);
}

/* A remote that stores what it gets in its own form: one round, then quiet, and no conflict. */
static void test_a_remote_with_a_form_of_its_own(void **state)
{
	static const struct value big = { "A", 1 };
	(void)state;

	for (unsigned cut = ANSWERED; cut <= CUT_AFTER; cut++) {
		for (enum mapping_direction way = MAPPING_UP; way <= MAPPING_BOTH; way++) {
			struct pair pair = { .remote_folds = true };

			pair.in.direction = way;
			pair.in.remote_writable = true;
			pair.in.base.settled = true;
			edit_local(&pair, big);
			merge_once(&pair, cut);
			merge_until_quiet(&pair);
			assert_int_equal(pair.ups, cut == CUT_BEFORE ? 2 : 1);
			assert_int_equal(pair.downs, way == MAPPING_BOTH);
			assert_int_equal(pair.conflicts, 0);
			assert_true(value_equal(&pair.in.remote, &alphabet[1]));
			assert_true(value_equal(&pair.in.local,
						way == MAPPING_BOTH ? &alphabet[1] : &big));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_contest),
		cmocka_unit_test(test_rule_remote),
		cmocka_unit_test(test_rule_local),
		cmocka_unit_test(test_rule_newest),
		cmocka_unit_test(test_rule_nonblank),
		cmocka_unit_test(test_rule_manual),
		cmocka_unit_test(test_blank_clear),
		cmocka_unit_test(test_blank_keep),
		cmocka_unit_test(test_blank_fill),
		cmocka_unit_test(test_one_way),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_unanswered),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_reason_names),
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_histories),
		cmocka_unit_test(test_a_remote_with_a_form_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
