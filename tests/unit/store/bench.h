/* bench.h - a store on a real database file, with a job on it, and the eyes of another program. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <sqlite3.h>

#include "base/arena.h"
#include "base/error.h"
#include "record/mapping.h"
#include "store/sqlite/sqlite_store.h"
#include "store/store.h"

#define MOST_FIELDS 6

struct bench {
	char dir[40], path[64];
	struct store *store;
	struct store_session *session;
	struct store_state state;
	struct mapping_field fields[MOST_FIELDS];
	struct mapping mapping;
	struct store_job job;
	struct arena *arena;
	struct error err;
	unsigned problems;
	sqlite3 *look;
};

/* cmocka's: job "contacts" of LastName, Score__c and Active__c in contact, key id; no store yet. */
int set_up(void **state);
int tear_down(void **state);

/* One more field, both ways. */
void map(struct bench *in, const char *field, const char *column, enum value_type type);

bool prepare(struct bench *in); /* releases the session before */
void must_prepare(struct bench *in);
void shut(struct bench *in);

/* Of another program. */
void sql(struct bench *in, const char *text);
const char *ask(struct bench *in, const char *text); /* the first value; good until the next */

/* Units that must succeed, as must the steps in them: DO(in, put_due, &due, false). */
void begin(struct bench *in);
void commit(struct bench *in);
#define DO(bench, op, ...)                                                                         \
	must((bench), (bench)->store->ops->op((bench)->session, ##__VA_ARGS__, &(bench)->err), #op)
void must(struct bench *in, bool ok, const char *what);

struct value text(const char *text); /* NULL: null */
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* A link to a row that is there already, with `key`; in a unit of its own. */
void link_row(struct bench *in, const char *remote_id, const char *key);
