/* keyring.c - in order: the keys and their ids; the check; sealing and opening. */
#include "secret/keyring.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/error.h"
#include "secret/keyfile.h"
#include "secret/secret.h"

#define VERSION      1
#define XCHACHA      1
#define NONCE_SIZE   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE     crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SUBKEY_SIZE  32
#define HEADER_SIZE  (1 + 1 + KEYRING_ID_SIZE)
#define ID_TEXT_SIZE (2 * KEYRING_ID_SIZE + 1)

_Static_assert(KEYRING_OVERHEAD == HEADER_SIZE + NONCE_SIZE + TAG_SIZE, "the layout in keyring.h");
_Static_assert(SUBKEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "sealing");

/* What is left of the master keys; they themselves are not kept. */
struct subkeys {
	unsigned char sealing[SUBKEY_SIZE];
	unsigned char check[SUBKEY_SIZE];
};

struct keyring {
	struct secret *subkeys; /* `count` of struct subkeys, which has no alignment to respect */
	size_t count;
	unsigned char ids[KEYFILE_MOST][KEYRING_ID_SIZE];
	char active_id[ID_TEXT_SIZE];
};

static void id_text(const unsigned char id[KEYRING_ID_SIZE], char out[ID_TEXT_SIZE])
{
	sodium_bin2hex(out, ID_TEXT_SIZE, id, KEYRING_ID_SIZE);
}

static void derive(const unsigned char *master, struct subkeys *out,
		   unsigned char id[KEYRING_ID_SIZE])
{
	unsigned char hash[crypto_generichash_BYTES];

	crypto_kdf_derive_from_key(out->sealing, SUBKEY_SIZE, 1, "ls-seal_", master);
	crypto_kdf_derive_from_key(out->check, SUBKEY_SIZE, 1, "ls-check", master);
	crypto_generichash(hash, sizeof(hash), master, KEYFILE_KEY_SIZE, NULL, 0);
	memcpy(id, hash, KEYRING_ID_SIZE);
}

struct keyring *keyring_load(const char *source, const char *state_dir, struct error *err)
{
	CLEANUP(secret_free) struct secret *masters = keyfile_read(source, state_dir, err);
	struct keyring *in;
	const char *master;
	char *room;
	size_t len;

	if (!masters)
		return NULL;
	in = mem_new(struct keyring);
	master = secret_open(masters, &len);
	in->count = len / KEYFILE_KEY_SIZE;
	in->subkeys = secret_blank(in->count * sizeof(struct subkeys), &room);
	for (size_t i = 0; i < in->count; i++)
		derive((const unsigned char *)master + i * KEYFILE_KEY_SIZE,
		       (struct subkeys *)room + i, in->ids[i]);
	id_text(in->ids[0], in->active_id);
	secret_close(in->subkeys);
	secret_close(masters);
	return in;
}

void keyring_free(struct keyring *in)
{
	if (!in)
		return;
	secret_free(in->subkeys);
	free(in);
}

const char *keyring_active_id(const struct keyring *in)
{
	return in->active_id;
}

bool keyring_make_file(const char *path, const char *state_dir, struct error *err)
{
	return keyfile_make(path, state_dir, err);
}

bool keyring_add_to_file(const char *path, const char *state_dir, struct error *err)
{
	return keyfile_add(path, state_dir, err);
}

bool keyring_has(const struct keyring *in, const char *id)
{
	for (size_t i = 0; i < in->count; i++) {
		char ours[ID_TEXT_SIZE];

		id_text(in->ids[i], ours);
		if (strcmp(ours, id) == 0)
			return true;
	}
	return false;
}

static const struct subkeys *open_subkeys(struct keyring *in)
{
	size_t len;

	return (const struct subkeys *)(const void *)secret_open(in->subkeys, &len);
}

/* Which of our keys has this id; all of them are named if none. */
static bool find_key(const struct keyring *in, const unsigned char id[KEYRING_ID_SIZE],
		     size_t *ret_index, struct error *err)
{
	char wanted[ID_TEXT_SIZE], ours[KEYFILE_MOST * (ID_TEXT_SIZE + 1)] = "";

	for (size_t i = 0; i < in->count; i++) {
		if (memcmp(in->ids[i], id, KEYRING_ID_SIZE) == 0) {
			*ret_index = i;
			return true;
		}
		if (i)
			ours[strlen(ours)] = ' ';
		id_text(in->ids[i], ours + strlen(ours));
	}
	id_text(id, wanted);
	return error_set(err, ERROR_STATE, "wrong-key",
			 "sealed under key %s, but the key given is %s: give the right seal_key "
			 "(add it as another line of the key file after a rotation)",
			 wanted, ours);
}

static bool tampered(struct error *err)
{
	return error_set(err, ERROR_STATE, "tampered",
			 "the sealed record does not fit: it was changed, cut or moved from "
			 "another place");
}

static void check_hash(const struct subkeys *keys, unsigned char out[32])
{
	static const unsigned char constant[] = "leadsyncd key check 1";

	crypto_generichash(out, 32, constant, sizeof(constant), keys->check, sizeof(keys->check));
}

void keyring_make_check(struct keyring *in, unsigned char out[KEYRING_CHECK_SIZE])
{
	memcpy(out, in->ids[0], KEYRING_ID_SIZE);
	check_hash(open_subkeys(in), out + KEYRING_ID_SIZE);
	secret_close(in->subkeys);
}

bool keyring_check(struct keyring *in, const unsigned char *check, size_t len, struct error *err)
{
	unsigned char hash[32];
	size_t index;

	if (len != KEYRING_CHECK_SIZE)
		return tampered(err);
	if (!find_key(in, check, &index, err))
		return false;
	check_hash(open_subkeys(in) + index, hash);
	secret_close(in->subkeys);
	return sodium_memcmp(hash, check + KEYRING_ID_SIZE, sizeof(hash)) == 0 || tampered(err);
}

static unsigned char *put_number(unsigned char *at, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		*at++ = (unsigned char)(number >> (8 * i));
	return at;
}

/* The header of the record and each part of the context behind its length, so that no two contexts
 * run together into the same bytes. free() it. */
static unsigned char *additional_data(const unsigned char header[HEADER_SIZE],
				      const struct seal_context *context, size_t *ret_len)
{
	const char *const parts[] = { "leadsyncd seal", context->table,   context->row,
				      context->purpose, context->account, context->org_id };
	size_t len = HEADER_SIZE + sizeof(uint64_t);
	unsigned char *data, *at;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		len += sizeof(uint32_t) + strlen(parts[i]);
	data = at = mem_zeroed(len, 1);
	memcpy(at, header, HEADER_SIZE);
	at += HEADER_SIZE;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t part_len = strlen(parts[i]);

		at = put_number(at, part_len, sizeof(uint32_t));
		memcpy(at, parts[i], part_len);
		at += part_len;
	}
	put_number(at, context->generation, sizeof(uint64_t));
	*ret_len = len;
	return data;
}

void keyring_seal(struct keyring *in, const struct seal_context *context, struct secret *plain,
		  unsigned char *out)
{
	unsigned char *nonce = out + HEADER_SIZE;
	size_t plain_len, data_len;
	const char *bytes = secret_open(plain, &plain_len);

	out[0] = VERSION;
	out[1] = XCHACHA;
	memcpy(out + 2, in->ids[0], KEYRING_ID_SIZE);
	randombytes_buf(nonce, NONCE_SIZE);
	CLEANUP_FREE unsigned char *data = additional_data(out, context, &data_len);
	crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_SIZE, NULL,
						   (const unsigned char *)bytes, plain_len, data,
						   data_len, NULL, nonce,
						   open_subkeys(in)->sealing);
	secret_close(in->subkeys);
	secret_close(plain);
}

struct secret *keyring_open(struct keyring *in, const struct seal_context *context,
			    const unsigned char *sealed, size_t len, struct error *err)
{
	CLEANUP(secret_free) struct secret *plain = NULL;
	const unsigned char *nonce = sealed + HEADER_SIZE;
	size_t index, data_len;
	char *room;
	bool fits;

	if (len < KEYRING_OVERHEAD || sealed[0] != VERSION || sealed[1] != XCHACHA) {
		tampered(err);
		return NULL;
	}
	if (!find_key(in, sealed + 2, &index, err))
		return NULL;
	CLEANUP_FREE unsigned char *data = additional_data(sealed, context, &data_len);
	plain = secret_blank(len - KEYRING_OVERHEAD, &room);
	fits = crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)room, NULL, NULL,
							  nonce + NONCE_SIZE,
							  len - HEADER_SIZE - NONCE_SIZE, data,
							  data_len, nonce,
							  open_subkeys(in)[index].sealing) == 0;
	secret_close(in->subkeys);
	secret_close(plain);
	if (!fits) {
		tampered(err);
		return NULL;
	}
	return TAKE(plain);
}
