/* session.c */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "mem.h"
#include "sfid.h"

static struct session *list;
static size_t count;
static char (*minted)[SESSION_TOKEN_SIZE];
static size_t minted_count;
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

static void make_token(const char *org, char out[SESSION_TOKEN_SIZE])
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
	unsigned char noise[94];
	size_t at = 15;

	if (getrandom(noise, sizeof(noise), 0) != sizeof(noise))
		abort();
	memcpy(out, org, 15);
	memcpy(out + at, "!AQ", 3);
	at += 3;
	for (size_t i = 0; i < sizeof(noise); i++)
		out[at++] = letters[noise[i] & 63];
	out[at] = '\0';
}

static void drop_dead(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (is_alive(&list[i]))
			list[kept++] = list[i];
	count = kept;
}

const struct session *session_mint(const char *org, const char *user, const char *client_id,
				   const char *scope)
{
	struct session *out;

	drop_dead();
	list = mem_grow(list, (count + 1) * sizeof(*list));
	out = &list[count++];
	*out = (struct session){ .issued_s = clock_now_s(), .used_s = clock_now_s() };
	make_token(org, out->token);
	minted = mem_grow(minted, (minted_count + 1) * sizeof(*minted));
	memcpy(minted[minted_count++], out->token, sizeof(*minted));
	snprintf(out->user, sizeof(out->user), "%s", user);
	snprintf(out->client_id, sizeof(out->client_id), "%s", client_id);
	snprintf(out->scope, sizeof(out->scope), "%s", scope);
	return out;
}

const char *session_minted(size_t number)
{
	return number < minted_count ? minted[number] : NULL;
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

void session_expire_all(void)
{
	count = 0;
}
