/* account.h - one login at a provider, wired together: requests, grant, keeper, remote. */
#pragma once
#include <stdbool.h>

#include "auth/keeper.h"
#include "base/mem.h"
#include "salesforce/salesforce.h"

struct account;
struct conf_account;
struct error;
struct loop;
struct remote;
struct vault;

struct account_args {
	struct loop *loop; /* all borrowed */
	struct vault *vault;
	const struct conf_account *conf;
	bool loopback_test;
};

struct account *account_new(const struct account_args *args, struct error *err);
void account_free(struct account *in);
CLEANUP_DEFINE(struct account, account_free)

const char *account_name(const struct account *in);
struct remote *account_remote(struct account *in);
struct keeper *account_keeper(struct account *in);
struct sf_usage account_usage(const struct account *in);

/* Is `name` the vault's name of this account's client secret? */
bool account_uses_secret(const struct account *in, const char *name);
