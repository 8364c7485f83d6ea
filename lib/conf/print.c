/* print.c - the key table as a commented sample. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "conf/kinds.h"

#define WIDTH 78

struct page {
	void (*line)(const char *text, void *arg);
	void *arg;
};

/* As comment lines, broken between words. */
static void print_comment(const struct page *out, const char *text)
{
	while (*text) {
		size_t len = strlen(text);
		CLEANUP_FREE char *line = NULL;

		if (len > WIDTH) {
			len = WIDTH;
			while (len && text[len] != ' ')
				len--;
		}
		line = mem_format("# %.*s", (int)len, text);
		out->line(line, out->arg);
		text += len;
		text += strspn(text, " ");
	}
}

static void print_key(const struct page *out, const struct conf_key *key)
{
	CLEANUP_FREE char *bounds = conf_kind_bounds(key);
	CLEANUP_FREE char *help =
		mem_format("%s%s%s%s%s", key->help, *bounds ? " Expected: " : "", bounds,
			   *bounds ? "." : "", key->required ? " Required." : "");
	CLEANUP_FREE char *line = mem_format("%s%s = %s", key->required ? "" : "#", key->name,
					     key->preset ? key->preset : key->example);

	print_comment(out, help);
	out->line(line, out->arg);
}

void conf_print_keys(void (*line)(const char *text, void *arg), void *arg)
{
	const struct page out = { line, arg };

	for (size_t section = 0; section < CONF_SECTION_COUNT; section++) {
		const struct conf_section_row *row = &conf_sections[section];
		CLEANUP_FREE char *header =
			mem_format("[%s%s%s]", row->word, row->example ? " " : "",
				   row->example ? row->example : "");

		if (section)
			line("", arg);
		print_comment(&out, row->help);
		line(header, arg);
		for (size_t i = 0; i < conf_key_count; i++)
			if (conf_keys[i].section == section)
				print_key(&out, &conf_keys[i]);
	}
	line("Email = -> email", arg);
	line("Owner.Email = ->", arg);
	line("* = ->", arg);
}
