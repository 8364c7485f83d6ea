#include "daemon.h"

#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "base/error.h"
#include "base/log.h"
#include "conf/conf.h"
#include "control.h"
#include "daemon/conf_secret.h"
#include "daemon/exit_codes.h"
#include "job.h"
#include "loop/loop.h"
#include "secret/keyring.h"
#include "secret/secret.h"
#include "service.h"
#include "sync/sync_store.h"
#include "vault/vault.h"

struct daemon {
	struct loop *loop;       /* borrowed */
	const struct conf *conf; /* borrowed */
	struct keyring *keyring;
	struct vault *vault;
	struct account **accounts; /* in the order of the conf, as the next two */
	struct sync_store **stores;
	struct job **jobs;
	struct control *control;
	int64_t started_ms;
	int exit_code;
};

static void stop_as_not_ours(const struct error *why, void *arg)
{
	struct daemon *in = arg;

	log_error("stopping", LOG_STR("code", why->code), LOG_STR("text", why->text),
		  LOG_STR("remedy", "nothing was changed; mend it, then start again"));
	in->exit_code = EXIT_NOT_OURS;
	loop_stop(in->loop);
}

static bool open_vault(struct daemon *in, struct error *err)
{
	const struct conf_daemon *conf = &in->conf->daemon;
	bool locked;

	if (!secret_start(&locked, err))
		return false;
	if (!locked)
		log_warning("memory_not_locked",
			    LOG_STR("text", "secrets may reach swap: raise LimitMEMLOCK to 8M"));
	in->keyring = keyring_load(conf->seal_key, conf->state_dir, err);
	if (!in->keyring)
		return false;
	log_info("key_loaded", LOG_STR("key", keyring_active_id(in->keyring)));
	in->vault = vault_open(conf->state_dir, in->keyring, err);
	return in->vault != NULL;
}

static bool open_accounts(struct daemon *in, struct error *err)
{
	in->accounts = mem_array(struct account *, in->conf->account_count);
	for (size_t i = 0; i < in->conf->account_count; i++) {
		in->accounts[i] = account_new(
			&(struct account_args){ .loop = in->loop,
						.vault = in->vault,
						.conf = &in->conf->accounts[i],
						.loopback_test = in->conf->daemon.loopback_test },
			err);
		if (!in->accounts[i])
			return false;
	}
	return true;
}

static void open_stores_and_jobs(struct daemon *in)
{
	const struct conf *conf = in->conf;

	in->stores = mem_array(struct sync_store *, conf->store_count);
	for (size_t i = 0; i < conf->store_count; i++)
		in->stores[i] =
			sync_store_new(in->loop, conf->stores[i].name, conf->stores[i].path);
	in->jobs = mem_array(struct job *, conf->job_count);
	for (size_t i = 0; i < conf->job_count; i++) {
		const struct conf_job *job = &conf->jobs[i];

		in->jobs[i] = job_new(
			&(struct job_args){ .loop = in->loop,
					    .conf = job,
					    .account = in->accounts[job->account - conf->accounts],
					    .store = in->stores[job->store - conf->stores],
					    .instance = vault_instance(in->vault),
					    .fatal = stop_as_not_ours,
					    .arg = in });
	}
}

struct daemon *daemon_new(struct loop *loop, const struct conf *conf, struct error *err)
{
	CLEANUP(daemon_free) struct daemon *in = mem_new(struct daemon);

	in->loop = loop;
	in->conf = conf;
	in->started_ms = loop_now_ms(loop);
	if (!open_vault(in, err) || !open_accounts(in, err))
		return NULL;
	in->control = control_new(in, conf->daemon.control, service_socket(), err);
	if (!in->control)
		return NULL;
	open_stores_and_jobs(in);
	return TAKE(in);
}

void daemon_free(struct daemon *in)
{
	if (!in)
		return;
	/* From the top down: nobody may be called back by what is gone. */
	control_free(in->control);
	for (size_t i = 0; in->jobs && i < in->conf->job_count; i++)
		job_free(in->jobs[i]);
	for (size_t i = 0; in->stores && i < in->conf->store_count; i++)
		sync_store_free(in->stores[i]);
	for (size_t i = 0; in->accounts && i < in->conf->account_count; i++)
		account_free(in->accounts[i]);
	free(in->jobs);
	free(in->stores);
	free(in->accounts);
	vault_close(in->vault);
	keyring_free(in->keyring);
	free(in);
}

int daemon_exit_code(const struct daemon *in)
{
	return in->exit_code;
}

struct loop *daemon_loop(const struct daemon *in)
{
	return in->loop;
}

const struct conf *daemon_conf(const struct daemon *in)
{
	return in->conf;
}

int64_t daemon_started_ms(const struct daemon *in)
{
	return in->started_ms;
}

size_t daemon_account_count(const struct daemon *in)
{
	return in->conf->account_count;
}

struct account *daemon_account(const struct daemon *in, size_t index)
{
	return in->accounts[index];
}

size_t daemon_job_count(const struct daemon *in)
{
	return in->conf->job_count;
}

struct job *daemon_job(const struct daemon *in, size_t index)
{
	return in->jobs[index];
}

struct job *daemon_find_job(const struct daemon *in, const char *name)
{
	for (size_t i = 0; i < in->conf->job_count; i++)
		if (strcmp(in->conf->jobs[i].name, name) == 0)
			return in->jobs[i];
	return NULL;
}

/* What a new secret can mend. Where the old org or a damaged token is what is wrong, typing the
 * secret in is the operator's word that the account shall start anew. */
static bool revive(struct keeper *keeper, struct error *err)
{
	struct keeper_health health;

	keeper_health(keeper, &health);
	if (health.trouble && (strcmp(health.trouble->code, "other-org") == 0 ||
			       strcmp(health.trouble->code, "tampered") == 0))
		return keeper_forget(keeper, err);
	keeper_unpark(keeper);
	return true;
}

bool daemon_set_secret(struct daemon *in, const char *name, struct secret *value, struct error *err)
{
	if (!conf_secret_is_used(in->conf, name))
		return error_set(
			err, ERROR_HUMAN, "unused-name",
			"no account's client_secret is the vault's '%s': with `client_secret "
			"= vault` it is the account's name",
			name);
	if (!vault_secret_set(in->vault, name, value, err))
		return false;
	for (size_t i = 0; i < in->conf->account_count; i++)
		if (account_uses_secret(in->accounts[i], name) &&
		    !revive(account_keeper(in->accounts[i]), err))
			return false;
	for (size_t i = 0; i < in->conf->job_count; i++)
		if (account_uses_secret(job_account(in->jobs[i]), name))
			job_run_now(in->jobs[i], false);
	return true;
}
