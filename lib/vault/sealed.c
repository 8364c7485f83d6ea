/* sealed.c - in order: the list; sealing and opening one value; counting; sealing all anew. */
#include "vault/sealed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "secret/keyring.h"
#include "secret/secret.h"
#include "sqlite/statement.h"

/* The last four are SQL that says of a row what its writer said in a struct sealed_row. */
static const struct place {
	const char *table, *column, *purpose;
	const char *account, *detail, *org_id, *generation;
} places[SEALED_COUNT] = {
	[SEALED_SECRET] = { "secret", "sealed", "secret", "''", "name", "''", "0" },
	[SEALED_ACCESS_TOKEN] = { "token", "access_token", "access token", "account", "''",
				  "org_id", "generation" },
	[SEALED_REFRESH_TOKEN] = { "token", "refresh_token", "refresh token", "account", "''",
				   "org_id", "generation" },
	[SEALED_FACTS] = { "token", "facts", "facts", "account", "''", "org_id", "generation" },
	[SEALED_REVOCATION] = { "revocation", "sealed", "revocation", "account", "source", "''",
				"0" },
};

/* free() it. */
static char *purpose_of(enum sealed column, const struct sealed_row *row)
{
	return mem_format("%s %s", places[column].purpose, row->detail);
}

static struct seal_context context_of(enum sealed column, const struct sealed_row *row,
				      const char *purpose)
{
	return (struct seal_context){
		.table = places[column].table,
		.row = row->id,
		.purpose = purpose,
		.account = row->account,
		.org_id = row->org_id,
		.generation = row->generation,
	};
}

static void bind_under(struct keyring *keyring, struct statement *s, const char *name,
		       enum sealed column, const struct sealed_row *row, struct secret *plain)
{
	CLEANUP_FREE char *purpose = purpose_of(column, row);
	const struct seal_context context = context_of(column, row, purpose);
	CLEANUP_FREE unsigned char *sealed = NULL;
	size_t len;

	secret_open(plain, &len);
	secret_close(plain);
	sealed = mem_zeroed(len + KEYRING_OVERHEAD, 1);
	keyring_seal(keyring, &context, plain, sealed);
	statement_bind_bytes(s, name, sealed, len + KEYRING_OVERHEAD);
}

static struct secret *open_under(struct keyring *keyring, struct statement *s, enum sealed column,
				 const struct sealed_row *row, struct error *err)
{
	CLEANUP_FREE char *purpose = purpose_of(column, row);
	const struct seal_context context = context_of(column, row, purpose);
	size_t len;
	const void *sealed = statement_bytes(s, places[column].column, &len);
	struct secret *plain = keyring_open(keyring, &context, sealed, len, err);

	/* The key check has passed, so that of one row is no wrong key, but a row that is not ours.
	 * A revocation only waits: it may be that its key is given again. */
	if (!plain && column != SEALED_REVOCATION)
		snprintf(err->code, sizeof(err->code), "tampered");
	return plain;
}

void sealed_bind(struct vault *in, struct statement *s, const char *name, enum sealed column,
		 const struct sealed_row *row, struct secret *plain)
{
	if (plain)
		bind_under(in->keyring, s, name, column, row, plain);
	else
		statement_bind_null(s, name);
}

struct secret *sealed_open(struct vault *in, struct statement *s, enum sealed column,
			   const struct sealed_row *row, struct error *err)
{
	return open_under(in->keyring, s, column, row, err);
}

/* One row for each key: `key_id` in hex, and `count`; `keyring`'s active one first. Values too
 * short to be sealed hold no key. */
static struct statement *select_keys(struct vault *in, const struct keyring *keyring,
				     struct error *err)
{
	CLEANUP_FREE char *sql =
		mem_strdup("SELECT :active AS key_id, 0 AS count"
			   " UNION ALL SELECT lower(hex(substr(key_check, 1, 8))), 1 FROM vault");
	CLEANUP_FREE char *whole = NULL;
	struct statement *s;

	for (size_t i = 0; i < SEALED_COUNT; i++) {
		const struct place *place = &places[i];
		char *longer = mem_format("%s UNION ALL SELECT lower(hex(substr(%s, 3, %d))), 1"
					  " FROM %s WHERE length(%s) >= %d",
					  sql, place->column, KEYRING_ID_SIZE, place->table,
					  place->column, KEYRING_OVERHEAD);

		free(sql);
		sql = longer;
	}
	whole = mem_format("SELECT key_id, sum(count) AS count FROM (%s) GROUP BY key_id"
			   " ORDER BY key_id <> :active, key_id",
			   sql);
	s = statement_new(in->db, whole, err);
	if (s)
		statement_bind_text(s, ":active", keyring_active_id(keyring));
	return s;
}

bool vault_key_list(struct vault *in, vault_key_fn *fn, void *arg, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = select_keys(in, in->keyring, err);
	bool row;

	if (!s)
		return false;
	while (statement_step(s, &row, err)) {
		const char *key_id;

		if (!row)
			return true;
		key_id = statement_text(s, "key_id");
		fn(key_id, (size_t)statement_int(s, "count"),
		   strcmp(key_id, keyring_active_id(in->keyring)) == 0, arg);
	}
	return false;
}

static bool has_every_key(struct vault *in, const struct keyring *keyring, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = select_keys(in, keyring, err);
	char missing[200] = "";
	bool row;

	if (!s)
		return false;
	for (;;) {
		const char *key_id;

		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		key_id = statement_text(s, "key_id");
		if (!keyring_has(keyring, key_id) && strlen(missing) + 20 < sizeof(missing))
			snprintf(missing + strlen(missing), 20, " %s", key_id);
	}
	return !*missing || error_set(err, ERROR_HUMAN, "key-missing",
				      "values are sealed under%s, which seal_key does not hold: "
				      "put the old key back as another line of the key file",
				      missing);
}

/* Reads on by id, since a row that is written while a reader stands on it may come up twice. */
static struct statement *select_after(struct vault *in, const struct place *place,
				      struct error *err)
{
	CLEANUP_FREE char *sql = mem_format(
		"SELECT id, %s AS account, %s AS detail, %s AS org_id, %s AS generation, %s"
		" FROM %s WHERE id > :after AND %s IS NOT NULL ORDER BY id LIMIT 1",
		place->account, place->detail, place->org_id, place->generation, place->column,
		place->table, place->column);

	return statement_new(in->db, sql, err);
}

static bool reseal_value(struct statement *from, struct statement *to, enum sealed column,
			 struct keyring *keyring, struct error *err)
{
	const struct sealed_row row = { .id = statement_text(from, "id"),
					.account = statement_text(from, "account"),
					.detail = statement_text(from, "detail"),
					.org_id = statement_text(from, "org_id"),
					.generation = (uint64_t)statement_int(from, "generation") };
	CLEANUP(secret_free)
	struct secret *plain = open_under(keyring, from, column, &row, err);

	/* Left as it is, it would seem to need the old key for ever. */
	if (!plain)
		return error_prefix(err,
				    "nothing is sealed anew before this is set again or removed: "
				    "%s of %s%s",
				    places[column].purpose, row.account, row.detail);
	bind_under(keyring, to, ":sealed", column, &row, plain);
	statement_bind_text(to, ":id", row.id);
	return statement_run(to, err);
}

static bool reseal_column(struct vault *in, enum sealed column, struct keyring *keyring,
			  size_t *count, struct error *err)
{
	const struct place *place = &places[column];
	CLEANUP_FREE char *sql = mem_format("UPDATE %s SET %s = :sealed WHERE id = :id",
					    place->table, place->column);
	CLEANUP(statement_free) struct statement *from = select_after(in, place, err);
	CLEANUP(statement_free)
	struct statement *to = from ? statement_new(in->db, sql, err) : NULL;
	char after[INSIDE_ID_SIZE] = "";
	bool row;

	if (!to)
		return false;
	for (;;) {
		statement_bind_text(from, ":after", after);
		if (!statement_step(from, &row, err))
			return false;
		if (!row)
			return true;
		snprintf(after, sizeof(after), "%s", statement_text(from, "id"));
		if (!reseal_value(from, to, column, keyring, err))
			return false;
		statement_reset(from);
		++*count;
	}
}

static bool write_check(struct vault *in, struct keyring *keyring, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db, "UPDATE vault SET key_check = :key_check", err);
	unsigned char check[KEYRING_CHECK_SIZE];

	if (!s)
		return false;
	keyring_make_check(keyring, check);
	statement_bind_bytes(s, ":key_check", check, sizeof(check));
	return statement_run(s, err);
}

static bool reseal_all(struct vault *in, struct keyring *keyring, size_t *count, struct error *err)
{
	for (enum sealed column = 0; column < SEALED_COUNT; column++)
		if (!reseal_column(in, column, keyring, count, err))
			return false;
	++*count;
	return write_check(in, keyring, err);
}

bool vault_reseal(struct vault *in, struct keyring *keyring, size_t *ret_count, struct error *err)
{
	struct error unsaid;
	size_t count = 0;

	if (!has_every_key(in, keyring, err) || !db_begin(in->db, err) ||
	    !db_end(in->db, reseal_all(in, keyring, &count, err), err))
		return false;
	in->keyring = keyring;
	*ret_count = count;
	/* What stood in the pages before is still in the WAL. All is new already, so that this is
	 * no failure of ours: a WAL that stays now is emptied when the vault is closed. */
	db_run(in->db, "PRAGMA wal_checkpoint(TRUNCATE)", &unsaid);
	return true;
}
