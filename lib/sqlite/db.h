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
	bool create;   /* make the file (mode 0600, or 0660 if `shared`) */
	bool shared; /* other programs use the file too: WAL only if we make it or it is empty, else
			its journal mode stays as its owner chose it */
};

/* Besides the classes below: ERROR_HUMAN code no-database (nothing there and not `create`),
 * not-a-file (a symbolic link, a folder), no-directory, remote-filesystem, cannot-open. */
struct db *db_open(const struct db_options *options, struct error *err);

/* Checkpoints; an open unit is rolled back. Statements are freed before. NULL is allowed. */
void db_close(struct db *in);
CLEANUP_DEFINE(struct db, db_close)

/* A unit of work: BEGIN IMMEDIATE ... COMMIT. On any error the unit is rolled back as a whole
 * (after SQLITE_FULL SQLite may have rolled back by itself and would go on in autocommit; no
 * statement that writes runs outside a unit then). Units do not nest.
 *
 * After such an error db_commit() fails with that same error, and so does whatever writes, until
 * db_rollback(), db_commit() or the next db_begin() has closed the unit. (A unit that went on after
 * an ERROR_RECORD is ERROR_BUG code unit-lost: see db_part_begin.) What db_commit() itself answers
 * is never ERROR_RECORD: a constraint deferred until then is ERROR_HUMAN. */
bool db_begin(struct db *in, struct error *err);
bool db_commit(struct db *in, struct error *err);
void db_rollback(struct db *in);                        /* no effect outside a unit */
bool db_end(struct db *in, bool ok, struct error *err); /* commits if `ok`, else rolls back */

/* A part of a unit that may fail by itself, such as one record of a page: an ERROR_RECORD inside it
 * undoes the part alone, to its beginning, and ends it; the unit goes on. Any other error ends the
 * unit as ever; so does a table's own ON CONFLICT ROLLBACK (ERROR_HUMAN code constraint-rollback).
 * A deferred foreign key must hold when the part ends. Parts do not nest. */
bool db_part_begin(struct db *in, struct error *err);
bool db_part_end(struct db *in, struct error *err); /* keeps what the part did */
void db_part_undo(struct db *in);                   /* no effect outside a part */

/* Rows changed through this connection since it was opened. */
int64_t db_total_changes(const struct db *in);

/* For statements without values and results, inside or outside a unit (DDL, pragmas); several may
 * stand in one text. May neither begin nor end a transaction. */
bool db_run(struct db *in, const char *sql, struct error *err);

/* Applies what is missing of `steps`, in order, in one unit; the number applied is kept in `table`
 * (one row, column `steps`). A database with more steps than we know is ERROR_STATE code
 * newer-ledger and is left untouched; so is one whose number cannot be read (damaged-ledger). Steps
 * are only ever appended. Not inside a unit. */
bool db_migrate(struct db *in, const char *table, const char *const *steps, size_t count,
		struct error *err);

/* Classes of SQLite's result codes: BUSY, IOERR, FULL and READONLY are ERROR_RETRY (codes
 * store-busy, disk-io, disk-full, read-only); CORRUPT and NOTADB are ERROR_STATE (codes corrupt,
 * not-a-database), as is a file moved or replaced under us (moved); CONSTRAINT is ERROR_RECORD
 * (code constraint), as is a value too long (too-big); all else ERROR_BUG (code sqlite). No memory
 * ends the process.
 *
 * The text names the database file and the remedy; it may name a constraint, and it never holds a
 * bound or stored value. */
