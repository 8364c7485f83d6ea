/* ask.c */
#include "ask.h"

#include <stdlib.h>
#include <string.h>

#include "minted.h"

#define ASKS_MAX 64

static struct ask list[ASKS_MAX]; /* key NULL: free */
static size_t next;

void ask_drop(struct ask *in)
{
	free(in->redirect_uri);
	free(in->state);
	free(in->login_hint);
	*in = (struct ask){ 0 };
}

struct ask *ask_new(void)
{
	struct ask *out = &list[next++ % ASKS_MAX];

	ask_drop(out);
	out->key = minted_make(MINTED_COOKIE, "", 48, "");
	return out;
}

struct ask *ask_find(const char *key)
{
	for (size_t i = 0; key && i < ASKS_MAX; i++)
		if (list[i].key && strcmp(list[i].key, key) == 0)
			return &list[i];
	return NULL;
}
