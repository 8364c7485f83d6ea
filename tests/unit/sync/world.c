#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "loop/loop.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* Every connection of the process is counted, the store's by its thread. */
static pthread_t main_thread;
static sqlite3 *stores_handle;
static _Atomic unsigned commits, snap_at; /* of the worker's thread and ours */
static _Atomic bool snapped;
static char snap_path[64];

static void copy_file(const char *from, const char *to)
{
	char bytes[65536];
	ssize_t got;
	int in = open(from, O_RDONLY | O_CLOEXEC), out;

	unlink(to);
	if (in < 0)
		return;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while ((got = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)got) != got)
			abort();
	close(in);
	close(out);
}

static void name_file(char out[80], const char *path, const char *more)
{
	snprintf(out, 80, "%.60s%s", path, more);
}

static int on_commit(void *arg)
{
	char from[80], to[80];

	(void)arg;
	if (++commits != snap_at)
		return 0;
	name_file(to, snap_path, ".snap");
	copy_file(snap_path, to);
	name_file(from, snap_path, "-wal");
	name_file(to, snap_path, ".snap-wal");
	copy_file(from, to);
	snapped = true;
	return 0;
}

static int on_open(sqlite3 *handle, char **error, const struct sqlite3_api_routines *api)
{
	(void)error;
	(void)api;
	if (!pthread_equal(pthread_self(), main_thread)) {
		stores_handle = handle;
		sqlite3_commit_hook(handle, on_commit, NULL);
	}
	return SQLITE_OK;
}

void world_snap_at(struct world *in, unsigned commit)
{
	strcpy(snap_path, in->path);
	commits = 0;
	snap_at = commit;
	snapped = false;
}

static void close_look(struct world *in)
{
	sqlite3_close(in->look);
	in->look = NULL;
}

bool world_snap_restore(struct world *in)
{
	char from[80], to[80];

	snap_at = 0;
	if (!snapped)
		return false;
	close_look(in);
	sync_store_free(in->store);
	name_file(to, in->path, "-shm");
	unlink(to);
	name_file(from, in->path, ".snap");
	copy_file(from, in->path);
	name_file(from, in->path, ".snap-wal");
	name_file(to, in->path, "-wal");
	copy_file(from, to);
	in->store = sync_store_new(in->loop, "crm", in->path);
	in->job.store = in->store;
	return true;
}

static sqlite3 *look(struct world *in)
{
	if (!in->look) {
		assert_int_equal(sqlite3_open(in->path, &in->look), SQLITE_OK);
		sqlite3_busy_timeout(in->look, 5000);
	}
	return in->look;
}

void world_sql(struct world *in, const char *sql)
{
	char *error = NULL;

	if (sqlite3_exec(look(in), sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
}

const char *world_text(struct world *in, const char *sql)
{
	static char text[1024];
	sqlite3_stmt *s;

	if (sqlite3_prepare_v2(look(in), sql, -1, &s, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(in->look));
	strcpy(text, "(none)");
	if (sqlite3_step(s) == SQLITE_ROW)
		snprintf(text, sizeof(text), "%s",
			 sqlite3_column_text(s, 0) ? (const char *)sqlite3_column_text(s, 0)
						   : "(null)");
	sqlite3_finalize(s);
	return text;
}

int64_t world_int(struct world *in, const char *sql)
{
	return strtoll(world_text(in, sql), NULL, 10);
}

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

	main_thread = pthread_self();
	sqlite3_auto_extension((void (*)(void))on_open);
	strcpy(in->dir, "/tmp/leadsync-test-XXXXXX");
	assert_non_null(mkdtemp(in->dir));
	snprintf(in->path, sizeof(in->path), "%s/crm.db", in->dir);
	in->loop = loop_new();
	in->fake = fake_new(in->loop);
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

void world_free(struct world *in)
{
	static const char *const files[] = { "", "-wal", "-shm", ".snap", ".snap-wal" };
	char path[80];

	close_look(in);
	sync_store_free(in->store);
	fake_free(in->fake);
	loop_free(in->loop);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		name_file(path, in->path, files[i]);
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
	in->fake->now_ms += seconds * 1000;
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

void world_run_any(struct world *in, bool full)
{
	struct run_args args = {
		.loop = in->loop, .job = &in->job, .instance = in->instance, .full = full
	};

	in->done = in->failed = false;
	in->run = run_start(&args, NULL, run_ended, in);
	while (!in->done && !in->fake->hangs) {
		loop_test_advance(in->loop, (int64_t)3700 * 1000); /* no back-off is waited for */
		loop_once(in->loop);
	}
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

struct trace {
	int64_t version, changes;
	struct stat db, wal;
};

static struct trace take_trace(struct world *in)
{
	struct trace made = { .version = world_int(in, "PRAGMA data_version") };
	char wal[80];

	made.changes = sqlite3_total_changes64(stores_handle);
	stat(in->path, &made.db);
	name_file(wal, in->path, "-wal");
	if (stat(wal, &made.wal) != 0)
		made.wal.st_size = 0;
	return made;
}

void world_assert_idle(struct world *in)
{
	struct trace before = take_trace(in), after;

	world_run(in);
	after = take_trace(in);
	assert_int_equal(in->counts.inserted + in->counts.updated + in->counts.deleted, 0);
	assert_int_equal(after.changes, before.changes);
	assert_int_equal(after.version, before.version);
	assert_int_equal(after.wal.st_size, before.wal.st_size);
	assert_int_equal(after.db.st_size, before.db.st_size);
	assert_memory_equal(&after.wal.st_mtim, &before.wal.st_mtim, sizeof(before.wal.st_mtim));
	assert_memory_equal(&after.db.st_mtim, &before.db.st_mtim, sizeof(before.db.st_mtim));
}

/* One field of one record against its column. */
static void check_field(struct world *in, const struct fake_record *record, size_t rule,
			sqlite3_stmt *s, int column)
{
	struct arena *arena = arena_new();
	const struct fake *fake = in->fake;
	enum value_type type = VALUE_BOOLEAN; /* IsDeleted */
	struct value want, got;
	struct error why;
	int scale = 0;
	const char *raw = fake_value(fake, record, in->rules[rule].field);

	for (size_t i = 0; i < fake->field_count; i++)
		if (strcasecmp(fake->fields[i].name, in->rules[rule].field) == 0) {
			type = fake->fields[i].type;
			scale = fake->fields[i].scale;
		}
	assert_true(value_canonical(type, scale, raw, raw ? strlen(raw) : 0, arena, &want, &why));
	assert_true(value_canonical(type, scale, (const char *)sqlite3_column_text(s, column),
				    (size_t)sqlite3_column_bytes(s, column), arena, &got, &why));
	if (!value_equal(&want, &got))
		fail_msg("%s of %s is %.*s, the remote holds %.*s", in->rules[rule].field,
			 record->id, got.text ? (int)got.len : 4, got.text ? got.text : "null",
			 want.text ? (int)want.len : 4, want.text ? want.text : "null");
	arena_free(arena);
}

static bool is_gone(const struct world *in, const char *field)
{
	for (size_t i = 0; i < in->fake->field_count; i++)
		if (strcasecmp(in->fake->fields[i].name, field) == 0)
			return in->fake->fields[i].gone;
	return false;
}

static bool is_rejected(struct world *in, const struct fake_record *record)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM leadsync_rejects WHERE remote_id = '%s'",
		 record->id);
	return world_int(in, sql) > 0;
}

static bool passes_where(const struct world *in, const struct fake_record *record)
{
	char field[40], value[40];
	const char *has;

	if (!in->job.where || sscanf(in->job.where, "%39s = '%39[^']'", field, value) != 2)
		return true;
	has = fake_value(in->fake, record, field);
	return has && strcmp(has, value) == 0;
}

static void check_record(struct world *in, const struct fake_record *record)
{
	char sql[1000];
	sqlite3_stmt *s;
	size_t used;

	used = (size_t)snprintf(sql, sizeof(sql), "SELECT link.state, t.\"%s\"", in->job.key);
	for (size_t i = 0; i < in->job.rule_count; i++)
		used += (size_t)snprintf(sql + used, sizeof(sql) - used, ", t.\"%s\"",
					 in->rules[i].column);
	snprintf(sql + used, sizeof(sql) - used,
		 " FROM leadsync_link AS link LEFT JOIN \"%s\" AS t ON t.\"%s\" = link.key"
		 " WHERE link.remote_id = '%s'",
		 in->job.table, in->job.key, record->id);
	assert_int_equal(sqlite3_prepare_v2(look(in), sql, -1, &s, NULL), SQLITE_OK);
	if (sqlite3_step(s) != SQLITE_ROW) {
		if (!record->deleted && !record->hidden && passes_where(in, record))
			fail_msg("%s was not taken", record->id);
	} else if (record->deleted && !record->purged && !in->fake->bin_is_short) {
		assert_int_equal(sqlite3_column_int(s, 0), 1);
		if (in->job.on_delete == RUN_DELETE_ROW)
			assert_int_equal(sqlite3_column_type(s, 1), SQLITE_NULL);
	} else if (!record->deleted && !record->hidden && passes_where(in, record)) {
		assert_int_equal(sqlite3_column_int(s, 0), 0);
		if (sqlite3_column_type(s, 1) == SQLITE_NULL)
			fail_msg("%s has no row", record->id);
		for (size_t i = 0; i < in->job.rule_count; i++)
			if (!is_gone(in, in->rules[i].field))
				check_field(in, record, i, s, (int)i + 2);
	}
	sqlite3_finalize(s);
}

void world_assert_equal(struct world *in)
{
	for (size_t i = 0; i < in->fake->count; i++)
		if (!in->fake->records[i].purged && !is_rejected(in, &in->fake->records[i]))
			check_record(in, &in->fake->records[i]);
	assert_string_equal(world_text(in, "PRAGMA integrity_check"), "ok");
	/* No row twice, none that nobody owns. */
	assert_int_equal(world_int(in, "SELECT count(*) - count(DISTINCT key) FROM leadsync_link"
				       " WHERE key IS NOT NULL"),
			 0);
}
