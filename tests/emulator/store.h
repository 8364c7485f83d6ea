/* store.h - the rows of the org, in SQLite: a typed table per sObject.
 *
 * A column is named as its field. Instants are seconds and days are days since 1970, booleans 0 and
 * 1; compound addresses have no column and formulas are generated ones. Column _row numbers the
 * rows and is never used twice. Failing statements are bugs of the emulator and abort it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct sobject;
struct sqlite3;
struct sqlite3_stmt;

/* NULL keeps the rows in memory. `fresh` tells that the tables were just made. */
bool store_open(const char *path, bool *fresh);
void store_close(void);

struct sqlite3 *store_db(void);
struct sqlite3_stmt *store_prepare(const char *sql);
void store_run(const char *sql);

/* Steps a statement that gives no row, and ends it. */
void store_finish(struct sqlite3_stmt *statement);

/* These nest: what is inside a begun one is kept or undone with it. */
void store_begin(void);
void store_commit(void);
void store_undo(void);

/* For statements run for every record: kept prepared by their text. store_release() gives one back,
 * store_step() runs one that gives no row and gives it back. */
struct sqlite3_stmt *store_ready(const char *sql);
void store_release(struct sqlite3_stmt *statement);
void store_step(struct sqlite3_stmt *statement);

/* After filling: indexes cost less on rows that are there. */
void store_index(void);

int64_t store_meta(const char *name, int64_t fallback);
void store_set_meta(const char *name, int64_t value);

/* The _row of an id of 18 characters, deleted ones too; 0 if there is none. */
int64_t store_row(const struct sobject *of, const char *id);
bool store_flag(const struct sobject *of, int64_t row, const char *column);
int64_t store_int(const struct sobject *of, int64_t row, const char *column);

/* The _row the next insert will get. */
int64_t store_next_row(const struct sobject *of);
int64_t store_count(const struct sobject *of);

/* The delete log that /deleted/ reads; it outlives the rows. */
void store_log_delete(const struct sobject *of, const char *id, int64_t at_s);
void store_unlog_delete(const struct sobject *of, const char *id);
