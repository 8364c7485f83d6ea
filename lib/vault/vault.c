/* vault.c - in order: the directory and its lock; whose state database it is; opening and adopting;
 * what the tables share. */
#include "vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/machine.h"
#include "secret/keyring.h"
#include "sqlite/statement.h"
#include "vault/inside.h"

/* The columns of `vault` stay as they are for ever: they are read before anything is migrated. What
 * is sealed stands in sealed.c's list too. */
static const char *const steps[] = {
	"CREATE TABLE vault (instance TEXT NOT NULL, machine TEXT NOT NULL,"
	" key_check BLOB NOT NULL) STRICT;"
	"CREATE TABLE secret (name TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
	" set_ms INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	/* Kept when a token is deleted: a generation never names two tokens. */
	"CREATE TABLE account (name TEXT PRIMARY KEY, generation INTEGER NOT NULL DEFAULT 0,"
	" asked INTEGER NOT NULL DEFAULT 0,"
	" disconnected INTEGER NOT NULL DEFAULT 0, learned_life_s INTEGER NOT NULL DEFAULT 0,"
	" learned_ms INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
	"CREATE TABLE token (account TEXT PRIMARY KEY REFERENCES account (name),"
	" id TEXT NOT NULL UNIQUE, generation INTEGER NOT NULL, access_token BLOB NOT NULL,"
	" refresh_token BLOB, facts BLOB NOT NULL, instance_url TEXT NOT NULL,"
	" org_id TEXT NOT NULL, user_id TEXT NOT NULL, scope TEXT, source TEXT NOT NULL,"
	" obtained_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, expiry INTEGER NOT NULL,"
	" rotation INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	/* Numbers are not used again: who goes through them would miss a row. */
	"CREATE TABLE revocation (number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, source TEXT NOT NULL,"
	" sealed BLOB NOT NULL, since_ms INTEGER NOT NULL) STRICT;"
	"CREATE TABLE paused_job (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
};

static bool sync_parent(const char *path)
{
	CLEANUP_FREE char *copy = mem_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return synced;
}

static bool is_private(int folder, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(folder, &st) != 0)
		return error_set(err, ERROR_HUMAN, "no-directory", "%s: %s", path, strerror(errno));
	/* Also for root: it would leave files behind that the daemon's user cannot write. */
	if (st.st_uid != geteuid())
		return error_set(err, ERROR_HUMAN, "unsafe-directory",
				 "%s: belongs to user %u: run as that user, or chown %u %s", path,
				 st.st_uid, geteuid(), path);
	if (st.st_mode & 077)
		return error_set(err, ERROR_HUMAN, "unsafe-directory",
				 "%s: others may look into it (mode %04o): chmod 700 %s", path,
				 st.st_mode & 07777, path);
	return true;
}

static bool make_folder(const char *path, struct error *err)
{
	bool made = mkdir(path, 0700) == 0;

	if (made ? sync_parent(path) : errno == EEXIST)
		return true;
	return error_set(err, ERROR_HUMAN, "no-directory",
			 "%s: cannot be made: %s: make it with mode 0700 for this user", path,
			 strerror(errno));
}

/* The lock is the descriptor's: it ends with the process, however that ends. */
static int take_lock(int folder, const char *path, struct error *err)
{
	int lock = openat(folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (lock < 0) {
		error_set(err, ERROR_HUMAN, "unsafe-directory", "%s/lock: cannot be opened: %s",
			  path, errno == ELOOP ? "it is a symbolic link" : strerror(errno));
		return -1;
	}
	if (flock(lock, LOCK_EX | LOCK_NB) == 0)
		return lock;
	if (errno == EWOULDBLOCK)
		error_set(err, ERROR_STATE, "already-running",
			  "%s: another leadsyncd uses this state directory: stop it first, or name "
			  "another state_dir",
			  path);
	else
		error_set(err, ERROR_HUMAN, "unsafe-directory", "%s/lock: cannot be locked: %s",
			  path, strerror(errno));
	close(lock);
	return -1;
}

/* The directory itself may be a link, as systemd makes one for a dynamic user; nothing in it may.
 */
static bool lock_folder(struct vault *in, const char *path, struct error *err)
{
	in->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in->folder < 0)
		return error_set(err, ERROR_HUMAN, "no-directory", "%s: cannot be opened: %s", path,
				 strerror(errno));
	if (!is_private(in->folder, path, err))
		return false;
	in->lock = take_lock(in->folder, path, err);
	return in->lock >= 0;
}

static bool has_table(struct vault *in, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "SELECT 1 FROM sqlite_schema WHERE name = 'vault'", err);

	return s && statement_step(s, ret, err);
}

/* One without an id is another than one that had one; made without, it belongs to whoever has it. */
static bool is_this_machine(const char *stored, struct error *err)
{
	char here[MACHINE_ID_SIZE];

	machine_id(here);
	return !*stored || strcmp(stored, here) == 0 ||
	       error_set(err, ERROR_STATE, "other-machine",
			 "it was made on another machine, and two that refresh the same tokens "
			 "lose them: if the directory was moved here and the other machine no "
			 "longer uses it, run `leadsync adopt`");
}

static bool take_identity(struct vault *in, struct statement *s, struct error *err)
{
	const char *instance;
	size_t len;
	const void *check = statement_bytes(s, "key_check", &len);

	if (!keyring_check(in->keyring, check, len, err) ||
	    !is_this_machine(statement_text(s, "machine"), err))
		return false;
	instance = statement_text(s, "instance");
	if (strlen(instance) != INSIDE_ID_SIZE - 1)
		return error_set(err, ERROR_STATE, "tampered",
				 "the instance id is not one of ours: restore a backup");
	memcpy(in->instance, instance, INSIDE_ID_SIZE);
	return true;
}

/* Learns whose vault it is, if the key and the machine are the right ones; *ret_found is false for
 * a new one. */
static bool read_identity(struct vault *in, bool *ret_found, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = NULL;
	bool found;

	if (!has_table(in, &found, err))
		return false;
	if (found) {
		s = statement_new(in->db, "SELECT instance, machine, key_check FROM vault", err);
		if (!s || !statement_step(s, &found, err) || (found && !take_identity(in, s, err)))
			return false;
	}
	*ret_found = found;
	return true;
}

static bool write_identity(struct vault *in, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db,
					    "INSERT INTO vault (instance, machine, key_check)"
					    " VALUES (:instance, :machine, :key_check)",
					    err);
	unsigned char check[KEYRING_CHECK_SIZE];
	char machine[MACHINE_ID_SIZE];

	if (!s)
		return false;
	inside_make_id(in->instance);
	keyring_make_check(in->keyring, check);
	machine_id(machine);
	statement_bind_text(s, ":instance", in->instance);
	statement_bind_text(s, ":machine", machine);
	statement_bind_bytes(s, ":key_check", check, sizeof(check));
	return inside_run_alone(in, s, err);
}

/* `sql` says from what, as :machine is this one's id, "" if it has none. */
static bool bind_machine(struct vault *in, const char *sql, bool *ret_changed, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = statement_new(in->db, sql, err);
	int64_t before = db_total_changes(in->db);
	char machine[MACHINE_ID_SIZE];

	if (!s)
		return false;
	machine_id(machine);
	statement_bind_text(s, ":machine", machine);
	if (!inside_run_alone(in, s, err))
		return false;
	*ret_changed = db_total_changes(in->db) > before;
	return true;
}

/* Made where there was no id, and now there is one. */
static bool bind_unbound(struct vault *in, struct error *err)
{
	bool changed;

	return bind_machine(in,
			    "UPDATE vault SET machine = :machine"
			    " WHERE machine = '' AND :machine <> ''",
			    &changed, err);
}

/* It is small, and a damaged page found now is found before a token is lost to it. */
static bool is_whole(struct vault *in, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db, "PRAGMA quick_check(1)", err);
	size_t len;
	bool row;

	if (!s || !statement_step(s, &row, err))
		return false;
	if (row && strcmp(statement_text_at(s, 0, &len), "ok") == 0)
		return true;
	return error_set(err, ERROR_STATE, "corrupt",
			 "it is damaged: nothing more is written; keep all its files and restore a "
			 "backup");
}

static bool open_database(struct vault *in, const char *path, struct error *err)
{
	bool found;

	in->db = db_open(&(struct db_options){ .path = path, .create = true }, err);
	if (!in->db)
		return false;
	if (!read_identity(in, &found, err) || !is_whole(in, err))
		return error_prefix(err, "%s", path);
	if (!db_run(in->db, "PRAGMA secure_delete = ON", err) ||
	    !db_migrate(in->db, "vault_schema", steps, sizeof(steps) / sizeof(steps[0]), err))
		return false;
	/* A crash between the two leaves empty tables, which nothing can have been sealed into. */
	return (found ? bind_unbound(in, err) : write_identity(in, err)) &&
	       inside_token_mark_all(in, err);
}

static struct vault *new_closed(struct keyring *keyring)
{
	struct vault *in = mem_new(struct vault);

	*in = (struct vault){ .keyring = keyring, .folder = -1, .lock = -1 };
	return in;
}

struct vault *vault_open(const char *state_dir, struct keyring *keyring, struct error *err)
{
	CLEANUP(vault_close) struct vault *in = new_closed(keyring);
	CLEANUP_FREE char *path = mem_format("%s/state.db", state_dir);

	if (!make_folder(state_dir, err) || !lock_folder(in, state_dir, err) ||
	    !open_database(in, path, err))
		return NULL;
	return TAKE(in);
}

bool vault_adopt(const char *state_dir, bool *ret_changed, struct error *err)
{
	CLEANUP(vault_close) struct vault *in = new_closed(NULL);
	CLEANUP_FREE char *path = mem_format("%s/state.db", state_dir);
	bool begun;

	if (!lock_folder(in, state_dir, err))
		return false;
	in->db = db_open(&(struct db_options){ .path = path }, err);
	if (!in->db || !has_table(in, &begun, err))
		return false;
	if (begun)
		return bind_machine(in,
				    "UPDATE vault SET machine = :machine WHERE machine <> :machine",
				    ret_changed, err);
	*ret_changed = false;
	return true;
}

void vault_close(struct vault *in)
{
	if (!in)
		return;
	/* The lock last: nobody else may come while SQLite is still writing. */
	db_close(in->db);
	if (in->lock >= 0)
		close(in->lock);
	if (in->folder >= 0)
		close(in->folder);
	free(in);
}

const char *vault_instance(const struct vault *in)
{
	return in->instance;
}

void inside_make_id(char out[INSIDE_ID_SIZE])
{
	unsigned char bits[(INSIDE_ID_SIZE - 1) / 2];

	if (getrandom(bits, sizeof(bits), 0) != sizeof(bits))
		abort(); /* the kernel promises this much, once it has started */
	for (size_t i = 0; i < sizeof(bits); i++)
		snprintf(out + 2 * i, 3, "%02x", bits[i]);
}

bool inside_run_alone(struct vault *in, struct statement *s, struct error *err)
{
	return db_begin(in->db, err) && db_end(in->db, statement_run(s, err), err);
}
