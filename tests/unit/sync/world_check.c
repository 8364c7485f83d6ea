/* world_check.c - are both sides equal, and does a second run write nothing? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "world.h"
#include "world_private.h"

struct trace {
	int64_t version, changes;
	struct stat db, wal;
};

static struct trace take_trace(struct world *in)
{
	struct trace made = { .version = world_int(in, "PRAGMA data_version") };
	char wal[80];

	made.changes = sqlite3_total_changes64(world_stores_handle);
	stat(in->path, &made.db);
	world_name_file(wal, in->path, "-wal");
	if (stat(wal, &made.wal) != 0)
		made.wal.st_size = 0;
	return made;
}

void world_assert_idle(struct world *in)
{
	struct trace before = take_trace(in), after;
	unsigned writes = in->fake->writes;

	world_run(in);
	after = take_trace(in);
	assert_int_equal(in->counts.inserted + in->counts.updated + in->counts.deleted, 0);
	assert_int_equal(in->fake->writes, writes);
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
	return fake_passes(in->fake, record, in->job.where);
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
	assert_int_equal(sqlite3_prepare_v2(world_look(in), sql, -1, &s, NULL), SQLITE_OK);
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

/* Where rows are made into records. */
static void check_rows(struct world *in)
{
	char sql[300];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM \"%s\" AS t WHERE NOT EXISTS (SELECT 1 FROM leadsync_link AS"
		 " l WHERE l.key = t.\"%s\")",
		 in->job.table, in->job.key);
	assert_int_equal(world_int(in, sql), 0);
}

void world_assert_strict(struct world *in)
{
	if (in->fake->violations)
		fail_msg("the remote was sent what may not be sent: %s", in->fake->violation);
}

void world_assert_equal(struct world *in)
{
	world_assert_strict(in);
	if (in->job.create_records)
		check_rows(in);
	for (size_t i = 0; i < in->fake->count; i++)
		if (!in->fake->records[i].purged && !is_rejected(in, &in->fake->records[i]))
			check_record(in, &in->fake->records[i]);
	assert_string_equal(world_text(in, "PRAGMA integrity_check"), "ok");
	/* No row twice, none that nobody owns. */
	assert_int_equal(world_int(in, "SELECT count(*) - count(DISTINCT key) FROM leadsync_link"
				       " WHERE key IS NOT NULL"),
			 0);
}
