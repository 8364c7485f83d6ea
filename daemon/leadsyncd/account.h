/* account.h - one login at a provider, wired together: requests, grant, keeper, remote.
 *
 * Says in the log what its keeper goes through, and tells the hook. One `leadsync connect` at a
 * time (connect.h). */
#pragma once
#include <stdbool.h>

#include "auth/keeper.h"
#include "base/mem.h"
#include "salesforce/salesforce.h"

struct account;
struct conf_account;
struct error;
struct hook;
struct loop;
struct remote;
struct vault;

/* Told, from the loop, when the keeper left or entered a state in which jobs can run. */
typedef void account_changed_fn(struct account *in, void *arg);

struct account_args {
	struct loop *loop; /* all borrowed */
	struct vault *vault;
	struct hook *hook;
	const struct conf_account *conf;
	bool loopback_test;
	account_changed_fn *changed;
	void *arg;
};

struct account *account_new(const struct account_args *args, struct error *err);
void account_free(struct account *in);
CLEANUP_DEFINE(struct account, account_free)

const char *account_name(const struct account *in);
const struct conf_account *account_conf(const struct account *in);
struct remote *account_remote(struct account *in);
struct keeper *account_keeper(const struct account *in);
const struct grant *account_grant(const struct account *in);
struct http_client *account_http(struct account *in);
struct sf_usage account_usage(const struct account *in);

/* Why no job of it can run: its keeper is parked. NULL if one can. */
const struct error *account_trouble(const struct account *in);

/* A grant of its own for a login under way, with what proves who we are not yet in the vault:
 * `credential` as in sf_grant_args. */
struct sf_grant *account_new_grant(struct account *in,
				   struct secret *(*credential)(void *arg, struct error *err),
				   void *arg, struct error *err);

/* What the conf names as proof of who we are: the client secret, for jwt the private key. Answers
 * NULL with the reason. */
struct secret *account_credential(struct account *in, struct error *err);

/* Is `name` the vault's name of this account's credential? */
bool account_uses_secret(const struct account *in, const char *name);
