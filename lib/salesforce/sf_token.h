/* sf_token.h - what the token endpoint answers. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "salesforce/sf_ask.h"

struct error;
struct secret;
struct url_policy;
struct vault_token;

struct sf_token_terms {
	const struct url_policy *policy;
	enum sf_ask ask;
	struct secret *client_secret; /* the answer's signature is checked with it; NULL: unknown */
	int64_t now_ms;
};

/* The body of a 200. Checks everything before anything of it is believed: host, org and user ids,
 * type, that the token is the org's, and the signature where there is one. `ret` is then the
 * caller's (vault_token_done); expires_ms is 0 where the answer does not say. ERROR_RETRY code
 * protocol; ERROR_HUMAN for a host the policy does not admit, code missing-scope for a token that
 * may not use the API, and code no-refresh-token for a login's that brings none. Salesforce:
 * "OAuth 2.0 Authorization Flows".
 *
 * False: `ret`, the caller's too, has its refresh_token set, and nothing else, if the answer brings
 * one that can be read: it replaces the one that was sent, whatever else is wrong. `*ret_unknown`:
 * it may have brought one that cannot be read. A page or JSON without a token brings none.
 *
 * json-c parses on the heap. What it leaves of the token there is wiped as far as it can be
 * reached; its scratch buffer cannot. */
bool sf_token_parse(const char *body, size_t len, const struct sf_token_terms *terms,
		    struct vault_token *ret, bool *ret_unknown, struct error *err);
