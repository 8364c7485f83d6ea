/* app.h - the connected app, its one user, and the policies an administrator set for them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "refusal.h"
#include "scope.h"

struct json_object;
struct text;
struct x509_st;

#define APP_NAME          "Leadsync"
#define APP_CALLBACKS_MAX 2000 /* characters in all, as in Salesforce */

struct app {
	const char *id;
	char secret[200];
	const char *username;
	const char *password;
	char scopes[SCOPE_SIZE];     /* what may be asked for */
	struct x509_st *certificate; /* signs assertions; NULL if none was uploaded */

	bool rotate;              /* each refresh gives a new refresh token */
	bool require_pkce;        /* for authorization codes */
	bool secret_for_code;     /* demanded for an authorization code */
	bool secret_for_refresh;  /* demanded for a refresh */
	bool introspect;          /* the app may introspect its tokens */
	bool run_as;              /* client_credentials has a user */
	bool approved;            /* the user is pre-authorised for assertions */
	bool app_access;          /* the user is admin-approved for the app */
	bool app_blocked;         /* an administrator blocked the app */
	bool user_active;         /* the user is not frozen or deactivated */
	bool ip_restricted;       /* logins come from outside the allowed addresses */
	bool login_rate_exceeded; /* too many logins in this hour */
	int64_t idle_limit_s;     /* unused for longer, a refresh token is dead; 0: never */
};

/* All borrowed until the process ends. */
struct app_options {
	const char *client_id;
	const char *client_secret;
	const char *username;
	const char *password;
	const char *certificate; /* file, or NULL */
	bool is_public; /* no secret is demanded where a person or a refresh token vouches */
	bool rotate;
};

/* False, having said why on stderr, if the certificate cannot be used. */
bool app_configure(const struct app_options *options);

/* Never NULL. */
const struct app *app(void);

/* Registers a callback; false if there is no room for it. */
bool app_add_callback(const char *uri);

/* NULL stands for any. */
bool app_has_callback(const char *uri);

/* Whether the app and its user may have a session now. */
bool app_lets_in(struct refusal *why);

/* The switches as the admin API names them. False, with nothing changed, if one is unknown. */
bool app_switch(struct json_object *from, const char **why);
void app_write(struct text *out);
