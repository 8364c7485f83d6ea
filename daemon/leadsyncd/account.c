#include "account.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/conf.h"
#include "daemon/conf_secret.h"
#include "hook.h"
#include "http/http.h"
#include "secret/secret.h"
#include "vault/vault.h"

struct account {
	struct account_args args;
	struct url_policy policy;
	struct http_client *http;
	struct sf_grant *grant;
	struct keeper *keeper;
	struct sf_remote *remote;
	bool was_parked;
	char *instance_url; /* as last told; owned */
};

struct secret *account_credential(struct account *in, struct error *err)
{
	const char *source = conf_credential(in->args.conf);

	if (conf_secret_name(in->args.conf))
		return vault_secret_get(in->args.vault, conf_secret_name(in->args.conf), err);
	if (str_starts_with(source, "credential:"))
		return secret_read_credential(source + strlen("credential:"), err);
	return secret_read_file(source + strlen("file:"), err);
}

static struct secret *credential(void *arg, struct error *err)
{
	return account_credential(arg, err);
}

/* What is said of the keeper. */

/* The operator knows: it is no trouble. */
static bool is_disconnected(const struct keeper_health *health)
{
	return health->trouble && strcmp(health->trouble->code, "disconnected") == 0;
}

/* The command that mends it, or that comes last. */
static char *remedy_of(const struct account *in, const struct error *trouble)
{
	static const char *const of_secrets[] = { "invalid_client", "invalid_client_credentials",
						  "no-secret" };
	const char *secret = conf_secret_name(in->args.conf);
	bool is_secret = false;

	for (size_t i = 0; i < sizeof(of_secrets) / sizeof(of_secrets[0]); i++)
		is_secret |= trouble && strcmp(trouble->code, of_secrets[i]) == 0;
	if (secret && is_secret)
		return mem_format("leadsync secret set %s", secret);
	return mem_format("leadsync connect %s", in->args.conf->name);
}

static void tell_parked(struct account *in, const struct keeper_health *health)
{
	const char *name = in->args.conf->name;
	CLEANUP_FREE char *remedy = remedy_of(in, health->trouble);

	log_error("account_parked", LOG_STR("account", name), LOG_STR("state", health->state_name),
		  LOG_STR("code", health->trouble ? health->trouble->code : NULL),
		  LOG_STR("text", health->trouble ? health->trouble->text : NULL),
		  LOG_STR("remedy", remedy));
	hook_tell(in->args.hook,
		  &(struct hook_event){ .event = "account-parked",
					.account = name,
					.state = health->state_name,
					.code = health->trouble ? health->trouble->code : NULL,
					.text = health->trouble ? health->trouble->text : NULL,
					.remedy = remedy });
}

static void tell_fresh(struct account *in, const struct keeper_health *health)
{
	log_info("token_ok", LOG_STR("account", in->args.conf->name),
		 LOG_STR("org", health->org_id), LOG_STR("instance", health->instance_url),
		 LOG_INT("expires_in_s", (health->expires_ms - health->obtained_ms) / 1000),
		 LOG_STR("known_from", health->expiry));
	if (in->was_parked)
		hook_tell(in->args.hook, &(struct hook_event){ .event = "account-ok",
							       .account = in->args.conf->name,
							       .state = health->state_name });
}

/* The old one is used to its end first; what comes then, the keeper says in time. */
static void tell_answer_lost(struct account *in, const struct error *trouble)
{
	log_warning("token_answer_lost", LOG_STR("account", in->args.conf->name),
		    LOG_STR("code", trouble->code), LOG_STR("text", trouble->text));
}

static void tell_moved(struct account *in, const struct keeper_health *health)
{
	log_notice("instance_moved", LOG_STR("account", in->args.conf->name),
		   LOG_STR("from", in->instance_url), LOG_STR("to", health->instance_url));
	hook_tell(in->args.hook, &(struct hook_event){ .event = "account-moved",
						       .account = in->args.conf->name,
						       .state = health->state_name,
						       .text = health->instance_url });
	free(in->instance_url);
	in->instance_url = mem_strdup(health->instance_url);
}

/* What seldom passes by itself, or may cost the login, is said louder. */
static bool is_grave(const struct error *trouble)
{
	static const char *const codes[] = { "certificate", "http-403", "token-not-stored" };

	for (size_t i = 0; trouble && i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(trouble->code, codes[i]) == 0)
			return true;
	return false;
}

static void tell_waiting(struct account *in, const struct keeper_health *health)
{
	const struct error *trouble = health->trouble;
	enum log_level level = is_grave(trouble) ? LOG_LEVEL_ERR : LOG_LEVEL_WARNING;

	log_event(level, "token_delayed",
		  log_fields_(LOG_STR("account", in->args.conf->name),
			      LOG_STR("code", trouble ? trouble->code : NULL),
			      LOG_STR("text", trouble ? trouble->text : NULL)));
}

static void remember(struct account *in, const struct keeper_health *health)
{
	if (!in->instance_url || !*in->instance_url) {
		free(in->instance_url);
		in->instance_url = mem_strdup(health->instance_url);
	}
	if (health->state == KEEPER_PARKED)
		in->was_parked = true;
	else if (health->state == KEEPER_FRESH)
		in->was_parked = false;
}

static void heard(struct keeper *keeper, enum keeper_news news, void *arg)
{
	struct account *in = arg;
	struct keeper_health health;

	keeper_health(keeper, &health);
	if (news == KEEPER_NEWS_MOVED)
		tell_moved(in, &health);
	else if (health.state == KEEPER_PARKED && !is_disconnected(&health))
		tell_parked(in, &health);
	else if (health.state == KEEPER_WAITING)
		tell_waiting(in, &health);
	else if (health.state == KEEPER_FRESH && health.trouble)
		tell_answer_lost(in, health.trouble);
	else if (health.state == KEEPER_FRESH)
		tell_fresh(in, &health);
	remember(in, &health);
	in->args.changed(in, in->args.arg);
}

/* Wiring. */

static enum sf_flow flow_of(const struct conf_account *conf)
{
	switch (conf->flow) {
	case CONF_FLOW_WEB: return SF_FLOW_WEB;
	case CONF_FLOW_JWT: return SF_FLOW_JWT;
	case CONF_FLOW_CLIENT_CREDENTIALS: return SF_FLOW_CLIENT_CREDENTIALS;
	}
	abort();
}

struct sf_grant *account_new_grant(struct account *in,
				   struct secret *(*fetch)(void *arg, struct error *err), void *arg,
				   struct error *err)
{
	const struct conf_account *conf = in->args.conf;

	return sf_grant_new(&(struct sf_grant_args){ .loop = in->args.loop,
						     .http = in->http,
						     .policy = &in->policy,
						     .flow = flow_of(conf),
						     .login_url = conf->login_url,
						     .client_id = conf->client_id,
						     .redirect_uri = conf->redirect_uri,
						     .username = conf->username,
						     .audience = conf->audience,
						     .credential = fetch,
						     .arg = arg },
			    err);
}

static bool wire(struct account *in, struct error *err)
{
	const struct account_args *args = &in->args;
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
	in->grant = account_new_grant(in, conf_credential(conf) ? credential : NULL, in, err);
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
	keeper_on_change(in->keeper, heard, in);
	in->remote = sf_remote_new(&(struct sf_remote_args){ .loop = args->loop,
							     .http = in->http,
							     .keeper = in->keeper,
							     .policy = &in->policy,
							     .api_version = conf->api_version });
	return true;
}

/* Flows that need no refresh token go on from a backup: but somebody ought to know. */
static void warn_if_restored(const struct account *in)
{
	struct vault_account known;
	struct error ignored;

	if (!account_grant(in)->by_login &&
	    vault_account_get(in->args.vault, in->args.conf->name, &known, &ignored) && known.stale)
		log_warning("token_restored", LOG_STR("account", in->args.conf->name),
			    LOG_STR("text", "its token is older than the last one of this "
					    "directory: restored from a backup?"));
}

struct account *account_new(const struct account_args *args, struct error *err)
{
	CLEANUP(account_free) struct account *in = mem_new(struct account);
	const struct conf_account *conf = args->conf;
	struct keeper_health health;

	in->args = *args;
	in->policy = (struct url_policy){ .allow_hosts = (const char *const *)conf->allow_hosts,
					  .allow_count = conf->allow_host_count,
					  .loopback_test = args->loopback_test };
	if (!wire(in, err)) {
		error_prefix(err, "account %s", conf->name);
		return NULL;
	}
	keeper_health(in->keeper, &health);
	remember(in, &health);
	warn_if_restored(in);
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
	free(in->instance_url);
	free(in);
}

const char *account_name(const struct account *in)
{
	return in->args.conf->name;
}

const struct conf_account *account_conf(const struct account *in)
{
	return in->args.conf;
}

struct remote *account_remote(struct account *in)
{
	return sf_remote_interface(in->remote);
}

struct keeper *account_keeper(const struct account *in)
{
	return in->keeper;
}

const struct grant *account_grant(const struct account *in)
{
	return sf_grant_interface(in->grant);
}

struct http_client *account_http(struct account *in)
{
	return in->http;
}

struct sf_usage account_usage(const struct account *in)
{
	return sf_remote_usage(in->remote);
}

const struct error *account_trouble(const struct account *in)
{
	struct keeper_health health;

	keeper_health(in->keeper, &health);
	return health.state == KEEPER_PARKED ? health.trouble : NULL;
}

bool account_uses_secret(const struct account *in, const char *name)
{
	return conf_uses_secret(in->args.conf, name);
}
