/* world_store.c - the store's file from outside: its commits, its clock, and what stands in it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/utc.h"
#include "loop/loop.h"
#include "store/sqlite/sqlite_store.h"
#include "world_private.h"

/* Julian day 0 in milliseconds before 1970, as SQLite's clock has it. */
#define JULIAN_MS ((int64_t)210866760000000)

/* Every connection of the process is counted, the store's by its thread. */
static pthread_t main_thread;
sqlite3 *world_stores_handle;
static _Atomic unsigned commits, snap_at; /* of the worker's thread and ours */
static _Atomic bool snapped;
static _Atomic int64_t clock_offset_ms;
static char snap_path[64];

void world_copy_file(const char *from, const char *to)
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

void world_name_file(char out[80], const char *path, const char *more)
{
	snprintf(out, 80, "%.60s%s", path, more);
}

static int on_commit(void *arg)
{
	char from[80], to[80];

	(void)arg;
	if (++commits != snap_at)
		return 0;
	world_name_file(to, snap_path, ".snap");
	world_copy_file(snap_path, to);
	world_name_file(from, snap_path, "-wal");
	world_name_file(to, snap_path, ".snap-wal");
	world_copy_file(from, to);
	snapped = true;
	return 0;
}

static int on_open(sqlite3 *handle, char **error, const struct sqlite3_api_routines *api)
{
	(void)error;
	(void)api;
	if (!pthread_equal(pthread_self(), main_thread)) {
		world_stores_handle = handle;
		sqlite3_commit_hook(handle, on_commit, NULL);
	}
	return SQLITE_OK;
}

/* What 'now' is in SQL. */
static int now_in_sql(sqlite3_vfs *vfs, sqlite3_int64 *ret)
{
	(void)vfs;
	*ret = utc_now_ms() + clock_offset_ms + JULIAN_MS;
	return SQLITE_OK;
}

void world_mind_clock(const struct world *in)
{
	clock_offset_ms = loop_now_ms(in->loop) - utc_now_ms();
}

void world_watch_stores(struct world *in)
{
	static sqlite3_vfs clocked;

	main_thread = pthread_self();
	world_mind_clock(in);
	if (clocked.zName)
		return;
	sqlite3_auto_extension((void (*)(void))on_open);
	clocked = *sqlite3_vfs_find(NULL);
	clocked.zName = "clocked";
	clocked.xCurrentTimeInt64 = now_in_sql;
	sqlite3_vfs_register(&clocked, 1);
}

void world_snap_at(struct world *in, unsigned commit)
{
	strcpy(snap_path, in->path);
	commits = 0;
	snap_at = commit;
	snapped = false;
}

bool world_is_cut(void)
{
	return snapped;
}

bool world_snap_restore(struct world *in)
{
	char from[80], to[80];

	snap_at = 0;
	if (!snapped)
		return false;
	snapped = false;
	world_close_look(in);
	sync_store_free(in->store);
	world_name_file(to, in->path, "-shm");
	unlink(to);
	world_name_file(from, in->path, ".snap");
	world_copy_file(from, in->path);
	world_name_file(from, in->path, ".snap-wal");
	world_name_file(to, in->path, "-wal");
	world_copy_file(from, to);
	in->store = sync_store_new(in->loop, "crm", in->path);
	in->job.store = in->store;
	return true;
}

void world_close_look(struct world *in)
{
	sqlite3_close(in->look);
	in->look = NULL;
}

sqlite3 *world_look(struct world *in)
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

	world_mind_clock(in);
	if (sqlite3_exec(world_look(in), sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
}

const char *world_text(struct world *in, const char *sql)
{
	static char text[1024];
	sqlite3_stmt *s;

	if (sqlite3_prepare_v2(world_look(in), sql, -1, &s, NULL) != SQLITE_OK)
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

/* The listings, as people get them. */

#define MOST_LINES 1000

struct reading {
	struct store *store;
	struct arena *arena;
	struct store_listing what;
	struct error err;
};

static struct reading open_listing(struct world *in, bool all)
{
	struct reading made = { .arena = arena_new(),
				.what = { .job = in->job.name, .all = all, .limit = MOST_LINES } };

	made.store = sqlite_store_open(in->path, &made.err);
	assert_non_null(made.store);
	return made;
}

static void close_listing(struct reading *in)
{
	store_close(in->store);
	arena_free(in->arena);
}

static bool fits(const char *asked, const char *has)
{
	return !asked || (has && strcmp(asked, has) == 0);
}

static bool conflict_fits(const struct store_conflict *in, const char *kind, const char *field,
			  const char *winner)
{
	return fits(kind, in->kind) && fits(field, in->field) && fits(winner, in->winner);
}

static size_t count_conflicts(struct world *in, bool all, const char *kind, const char *field,
			      const char *winner)
{
	struct reading r = open_listing(in, all);
	struct store_conflict_line *lines;
	size_t count, found = 0;

	if (!r.store->ops->list_conflicts(r.store, &r.what, r.arena, &lines, &count, &r.err))
		fail_msg("%s", r.err.text);
	for (size_t i = 0; i < count; i++)
		found += conflict_fits(&lines[i].conflict, kind, field, winner);
	close_listing(&r);
	return found;
}

size_t world_conflicts(struct world *in, const char *kind, const char *field, const char *winner)
{
	return count_conflicts(in, true, kind, field, winner);
}

size_t world_open_conflicts(struct world *in, const char *field)
{
	return count_conflicts(in, false, NULL, field, NULL);
}

bool world_is_open(struct world *in, const char *remote_id, const char *field)
{
	struct reading r = open_listing(in, false);
	struct store_conflict_line *lines;
	bool found = false;
	size_t count;

	if (!r.store->ops->list_conflicts(r.store, &r.what, r.arena, &lines, &count, &r.err))
		fail_msg("%s", r.err.text);
	for (size_t i = 0; i < count && !found; i++)
		found = lines[i].conflict.remote_id &&
			strcmp(lines[i].conflict.remote_id, remote_id) == 0 &&
			fits(field, lines[i].conflict.field);
	close_listing(&r);
	return found;
}

size_t world_rejects(struct world *in, const char *code, const char *field)
{
	struct reading r = open_listing(in, true);
	struct store_reject_line *lines;
	size_t count, found = 0;

	if (!r.store->ops->list_rejects(r.store, &r.what, r.arena, &lines, &count, &r.err))
		fail_msg("%s", r.err.text);
	for (size_t i = 0; i < count; i++)
		found += fits(code, lines[i].reject.code) && fits(field, lines[i].reject.field);
	close_listing(&r);
	return found;
}

size_t world_dues(struct world *in, const char *state)
{
	struct reading r = open_listing(in, true);
	struct store_due_line *lines;
	size_t count, found = 0;

	if (!r.store->ops->list_dues(r.store, &r.what, r.arena, &lines, &count, &r.err))
		fail_msg("%s", r.err.text);
	for (size_t i = 0; i < count; i++)
		found += fits(state, lines[i].state);
	close_listing(&r);
	return found;
}

size_t world_order(struct world *in, enum store_act act, const char *id, const char *field,
		   enum told_side winner)
{
	struct reading r = open_listing(in, true);
	struct store_order order = { .act = act,
				     .instance = in->instance,
				     .job = in->job.name,
				     .id = id,
				     .field = field,
				     .winner = winner,
				     .now_ms = loop_now_ms(in->loop) };
	int64_t count = 0;

	if (!r.store->ops->order(r.store, &order, &count, &r.err))
		fail_msg("%s", r.err.text);
	close_listing(&r);
	return (size_t)count;
}

static void print_value(const struct value *in)
{
	printf(" %.*s", in->text ? (int)in->len : 4, in->text ? in->text : "null");
}

void world_print_ledger(struct world *in)
{
	struct reading r = open_listing(in, true);
	struct store_conflict_line *conflicts;
	struct store_reject_line *rejects;
	struct store_due_line *dues;
	size_t count;

	if (r.store->ops->list_dues(r.store, &r.what, r.arena, &dues, &count, &r.err))
		for (size_t i = 0; i < count; i++) {
			printf("due %s %s", dues[i].due.remote_id, dues[i].state);
			print_value(&dues[i].due.key);
			printf("\n");
		}
	if (r.store->ops->list_rejects(r.store, &r.what, r.arena, &rejects, &count, &r.err))
		for (size_t i = 0; i < count; i++)
			printf("reject %s %s %s\n", rejects[i].reject.remote_id,
			       rejects[i].reject.code, rejects[i].reject.field);
	if (r.store->ops->list_conflicts(r.store, &r.what, r.arena, &conflicts, &count, &r.err))
		for (size_t i = 0; i < count; i++) {
			printf("conflict %s %s %s %s '%s' %s:", conflicts[i].conflict.remote_id,
			       conflicts[i].state, conflicts[i].conflict.kind,
			       conflicts[i].conflict.field, conflicts[i].conflict.winner,
			       conflicts[i].conflict.reason);
			print_value(&conflicts[i].conflict.local);
			print_value(&conflicts[i].conflict.remote);
			printf("\n");
		}
	close_listing(&r);
}
