/* mistakes.h - what is wrong in the conf files, gathered until all of them are read. */
#pragma once
#include "conf/conf.h"

/* The text is one line; control bytes in it are replaced. */
void conf_mistakes_add(struct conf_mistakes *in, const char *file, int line, const char *format,
		       ...) __attribute__((format(printf, 4, 5)));

/* By file, in the order of `files`, then by line. */
void conf_mistakes_sort(struct conf_mistakes *in, char *const *files, size_t file_count);
