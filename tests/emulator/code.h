/* code.h - authorization codes: made when the user allows, good once and for 15 minutes. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "scope.h"

#define CODE_CHALLENGE_SIZE 44 /* 43 characters and NUL */

struct code {
	const char *text; /* ends in ==, so that it must be percent-encoded */
	const char *client_id;
	char *redirect_uri; /* owned */
	char scope[SCOPE_SIZE];
	char challenge[CODE_CHALLENGE_SIZE]; /* empty: none was sent */
	int64_t made_s;
	bool is_spent; /* presented before, whether it bought something or not */
	size_t grant;  /* what it bought; 0 for nothing */
};

/* A code lives until the process ends; a pointer to one until the next is made. */
const struct code *code_make(const char *redirect_uri, const char *scope, const char *challenge);

/* NULL if there never was such a one. */
struct code *code_find(const char *text);

bool code_is_expired(const struct code *in);

/* Whether the verifier is the one behind the code's challenge. */
bool code_is_verified(const struct code *in, const char *verifier);

/* base64url without padding of a SHA-256: the one form a challenge has. */
bool code_is_challenge(const char *text);
