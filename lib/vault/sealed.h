/* sealed.h - every column that holds a sealed value. Only for this room.
 *
 * Nothing is sealed or opened but by the name of a column in this list, so that whoever adds one
 * cannot forget that its values are to be counted and sealed anew under another key. */
#pragma once
#include "vault/inside.h"

enum sealed {
	SEALED_SECRET,
	SEALED_ACCESS_TOKEN,
	SEALED_REFRESH_TOKEN,
	SEALED_FACTS,
	SEALED_REVOCATION,
	SEALED_COUNT
};

/* What a value is sealed for, beside its column. The row's id is random, and in the column `id`. */
struct sealed_row {
	const char *id;
	const char *account; /* "" if none */
	const char *detail;  /* what else of the row it is tied to; "" if nothing */
	const char *org_id;
	uint64_t generation;
};

/* Seals and binds; a NULL secret binds null. */
void sealed_bind(struct vault *in, struct statement *s, const char *name, enum sealed column,
		 const struct sealed_row *row, struct secret *plain);

/* Opens what stands in that column of the current row, which the statement must have selected under
 * its own name. Whatever is wrong with the value is ERROR_STATE code tampered: a key that we do not
 * have is a matter of this row too, since the vault's own key check has passed. */
struct secret *sealed_open(struct vault *in, struct statement *s, enum sealed column,
			   const struct sealed_row *row, struct error *err);
