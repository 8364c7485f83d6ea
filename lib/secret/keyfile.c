/* keyfile.c - in order: where it may lie; what may stand in it; making one; adding to one. */
#include "secret/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/error.h"
#include "base/str.h"
#include "secret/secret.h"
#include "secret/source.h"

#define HEX_LEN    (2 * KEYFILE_KEY_SIZE)
#define BASE64_LEN 44

static bool is_below(const char *folder, const char *above)
{
	size_t len = strlen(above);

	if (strcmp(above, "/") == 0)
		return true;
	return strncmp(folder, above, len) == 0 && (folder[len] == '\0' || folder[len] == '/');
}

/* Real paths, so that neither a link nor ".." hides where the file lies. */
/* Whose a key file may be besides root's and our own: the daemon's, when root runs a command on its
 * state directory. */
static uid_t owner_of(const char *state_dir)
{
	struct stat st;

	return geteuid() == 0 && stat(state_dir, &st) == 0 ? st.st_uid : geteuid();
}

static bool lies_apart(const char *path, const char *state_dir, struct error *err)
{
	CLEANUP_FREE char *copy = mem_strdup(path);
	const char *asked = dirname(copy);
	CLEANUP_FREE char *folder = realpath(asked, NULL);
	CLEANUP_FREE char *state = NULL;

	if (!folder)
		return error_set(err, ERROR_HUMAN, "no-secret-file", "%s: the folder %s: %s", path,
				 asked, strerror(errno));
	state = realpath(state_dir, NULL);
	if (!state && errno != ENOENT)
		return error_set(err, ERROR_HUMAN, "no-directory", "%s: %s", state_dir,
				 strerror(errno));
	/* A state directory that is not there yet has nothing below it. */
	if (state && is_below(folder, state))
		return error_set(
			err, ERROR_HUMAN, "key-below-state",
			"%s: lies below the state directory %s: one backup would hold both "
			"lock and key: move it elsewhere",
			path, state);
	return true;
}

static struct secret *read_source(const char *source, const char *state_dir, struct error *err)
{
	static const char credential[] = "credential:", file[] = "file:";
	const char *path = source;

	if (str_starts_with(source, credential)) {
		const char *name = source + strlen(credential);
		CLEANUP_FREE char *place = source_credential_path(name, err);

		return place && lies_apart(place, state_dir, err)
			       ? source_read_credential(name, err)
			       : NULL;
	}
	if (str_starts_with(source, file))
		path += strlen(file);
	if (*path != '/') {
		error_set(err, ERROR_HUMAN, "bad-key-source",
			  "seal_key: \"%s\": expected credential:NAME or file:/PATH", source);
		return NULL;
	}
	return lies_apart(path, state_dir, err) ? source_read_file(path, owner_of(state_dir), err)
						: NULL;
}

/* 32 characters of a password would pass for a raw key: nobody draws printable ones only by chance
 * (once in 10^13). */
static bool is_text(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((bytes[i] < ' ' || bytes[i] > '~') && !memchr("\t\r\n", bytes[i], 3))
			return false;
	return true;
}

static bool parse_line(const char *line, size_t len, char key[KEYFILE_KEY_SIZE])
{
	unsigned char *out = (unsigned char *)key;
	const char *end;
	size_t got;

	if (len == HEX_LEN)
		return sodium_hex2bin(out, KEYFILE_KEY_SIZE, line, len, NULL, &got, &end) == 0 &&
		       got == KEYFILE_KEY_SIZE && end == line + len;
	return len == BASE64_LEN &&
	       sodium_base642bin(out, KEYFILE_KEY_SIZE, line, len, NULL, &got, &end,
				 sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       got == KEYFILE_KEY_SIZE && end == line + len;
}

static bool parse_lines(const char *bytes, size_t len, const char *source, char *keys,
			size_t *ret_count, struct error *err)
{
	const char *at = bytes, *end = bytes + len;
	size_t count = 0;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t line_len = (size_t)((newline ? newline : end) - at);

		if (count == KEYFILE_MOST)
			return error_set(err, ERROR_HUMAN, "bad-key",
					 "%s: more than %d keys: remove the oldest", source,
					 KEYFILE_MOST);
		if (!parse_line(at, line_len, keys + count * KEYFILE_KEY_SIZE))
			return error_set(
				err, ERROR_HUMAN, "bad-key",
				"%s: line %zu is no key: expected 64 hex digits, base64 of "
				"32 bytes, or a file of 32 raw bytes; make one with "
				"`leadsync key init`",
				source, count + 1);
		count++;
		at = newline ? newline + 1 : end;
	}
	*ret_count = count;
	return true;
}

static bool are_good(const char *keys, size_t count, const char *source, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const char *key = keys + i * KEYFILE_KEY_SIZE;

		/* All bytes the same: a placeholder. */
		if (sodium_memcmp(key, key + 1, KEYFILE_KEY_SIZE - 1) == 0)
			return error_set(err, ERROR_HUMAN, "bad-key",
					 "%s: key %zu is one byte over and over: make one with "
					 "`leadsync key init`",
					 source, i + 1);
		for (size_t k = 0; k < i; k++)
			if (sodium_memcmp(key, keys + k * KEYFILE_KEY_SIZE, KEYFILE_KEY_SIZE) == 0)
				return error_set(err, ERROR_HUMAN, "bad-key",
						 "%s: keys %zu and %zu are the same: remove one",
						 source, k + 1, i + 1);
	}
	return true;
}

static bool parse(const char *bytes, size_t len, const char *source, char *keys, size_t *ret_count,
		  struct error *err)
{
	if (len == KEYFILE_KEY_SIZE && !is_text(bytes, len)) {
		memcpy(keys, bytes, len);
		*ret_count = 1;
	} else if (!parse_lines(bytes, len, source, keys, ret_count, err)) {
		return false;
	}
	return are_good(keys, *ret_count, source, err);
}

static struct secret *keys_in(struct secret *all, const char *source, struct error *err)
{
	CLEANUP(secret_free) struct secret *parsed = NULL;
	struct secret *keys = NULL;
	const char *bytes;
	char *room;
	size_t len, count = 0;

	bytes = secret_open(all, &len);
	parsed = secret_blank((size_t)KEYFILE_MOST * KEYFILE_KEY_SIZE, &room);
	if (parse(bytes, len, source, room, &count, err))
		keys = secret_new(room, count * KEYFILE_KEY_SIZE);
	secret_close(parsed);
	secret_close(all);
	return keys;
}

struct secret *keyfile_read(const char *source, const char *state_dir, struct error *err)
{
	CLEANUP(secret_free) struct secret *all = read_source(source, state_dir, err);

	return all ? keys_in(all, source, err) : NULL;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t put = write(fd, bytes, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes += put;
		len -= (size_t)put;
	}
	return true;
}

static bool write_key(int fd, const char *key)
{
	char *line;
	CLEANUP(secret_free) struct secret *text = secret_blank(HEX_LEN + 1, &line);
	bool written;

	sodium_bin2hex(line, HEX_LEN + 1, (const unsigned char *)key, KEYFILE_KEY_SIZE);
	line[HEX_LEN] = '\n';
	written = write_all(fd, line, HEX_LEN + 1);
	secret_close(text);
	return written;
}

static bool write_new_key(int fd)
{
	char *key;
	CLEANUP(secret_free) struct secret *raw = secret_blank(KEYFILE_KEY_SIZE, &key);
	bool written;

	randombytes_buf(key, KEYFILE_KEY_SIZE);
	written = write_key(fd, key);
	secret_close(raw);
	return written;
}

static bool sync_folder_of(const char *path)
{
	CLEANUP_FREE char *copy = mem_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return synced;
}

bool keyfile_make(const char *path, const char *state_dir, struct error *err)
{
	int fd;

	if (!lies_apart(path, state_dir, err))
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return error_set(
			err, ERROR_HUMAN, "key-exists",
			"%s: is there already: what is sealed under a key is lost with it, "
			"so none is overwritten; name another file",
			path);
	if (fd < 0)
		return error_set(err, ERROR_HUMAN, "no-secret-file", "%s: cannot be made: %s", path,
				 strerror(errno));
	if (!write_new_key(fd) || fsync(fd) != 0 || !sync_folder_of(path)) {
		error_set(err, ERROR_HUMAN, "no-secret-file", "%s: cannot be written: %s", path,
			  strerror(errno));
		close(fd);
		/* Half a key must not be found by the next start. */
		unlink(path);
		return false;
	}
	close(fd);
	return true;
}

static bool not_written(const char *path, struct error *err)
{
	return error_set(err, ERROR_HUMAN, "no-secret-file", "%s: cannot be written: %s", path,
			 strerror(errno));
}

static bool write_keys(int fd, struct secret *keys, const struct stat *like)
{
	size_t len;
	const char *key = secret_open(keys, &len);
	bool written = write_new_key(fd);

	for (size_t at = 0; written && at < len; at += KEYFILE_KEY_SIZE)
		written = write_key(fd, key + at);
	secret_close(keys);
	return written && fchown(fd, like->st_uid, like->st_gid) == 0 &&
	       fchmod(fd, like->st_mode & 07777) == 0 && fsync(fd) == 0;
}

/* One step for whoever reads the file: all its old keys, or those and the new one. */
static bool replace(int folder, const char *path, struct secret *keys, struct error *err)
{
	CLEANUP_FREE char *copy = mem_strdup(path);
	const char *name = basename(copy);
	CLEANUP_FREE char *temp = mem_format("%s.new", name);
	struct stat like;
	bool written;
	int fd;

	/* What a crash left behind. */
	if (fstatat(folder, name, &like, AT_SYMLINK_NOFOLLOW) != 0 ||
	    (unlinkat(folder, temp, 0) != 0 && errno != ENOENT))
		return not_written(path, err);
	fd = openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return not_written(path, err);
	written = write_keys(fd, keys, &like) && renameat(folder, temp, folder, name) == 0 &&
		  fsync(folder) == 0;
	if (!written)
		not_written(path, err);
	close(fd);
	if (!written)
		unlinkat(folder, temp, 0);
	return written;
}

static bool add(int folder, const char *path, uid_t owner, struct error *err)
{
	CLEANUP(secret_free) struct secret *all = NULL;
	CLEANUP(secret_free) struct secret *keys = NULL;
	size_t len;

	/* Of two who add at once, one would lose the other's key. */
	if (flock(folder, LOCK_EX | LOCK_NB) != 0)
		return not_written(path, err);
	all = source_read_file(path, owner, err);
	keys = all ? keys_in(all, path, err) : NULL;
	if (!keys)
		return false;
	secret_open(keys, &len);
	secret_close(keys);
	if (len == (size_t)KEYFILE_MOST * KEYFILE_KEY_SIZE)
		return error_set(err, ERROR_HUMAN, "too-many-keys",
				 "%s: holds %d keys already: remove the last line once nothing is "
				 "sealed under its key any more",
				 path, KEYFILE_MOST);
	return replace(folder, path, keys, err);
}

bool keyfile_add(const char *path, const char *state_dir, struct error *err)
{
	CLEANUP_FREE char *copy = mem_strdup(path);
	bool added;
	int folder;

	if (!lies_apart(path, state_dir, err))
		return false;
	folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return not_written(path, err);
	added = add(folder, path, owner_of(state_dir), err);
	close(folder);
	return added;
}
