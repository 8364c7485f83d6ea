/* Random histories: edits, deletions, merges and late commits at the remote, also between the pages
 * of a run; runs that fail, are cut, or lose what was not committed. Whatever happened, the end is
 * what the remote holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define PEOPLE 40
#define STEPS  14
#define SEEDS  60

/* splitmix64: the same history for the same seed, everywhere. */
static uint64_t seed;

static unsigned below(unsigned most)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (unsigned)((z ^ (z >> 31)) % most);
}

static const char *any_city(void)
{
	static const char *const cities[] = { "Paris", "Oslo", "Roma", "Lyon", NULL };

	return cities[below(5)];
}

static const char *any_score(void)
{
	static const char *const scores[] = { "1", "2.50", "-3", "1e2", "not a number", NULL };

	return scores[below(6)];
}

static void create(struct fake *fake, unsigned number)
{
	char name[24], code[24];
	struct fake_record *made;

	snprintf(name, sizeof(name), "Name %u", number);
	snprintf(code, sizeof(code), "C-%u", number);
	made = fake_create(fake, number,
			   (const char *[]){ name, NULL, any_score(), "true", any_city(), code,
					     "1" });
	/* A long transaction: stamped now, seen within ten minutes. */
	if (below(3) == 0)
		made->shows_ms += below(9 * 60 * 1000);
}

static void happen(struct fake *fake)
{
	unsigned number = 1 + below(PEOPLE), other = 1 + below(PEOPLE);
	struct fake_record *record = fake_find(fake, number);

	if (!record) {
		create(fake, number);
	} else if (record->deleted) {
		if (below(4) == 0)
			fake_undelete(fake, number);
	} else {
		switch (below(8)) {
		case 0: fake_delete(fake, number); break;
		case 1:
			if (other != number && fake_find(fake, other) &&
			    !fake_find(fake, other)->deleted)
				fake_merge(fake, number, other);
			break;
		case 2: fake_set(fake, number, "Score__c", any_score()); break;
		case 3: record->stamp_ms = fake->now_ms; break; /* touched, nothing changed */
		default: fake_set(fake, number, "City", any_city()); break;
		}
	}
}

static void between_pages(struct fake *fake, unsigned call, void *arg)
{
	(void)call;
	(void)arg;
	if (below(2))
		happen(fake);
}

static void prepare_mishap(struct world *in)
{
	struct fake *fake = in->fake;

	fake->hang_at = fake->expire_at = fake->fail_at = 0;
	switch (below(6)) {
	case 0: fake->hang_at = fake->calls + 1 + below(8); break;
	case 1: fake->expire_at = fake->calls + 1 + below(8); break;
	case 2:
		fake->fail_at = fake->calls + 1 + below(8);
		fake->fail_count = 1 + below(7);
		error_set(&fake->fail, below(2) ? ERROR_RETRY : ERROR_QUOTA, "NOT_NOW", "not now");
		break;
	case 3: world_snap_at(in, 1 + below(8)); break;
	default: break;
	}
}

static void step(struct world *in)
{
	for (unsigned n = below(12); n > 0; n--) {
		happen(in->fake);
		in->fake->now_ms += below(40) * 1000;
	}
	/* Sometimes more than a bound's hour, never more than the bin's memory. */
	world_wait(in, below(6) ? below(300) : below(3 * 24 * 3600));
	prepare_mishap(in);
	world_run_any(in, below(8) == 0);
	/* What was not committed is lost, and so is all that was only remembered. */
	if (!world_snap_restore(in) && below(3) == 0)
		world_reopen(in);
}

static void live_through(const char *policy, enum run_on_delete on_delete, uint64_t number)
{
	struct world *in = world_new();
	char sql[200];

	seed = number;
	in->job.on_delete = on_delete;
	in->fake->page_size = 1 + below(7);
	in->fake->on_call = below(2) ? between_pages : NULL;
	world_map(in, "Number__c", "number");
	if (below(3) == 0)
		in->job.key = "number";
	for (unsigned n = 0; n < STEPS; n++)
		step(in);
	in->fake->on_call = NULL;
	in->fake->hang_at = in->fake->expire_at = in->fake->fail_at = 0;
	world_wait(in, 11 * 60);
	print_message("seed %d, %s: %zu records, %u calls\n", (int)number, policy, in->fake->count,
		      in->fake->calls);
	world_run(in);
	world_assert_equal(in);
	world_assert_idle(in);
	/* No row without a link. */
	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM contact WHERE NOT EXISTS (SELECT 1 FROM leadsync_link AS l"
		 " WHERE l.key = contact.%s)",
		 in->job.key);
	assert_int_equal(world_int(in, sql), 0);
	world_free(in);
}

static void rows_end_as_records(void **state)
{
	static const struct {
		const char *name;
		enum run_on_delete on_delete;
	} policies[] = { { "keep", RUN_DELETE_KEEP },
			 { "mark", RUN_DELETE_MARK },
			 { "delete", RUN_DELETE_ROW } };

	(void)state;
	for (unsigned n = 1; n <= SEEDS; n++)
		live_through(policies[n % 3].name, policies[n % 3].on_delete, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rows_end_as_records) };

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
