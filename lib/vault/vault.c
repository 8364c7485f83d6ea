/* vault.c - in order: the directory and its lock; the state database and its key; what the tables
 * share. */
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
#include "secret/keyring.h"
#include "secret/secret.h"
#include "sqlite/statement.h"
#include "vault/inside.h"

/* The columns of `vault` stay as they are for ever: they are read before anything is migrated. */
static const char *const steps[] = {
	"CREATE TABLE vault (instance TEXT NOT NULL, key_check BLOB NOT NULL) STRICT;"
	"CREATE TABLE secret (name TEXT PRIMARY KEY, id TEXT NOT NULL, sealed BLOB NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	/* Kept when a token is deleted: a generation never names two tokens. */
	"CREATE TABLE account (name TEXT PRIMARY KEY, generation INTEGER NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE token (account TEXT PRIMARY KEY REFERENCES account (name), id TEXT NOT NULL,"
	" generation INTEGER NOT NULL, access_token BLOB NOT NULL, refresh_token BLOB,"
	" facts BLOB NOT NULL, instance_url TEXT NOT NULL, org_id TEXT NOT NULL,"
	" user_id TEXT NOT NULL, scope TEXT, source TEXT NOT NULL, obtained_ms INTEGER NOT NULL,"
	" expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID",
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

/* The directory itself may be a link, as systemd makes one for a dynamic user; nothing in it may.
 */
static int open_folder(const char *path, struct error *err)
{
	bool made = mkdir(path, 0700) == 0;
	int folder;

	if ((!made && errno != EEXIST) || (made && !sync_parent(path))) {
		error_set(err, ERROR_HUMAN, "no-directory",
			  "%s: cannot be made: %s: make it with mode 0700 for this user", path,
			  strerror(errno));
		return -1;
	}
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		error_set(err, ERROR_HUMAN, "no-directory", "%s: cannot be opened: %s", path,
			  strerror(errno));
	return folder;
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

static bool lock_folder(struct vault *in, const char *path, struct error *err)
{
	int folder = open_folder(path, err);

	if (folder < 0)
		return false;
	if (is_private(folder, path, err))
		in->lock = take_lock(folder, path, err);
	close(folder);
	return in->lock >= 0;
}

static bool has_table(struct vault *in, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "SELECT 1 FROM sqlite_schema WHERE name = 'vault'", err);

	return s && statement_step(s, ret, err);
}

/* Learns whose vault it is, if the key is the right one; *ret_found is false for a new one. */
static bool read_identity(struct vault *in, bool *ret_found, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = NULL;
	const char *instance;
	const void *check;
	size_t len;
	bool found;

	if (!has_table(in, &found, err))
		return false;
	if (!found) {
		*ret_found = false;
		return true;
	}
	s = statement_new(in->db, "SELECT instance, key_check FROM vault", err);
	if (!s || !statement_step(s, &found, err))
		return false;
	if (found) {
		check = statement_bytes(s, "key_check", &len);
		if (!keyring_check(in->keyring, check, len, err))
			return false;
		instance = statement_text(s, "instance");
		if (strlen(instance) != INSIDE_ID_SIZE - 1)
			return error_set(err, ERROR_STATE, "tampered",
					 "the instance id is not one of ours: restore a backup");
		memcpy(in->instance, instance, INSIDE_ID_SIZE);
	}
	*ret_found = found;
	return true;
}

static bool write_identity(struct vault *in, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db, "INSERT INTO vault VALUES (:instance, :key_check)", err);
	unsigned char check[KEYRING_CHECK_SIZE];

	if (!s)
		return false;
	inside_make_id(in->instance);
	keyring_make_check(in->keyring, check);
	statement_bind_text(s, ":instance", in->instance);
	statement_bind_bytes(s, ":key_check", check, sizeof(check));
	return inside_run_alone(in, s, err);
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
	return found || write_identity(in, err);
}

struct vault *vault_open(const char *state_dir, struct keyring *keyring, struct error *err)
{
	CLEANUP(vault_close) struct vault *in = mem_new(struct vault);
	CLEANUP_FREE char *path = mem_format("%s/state.db", state_dir);

	*in = (struct vault){ .keyring = keyring, .lock = -1 };
	if (!lock_folder(in, state_dir, err) || !open_database(in, path, err))
		return NULL;
	return TAKE(in);
}

void vault_close(struct vault *in)
{
	if (!in)
		return;
	/* The lock last: nobody else may come while SQLite is still writing. */
	db_close(in->db);
	if (in->lock >= 0)
		close(in->lock);
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

void inside_bind_sealed(struct vault *in, struct statement *s, const char *name,
			const struct seal_context *context, struct secret *plain)
{
	CLEANUP_FREE unsigned char *sealed = NULL;
	size_t len;

	if (!plain) {
		statement_bind_null(s, name);
		return;
	}
	secret_open(plain, &len);
	secret_close(plain);
	sealed = mem_zeroed(len + KEYRING_OVERHEAD, 1);
	keyring_seal(in->keyring, context, plain, sealed);
	statement_bind_bytes(s, name, sealed, len + KEYRING_OVERHEAD);
}

struct secret *inside_open_sealed(struct vault *in, struct statement *s, const char *column,
				  const struct seal_context *context, struct error *err)
{
	size_t len;
	const void *sealed = statement_bytes(s, column, &len);

	return keyring_open(in->keyring, context, sealed, len, err);
}

bool inside_run_alone(struct vault *in, struct statement *s, struct error *err)
{
	if (!db_begin(in->db, err))
		return false;
	if (statement_run(s, err))
		return db_commit(in->db, err);
	db_rollback(in->db);
	return false;
}
