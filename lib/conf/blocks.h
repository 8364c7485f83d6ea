/* blocks.h - the sections as they stand in the files: a header and the lines below it. */
#pragma once
#include <stddef.h>

#include "conf/keys.h"
#include "conf/lines.h"

struct conf;
struct conf_mistakes;

#define CONF_BLOCKS_MOST 1000
#define CONF_FIELDS_MOST 1000 /* of a job */

struct conf_block {
	enum conf_section section; /* CONF_SECTION_COUNT: unknown, which has been said */
	const struct conf_line *header;
	const struct conf_line *lines;
	size_t count;
	void *target; /* the struct it is read into, of a [fields] its job; NULL: none */
};

struct conf_blocks {
	struct conf_block *items;
	size_t count;
};

/* Points into `lines`. What stands before the first header, an unknown section, a wrong name and a
 * section twice are mistakes. free() the items. */
struct conf_blocks conf_blocks_split(const struct conf_lines *lines,
				     struct conf_mistakes *mistakes);

/* The block's first line with that key; NULL if there is none. */
const struct conf_line *conf_block_line(const struct conf_block *in, const char *key);

/* The first of that section and name; NULL if there is none. */
struct conf_block *conf_blocks_find(const struct conf_blocks *in, enum conf_section section,
				    const char *name);
