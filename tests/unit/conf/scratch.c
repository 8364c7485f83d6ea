#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST (256 * 1024)

/* A test without its files is no test. */
static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

char *scratch_new(void)
{
	const char *parent = getenv("TMPDIR");
	CLEANUP_FREE char *path = mem_format("%s/conf-XXXXXX", parent ? parent : "/tmp");
	CLEANUP_FREE char *folder = NULL;

	must(mkdtemp(path) != NULL, "mkdtemp");
	folder = mem_format("%s/conf.d", path);
	must(mkdir(folder, 0755) == 0, "mkdir");
	return TAKE(path);
}

static void empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	must(dir != NULL, path);
	while ((entry = readdir(dir))) {
		CLEANUP_FREE char *inner = mem_format("%s/%s", path, entry->d_name);

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlink(inner) == 0)
			continue;
		empty(inner);
		must(rmdir(inner) == 0, inner);
	}
	closedir(dir);
}

void scratch_remove(char *in)
{
	empty(in);
	must(rmdir(in) == 0, in);
	free(in);
}

void scratch_write(const char *in, const char *name, const char *bytes, size_t len)
{
	CLEANUP_FREE char *path = mem_format("%s/%s", in, name);
	/* Not O_TRUNC: ext4 would write such a file out at once, and tests write thousands. */
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	must(fd >= 0, path);
	must(fchmod(fd, 0644) == 0, path);
	must(write(fd, bytes, len) == (ssize_t)len, path);
	must(ftruncate(fd, (off_t)len) == 0, path);
	close(fd);
}

void scratch_text(const char *in, const char *name, const char *text)
{
	scratch_write(in, name, text, strlen(text));
}

struct conf *scratch_read(const char *in, const char *name, struct conf_mistakes *ret_mistakes)
{
	CLEANUP_FREE char *path = mem_format("%s/%s", in, name);

	return conf_read(path, ret_mistakes);
}

char *scratch_mistake(const char *in, const struct conf_mistake *mistake)
{
	size_t len = strlen(in);
	const char *file = mistake->file;

	if (strncmp(file, in, len) == 0 && file[len] == '/')
		file += len + 1;
	return mem_format("%s:%d: %s", file, mistake->line, mistake->text);
}

char *scratch_load(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	char *text = mem_zeroed(FILE_MOST + 1, 1);

	must(file != NULL, path);
	*ret_len = fread(text, 1, FILE_MOST, file);
	must(*ret_len && *ret_len < FILE_MOST, path);
	fclose(file);
	return text;
}
