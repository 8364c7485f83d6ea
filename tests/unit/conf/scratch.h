/* scratch.h - a folder for conf files that a test writes and reads. */
#pragma once
#include <stddef.h>

#include "conf/conf.h"

/* A new empty folder; scratch_remove() ends it with all that is in it. */
char *scratch_new(void);
void scratch_remove(char *in);

/* Writes `name` (which may stand in conf.d/) with mode 0644. */
void scratch_write(const char *in, const char *name, const char *bytes, size_t len);
void scratch_text(const char *in, const char *name, const char *text);

/* conf_read() of `name`. */
struct conf *scratch_read(const char *in, const char *name, struct conf_mistakes *ret_mistakes);

/* "conf.d/a.conf:3: text", the folder cut off; `line` 0 as well. free() it. */
char *scratch_mistake(const char *in, const struct conf_mistake *mistake);

/* The whole of a file of the source tree, with a NUL behind it. free() it. */
char *scratch_load(const char *path, size_t *ret_len);
