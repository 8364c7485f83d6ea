/* inside.h - what the files of the vault share; no other room includes it. */
#pragma once
#include <stddef.h>

#include "sqlite/db.h"
#include "vault/vault.h"

struct keyring;
struct seal_context;
struct statement;

/* 128 random bits in hex: nobody can make a row that fits what was sealed for another. */
#define INSIDE_ID_SIZE 33

struct vault {
	struct keyring *keyring; /* borrowed */
	struct db *db;
	int folder; /* the state directory; -1 before */
	int lock;   /* the descriptor that holds the lock; -1 before */
	char instance[INSIDE_ID_SIZE];
};

void inside_make_id(char out[INSIDE_ID_SIZE]);

/* Runs one statement that writes as a unit of its own. */
bool inside_run_alone(struct vault *in, struct statement *s, struct error *err);

/* Inside the caller's unit. */
bool inside_revocation_insert(struct vault *in, const char *account, const char *source,
			      struct secret *token, int64_t now_ms, struct error *err);
bool inside_token_remove(struct vault *in, const char *account, struct error *err);

/* Raises the account's mark past its token: whatever becomes of that, it is stale. */
bool inside_token_mark_past(struct vault *in, const char *account, struct error *err);

/* Ends what a put that was cut off between its commit and its mark began. A token without a mark
 * stays without one. */
bool inside_token_mark_all(struct vault *in, struct error *err);
