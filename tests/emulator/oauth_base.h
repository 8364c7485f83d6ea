/* oauth_base.h - the addresses and the id that this org goes by, which a test may change. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* `login_url` plays login.salesforce.com; NULL if there is none, and then My Domain does it all. */
void oauth_base_configure(const char *base_url, const char *login_url);

/* What tokens given out from now on name as instance and org: a moved or refreshed org. NULL leaves
 * it. False if one is too long or no id. */
bool oauth_base_move(const char *base_url, const char *org_id);

const char *oauth_base_url(void);       /* My Domain */
const char *oauth_base_login_url(void); /* equal to My Domain's if there is no login host */
const char *oauth_base_org_id(void);    /* 18 characters */

/* Whether a Host header names the login host, where only OAuth is to be had. */
bool oauth_base_is_login(const char *host);

#define OAUTH_IDENTITY_SIZE 300

/* The identity URL of a user. */
void oauth_base_identity(const char *user, char out[OAUTH_IDENTITY_SIZE]);
