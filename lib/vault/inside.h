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
	int lock; /* the descriptor that holds the lock; -1 before */
	char instance[INSIDE_ID_SIZE];
};

void inside_make_id(char out[INSIDE_ID_SIZE]);

/* Seals and binds; a NULL secret binds null. */
void inside_bind_sealed(struct vault *in, struct statement *s, const char *name,
			const struct seal_context *context, struct secret *plain);

/* Opens what stands in that column. */
struct secret *inside_open_sealed(struct vault *in, struct statement *s, const char *column,
				  const struct seal_context *context, struct error *err);

/* Runs one statement that writes as a unit of its own. */
bool inside_run_alone(struct vault *in, struct statement *s, struct error *err);
