#include "conf/blocks.h"

#include <string.h>

#include "conf/closest.h"
#include "conf/mistakes.h"
#include "conf/names.h"

static enum conf_section find_section(const char *word)
{
	enum conf_section section = 0;

	while (section < CONF_SECTION_COUNT && strcmp(conf_sections[section].word, word) != 0)
		section++;
	return section;
}

static void tell_unknown(const struct conf_line *header, struct conf_mistakes *mistakes)
{
	struct conf_closest closest = { .wrong = header->key };
	char hint[CONF_CLOSEST_HINT_SIZE];

	for (size_t i = 0; i < CONF_SECTION_COUNT; i++)
		conf_closest_try(&closest, conf_sections[i].word);
	conf_mistakes_add(mistakes, header->file, header->line, "unknown section [%s]%s",
			  header->key, conf_closest_hint(&closest, hint));
}

static void check_header(const struct conf_blocks *in, const struct conf_block *block,
			 struct conf_mistakes *mistakes)
{
	const struct conf_line *header = block->header;
	const struct conf_section_row *row = &conf_sections[block->section];
	const struct conf_block *first;

	if (!row->example && *header->value)
		conf_mistakes_add(mistakes, header->file, header->line, "[%s] takes no name",
				  row->word);
	else if (row->example && !*header->value)
		conf_mistakes_add(mistakes, header->file, header->line,
				  "[%s] needs a name: [%s NAME]", row->word, row->word);
	else if (row->example && !conf_is_title(header->value))
		conf_mistakes_add(mistakes, header->file, header->line,
				  "`%s` is no name for a section: a letter, then letters, digits, "
				  "- and _",
				  header->value);

	first = conf_blocks_find(in, block->section, header->value);
	if (first != block)
		conf_mistakes_add(mistakes, header->file, header->line,
				  "[%s%s%s] stands twice; first at %s:%d", header->key,
				  *header->value ? " " : "", header->value, first->header->file,
				  first->header->line);
}

struct conf_blocks conf_blocks_split(const struct conf_lines *lines, struct conf_mistakes *mistakes)
{
	struct conf_blocks out = { 0 };
	const char *file = NULL; /* whose first lines have been seen */

	for (size_t i = 0; i < lines->count; i++) {
		const struct conf_line *line = &lines->items[i];
		bool is_first = line->file != file;

		file = line->file;
		if (!line->is_section && is_first) {
			conf_mistakes_add(mistakes, line->file, line->line,
					  "stands before the first [section] of its file");
			while (i + 1 < lines->count && !lines->items[i + 1].is_section &&
			       lines->items[i + 1].file == file)
				i++;
			continue;
		}
		if (!line->is_section) {
			out.items[out.count - 1].count++;
			continue;
		}
		if (out.count == CONF_BLOCKS_MOST) {
			conf_mistakes_add(mistakes, line->file, line->line, "more than %d sections",
					  CONF_BLOCKS_MOST);
			break;
		}
		out.items = mem_resize(out.items, out.count + 1, sizeof(*out.items));
		out.items[out.count++] = (struct conf_block){
			.section = find_section(line->key),
			.header = line,
			.lines = line + 1,
		};
	}
	for (size_t i = 0; i < out.count; i++) {
		if (out.items[i].section != CONF_SECTION_COUNT)
			check_header(&out, &out.items[i], mistakes);
		else if (*out.items[i].header->key)
			tell_unknown(out.items[i].header, mistakes);
	}
	return out;
}

struct conf_block *conf_blocks_find(const struct conf_blocks *in, enum conf_section section,
				    const char *name)
{
	for (size_t i = 0; i < in->count; i++)
		if (in->items[i].section == section &&
		    strcmp(in->items[i].header->value, name) == 0)
			return &in->items[i];
	return NULL;
}

const struct conf_line *conf_block_line(const struct conf_block *in, const char *key)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcmp(in->lines[i].key, key) == 0)
			return &in->lines[i];
	return NULL;
}
