/* session.h - access tokens and how long they live.
 *
 * A session dies when it was idle for the session timeout, or is revoked or expired by a test. A
 * session is good until the next change of the list. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSION_TOKEN_SIZE 128

struct session {
	char token[SESSION_TOKEN_SIZE];
	char user[19];
	char client_id[128];
	char scope[64];
	int64_t issued_s;
	int64_t used_s;
};

void session_set_timeout(int64_t timeout_s);
int64_t session_timeout_s(void);

/* A token begins with the first 15 characters of its org's id. */
const struct session *session_mint(const char *org, const char *user, const char *client_id,
				   const char *scope);

/* NULL if there is no living one of that token. */
const struct session *session_find(const char *token);

/* Pushes its end forward: the session was used. */
void session_touch(const struct session *in);

/* Every token ever minted, dead ones too, by number from 0; NULL past the last. So that a test can
 * look for them where they must not be. */
const char *session_minted(size_t number);

int64_t session_end_s(const struct session *in);
bool session_revoke(const char *token);
void session_expire_all(void);
