/* conf.c - in order: the files are read as lines, split into sections, each section's keys go into
 * its struct, and then the sections are held against each other. */
#include "conf/conf.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/str.h"
#include "conf/blocks.h"
#include "conf/check.h"
#include "conf/closest.h"
#include "conf/fields.h"
#include "conf/flows.h"
#include "conf/kinds.h"
#include "conf/lines.h"
#include "conf/mistakes.h"
#include "conf/names.h"

static void find_files(struct conf *in, const char *path, struct conf_mistakes *mistakes);
static void make_targets(struct conf *in, const struct conf_blocks *blocks);
static void read_block(struct conf *in, const struct conf_block *block,
		       struct conf_mistakes *mistakes);
static void read_fields(const struct conf_block *block, struct conf_mistakes *mistakes);
static void set_defaults(enum conf_section section, void *target);

struct conf *conf_read(const char *path, struct conf_mistakes *ret_mistakes)
{
	CLEANUP(conf_free) struct conf *in = mem_new(struct conf);
	struct conf_mistakes mistakes = { 0 };
	struct conf_lines lines = { 0 };
	struct conf_blocks blocks;
	bool is_whole = true;

	find_files(in, path, &mistakes);
	for (size_t i = 0; i < in->file_count; i++)
		is_whole = conf_lines_read(&lines, in->files[i], &mistakes) && is_whole;
	blocks = conf_blocks_split(&lines, &mistakes);

	set_defaults(CONF_DAEMON, &in->daemon);
	make_targets(in, &blocks);
	/* By section, since [daemon] decides what an account may say. */
	for (enum conf_section section = 0; section < CONF_FIELDS; section++)
		for (size_t i = 0; i < blocks.count; i++)
			if (blocks.items[i].section == section)
				read_block(in, &blocks.items[i], &mistakes);
	for (size_t i = 0; i < blocks.count; i++)
		if (blocks.items[i].section == CONF_FIELDS)
			read_fields(&blocks.items[i], &mistakes);
	/* Else what seems to be missing may stand in the file that could not be read. */
	if (is_whole)
		conf_check(in, &blocks, path, &mistakes);

	conf_mistakes_sort(&mistakes, in->files, in->file_count);
	free(blocks.items);
	conf_lines_done(&lines);
	*ret_mistakes = mistakes;
	return mistakes.count ? NULL : TAKE(in);
}

static int is_conf_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static void add_file(struct conf *in, char *path)
{
	in->files = mem_resize(in->files, in->file_count + 1, sizeof(*in->files));
	in->files[in->file_count++] = path;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The main file, then those of conf.d beside it by name. */
static void find_files(struct conf *in, const char *path, struct conf_mistakes *mistakes)
{
	const char *slash = strrchr(path, '/');
	CLEANUP_FREE char *folder =
		mem_format("%.*sconf.d", slash ? (int)(slash - path + 1) : 0, path);
	struct dirent **entries = NULL;
	struct stat st;
	int count;

	add_file(in, mem_strdup(path));
	count = scandir(folder, &entries, is_conf_file, compare_names);
	if (count < 0) {
		if (errno != ENOENT)
			conf_mistakes_add(mistakes, folder, 0, "cannot be read: %s",
					  strerror(errno));
		return;
	}
	if (stat(folder, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)))
		conf_mistakes_add(mistakes, folder, 0,
				  "can be written by its group or by everybody (mode %04o): chmod "
				  "go-w",
				  (unsigned)st.st_mode & 07777);
	for (int i = 0; i < count; i++) {
		add_file(in, mem_format("%s/%s", folder, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
}

static size_t count_blocks(const struct conf_blocks *blocks, enum conf_section section)
{
	size_t count = 0;

	for (size_t i = 0; i < blocks->count; i++)
		count += blocks->items[i].section == section;
	return count;
}

/* The arrays are made whole before anything points into them. */
static void make_targets(struct conf *in, const struct conf_blocks *blocks)
{
	in->accounts = mem_array(struct conf_account, count_blocks(blocks, CONF_ACCOUNT));
	in->stores = mem_array(struct conf_store, count_blocks(blocks, CONF_STORE));
	in->jobs = mem_array(struct conf_job, count_blocks(blocks, CONF_JOB));

	for (size_t i = 0; i < blocks->count; i++) {
		struct conf_block *block = &blocks->items[i];
		const struct conf_line *header = block->header;

		if (block->section == CONF_DAEMON) {
			block->target = &in->daemon;
		} else if (block->section == CONF_ACCOUNT) {
			struct conf_account *account = &in->accounts[in->account_count++];

			account->name = mem_strdup(header->value);
			account->file = header->file;
			account->line = header->line;
			block->target = account;
		} else if (block->section == CONF_STORE) {
			struct conf_store *store = &in->stores[in->store_count++];

			store->name = mem_strdup(header->value);
			store->file = header->file;
			store->line = header->line;
			block->target = store;
		} else if (block->section == CONF_JOB) {
			struct conf_job *job = &in->jobs[in->job_count++];

			job->name = mem_strdup(header->value);
			job->file = header->file;
			job->line = header->line;
			block->target = job;
		}
		if (block->target && block->section != CONF_DAEMON)
			set_defaults(block->section, block->target);
	}
	for (size_t i = 0; i < blocks->count; i++) {
		struct conf_block *fields = &blocks->items[i], *job;

		if (fields->section != CONF_FIELDS)
			continue;
		job = conf_blocks_find(blocks, CONF_JOB, fields->header->value);
		fields->target = job ? job->target : NULL;
	}
}

static void set_default(const struct conf_key *key, void *target)
{
	struct conf_kind_context context = { .title = "" };
	struct error err;

	if (key->preset && !conf_kind_parse(key, key->preset, &context, target, &err))
		abort(); /* the table is wrong */
}

/* But of those that depend on what else is said. */
static void set_defaults(enum conf_section section, void *target)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_keys[i].section == section && !conf_keys[i].flows)
			set_default(&conf_keys[i], target);
}

/* Not a mistyped key but, by its look, a secret or a line of one: it is not to be shown. */
static bool is_secret_text(const struct conf_line *line)
{
	return !conf_is_title(line->key) || strlen(line->key) > 32 || !*line->value ||
	       *line->value == '=' || conf_is_pem(line->value);
}

static bool is_secret_name(const char *key)
{
	static const char *const words[] = { "secret", "password", "passphrase",
					     "token",  "private",  "pem" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(key, words[i]))
			return true;
	return false;
}

static void tell_unknown(enum conf_section section, const struct conf_line *line,
			 struct conf_mistakes *mistakes)
{
	struct conf_closest closest = { .wrong = line->key };
	char hint[CONF_CLOSEST_HINT_SIZE];

	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_keys[i].section == section)
			conf_closest_try(&closest, conf_keys[i].name);
	if (!closest.best && is_secret_text(line))
		conf_mistakes_add(mistakes, line->file, line->line,
				  "unknown key in [%s], not shown as it may be a secret; secrets "
				  "never stand in this file: hand them in with `leadsync secret "
				  "set NAME`",
				  conf_sections[section].word);
	else if (!closest.best && is_secret_name(line->key))
		conf_mistakes_add(mistakes, line->file, line->line,
				  "unknown key `%.64s`; secrets never stand in this file: type "
				  "them in with `leadsync secret set NAME`",
				  line->key);
	else
		conf_mistakes_add(mistakes, line->file, line->line, "unknown key `%.64s` in [%s]%s",
				  line->key, conf_sections[section].word,
				  conf_closest_hint(&closest, hint));
}

static void read_key(struct conf *in, const struct conf_block *block, const struct conf_key *key,
		     const struct conf_line *line, struct conf_mistakes *mistakes)
{
	struct conf_kind_context context = {
		.title = block->header->value,
		.loopback_test = in->daemon.loopback_test,
	};
	const struct conf_line *first = conf_block_line(block, key->name);
	struct error err;

	if (first != line && key->kind != CONF_KIND_HOSTS)
		conf_mistakes_add(mistakes, line->file, line->line,
				  "the key `%s` stands twice; first on line %d", key->name,
				  first->line);
	else if (!*line->value)
		conf_mistakes_add(mistakes, line->file, line->line,
				  "%s: has no value; leave the line out for the default",
				  key->name);
	else if (!conf_flow_admits(conf_flow_of(block), key, &err) ||
		 !conf_kind_parse(key, line->value, &context, block->target, &err))
		conf_mistakes_add(mistakes, line->file, line->line, "%s: %s", key->name, err.text);
}

/* A table that is not named is called as the object. */
static void name_table(struct conf_job *job, struct conf_mistakes *mistakes)
{
	CLEANUP_FREE char *table = job->table || !job->object ? NULL : str_snake_case(job->object);
	struct error err;

	if (!table)
		return;
	if (conf_table_check(table, &err))
		job->table = TAKE(table);
	else
		conf_mistakes_add(mistakes, job->file, job->line, "table: %s; name another",
				  err.text);
}

static void miss_key(const struct conf_block *block, const struct conf_key *key,
		     struct conf_mistakes *mistakes)
{
	const struct conf_line *header = block->header;
	const struct conf_word *flow = conf_flow_of(block);

	if (key->required)
		conf_mistakes_add(mistakes, header->file, header->line,
				  "the key `%s` is missing: %s", key->name, key->help);
	else if (conf_flow_needs(flow, key))
		conf_mistakes_add(mistakes, header->file, header->line,
				  "the key `%s` is missing, which flow = %s needs: %s", key->name,
				  flow->name, key->help);
	else if (flow && key->flows & CONF_IN(flow->value))
		set_default(key, block->target);
}

static void read_block(struct conf *in, const struct conf_block *block,
		       struct conf_mistakes *mistakes)
{
	for (size_t i = 0; i < block->count; i++) {
		const struct conf_line *line = &block->lines[i];
		const struct conf_key *key = conf_key_find(block->section, line->key);

		if (key)
			read_key(in, block, key, line, mistakes);
		else
			tell_unknown(block->section, line, mistakes);
	}
	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_keys[i].section == block->section &&
		    !conf_block_line(block, conf_keys[i].name))
			miss_key(block, &conf_keys[i], mistakes);
	if (block->section == CONF_ACCOUNT)
		conf_flow_check_host(block, mistakes);
	if (block->section == CONF_JOB && !conf_block_line(block, "table"))
		name_table(block->target, mistakes);
}

static void read_fields(const struct conf_block *block, struct conf_mistakes *mistakes)
{
	struct conf_job unowned = { 0 }; /* where fields without a job go */
	struct conf_job *job = block->target ? block->target : &unowned;

	for (size_t i = 0; i < block->count; i++) {
		const struct conf_line *line = &block->lines[i];
		struct conf_field field = { .file = line->file,
					    .line = line->line,
					    .conflict = job->conflict };
		struct error err;

		if (job->field_count == CONF_FIELDS_MOST) {
			conf_mistakes_add(mistakes, line->file, line->line, "more than %d fields",
					  CONF_FIELDS_MOST);
			break;
		}
		if (!conf_field_parse(line->key, line->value, &field, &err)) {
			conf_mistakes_add(mistakes, line->file, line->line, "%.64s: %s", line->key,
					  err.text);
			continue;
		}
		job->fields = mem_resize(job->fields, job->field_count + 1, sizeof(*job->fields));
		job->fields[job->field_count++] = field;
	}
	for (size_t i = 0; i < unowned.field_count; i++) {
		free(unowned.fields[i].field);
		free(unowned.fields[i].column);
	}
	free(unowned.fields);
}

static void free_keys(enum conf_section section, void *target)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_keys[i].section == section)
			conf_kind_done(&conf_keys[i], target);
}

void conf_free(struct conf *in)
{
	if (!in)
		return;
	free_keys(CONF_DAEMON, &in->daemon);
	for (size_t i = 0; i < in->account_count; i++) {
		free_keys(CONF_ACCOUNT, &in->accounts[i]);
		free(in->accounts[i].name);
	}
	for (size_t i = 0; i < in->store_count; i++) {
		free_keys(CONF_STORE, &in->stores[i]);
		free(in->stores[i].name);
	}
	for (size_t i = 0; i < in->job_count; i++) {
		struct conf_job *job = &in->jobs[i];

		free_keys(CONF_JOB, job);
		free(job->name);
		for (size_t k = 0; k < job->field_count; k++) {
			free(job->fields[k].field);
			free(job->fields[k].column);
		}
		free(job->fields);
	}
	free(in->accounts);
	free(in->stores);
	free(in->jobs);
	for (size_t i = 0; i < in->file_count; i++)
		free(in->files[i]);
	free(in->files);
	free(in);
}
