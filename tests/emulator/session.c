/* session.c */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include "app.h"
#include "clock.h"
#include "mem.h"
#include "minted.h"
#include "oauth_base.h"

static struct session *list;
static size_t count;
static int64_t timeout_now_s = 7200;

void session_set_timeout(int64_t timeout_s)
{
	timeout_now_s = timeout_s;
}

int64_t session_timeout_s(void)
{
	return timeout_now_s;
}

static bool is_alive(const struct session *in)
{
	return clock_now_s() < session_end_s(in);
}

int64_t session_end_s(const struct session *in)
{
	return in->used_s + timeout_now_s;
}

static void drop_dead(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (is_alive(&list[i]))
			list[kept++] = list[i];
	count = kept;
}

const struct session *session_mint(const char *scope, size_t grant)
{
	struct session *out;
	char prefix[20];

	drop_dead();
	snprintf(prefix, sizeof(prefix), "%.15s!AQ", oauth_base_org_id());
	list = mem_grow(list, (count + 1) * sizeof(*list));
	out = &list[count++];
	*out = (struct session){
		.token = minted_make(MINTED_TOKEN, prefix, 94, ""),
		.user = SFID_USER,
		.grant = grant,
		.issued_s = clock_now_s(),
		.used_s = clock_now_s(),
	};
	snprintf(out->client_id, sizeof(out->client_id), "%s", app()->id);
	snprintf(out->scope, sizeof(out->scope), "%s", scope);
	return out;
}

const struct session *session_find(const char *token)
{
	for (size_t i = 0; token && i < count; i++)
		if (strcmp(list[i].token, token) == 0 && is_alive(&list[i]))
			return &list[i];
	return NULL;
}

void session_touch(const struct session *in)
{
	list[in - list].used_s = clock_now_s();
}

bool session_revoke(const char *token)
{
	const struct session *found = session_find(token);

	if (!found)
		return false;
	list[found - list] = list[--count];
	return true;
}

void session_revoke_grant(size_t grant)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (list[i].grant != grant)
			list[kept++] = list[i];
	count = kept;
}

void session_expire_all(void)
{
	count = 0;
}
