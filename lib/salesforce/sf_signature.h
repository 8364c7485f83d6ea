/* sf_signature.h - the proof in a token answer that it comes from who knows the client secret. */
#pragma once
#include <stdbool.h>

struct secret;

/* Is `signature` the base64 of HMAC-SHA256(client secret, id + issued_at)? Salesforce help: "OAuth
 * 2.0 Web Server Flow". Compared in constant time. */
bool sf_signature_fits(const char *signature, const char *id, const char *issued_at,
		       struct secret *client_secret);
