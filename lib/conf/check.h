/* check.h - what only shows when all sections are read: do they fit together? */
#pragma once

struct conf;
struct conf_blocks;
struct conf_mistakes;

/* Ties each job to its account and store. `path` is the main file. */
void conf_check(struct conf *in, const struct conf_blocks *blocks, const char *path,
		struct conf_mistakes *mistakes);
