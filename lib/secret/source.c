#include "secret/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "secret/secret.h"

/* Nobody but its owner may touch a file. systemd grants a credential to the service's user by an
 * ACL where the filesystem has them, and the mode then shows its mask as the group's. */
#define NOT_FOR_FILES       077
#define NOT_FOR_CREDENTIALS 037

/* Reads to the end; -1 with errno set. Never more than `size`. */
static ssize_t read_to_end(int fd, char *bytes, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, bytes + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	return (ssize_t)used;
}

/* Nothing is wrong with the source: it may be read when the machine has room again. */
static bool is_shortage(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOMEM || number == EIO;
}

/* By errno. */
static bool cannot_read(const char *name, struct error *err)
{
	int number = errno;

	if (is_shortage(number))
		return error_set(err, ERROR_RETRY, "secret-not-read",
				 "%s: cannot be read for now: %s", name, strerror(number));
	return error_set(err, ERROR_HUMAN, "no-secret-file", "%s: cannot be read: %s", name,
			 strerror(number));
}

struct secret *source_read_fd(int fd, const char *name, struct error *err)
{
	char *bytes;
	struct secret *room = secret_blank(SECRET_LONGEST + 1, &bytes), *read_in = NULL;
	ssize_t len = read_to_end(fd, bytes, SECRET_LONGEST + 1);

	if (len < 0)
		cannot_read(name, err);
	else if (len == 0)
		error_set(err, ERROR_HUMAN, "empty-secret", "%s: is empty: put the secret into it",
			  name);
	else if ((size_t)len > SECRET_LONGEST)
		error_set(err, ERROR_HUMAN, "secret-too-long",
			  "%s: is longer than 64 KiB: is this the right file?", name);
	else
		read_in = secret_new(bytes, (size_t)len);
	secret_free(room);
	return read_in;
}

static bool is_safe(int fd, const char *path, uid_t owner, mode_t forbidden, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return cannot_read(path, err);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_HUMAN, "unsafe-file",
				 "%s: is not a regular file: put the secret into one", path);
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != owner)
		return error_set(err, ERROR_HUMAN, "unsafe-file",
				 "%s: belongs to user %u, who could change it: chown %u %s", path,
				 st.st_uid, geteuid(), path);
	if (st.st_mode & forbidden)
		return error_set(err, ERROR_HUMAN, "unsafe-file",
				 "%s: others may read or write it (mode %04o): chmod 600 %s", path,
				 st.st_mode & 07777, path);
	return true;
}

static struct secret *read_checked(const char *path, uid_t owner, mode_t forbidden,
				   struct error *err)
{
	struct secret *read_in = NULL;
	/* Not blocking: a fifo is refused, not waited for. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		if (errno == ELOOP)
			error_set(err, ERROR_HUMAN, "unsafe-file",
				  "%s: is a symbolic link: name the file itself", path);
		else
			cannot_read(path, err);
		return NULL;
	}
	if (is_safe(fd, path, owner, forbidden, err))
		read_in = source_read_fd(fd, path, err);
	close(fd);
	return read_in;
}

struct secret *source_read_file(const char *path, uid_t owner, struct error *err)
{
	return read_checked(path, owner, NOT_FOR_FILES, err);
}

char *source_credential_path(const char *name, struct error *err)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		error_set(err, ERROR_HUMAN, "no-credential",
			  "\"%s\" is not the name of a credential: expected a plain file name",
			  name);
		return NULL;
	}
	if (!folder || *folder != '/') {
		error_set(err, ERROR_HUMAN, "no-credential",
			  "credential %s: systemd has handed over none: start the service with "
			  "LoadCredentialEncrypted=%s, or name a file",
			  name, name);
		return NULL;
	}
	return mem_format("%s/%s", folder, name);
}

struct secret *source_read_credential(const char *name, struct error *err)
{
	CLEANUP_FREE char *path = source_credential_path(name, err);

	return path ? read_checked(path, geteuid(), NOT_FOR_CREDENTIALS, err) : NULL;
}

/* Takes what was read; NULL passes. */
static struct secret *cut_newline(struct secret *read_in, const char *name, struct error *err)
{
	CLEANUP(secret_free) struct secret *all = read_in;
	struct secret *line = NULL;
	const char *bytes;
	size_t len;

	if (!all)
		return NULL;
	bytes = secret_open(all, &len);
	if (bytes[len - 1] == '\n')
		len--;
	if (len)
		line = secret_new(bytes, len);
	else
		error_set(err, ERROR_HUMAN, "empty-secret", "%s: is empty: put the secret into it",
			  name);
	secret_close(all);
	return line;
}

struct secret *secret_read_fd(int fd, const char *name, struct error *err)
{
	return cut_newline(source_read_fd(fd, name, err), name, err);
}

struct secret *secret_read_file(const char *path, struct error *err)
{
	return cut_newline(source_read_file(path, geteuid(), err), path, err);
}

struct secret *secret_read_credential(const char *name, struct error *err)
{
	return cut_newline(source_read_credential(name, err), name, err);
}
