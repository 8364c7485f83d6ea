/* print.c - the key table as a commented sample. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "conf/flows.h"
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

/* `flow` is that of the account it stands in, NULL elsewhere. */
static void print_key(const struct page *out, const struct conf_key *key,
		      const struct conf_word *flow)
{
	bool is_needed = key->required || conf_flow_needs(flow, key);
	const char *value = key->preset ? key->preset : key->example;
	CLEANUP_FREE char *bounds = conf_kind_bounds(key);
	CLEANUP_FREE char *help =
		mem_format("%s%s%s%s%s", key->help, *bounds ? " Expected: " : "", bounds,
			   *bounds ? "." : "", is_needed ? " Required." : "");
	CLEANUP_FREE char *line =
		mem_format("%s%s = %s", is_needed ? "" : "#", key->name,
			   flow && strcmp(key->name, "flow") == 0 ? flow->name : value);

	print_comment(out, help);
	out->line(line, out->arg);
}

static void print_section(const struct page *out, enum conf_section section)
{
	const struct conf_section_row *row = &conf_sections[section];
	CLEANUP_FREE char *header = mem_format("[%s%s%s]", row->word, row->example ? " " : "",
					       row->example ? row->example : "");

	if (section)
		out->line("", out->arg);
	print_comment(out, row->help);
	out->line(header, out->arg);
	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_keys[i].section == section)
			print_key(out, &conf_keys[i], NULL);
}

/* An account for each flow: what all of them may say stands in the first only. */
static void print_accounts(const struct page *out)
{
	const struct conf_section_row *row = &conf_sections[CONF_ACCOUNT];
	const struct conf_word *flows = conf_key_find(CONF_ACCOUNT, "flow")->words;

	out->line("", out->arg);
	print_comment(out, row->help);
	for (const struct conf_word *flow = flows; flow->name; flow++) {
		bool is_first = flow == flows;
		CLEANUP_FREE char *header =
			mem_format("[%s %s%s%s]", row->word, row->example, is_first ? "" : "-",
				   is_first ? "" : flow->name);

		if (!is_first)
			out->line("", out->arg);
		out->line(header, out->arg);
		for (size_t i = 0; i < conf_key_count; i++) {
			const struct conf_key *key = &conf_keys[i];
			struct error unused;

			if (key->section == CONF_ACCOUNT && conf_flow_admits(flow, key, &unused) &&
			    (is_first || key->required || key->flows))
				print_key(out, key, flow);
		}
	}
}

void conf_print_keys(void (*line)(const char *text, void *arg), void *arg)
{
	const struct page out = { line, arg };

	for (enum conf_section section = 0; section < CONF_SECTION_COUNT; section++) {
		if (section == CONF_ACCOUNT)
			print_accounts(&out);
		else
			print_section(&out, section);
	}
	line("Email = <-> email, conflict=newest, blank=keep", arg);
	line("Lead_Score__c = <- score", arg);
	line("Owner.Email = ->", arg);
	line("* = ->", arg);
}
