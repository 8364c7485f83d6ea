/* oauth.c - in order: forms, introspection, revocation. */
#include "oauth.h"

#include <strings.h>

#include "app.h"
#include "call.h"
#include "client.h"
#include "grant.h"
#include "oauth_answer.h"
#include "oauth_base.h"
#include "refusal.h"
#include "session.h"

#define FORM_TYPE "application/x-www-form-urlencoded"

static void refuse(struct call *call, const char *error, const char *description)
{
	oauth_answer_refuse(call, NULL, &(struct refusal){ error, description });
}

bool oauth_open_form(struct call *call, struct params *form)
{
	const char *type = call_header(call, "Content-Type");

	*form = (struct params){ 0 };
	if (call->verb != VERB_POST) {
		refuse(call, "invalid_request", "must use HTTP POST");
		return false;
	}
	if (type && strncasecmp(type, FORM_TYPE, strlen(FORM_TYPE)) != 0) {
		refuse(call, "unsupported_grant_type", "grant type not supported");
		return false;
	}
	params_parse(call->body ? call->body : "", call->body_length, form);
	return true;
}

/* What both kinds of token tell; times are numbers of seconds here. */
static void write_active(struct text *out, const char *type, const char *scope, long long since_s)
{
	char sub[OAUTH_IDENTITY_SIZE];

	oauth_base_identity(SFID_USER, sub);
	text_printf(out, "{\"active\":true,\"scope\":\"%s\",\"client_id\":", scope);
	text_json_word(out, app()->id);
	text_word(out, ",\"username\":");
	text_json_word(out, app()->username);
	text_printf(out, ",\"sub\":\"%s\",\"token_type\":\"%s\",\"iat\":%lld,\"nbf\":%lld", sub,
		    type, since_s, since_s);
}

static void introspect(struct call *call, const char *token)
{
	const struct session *session = session_find(token);
	enum presented what;
	size_t grant = session ? 0 : grant_find(token, &what);
	long long end_s = 0;

	if (session && strcmp(session->client_id, app()->id) == 0) {
		write_active(&call->out, "access_token", session->scope, session->issued_s);
		end_s = session_end_s(session);
	} else if (grant && what == PRESENTED_CURRENT && grant_is_alive(grant)) {
		write_active(&call->out, "refresh_token", grant_scope(grant),
			     grant_opened_s(grant));
		end_s = grant_end_s(grant);
	} else {
		text_word(&call->out, "{\"active\":false");
	}
	if (end_s)
		text_printf(&call->out, ",\"exp\":%lld", end_s);
	text_char(&call->out, '}');
}

void oauth_introspect(struct call *call)
{
	struct params form;
	struct refusal why;

	if (!oauth_open_form(call, &form))
		return;
	if (client_check(call, &form, true, &why) == CLIENT_REFUSED)
		oauth_answer_refuse(call, NULL, &why);
	else if (!app()->introspect)
		refuse(call, "invalid_client", "introspection is not enabled for this app");
	else
		introspect(call, params_find(&form, "token"));
	params_free(&form);
}

static bool revoke(const char *token)
{
	enum presented what;
	size_t grant;

	if (session_revoke(token))
		return true;
	grant = grant_find(token, &what);
	if (!grant || what != PRESENTED_CURRENT || !grant_is_alive(grant))
		return false;
	grant_kill(grant, "revoked");
	return true;
}

void oauth_revoke(struct call *call)
{
	struct params form = { 0 };
	const char *token;

	if (call->verb == VERB_GET)
		token = call_param(call, "token");
	else if (oauth_open_form(call, &form))
		token = params_find(&form, "token");
	else
		return;
	if (revoke(token))
		call_empty(call, 200);
	else
		refuse(call, "invalid_token", "invalid token");
	params_free(&form);
}
