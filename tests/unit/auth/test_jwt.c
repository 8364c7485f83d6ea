/* Assertions: checked as a server checks them, and where the key lies meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "../base64url.h"
#include "auth/jwt.h"
#include "base/error.h"
#include "base/mem.h"
#include "secret/secret.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))

static struct {
	EVP_PKEY *rsa, *small, *pss, *ec;
	size_t secure_used; /* while signing */
	size_t secure_rest; /* OpenSSL's own, the random generators' */
} at;

int __real_EVP_DigestSign(EVP_MD_CTX *context, unsigned char *signature, size_t *len,
			  const unsigned char *bytes, size_t bytes_len);
int __wrap_EVP_DigestSign(EVP_MD_CTX *context, unsigned char *signature, size_t *len,
			  const unsigned char *bytes, size_t bytes_len);
int __wrap_EVP_DigestSign(EVP_MD_CTX *context, unsigned char *signature, size_t *len,
			  const unsigned char *bytes, size_t bytes_len)
{
	assert_true(CRYPTO_secure_allocated(signature));
	at.secure_used = CRYPTO_secure_used();
	return __real_EVP_DigestSign(context, signature, len, bytes, bytes_len);
}

/* --- keys in all their shapes --- */

typedef int write_pem_fn(BIO *bio, EVP_PKEY *key);

static int pkcs8(BIO *bio, EVP_PKEY *key)
{
	return PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
}

static int pkcs1(BIO *bio, EVP_PKEY *key)
{
	return PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
}

static int encrypted_pkcs8(BIO *bio, EVP_PKEY *key)
{
	return PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "word", 4, NULL, NULL);
}

static int encrypted_pkcs1(BIO *bio, EVP_PKEY *key)
{
	return PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_256_cbc(),
						    (const unsigned char *)"word", 4, NULL, NULL);
}

static int public_half(BIO *bio, EVP_PKEY *key)
{
	return PEM_write_bio_PUBKEY(bio, key);
}

static int certificate(BIO *bio, EVP_PKEY *key)
{
	X509 *made = X509_new();
	int ok;

	X509_set_pubkey(made, key);
	X509_sign(made, key, EVP_sha256());
	ok = PEM_write_bio_X509(bio, made);
	X509_free(made);
	return ok;
}

static int certificate_and_key(BIO *bio, EVP_PKEY *key)
{
	return certificate(bio, key) && pkcs8(bio, key);
}

static struct secret *pem_of(EVP_PKEY *key, write_pem_fn *write)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct secret *made;
	char *text;
	long len;

	assert_int_equal(write(bio, key), 1);
	len = BIO_get_mem_data(bio, &text);
	made = secret_new(text, (size_t)len - 1); /* as it is stored: without the last newline */
	BIO_free(bio);
	return made;
}

static void keys(void **state)
{
	const struct {
		const char *name;
		EVP_PKEY *key;
		write_pem_fn *write;
		const char *says; /* NULL: good */
	} rows[] = {
		{ "PKCS#8", at.rsa, pkcs8, NULL },
		{ "PKCS#1", at.rsa, pkcs1, NULL },
		{ "behind its certificate", at.rsa, certificate_and_key, NULL },
		{ "too small", at.small, pkcs8, "1024 bits, fewer than 2048" },
		{ "too small, PKCS#1", at.small, pkcs1, "1024 bits, fewer than 2048" },
		{ "PSS only", at.pss, pkcs8, "not RSA" },
		{ "EC", at.ec, pkcs8, "not RSA" },
		{ "EC, SEC 1", at.ec, pkcs1, "not RSA" },
		{ "encrypted PKCS#8", at.rsa, encrypted_pkcs8, "encrypted" },
		{ "encrypted PKCS#1", at.rsa, encrypted_pkcs1, "encrypted" },
		{ "a certificate", at.rsa, certificate, "the certificate, not its private key" },
		{ "a public key", at.rsa, public_half, "a public key" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		CLEANUP(secret_free) struct secret *pem = pem_of(rows[i].key, rows[i].write);
		struct error err = { 0 };
		bool ok = jwt_check_key(pem, &err);

		if (ok != !rows[i].says)
			fail_msg("%s: %s", rows[i].name, ok ? "taken" : err.text);
		if (!ok && (err.kind != ERROR_HUMAN || strcmp(err.code, "bad-key") != 0 ||
			    !strstr(err.text, rows[i].says)))
			fail_msg("%s: %s %s", rows[i].name, err.code, err.text);
		assert_int_equal(CRYPTO_secure_used(), at.secure_rest);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

static void garbage(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "no private key in PEM" },
		{ "CANARY", "no private key in PEM" },
		{ "-----BEGIN PRIVATE KEY-----\nCANARY\n", "no private key in PEM" },
		{ "-----BEGIN PRIVATE KEY-----\n!CANARY!\n-----END PRIVATE KEY-----",
		  "no private key in PEM" },
		{ "-----BEGIN PRIVATE KEY-----\nQ0FOQVJZ\n-----END PRIVATE KEY-----", "damaged" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nQ0FOQVJZ\n-----END RSA PRIVATE KEY-----",
		  "damaged" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\nQ0FOQVJZ\n-----END OPENSSH PRIVATE "
		  "KEY-----",
		  "no private key in PEM" },
	};
	static const struct jwt_claims claims = { "i", "s", "a", 1 };

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		CLEANUP(secret_free)
		struct secret *pem = secret_new(rows[i].text, strlen(rows[i].text));
		struct error err, again;

		assert_false(jwt_check_key(pem, &err));
		if (!strstr(err.text, rows[i].says) || strstr(err.text, "CANARY"))
			fail_msg("row %zu: %s", i, err.text);
		assert_null(jwt_sign(pem, &claims, &again));
		assert_string_equal(again.text, err.text);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

/* One digit of the base64 changed, far inside the numbers. */
static void a_damaged_key_is_found(void **state)
{
	CLEANUP(secret_free) struct secret *good = pem_of(at.rsa, pkcs1);
	CLEANUP(secret_free) struct secret *bad = NULL;
	struct error err;
	size_t len;
	const char *from = secret_open(good, &len);
	char *to;

	(void)state;
	bad = secret_blank(len, &to);
	memcpy(to, from, len);
	to[len / 2] = to[len / 2] == 'A' ? 'B' : 'A';
	secret_close(bad);
	secret_close(good);
	assert_false(jwt_check_key(bad, &err));
	assert_non_null(strstr(err.text, "damaged"));
}

/* --- assertions --- */

static bool verifies(EVP_PKEY *key, const char *text, const char *end)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t len;
	unsigned char *signature = base64url_decode(end + 1, strlen(end + 1), &len);
	bool ok = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestVerify(context, signature, len, (const unsigned char *)text,
				   (size_t)(end - text)) == 1;

	EVP_MD_CTX_free(context);
	free(signature);
	return ok;
}

static void an_assertion_is_signed(void **state)
{
	static const struct jwt_claims claims = {
		.issuer = "3MVG9leadsync.EXAMPLE_key",
		.subject = "sync@acme.example",
		.audience = "https://login.salesforce.com",
		.expires_s = INT64_C(1767323225),
	};
	static const struct {
		const char *name;
		write_pem_fn *write;
	} rows[] = { { "PKCS#8", pkcs8 }, { "PKCS#1", pkcs1 } };

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		CLEANUP(secret_free) struct secret *pem = pem_of(at.rsa, rows[i].write);
		CLEANUP(secret_free) struct secret *made = NULL;
		CLEANUP_FREE unsigned char *body = NULL;
		struct error err;
		const char *text, *dot, *end;
		size_t len;

		at.secure_used = 0;
		made = jwt_sign(pem, &claims, &err);
		assert_non_null(made);
		/* More than the signature's room: the numbers of the key. */
		assert_true(at.secure_used > at.secure_rest + 1024);
		assert_int_equal(CRYPTO_secure_used(), at.secure_rest);

		text = secret_open(made, &len);
		assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					      "0123456789-_."),
				 len);
		/* {"alg":"RS256"}, as in RFC 7515 appendix A.2.1. */
		assert_true(strncmp(text, "eyJhbGciOiJSUzI1NiJ9.", 21) == 0);
		dot = strchr(text, '.');
		end = strrchr(text, '.');
		body = base64url_decode(dot + 1, (size_t)(end - dot) - 1, &len);
		assert_string_equal((char *)body,
				    "{\"iss\":\"3MVG9leadsync.EXAMPLE_key\",\"sub\":\"sync@acme."
				    "example\",\"aud\":\"https://login.salesforce.com\",\"exp\":"
				    "1767323225}");
		assert_true(verifies(at.rsa, text, end));
		secret_close(made);
	}
}

/* Of every length, so that all of base64's ends come up. */
static void claims_are_quoted(void **state)
{
	CLEANUP(secret_free) struct secret *pem = pem_of(at.rsa, pkcs8);
	char subject[8] = "";

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct jwt_claims claims = { "a\"b\\c\n\x01", subject, "\xc3\xa9>?~", 1 };
		CLEANUP(secret_free) struct secret *made = NULL;
		CLEANUP_FREE unsigned char *body = NULL;
		CLEANUP_FREE char *want = NULL;
		struct error err;
		const char *text;
		size_t len;

		subject[i] = 's';
		made = jwt_sign(pem, &claims, &err);
		assert_non_null(made);
		text = strchr(secret_open(made, &len), '.') + 1;
		body = base64url_decode(text, strcspn(text, "."), &len);
		want = mem_format("{\"iss\":\"a\\\"b\\\\c\\u000a\\u0001\",\"sub\":\"%s\","
				  "\"aud\":\"\xc3\xa9>?~\",\"exp\":1}",
				  subject);
		assert_string_equal((char *)body, want);
		secret_close(made);
	}
}

static EVP_PKEY *make(const char *kind, unsigned bits)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *made = NULL;

	EVP_PKEY_keygen_init(context);
	EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits);
	EVP_PKEY_keygen(context, &made);
	EVP_PKEY_CTX_free(context);
	return made;
}

/* The first key makes the secure heap; the random generators that are made from then on stay there,
 * and the key does not. */
static bool warm_up(void)
{
	CLEANUP(secret_free) struct secret *pem = pem_of(at.rsa, pkcs8);
	CLEANUP(secret_free) struct secret *made = NULL;
	unsigned char byte;
	struct error err;

	if (CRYPTO_secure_malloc_initialized() || !jwt_check_key(pem, &err))
		return false;
	made = jwt_sign(pem, &(struct jwt_claims){ "i", "s", "a", 1 }, &err);
	RAND_bytes(&byte, 1);
	RAND_priv_bytes(&byte, 1);
	at.secure_rest = CRYPTO_secure_used();
	return made && at.secure_rest <= 512;
}

static int start(void **state)
{
	struct error err;
	bool locked;

	(void)state;
	at.rsa = make("RSA", 2048);
	at.small = make("RSA", 1024);
	at.pss = make("RSA-PSS", 2048);
	at.ec = EVP_EC_gen("P-256");
	return secret_start(&locked, &err) && at.rsa && at.small && at.pss && at.ec && warm_up()
		       ? 0
		       : -1;
}

static int end(void **state)
{
	(void)state;
	EVP_PKEY_free(at.rsa);
	EVP_PKEY_free(at.small);
	EVP_PKEY_free(at.pss);
	EVP_PKEY_free(at.ec);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(garbage),
		cmocka_unit_test(a_damaged_key_is_found),
		cmocka_unit_test(an_assertion_is_signed),
		cmocka_unit_test(claims_are_quoted),
	};

	return cmocka_run_group_tests_name("jwt", tests, start, end);
}
