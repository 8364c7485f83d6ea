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

bool conf_uses_secret(const struct conf_account *account, const char *name)
{
	const char *used = conf_secret_name(account);

	return used && strcmp(used, name) == 0;
}
