/* world.h - a fake remote, a real SQLite store, a job between them, and questions about the end. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <cmocka.h>

#include <sqlite3.h>

#include "base/error.h"
#include "fake_remote.h"
#include "sync/run.h"
#include "sync/sync_store.h"

#define WORLD_RULES 12

struct world {
	struct loop *loop;
	struct fake *fake;
	struct sync_store *store;
	char dir[40], path[64];
	struct mapping_rule rules[WORLD_RULES];
	struct run_job job;
	const char *instance;
	sqlite3 *look; /* a connection of somebody else */
	struct run *run;
	bool done, failed;
	struct error err;
	struct run_counts counts;
	char run_id[9];
};

/* Contacts 1 to 7, changed a day ago, none in the table. */
struct world *world_new(void);
void world_free(struct world *in);
void world_map(struct world *in, const char *field, const char *column);
void world_unmap(struct world *in, const char *field);

void world_run(struct world *in); /* must end well */
void world_run_full(struct world *in);
void world_run_any(struct world *in, bool full);    /* ends or hangs: then it is cut */
void world_reopen(struct world *in);                /* as after a restart */
void world_wait(struct world *in, int64_t seconds); /* the server's clock */

/* The durable state before the n-th commit from now on is kept, and put back later. */
void world_snap_at(struct world *in, unsigned commit);
bool world_snap_restore(struct world *in); /* false: there were fewer commits */

/* Runs once more and proves that nothing at all was written. */
void world_assert_idle(struct world *in);

/* The table is what the remote holds, link by link. */
void world_assert_equal(struct world *in);

void world_sql(struct world *in, const char *sql);
int64_t world_int(struct world *in, const char *sql);
const char *world_text(struct world *in, const char *sql); /* good until the next */
