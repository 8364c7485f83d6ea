/* token_code.c - authorization_code: what the browser brought back buys the first tokens. */
#include <string.h>

#include "app.h"
#include "call.h"
#include "client.h"
#include "code.h"
#include "grant.h"
#include "refusal.h"
#include "session.h"
#include "token.h"
#include "token_log.h"

/* A thief may have been first: whoever holds what the code bought loses it. */
static bool refuse_spent(const struct code *code, struct refusal *why)
{
	if (code->grant)
		grant_kill(code->grant, "authorization code used twice");
	return refusal_set(why, "invalid_grant", "invalid authorization code");
}

static bool check_uri(const struct code *code, const char *uri, struct refusal *why)
{
	if (!uri)
		return refusal_set(why, "redirect_uri_missing", "redirect_uri not provided");
	if (strcmp(uri, code->redirect_uri) != 0)
		return refusal_set(why, "redirect_uri_mismatch",
				   "redirect_uri must match configuration");
	return true;
}

static bool check_verifier(const struct code *code, const char *verifier, struct refusal *why)
{
	if (!*code->challenge && !verifier)
		return true;
	if (!*code->challenge || !verifier)
		return refusal_set(why, "invalid_grant", "invalid code verifier");
	if (!code_is_verified(code, verifier))
		return refusal_set(why, "invalid_request", "invalid code verifier");
	return true;
}

static bool check_code(const struct token_request *request, struct code *code,
		       enum client_proof proof, struct refusal *why)
{
	bool was_spent = code->is_spent;

	code->is_spent = true; /* a refused one is lost as well */
	if (was_spent)
		return refuse_spent(code, why);
	if (code_is_expired(code))
		return refusal_set(why, "invalid_grant", "expired authorization code");
	if (proof == CLIENT_NAMED && !*code->challenge)
		return refusal_set(why, "invalid_client", "invalid client credentials");
	return check_uri(code, params_find(request->form, "redirect_uri"), why) &&
	       check_verifier(code, params_find(request->form, "code_verifier"), why) &&
	       app_lets_in(why);
}

bool token_code(const struct token_request *request, struct refusal *why)
{
	enum client_proof proof =
		client_check(request->call, request->form, app()->secret_for_code, why);
	struct code *code;

	if (proof == CLIENT_REFUSED)
		return false;
	code = code_find(params_find(request->form, "code"));
	if (!code)
		return refusal_set(why, "invalid_grant", "invalid authorization code");
	token_log_family(request->entry, code->grant, PRESENTED_NONE);
	if (!check_code(request, code, proof, why))
		return false;
	code->grant = grant_open(code->scope);
	token_log_family(request->entry, code->grant, PRESENTED_NONE);
	token_give(request, &(struct token_gift){ .session = session_mint(code->scope, code->grant),
						  .refresh_token = grant_refresh_token(code->grant),
						  .is_signed = true });
	return true;
}
