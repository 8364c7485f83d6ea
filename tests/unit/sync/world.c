/* world.c - in order: the mapping; a world made, and ended; its clock; a run. */
#include "sync/sync_listing.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/loop.h"
#include "loop/worker.h"
#include "sync/sync_store_worker.h"
#include "world_private.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* So often the worker must have come round for nothing before only timers are left. */
#define ROUNDS 6

void world_map(struct world *in, const char *field, const char *column)
{
	in->rules[in->job.rule_count++] = (struct mapping_rule){ .field = field,
								 .column = column,
								 .direction = MAPPING_DOWN };
}

void world_unmap(struct world *in, const char *field)
{
	size_t kept = 0;

	for (size_t i = 0; i < in->job.rule_count; i++)
		if (strcmp(in->rules[i].field, field) != 0)
			in->rules[kept++] = in->rules[i];
	in->job.rule_count = kept;
}

static void fill_fake(struct fake *fake)
{
	static const char *const people[][6] = {
		{ "Okafor", "a.okafor@example.com", "12.50", "true", "Paris", "C-1" },
		{ "Nilsson", "b.nilsson@example.com", "0", "false", "Oslo", "C-2" },
		{ "Weber", NULL, NULL, "true", "Paris", "C-3" },
		{ "Rossi", "d.rossi@example.com", "-3.75", NULL, "Roma", "C-4" },
		{ "Dupont", "e.dupont@example.com", "1000000", "false", "Paris", "C-5" },
		{ "Silva", "f.silva@example.com", "7.1", "true", NULL, "C-6" },
		{ "Kowalski", "007", "8", "true", "Paris", "C-7" },
	};

	fake_add_field(fake, "LastName", VALUE_TEXT, 0);
	fake_add_field(fake, "Email", VALUE_TEXT, 0);
	fake_add_field(fake, "Score__c", VALUE_DECIMAL, 2);
	fake_add_field(fake, "Active__c", VALUE_BOOLEAN, 0);
	fake_add_field(fake, "City", VALUE_TEXT, 0);
	fake_add_field(fake, "Number__c", VALUE_TEXT, 0);
	fake_add_field(fake, "Age__c", VALUE_INTEGER, 0);
	fake->now_ms -= DAY_MS;
	for (unsigned i = 0; i < 7; i++)
		fake_create(fake, i + 1,
			    (const char *[]){ people[i][0], people[i][1], people[i][2],
					      people[i][3], people[i][4], people[i][5], "30" });
	fake->now_ms += DAY_MS;
}

struct world *world_new(void)
{
	struct world *in = mem_new(struct world);

	/* Where an fsync costs nothing, if there is such a place. */
	snprintf(in->dir, sizeof(in->dir), "%s/leadsync-test-XXXXXX",
		 access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(in->dir));
	snprintf(in->path, sizeof(in->path), "%.40s/crm.db", in->dir);
	in->loop = loop_new();
	world_watch_stores(in);
	in->fake = fake_new(in->loop);
	in->fake->is_cut = world_is_cut;
	in->fake->traces = getenv("WORLD_TRACE");
	fill_fake(in->fake);
	in->store = sync_store_new(in->loop, "crm", in->path);
	in->instance = "ours";
	in->job = (struct run_job){ .name = "contacts",
				    .object = "Contact",
				    .table = "contact",
				    .key = "id",
				    .rules = in->rules,
				    .create_rows = true,
				    .overlap_s = 600,
				    .remote = &in->fake->remote,
				    .store = in->store };
	world_map(in, "LastName", "last_name");
	world_map(in, "Email", "email");
	world_map(in, "Score__c", "score");
	world_map(in, "Active__c", "active");
	world_map(in, "City", "city");
	world_map(in, "IsDeleted", "is_deleted");
	return in;
}

struct mapping_rule *world_rule(struct world *in, const char *field)
{
	for (size_t i = 0; i < in->job.rule_count; i++)
		if (strcmp(in->rules[i].field, field) == 0)
			return &in->rules[i];
	abort();
}

void world_both(struct world *in, const char *field, enum field_rule rule, enum field_blank blank)
{
	struct mapping_rule *made = world_rule(in, field);

	made->direction = MAPPING_BOTH;
	made->rule = rule;
	made->blank = blank;
}

void world_up(struct world *in, const char *field)
{
	world_rule(in, field)->direction = MAPPING_UP;
}

void world_down(struct world *in, const char *field)
{
	world_rule(in, field)->direction = MAPPING_DOWN;
}

void world_two_way(struct world *in)
{
	for (size_t i = 0; i < in->job.rule_count; i++)
		if (strcmp(in->rules[i].field, "IsDeleted") != 0)
			in->rules[i].direction = MAPPING_BOTH;
	fake_add_field(in->fake, WORLD_KEY, VALUE_TEXT, 0)->external_id = true;
	fake_field(in->fake, "LastName")->required = true;
	in->match[0] = "Email";
	in->job.match = in->match;
	in->job.match_count = 1;
	in->job.create_rows = in->job.create_records = true;
	in->job.external_id = WORLD_KEY;
	in->job.guard_s = 10;
	in->job.history_s = 30 * 24 * 3600;
}

static char *kept_ledger; /* a file; NULL: none */

static void detached(int64_t count, const struct error *err, void *arg)
{
	(void)count;
	assert_null(err);
	*(bool *)arg = true;
}

void world_keep_ledger(void)
{
	struct world *in = world_new_two_way();
	bool done = false;

	for (size_t i = 0; i < in->fake->count; i++)
		in->fake->records[i].purged = true;
	world_run(in);
	sync_detach(in->store, in->instance, in->job.name, detached, &done);
	while (!done)
		loop_once(in->loop);
	world_reopen(in); /* all of it is in one file then */
	kept_ledger = mem_format("%s.ledger", in->dir);
	world_copy_file(in->path, kept_ledger);
	world_free(in);
}

void world_drop_ledger(void)
{
	unlink(kept_ledger);
	free(TAKE(kept_ledger));
}

struct world *world_new_two_way(void)
{
	struct world *in = world_new();

	world_two_way(in);
	if (kept_ledger) {
		world_copy_file(kept_ledger, in->path);
		return in;
	}
	world_sql(in, "CREATE TABLE contact (id INTEGER PRIMARY KEY AUTOINCREMENT, last_name TEXT,"
		      " email TEXT, score TEXT, active INT, city TEXT, is_deleted INT);"
		      "CREATE INDEX contact_email ON contact (email COLLATE NOCASE);"
		      "CREATE INDEX contact_city ON contact (city COLLATE NOCASE)");
	return in;
}

struct fake_record *world_person(struct world *in, unsigned number, const char *last_name,
				 const char *email)
{
	return fake_create(in->fake, number, (const char *[FAKE_FIELDS]){ last_name, email });
}

void world_free(struct world *in)
{
	static const char *const files[] = { "", "-wal", "-shm", ".snap", ".snap-wal" };
	char path[80];

	world_close_look(in);
	sync_store_free(in->store);
	fake_free(in->fake);
	loop_free(in->loop);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		world_name_file(path, in->path, files[i]);
		unlink(path);
	}
	rmdir(in->dir);
	free(in);
}

void world_reopen(struct world *in)
{
	sync_store_free(in->store);
	in->store = sync_store_new(in->loop, "crm", in->path);
	in->job.store = in->store;
}

void world_wait(struct world *in, int64_t seconds)
{
	fake_wait(in->fake, seconds * 1000);
	if (seconds > 0)
		loop_test_advance(in->loop, seconds * 1000);
	world_mind_clock(in);
}

static void run_ended(const struct run_outcome *outcome, void *arg)
{
	struct world *in = arg;

	in->done = true;
	in->run = NULL;
	in->failed = outcome->err;
	if (outcome->err)
		in->err = *outcome->err;
	in->counts = outcome->counts;
	strcpy(in->run_id, outcome->id);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void set_true(void *arg)
{
	*(bool *)arg = true;
}

/* The worker has done all it was given, and nothing was asked of the remote meanwhile. */
static bool comes_round(struct world *in)
{
	bool round = false;
	struct worker_task *task =
		worker_do(sync_store_worker(in->store), nothing, set_true, NULL, &round);

	while (!round && !in->done && !in->fake->open_calls)
		loop_once(in->loop);
	if (!round)
		worker_cancel(task);
	return round && !in->done && !in->fake->open_calls;
}

/* Nothing is waited for: where only timers are left the clocks go on, in growing steps. */
static void turn(struct world *in, int64_t *step_ms)
{
	unsigned rounds = 0;

	world_mind_clock(in);
	if (in->fake->open_calls) {
		*step_ms = 1000;
		loop_once(in->loop);
		return;
	}
	while (rounds < ROUNDS && comes_round(in))
		rounds++;
	if (rounds < ROUNDS)
		return;
	loop_test_advance(in->loop, *step_ms);
	fake_wait(in->fake, *step_ms);
	*step_ms += *step_ms / 4;
}

void world_run_any(struct world *in, bool full)
{
	struct run_args args = {
		.loop = in->loop, .job = &in->job, .instance = in->instance, .full = full
	};
	int64_t step_ms = 1000;

	in->done = in->failed = false;
	in->run = run_start(&args, NULL, run_ended, in);
	while (!in->done && !in->fake->hangs)
		turn(in, &step_ms);
	world_mind_clock(in);
	if (in->done)
		return;
	run_cancel(in->run);
	in->run = NULL;
	in->fake->hangs = false;
}

void world_run(struct world *in)
{
	world_run_any(in, false);
	if (in->failed)
		fail_msg("the run failed: %s: %s", in->err.code, in->err.text);
}

void world_run_full(struct world *in)
{
	world_run_any(in, true);
	if (in->failed)
		fail_msg("the run failed: %s: %s", in->err.code, in->err.text);
}
