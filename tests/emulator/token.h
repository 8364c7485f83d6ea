/* token.h - the token endpoint: what its grants share.
 *
 * A grant checks the client and what it presents, then answers with token_give(). If it returns
 * false, it has said why and given nothing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct call;
struct params;
struct refusal;
struct session;

struct token_request {
	struct call *call;
	const struct params *form;
	size_t entry; /* in the log of token requests */
};

struct token_gift {
	const struct session *session;
	const char *refresh_token; /* NULL if none is given */
	bool is_signed;            /* with issued_at and a signature over it */
	bool is_of_org;            /* with api_instance_url */
};

typedef bool token_grant_fn(const struct token_request *request, struct refusal *why);

token_grant_fn token_code;    /* token_code.c: authorization_code */
token_grant_fn token_refresh; /* token_refresh.c: refresh_token */

void token_give(const struct token_request *request, const struct token_gift *gift);
