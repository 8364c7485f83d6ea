/* place.h - a folder of its own for each test, as cmocka's set-up and tear-down. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "secret/secret.h"

struct place {
	char folder[200];
};

static inline int make_place(void **state)
{
	struct place *place = mem_new(struct place);
	const char *tmp = getenv("TMPDIR");
	struct error err;
	bool locked;

	assert_true(secret_start(&locked, &err));
	snprintf(place->folder, sizeof(place->folder), "%s/leadsync-secret-XXXXXX",
		 tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(place->folder));
	*state = place;
	return 0;
}

static inline int drop_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static inline int drop_place(void **state)
{
	struct place *place = *state;

	assert_int_equal(nftw(place->folder, drop_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(place);
	return 0;
}

#define in_place(test) cmocka_unit_test_setup_teardown(test, make_place, drop_place)

/* PATH_IN(place, "name") lives as long as the block it stands in. */
#define PATH_SIZE 300
static inline const char *path_in(const struct place *place, const char *name, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s/%s", place->folder, name);
	return out;
}
#define PATH_IN(place, name) path_in(place, name, (char[PATH_SIZE]){ 0 })

static inline void write_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static inline void assert_secret(struct secret *in, const void *want, size_t want_len)
{
	size_t len;
	const char *bytes = secret_open(in, &len);

	assert_int_equal(len, want_len);
	assert_memory_equal(bytes, want, len);
	assert_int_equal(bytes[len], 0);
	secret_close(in);
}
