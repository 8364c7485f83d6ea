/* salesforce.h - an account at Salesforce as a remote, and its grant. What the daemon sees of this
 * room. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "auth/grant.h"
#include "http/url.h"
#include "base/mem.h"

struct error;
struct http_client;
struct keeper;
struct loop;
struct remote;
struct secret;
struct sf_grant;
struct sf_remote;

/* How tokens are obtained. Salesforce help: "OAuth 2.0 Web Server Flow for Web App Integration",
 * "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration", "OAuth 2.0 Client Credentials Flow
 * for Server-to-Server Integration" (My Domain hosts only). */
enum sf_flow { SF_FLOW_WEB, SF_FLOW_JWT, SF_FLOW_CLIENT_CREDENTIALS };

struct sf_grant_args {
	struct loop *loop; /* all borrowed */
	struct http_client *http;
	const struct url_policy *policy;
	enum sf_flow flow;
	const char *login_url;
	const char *client_id;
	const char *redirect_uri; /* web */
	const char *username;     /* jwt: for whom */
	const char *audience;     /* jwt; NULL: the login_url */

	/* Fetches what proves who we are, each time it is needed, so that no copy lives between
	 * uses: the client secret, for jwt the private key. NULL: a web app without a secret
	 * (public client). */
	struct secret *(*credential)(void *arg, struct error *err);
	void *arg;
};
struct sf_grant *sf_grant_new(const struct sf_grant_args *args, struct error *err);
void sf_grant_free(struct sf_grant *in);
CLEANUP_DEFINE(struct sf_grant, sf_grant_free)
const struct grant *sf_grant_interface(struct sf_grant *in);

#define SF_WHOAMI_TEXT_SIZE 128 /* as much of a name as anybody reads */

/* What a login is for: shown to the operator, who says yes or no. "" is what was not said. */
struct sf_whoami {
	char org_name[SF_WHOAMI_TEXT_SIZE]; /* "Acme" */
	char org_type[SF_WHOAMI_TEXT_SIZE]; /* "Enterprise Edition" */
	char instance[SF_WHOAMI_TEXT_SIZE]; /* "EU47" */
	bool sandbox;
	char username[SF_WHOAMI_TEXT_SIZE], name[SF_WHOAMI_TEXT_SIZE];
	long calls_used, calls_most; /* -1: not said */
};
struct sf_whoami_call;
struct vault_token;
typedef void sf_whoami_fn(const struct sf_whoami *who, const struct error *err, void *arg);

struct sf_whoami_args {
	struct http_client *http;        /* borrowed */
	const char *api_version;         /* copied */
	const struct vault_token *token; /* of a grant just now, which checked its host and ids;
					    borrowed during the start; not yet anybody's but the
					    asker's: no keeper is involved */
};

/* Two queries, Organization and User. `done` once, from the loop; `who` is good during the call
 * only. ERROR_HUMAN where the token may not use the API: its text says what the app or the user
 * lacks. */
struct sf_whoami_call *sf_whoami_start(const struct sf_whoami_args *args, sf_whoami_fn *done,
				       void *arg);
void sf_whoami_cancel(struct sf_whoami_call *in);

/* API calls used, as the last Sforce-Limit-Info said; -1 before the first. */
struct sf_usage {
	long used, most;
};

struct sf_remote_args {
	struct loop *loop;
	struct http_client *http;
	struct keeper *keeper;
	const struct url_policy *policy;
	const char *api_version; /* "66.0" */
};
struct sf_remote *sf_remote_new(const struct sf_remote_args *args);
void sf_remote_free(struct sf_remote *in);
CLEANUP_DEFINE(struct sf_remote, sf_remote_free)
struct remote *sf_remote_interface(struct sf_remote *in);
struct sf_usage sf_remote_usage(const struct sf_remote *in);
