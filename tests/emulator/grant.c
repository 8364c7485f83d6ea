/* grant.c - in order: opening, finding, using, ending, telling. */
#include "grant.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "clock.h"
#include "mem.h"
#include "minted.h"
#include "scope.h"
#include "session.h"
#include "sfid.h"
#include "text.h"

#define LIVE_MAX 5 /* refresh tokens of one user and app */

struct grant {
	const char *dead; /* why; NULL while it lives */
	char scope[SCOPE_SIZE];
	const char **tokens; /* owned; the last is the good one */
	size_t token_count;
	size_t refreshes;
	size_t reuse;
	int64_t opened_s;
	int64_t used_s;
};

static struct grant *list;
static size_t count;

static struct grant *at(size_t grant)
{
	return &list[grant - 1];
}

static void add_token(struct grant *in)
{
	in->tokens = mem_grow(in->tokens, (in->token_count + 1) * sizeof(*in->tokens));
	in->tokens[in->token_count++] = minted_make(MINTED_REFRESH, "5Aep861", 80, "");
}

static void push_out_oldest(void)
{
	size_t live = 0, oldest = 0;

	for (size_t i = count; i > 0; i--) {
		if (grant_refresh_token(i)) {
			live++;
			oldest = i;
		}
	}
	if (live >= LIVE_MAX)
		grant_kill(oldest, "pushed out by newer approvals");
}

size_t grant_open(const char *scope)
{
	struct grant *out;
	bool is_refreshed = scope_has(scope, "refresh_token");

	if (is_refreshed)
		push_out_oldest();
	list = mem_grow(list, (count + 1) * sizeof(*list));
	out = &list[count++];
	*out = (struct grant){ .opened_s = clock_now_s(), .used_s = clock_now_s() };
	snprintf(out->scope, sizeof(out->scope), "%s", scope);
	if (is_refreshed)
		add_token(out);
	return count;
}

size_t grant_find(const char *refresh_token, enum presented *what)
{
	for (size_t i = 0; refresh_token && i < count; i++) {
		for (size_t k = 0; k < list[i].token_count; k++) {
			if (strcmp(list[i].tokens[k], refresh_token) != 0)
				continue;
			*what = k + 1 == list[i].token_count ? PRESENTED_CURRENT
							     : PRESENTED_SUPERSEDED;
			return i + 1;
		}
	}
	*what = PRESENTED_UNKNOWN;
	return 0;
}

/* Idleness is noticed when somebody looks. */
static void end_if_idle(size_t grant)
{
	long long end_s = grant_end_s(grant);

	if (!at(grant)->dead && end_s && clock_now_s() >= end_s)
		grant_kill(grant, "unused for too long");
}

bool grant_is_alive(size_t grant)
{
	end_if_idle(grant);
	return !at(grant)->dead;
}

const char *grant_scope(size_t grant)
{
	return at(grant)->scope;
}

long long grant_opened_s(size_t grant)
{
	return at(grant)->opened_s;
}

long long grant_end_s(size_t grant)
{
	if (!app()->idle_limit_s || !at(grant)->token_count)
		return 0;
	return at(grant)->used_s + app()->idle_limit_s;
}

const char *grant_refresh_token(size_t grant)
{
	const struct grant *in = at(grant);

	return grant_is_alive(grant) && in->token_count ? in->tokens[in->token_count - 1] : NULL;
}

void grant_use(size_t grant)
{
	struct grant *in = at(grant);

	in->refreshes++;
	in->used_s = clock_now_s();
	if (app()->rotate)
		add_token(in);
}

void grant_reused(size_t grant)
{
	at(grant)->reuse++;
}

void grant_kill(size_t grant, const char *why)
{
	if (at(grant)->dead)
		return;
	at(grant)->dead = why;
	session_revoke_grant(grant);
}

void grant_kill_all(const char *why)
{
	for (size_t i = 1; i <= count; i++)
		grant_kill(i, why);
}

bool grant_is_approved(const char *scope)
{
	for (size_t i = 1; i <= count; i++)
		if (grant_is_alive(i) && scope_covers(at(i)->scope, scope))
			return true;
	return false;
}

void grant_write(struct text *out)
{
	text_word(out, "{\"grants\":[");
	for (size_t i = 1; i <= count; i++) {
		bool is_alive = grant_is_alive(i);
		const struct grant *in = at(i);

		text_printf(out, "%s{\"family\":%zu,\"user\":\"" SFID_USER "\",\"client_id\":",
			    i > 1 ? "," : "", i);
		text_json_word(out, app()->id);
		text_printf(out, ",\"scope\":\"%s\",\"alive\":%s,\"why_dead\":", in->scope,
			    is_alive ? "true" : "false");
		text_json_word(out, in->dead);
		text_printf(out,
			    ",\"opened_s\":%lld,\"used_s\":%lld,\"refreshes\":%zu,\"reuse\":%zu,"
			    "\"live_refresh_tokens\":%d}",
			    (long long)in->opened_s, (long long)in->used_s, in->refreshes,
			    in->reuse, is_alive && in->token_count ? 1 : 0);
	}
	text_word(out, "]}");
}
