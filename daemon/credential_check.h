/* credential_check.h - is a secret that was typed in what the accounts that use it need? */
#pragma once
#include <stdbool.h>

struct conf;
struct conf_account;
struct error;
struct secret;

/* A private key for jwt, one line for an app's secret. ERROR_HUMAN codes bad-key, not-one-line. */
bool credential_check(const struct conf_account *account, struct secret *value, struct error *err);

/* For every account whose credential is the vault's `name`. ERROR_HUMAN code unused-name if there
 * is none. */
bool credential_check_named(const struct conf *conf, const char *name, struct secret *value,
			    struct error *err);
