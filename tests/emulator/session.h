/* session.h - access tokens and how long they live.
 *
 * A session dies when it was idle for the session timeout, or is revoked or expired by a test. A
 * session is good until the next change of the list. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scope.h"
#include "sfid.h"

struct session {
	const char *token; /* begins with the first 15 characters of the org's id */
	char user[SFID_SIZE];
	char client_id[128];
	char scope[SCOPE_SIZE];
	size_t grant; /* the family it hangs from; 0 for none */
	int64_t issued_s;
	int64_t used_s;
};

void session_set_timeout(int64_t timeout_s);
int64_t session_timeout_s(void);

/* For the app's user. */
const struct session *session_mint(const char *scope, size_t grant);

/* NULL if there is no living one of that token. */
const struct session *session_find(const char *token);

/* Pushes its end forward: the session was used. */
void session_touch(const struct session *in);

int64_t session_end_s(const struct session *in);
bool session_revoke(const char *token);
void session_revoke_grant(size_t grant);
void session_expire_all(void);
