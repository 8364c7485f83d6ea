/* fixture.h - what the vault's test programs share: two keys, tokens, and a look at what is on
 * disk. */
#pragma once
#include "../secret/place.h"

#include "secret/keyring.h"
#include "vault/vault.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"

/* A ring of these lines, and the vault in "state". */
struct keyring *ring_of(const struct place *place, const char *keys);
struct vault *must_open(const struct place *place, struct keyring *ring);

void set_secret(struct vault *vault, const char *name, const char *text);

/* `refresh` may be NULL. The caller ends it. */
struct vault_token token_of(const char *access, const char *refresh);

/* Of the token's generation. */
uint64_t put_token(struct vault *vault, const char *account, const char *access,
		   const char *refresh);
void assert_token(struct vault *vault, const char *account, const char *access, const char *refresh,
		  uint64_t generation);

struct vault_account account_of(struct vault *vault, const char *account);

/* Of source "source", since 3000; answers its id. */
int64_t queue(struct vault *vault, const char *account, const char *text);

/* The first after `after`; there is none if `text` is NULL. */
void assert_queued(struct vault *vault, int64_t after, const char *account, const char *text);

void assert_marks(const struct place *place, const char *want);

/* By SQLite itself, past the vault. */
void change_row(const struct place *place, const char *sql);
int64_t ask_row(const struct place *place, const char *sql); /* a number */

unsigned char *read_all(const char *path, size_t *ret_len); /* free() it */

/* How often it stands in the state directory's files, as it is, in hex or in base64. */
size_t hits_in_state(const struct place *place, const char *canary);

/* Which machine this is from now on, at most 16 letters; "" for one without an id. It is "here" at
 * first. */
void be_machine(const char *name);
