/* authorize.c - in order: answers to the callback, reading a request, the ways on, the forms. */
#include "oauth.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "app.h"
#include "ask.h"
#include "browser.h"
#include "call.h"
#include "grant.h"
#include "mem.h"
#include "pages.h"
#include "refusal.h"

#define WRONG_PASSWORD                                                                             \
	"Please check your username and password. If you still can't log in, contact your "        \
	"Salesforce administrator."

static void redirect(struct call *call, struct ask *ask, const char *name, const char *value,
		     const char *description)
{
	struct text to = { 0 };

	text_word(&to, ask->redirect_uri);
	text_printf(&to, "%c%s=", strchr(ask->redirect_uri, '?') ? '&' : '?', name);
	params_encode(value, &to);
	if (description) {
		text_word(&to, "&error_description=");
		params_encode(description, &to);
	}
	if (ask->state) {
		text_word(&to, "&state=");
		params_encode(ask->state, &to);
	}
	call_empty(call, 302);
	call_add_header(call, "Location", text_done(&to));
	text_free(&to);
	ask_drop(ask);
}

static void send_error(struct call *call, struct ask *ask, const struct refusal *why)
{
	redirect(call, ask, "error", why->error, why->description);
}

static void send_code(struct call *call, struct ask *ask)
{
	redirect(call, ask, "code", code_make(ask->redirect_uri, ask->scope, ask->challenge)->text,
		 NULL);
}

/* What a callback may not hear of: it is not known to be the app's. */
static bool check_app(const struct call *call, struct refusal *why)
{
	const char *id = call_param(call, "client_id"), *uri = call_param(call, "redirect_uri");

	if (!id || strcmp(id, app()->id) != 0)
		return refusal_set(why, "invalid_client_id", "client identifier invalid");
	if (!uri)
		return refusal_set(why, "redirect_uri_missing", "redirect_uri not provided");
	if (!app_has_callback(uri))
		return refusal_set(why, "redirect_uri_mismatch",
				   "redirect_uri must match configuration");
	if (app()->app_blocked)
		return app_lets_in(why);
	return true;
}

static bool read_challenge(const struct call *call, struct ask *ask, struct refusal *why)
{
	const char *challenge = call_param(call, "code_challenge");
	const char *method = call_param(call, "code_challenge_method");

	if (!challenge && (method || app()->require_pkce))
		return refusal_set(why, "invalid_request", "missing required code challenge");
	if (!challenge)
		return true;
	if ((method && strcmp(method, "S256") != 0) || !code_is_challenge(challenge))
		return refusal_set(why, "invalid_request", "invalid code challenge");
	snprintf(ask->challenge, sizeof(ask->challenge), "%s", challenge);
	return true;
}

struct prompt {
	bool login;
	bool consent;
};

static bool read_prompt(const char *from, struct prompt *out)
{
	*out = (struct prompt){ false, false };
	for (from += strspn(from, " "); *from; from += strspn(from, " ")) {
		size_t length = strcspn(from, " ");

		if (length == 5 && memcmp(from, "login", 5) == 0)
			out->login = true;
		else if (length == 7 && memcmp(from, "consent", 7) == 0)
			out->consent = true;
		else if (length == 14 && memcmp(from, "select_account", 14) == 0)
			out->login = true; /* the one account there is must be chosen anew */
		else
			return false;
		from += length;
	}
	return true;
}

/* Fills the ask with what the request says. */
static bool read_ask(const struct call *call, struct ask *ask, struct refusal *why)
{
	const char *type = call_param(call, "response_type"), *scope = call_param(call, "scope");
	const char *prompt = call_param(call, "prompt");
	struct prompt wanted;

	if (!type || strcmp(type, "code") != 0)
		return refusal_set(why, "unsupported_response_type", "response type not supported");
	if (!scope || !*scope)
		scope_without(app()->scopes, "web full", ask->scope);
	else if (!scope_pick(scope, app()->scopes, ask->scope))
		return refusal_set(why, "invalid_scope", "the requested scope is not allowed");
	if (!read_prompt(prompt ? prompt : "", &wanted))
		return refusal_set(why, "invalid_request", "invalid prompt");
	ask->is_logged_in = browser_is_known(call) && !wanted.login;
	ask->wants_consent = wanted.consent;
	return read_challenge(call, ask, why);
}

static void go_on(struct call *call, struct ask *ask)
{
	struct refusal why;

	if (!app()->app_access && !app_lets_in(&why))
		send_error(call, ask, &why);
	else if (!ask->wants_consent && grant_is_approved(ask->scope))
		send_code(call, ask);
	else
		pages_approve(call, ask);
}

static bool is_immediate(const struct call *call)
{
	const char *immediate = call_param(call, "immediate");

	return immediate && strcasecmp(immediate, "true") == 0;
}

static char *copy(const char *from)
{
	return from ? mem_text(from, strlen(from)) : NULL;
}

void oauth_authorize(struct call *call)
{
	struct refusal why;
	struct ask *ask;

	if (call->verb != VERB_GET && call->verb != VERB_HEAD) {
		call_not_allowed(call);
		return;
	}
	if (!check_app(call, &why)) {
		pages_refuse(call, &why);
		return;
	}
	ask = ask_new();
	ask->redirect_uri = copy(call_param(call, "redirect_uri"));
	ask->state = copy(call_param(call, "state"));
	ask->login_hint =
		copy(call_param(call, "login_hint") ? call_param(call, "login_hint") : "");
	if (!read_ask(call, ask, &why)) {
		send_error(call, ask, &why);
	} else if (is_immediate(call) &&
		   (!ask->is_logged_in || ask->wants_consent || !grant_is_approved(ask->scope))) {
		refusal_set(&why, "immediate_unsuccessful", "immediate authorization failed");
		send_error(call, ask, &why);
	} else if (ask->is_logged_in) {
		go_on(call, ask);
	} else {
		pages_login(call, ask, NULL);
	}
}

/* The ask a page's form belongs to; NULL if there is none, and then the call has ended. */
static struct ask *find_ask(struct call *call, struct params *form)
{
	struct refusal why;
	struct ask *out;

	if (!oauth_open_form(call, form))
		return NULL;
	out = ask_find(params_find(form, "_CONFIRMATIONTOKEN"));
	if (out)
		return out;
	refusal_set(&why, "invalid_request", "the page this form came from is not known");
	pages_refuse(call, &why);
	return NULL;
}

static bool is_user(const struct params *form)
{
	const char *name = params_find(form, "username"), *password = params_find(form, "pw");

	return name && password && strcasecmp(name, app()->username) == 0 &&
	       strcmp(password, app()->password) == 0 && app()->user_active &&
	       !app()->ip_restricted && !app()->login_rate_exceeded;
}

void oauth_login(struct call *call)
{
	struct params form;
	struct ask *ask = find_ask(call, &form);

	if (ask && is_user(&form)) {
		browser_begin(call);
		ask->is_logged_in = true;
		go_on(call, ask);
	} else if (ask) {
		pages_login(call, ask, WRONG_PASSWORD);
	}
	params_free(&form);
}

void oauth_approve(struct call *call)
{
	struct params form;
	struct ask *ask = find_ask(call, &form);
	struct refusal why;

	if (ask && !ask->is_logged_in) {
		pages_login(call, ask, NULL);
	} else if (ask && params_find(&form, "save")) {
		send_code(call, ask);
	} else if (ask) {
		refusal_set(&why, "access_denied", "end-user denied authorization");
		send_error(call, ask, &why);
	}
	params_free(&form);
}
