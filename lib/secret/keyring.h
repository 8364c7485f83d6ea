/* keyring.h - the sealing keys, and what is sealed with them.
 *
 * A key file holds up to four keys, one a line, the first active: 64 hex digits or base64 of 32
 * bytes (or the file is 32 raw bytes). Sub-keys for sealing and for the key check are derived
 * (crypto_kdf); the master is never used directly. A sealed record is version(1) | algorithm(1) |
 * key id(8) | nonce(24) | XChaCha20-Poly1305 ciphertext and tag. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct error;
struct keyring;
struct secret;

#define KEYRING_ID_SIZE  8
#define KEYRING_OVERHEAD (1 + 1 + KEYRING_ID_SIZE + 24 + 16)

/* `source` is "credential:NAME" or "file:PATH" (an absolute path is taken as file:). A file below
 * `state_dir` is refused: one backup would hold both lock and key. All failures are ERROR_HUMAN:
 * code bad-key for what is no key, bad-key-source, key-below-state, or as in secret.h. */
struct keyring *keyring_load(const char *source, const char *state_dir, struct error *err);
void keyring_free(struct keyring *in);
CLEANUP_DEFINE(struct keyring, keyring_free)

/* BLAKE2b of the active key, cut to 8 bytes, in hex: safe to log. */
const char *keyring_active_id(const struct keyring *in);

/* Whether one of its keys has this id, in hex. */
bool keyring_has(const struct keyring *in, const char *id);

/* Shows a wrong key where nothing is sealed yet: the active key's id, and a hash of a constant
 * under its check sub-key. Not secret. */
#define KEYRING_CHECK_SIZE (KEYRING_ID_SIZE + 32)
void keyring_make_check(struct keyring *in, unsigned char out[KEYRING_CHECK_SIZE]);

/* False, ERROR_STATE code wrong-key, if no key of ours made it. */
bool keyring_check(struct keyring *in, const unsigned char *check, size_t len, struct error *err);

/* What a sealed record is tied to: moved to another row, purpose or generation it does not open. */
struct seal_context {
	const char *table;
	const char *row; /* unique id of the row */
	const char *purpose;
	const char *account;
	const char *org_id; /* "" if none */
	uint64_t generation;
};

/* `out` has room for len + KEYRING_OVERHEAD; fresh nonce each time. */
void keyring_seal(struct keyring *in, const struct seal_context *context, struct secret *plain,
		  unsigned char *out);

/* ERROR_STATE code wrong-key (both ids named) if no key of ours made it, code tampered if the tag
 * does not fit. */
struct secret *keyring_open(struct keyring *in, const struct seal_context *context,
			    const unsigned char *sealed, size_t len, struct error *err);

/* Puts a new key before those of an existing file, which is replaced in one step and keeps owner
 * and mode; its keys are one line of hex each from then on, whatever they were. ERROR_HUMAN code
 * too-many-keys at four. False: the file is as before, or (if only its folder could not be synced)
 * has one key more than needed. */
bool keyring_add_to_file(const char *path, const char *state_dir, struct error *err);

/* Makes a new key file: O_EXCL, mode 0600, 64 hex digits and a newline; never below state_dir. */
bool keyring_make_file(const char *path, const char *state_dir, struct error *err);
