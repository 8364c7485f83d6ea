#include "secret/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sodium.h>

#include "base/error.h"

/* Each secret takes a page at least; a daemon of a few accounts stays well below this. */
#define PROBE_SIZE ((size_t)256 * 1024)

struct secret {
	char *bytes; /* sodium_malloc: inaccessible while `opens` is 0 */
	size_t len;
	unsigned opens;
};

static bool can_lock(void)
{
	void *probe =
		mmap(NULL, PROBE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool locked;

	if (probe == MAP_FAILED)
		return false;
	locked = mlock(probe, PROBE_SIZE) == 0;
	munmap(probe, PROBE_SIZE);
	return locked;
}

bool secret_start(bool *ret_locked, struct error *err)
{
	if (sodium_init() < 0)
		return error_set(err, ERROR_HUMAN, "no-random",
				 "libsodium does not start: the kernel gives no random numbers");
	*ret_locked = can_lock();
	return true;
}

struct secret *secret_blank(size_t len, char **ret_bytes)
{
	struct secret *in = mem_new(struct secret);

	in->bytes = sodium_malloc(len + 1);
	if (!in->bytes)
		abort();
	/* Not zeroed by libsodium, which fills it with 0xdb. */
	sodium_memzero(in->bytes, len + 1);
	in->len = len;
	in->opens = 1;
	*ret_bytes = in->bytes;
	return in;
}

struct secret *secret_new(const void *bytes, size_t len)
{
	char *place;
	struct secret *in = secret_blank(len, &place);

	if (len)
		memcpy(place, bytes, len);
	secret_close(in);
	return in;
}

void secret_free(struct secret *in)
{
	if (!in)
		return;
	sodium_free(in->bytes);
	free(in);
}

const char *secret_open(struct secret *in, size_t *ret_len)
{
	if (in->opens++ == 0 && sodium_mprotect_readonly(in->bytes) != 0)
		abort();
	*ret_len = in->len;
	return in->bytes;
}

void secret_close(struct secret *in)
{
	if (in->opens == 0 || (--in->opens == 0 && sodium_mprotect_noaccess(in->bytes) != 0))
		abort();
}

struct secret *secret_copy(struct secret *in)
{
	size_t len;
	const char *bytes = secret_open(in, &len);
	struct secret *copy = secret_new(bytes, len);

	secret_close(in);
	return copy;
}

#define BASE64URL sodium_base64_VARIANT_URLSAFE_NO_PADDING

struct secret *secret_to_text(struct secret *in)
{
	size_t len;
	const char *bytes = secret_open(in, &len);
	size_t size = sodium_base64_encoded_len(len, BASE64URL);
	char *text;
	struct secret *coded = secret_blank(size - 1, &text); /* the NUL has its place behind */

	sodium_bin2base64(text, size, (const unsigned char *)bytes, len, BASE64URL);
	secret_close(coded);
	secret_close(in);
	return coded;
}

struct secret *secret_from_text(const char *text, size_t len)
{
	char *bytes;
	CLEANUP(secret_free) struct secret *room = secret_blank(len, &bytes);
	struct secret *made = NULL;
	size_t made_len;

	if (sodium_base642bin((unsigned char *)bytes, len, text, len, NULL, &made_len, NULL,
			      BASE64URL) == 0)
		made = secret_new(bytes, made_len);
	secret_close(room);
	return made;
}

struct secret *secret_random(size_t bytes)
{
	char *raw;
	CLEANUP(secret_free) struct secret *drawn = secret_blank(bytes, &raw);

	randombytes_buf(raw, bytes);
	secret_close(drawn);
	return secret_to_text(drawn);
}

char *secret_sha256(struct secret *in)
{
	const size_t size = sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, BASE64URL);
	unsigned char hash[crypto_hash_sha256_BYTES];
	char *text = mem_zeroed(1, size);
	size_t len;
	const char *bytes = secret_open(in, &len);

	crypto_hash_sha256(hash, (const unsigned char *)bytes, len);
	secret_close(in);
	return sodium_bin2base64(text, size, hash, sizeof(hash), BASE64URL);
}

bool secret_equal(struct secret *a, struct secret *b)
{
	size_t a_len, b_len;
	const char *a_bytes = secret_open(a, &a_len), *b_bytes = secret_open(b, &b_len);
	bool equal = a_len == b_len && sodium_memcmp(a_bytes, b_bytes, a_len) == 0;

	secret_close(b);
	secret_close(a);
	return equal;
}

void secret_wipe(void *bytes, size_t len)
{
	sodium_memzero(bytes, len);
}
