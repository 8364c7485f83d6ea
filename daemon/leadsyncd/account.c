#include "account.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/conf.h"
#include "daemon/conf_secret.h"
#include "http/http.h"
#include "secret/secret.h"
#include "vault/vault.h"

struct account {
	const struct conf_account *conf; /* borrowed */
	struct vault *vault;             /* borrowed */
	struct url_policy policy;
	struct http_client *http;
	struct sf_grant *grant;
	struct keeper *keeper;
	struct sf_remote *remote;
};

static struct secret *client_secret(void *arg, struct error *err)
{
	struct account *in = arg;
	const char *source = in->conf->client_secret;

	if (conf_secret_name(in->conf))
		return vault_secret_get(in->vault, conf_secret_name(in->conf), err);
	if (str_starts_with(source, "credential:"))
		return secret_read_credential(source + strlen("credential:"), err);
	return secret_read_file(source + strlen("file:"), err);
}

static void log_keeper(struct keeper *keeper, enum keeper_news news, void *arg)
{
	struct account *in = arg;
	struct keeper_health health;

	(void)news;
	keeper_health(keeper, &health);
	if (health.state == KEEPER_PARKED)
		log_error("account_parked", LOG_STR("account", in->conf->name),
			  LOG_STR("state", health.state_name),
			  LOG_STR("code", health.trouble ? health.trouble->code : NULL),
			  LOG_STR("text", health.trouble ? health.trouble->text : NULL));
	else if (health.state == KEEPER_WAITING)
		log_warning("token_delayed", LOG_STR("account", in->conf->name),
			    LOG_STR("code", health.trouble ? health.trouble->code : NULL),
			    LOG_STR("text", health.trouble ? health.trouble->text : NULL));
	else if (health.state == KEEPER_FRESH)
		log_info("token_ok", LOG_STR("account", in->conf->name),
			 LOG_STR("org", health.org_id), LOG_STR("instance", health.instance_url),
			 LOG_INT("expires_in_s", (health.expires_ms - health.obtained_ms) / 1000));
}

static bool wire(struct account *in, const struct account_args *args, struct error *err)
{
	const struct conf_account *conf = args->conf;

	in->http =
		http_client_new(args->loop,
				&(struct http_options){ .user_agent = "leadsyncd/" LEADSYNC_VERSION,
							.ca_file = conf->ca_file,
							.proxy = conf->proxy,
							.parallel = conf->parallel,
							.allow_plain = args->loopback_test },
				err);
	if (!in->http)
		return false;
	in->grant = sf_grant_new(&(struct sf_grant_args){ .loop = args->loop,
							  .http = in->http,
							  .policy = &in->policy,
							  .login_url = conf->login_url,
							  .client_id = conf->client_id,
							  .flow = SF_FLOW_CLIENT_CREDENTIALS,
							  .credential = client_secret,
							  .arg = in },
				 err);
	if (!in->grant)
		return false;
	in->keeper =
		keeper_new(&(struct keeper_args){ .loop = args->loop,
						  .vault = args->vault,
						  .grant = sf_grant_interface(in->grant),
						  .account = conf->name,
						  .session_lifetime_s = conf->session_lifetime_s },
			   err);
	if (!in->keeper)
		return false;
	keeper_on_change(in->keeper, log_keeper, in);
	in->remote = sf_remote_new(&(struct sf_remote_args){ .loop = args->loop,
							     .http = in->http,
							     .keeper = in->keeper,
							     .policy = &in->policy,
							     .api_version = conf->api_version });
	return true;
}

struct account *account_new(const struct account_args *args, struct error *err)
{
	CLEANUP(account_free) struct account *in = mem_new(struct account);

	in->conf = args->conf;
	in->vault = args->vault;
	in->policy =
		(struct url_policy){ .allow_hosts = (const char *const *)args->conf->allow_hosts,
				     .allow_count = args->conf->allow_host_count,
				     .loopback_test = args->loopback_test };
	if (!wire(in, args, err)) {
		error_prefix(err, "account %s", args->conf->name);
		return NULL;
	}
	return TAKE(in);
}

void account_free(struct account *in)
{
	if (!in)
		return;
	sf_remote_free(in->remote);
	keeper_free(in->keeper);
	sf_grant_free(in->grant);
	http_client_free(in->http);
	free(in);
}

const char *account_name(const struct account *in)
{
	return in->conf->name;
}

struct remote *account_remote(struct account *in)
{
	return sf_remote_interface(in->remote);
}

struct keeper *account_keeper(struct account *in)
{
	return in->keeper;
}

struct sf_usage account_usage(const struct account *in)
{
	return sf_remote_usage(in->remote);
}

bool account_uses_secret(const struct account *in, const char *name)
{
	const char *used = conf_secret_name(in->conf);

	return used && strcmp(used, name) == 0;
}
