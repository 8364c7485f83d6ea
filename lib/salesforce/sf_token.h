/* sf_token.h - what the token endpoint answers, and what it is asked with. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct secret;
struct url_policy;
struct vault_token;

/* The body of a 200. Checks everything before anything of it is believed: host, org and user ids,
 * type, and that the token is the org's. `ret` is then the caller's (vault_token_done); expires_ms
 * is 0 where the answer does not say. ERROR_RETRY code protocol; ERROR_HUMAN for a host
 * the policy does not admit. Salesforce: "OAuth 2.0 Authorization Flows".
 *
 * json-c parses on the heap. What it leaves of the token there is wiped as far as it can be
 * reached; its scratch buffer cannot. */
bool sf_token_parse(const char *body, size_t len, const struct url_policy *policy, int64_t now_ms,
		    struct vault_token *ret, struct error *err);

/* "grant_type=client_credentials&client_id=...&client_secret=...", percent-encoded, in guarded
 * memory only. Too long: NULL, ERROR_HUMAN code secret-too-long. */
struct secret *sf_token_form(const char *client_id, struct secret *client_secret,
			     struct error *err);
