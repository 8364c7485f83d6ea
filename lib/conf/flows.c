#include "conf/flows.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "conf/blocks.h"
#include "conf/conf.h"
#include "conf/hosts.h"
#include "conf/mistakes.h"

static const struct conf_word *all_flows(void)
{
	return conf_key_find(CONF_ACCOUNT, "flow")->words;
}

const struct conf_word *conf_flow_of(const struct conf_block *block)
{
	const struct conf_line *line =
		block->section == CONF_ACCOUNT ? conf_block_line(block, "flow") : NULL;

	for (const struct conf_word *flow = all_flows(); line && flow->name; flow++)
		if (strcmp(flow->name, line->value) == 0)
			return flow;
	return NULL;
}

/* "web or client_credentials" */
static char *list_flows(unsigned set)
{
	char *list = NULL;

	for (const struct conf_word *flow = all_flows(); flow->name; flow++) {
		CLEANUP_FREE char *before = NULL;

		if (!(set & CONF_IN(flow->value)))
			continue;
		before = list;
		list = mem_format("%s%s%s", before ? before : "", before ? " or " : "", flow->name);
	}
	return list;
}

bool conf_flow_admits(const struct conf_word *flow, const struct conf_key *key, struct error *err)
{
	CLEANUP_FREE char *list = NULL;

	if (!flow || !key->flows || key->flows & CONF_IN(flow->value))
		return true;
	list = list_flows(key->flows);
	return error_set(err, ERROR_HUMAN, "conf",
			 "belongs to flow = %s, and this account has flow = %s: leave the line out",
			 list, flow->name);
}

bool conf_flow_needs(const struct conf_word *flow, const struct conf_key *key)
{
	return flow && key->needed_in & CONF_IN(flow->value);
}

void conf_flow_check_host(const struct conf_block *account, struct conf_mistakes *mistakes)
{
	const struct conf_word *flow = conf_flow_of(account);
	const struct conf_line *line = conf_block_line(account, "login_url");
	struct error unused;
	struct conf_url url;

	if (!flow || flow->value != CONF_FLOW_CLIENT_CREDENTIALS || !line ||
	    !conf_url_parse(line->value, &url, &unused))
		return;
	if (strcmp(url.host, "login.salesforce.com") == 0 ||
	    strcmp(url.host, "test.salesforce.com") == 0)
		conf_mistakes_add(mistakes, line->file, line->line,
				  "login_url: %s does not serve the client_credentials flow; give "
				  "the org's own host as Setup shows it under My Domain, such as "
				  "https://acme.my.salesforce.com",
				  url.host);
}

/* By whatever name loopback goes, one port is one listener. */
static bool is_same_place(const char *a, const char *b)
{
	struct conf_url url_a, url_b;
	const char *rest_a, *rest_b;
	struct error unused;

	if (strcmp(a, b) == 0)
		return true;
	return str_starts_with(a, "http:") && str_starts_with(b, "http:") &&
	       conf_url_split(a, &url_a, &rest_a, &unused) &&
	       conf_url_split(b, &url_b, &rest_b, &unused) && url_a.port == url_b.port &&
	       strcmp(rest_a, rest_b) == 0;
}

void conf_flows_check_redirects(const struct conf *in, struct conf_mistakes *mistakes)
{
	for (size_t i = 0; i < in->account_count; i++) {
		const struct conf_account *later = &in->accounts[i];

		for (size_t k = 0; k < i; k++) {
			const struct conf_account *first = &in->accounts[k];

			if (!later->redirect_uri || !first->redirect_uri ||
			    strcmp(later->name, first->name) == 0 ||
			    !is_same_place(later->redirect_uri, first->redirect_uri))
				continue;
			conf_mistakes_add(mistakes, later->file, later->line,
					  "redirect_uri: [account %s] and [account %s] both have "
					  "%.200s, so the answer of one's login could reach the "
					  "other: give one a path or a port of its own, such as "
					  "redirect_uri = http://localhost:8717/callback/%s, and "
					  "add it to the app's callback URLs",
					  first->name, later->name, later->redirect_uri,
					  later->name);
			break;
		}
	}
}
