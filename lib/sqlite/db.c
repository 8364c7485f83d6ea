/* db.c - in order: opening; units and their parts; statements without values. */
#include "sqlite/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite/filesystem.h"

#define BUSY_MS        5000
#define CACHE_KIB      2048
#define LONGEST_VALUE  (256 * 1024 * 1024)
#define WAL_PAGES      4000 /* checkpoints are fewer and cheaper a page than at 1000 */
#define WAL_BYTES_KEPT (16 * 1024 * 1024) /* after a checkpoint: those pages, at 4 KiB */

/* The file's path without symbolic links in its folders, which SQLITE_OPEN_NOFOLLOW would refuse as
 * well: only the file itself may not be one. It is never taken for a URI, since it begins with /.
 */
static char *real_path(const char *path, char **ret_folder, struct error *err)
{
	CLEANUP_FREE char *for_folder = mem_strdup(path);
	CLEANUP_FREE char *for_name = mem_strdup(path);
	const char *asked = dirname(for_folder);
	char *folder = realpath(asked, NULL);

	if (!folder) {
		error_set(err, ERROR_HUMAN, "no-directory",
			  "%s: the folder %s: %s: make it, or name another path", path, asked,
			  strerror(errno));
		return NULL;
	}
	*ret_folder = folder;
	return mem_format("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, basename(for_name));
}

/* An empty file is a valid empty database. SQLite would make it with mode 0644, and -wal and -shm
 * are given the mode of the file. Opening and closing it ourselves drops no lock: it is new. */
static bool make_file(const char *path, const char *folder, mode_t mode, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	int folder_fd;

	if (fd < 0) {
		if (errno == EEXIST)
			return true; /* another process was faster */
		return error_set(err,
				 errno == ENOSPC || errno == EDQUOT ? ERROR_RETRY : ERROR_HUMAN,
				 errno == ENOSPC || errno == EDQUOT ? "disk-full" : "cannot-open",
				 "%s: cannot be made: %s", path, strerror(errno));
	}
	/* Whatever the umask is: who may use the file was decided by the caller. */
	if (fchmod(fd, mode) != 0) {
		close(fd);
		return error_set(err, ERROR_HUMAN, "cannot-open", "%s: %s", path, strerror(errno));
	}
	close(fd);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0 || fsync(folder_fd) != 0) {
		error_set(err, ERROR_RETRY, "disk-io", "%s: %s", folder, strerror(errno));
		if (folder_fd >= 0)
			close(folder_fd);
		return false;
	}
	close(folder_fd);
	return true;
}

static bool find_file(const struct db_options *options, const char *path, const char *folder,
		      struct error *err)
{
	struct stat st;

	if (lstat(path, &st) == 0) {
		if (S_ISREG(st.st_mode))
			return true;
		return error_set(err, ERROR_HUMAN, "not-a-file", "%s: is %s: name the file itself",
				 path,
				 S_ISLNK(st.st_mode) ? "a symbolic link" : "not a regular file");
	}
	if (errno != ENOENT)
		return error_set(err, ERROR_HUMAN, "cannot-open", "%s: %s", path, strerror(errno));
	if (!options->create)
		return error_set(err, ERROR_HUMAN, "no-database",
				 "%s: there is no such database: check the path", path);
	return make_file(path, folder, options->shared ? 0660 : 0600, err);
}

static void confine(sqlite3 *handle)
{
	static const struct {
		int what, value;
	} switches[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
	}, limits[] = {
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
		{ SQLITE_LIMIT_LENGTH, LONGEST_VALUE },
		{ SQLITE_LIMIT_SQL_LENGTH, 1024 * 1024 },
		{ SQLITE_LIMIT_EXPR_DEPTH, 500 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 100 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000 },
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		sqlite3_db_config(handle, switches[i].what, switches[i].value, NULL);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		sqlite3_limit(handle, limits[i].what, limits[i].value);
}

/* The first look into the file: whether it is a database, and whether anything is in it. */
static bool read_number(struct db *in, const char *sql, int64_t *ret, struct error *err)
{
	sqlite3_stmt *look;
	int code = sqlite3_prepare_v2(in->handle, sql, -1, &look, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(look);
	if (code != SQLITE_ROW) {
		failure_set(err, in, code, FAILURE_RUNNING);
		sqlite3_finalize(look);
		return false;
	}
	*ret = sqlite3_column_int64(look, 0);
	sqlite3_finalize(look);
	return true;
}

static bool set_wal(struct db *in, struct error *err)
{
	sqlite3_stmt *s;
	int code = sqlite3_prepare_v2(in->handle, "PRAGMA journal_mode = WAL", -1, &s, NULL);
	const char *mode;
	bool ok;

	if (code == SQLITE_OK)
		code = sqlite3_step(s);
	if (code != SQLITE_ROW) {
		failure_set(err, in, code, FAILURE_RUNNING);
		sqlite3_finalize(s);
		return false;
	}
	/* It answers with the mode in force, and calls a refusal no error. */
	mode = (const char *)sqlite3_column_text(s, 0);
	ok = mode && strcmp(mode, "wal") == 0;
	if (!ok)
		error_set(err, ERROR_HUMAN, "no-wal",
			  "%s: the filesystem does not allow WAL (no shared memory): move the "
			  "database to another",
			  in->path);
	sqlite3_finalize(s);
	return ok;
}

static bool set_up(struct db *in, const struct db_options *options, struct error *err)
{
	char pragmas[400];
	int64_t objects;

	confine(in->handle);
	sqlite3_busy_timeout(in->handle, BUSY_MS);
	/* Sorting and statement journals stay in memory: nothing of a person goes to /tmp. */
	snprintf(pragmas, sizeof(pragmas),
		 "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;"
		 "PRAGMA cache_size = -%d; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
		 "PRAGMA wal_autocheckpoint = %d; PRAGMA journal_size_limit = %d",
		 options->cache_kib > 0 ? options->cache_kib : CACHE_KIB, WAL_PAGES,
		 WAL_BYTES_KEPT);
	if (!db_run(in, pragmas, err) ||
	    !read_number(in, "SELECT count(*) FROM sqlite_schema", &objects, err))
		return false;
	if (sqlite3_db_readonly(in->handle, "main"))
		return failure_set(err, in, SQLITE_READONLY, FAILURE_RUNNING);
	/* An empty file is one we have just made, or began to make before a crash. */
	return (options->shared && objects > 0) || set_wal(in, err);
}

struct db *db_open(const struct db_options *options, struct error *err)
{
	CLEANUP(db_close) struct db *in = mem_new(struct db);
	CLEANUP_FREE char *folder = NULL;
	int code;

	in->path = real_path(options->path, &folder, err);
	if (!in->path || !filesystem_check_local(folder, err) ||
	    !find_file(options, in->path, folder, err))
		return NULL;
	code = sqlite3_open_v2(in->path, &in->handle,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
				       SQLITE_OPEN_EXRESCODE,
			       NULL);
	if (code != SQLITE_OK) {
		failure_set(err, in, code, FAILURE_RUNNING);
		return NULL;
	}
	return set_up(in, options, err) ? TAKE(in) : NULL;
}

void db_close(struct db *in)
{
	if (!in)
		return;
	/* The last connection to leave checkpoints and removes the WAL; if others stay, a part of
	 * it may remain, which is whole and durable too. */
	sqlite3_close_v2(in->handle);
	free(in->path);
	free(in);
}

/* The undoing itself needs no answer: a transaction that cannot be rolled back now is rolled back
 * by whoever opens the file next. */
static void undo_all(struct db *in)
{
	if (!sqlite3_get_autocommit(in->handle))
		sqlite3_exec(in->handle, "ROLLBACK", NULL, NULL, NULL);
	in->in_part = false;
}

static bool undo_part(struct db *in)
{
	in->in_part = false;
	return !sqlite3_get_autocommit(in->handle) &&
	       sqlite3_exec(in->handle, "ROLLBACK TO part; RELEASE part", NULL, NULL, NULL) ==
		       SQLITE_OK;
}

static void lose_unit(struct db *in, const struct error *why)
{
	undo_all(in);
	in->unit = UNIT_LOST;
	in->lost = *why;
}

/* After `err` the unit is lost, or only the part if it was about one record. */
static bool fail(struct db *in, struct error *err)
{
	bool may_go_on;

	if (in->unit != UNIT_OPEN)
		return false;
	may_go_on = in->in_part && err->kind == ERROR_RECORD;
	if (may_go_on && undo_part(in))
		return false;
	/* "This record only" would be untrue now, and the same again at the next try. */
	if (may_go_on)
		error_set(err, ERROR_HUMAN, "constraint-rollback",
			  "%s: a rule of the table ends the whole transaction: change its ON "
			  "CONFLICT ROLLBACK or RAISE(ROLLBACK) to ABORT",
			  in->path);
	lose_unit(in, err);
	return false;
}

bool db_failed(struct db *in, int code, enum failure_moment moment, struct error *err)
{
	failure_set(err, in, code, moment);
	return fail(in, err);
}

/* SQLite says at every moment whether a transaction is open; we never trust our own book alone. */
static bool unit_stands(struct db *in, struct error *err)
{
	if (in->unit == UNIT_OPEN && sqlite3_get_autocommit(in->handle)) {
		error_set(err, ERROR_RETRY, "unit-lost",
			  "%s: SQLite rolled the unit back by itself: it is done again", in->path);
		lose_unit(in, err);
	}
	if (in->unit == UNIT_OPEN)
		return true;
	*err = in->lost;
	/* Never "this record only" for whatever else was to be in the unit. */
	if (err->kind == ERROR_RECORD)
		error_set(err, ERROR_BUG, "unit-lost", "a unit of work went on after: %s",
			  in->lost.text);
	return false;
}

bool db_may_write(struct db *in, struct error *err)
{
	if (in->unit == UNIT_NONE)
		return error_set(err, ERROR_BUG, "no-unit", "%s: a write outside a unit of work",
				 in->path);
	return unit_stands(in, err);
}

bool db_begin(struct db *in, struct error *err)
{
	int code;

	if (in->unit == UNIT_OPEN || !sqlite3_get_autocommit(in->handle))
		return error_set(err, ERROR_BUG, "nested-unit", "%s: a unit inside a unit",
				 in->path);
	in->unit = UNIT_NONE;
	code = sqlite3_exec(in->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (code != SQLITE_OK) {
		failure_set(err, in, code, FAILURE_RUNNING);
		undo_all(in);
		return false;
	}
	in->unit = UNIT_OPEN;
	return true;
}

bool db_commit(struct db *in, struct error *err)
{
	bool ok = db_may_write(in, err);
	int code;

	if (ok) {
		code = sqlite3_exec(in->handle, "COMMIT", NULL, NULL, NULL);
		if (code != SQLITE_OK)
			ok = failure_set(err, in, code, FAILURE_RUNNING);
		/* A rule that waited for the end refuses all that was done, not one record. */
		if (!ok && err->kind == ERROR_RECORD)
			err->kind = ERROR_HUMAN;
	}
	db_rollback(in);
	return ok;
}

void db_rollback(struct db *in)
{
	undo_all(in);
	in->unit = UNIT_NONE;
}

bool db_end(struct db *in, bool ok, struct error *err)
{
	if (ok)
		return db_commit(in, err);
	db_rollback(in);
	return false;
}

bool db_part_begin(struct db *in, struct error *err)
{
	int code;

	if (!db_may_write(in, err))
		return false;
	if (in->in_part)
		return error_set(err, ERROR_BUG, "nested-part", "%s: a part inside a part",
				 in->path);
	code = sqlite3_exec(in->handle, "SAVEPOINT part", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return db_failed(in, code, FAILURE_RUNNING, err);
	in->in_part = true;
	return true;
}

/* SQLite itself would ask only at COMMIT, when nobody knows whose row it was. */
static bool owes_foreign_key(struct db *in)
{
	int owed = 0, most;

	sqlite3_db_status(in->handle, SQLITE_DBSTATUS_DEFERRED_FKS, &owed, &most, 0);
	return owed;
}

bool db_part_end(struct db *in, struct error *err)
{
	int code;

	if (!db_may_write(in, err))
		return false;
	if (!in->in_part)
		return error_set(err, ERROR_BUG, "no-part", "%s: the end of no part", in->path);
	if (owes_foreign_key(in)) {
		error_set(err, ERROR_RECORD, "constraint",
			  "%s: a rule of the table refuses the change (deferred FOREIGN KEY)",
			  in->path);
		return fail(in, err);
	}
	in->in_part = false;
	code = sqlite3_exec(in->handle, "RELEASE part", NULL, NULL, NULL);
	return code == SQLITE_OK || db_failed(in, code, FAILURE_RUNNING, err);
}

void db_part_undo(struct db *in)
{
	struct error why;

	if (!in->in_part || undo_part(in))
		return;
	error_set(&why, ERROR_RETRY, "unit-lost", "%s: a part could not be undone", in->path);
	lose_unit(in, &why);
}

int64_t db_total_changes(const struct db *in)
{
	return sqlite3_total_changes64(in->handle);
}

/* Runs one statement; *sql moves behind it. */
static bool run_one(struct db *in, const char **sql, struct error *err)
{
	sqlite3_stmt *s;
	int code = sqlite3_prepare_v2(in->handle, *sql, -1, &s, sql);

	if (code != SQLITE_OK)
		return db_failed(in, code, FAILURE_PREPARING, err);
	if (!s)
		return true; /* a comment or blank */
	do
		code = sqlite3_step(s);
	while (code == SQLITE_ROW);
	/* Classified before finalizing: the text belongs to the statement's last answer. */
	if (code != SQLITE_DONE)
		db_failed(in, code, FAILURE_RUNNING, err);
	sqlite3_finalize(s);
	return code == SQLITE_DONE;
}

bool db_run(struct db *in, const char *sql, struct error *err)
{
	while (*sql) {
		/* Outside a unit a statement is a transaction of its own, as DDL at start may be;
		 * in a lost one it is not what its caller believes. */
		if (in->unit != UNIT_NONE && !unit_stands(in, err))
			return false;
		if (!run_one(in, &sql, err))
			return false;
		if (in->unit == UNIT_NONE && !sqlite3_get_autocommit(in->handle)) {
			undo_all(in);
			return error_set(err, ERROR_BUG, "nested-unit",
					 "%s: a transaction begun past db_begin()", in->path);
		}
	}
	return in->unit == UNIT_NONE || unit_stands(in, err);
}
