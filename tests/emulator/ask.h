/* ask.h - one visit of a browser to the authorize endpoint, from the request to allow or deny.
 *
 * It is kept here and not in the pages, which carry only its key: a form that comes without a known
 * key was not made here. */
#pragma once
#include <stdbool.h>

#include "code.h"
#include "scope.h"

struct ask {
	const char *key;
	char *redirect_uri; /* owned */
	char *state;        /* owned; NULL if none came */
	char *login_hint;   /* owned; may be empty */
	char scope[SCOPE_SIZE];
	char challenge[CODE_CHALLENGE_SIZE]; /* empty: none came */
	bool is_logged_in;
	bool wants_consent; /* though the app is approved */
};

/* An empty one with a new key. Old ones are forgotten when there are too many. */
struct ask *ask_new(void);

/* NULL if the key is unknown, or NULL. */
struct ask *ask_find(const char *key);
void ask_drop(struct ask *in);
