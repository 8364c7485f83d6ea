/* world.h - a fake remote, a real SQLite store, a job between them, and questions about the end.
 *
 * One clock moves all: a call takes a second of the server's, of the loop's and of the one by which
 * triggers time what other programs write; and where nothing but a timer is left, they go to it. */
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
#include "store/store.h"
#include "sync/run.h"
#include "sync/sync_store.h"

#define WORLD_RULES 12
#define WORLD_KEY   "Key__c" /* the external id field of a two-way world */

struct world {
	struct loop *loop;
	struct fake *fake;
	struct sync_store *store;
	char dir[48], path[64];
	struct mapping_rule rules[WORLD_RULES];
	const char *match[2];
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

/* Every field goes both ways; rows and records are matched by Email and made on either side, with
 * WORLD_KEY as external id. The table is there, empty. */
struct world *world_new_two_way(void);

/* From here on every such world begins with a ledger that has its tables, and no job. */
void world_keep_ledger(void);
void world_drop_ledger(void);
void world_copy_file(const char *from, const char *to);
void world_two_way(struct world *in);
struct mapping_rule *world_rule(struct world *in, const char *field);
void world_both(struct world *in, const char *field, enum field_rule rule, enum field_blank blank);
void world_up(struct world *in, const char *field);
void world_down(struct world *in, const char *field);

/* At the remote, without anything but these. */
struct fake_record *world_person(struct world *in, unsigned number, const char *last_name,
				 const char *email);

void world_run(struct world *in); /* must end well */
void world_run_full(struct world *in);
void world_run_any(struct world *in, bool full);    /* ends or hangs: then it is cut */
void world_reopen(struct world *in);                /* as after a restart */
void world_wait(struct world *in, int64_t seconds); /* back: the server's clock alone */

/* The durable state before the n-th commit from now on is kept, nothing that the run asks of the
 * remote after it arrives there, and the state is put back later. */
void world_snap_at(struct world *in, unsigned commit);
bool world_is_cut(void);
bool world_snap_restore(struct world *in); /* false: there were fewer commits */

/* Runs once more and proves that nothing at all was written, on neither side. */
void world_assert_idle(struct world *in);

/* The table is what the remote holds, link by link, field by field; in a two-way world there is no
 * row without a link either. */
void world_assert_equal(struct world *in);

/* Nothing was sent that no program may send. */
void world_assert_strict(struct world *in);

void world_sql(struct world *in, const char *sql);
int64_t world_int(struct world *in, const char *sql);
const char *world_text(struct world *in, const char *sql); /* good until the next */

/* What the ledger lists; NULL: any. */
size_t world_conflicts(struct world *in, const char *kind, const char *field, const char *winner);
size_t world_open_conflicts(struct world *in, const char *field);
bool world_is_open(struct world *in, const char *remote_id, const char *field);
size_t world_rejects(struct world *in, const char *code, const char *field);
size_t world_dues(struct world *in, const char *state);
size_t world_order(struct world *in, enum store_act act, const char *id, const char *field,
		   enum told_side winner);
void world_print_ledger(struct world *in); /* for people */
