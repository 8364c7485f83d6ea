/* token.c - in order: giving, the grants without a person, the table, the endpoint. */
#include "token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "call.h"
#include "client.h"
#include "clock.h"
#include "jwt.h"
#include "oauth.h"
#include "oauth_answer.h"
#include "oauth_base.h"
#include "refusal.h"
#include "session.h"
#include "token_log.h"

#define JWT_GRANT "urn:ietf:params:oauth:grant-type:jwt-bearer"

static void add_signature(struct oauth_answer *answer, const char *id, const char *issued_at)
{
	unsigned char mac[EVP_MAX_MD_SIZE], printed[4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1];
	unsigned length = 0;
	char message[OAUTH_IDENTITY_SIZE + 24];

	snprintf(message, sizeof(message), "%s%s", id, issued_at);
	HMAC(EVP_sha256(), app()->secret, (int)strlen(app()->secret),
	     (const unsigned char *)message, strlen(message), mac, &length);
	EVP_EncodeBlock(printed, mac, (int)length);
	oauth_answer_add(answer, "signature", (const char *)printed);
}

void token_give(const struct token_request *request, const struct token_gift *gift)
{
	struct oauth_answer answer = oauth_answer_begin(request->call, request->form);
	char id[OAUTH_IDENTITY_SIZE], issued_at[24];

	oauth_base_identity(gift->session->user, id);
	snprintf(issued_at, sizeof(issued_at), "%lld", (long long)clock_now_ms());
	oauth_answer_add(&answer, "access_token", gift->session->token);
	if (gift->refresh_token)
		oauth_answer_add(&answer, "refresh_token", gift->refresh_token);
	if (gift->is_signed)
		add_signature(&answer, id, issued_at);
	oauth_answer_add(&answer, "scope", gift->session->scope);
	oauth_answer_add(&answer, "instance_url", oauth_base_url());
	oauth_answer_add(&answer, "id", id);
	oauth_answer_add(&answer, "token_type", "Bearer");
	if (gift->is_signed)
		oauth_answer_add(&answer, "issued_at", issued_at);
	if (gift->is_of_org)
		oauth_answer_add(&answer, "api_instance_url", "https://api.salesforce.com");
	oauth_answer_end(&answer);
}

static bool client_credentials(const struct token_request *request, struct refusal *why)
{
	char scope[SCOPE_SIZE];

	if (client_check(request->call, request->form, true, why) == CLIENT_REFUSED)
		return false;
	if (oauth_base_is_login(call_header(request->call, "Host")))
		return refusal_set(why, "invalid_grant", "request not supported on this domain");
	if (app()->require_pkce)
		return refusal_set(why, "invalid_request", "missing required code challenge");
	if (!app()->run_as)
		return refusal_set(why, "invalid_grant", "no client credentials user enabled");
	if (!app_lets_in(why))
		return false;
	scope_without(app()->scopes, "full web refresh_token", scope);
	token_give(request, &(struct token_gift){ .session = session_mint(scope, 0),
						  .is_signed = true,
						  .is_of_org = true });
	return true;
}

static bool jwt_bearer(const struct token_request *request, struct refusal *why)
{
	char scope[SCOPE_SIZE];

	if (!jwt_check_user(params_find(request->form, "assertion"), why) || !app_lets_in(why))
		return false;
	scope_without(app()->scopes, "refresh_token", scope);
	token_give(request, &(struct token_gift){ .session = session_mint(scope, 0) });
	return true;
}

static bool password(const struct token_request *request, struct refusal *why)
{
	if (client_check(request->call, request->form, true, why) == CLIENT_REFUSED)
		return false;
	return refusal_set(why, "invalid_grant", "authentication failure");
}

static bool device(const struct token_request *request, struct refusal *why)
{
	if (client_check(request->call, request->form, false, why) == CLIENT_REFUSED)
		return false;
	return refusal_set(why, "oauth_flow_disabled", "device flow is not enabled for this app");
}

static bool unknown(const struct token_request *request, struct refusal *why)
{
	(void)request;
	return refusal_set(why, "unsupported_grant_type", "grant type not supported");
}

static bool missing(const struct token_request *request, struct refusal *why)
{
	(void)request;
	return refusal_set(why, "invalid_request", "missing required parameter: grant_type");
}

static token_grant_fn *find_grant(const char *name)
{
	static const struct {
		const char *name;
		token_grant_fn *run;
	} grants[] = {
		{ "authorization_code", token_code },
		{ "refresh_token", token_refresh },
		{ JWT_GRANT, jwt_bearer },
		{ "client_credentials", client_credentials },
		{ "password", password },
		{ "device", device },
		{ "device_code", device }, /* asked for as a response_type */
	};

	for (size_t i = 0; name && i < sizeof(grants) / sizeof(grants[0]); i++)
		if (strcmp(grants[i].name, name) == 0)
			return grants[i].run;
	return name ? unknown : missing;
}

void oauth_token(struct call *call)
{
	struct params form;
	struct token_request request = { .call = call, .form = &form };
	struct refusal why;
	const char *wanted;
	bool is_given;

	call_add_header(call, "Cache-Control", "no-store");
	if (!oauth_open_form(call, &form))
		return;
	wanted = params_find(&form, "grant_type");
	if (!wanted)
		wanted = params_find(&form, "response_type");
	request.entry = token_log_begin(wanted ? wanted : "", call->faulted);
	call->on_left = token_log_end;
	call->left_number = request.entry;
	is_given = find_grant(wanted)(&request, &why);
	token_log_outcome(request.entry, is_given ? NULL : &why);
	if (!is_given)
		oauth_answer_refuse(call, &form, &why);
	params_free(&form);
}
