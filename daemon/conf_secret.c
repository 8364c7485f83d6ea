#include "conf_secret.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "conf/conf.h"

const char *conf_credential(const struct conf_account *account)
{
	return account->flow == CONF_FLOW_JWT ? account->private_key : account->client_secret;
}

const char *conf_secret_name(const struct conf_account *account)
{
	const char *source = conf_credential(account);

	if (!source)
		return NULL;
	if (strcmp(source, "vault") == 0)
		return account->name;
	return str_starts_with(source, "vault:") ? source + strlen("vault:") : NULL;
}

bool conf_secret_is_used(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->account_count; i++) {
		const char *used = conf_secret_name(&conf->accounts[i]);

		if (used && strcmp(used, name) == 0)
			return true;
	}
	return false;
}
