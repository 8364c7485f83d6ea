#include "vault/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define FILE_NAME "marks"
#define TEMP_NAME "marks.new" /* we hold the vault's lock: nobody else makes one */
#define LONGEST   ((size_t)1024 * 1024)

struct mark {
	char *account;
	uint64_t generation;
};

struct marks {
	struct mark *list;
	size_t count;
};

static struct mark *find(const struct marks *in, const char *account)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcmp(in->list[i].account, account) == 0)
			return &in->list[i];
	return NULL;
}

bool marks_find(const struct marks *in, const char *account, uint64_t *ret_generation)
{
	const struct mark *found = find(in, account);

	if (found)
		*ret_generation = found->generation;
	return found;
}

void marks_raise(struct marks *in, const char *account, uint64_t generation)
{
	struct mark *mark = find(in, account);

	if (!mark) {
		in->list = mem_resize(in->list, in->count + 1, sizeof(*in->list));
		mark = &in->list[in->count++];
		*mark = (struct mark){ .account = mem_strdup(account) };
	}
	if (mark->generation < generation)
		mark->generation = generation;
}

void marks_free(struct marks *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->count; i++)
		free(in->list[i].account);
	free(in->list);
	free(in);
}

bool marks_is_name(const char *account)
{
	return *account && !strpbrk(account, " \n");
}

/* Digits only, and a number that SQLite can hold and still add one to. */
static bool parse_generation(const char *text, uint64_t *ret)
{
	size_t len = strlen(text);

	if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
		return false;
	*ret = strtoull(text, NULL, 10);
	return true;
}

static bool parse_line(struct marks *in, char *line)
{
	char *space = strchr(line, ' ');
	uint64_t generation;

	if (!space)
		return false;
	*space = '\0';
	if (!*line || find(in, line) || !parse_generation(space + 1, &generation))
		return false;
	marks_raise(in, line, generation);
	return true;
}

static bool parse(struct marks *in, char *text)
{
	while (*text) {
		char *newline = strchr(text, '\n');

		if (!newline)
			return false;
		*newline = '\0';
		if (!parse_line(in, text))
			return false;
		text = newline + 1;
	}
	return true;
}

/* As one text; NULL if it is no file of ours. free() it. */
static char *read_text(int fd)
{
	CLEANUP_FREE char *text = NULL;
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size > LONGEST)
		return NULL;
	text = mem_zeroed((size_t)st.st_size + 1, 1);
	/* A regular file gives all of itself at once; if not, it is no good. */
	got = pread(fd, text, (size_t)st.st_size, 0);
	return got == st.st_size && strlen(text) == (size_t)got ? TAKE(text) : NULL;
}

struct marks *marks_read(int folder, struct error *err)
{
	CLEANUP(marks_free) struct marks *in = mem_new(struct marks);
	CLEANUP_FREE char *text = NULL;
	/* Not blocking: a fifo is refused, not waited for. */
	int fd = openat(folder, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
		error_set(err, ERROR_RETRY, "disk-io",
			  FILE_NAME ": cannot be opened: %s: it is tried again by itself",
			  strerror(errno));
		return NULL;
	}
	if (fd < 0)
		return TAKE(in);
	text = read_text(fd);
	close(fd);
	return text && parse(in, text) ? TAKE(in) : mem_new(struct marks);
}

static bool not_written(struct error *err)
{
	bool full = errno == ENOSPC || errno == EDQUOT;

	return error_set(err, ERROR_RETRY, full ? "disk-full" : "disk-io",
			 FILE_NAME
			 ": cannot be written: %s: mend that; it is tried again by itself",
			 strerror(errno));
}

/* free() it. */
static char *format(const struct marks *in, size_t *ret_len)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, ret_len);

	if (!file)
		abort();
	for (size_t i = 0; i < in->count; i++)
		fprintf(file, "%s %" PRIu64 "\n", in->list[i].account, in->list[i].generation);
	if (fclose(file) != 0)
		abort(); /* there is nothing behind it but memory */
	return text;
}

static bool write_lines(const struct marks *in, int fd)
{
	size_t left;
	CLEANUP_FREE char *text = format(in, &left);

	for (const char *at = text; left;) {
		ssize_t put = write(fd, at, left);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		at += put;
		left -= (size_t)put;
	}
	return fsync(fd) == 0;
}

static bool replace(const struct marks *in, int folder, int fd)
{
	return write_lines(in, fd) && renameat(folder, TEMP_NAME, folder, FILE_NAME) == 0 &&
	       fsync(folder) == 0;
}

bool marks_write(const struct marks *in, int folder, struct error *err)
{
	bool written;
	int fd;

	/* What a crash left behind. */
	if (unlinkat(folder, TEMP_NAME, 0) != 0 && errno != ENOENT)
		return not_written(err);
	fd = openat(folder, TEMP_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return not_written(err);
	written = replace(in, folder, fd) || not_written(err);
	close(fd);
	return written;
}
