/* store.c - in order: opening and tables, statements, those kept ready, single values, the delete
 * log. */
#include "store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "fold.h"
#include "mem.h"
#include "schema.h"
#include "text.h"

#define READY_MAX 509 /* a prime */

static sqlite3 *db;

static struct {
	char *sql; /* owned */
	sqlite3_stmt *statement;
	bool busy;
} ready[READY_MAX]; /* by a hash of the text; a newer text takes the place of an older one */

static void die(const char *sql)
{
	fprintf(stderr, "leadsync-emulator: %s: %s\n", sqlite3_errmsg(db), sql);
	abort();
}

static const char *column_type(enum field_type type)
{
	switch (type) {
	case FIELD_ID:
	case FIELD_REFERENCE: return "TEXT";
	case FIELD_STRING:
	case FIELD_TEXTAREA:
	case FIELD_PICKLIST:
	case FIELD_MULTIPICKLIST:
	case FIELD_PHONE:
	case FIELD_URL:
	case FIELD_EMAIL: return "TEXT COLLATE sf_text";
	case FIELD_BOOLEAN: return "INTEGER NOT NULL DEFAULT 0";
	case FIELD_INT:
	case FIELD_DATE:
	case FIELD_DATETIME: return "INTEGER";
	case FIELD_DOUBLE:
	case FIELD_CURRENCY:
	case FIELD_PERCENT: return "REAL";
	case FIELD_ADDRESS: break;
	}
	return NULL;
}

static void make_table(const struct sobject *of)
{
	struct text sql = { 0 };

	text_printf(&sql,
		    "CREATE TABLE IF NOT EXISTS \"%s\"(_row INTEGER PRIMARY KEY AUTOINCREMENT",
		    of->name);
	for (size_t i = 0; i < of->count; i++) {
		const struct field *field = &of->fields[i];

		if (!column_type(field->type))
			continue;
		text_printf(&sql, ", \"%s\" %s", field->name, column_type(field->type));
		if (field->formula)
			text_printf(&sql, " GENERATED ALWAYS AS (%s) VIRTUAL", field->formula);
	}
	text_char(&sql, ')');
	store_run(text_done(&sql));
	text_free(&sql);
}

bool store_open(const char *path, bool *fresh)
{
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD); /* one loop: locks would only cost */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (sqlite3_open(path ? path : ":memory:", &db) != SQLITE_OK) {
		fprintf(stderr, "leadsync-emulator: %s: %s\n", path, sqlite3_errmsg(db));
		return false;
	}
	fold_install(db);
	store_run("PRAGMA journal_mode = WAL");
	store_run("PRAGMA synchronous = OFF");
	store_run("PRAGMA temp_store = MEMORY");
	store_run("PRAGMA cache_size = -65536");
	store_run("CREATE TABLE IF NOT EXISTS _meta(name TEXT PRIMARY KEY, value INTEGER)");
	store_run("CREATE TABLE IF NOT EXISTS _deleted(object TEXT, id TEXT, at INTEGER, "
		  "PRIMARY KEY(object, id))");
	for (const struct sobject *at = schema_all(); at->name; at++)
		make_table(at);
	*fresh = store_meta("filled", 0) == 0;
	return true;
}

static void index_one(const struct sobject *of, const char *column)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "CREATE INDEX IF NOT EXISTS \"%s_%s\" ON \"%s\"(\"%s\")",
		 of->name, column, of->name, column);
	store_run(sql);
}

void store_index(void)
{
	char sql[300];

	for (const struct sobject *at = schema_all(); at->name; at++) {
		bool deletable = (at->flags & SOBJECT_DELETABLE) != 0;

		snprintf(sql, sizeof(sql),
			 "CREATE UNIQUE INDEX IF NOT EXISTS \"%s_Id\" ON \"%s\"(Id%s)", at->name,
			 at->name, deletable ? ", IsDeleted" : "");
		store_run(sql);
		snprintf(sql, sizeof(sql),
			 "CREATE INDEX IF NOT EXISTS \"%s_Stamp\" ON \"%s\"(SystemModstamp, Id%s)",
			 at->name, at->name, deletable ? ", IsDeleted" : "");
		store_run(sql);
		if (schema_field(at, "Email", 5) && at->flags & SOBJECT_WRITEABLE)
			index_one(at, "Email");
		if (schema_field(at, "Leadsync_Key__c", 15))
			index_one(at, "Leadsync_Key__c");
	}
}

void store_close(void)
{
	for (size_t i = 0; i < READY_MAX; i++) {
		sqlite3_finalize(ready[i].statement);
		free(ready[i].sql);
	}
	memset(ready, 0, sizeof(ready));
	sqlite3_close_v2(db);
	db = NULL;
}

struct sqlite3 *store_db(void)
{
	return db;
}

struct sqlite3_stmt *store_prepare(const char *sql)
{
	sqlite3_stmt *out;

	if (sqlite3_prepare_v2(db, sql, -1, &out, NULL) != SQLITE_OK)
		die(sql);
	return out;
}

void store_run(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sql);
}

void store_finish(sqlite3_stmt *statement)
{
	if (sqlite3_step(statement) != SQLITE_DONE)
		die(sqlite3_sql(statement));
	sqlite3_finalize(statement);
}

void store_begin(void)
{
	store_step(store_ready("SAVEPOINT step"));
}

void store_commit(void)
{
	store_step(store_ready("RELEASE step"));
}

void store_undo(void)
{
	store_step(store_ready("ROLLBACK TO step"));
	store_commit();
}

static size_t place_of(const char *sql)
{
	uint64_t hash = 14695981039346656037u;

	for (; *sql; sql++)
		hash = (hash ^ (unsigned char)*sql) * 1099511628211u;
	return hash % READY_MAX;
}

sqlite3_stmt *store_ready(const char *sql)
{
	size_t at = place_of(sql);

	if (ready[at].busy)
		return store_prepare(sql);
	if (!ready[at].sql || strcmp(ready[at].sql, sql) != 0) {
		sqlite3_finalize(ready[at].statement);
		free(ready[at].sql);
		ready[at].sql = mem_text(sql, strlen(sql));
		ready[at].statement = store_prepare(sql);
	}
	ready[at].busy = true;
	return ready[at].statement;
}

void store_release(sqlite3_stmt *statement)
{
	size_t at = place_of(sqlite3_sql(statement));

	if (ready[at].statement != statement) {
		sqlite3_finalize(statement);
		return;
	}
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	ready[at].busy = false;
}

void store_step(sqlite3_stmt *statement)
{
	if (sqlite3_step(statement) != SQLITE_DONE)
		die(sqlite3_sql(statement));
	store_release(statement);
}

static int64_t take_int(sqlite3_stmt *statement, int64_t fallback)
{
	int64_t out = fallback;

	if (sqlite3_step(statement) == SQLITE_ROW &&
	    sqlite3_column_type(statement, 0) != SQLITE_NULL)
		out = sqlite3_column_int64(statement, 0);
	store_release(statement);
	return out;
}

int64_t store_meta(const char *name, int64_t fallback)
{
	sqlite3_stmt *read = store_ready("SELECT value FROM _meta WHERE name = ?");

	sqlite3_bind_text(read, 1, name, -1, SQLITE_STATIC);
	return take_int(read, fallback);
}

void store_set_meta(const char *name, int64_t value)
{
	sqlite3_stmt *write = store_ready("INSERT OR REPLACE INTO _meta VALUES(?, ?)");

	sqlite3_bind_text(write, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(write, 2, value);
	store_step(write);
}

int64_t store_row(const struct sobject *of, const char *id)
{
	sqlite3_stmt *read;
	char sql[100];

	snprintf(sql, sizeof(sql), "SELECT _row FROM \"%s\" WHERE Id = ?", of->name);
	read = store_ready(sql);
	sqlite3_bind_text(read, 1, id, -1, SQLITE_STATIC);
	return take_int(read, 0);
}

int64_t store_int(const struct sobject *of, int64_t row, const char *column)
{
	sqlite3_stmt *read;
	char sql[150];

	snprintf(sql, sizeof(sql), "SELECT \"%s\" FROM \"%s\" WHERE _row = ?", column, of->name);
	read = store_ready(sql);
	sqlite3_bind_int64(read, 1, row);
	return take_int(read, 0);
}

bool store_flag(const struct sobject *of, int64_t row, const char *column)
{
	return store_int(of, row, column) != 0;
}

int64_t store_next_row(const struct sobject *of)
{
	sqlite3_stmt *read = store_ready("SELECT seq + 1 FROM sqlite_sequence WHERE name = ?");

	sqlite3_bind_text(read, 1, of->name, -1, SQLITE_STATIC);
	return take_int(read, 1);
}

int64_t store_count(const struct sobject *of)
{
	char sql[150];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM \"%s\"%s", of->name,
		 of->flags & SOBJECT_DELETABLE ? " WHERE IsDeleted = 0" : "");
	return take_int(store_ready(sql), 0);
}

void store_log_delete(const struct sobject *of, const char *id, int64_t at_s)
{
	sqlite3_stmt *write = store_ready("INSERT OR REPLACE INTO _deleted VALUES(?, ?, ?)");

	sqlite3_bind_text(write, 1, of->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(write, 2, id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(write, 3, at_s);
	store_step(write);
}

void store_unlog_delete(const struct sobject *of, const char *id)
{
	sqlite3_stmt *write = store_ready("DELETE FROM _deleted WHERE object = ? AND id = ?");

	sqlite3_bind_text(write, 1, of->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(write, 2, id, -1, SQLITE_STATIC);
	store_step(write);
}
