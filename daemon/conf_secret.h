/* conf_secret.h - which of the vault's secrets the conf makes use of. */
#pragma once
#include <stdbool.h>

struct conf;
struct conf_account;

/* The vault's name of the account's client secret: `client_secret = vault` is the account's own.
 * NULL if the secret is not in the vault. */
const char *conf_secret_name(const struct conf_account *account);

bool conf_secret_is_used(const struct conf *conf, const char *name);
