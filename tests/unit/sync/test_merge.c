/* Tables of the one function that decides. Two fields, Name and Email, and IsDeleted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "record/mapping.h"
#include "sync/merge.h"

enum { NAME, EMAIL, IS_DELETED, FIELDS };

static struct mapping_field fields[FIELDS] = {
	{ .field = "Name", .column = "name", .type = VALUE_TEXT },
	{ .field = "Email", .column = "email", .type = VALUE_TEXT },
	{ .field = "IsDeleted", .column = "is_deleted", .type = VALUE_BOOLEAN },
};
static struct mapping mapping = { .fields = fields, .count = FIELDS, .shares = 1 };

#define SAME                                                                                       \
	{                                                                                          \
		{                                                                                  \
			1, 1                                                                       \
		}                                                                                  \
	}
#define OTHER                                                                                      \
	{                                                                                          \
		{                                                                                  \
			2, 2                                                                       \
		}                                                                                  \
	}

static const char *const actions[] = { "nothing", "insert", "update", "delete" };
static const char *const counts[] = { "unchanged", "buried",  "unmatched", "waits",
				      "inserted",  "updated", "deleted",   "rejected" };
static const char *const states[] = { "live", "deleted", "parked" };

/* Values as "name,email,is_deleted"; an empty one is null; NULL: there is no row. */
struct row {
	const char *name;
	const char *record;
	bool deleted, rejected;
	const char *master;
	/* the link: */
	const char *link; /* NULL none, else its state */
	bool changed;     /* its hash is another */
	const char *key;  /* NULL: none */
	const char *base; /* what both held when last settled; NULL: "Ann,a@x,0" */
	/* the store: */
	const char *row;
	bool row_is_not_linked; /* found by its natural key */
	const char *owner;      /* "live", "deleted": of another record */
	bool winner_deleted;
	const char *winner_key; /* the winner's link has this key; NULL: none */
	/* the rules: */
	enum merge_on_delete on_delete;
	bool natural, compare, candidates, no_rows, deletes_records, up;
	/* what is wanted: "action columns count", and the link's new "state key" or "" */
	const char *want, *want_link;
	bool repoints, owes_delete;
	const char *beats;
};

static const struct row rows[] = {
	{ "never seen", "Ann,a@x,0", .want = "insert 111 inserted", .want_link = "live -" },
	{ "same", "Ann,a@x,0", .link = "live", .key = "1", .row = "Ann,a@x,0",
	  .want = "nothing 000 unchanged", .want_link = "" },
	{ "same, row edited", "Ann,a@x,0", .link = "live", .key = "1", .row = "Bob,a@x,0",
	  .want = "nothing 000 unchanged", .want_link = "" },
	{ "same, row edited, whole read", "Ann,a@x,0", .link = "live", .key = "1",
	  .row = "Bob,a@x,0", .compare = true, .want = "update 100 updated", .want_link = "" },
	{ "same, row equal, whole read", "Ann,a@x,0", .link = "live", .key = "1",
	  .row = "Ann,a@x,0", .compare = true, .want = "nothing 000 unchanged", .want_link = "" },
	{ "same, row gone, whole read", "Ann,a@x,0", .link = "live", .key = "1", .compare = true,
	  .want = "insert 111 inserted", .want_link = "live -" },
	{ "changed", "Ann,b@x,0", .link = "live", .changed = true, .key = "1", .row = "Ann,a@x,0",
	  .want = "update 010 updated", .want_link = "live 1" },
	{ "changed to null", "Ann,,0", .link = "live", .changed = true, .key = "1",
	  .row = "Ann,a@x,0", .want = "update 010 updated", .want_link = "live 1" },
	{ "changed, row equal already", "Ann,b@x,0", .link = "live", .changed = true, .key = "1",
	  .row = "Ann,b@x,0", .want = "nothing 000 unchanged", .want_link = "live 1" },
	{ "changed, row edited too", "Ann,b@x,0", .link = "live", .changed = true, .key = "1",
	  .row = "Bob,a@x,0", .want = "update 110 updated", .want_link = "live 1" },
	{ "changed, row gone", "Ann,b@x,0", .link = "live", .changed = true, .key = "1",
	  .want = "insert 111 inserted", .want_link = "live -" },
	{ "in sight again, same", "Ann,a@x,0", .link = "parked", .key = "1", .row = "Ann,a@x,0",
	  .want = "nothing 000 unchanged", .want_link = "live 1" },
	{ "rejected", "", .rejected = true, .link = "live", .changed = true, .key = "1",
	  .row = "Ann,a@x,0", .want = "nothing 000 rejected", .want_link = "" },
	{ "rejected, never seen", "", .rejected = true, .want = "nothing 000 rejected",
	  .want_link = "" },
	/* deletions */
	{ "deleted, never seen", "Ann,a@x,1", .deleted = true, .want = "nothing 000 unchanged",
	  .want_link = "" },
	{ "deleted, keep", "Ann,a@x,1", .deleted = true, .link = "live", .changed = true,
	  .key = "1", .row = "Ann,a@x,0", .want = "nothing 000 unchanged",
	  .want_link = "deleted 1" },
	{ "deleted, mark", "Ann,b@x,1", .deleted = true, .link = "live", .changed = true,
	  .key = "1", .row = "Ann,a@x,0", .on_delete = MERGE_MARK, .want = "update 001 deleted",
	  .want_link = "deleted 1" },
	{ "deleted, marked already", "Ann,a@x,1", .deleted = true, .link = "live", .changed = true,
	  .key = "1", .row = "Ann,a@x,1", .on_delete = MERGE_MARK, .want = "nothing 000 unchanged",
	  .want_link = "deleted 1" },
	{ "deleted, delete", "Ann,a@x,1", .deleted = true, .link = "live", .changed = true,
	  .key = "1", .row = "Ann,a@x,0", .on_delete = MERGE_DELETE, .want = "delete 000 deleted",
	  .want_link = "deleted -" },
	{ "deleted, row gone before", "Ann,a@x,1", .deleted = true, .link = "live", .changed = true,
	  .key = "1", .on_delete = MERGE_DELETE, .want = "nothing 000 unchanged",
	  .want_link = "deleted -" },
	{ "deleted out of sight", "Ann,a@x,1", .deleted = true, .link = "parked", .changed = true,
	  .key = "1", .row = "Ann,a@x,0", .on_delete = MERGE_DELETE, .want = "delete 000 deleted",
	  .want_link = "deleted -" },
	{ "deleted again", "Ann,a@x,1", .deleted = true, .link = "deleted", .changed = true,
	  .key = "1", .row = "Ann,a@x,0", .on_delete = MERGE_DELETE, .want = "nothing 000 buried",
	  .want_link = "" },
	{ "deleted, its values bad", "", .deleted = true, .rejected = true, .link = "live",
	  .changed = true, .key = "1", .row = "Ann,a@x,0", .on_delete = MERGE_DELETE,
	  .want = "delete 000 deleted", .want_link = "deleted -" },
	{ "undeleted, row kept", "Ann,a@x,0", .link = "deleted", .changed = true, .key = "1",
	  .row = "Ann,a@x,0", .want = "nothing 000 unchanged", .want_link = "live 1" },
	{ "undeleted, row marked", "Ann,a@x,0", .link = "deleted", .changed = true, .key = "1",
	  .row = "Ann,a@x,1", .on_delete = MERGE_MARK, .want = "update 001 updated",
	  .want_link = "live 1" },
	{ "undeleted, row deleted", "Ann,a@x,0", .link = "deleted", .changed = true,
	  .on_delete = MERGE_DELETE, .want = "insert 111 inserted", .want_link = "live -" },
	/* merges */
	{ "lost to a new winner", "Ann,a@x,1", .deleted = true, .master = "W", .link = "live",
	  .changed = true, .key = "1", .row = "Ann,a@x,0", .on_delete = MERGE_DELETE,
	  .want = "nothing 000 unchanged", .want_link = "deleted -", .repoints = true },
	{ "lost to a winner with a row", "Ann,a@x,1", .deleted = true, .master = "W",
	  .link = "live", .changed = true, .key = "1", .row = "Ann,a@x,0", .winner_key = "2",
	  .on_delete = MERGE_DELETE, .want = "delete 000 deleted", .want_link = "deleted -" },
	{ "lost to a deleted winner", "Ann,a@x,1", .deleted = true, .master = "W", .link = "live",
	  .changed = true, .key = "1", .row = "Ann,a@x,0", .winner_deleted = true,
	  .on_delete = MERGE_DELETE, .want = "delete 000 deleted", .want_link = "deleted -" },
	{ "lost, row gone before", "Ann,a@x,1", .deleted = true, .master = "W", .link = "live",
	  .changed = true, .key = "1", .want = "nothing 000 unchanged", .want_link = "deleted -" },
	{ "lost, never seen", "Ann,a@x,1", .deleted = true, .master = "W",
	  .want = "nothing 000 unchanged", .want_link = "" },
	/* natural keys: Name is the key */
	{ "natural, new", "Ann,a@x,0", .natural = true, .want = "insert 111 inserted",
	  .want_link = "live Ann" },
	{ "natural, row there", "Ann,a@x,0", .natural = true, .row = "Ann,b@x,0",
	  .row_is_not_linked = true, .want = "update 010 updated", .want_link = "live Ann" },
	{ "natural, equal row there", "Ann,a@x,0", .natural = true, .row = "Ann,a@x,0",
	  .row_is_not_linked = true, .want = "nothing 000 unchanged", .want_link = "live Ann" },
	{ "natural, row of another", "Ann,a@x,0", .natural = true, .row = "Ann,b@x,0",
	  .row_is_not_linked = true, .owner = "live", .want = "nothing 000 rejected",
	  .want_link = "" },
	{ "natural, row of a deleted one", "Ann,a@x,0", .natural = true, .row = "Ann,b@x,0",
	  .row_is_not_linked = true, .owner = "deleted", .want = "update 010 updated",
	  .want_link = "live Ann" },
	{ "natural, empty", ",a@x,0", .natural = true, .want = "nothing 000 rejected",
	  .want_link = "" },
	{ "natural, key changed", "Ann,a@x,0", .natural = true, .link = "live", .changed = true,
	  .key = "Amy", .base = "Amy,a@x,0", .row = "Amy,a@x,0", .want = "update 100 updated",
	  .want_link = "live Ann" },
	{ "natural, row gone, another there", "Ann,a@x,0", .natural = true, .link = "live",
	  .changed = true, .key = "Amy", .row = "Ann,b@x,0", .row_is_not_linked = true,
	  .want = "update 010 updated", .want_link = "live Ann" },
	/* rows that are not made, or not yet */
	{ "never seen, rows are not made", "Ann,a@x,0", .no_rows = true,
	  .want = "nothing 000 unmatched", .want_link = "" },
	{ "never seen, a row looks like it", "Ann,a@x,0", .candidates = true,
	  .want = "nothing 000 waits", .want_link = "" },
	{ "row gone, rows are not made", "Ann,b@x,0", .link = "live", .changed = true, .key = "1",
	  .no_rows = true, .want = "insert 111 inserted", .want_link = "live -" },
	/* a deleted row and its record */
	{ "row gone, its record is to follow", "Ann,a@x,0", .link = "live", .changed = true,
	  .deletes_records = true, .want = "nothing 000 unchanged", .want_link = "",
	  .owes_delete = true },
	{ "row gone, but its record was edited", "Ann,b@x,0", .link = "live", .changed = true,
	  .deletes_records = true, .want = "insert 111 inserted", .want_link = "live -",
	  .beats = "remote" },
	{ "row gone, nothing was edited", "Ann,a@x,0", .link = "live", .changed = true, .key = "1",
	  .want = "nothing 000 unchanged", .want_link = "live -" },
	/* a deleted record and its row */
	{ "deleted, but its row was edited", "Ann,a@x,1", .deleted = true, .link = "live",
	  .changed = true, .key = "1", .row = "Bob,a@x,0", .up = true, .on_delete = MERGE_DELETE,
	  .want = "nothing 000 unchanged", .want_link = "deleted 1", .beats = "local" },
	{ "deleted, an edit that goes nowhere", "Ann,a@x,1", .deleted = true, .link = "live",
	  .changed = true, .key = "1", .row = "Bob,a@x,0", .on_delete = MERGE_DELETE,
	  .want = "delete 000 deleted", .want_link = "deleted -" },
};

static void parse_values(const char *text, struct value values[FIELDS])
{
	memset(values, 0, FIELDS * sizeof(*values));
	for (size_t i = 0; i < FIELDS && *text; i++) {
		size_t len = strcspn(text, ",");

		if (len)
			values[i] = (struct value){ text, (uint32_t)len };
		text += len + (text[len] == ',');
	}
}

static struct value text_value(const char *text)
{
	return text ? (struct value){ text, (uint32_t)strlen(text) } : (struct value){ 0 };
}

static enum link_state state_of(const char *name)
{
	enum link_state state = LINK_LIVE;

	while (strcmp(states[state], name) != 0)
		state++;
	return state;
}

/* What a pair's fields come to, without an arena. */
struct room {
	struct pair_field fields[FIELDS];
	struct value values[FIELDS];
	bool local[FIELDS], remote[FIELDS];
	struct link_field link[FIELDS];
};

static struct merge_result result_in(struct room *room)
{
	return (struct merge_result){ .pair = { .fields = room->fields,
						.values = room->values,
						.local = room->local,
						.remote = room->remote,
						.link = room->link } };
}

static void play(const struct row *row)
{
	static const struct error bad = { .code = "bad-value" };
	struct value values[FIELDS], held[FIELDS], settled[FIELDS];
	struct link_field base[FIELDS] = { 0 };
	struct record record = { .id = "R",
				 .master_id = row->master,
				 .deleted = row->deleted,
				 .values = values,
				 .reject = row->rejected ? &bad : NULL };
	struct link link = {
		.found = row->link, .hash = SAME, .key = text_value(row->key), .fields = base
	};
	struct link winner = { .found = row->winner_key || row->winner_deleted,
			       .state = row->winner_deleted ? LINK_DELETED : LINK_LIVE,
			       .key = text_value(row->winner_key) };
	struct store_row held_row = { .found = row->row, .values = held };
	struct store_owner owner = { .found = row->owner, .remote_id = "O" };
	struct merge_rules rules = { .mapping = &mapping,
				     .on_delete = row->on_delete,
				     .mark_field =
					     row->on_delete == MERGE_MARK ? IS_DELETED : SIZE_MAX,
				     .key_field = row->natural ? NAME : SIZE_MAX,
				     .compare = row->compare,
				     .creates_rows = !row->no_rows,
				     .deletes_records = row->deletes_records };
	struct merge_input input = { .record = &record,
				     .hash = SAME,
				     .link = &link,
				     .row = &held_row,
				     .owner = row->natural ? &owner : NULL,
				     .has_candidates = row->candidates,
				     .row_is_linked = row->row && !row->row_is_not_linked,
				     .winner = row->master ? &winner : NULL };
	struct room room = { 0 };
	bool *set = room.local;
	struct merge_result got = result_in(&room);
	char text[64];

	parse_values(row->record, values);
	parse_values(row->row ? row->row : "", held);
	if (row->link)
		link.state = state_of(row->link);
	if (row->owner)
		owner.state = state_of(row->owner);
	if (row->changed)
		input.hash = (struct record_hash)OTHER;
	parse_values(row->base ? row->base : "Ann,a@x,0", settled);
	for (size_t i = 0; i < FIELDS && row->link; i++)
		base[i].base = (struct field_base){ true, settled[i], settled[i] };
	fields[NAME].direction = row->up ? MAPPING_BOTH : MAPPING_DOWN;
	merge(&rules, &input, &got);
	fields[NAME].direction = MAPPING_DOWN;
	if (got.write.action != STORE_INSERT && got.write.action != STORE_UPDATE)
		memset(set, 0, sizeof(room.local));
	snprintf(text, sizeof(text), "%s %d%d%d %s", actions[got.write.action], set[0], set[1],
		 set[2], counts[got.count]);
	if (strcmp(text, row->want) != 0)
		fail_msg("%s: %s instead of %s", row->name, text, row->want);
	*text = '\0';
	if (got.write.puts_link)
		snprintf(text, sizeof(text), "%s %.*s", states[got.write.link.state],
			 got.write.link.key.text ? (int)got.write.link.key.len : 1,
			 got.write.link.key.text ? got.write.link.key.text : "-");
	if (strcmp(text, row->want_link) != 0)
		fail_msg("%s: link \"%s\" instead of \"%s\"", row->name, text, row->want_link);
	assert_int_equal(got.repoints, row->repoints);
	assert_int_equal(got.owes_delete, row->owes_delete);
	assert_string_equal(got.edit_beat ? got.edit_beat : "", row->beats ? row->beats : "");
	/* A row of another, deleted record changes hands. */
	if (row->owner && got.count == MERGE_UPDATED)
		assert_string_equal(got.write.takes_from, "O");
}

static void every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		play(&rows[i]);
}

/* What only goes up is blank in a row just made: that is settled, and wipes nothing. */
static void a_row_made_wipes_nothing(void **state)
{
	struct value values[FIELDS];
	struct record record = { .id = "R", .values = values };
	struct link_field none[FIELDS] = { 0 };
	struct link link = { .fields = none };
	struct store_row row = { 0 };
	struct merge_rules rules = { .mapping = &mapping,
				     .mark_field = SIZE_MAX,
				     .key_field = SIZE_MAX,
				     .creates_rows = true };
	struct merge_input input = { .record = &record, .hash = OTHER, .link = &link, .row = &row };
	struct room room = { 0 };
	struct merge_result got = result_in(&room);

	(void)state;
	parse_values("Ann,a@x,0", values);
	fields[EMAIL].direction = MAPPING_UP;
	merge(&rules, &input, &got);
	fields[EMAIL].direction = MAPPING_DOWN;
	assert_int_equal(got.write.action, STORE_INSERT);
	assert_true(room.local[NAME] && !room.local[EMAIL]);
	assert_true(room.link[EMAIL].base.settled);
	assert_null(room.link[EMAIL].base.ours.text);
	assert_string_equal(room.link[EMAIL].base.theirs.text, "a@x,0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(a_row_made_wipes_nothing),
	};

	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
