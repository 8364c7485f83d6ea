/* jwt.c - in order: the key, decoded; the text that is signed; the assertion.
 *
 * What OpenSSL's decoders (OSSL_DECODER, and with it PEM_read_bio_PrivateKey) free of a key they do
 * not wipe, and it lies on the common heap. So the PEM is read by the one function that keeps to
 * the secure heap, and the numbers by d2i_RSAPrivateKey, which reads them from there. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "auth/jwt.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "secret/secret.h"

#define SECURE_HEAP       ((size_t)64 * 1024)
#define SECURE_HEAP_LEAST 32
#define LEAST_BITS        2048

CLEANUP_DEFINE(BIO, BIO_free_all)
CLEANUP_DEFINE(EVP_PKEY, EVP_PKEY_free)
CLEANUP_DEFINE(EVP_MD_CTX, EVP_MD_CTX_free)
CLEANUP_DEFINE(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)

/* --- the key --- */

/* A block of the PEM, on the secure heap. */
struct der {
	char *label; /* "RSA PRIVATE KEY" */
	unsigned char *bytes;
	long len;
};

static void der_done(struct der *in)
{
	OPENSSL_secure_free(in->label);
	OPENSSL_secure_clear_free(in->bytes, (size_t)in->len);
	*in = (struct der){ 0 };
}

static bool bad_key(struct error *err, const char *what)
{
	ERR_clear_error(); /* never quoted: its texts may hold pieces of what was read */
	return error_set(err, ERROR_HUMAN, "bad-key",
			 "%s: expected is the RSA private key of the certificate that the app "
			 "has, as PEM and not encrypted",
			 what);
}

static bool has_secure_heap(struct error *err)
{
	if (CRYPTO_secure_malloc_initialized() ||
	    CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_HEAP_LEAST))
		return true;
	ERR_clear_error();
	return error_set(err, ERROR_HUMAN, "no-secure-memory",
			 "there are no 64 KiB of memory to lock for the private key: raise "
			 "LimitMEMLOCK of the service");
}

/* OpenSSL would ask at the terminal. */
static int no_passphrase(char *to, int size, int is_writing, void *arg)
{
	bool *ret_asked = arg;

	(void)to;
	(void)size;
	(void)is_writing;
	*ret_asked = true;
	return -1;
}

static bool read_pem(struct secret *pem, struct der *ret, struct error *err)
{
	size_t len;
	const char *text = secret_open(pem, &len);
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(text, (int)len); /* no copy */
	bool encrypted = false, ok;

	ok = PEM_bytes_read_bio_secmem(&ret->bytes, &ret->len, &ret->label, PEM_STRING_EVP_PKEY,
				       bio, no_passphrase, &encrypted) == 1;
	if (ok)
		encrypted = strcmp(ret->label, PEM_STRING_PKCS8) == 0;
	if (encrypted)
		ok = bad_key(err, "the private key is encrypted, and there is nobody to ask for "
				  "its passphrase");
	else if (!ok && strstr(text, "-----BEGIN CERTIFICATE-----"))
		ok = bad_key(err, "this is the certificate, not its private key");
	else if (!ok && strstr(text, "PUBLIC KEY-----"))
		ok = bad_key(err, "this is a public key");
	else if (!ok)
		ok = bad_key(err, "this is no private key in PEM");
	secret_close(pem);
	return ok;
}

/* The numbers of a PKCS#1 key; `ret_other` if they are of another kind than RSA. */
static RSA *read_numbers(const struct der *in, bool *ret_other)
{
	const unsigned char *at = in->bytes;
	CLEANUP(PKCS8_PRIV_KEY_INFO_free) PKCS8_PRIV_KEY_INFO *wrapped = NULL;
	const ASN1_OBJECT *kind;
	int len;

	if (strcmp(in->label, PEM_STRING_RSA) == 0)
		return d2i_RSAPrivateKey(NULL, &at, in->len);
	*ret_other = strcmp(in->label, PEM_STRING_PKCS8INF) != 0;
	if (*ret_other)
		return NULL;
	wrapped = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, in->len);
	if (!wrapped || !PKCS8_pkey_get0(&kind, &at, &len, NULL, wrapped))
		return NULL;
	*ret_other = OBJ_obj2nid(kind) != NID_rsaEncryption;
	return *ret_other ? NULL : d2i_RSAPrivateKey(NULL, &at, len);
}

static EVP_PKEY *read_rsa(const struct der *in, struct error *err)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *made = EVP_PKEY_new();
	bool other = false;
	RSA *rsa;

	if (!made)
		abort();
	rsa = read_numbers(in, &other);
	if (!rsa) {
		bad_key(err, other ? "the private key is not RSA" : "the private key is damaged");
		return NULL;
	}
	EVP_PKEY_assign_RSA(made, rsa);
	if (EVP_PKEY_get_bits(made) < LEAST_BITS) {
		char what[80];

		snprintf(what, sizeof(what), "the RSA key has %d bits, fewer than %d",
			 EVP_PKEY_get_bits(made), LEAST_BITS);
		bad_key(err, what);
		return NULL;
	}
	return TAKE(made);
}

/* EVP_PKEY_free() wipes it. */
static EVP_PKEY *read_key(struct secret *pem, struct error *err)
{
	struct der der = { 0 };
	EVP_PKEY *made = NULL;

	if (has_secure_heap(err) && read_pem(pem, &der, err))
		made = read_rsa(&der, err);
	der_done(&der);
	return made;
}

bool jwt_check_key(struct secret *pem, struct error *err)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = read_key(pem, err);

	/* Digits that were lost or changed make numbers that do not belong together. */
	if (key && RSA_check_key(EVP_PKEY_get0_RSA(key)) != 1)
		return bad_key(err, "the private key is damaged");
	return key != NULL;
}

/* --- what is signed --- */

static size_t base64_room(size_t len)
{
	return (len + 2) / 3 * 4 + 1;
}

/* base64url without padding (RFC 7515 section 2); answers behind what it wrote. */
static char *base64url(char *to, const void *bytes, size_t len)
{
	char *end = to + EVP_EncodeBlock((unsigned char *)to, bytes, (int)len);

	while (end > to && end[-1] == '=')
		end--;
	for (char *at = to; at < end; at++)
		*at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
	return end;
}

/* As a JSON string, quotes included. free() it. */
static char *quote(const char *text)
{
	char *made = mem_zeroed(strlen(text) + 1, 6), *to = made;

	*to++ = '"';
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if (*at < 0x20)
			to += sprintf(to, "\\u%04x", *at);
		else if (*at == '"' || *at == '\\')
			to += sprintf(to, "\\%c", *at);
		else
			*to++ = (char)*at;
	*to = '"';
	return made;
}

/* "header.claims": no secret, as long as it is not signed. free() it. */
static char *make_head(const struct jwt_claims *claims)
{
	static const char header[] = "{\"alg\":\"RS256\"}";
	CLEANUP_FREE char *issuer = quote(claims->issuer);
	CLEANUP_FREE char *subject = quote(claims->subject);
	CLEANUP_FREE char *audience = quote(claims->audience);
	CLEANUP_FREE char *body =
		mem_format("{\"iss\":%s,\"sub\":%s,\"aud\":%s,\"exp\":%lld}", issuer, subject,
			   audience, (long long)claims->expires_s);
	char *made = mem_array(char, base64_room(strlen(header)) + base64_room(strlen(body)));
	char *end = base64url(made, header, strlen(header));

	*end++ = '.';
	*base64url(end, body, strlen(body)) = '\0';
	return made;
}

/* --- the assertion --- */

static bool sign(EVP_PKEY *key, const char *text, unsigned char *signature, size_t *len)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();

	return context &&
	       EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
	       EVP_DigestSign(context, signature, len, (const unsigned char *)text, strlen(text)) ==
		       1;
}

static struct secret *join(const char *head, const unsigned char *signature, size_t len)
{
	size_t head_len = strlen(head), room = base64_room(len);
	char *encoded = OPENSSL_secure_zalloc(room), *to;
	size_t encoded_len;
	struct secret *made;

	if (!encoded)
		abort();
	encoded_len = (size_t)(base64url(encoded, signature, len) - encoded);
	made = secret_blank(head_len + 1 + encoded_len, &to);
	to = mempcpy(to, head, head_len);
	*to++ = '.';
	memcpy(to, encoded, encoded_len);
	secret_close(made);
	OPENSSL_secure_clear_free(encoded, room);
	return made;
}

struct secret *jwt_sign(struct secret *pem, const struct jwt_claims *claims, struct error *err)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = read_key(pem, err);
	CLEANUP_FREE char *head = NULL;
	struct secret *made = NULL;
	unsigned char *signature;
	size_t room, len;

	if (!key)
		return NULL;
	head = make_head(claims);
	room = len = (size_t)EVP_PKEY_get_size(key);
	signature = OPENSSL_secure_zalloc(room);
	if (!signature)
		abort();
	if (sign(key, head, signature, &len))
		made = join(head, signature, len);
	else
		bad_key(err, "the private key signs nothing");
	OPENSSL_secure_clear_free(signature, room);
	return made;
}
