/* capture.c - the triggers of a job. In order: their SQL; reading the schema; ensure; drop; gone. */
#include "store/sqlite/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/error.h"
#include "sqlite/db.h"
#include "sqlite/statement.h"

/* No NOT NULL, no UNIQUE, no CHECK: a writer's OR IGNORE would turn each into a lost mark. Rows are
 * appended in the order of `sequence`, and deleted from the front: the cheapest a table can be.
 * AUTOINCREMENT because a number given twice would be deleted unread. Updates, which are most, are
 * not in the index. */
const char capture_step_1[] =
	"CREATE TABLE leadsync_mark ("
	"	sequence INTEGER PRIMARY KEY AUTOINCREMENT,\n"
	"	job INTEGER,        -- leadsync_cursor.number\n"
	"	operation TEXT,     -- insert, update, rename, delete\n"
	"	key,                -- of the row; rename: its new one\n"
	"	old_key,            -- rename only\n"
	"	at_ms INTEGER       -- when the statement ran, by the writer's clock\n"
	");"
	"CREATE INDEX leadsync_mark_rows ON leadsync_mark (job, key) WHERE operation <> 'update';"
	"CREATE TABLE leadsync_capture ("
	"	job INTEGER PRIMARY KEY,           -- leadsync_cursor.number\n"
	"	schema_version INTEGER NOT NULL    -- when the triggers were last seen to be "
	"right\n"
	")";

/* Written so that any SQLite knows it: unixepoch() came with 3.38, 'subsec' with 3.42. */
#define NOW_MS "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"

enum trigger { TRIGGER_INSERT, TRIGGER_UPDATE, TRIGGER_DELETE, TRIGGER_COUNT };
static const char *const endings[] = { "insert", "update", "delete" };

void capture_clear(struct capture *in)
{
	for (size_t i = 0; i < CAPTURE_KEPT_COUNT; i++)
		statement_free(TAKE(in->kept[i]));
}

struct statement *capture_statement(struct capture *in, enum capture_kept which, const char *sql,
				    struct error *err)
{
	if (!in->kept[which])
		in->kept[which] = statement_new(in->db, sql, err);
	return in->kept[which];
}

static char *trigger_name(const struct capture *in, enum trigger which)
{
	return mem_format("leadsync_%lld_%s", (long long)in->job, endings[which]);
}

static void put_name(FILE *out, const char *name)
{
	fputc('"', out);
	for (; *name; name++) {
		if (*name == '"')
			fputc('"', out);
		fputc(*name, out);
	}
	fputc('"', out);
}

static void put_column(FILE *out, const char *row, const char *column)
{
	fputs(row, out);
	fputc('.', out);
	put_name(out, column);
}

/* By every byte: under NOCASE "ann" would be what "Ann" is. */
static void put_changed(FILE *out, const char *column)
{
	put_column(out, "OLD", column);
	fputs(" IS NOT ", out);
	put_column(out, "NEW", column);
	fputs(" COLLATE BINARY", out);
}

/* OF is compared with the names in SET: a rowid has three more, a generated column never stands
 * there. */
static void put_update_of(FILE *out, const struct capture *in)
{
	fputs(" OF ", out);
	put_name(out, in->key);
	for (size_t i = 0; i < in->column_count; i++) {
		fputs(", ", out);
		put_name(out, in->columns[i]);
	}
	fputs(", rowid, oid, _rowid_", out);
}

static void put_when_changed(FILE *out, const struct capture *in)
{
	fputs("\nWHEN ", out);
	put_changed(out, in->key);
	for (size_t i = 0; i < in->column_count; i++) {
		fputs("\n OR ", out);
		put_changed(out, in->columns[i]);
	}
}

static void put_mark(FILE *out, const struct capture *in, enum trigger which)
{
	fprintf(out,
		"\nBEGIN INSERT INTO leadsync_mark (job, operation, key, old_key, at_ms)"
		" VALUES (%lld, ",
		(long long)in->job);
	if (which == TRIGGER_UPDATE) {
		fputs("CASE WHEN ", out);
		put_changed(out, in->key);
		fputs(" THEN 'rename' ELSE 'update' END, ", out);
		put_column(out, "NEW", in->key);
		fputs(", CASE WHEN ", out);
		put_changed(out, in->key);
		fputs(" THEN ", out);
		put_column(out, "OLD", in->key);
		fputs(" END, ", out);
	} else {
		fprintf(out, "'%s', ", endings[which]);
		put_column(out, which == TRIGGER_INSERT ? "NEW" : "OLD", in->key);
		fputs(", NULL, ", out);
	}
	fputs(NOW_MS "); END", out);
}

/* Letter for letter what sqlite_schema keeps of it. */
static char *trigger_sql(const struct capture *in, enum trigger which, bool by_name)
{
	static const char *const events[] = { "INSERT", "UPDATE", "DELETE" };
	CLEANUP_FREE char *name = trigger_name(in, which);
	char *sql = NULL;
	size_t size;
	FILE *out = open_memstream(&sql, &size);

	fprintf(out, "CREATE TRIGGER %s AFTER %s", name, events[which]);
	if (which == TRIGGER_UPDATE && by_name)
		put_update_of(out, in);
	fputs(" ON ", out);
	put_name(out, in->table);
	if (which == TRIGGER_UPDATE)
		put_when_changed(out, in);
	put_mark(out, in, which);
	fclose(out);
	return sql;
}

static bool ask_number(struct capture *in, const char *sql, const char *table, int64_t *ret,
		       struct error *err)
{
	CLEANUP(statement_free) struct statement *s = statement_new(in->db, sql, err);
	bool row;

	if (!s)
		return false;
	if (table)
		statement_bind_text(s, ":table", table);
	if (!statement_step(s, &row, err))
		return false;
	*ret = row ? statement_int_at(s, 0) : -1;
	return true;
}

bool capture_version(struct capture *in, int64_t *ret, struct error *err)
{
	return ask_number(in, "SELECT schema_version FROM pragma_schema_version", NULL, ret, err);
}

static bool is_mapped(const struct capture *in, const char *column)
{
	for (size_t i = 0; i < in->column_count; i++)
		if (strcasecmp(in->columns[i], column) == 0)
			return true;
	return false;
}

static bool maps_generated(struct capture *in, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db,
					    "SELECT name FROM pragma_table_xinfo(:table, 'main')"
					    " WHERE hidden IN (2, 3)",
					    err);
	bool row, found = false;

	if (!s)
		return false;
	statement_bind_text(s, ":table", in->table);
	for (;;) {
		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		found |= is_mapped(in, statement_text(s, "name"));
	}
	*ret = found;
	return true;
}

static bool stands(struct capture *in, const char *name, const char *sql, bool *ret,
		   struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db,
					    "SELECT 1 FROM sqlite_schema WHERE type = 'trigger'"
					    " AND name = :name AND sql = :sql",
					    err);

	if (!s)
		return false;
	statement_bind_text(s, ":name", name);
	statement_bind_text(s, ":sql", sql);
	return statement_step(s, ret, err);
}

static bool drop_trigger(struct capture *in, enum trigger which, struct error *err)
{
	CLEANUP_FREE char *name = trigger_name(in, which);
	CLEANUP_FREE char *sql = mem_format("DROP TRIGGER IF EXISTS main.%s", name);

	return db_run(in->db, sql, err);
}

static bool ensure_triggers(struct capture *in, bool *ret_made, struct error *err)
{
	bool generated;

	if (!maps_generated(in, &generated, err))
		return false;
	for (enum trigger which = 0; which < TRIGGER_COUNT; which++) {
		CLEANUP_FREE char *name = trigger_name(in, which);
		CLEANUP_FREE char *sql = trigger_sql(in, which, !generated);
		bool there;

		if (!stands(in, name, sql, &there, err))
			return false;
		if (there)
			continue;
		if (!drop_trigger(in, which, err) || !db_run(in->db, sql, err))
			return false;
		*ret_made = true;
	}
	return true;
}

/* What the line of this job says; -1: none. */
static bool remembered(struct capture *in, int64_t *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db,
			      "SELECT schema_version FROM leadsync_capture WHERE job = :job", err);
	bool row;

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job);
	if (!statement_step(s, &row, err))
		return false;
	*ret = row ? statement_int_at(s, 0) : -1;
	return true;
}

bool capture_carry_over(struct capture *in, int64_t before, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"UPDATE leadsync_capture SET schema_version = :now WHERE schema_version = :before",
		err);
	int64_t now;

	if (!s || !capture_version(in, &now, err))
		return false;
	statement_bind_int(s, ":now", now);
	statement_bind_int(s, ":before", before);
	return statement_run(s, err);
}

static bool remember(struct capture *in, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"INSERT INTO leadsync_capture (job, schema_version) VALUES (:job, :now)"
		" ON CONFLICT DO UPDATE SET schema_version = excluded.schema_version",
		err);
	int64_t now;

	if (!s || !capture_version(in, &now, err))
		return false;
	statement_bind_int(s, ":job", in->job);
	statement_bind_int(s, ":now", now);
	return statement_run(s, err);
}

#define OF_OTHERS "type = 'trigger' AND name NOT GLOB 'leadsync_[0-9]*_*'"

bool capture_look(struct capture *in, struct capture_state *ret, struct error *err)
{
	int64_t triggers, uniques, elsewhere;

	if (!ask_number(in,
			"SELECT count(*) FROM sqlite_schema WHERE " OF_OTHERS
			" AND tbl_name = :table COLLATE NOCASE",
			in->table, &triggers, err) ||
	    !ask_number(in,
			"SELECT (SELECT count(*) FROM sqlite_schema WHERE " OF_OTHERS ")"
			" + (SELECT count(*) FROM pragma_foreign_key_list(:table, 'main'))",
			in->table, &elsewhere, err))
		return false;
	/* Whatever is unique besides the key, a primary key without an index of its own (the
	 * rowid's) included. */
	if (!ask_number(in,
			"SELECT (SELECT count(*) FROM pragma_index_list(:table, 'main')"
			" WHERE \"unique\" = 1)"
			" + (SELECT count(*) = 1 FROM pragma_table_xinfo(:table, 'main')"
			" WHERE pk > 0)"
			" - (SELECT count(*) FROM pragma_index_list(:table, 'main') AS list"
			" WHERE origin = 'pk' AND (SELECT count(*) FROM"
			" pragma_index_info(list.name, 'main')) = 1)",
			in->table, &uniques, err))
		return false;
	ret->foreign_triggers = triggers > 0;
	ret->alone = !elsewhere;
	ret->may_replace = uniques > 1;
	return true;
}

bool capture_ensure(struct capture *in, struct capture_state *ret, struct error *err)
{
	struct capture_state found = { .was = CAPTURE_STOOD };
	int64_t before, last;
	bool made = false;

	if (!capture_version(in, &before, err) || !remembered(in, &last, err) ||
	    !ensure_triggers(in, &made, err) || !capture_look(in, &found, err))
		return false;
	if (made)
		found.was = CAPTURE_MISSING;
	else if (last != before)
		found.was = CAPTURE_DOUBTFUL;
	if ((made && !capture_carry_over(in, before, err)) ||
	    (found.was != CAPTURE_STOOD && !remember(in, err)))
		return false;
	*ret = found;
	return true;
}

static bool forget(struct capture *in, const char *sql, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = statement_new(in->db, sql, err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job);
	return statement_run(s, err);
}

bool capture_drop(struct capture *in, struct error *err)
{
	int64_t before;

	if (!capture_version(in, &before, err))
		return false;
	for (enum trigger which = 0; which < TRIGGER_COUNT; which++)
		if (!drop_trigger(in, which, err))
			return false;
	return forget(in, "DELETE FROM leadsync_mark WHERE job = :job", err) &&
	       forget(in, "DELETE FROM leadsync_capture WHERE job = :job", err) &&
	       capture_carry_over(in, before, err);
}

static char *gone_sql(const struct capture *in)
{
	char *sql = NULL;
	size_t size;
	FILE *out = open_memstream(&sql, &size);

	fputs("SELECT key FROM leadsync_link AS link WHERE job = :job AND key IS NOT NULL"
	      " AND NOT EXISTS (SELECT 1 FROM main.",
	      out);
	put_name(out, in->table);
	fputs(" AS people WHERE ", out);
	put_column(out, "people", in->key);
	fputs(" = link.key) ORDER BY key LIMIT :most", out);
	fclose(out);
	return sql;
}

bool capture_gone(struct capture *in, size_t most, struct arena *arena, struct value **ret,
		  size_t *ret_count, struct error *err)
{
	CLEANUP_FREE char *sql = gone_sql(in);
	CLEANUP(statement_free) struct statement *s = statement_new(in->db, sql, err);
	struct value *keys = arena_take(arena, most * sizeof(*keys));
	size_t count = 0, len;
	bool row;

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job);
	statement_bind_int(s, ":most", (int64_t)most);
	for (;;) {
		const char *key;

		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		key = statement_text_at(s, 0, &len);
		keys[count++] = (struct value){ arena_copy(arena, key, len), (uint32_t)len };
	}
	*ret = keys;
	*ret_count = count;
	return true;
}
