/* cut.c - preloaded into the daemon: ends it at the n-th call by which it changes something outside
 * itself, or learns something that it cannot learn again.
 *
 * In the folder $LEADSYNC_CUT, counting begins when the file `plan` appears: "N before|after
 * SIGNAL". Every call counted is a line of `trace`, so a plan whose N is never reached tells how
 * many there are. Counted are writes to files and sockets, syncs, cuts and renames of files, and
 * reads from sockets; not the log, which is written to a pipe. */
#include <dlfcn.h>
#include <fcntl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define NO_FILE (-1) /* of a call that names a path, or one that always counts */

static struct {
	pthread_mutex_t lock; /* the stores' worker threads write, too */
	char folder[256];
	int trace;
	long number, calls; /* `number` is 0 until there is a plan */
	bool after;
	int signal;
} cut = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Before main(), which cuts the environment. */
__attribute__((constructor)) static void start(void)
{
	const char *folder = getenv("LEADSYNC_CUT");

	if (folder)
		snprintf(cut.folder, sizeof(cut.folder), "%s", folder);
}

/* By its number: our own openat() or write() would be counted. */
static int open_ours(const char *name, int flags)
{
	char path[sizeof(cut.folder) + 16];

	snprintf(path, sizeof(path), "%s/%s", cut.folder, name);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static bool find_plan(void)
{
	char text[64] = "", when[8];
	int fd = open_ours("plan", O_RDONLY);

	if (fd < 0)
		return false;
	syscall(SYS_read, fd, text, sizeof(text) - 1);
	close(fd);
	if (sscanf(text, "%ld %7s %d", &cut.number, when, &cut.signal) != 3)
		abort();
	cut.after = strcmp(when, "after") == 0;
	cut.trace = open_ours("trace", O_WRONLY | O_CREAT | O_TRUNC);
	return true;
}

static bool is_counted(int fd)
{
	struct stat st;

	return fd == NO_FILE ||
	       (fstat(fd, &st) == 0 &&
		(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISSOCK(st.st_mode)));
}

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void trace(const char *call, int fd)
{
	char link[64], target[256] = "", line[400];
	ssize_t len = 0;

	if (fd != NO_FILE) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, target, sizeof(target) - 1);
	}
	len = snprintf(line, sizeof(line), "%s %s\n", call, len > 0 ? target : "");
	syscall(SYS_write, cut.trace, line, (size_t)len);
}

/* Whether the end comes behind this call. */
static bool step(const char *call, int fd)
{
	int error = errno;
	bool is_it = false;

	if (!*cut.folder || !is_counted(fd)) {
		errno = error;
		return false;
	}
	pthread_mutex_lock(&cut.lock);
	if (cut.number || find_plan()) {
		trace(call, fd);
		is_it = ++cut.calls == cut.number;
	}
	pthread_mutex_unlock(&cut.lock);
	if (is_it && !cut.after)
		kill(getpid(), cut.signal);
	errno = error;
	return is_it && cut.after;
}

static void end(void)
{
	int error = errno;

	kill(getpid(), cut.signal);
	errno = error;
}

#define COUNTED(type, name, parameters, arguments, fd)                                             \
	type name parameters                                                                       \
	{                                                                                          \
		type(*real) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #name);              \
		bool ends = step(#name, fd);                                                       \
		type got = real arguments;                                                         \
                                                                                                   \
		if (ends)                                                                          \
			end();                                                                     \
		return got;                                                                        \
	}

/* What is read from a file can be read again. */
#define COUNTED_READ(type, name, parameters, arguments, fd)                                        \
	type name parameters                                                                       \
	{                                                                                          \
		type(*real) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #name);              \
		bool ends = is_socket(fd) && step(#name, fd);                                      \
		type got = real arguments;                                                         \
                                                                                                   \
		if (ends)                                                                          \
			end();                                                                     \
		return got;                                                                        \
	}

/* What fortified programs call in place of the plain ones. */
ssize_t __read_chk(int fd, void *to, size_t len, size_t room);
ssize_t __recv_chk(int fd, void *to, size_t len, size_t room, int flags);

COUNTED(ssize_t, write, (int fd, const void *from, size_t len), (fd, from, len), fd)
COUNTED(ssize_t, writev, (int fd, const struct iovec *from, int count), (fd, from, count), fd)
COUNTED(ssize_t, pwrite, (int fd, const void *from, size_t len, off_t at), (fd, from, len, at), fd)
COUNTED(ssize_t, pwrite64, (int fd, const void *from, size_t len, off64_t at), (fd, from, len, at),
	fd)
COUNTED(int, fsync, (int fd), (fd), fd)
COUNTED(int, fdatasync, (int fd), (fd), fd)
COUNTED(int, ftruncate, (int fd, off_t len), (fd, len), fd)
COUNTED(int, ftruncate64, (int fd, off64_t len), (fd, len), fd)
COUNTED(int, rename, (const char *from, const char *to), (from, to), NO_FILE)
COUNTED(int, renameat, (int in, const char *from, int out, const char *to), (in, from, out, to),
	NO_FILE)
COUNTED(int, unlink, (const char *path), (path), NO_FILE)
COUNTED(int, unlinkat, (int in, const char *path, int flags), (in, path, flags), NO_FILE)
COUNTED(int, connect, (int fd, const struct sockaddr *to, socklen_t len), (fd, to, len), fd)
COUNTED(ssize_t, send, (int fd, const void *from, size_t len, int flags), (fd, from, len, flags),
	fd)
COUNTED(ssize_t, sendto,
	(int fd, const void *from, size_t len, int flags, const struct sockaddr *to,
	 socklen_t to_len),
	(fd, from, len, flags, to, to_len), fd)
COUNTED(ssize_t, sendmsg, (int fd, const struct msghdr *from, int flags), (fd, from, flags), fd)
COUNTED_READ(ssize_t, read, (int fd, void *to, size_t len), (fd, to, len), fd)
COUNTED_READ(ssize_t, readv, (int fd, const struct iovec *to, int count), (fd, to, count), fd)
COUNTED_READ(ssize_t, recv, (int fd, void *to, size_t len, int flags), (fd, to, len, flags), fd)
COUNTED_READ(ssize_t, recvfrom,
	     (int fd, void *to, size_t len, int flags, struct sockaddr *from, socklen_t *from_len),
	     (fd, to, len, flags, from, from_len), fd)
COUNTED_READ(ssize_t, __read_chk, (int fd, void *to, size_t len, size_t room), (fd, to, len, room),
	     fd)
COUNTED_READ(ssize_t, __recv_chk, (int fd, void *to, size_t len, size_t room, int flags),
	     (fd, to, len, room, flags), fd)
