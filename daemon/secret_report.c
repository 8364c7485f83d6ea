#include "secret_report.h"

#include <json-c/json.h>

#include "base/mem.h"
#include "base/utc.h"
#include "conf/conf.h"
#include "conf_secret.h"
#include "vault/vault.h"

struct listing {
	const struct conf *conf;
	struct json_object *items;
};

static void add_secret(const char *name, int64_t set_ms, void *arg)
{
	struct listing *in = arg;
	struct json_object *item = json_object_new_object(), *users = json_object_new_array();
	char set[UTC_TEXT_SIZE];

	utc_format(set_ms, set);
	for (size_t i = 0; i < in->conf->account_count; i++)
		if (conf_uses_secret(&in->conf->accounts[i], name))
			json_object_array_add(users,
					      json_object_new_string(in->conf->accounts[i].name));
	json_object_object_add(item, "name", json_object_new_string(name));
	json_object_object_add(item, "set", json_object_new_string(set));
	json_object_object_add(item, "accounts", users);
	json_object_array_add(in->items, item);
}

struct json_object *secret_report(struct vault *vault, const struct conf *conf, struct error *err)
{
	struct listing listing = { conf, json_object_new_array() };

	if (!vault_secret_list(vault, add_secret, &listing, err))
		json_object_put(TAKE(listing.items));
	return listing.items;
}
