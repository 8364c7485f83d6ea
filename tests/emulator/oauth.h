/* oauth.h - the OAuth endpoints: tokens, introspection, revocation, who one is.
 *
 * client_credentials is the only grant so far; another one needs a row in the table of grants. */
#pragma once
#include <stdbool.h>

struct call;

/* Borrowed until the process ends. `base_url` is what tokens and identities name as the instance.
 */
void oauth_configure(const char *client_id, const char *client_secret, const char *base_url);

/* What tokens given out from now on name as instance and org: a moved or refreshed org. NULL leaves
 * it. False if one is too long or no id. */
bool oauth_move(const char *base_url, const char *org_id);

void oauth_token(struct call *call);
void oauth_introspect(struct call *call);
void oauth_revoke(struct call *call);
void oauth_userinfo(struct call *call);
void oauth_identity(struct call *call);
