/* daemon.h - everything a running leadsyncd consists of, put together from the conf and taken apart
 * again. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct account;
struct conf;
struct connect;
struct daemon;
struct error;
struct job;
struct keyring;
struct loop;
struct revoker;
struct secret;
struct vault;

/* Opens the vault, wires accounts, stores and jobs, listens on the control socket. The conf and the
 * loop are borrowed. ERROR_STATE code already-running: exit 75; other ERROR_STATE or ERROR_HUMAN:
 * exit 78. */
struct daemon *daemon_new(struct loop *loop, const struct conf *conf, struct error *err);
void daemon_free(struct daemon *in);
CLEANUP_DEFINE(struct daemon, daemon_free)

/* What loop_run() ended for: 0 unless a store or an org turned out not to be ours. */
int daemon_exit_code(const struct daemon *in);

struct loop *daemon_loop(const struct daemon *in);
const struct conf *daemon_conf(const struct daemon *in);
int64_t daemon_started_ms(const struct daemon *in);
size_t daemon_account_count(const struct daemon *in);
struct account *daemon_account(const struct daemon *in, size_t index);
size_t daemon_job_count(const struct daemon *in);
struct job *daemon_job(const struct daemon *in, size_t index);
struct job *daemon_find_job(const struct daemon *in, const char *name); /* NULL if there is none */
struct account *daemon_find_account(const struct daemon *in, const char *name); /* likewise */
struct revoker *daemon_revoker(const struct daemon *in);
struct vault *daemon_vault(const struct daemon *in);
const char *daemon_key(const struct daemon *in); /* the active seal key's id */

/* No new work; runs are cut; a token on its way to the vault is waited for, 20 s at most; then the
 * loop ends. */
void daemon_stop(struct daemon *in);

/* Seals a secret into the vault; a name that the conf does not use is refused, and so is a private
 * key that is none. Accounts parked for want of it start again, and their jobs run. */
bool daemon_set_secret(struct daemon *in, const char *name, struct secret *value,
		       struct error *err);

/* Reads the seal key's source again and seals the vault under what is now its active key. */
bool daemon_rotate_key(struct daemon *in, size_t *ret_count, struct error *err);

/* One login per account and four in all (connect.h). One that nobody waits for is replaced by a new
 * one; ERROR_HUMAN codes login-under-way, too-many-logins. `credential` is taken, whatever comes.
 */
struct connect *daemon_begin_connect(struct daemon *in, struct account *account,
				     struct secret *credential, bool paste, struct error *err);
struct connect *daemon_connect(struct daemon *in, const struct account *account); /* NULL */
void daemon_end_connect(struct daemon *in, const struct account *account);

/* The operator said yes: stored, and its jobs run, but for those that are paused. */
bool daemon_confirm_connect(struct daemon *in, struct account *account, struct error *err);

/* Erased here, and queued to be revoked there. */
bool daemon_disconnect(struct daemon *in, struct account *account, struct error *err);
