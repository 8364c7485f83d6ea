#include "sqlite/connection.h"

#include "sqlite/statement.h"

static bool table_exists(struct db *db, const char *table, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(db,
			      "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = :name",
			      err);

	if (!s)
		return false;
	statement_bind_text(s, ":name", table);
	return statement_step(s, ret, err);
}

/* How many steps the database has; 0 if it has never seen any. Writes nothing. */
static bool read_count(struct db *db, const char *table, size_t known, size_t *ret,
		       struct error *err)
{
	CLEANUP(statement_free) struct statement *s = NULL;
	char *sql;
	bool there, row;
	int64_t steps;

	if (!table_exists(db, table, &there, err))
		return false;
	if (!there) {
		*ret = 0;
		return true;
	}
	sql = sqlite3_mprintf("SELECT steps FROM \"%w\"", table);
	s = statement_new(db, sql, err);
	sqlite3_free(sql);
	if (!s || !statement_step(s, &row, err))
		return false;
	steps = row && statement_type_at(s, 0) == STATEMENT_INT ? statement_int_at(s, 0) : -1;
	if (steps < 0)
		return error_set(err, ERROR_STATE, "damaged-ledger",
				 "%s: table %s does not say its version: restore a backup",
				 db->path, table);
	if ((uint64_t)steps > known)
		return error_set(err, ERROR_STATE, "newer-ledger",
				 "%s: written by a newer version (%s has %lld steps, this program "
				 "knows %zu): install that version or restore a backup",
				 db->path, table, (long long)steps, known);
	*ret = (size_t)steps;
	return true;
}

static bool write_count(struct db *db, const char *table, size_t before, size_t count,
			struct error *err)
{
	char *sql =
		before ? sqlite3_mprintf("UPDATE \"%w\" SET steps = %lld", table, (long long)count)
		       : sqlite3_mprintf("CREATE TABLE IF NOT EXISTS \"%w\" (steps INTEGER NOT "
					 "NULL); DELETE FROM \"%w\"; INSERT INTO \"%w\" "
					 "VALUES (%lld)",
					 table, table, table, (long long)count);
	bool ok = db_run(db, sql, err);

	sqlite3_free(sql);
	return ok;
}

static bool apply(struct db *db, const char *table, const char *const *steps, size_t count,
		  struct error *err)
{
	size_t before;

	/* Asked again, now that nobody else can write: another process may have been faster. */
	if (!read_count(db, table, count, &before, err))
		return false;
	if (before == count)
		return true;
	for (size_t i = before; i < count; i++)
		if (!db_run(db, steps[i], err))
			return error_prefix(err, "step %zu of %s", i + 1, table);
	return write_count(db, table, before, count, err);
}

bool db_migrate(struct db *db, const char *table, const char *const *steps, size_t count,
		struct error *err)
{
	size_t before;

	if (!read_count(db, table, count, &before, err))
		return false;
	/* Nothing to do is the rule, and takes no write lock. */
	if (before == count)
		return true;
	return db_begin(db, err) && db_end(db, apply(db, table, steps, count, err), err);
}
