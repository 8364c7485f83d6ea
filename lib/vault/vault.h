/* vault.h - the state database: what the daemon must remember that is not about people.
 *
 * `state_dir`/state.db holds typed-in secrets and the accounts' tokens, every one sealed, and a
 * key-check row that shows a wrong key before anything is read. `state_dir`/lock is held while the
 * vault is open, so that there is one daemon per state: taken is ERROR_STATE code already-running.
 * All on the loop's thread; each call is one short transaction. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct error;
struct keyring;
struct secret;
struct vault;

/* Opens or makes it (directory 0700, file 0600; the directory's own parent must be there). Wrong
 * key: ERROR_STATE, nothing touched. A directory that others may enter, or of another user, is
 * ERROR_HUMAN code unsafe-directory. The keyring is borrowed. */
struct vault *vault_open(const char *state_dir, struct keyring *keyring, struct error *err);
void vault_close(struct vault *in);
CLEANUP_DEFINE(struct vault, vault_close)

/* Random, 32 hex digits, made with the state database: whose ledger a store's ledger is. */
const char *vault_instance(const struct vault *in);

/* Secrets typed in by name (`leadsync secret set NAME`); setting replaces. Absent on get:
 * ERROR_HUMAN code no-secret naming that command; changed under us: ERROR_STATE code tampered, that
 * secret only. Deleting what is absent is no error. */
bool vault_secret_set(struct vault *in, const char *name, struct secret *value, struct error *err);
struct secret *vault_secret_get(struct vault *in, const char *name, struct error *err);
bool vault_secret_delete(struct vault *in, const char *name, struct error *err);

/* One account's token. Strings are borrowed from the vault_token they came in; vault_token_done()
 * ends contents. */
struct vault_token {
	struct secret *access_token;
	struct secret *refresh_token; /* NULL if the flow has none */
	char *instance_url;
	char *org_id;  /* 18 characters; the account's pin */
	char *user_id; /* 18 characters */
	char *scope;   /* NULL if not said */
	char *source;  /* which endpoint gave it to which app, as grant.h's `source` */
	int64_t obtained_ms;
	int64_t expires_ms;  /* the earliest end that is believed */
	uint64_t generation; /* grows by one with each token stored, and outlives a deletion */
};

/* Frees contents and forgets them; the struct itself is the caller's. */
void vault_token_done(struct vault_token *in);

/* Replaces the account's token in one commit; sets `generation`. What `token` holds stays the
 * caller's; NULL for a string other than `scope` is stored as "". */
bool vault_token_put(struct vault *in, const char *account, struct vault_token *token,
		     struct error *err);

/* *ret_found is false if there is none. A tampered row is ERROR_STATE code tampered: that account
 * only. */
bool vault_token_get(struct vault *in, const char *account, struct vault_token *ret_token,
		     bool *ret_found, struct error *err);
bool vault_token_delete(struct vault *in, const char *account, struct error *err);
