/* secret.h - bytes that must not leak: locked memory, inaccessible between uses, wiped at the end.
 *
 * A secret has no text form, no length limit worth naming (64 KiB) and no log field. libsodium's
 * guarded pages: out of swap where RLIMIT_MEMLOCK allows, never in a core file. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct error;
struct secret;

/* Once, before anything else here: libsodium's start and a probe of mlock. `*ret_locked` is false
 * if memory cannot be locked (sodium_malloc itself does not say so). */
bool secret_start(bool *ret_locked, struct error *err);

#define SECRET_LONGEST ((size_t)64 * 1024)

/* Copies; the caller wipes its own copy with secret_wipe(). A NUL follows the bytes. */
struct secret *secret_new(const void *bytes, size_t len);

struct secret *secret_copy(struct secret *in);

/* One that is made in place, so that no copy lies elsewhere: `len` zero bytes, open and writable at
 * *ret_bytes until the secret_close() that must follow. */
struct secret *secret_blank(size_t len, char **ret_bytes);

void secret_free(struct secret *in); /* NULL is allowed */
CLEANUP_DEFINE(struct secret, secret_free)

/* Readable from open to close; opens nest. Secrets are used on one thread. A read outside, or a
 * close too many, ends the process. */
const char *secret_open(struct secret *in, size_t *ret_len);
void secret_close(struct secret *in);

/* `bytes` random bytes as base64url without padding, in guarded memory. */
struct secret *secret_random(size_t bytes);

/* base64url without padding of the SHA-256: PKCE's S256 (RFC 7636 section 4.2). Tells nothing of a
 * secret that cannot be guessed. free() it. */
char *secret_sha256(struct secret *in);

/* As base64url without padding, in guarded memory, for a line on which any byte may not stand; and
 * back, NULL if it is no such text. */
struct secret *secret_to_text(struct secret *in);
struct secret *secret_from_text(const char *text, size_t len);

bool secret_equal(struct secret *a, struct secret *b); /* constant time */
void secret_wipe(void *bytes, size_t len);

/* Reads a secret of at most 64 KiB from a file descriptor to its end, without its last newline.
 * `name` says in error texts what is read. Empty is an error. What is wrong with a source is
 * ERROR_HUMAN with the remedy: codes no-secret-file, unsafe-file, empty-secret, secret-too-long.
 * What is wrong with the machine (no descriptor left, no memory, a bad disk) is ERROR_RETRY code
 * secret-not-read. */
struct secret *secret_read_fd(int fd, const char *name, struct error *err);

/* From a file that must be regular, not a symbolic link, owned by root or this user, mode & 077 ==
 * 0. */
struct secret *secret_read_file(const char *path, struct error *err);

/* From the systemd credential `name` below $CREDENTIALS_DIRECTORY. Without one: code no-credential.
 */
struct secret *secret_read_credential(const char *name, struct error *err);
