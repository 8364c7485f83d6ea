/* conf_secret.h - where an account's credential is. */
#pragma once
#include <stdbool.h>

struct conf_account;

/* What proves to the provider who we are, as the conf says where it is ("vault:NAME", ...): the
 * private key for jwt, the client secret else. NULL: none, for a web app without a secret. */
const char *conf_credential(const struct conf_account *account);

/* The vault's name of that credential; `vault` alone is the account's own. NULL if it is not in the
 * vault. */
const char *conf_secret_name(const struct conf_account *account);

/* Is `name` the vault's name of that credential? */
bool conf_uses_secret(const struct conf_account *account, const char *name);
