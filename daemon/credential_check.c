#include "credential_check.h"

#include <string.h>

#include "auth/jwt.h"
#include "base/error.h"
#include "conf/conf.h"
#include "conf_secret.h"
#include "secret/secret.h"

/* A cut one would be worse than none. */
static bool is_one_line(struct secret *value)
{
	size_t len;
	const char *bytes = secret_open(value, &len);
	bool plain = !memchr(bytes, '\n', len) && !memchr(bytes, '\0', len);

	secret_close(value);
	return plain;
}

bool credential_check(const struct conf_account *account, struct secret *value, struct error *err)
{
	if (account->flow == CONF_FLOW_JWT)
		return jwt_check_key(value, err) || error_prefix(err, "account %s", account->name);
	return is_one_line(value) ||
	       error_set(err, ERROR_HUMAN, "not-one-line",
			 "account %s needs the app's consumer secret, and what was given has more "
			 "than one line; nothing is changed",
			 account->name);
}

bool credential_check_named(const struct conf *conf, const char *name, struct secret *value,
			    struct error *err)
{
	bool used = false;

	for (size_t i = 0; i < conf->account_count; i++) {
		if (!conf_uses_secret(&conf->accounts[i], name))
			continue;
		used = true;
		if (!credential_check(&conf->accounts[i], value, err))
			return false;
	}
	return used || error_set(err, ERROR_HUMAN, "unused-name",
				 "no account's client_secret or private_key is the vault's '%s': "
				 "`vault` alone stands for the account's name",
				 name);
}
