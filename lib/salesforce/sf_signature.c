#include "salesforce/sf_signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "secret/secret.h"

#define HASH_SIZE   32
#define BASE64_SIZE (sizeof("qQ0xNn8m1O0pO4o0tM2wFJp8a2hHqk0wS1b8j4T6c1M="))

bool sf_signature_fits(const char *signature, const char *id, const char *issued_at,
		       struct secret *client_secret)
{
	CLEANUP_FREE char *message = mem_format("%s%s", id, issued_at);
	unsigned char hash[HASH_SIZE], want[BASE64_SIZE];
	size_t len;
	const char *key = secret_open(client_secret, &len);

	if (!HMAC(EVP_sha256(), key, (int)len, (const unsigned char *)message, strlen(message),
		  hash, NULL))
		abort();
	secret_close(client_secret);
	EVP_EncodeBlock(want, hash, sizeof(hash));
	return strlen(signature) == sizeof(want) - 1 &&
	       CRYPTO_memcmp(signature, want, sizeof(want) - 1) == 0;
}
