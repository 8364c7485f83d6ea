/* connection.h - what the files of this room know of a connection; no other room includes it. */
#pragma once
#include <sqlite3.h>

#include "base/error.h"
#include "sqlite/db.h"

enum unit {
	UNIT_NONE,
	UNIT_OPEN,
	UNIT_LOST, /* rolled back after `lost`; whoever began it has not been told by db_commit yet
		    */
};

struct db {
	sqlite3 *handle;
	char *path;
	enum unit unit;
	bool in_part; /* only in UNIT_OPEN */
	struct error lost;
};

/* When a result code came up. SQLite's own text is only passed on where it cannot hold a value:
 * while preparing it is about the SQL, while running it may quote what a function was given. */
enum failure_moment { FAILURE_PREPARING, FAILURE_RUNNING };

/* Classifies `code`, the connection's last result; answers false. */
bool failure_set(struct error *err, const struct db *db, int code, enum failure_moment moment);

/* The same, and the unit (or the part of it) ends because of it. */
bool db_failed(struct db *in, int code, enum failure_moment moment, struct error *err);

/* Whether what is about to be written is inside a living unit. */
bool db_may_write(struct db *in, struct error *err);
