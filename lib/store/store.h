/* store.h - the SQL database with the people, and the ledger that lives beside them in it.
 *
 * A store is synchronous and transactional and belongs to its worker's thread: every function here
 * is called there. One database is a folder that fills in one table of functions (SQLite:
 * store/sqlite). The ledger's tables are named leadsync_*; they are the operator's to read. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "record/record.h"

struct error;
struct mapping;
struct store;

/* Where a job's reading stands. Committed with the rows of each page. */
enum cursor_phase {
	CURSOR_NONE,    /* nothing read yet */
	CURSOR_LOAD,    /* a load by id is under way: `last_id` is the last one kept */
	CURSOR_CHANGES, /* an increment is under way: (last_ms, last_id) is the last pair kept */
	CURSOR_SETTLED, /* everything before `bound_ms` is kept */
};

struct cursor {
	enum cursor_phase phase;
	int64_t bound_ms; /* server's clock: the upper bound of the leg under way, or of the last
			     one ended */
	int64_t since_ms; /* CURSOR_CHANGES: where the increment began */
	int64_t last_ms;
	char last_id[19];     /* "" before the first */
	int64_t deletions_ms; /* server's clock up to which deletions are known */
};

/* A job as the ledger knows it. Borrowed. */
struct store_job {
	const char *name;
	const char *object;
	const char *table;
	const char *key;
	const char *org_id;
	const char *instance; /* whose daemon */
	const struct mapping *mapping;
};

/* The pair that a job keeps equal. */
enum link_state {
	LINK_LIVE,
	LINK_DELETED,      /* a tombstone: the record is deleted at the remote */
	LINK_OUT_OF_SIGHT, /* not deleted, but no longer shown to us */
};

struct link {
	bool found;
	enum link_state state;
	struct record_hash hash; /* of the record when last settled */
	struct value key;        /* of the row; null if the row is gone */
};

/* What one page does to one record; made by lib/sync, done by the store. */
enum store_action {
	STORE_NOTHING,
	STORE_INSERT, /* a row of `set` columns; its new key goes into the link */
	STORE_UPDATE, /* the `set` columns of the row with the link's key */
	STORE_DELETE, /* the row */
};
