/* pages.c */
#include "pages.h"

#include "app.h"
#include "ask.h"
#include "call.h"
#include "markup.h"
#include "refusal.h"

#define KEY_FIELD "<input type=\"hidden\" name=\"_CONFIRMATIONTOKEN\" value=\""

static void begin(struct call *call, const char *title)
{
	call->type = "text/html; charset=UTF-8";
	call->out.used = 0;
	call_add_header(call, "X-Frame-Options", "DENY");
	call_add_header(call, "Referrer-Policy", "origin-when-cross-origin");
	text_printf(&call->out,
		    "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"UTF-8\">"
		    "<title>%s</title></head>\n<body>\n",
		    title);
}

static void end(struct call *call)
{
	text_word(&call->out, "</body>\n</html>\n");
}

void pages_login(struct call *call, const struct ask *ask, const char *message)
{
	struct text *out = &call->out;

	begin(call, "Login | Salesforce");
	if (message) {
		text_word(out, "<div id=\"error\" class=\"loginError\" role=\"alert\">");
		markup_escape(message, out);
		text_word(out, "</div>\n");
	}
	text_word(out, "<form name=\"login\" id=\"login_form\" method=\"post\" "
		       "action=\"/login\">\n" KEY_FIELD);
	markup_escape(ask->key, out);
	text_word(out, "\">\n<label for=\"username\">Username</label> <input type=\"text\" "
		       "id=\"username\" name=\"username\" autocomplete=\"username\" value=\"");
	markup_escape(ask->login_hint, out);
	text_word(out, "\">\n<label for=\"password\">Password</label> <input type=\"password\" "
		       "id=\"password\" name=\"pw\" autocomplete=\"off\">\n"
		       "<input type=\"submit\" id=\"Login\" name=\"Login\" value=\"Log In\">\n"
		       "</form>\n");
	end(call);
}

void pages_approve(struct call *call, const struct ask *ask)
{
	struct text *out = &call->out;
	const char *word;

	begin(call, "Allow Access?");
	text_word(out, "<h1>Allow Access?</h1>\n<p><b>" APP_NAME "</b> is asking to:</p>\n<ul>\n");
	for (unsigned i = 0; (word = scope_word(i)); i++)
		if (scope_has(ask->scope, word))
			text_printf(out, "<li data-scope=\"%s\">%s</li>\n", word,
				    scope_label(word));
	text_word(out, "</ul>\n<p>Do you want to allow access for <b>");
	markup_escape(app()->username, out);
	text_word(out, "</b>?</p>\n<form id=\"editPage\" method=\"post\" "
		       "action=\"/setup/secur/RemoteAccessAuthorizationPage.apexp\">\n" KEY_FIELD);
	markup_escape(ask->key, out);
	text_word(out, "\">\n<input type=\"submit\" id=\"oaapprove\" name=\"save\" value=\"Allow\">"
		       "\n<input type=\"submit\" id=\"oadeny\" name=\"cancel\" value=\"Deny\">\n"
		       "</form>\n");
	end(call);
}

void pages_refuse(struct call *call, const struct refusal *why)
{
	begin(call, "Error | Salesforce");
	call->status = 400;
	text_word(&call->out,
		  "<h1>We can't authorize you because of an OAuth error.</h1>\n"
		  "<p>For more information, contact your Salesforce administrator.</p>\n"
		  "<p id=\"error\">");
	markup_escape(why->error, &call->out);
	text_word(&call->out, ": ");
	markup_escape(why->description, &call->out);
	text_word(&call->out, "</p>\n");
	end(call);
}
