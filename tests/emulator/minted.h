/* minted.h - makes every secret-like value given out, and remembers all of them.
 *
 * So that a test can look for them where they must not be: dead ones too, until the process ends.
 */
#pragma once
#include <stddef.h>

struct text;

enum minted {
	MINTED_TOKEN,   /* access tokens */
	MINTED_REFRESH, /* refresh tokens */
	MINTED_CODE,    /* authorization codes */
	MINTED_COOKIE,  /* browser sessions and the hidden values of forms */
	MINTED_SECRET,  /* consumer secrets and the user's password: set, not made */
	MINTED_MAX,
};

/* `prefix`, `length` random characters, `suffix`. The text lives until the process ends. */
const char *minted_make(enum minted kind, const char *prefix, size_t length, const char *suffix);

/* Remembers one that was made elsewhere. */
void minted_keep(enum minted kind, const char *value);

void minted_write(struct text *out);
