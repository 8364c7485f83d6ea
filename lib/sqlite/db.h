/* db.h - a SQLite connection opened the way every database of ours is opened.
 *
 * WAL, synchronous=FULL, busy 5 s, foreign_keys, trusted_schema off, double-quoted strings off,
 * DEFENSIVE, no extensions, no ATTACH, O_NOFOLLOW, cell_size_check; local filesystems only. One
 * connection belongs to one thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct error;
struct db;

struct db_options {
	const char *path;
	int cache_kib; /* 0: 2048 */
	bool create;   /* make the file (mode 0600, or what umask leaves of 0660 if `shared`) */
	bool shared;   /* other programs use the file too: its journal mode is not changed if it is
			  not ours */
};

struct db *db_open(const struct db_options *options, struct error *err);
void db_close(struct db *in); /* checkpoints; NULL is allowed */
CLEANUP_DEFINE(struct db, db_close)

/* A unit of work: BEGIN IMMEDIATE ... COMMIT. On any error the unit is rolled back as a whole
 * (after SQLITE_FULL SQLite may have rolled back by itself and would go on in autocommit; no
 * statement runs outside a unit then). Units do not nest. */
bool db_begin(struct db *in, struct error *err);
bool db_commit(struct db *in, struct error *err);
void db_rollback(struct db *in); /* no effect outside a unit */

/* Rows changed through this connection since it was opened. */
int64_t db_total_changes(const struct db *in);

/* For statements without values and results, inside or outside a unit (DDL, pragmas). */
bool db_run(struct db *in, const char *sql, struct error *err);

/* Applies what is missing of `steps`, in order, in one unit; the number applied is kept in `table`
 * (one row). A database with more steps than we know is ERROR_STATE code newer-ledger and is left
 * untouched. Steps are only ever appended. */
bool db_migrate(struct db *in, const char *table, const char *const *steps, size_t count,
		struct error *err);

/* Classes of SQLite's result codes: BUSY, IOERR, FULL and READONLY are ERROR_RETRY (codes
 * store-busy, disk-io, disk-full, read-only); CORRUPT and NOTADB are ERROR_STATE; CONSTRAINT is
 * ERROR_RECORD (code constraint); all else ERROR_BUG. */
