/* vault.h - the state database: what the daemon must remember that is not about people.
 *
 * `state_dir`/state.db holds typed-in secrets and the accounts' tokens, every one sealed, and a
 * key-check row that shows a wrong key before anything is read. `state_dir`/marks holds the
 * accounts' high-water marks: no backup must bring it back. `state_dir`/lock is held while the
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
 * key: ERROR_STATE code wrong-key, nothing touched. Made on another machine (base/machine.h; a
 * machine without an id is one more machine): ERROR_STATE code other-machine, until vault_adopt(). A
 * directory that others may enter, or of another user, is ERROR_HUMAN code unsafe-directory. The
 * keyring is borrowed. */
struct vault *vault_open(const char *state_dir, struct keyring *keyring, struct error *err);
void vault_close(struct vault *in);
CLEANUP_DEFINE(struct vault, vault_close)

/* Somebody's word that this state directory belongs to this machine now. Needs no key; takes the
 * lock, so no daemon may run on it. *ret_changed is false if it did already. */
bool vault_adopt(const char *state_dir, bool *ret_changed, struct error *err);

/* Random, 32 hex digits, made with the state database: whose ledger a store's ledger is. */
const char *vault_instance(const struct vault *in);

/* Secrets typed in by name (`leadsync secret set NAME`); setting replaces. Absent on get:
 * ERROR_HUMAN code no-secret naming that command; changed under us: ERROR_STATE code tampered, that
 * secret only. Deleting what is absent is ERROR_HUMAN code no-secret, too. */
bool vault_secret_set(struct vault *in, const char *name, struct secret *value, struct error *err);
struct secret *vault_secret_get(struct vault *in, const char *name, struct error *err);
bool vault_secret_delete(struct vault *in, const char *name, struct error *err);

bool vault_secret_has(struct vault *in, const char *name, bool *ret, struct error *err);

/* By name. Nothing is opened. `fn` may not call the vault. */
typedef void vault_secret_fn(const char *name, int64_t set_ms, void *arg);
bool vault_secret_list(struct vault *in, vault_secret_fn *fn, void *arg, struct error *err);

/* Where a token's end is known from. */
enum vault_expiry {
	VAULT_EXPIRY_ASSUMED, /* the conf's session_lifetime */
	VAULT_EXPIRY_LEARNED, /* shorter: sessions ended sooner */
	VAULT_EXPIRY_SAID,    /* the token's answer */
	VAULT_EXPIRY_INTROSPECTED,
};

/* Does each refresh answer bring a new refresh token and end the old one? */
enum vault_rotation { VAULT_ROTATION_UNKNOWN, VAULT_ROTATION_OFF, VAULT_ROTATION_ON };

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
	int64_t expires_ms; /* the earliest end that is believed */
	enum vault_expiry expiry;
	enum vault_rotation rotation;
	uint64_t generation; /* grows with each token stored, past the mark too; outlives a
				disconnect */
};

/* Frees contents and forgets them; the struct itself is the caller's. */
void vault_token_done(struct vault_token *in);

/* Replaces the account's token and ends its refresh in flight, in one commit; then raises the
 * account's high-water mark (a file beside the database, replaced and synced: no backup of the
 * database holds it); sets `generation`. False: nothing is stored. A mark that cannot be raised is
 * logged, and raised by the next put or opening. What `token` holds stays the caller's; NULL for a
 * string other than `scope` is stored as "". */
bool vault_token_put(struct vault *in, const char *account, struct vault_token *token,
		     struct error *err);

/* The same token, of the same generation, is now known to end then: takes `expires_ms` and
 * `expiry`. ERROR_BUG code no-token if it is not the one that is stored. */
bool vault_token_set_expiry(struct vault *in, const char *account, const struct vault_token *token,
			    struct error *err);

/* *ret_found is false if there is none. A tampered row, or one under a key that we do not have, is
 * ERROR_STATE code tampered: that account only. */
bool vault_token_get(struct vault *in, const char *account, struct vault_token *ret_token,
		     bool *ret_found, struct error *err);

/* What is remembered of an account beside its token. All zero for one never heard of. */
struct vault_account {
	unsigned asked;         /* times the stored refresh token was sent with no answer known:
				   0 between refreshes */
	bool stale;             /* the token is older than the high-water mark, or there is a token
				   and no mark: restored from a backup. Ends with the next put */
	bool disconnected;      /* by the operator */
	int64_t learned_life_s; /* 0: nothing learned */
	int64_t learned_ms;
};
bool vault_account_get(struct vault *in, const char *account, struct vault_account *ret,
		       struct error *err);

/* Committed before a refresh token is sent for the `asked`th time without an answer (1 is the
 * first); and, with 0, when an answer came that brought no token. */
bool vault_account_set_asked(struct vault *in, const char *account, unsigned asked,
			     struct error *err);
bool vault_account_set_learned(struct vault *in, const char *account, int64_t life_s,
			       int64_t now_ms, struct error *err);

/* All in one commit: the token is deleted, with its org and what was learned; the account is
 * `disconnected` until a token is put (and its mark stands above any that it had, so that a backup
 * does not bring it back); what can be revoked of the token is queued for revocation
 * (nothing, if the token was tampered with: who knows where it would be sent). */
bool vault_disconnect(struct vault *in, const char *account, int64_t now_ms, struct error *err);

/* Tokens that are to be revoked at the provider, kept until it said so. */
struct vault_revocation {
	int64_t id; /* grows */
	char *account;
	char *source;         /* of the token */
	struct secret *token; /* NULL: the row was tampered with, and is only to be deleted */
	int64_t since_ms;
};
void vault_revocation_done(struct vault_revocation *in); /* contents */
bool vault_revocation_add(struct vault *in, const char *account, const char *source,
			  struct secret *token, int64_t now_ms, struct error *err);

/* The first with an id above `after`. Of a row that was tampered with there is no token, and what
 * its plain columns say is not to be trusted. */
bool vault_revocation_next(struct vault *in, int64_t after, struct vault_revocation *ret,
			   bool *ret_found, struct error *err);
bool vault_revocation_delete(struct vault *in, int64_t id, struct error *err);

/* `leadsync pause JOB`. */
bool vault_job_set_paused(struct vault *in, const char *job, bool paused, struct error *err);
bool vault_job_paused(struct vault *in, const char *job, bool *ret_paused, struct error *err);

/* How many sealed values each key holds, by the key's id in hex; the active key comes first, even
 * if it holds none. The key-check row counts as one: a key that holds nothing may be forgotten.
 * `fn` may not call the vault. */
typedef void vault_key_fn(const char *key_id, size_t count, bool active, void *arg);
bool vault_key_list(struct vault *in, vault_key_fn *fn, void *arg, struct error *err);

/* Seals everything anew under the active key of `keyring`, which is from then on the vault's
 * (borrowed), and empties the WAL. One transaction: whatever happens, all is as before or all is
 * new. `keyring` must hold every key that is still in use: else ERROR_HUMAN code key-missing with
 * the ids, nothing touched. So is a tampered value (ERROR_STATE code tampered, and it is named).
 * The WAL stays until the vault is closed if another program reads it just then. */
bool vault_reseal(struct vault *in, struct keyring *keyring, size_t *ret_count, struct error *err);
