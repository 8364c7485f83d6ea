/* Random histories of both directions. People edit, make and delete on either side, also in the
 * middle of a run; the program is killed at any commit and any call; answers are lost, with the
 * write done, not done, or done minutes later; changes are refused, one by one or all at once;
 * clocks move. Then the faults stop, it runs until it is quiet, and
 *
 *   - both sides of every pair are equal, but for what waits for a person or what a blank policy
 *     keeps apart;
 *   - what a field holds is what somebody last gave it on one side or the other, and never what was
 *     another's or another field's;
 *   - no row is two records and no record two rows, and nothing was sent that may not be;
 *   - one more run writes nothing on either side.
 *
 * A history is a list of events that a seed gives. One that fails is told by its seed and made
 * smaller, event by event, as long as it still fails; what is left is played once more, aloud.
 *
 *   LEADSYNC_SEED=n       the first one's
 *   LEADSYNC_HISTORIES=n  how many
 *   LEADSYNC_SMALLER=0    one that fails is told as it is */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "loop/loop.h"
#include "random_people.h"

#define SEED      1
#define HISTORIES 150
#define EVENTS    26
#define ROUNDS    12 /* until it must be quiet */
#define MOST_S    120

/* What is left of a history while it is made smaller. */
struct history {
	uint64_t seed;
	unsigned count;
	bool left_out[EVENTS];
	bool aloud;
};

static uint64_t state;

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* splitmix64: the same history for the same seed, everywhere. */
unsigned below(unsigned most)
{
	return (unsigned)(mix(state += 0x9e3779b97f4a7c15u) % most);
}

static void begin_stream(uint64_t seed, uint64_t part)
{
	state = mix(seed * 0x9e3779b97f4a7c15u + part);
}

/* --- mishaps --- */

static enum fake_fate any_fate(struct fake *fake)
{
	fake->later_ms = (int64_t)below(9 * 60) * 1000; /* less than `overlap` */
	return (enum fake_fate)below(3);
}

static void refuse_something(struct fake *fake)
{
	static const struct {
		enum error_kind kind;
		const char *code;
	} kinds[] = { { ERROR_RECORD, "FIELD_CUSTOM_VALIDATION_EXCEPTION" },
		      { ERROR_FIELD, "STRING_TOO_LONG" },
		      { ERROR_RETRY, "UNABLE_TO_LOCK_ROW" },
		      { ERROR_RECORD, "JSON_PARSER_ERROR" } };
	static const char *const fields[] = { "City", "LastName", "Score__c", NULL };
	unsigned kind = below(4), field = below(4);
	struct fake_refusal *made;

	if (kind == 1 && !fields[field])
		field = 0;
	made = fake_refuse(fake, fields[field], NULL, kinds[kind].kind, kinds[kind].code,
			   1 + (int)below(3));
	made->whole = kind == 3;
	made->unnamed = below(2);
}

static void prepare_mishap(struct world *in)
{
	struct fake *fake = in->fake;
	unsigned call = fake->calls + 1 + below(8);

	switch (below(9)) {
	case 0:
		fake->hang_at = call;
		fake->fate = any_fate(fake);
		break;
	case 1:
	case 2:
		fake->lose_at = call;
		fake->lose_count = 1 + below(2);
		fake->fate = any_fate(fake);
		break;
	case 3:
		fake->fail_at = call;
		fake->fail_count = 1 + below(7);
		error_set(&fake->fail, below(2) ? ERROR_RETRY : ERROR_QUOTA, "NOT_NOW", "not now");
		break;
	case 4:
		world_snap_at(in, 1 + below(8));
		/* What is written after the state that comes back would be lost with it. */
		fake->on_call = NULL;
		break;
	case 5: refuse_something(fake); break;
	case 6: fake->expire_at = call; break;
	default: break;
	}
}

static void end_mishaps(struct world *in)
{
	struct fake *fake = in->fake;

	fake->hang_at = fake->lose_at = fake->fail_at = fake->expire_at = 0;
	fake->refusal_count = 0;
	fake->on_call = NULL;
}

static void between_calls(struct fake *fake, unsigned call, void *arg)
{
	(void)fake;
	(void)call;
	if (below(2))
		people_do(arg);
}

static void run_with_mishap(struct people *people)
{
	struct world *in = people->world;

	end_mishaps(in);
	if (below(2)) {
		in->fake->on_call = between_calls;
		in->fake->on_call_arg = people;
	}
	prepare_mishap(in);
	if (people->aloud)
		fprintf(stderr, "run\n");
	world_run_any(in, below(12) == 0);
	if (people->aloud)
		fprintf(stderr, "run %s\n",
			!in->done        ? "cut"
			: world_is_cut() ? "cut at a commit"
			: in->failed     ? in->err.code
					 : "done");
	if (in->failed && in->err.kind != ERROR_RETRY && in->err.kind != ERROR_QUOTA)
		fail_msg("the run failed: %s: %s", in->err.code, in->err.text);
	/* What was not committed is lost, and so is all that was only remembered. */
	if (!world_snap_restore(in) && (!in->done || below(4) == 0))
		world_reopen(in);
	in->fake->on_call = NULL;
}

static void happen(struct people *people)
{
	switch (below(8)) {
	case 0:
	case 1: run_with_mishap(people); break;
	case 2: world_wait(people->world, below(5) ? below(300) : below(6 * 3600)); break;
	case 3:
		/* This machine's clock alone. */
		if (below(4) == 0)
			loop_test_advance(people->world->loop, (int64_t)below(7200) * 1000);
		else
			run_with_mishap(people);
		break;
	default: people_do(people); break;
	}
}

/* --- a history --- */

static void run_until_quiet(struct world *in)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned writes = in->fake->writes;
		const struct run_counts *counts = &in->counts;

		world_wait(in, 700);
		world_run(in);
		if (round && in->fake->writes == writes && !fake_has_late(in->fake) &&
		    !(counts->inserted + counts->updated + counts->deleted))
			return;
	}
	fail_msg("it is never quiet");
}

static void settle(struct world *in)
{
	end_mishaps(in);
	run_until_quiet(in);
	/* What was refused may be right now. */
	if (world_order(in, STORE_RETRY, NULL, NULL, TOLD_LOCAL))
		run_until_quiet(in);
}

static void live_through(const struct history *history)
{
	struct world *in = world_new_two_way();
	struct people *people;

	begin_stream(history->seed, 0);
	in->fake->traces |= history->aloud;
	log_open("test_random", history->aloud ? LOG_LEVEL_INFO : LOG_LEVEL_ERR);
	people = people_new(in, history->aloud);
	for (unsigned i = 0; i < history->count; i++) {
		if (history->left_out[i])
			continue;
		begin_stream(history->seed, 1 + i);
		happen(people);
	}
	settle(in);
	people_check(people);
	world_assert_strict(in);
	world_assert_idle(in);
	people_free(people);
	world_free(in);
}

static struct history make(uint64_t seed)
{
	struct history made = { .seed = seed };

	begin_stream(seed, ~(uint64_t)0);
	made.count = 5 + below(EVENTS - 4);
	return made;
}

/* --- many of them --- */

static volatile uint64_t *under_way; /* shared with the child: the seed it is at */

static void play(uint64_t first, uint64_t count)
{
	log_open("test_random", LOG_LEVEL_ERR);
	world_keep_ledger(); /* making its tables would be half of all there is to do */
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct history history = make(seed);

		*under_way = seed;
		alarm(MOST_S);
		live_through(&history);
	}
	world_drop_ledger();
}

static void hush(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
}

/* In a process of its own, as it may end in any way. */
static bool fails(const struct history *history)
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	if (child < 0)
		abort();
	if (child == 0) {
		if (!history->aloud)
			hush();
		alarm(MOST_S);
		live_through(history);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return status != 0;
}

/* Leaves out halves, then quarters, down to single events. */
static void make_smaller(struct history *history)
{
	for (unsigned size = history->count / 2; size; size /= 2)
		for (unsigned from = 0; from < history->count; from += size) {
			struct history less = *history;

			for (unsigned i = from; i < from + size && i < history->count; i++)
				less.left_out[i] = true;
			if (memcmp(less.left_out, history->left_out, sizeof(less.left_out)) != 0 &&
			    fails(&less))
				*history = less;
		}
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void tell(uint64_t seed)
{
	struct history history = make(seed);
	unsigned left = 0;

	printf("seed %llu fails\n", (unsigned long long)seed);
	if (number("LEADSYNC_SMALLER", 1))
		make_smaller(&history);
	for (unsigned i = 0; i < history.count; i++)
		left += !history.left_out[i];
	printf("%u of %u events are left:\n", left, history.count);
	history.aloud = true;
	if (!fails(&history))
		printf("... and this time it went well: it depends on the time threads take\n");
}

int main(void)
{
	uint64_t seed = number("LEADSYNC_SEED", SEED);
	uint64_t count = number("LEADSYNC_HISTORIES", HISTORIES);
	pid_t child;
	int status;

	under_way = mmap(NULL, sizeof(*under_way), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	printf("%llu histories from seed %llu on\n", (unsigned long long)count,
	       (unsigned long long)seed);
	fflush(NULL);
	child = fork();
	if (child < 0)
		abort();
	if (child == 0) {
		play(seed, count);
		exit(0); /* with a look for leaks */
	}
	waitpid(child, &status, 0);
	if (status == 0)
		return 0;
	tell(*under_way);
	return 1;
}
