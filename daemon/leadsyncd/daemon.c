#include "daemon.h"

#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "base/error.h"
#include "base/log.h"
#include "conf/conf.h"
#include "connect.h"
#include "control.h"
#include "daemon/conf_secret.h"
#include "daemon/credential_check.h"
#include "daemon/exit_codes.h"
#include "hook.h"
#include "job.h"
#include "loop/loop.h"
#include "revoker.h"
#include "secret/keyring.h"
#include "secret/secret.h"
#include "service.h"
#include "sync/sync_store.h"
#include "vault/vault.h"

/* A refresh whose answer is on its way. */
#define SETTLE_WITHIN_MS ((int64_t)20 * 1000)

#define MOST_LOGINS 4

struct daemon {
	struct loop *loop;       /* borrowed */
	const struct conf *conf; /* borrowed */
	struct keyring *keyring;
	struct vault *vault;
	struct hook *hook;
	struct account **accounts; /* in the order of the conf, as the next three */
	struct connect **connects; /* NULL where no login is under way */
	struct sync_store **stores;
	struct job **jobs;
	struct revoker *revoker;
	struct control *control;
	struct loop_timer *soon; /* to stop, because a store or an org is not ours */
	struct loop_timer *end;  /* set while stopping: no longer than that */
	int64_t started_ms;
	int exit_code;
};

static void stop_now(void *arg)
{
	struct daemon *in = arg;

	in->soon = NULL;
	daemon_stop(in);
}

/* From a job, which must not be freed while it tells. */
static void stop_as_not_ours(const struct error *why, void *arg)
{
	struct daemon *in = arg;

	log_error("stopping", LOG_STR("code", why->code), LOG_STR("text", why->text),
		  LOG_STR("remedy", "nothing was changed; mend it, then start again"));
	in->exit_code = EXIT_NOT_OURS;
	if (!in->soon)
		in->soon = loop_soon(in->loop, stop_now, in);
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

static void account_changed(struct account *account, void *arg)
{
	struct daemon *in = arg;

	for (size_t i = 0; in->jobs && i < in->conf->job_count; i++)
		if (in->jobs[i] && job_account(in->jobs[i]) == account)
			job_account_changed(in->jobs[i]);
}

static bool open_accounts(struct daemon *in, struct error *err)
{
	in->hook = hook_new(in->loop, in->conf->daemon.hook, err);
	if (!in->hook)
		return false;
	in->accounts = mem_array(struct account *, in->conf->account_count);
	in->connects = mem_array(struct connect *, in->conf->account_count);
	for (size_t i = 0; i < in->conf->account_count; i++) {
		in->accounts[i] =
			account_new(&(struct account_args){ .loop = in->loop,
							    .vault = in->vault,
							    .hook = in->hook,
							    .conf = &in->conf->accounts[i],
							    .loopback_test =
								    in->conf->daemon.loopback_test,
							    .changed = account_changed,
							    .arg = in },
				    err);
		if (!in->accounts[i])
			return false;
	}
	return true;
}

static bool open_stores_and_jobs(struct daemon *in, struct error *err)
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
					    .vault = in->vault,
					    .hook = in->hook,
					    .instance = vault_instance(in->vault),
					    .fatal = stop_as_not_ours,
					    .arg = in },
			err);
		if (!in->jobs[i])
			return false;
	}
	return true;
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
	if (!in->control || !open_stores_and_jobs(in, err))
		return NULL;
	in->revoker = revoker_new(&(struct revoker_args){ .loop = loop,
							  .vault = in->vault,
							  .accounts = in->accounts,
							  .account_count = conf->account_count });
	return TAKE(in);
}

void daemon_free(struct daemon *in)
{
	if (!in)
		return;
	/* From the top down: nobody may be called back by what is gone. */
	control_free(in->control);
	loop_timer_cancel(in->soon);
	loop_timer_cancel(in->end);
	revoker_free(in->revoker);
	for (size_t i = 0; in->connects && i < in->conf->account_count; i++)
		connect_free(in->connects[i]);
	for (size_t i = 0; in->jobs && i < in->conf->job_count; i++)
		job_free(in->jobs[i]);
	for (size_t i = 0; in->stores && i < in->conf->store_count; i++)
		sync_store_free(in->stores[i]);
	for (size_t i = 0; in->accounts && i < in->conf->account_count; i++)
		account_free(in->accounts[i]);
	free(in->jobs);
	free(in->stores);
	free(in->accounts);
	free(in->connects);
	hook_free(in->hook);
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

struct account *daemon_find_account(const struct daemon *in, const char *name)
{
	for (size_t i = 0; i < in->conf->account_count; i++)
		if (strcmp(in->conf->accounts[i].name, name) == 0)
			return in->accounts[i];
	return NULL;
}

struct revoker *daemon_revoker(const struct daemon *in)
{
	return in->revoker;
}

struct vault *daemon_vault(const struct daemon *in)
{
	return in->vault;
}

const char *daemon_key(const struct daemon *in)
{
	return keyring_active_id(in->keyring);
}

/* Stopping. */

static bool is_settled(const struct daemon *in)
{
	for (size_t i = 0; i < in->conf->account_count; i++)
		if (keeper_is_busy(account_keeper(in->accounts[i])))
			return false;
	return true;
}

static void end(void *arg)
{
	struct daemon *in = arg;

	in->end = NULL;
	if (!is_settled(in))
		log_error("token_not_awaited",
			  LOG_STR("text", "stopped while a token was on its way or not yet "
					  "stored; if its answer is lost, `leadsync status` will "
					  "say so after the start"));
	loop_stop(in->loop);
}

static void look_again(void *arg)
{
	struct daemon *in = arg;

	if (is_settled(in))
		loop_stop(in->loop);
}

void daemon_stop(struct daemon *in)
{
	if (in->end)
		return;
	control_free(TAKE(in->control));
	revoker_free(TAKE(in->revoker));
	for (size_t i = 0; i < in->conf->job_count; i++)
		job_free(TAKE(in->jobs[i]));
	for (size_t i = 0; i < in->conf->account_count; i++)
		connect_free(TAKE(in->connects[i]));
	in->end = loop_after(in->loop, SETTLE_WITHIN_MS, end, in);
	for (size_t i = 0; i < in->conf->account_count; i++)
		keeper_on_settled(account_keeper(in->accounts[i]), look_again, in);
	look_again(in);
}

/* Secrets and keys. */

/* What a new secret can mend. */
static void use_secret(struct daemon *in, const char *name)
{
	struct error paused;

	for (size_t i = 0; i < in->conf->account_count; i++)
		if (account_uses_secret(in->accounts[i], name))
			keeper_unpark(account_keeper(in->accounts[i]));
	for (size_t i = 0; i < in->conf->job_count; i++)
		if (account_uses_secret(job_account(in->jobs[i]), name))
			job_run_now(in->jobs[i], false, &paused);
}

bool daemon_set_secret(struct daemon *in, const char *name, struct secret *value, struct error *err)
{
	if (!credential_check_named(in->conf, name, value, err) ||
	    !vault_secret_set(in->vault, name, value, err))
		return false;
	use_secret(in, name);
	return true;
}

bool daemon_rotate_key(struct daemon *in, size_t *ret_count, struct error *err)
{
	const struct conf_daemon *conf = &in->conf->daemon;
	CLEANUP(keyring_free)
	struct keyring *fresh = keyring_load(conf->seal_key, conf->state_dir, err);

	if (!fresh || !vault_reseal(in->vault, fresh, ret_count, err))
		return false;
	keyring_free(in->keyring);
	in->keyring = TAKE(fresh);
	log_notice("key_rotated", LOG_STR("key", keyring_active_id(in->keyring)),
		   LOG_INT("resealed", (int64_t)*ret_count));
	return true;
}

/* Logins. */

/* Where the account's login under way stands, if there is one. */
static struct connect **connect_place(const struct daemon *in, const struct account *account)
{
	size_t i = 0;

	while (in->accounts[i] != account)
		i++;
	return &in->connects[i];
}

static size_t count_connects(const struct daemon *in)
{
	size_t count = 0;

	for (size_t i = 0; i < in->conf->account_count; i++)
		count += in->connects[i] != NULL;
	return count;
}

static bool make_room(struct daemon *in, const struct account *account, struct error *err)
{
	struct connect **place = connect_place(in, account);

	if (*place && connect_is_awaited(*place))
		return error_set(err, ERROR_HUMAN, "login-under-way",
				 "account %s: another `leadsync connect` waits for a login; end it "
				 "first",
				 account_name(account));
	connect_free(TAKE(*place));
	if (count_connects(in) >= MOST_LOGINS)
		return error_set(err, ERROR_HUMAN, "too-many-logins",
				 "%d logins are under way already: end one, or wait ten minutes",
				 MOST_LOGINS);
	return true;
}

static void connect_ended(struct connect *connect, void *arg)
{
	daemon_end_connect(arg, connect_account(connect));
}

struct connect *daemon_begin_connect(struct daemon *in, struct account *account,
				     struct secret *credential, bool paste, struct error *err)
{
	struct connect **place = connect_place(in, account);

	if (!make_room(in, account, err) ||
	    (credential && !credential_check(account_conf(account), credential, err))) {
		secret_free(credential);
		return NULL;
	}
	*place = connect_new(&(struct connect_args){ .loop = in->loop,
						     .vault = in->vault,
						     .account = account,
						     .credential = credential,
						     .paste = paste,
						     .ended = connect_ended,
						     .arg = in },
			     err);
	return *place;
}

struct connect *daemon_connect(struct daemon *in, const struct account *account)
{
	return *connect_place(in, account);
}

void daemon_end_connect(struct daemon *in, const struct account *account)
{
	connect_free(TAKE(*connect_place(in, account)));
	if (in->revoker)
		revoker_kick(in->revoker);
}

static void run_jobs(struct daemon *in, const struct account *account)
{
	struct error paused;

	for (size_t i = 0; i < in->conf->job_count; i++)
		if (job_account(in->jobs[i]) == account)
			job_run_now(in->jobs[i], false, &paused);
}

bool daemon_confirm_connect(struct daemon *in, struct account *account, struct error *err)
{
	const char *secret = conf_secret_name(account_conf(account));

	if (!connect_confirm(daemon_connect(in, account), err))
		return false;
	daemon_end_connect(in, account);
	/* What was typed in may be other accounts' as well. */
	if (secret)
		use_secret(in, secret);
	run_jobs(in, account);
	return true;
}

bool daemon_disconnect(struct daemon *in, struct account *account, struct error *err)
{
	if (!keeper_disconnect(account_keeper(account), err))
		return false;
	daemon_end_connect(in, account);
	log_notice("disconnected", LOG_STR("account", account_name(account)));
	return true;
}
