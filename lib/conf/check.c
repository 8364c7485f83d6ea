#include "conf/check.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "conf/blocks.h"
#include "conf/closest.h"
#include "conf/conf.h"
#include "conf/fields.h"
#include "conf/flows.h"
#include "conf/hosts.h"
#include "conf/mistakes.h"
#include "conf/pairing.h"

static void check_job(struct conf *in, const struct conf_blocks *blocks,
		      const struct conf_block *block, struct conf_mistakes *mistakes);
static void check_account(const struct conf_account *account, struct conf_mistakes *mistakes);
static void check_fields_header(const struct conf_blocks *blocks, const struct conf_block *fields,
				struct conf_mistakes *mistakes);

void conf_check(struct conf *in, const struct conf_blocks *blocks, const char *path,
		struct conf_mistakes *mistakes)
{
	if (!in->account_count)
		conf_mistakes_add(mistakes, path, 0, "holds no [account NAME] section");
	if (!in->job_count)
		conf_mistakes_add(mistakes, path, 0, "holds no [job NAME] section");
	for (size_t i = 0; i < in->account_count; i++)
		check_account(&in->accounts[i], mistakes);
	conf_flows_check_redirects(in, mistakes);
	for (size_t i = 0; i < in->store_count; i++)
		for (size_t k = 0; k < i; k++)
			if (in->stores[i].path && in->stores[k].path &&
			    strcmp(in->stores[i].path, in->stores[k].path) == 0)
				conf_mistakes_add(mistakes, in->stores[i].file, in->stores[i].line,
						  "path: [store %s] has the same one",
						  in->stores[k].name);
	for (size_t i = 0; i < blocks->count; i++)
		if (blocks->items[i].section == CONF_JOB)
			check_job(in, blocks, &blocks->items[i], mistakes);
	for (size_t i = 0; i < blocks->count; i++)
		if (blocks->items[i].section == CONF_FIELDS)
			check_fields_header(blocks, &blocks->items[i], mistakes);
}

static void check_account(const struct conf_account *account, struct conf_mistakes *mistakes)
{
	struct error unused;
	struct conf_url url;

	/* http was admitted for loopback by itself. */
	if (!account->login_url || !conf_url_parse(account->login_url, &url, &unused) ||
	    strcmp(url.scheme, "https") != 0 ||
	    conf_url_is_admitted(&url, account->allow_hosts, account->allow_host_count))
		return;
	conf_mistakes_add(mistakes, account->file, account->line,
			  "login_url: the host is not one of salesforce.com: if it is yours, add "
			  "allow_host = %s",
			  strstr(account->login_url, "://") + strlen("://"));
}

/* The struct that `title` names among the blocks of `section`; NULL if none or not said. */
static void *resolve(const struct conf_blocks *blocks, enum conf_section section, const char *title,
		     const struct conf_job *job, struct conf_mistakes *mistakes)
{
	const struct conf_block *found = title ? conf_blocks_find(blocks, section, title) : NULL;
	struct conf_closest closest = { .wrong = title };
	char hint[CONF_CLOSEST_HINT_SIZE];

	if (found || !title)
		return found ? found->target : NULL;
	for (size_t i = 0; i < blocks->count; i++)
		if (blocks->items[i].section == section)
			conf_closest_try(&closest, blocks->items[i].header->value);
	conf_mistakes_add(mistakes, job->file, job->line, "%s: there is no [%s %s]%s",
			  conf_sections[section].word, conf_sections[section].word, title,
			  conf_closest_hint(&closest, hint));
	return NULL;
}

/* A table may hold Leads and Contacts, but neither of them twice; and a converted Lead's row is its
 * Contact's by the same key. */
static void check_table(const struct conf_job *job, const struct conf_job *other,
			struct conf_mistakes *mistakes)
{
	if (!job->store || job->store != other->store || !job->table || !other->table ||
	    strcasecmp(job->table, other->table) != 0 || !job->object || !other->object)
		return;
	if (strcasecmp(job->object, other->object) == 0)
		conf_mistakes_add(mistakes, job->file, job->line,
				  "table: [job %s] keeps %s in `%s` of the same store already",
				  other->name, other->object, other->table);
	else if (strcasecmp(job->key, other->key) != 0)
		conf_mistakes_add(mistakes, job->file, job->line,
				  "key: [job %s] has the same table and the key `%s`: jobs that "
				  "share a table share its key",
				  other->name, other->key);
}

static void check_job(struct conf *in, const struct conf_blocks *blocks,
		      const struct conf_block *block, struct conf_mistakes *mistakes)
{
	struct conf_job *job = block->target;
	const struct conf_block *fields;

	job->account = resolve(blocks, CONF_ACCOUNT, job->account_name, job, mistakes);
	job->store = resolve(blocks, CONF_STORE, job->store_name, job, mistakes);
	for (const struct conf_job *other = in->jobs; other < job; other++)
		check_table(job, other, mistakes);

	if (!*job->name)
		return;
	fields = conf_blocks_find(blocks, CONF_FIELDS, job->name);
	if (!fields) {
		conf_mistakes_add(mistakes, job->file, job->line,
				  "there is no [fields %s] section: it says what is kept in which "
				  "column",
				  job->name);
		return;
	}
	conf_fields_check(job, mistakes);
	conf_pairing_check(block, fields, mistakes);
	if (job->on_remote_delete == CONF_DELETE_MARK && !conf_fields_read(job, "IsDeleted"))
		conf_mistakes_add(mistakes, job->file, job->line,
				  "on_remote_delete: mark needs a column to mark: add `IsDeleted = "
				  "->` to [fields %s]",
				  job->name);
}

static void check_fields_header(const struct conf_blocks *blocks, const struct conf_block *fields,
				struct conf_mistakes *mistakes)
{
	const struct conf_line *header = fields->header;
	struct conf_closest closest = { .wrong = header->value };
	char hint[CONF_CLOSEST_HINT_SIZE];

	if (*header->value && !conf_blocks_find(blocks, CONF_JOB, header->value)) {
		for (size_t i = 0; i < blocks->count; i++)
			if (blocks->items[i].section == CONF_JOB)
				conf_closest_try(&closest, blocks->items[i].header->value);
		conf_mistakes_add(mistakes, header->file, header->line, "there is no [job %s]%s",
				  header->value, conf_closest_hint(&closest, hint));
	}
	if (!fields->count)
		conf_mistakes_add(mistakes, header->file, header->line,
				  "maps no field: add lines such as `Email = -> email`");
}
