/* marks.h - the accounts' high-water marks. Only for this room.
 *
 * The file `marks` in the state directory: one line `NAME GENERATION` an account. It is not in the
 * database because a backup of that must not hold it: a restored token is known by being older. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct error;
struct marks;

/* All of them. A file that is absent, or that is not what marks_write() wrote, has none: the tokens
 * are stale then, which stops their accounts and nothing else. NULL, ERROR_RETRY, only where no
 * file could be opened: that says nothing of this one, which must not be replaced then. */
struct marks *marks_read(int folder, struct error *err);
void marks_free(struct marks *in);
CLEANUP_DEFINE(struct marks, marks_free)

bool marks_find(const struct marks *in, const char *account, uint64_t *ret_generation);

/* Never lowers. */
void marks_raise(struct marks *in, const char *account, uint64_t generation);

/* Whether a line can hold this name. */
bool marks_is_name(const char *account);

/* Replaces the file, mode 0600, on the disk when it answers true. ERROR_RETRY otherwise. */
bool marks_write(const struct marks *in, int folder, struct error *err);
