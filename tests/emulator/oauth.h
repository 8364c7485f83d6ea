/* oauth.h - the OAuth endpoints. */
#pragma once
#include <stdbool.h>

struct call;
struct params;

/* authorize.c */
void oauth_authorize(struct call *call);
void oauth_login(struct call *call);   /* the form of the login page */
void oauth_approve(struct call *call); /* the form of the approval page */

/* token.c */
void oauth_token(struct call *call);

/* oauth.c */
void oauth_introspect(struct call *call);
void oauth_revoke(struct call *call);

/* identity.c */
void oauth_userinfo(struct call *call);
void oauth_identity(struct call *call);

/* The form of a POST, to be freed; false if it is none, and then the call has ended. */
bool oauth_open_form(struct call *call, struct params *form);
