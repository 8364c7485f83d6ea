/* jwt.h - assertions signed with an RSA key (RFC 7523, RS256).
 *
 * The key is PEM (PKCS#8 or PKCS#1, not encrypted), RSA of 2048 bits or more. It is decoded only to
 * sign, on OpenSSL's secure heap, and wiped after. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct error;
struct secret;

struct jwt_claims {
	const char *issuer;
	const char *subject;
	const char *audience;
	int64_t expires_s; /* since 1970 */
};

/* Is it a key as above? ERROR_HUMAN code bad-key otherwise; nothing of it is in the text. */
bool jwt_check_key(struct secret *pem, struct error *err);

/* header.claims.signature, base64url, in guarded memory. */
struct secret *jwt_sign(struct secret *pem, const struct jwt_claims *claims, struct error *err);
