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

/* The client_credentials grant (RFC 6749 section 4.4; Salesforce help "OAuth 2.0 Client Credentials
 * Flow"): My Domain hosts only. Other flows join here. */
struct sf_grant_args {
	struct loop *loop; /* all borrowed */
	struct http_client *http;
	const struct url_policy *policy;
	const char *login_url;
	const char *client_id;

	/* Fetches the client secret each time it is needed, so that no copy lives between uses. */
	struct secret *(*client_secret)(void *arg, struct error *err);
	void *arg;
};
struct sf_grant *sf_grant_new(const struct sf_grant_args *args, struct error *err);
void sf_grant_free(struct sf_grant *in);
CLEANUP_DEFINE(struct sf_grant, sf_grant_free)
const struct grant *sf_grant_interface(struct sf_grant *in);

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
