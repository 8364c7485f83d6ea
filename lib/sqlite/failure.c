/* failure.c - what SQLite's result codes mean for us. */
#include "sqlite/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct class
{
	int code;
	enum error_kind kind;
	const char *name;
	const char *text;
} classes[] = {
	/* Extended codes stand before the primary code they belong to. */
	{ SQLITE_READONLY_DBMOVED, ERROR_STATE, "moved",
	  "the file was moved or replaced while it was open: put it back or restart" },
	{ SQLITE_CONSTRAINT_TRIGGER, ERROR_RECORD, "constraint",
	  "a trigger of the table refuses the change" },
	{ SQLITE_BUSY, ERROR_RETRY, "store-busy",
	  "another program holds the database: it is tried again by itself" },
	{ SQLITE_IOERR, ERROR_RETRY, "disk-io",
	  "the disk fails to read or write: look at the kernel's log; it is tried again by "
	  "itself" },
	{ SQLITE_FULL, ERROR_RETRY, "disk-full",
	  "no space left: free some, the job resumes by itself" },
	{ SQLITE_READONLY, ERROR_RETRY, "read-only",
	  "the database cannot be written: give this user write permission on the file and its "
	  "folder, or mount the filesystem read-write; the job resumes by itself" },
	{ SQLITE_CORRUPT, ERROR_STATE, "corrupt",
	  "the database is damaged: nothing more is written; keep all its files and restore a "
	  "backup" },
	{ SQLITE_NOTADB, ERROR_STATE, "not-a-database",
	  "the file is not a SQLite database: nothing is written to it; check the path or restore "
	  "a backup" },
	{ SQLITE_CONSTRAINT, ERROR_RECORD, "constraint", "a rule of the table refuses the change" },
	{ SQLITE_MISMATCH, ERROR_RECORD, "constraint", "a column refuses a value of that type" },
	{ SQLITE_TOOBIG, ERROR_RECORD, "too-big", "a value is longer than the database takes" },
	{ SQLITE_CANTOPEN, ERROR_HUMAN, "cannot-open",
	  "the file or one beside it (-wal, -shm) cannot be opened: give this user read and write "
	  "permission on it and on its folder" },
};
static const struct class otherwise = { 0, ERROR_BUG, "sqlite", "unexpected answer of SQLite" };
static const struct class short_of_files = {
	SQLITE_CANTOPEN, ERROR_RETRY, "disk-io",
	"too many open files: it is tried again by itself; raise LimitNOFILE if this stays"
};

static const struct class *find_class(const struct db *db, int code)
{
	/* Running out of descriptors passes; a missing permission stays. */
	if ((code & 0xff) == SQLITE_CANTOPEN) {
		int cause = sqlite3_system_errno(db->handle);

		if (cause == EMFILE || cause == ENFILE)
			return &short_of_files;
	}
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i].code == code || classes[i].code == (code & 0xff))
			return &classes[i];
	return &otherwise;
}

/* SQLite's text names table and column for these, and nothing else. */
static bool names_only(int code)
{
	switch (code) {
	case SQLITE_CONSTRAINT_CHECK:
	case SQLITE_CONSTRAINT_FOREIGNKEY:
	case SQLITE_CONSTRAINT_NOTNULL:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_DATATYPE: return true;
	default: return false;
	}
}

bool failure_set(struct error *err, const struct db *db, int code, enum failure_moment moment)
{
	const struct class *found;
	bool quote = moment == FAILURE_PREPARING || names_only(code);

	if ((code & 0xff) == SQLITE_NOMEM)
		abort();
	found = find_class(db, code);
	return error_set(err, found->kind, found->name, "%s: %s (%s)", db->path, found->text,
			 quote ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code));
}
