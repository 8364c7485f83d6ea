/* grant.h - families of tokens: what hangs from one approval of one user.
 *
 * With rotation a family has had many refresh tokens, of which the last alone is good. A family is
 * known by its number, from 1; 0 is none. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct text;

/* What a presented refresh token is. */
enum presented { PRESENTED_NONE, PRESENTED_CURRENT, PRESENTED_SUPERSEDED, PRESENTED_UNKNOWN };

/* A new family, with a refresh token if the scope asks for one. The sixth living one pushes out the
 * oldest. */
size_t grant_open(const char *scope);

/* The family of a refresh token, living or dead; 0 if it is unknown. */
size_t grant_find(const char *refresh_token, enum presented *what);

bool grant_is_alive(size_t grant);
const char *grant_scope(size_t grant);
long long grant_opened_s(size_t grant);

/* When the policy will end it, unless it is used before; 0 for never. */
long long grant_end_s(size_t grant);

/* The good one; NULL if there is none. */
const char *grant_refresh_token(size_t grant);

/* A refresh is granted: counts it, and makes a new refresh token if the app says so. */
void grant_use(size_t grant);

/* A superseded refresh token was presented. */
void grant_reused(size_t grant);

/* The refresh token and all its sessions die. `why` is constant. */
void grant_kill(size_t grant, const char *why);
void grant_kill_all(const char *why);

/* Whether the user approved these scopes before, and did not take it back. */
bool grant_is_approved(const char *scope);

void grant_write(struct text *out);
