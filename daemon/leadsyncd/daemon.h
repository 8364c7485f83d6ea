/* daemon.h - everything a running leadsyncd consists of, put together from the conf and taken apart
 * again. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct account;
struct conf;
struct daemon;
struct error;
struct job;
struct keyring;
struct loop;
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

/* Seals a secret into the vault; a name that the conf does not use is refused. Accounts parked for
 * want of it, for another org or for a damaged token start again, and the jobs run. */
bool daemon_set_secret(struct daemon *in, const char *name, struct secret *value,
		       struct error *err);
