/* sf_refusal.c - the remedies, the table, then how an answer is looked up in it. */
#include "salesforce/sf_refusal.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "http/http.h"
#include "salesforce/sf_json.h"

#define MINUTE_S     (60)
#define HOUR_S       (60 * MINUTE_S)
#define MOST_SKEW_MS ((int64_t)60 * 1000)

#define WEB (SF_ASK_REFRESH | SF_ASK_EXCHANGE)
#define ANY (WEB | SF_ASK_JWT | SF_ASK_CLIENT | SF_ASK_ABOUT)

/* The first row wins that is of what was asked, whose code is the answer's, and whose `hint` (if
 * any) is in its text. */
struct row {
	const char *code;
	const char *hint;
	unsigned asks;
	enum error_kind kind;
	int wait_s;         /* at least; longer if the server says so */
	const char *remedy; /* NULL: settings_for() what was asked */
	const char *told;   /* what we call it, where `code` would say that the login is over */
};

#define TRY_LATER "passing trouble at Salesforce"
#define TOO_MANY  "the user logged in too often within an hour"

/* the grant */
#define LOGIN_OVER                                                                                 \
	"the login is over: it was revoked, lay unused for too long, was replaced by a newer "     \
	"one, or pushed out by a sixth of this user with this app (the user's login history in "   \
	"Setup may tell)"
#define CODE_OVER                                                                                  \
	"the code of this login is over: it is good once, and for some minutes: start another "    \
	"login"
#define CODE_NOT_OURS                                                                              \
	"the code belongs to another login than this one (its PKCE verifier does not fit): start " \
	"another, and end it in the browser where it began"
#define LOGIN_REFUSED                                                                              \
	"the login is refused: look at the app's policies and at the user's login history in "     \
	"Setup"
#define RUN_AS_REFUSED                                                                             \
	"the login is refused: look at the app's policies, its Run As user and that user's login " \
	"history in Setup"
#define JWT_REFUSED                                                                                \
	"the assertion is refused: client_id must be the consumer key of the app, the app must "   \
	"have the certificate of this private key, and username must be a user of that org; its "  \
	"login history in Setup may say more"
#define JWT_EXPIRED                                                                                \
	"the assertion counts as expired, though this host's clock agrees with Salesforce's: it "  \
	"took more than 3 minutes to arrive, or username, client_id and the app's certificate do " \
	"not belong together"
#define JWT_AUDIENCE                                                                               \
	"the audience is not what this org expects: set audience to "                              \
	"https://login.salesforce.com, for a sandbox to https://test.salesforce.com, or to the "   \
	"org's My Domain"
#define WRONG_HOST                                                                                 \
	"the login_url is not that of the org: production is https://login.salesforce.com, a "     \
	"sandbox https://test.salesforce.com"

/* the app */
#define RUN_AS                                                                                     \
	"the app has no user to run as: in Setup open the app's policies, enable the Client "      \
	"Credentials Flow and choose a Run As user"
#define MY_DOMAIN                                                                                  \
	"this login host takes no client credentials: set login_url to the org's My Domain, "      \
	"https://NAME.my.salesforce.com"
#define APP_KEY                                                                                    \
	"the consumer key is not known at this login_url: check client_id and login_url (a new "   \
	"app takes up to 10 minutes to be known)"
#define APP_SECRET                                                                                 \
	"the app's consumer key and secret do not belong together: check client_id, type the "     \
	"secret again with 'leadsync secret set NAME'"
#define WEB_SECRET                                                                                 \
	"the app wants its consumer secret, and none was sent or another one: check client_id "    \
	"and type the secret with 'leadsync secret set NAME', or switch off 'Require Secret' for " \
	"the web server and refresh token flows in the app's OAuth settings"
#define JWT_CLIENT                                                                                 \
	"the app does not know this private key: check client_id, and upload the key's "           \
	"certificate to the app in Setup ('Use digital signatures')"
#define APP_BLOCKED                                                                                \
	"the app is blocked or was removed: an administrator must allow it in Setup, External "    \
	"Client App Manager or Connected Apps"
#define APP_ACCESS                                                                                 \
	"the user is not approved for the app: an administrator must add the user's profile or "   \
	"permission set in the app's policies"
#define JWT_APPROVAL                                                                               \
	"the user has not approved the app: in the app's policies set Permitted Users to 'Admin "  \
	"approved users are pre-authorized' and add the user's profile or permission set"
#define CALLBACK                                                                                   \
	"redirect_uri is none of the app's callback URLs: enter it there in Setup, the same to "   \
	"the letter, port included"
#define WEB_SETTINGS                                                                               \
	"the app's OAuth settings do not allow this: in Setup give it the scopes 'api' and "       \
	"'refresh_token' and redirect_uri as callback URL"
#define JWT_SETTINGS                                                                               \
	"the app's OAuth settings do not allow this: in Setup enable its JWT Bearer Flow with "    \
	"the key's certificate, and give it the scopes 'api' and 'refresh_token'"
#define CLIENT_SETTINGS                                                                            \
	"the app's OAuth settings do not allow this: in Setup enable its Client Credentials Flow " \
	"and give it the scope 'api'"
#define ABOUT_SETTINGS "the app may not ask about its tokens here"

/* the user and the org */
#define USER_INACTIVE "the user is inactive: an administrator must activate it or choose another"
#define USER_LOCKED   "the user is locked out: an administrator must unlock it"
#define ORG_INACTIVE  "the org is inactive: ask Salesforce"
#define IP_RANGE                                                                                   \
	"the user's profile does not allow logins from this address or at this hour: add this "    \
	"host's IP range, or relax IP restrictions in the app's policies"

/* Where a row has no remedy of its own: what was asked is not how the app is set up. */
static const char *settings_for(enum sf_ask ask)
{
	switch (ask) {
	case SF_ASK_REFRESH:
	case SF_ASK_EXCHANGE: return WEB_SETTINGS;
	case SF_ASK_JWT: return JWT_SETTINGS;
	case SF_ASK_CLIENT: return CLIENT_SETTINGS;
	case SF_ASK_ABOUT: break;
	}
	return ABOUT_SETTINGS;
}

static const struct row rows[] = {
	{ "invalid_grant", "already being processed", ANY, ERROR_RETRY, 5,
	  "Salesforce is still busy with another token request of this grant" },
	{ "invalid_grant", "rate exceeded", ANY, ERROR_RETRY, HOUR_S, TOO_MANY },
	{ "invalid_grant", "logins exceeded", ANY, ERROR_RETRY, HOUR_S, TOO_MANY },
	{ "invalid_grant", "inactive user", ANY, ERROR_HUMAN, 0, USER_INACTIVE, "inactive_user" },
	{ "invalid_grant", "inactive org", ANY, ERROR_HUMAN, 0, ORG_INACTIVE, "inactive_org" },
	{ "invalid_grant", "user is locked", ANY, ERROR_HUMAN, 0, USER_LOCKED, "user_locked" },
	{ "invalid_grant", "ip restricted", ANY, ERROR_HUMAN, 0, IP_RANGE, "ip_restricted" },
	{ "invalid_grant", "invalid login hours", ANY, ERROR_HUMAN, 0, IP_RANGE, "ip_restricted" },
	{ "invalid_grant", "no client credentials user", ANY, ERROR_HUMAN, 0, RUN_AS,
	  "no_run_as_user" },
	{ "invalid_grant", "not supported on this domain", SF_ASK_CLIENT, ERROR_HUMAN, 0, MY_DOMAIN,
	  "wrong_host" },
	{ "invalid_grant", "not supported on this domain", ANY, ERROR_HUMAN, 0, WRONG_HOST,
	  "wrong_host" },
	{ "invalid_grant", "hasn't approved", SF_ASK_JWT, ERROR_HUMAN, 0, JWT_APPROVAL,
	  "not_approved" },
	{ "invalid_grant", "hasn't approved", ANY, ERROR_HUMAN, 0, APP_ACCESS, "not_approved" },
	{ "invalid_grant", "not admin approved", ANY, ERROR_HUMAN, 0, APP_ACCESS, "not_approved" },
	{ "invalid_grant", "audience", SF_ASK_JWT, ERROR_HUMAN, 0, JWT_AUDIENCE, "wrong_audience" },
	{ "invalid_grant", "audience", ANY, ERROR_HUMAN, 0, WRONG_HOST, "wrong_audience" },
	{ "invalid_grant", "code verifier", SF_ASK_EXCHANGE, ERROR_HUMAN, 0, CODE_NOT_OURS },
	{ "invalid_grant", "authorization code", SF_ASK_EXCHANGE, ERROR_HUMAN, 0, CODE_OVER },
	{ "invalid_grant", "expired", SF_ASK_JWT, ERROR_HUMAN, 0, JWT_EXPIRED },
	{ "invalid_grant", "expired", WEB, ERROR_HUMAN, 0, LOGIN_OVER },
	{ "invalid_grant", "authentication failure", ANY, ERROR_HUMAN, 0, LOGIN_REFUSED },
	{ "invalid_grant", NULL, SF_ASK_JWT, ERROR_HUMAN, 0, JWT_REFUSED },
	{ "invalid_grant", NULL, SF_ASK_CLIENT, ERROR_HUMAN, 0, RUN_AS_REFUSED },
	{ "invalid_grant", NULL, SF_ASK_REFRESH, ERROR_HUMAN, 0, LOGIN_OVER },
	{ "invalid_grant", NULL, SF_ASK_EXCHANGE, ERROR_HUMAN, 0, CODE_OVER },
	{ "invalid_grant", NULL, ANY, ERROR_HUMAN, 0, LOGIN_REFUSED },

	{ "invalid_client_id", NULL, ANY, ERROR_HUMAN, 0, APP_KEY },
	{ "invalid_client", NULL, WEB, ERROR_HUMAN, 0, WEB_SECRET },
	{ "invalid_client", NULL, SF_ASK_JWT, ERROR_HUMAN, 0, JWT_CLIENT },
	{ "invalid_client", NULL, ANY, ERROR_HUMAN, 0, APP_SECRET },
	{ "invalid_client_credentials", NULL, WEB, ERROR_HUMAN, 0, WEB_SECRET },
	{ "invalid_client_credentials", NULL, SF_ASK_JWT, ERROR_HUMAN, 0, JWT_CLIENT },
	{ "invalid_client_credentials", NULL, ANY, ERROR_HUMAN, 0, APP_SECRET },
	{ "invalid_app_access", NULL, ANY, ERROR_HUMAN, 0, APP_ACCESS },
	{ "invalid_assertion", NULL, ANY, ERROR_HUMAN, 0, JWT_REFUSED },
	{ "redirect_uri_mismatch", NULL, ANY, ERROR_HUMAN, 0, CALLBACK },
	{ "redirect_uri_missing", NULL, ANY, ERROR_HUMAN, 0, CALLBACK },
	{ "invalid_request", "verifier", SF_ASK_EXCHANGE, ERROR_HUMAN, 0, CODE_NOT_OURS },
	{ "invalid_request", NULL, ANY, ERROR_HUMAN, 0, NULL },
	{ "unauthorized_client", NULL, ANY, ERROR_HUMAN, 0, NULL },
	{ "unsupported_grant_type", NULL, ANY, ERROR_HUMAN, 0, NULL },
	{ "unsupported_response_type", NULL, ANY, ERROR_HUMAN, 0, NULL },
	{ "invalid_scope", NULL, ANY, ERROR_HUMAN, 0, NULL },
	{ "invalid_assertion_type", NULL, ANY, ERROR_HUMAN, 0, NULL },
	{ "oauth_flow_disabled", NULL, ANY, ERROR_HUMAN, 0, NULL },
	{ "invalid_basic_auth_header", NULL, ANY, ERROR_HUMAN, 0, NULL },
	{ "use_dpop_nonce", NULL, ANY, ERROR_HUMAN, 0, NULL },
	{ "invalid_dpop_proof", NULL, ANY, ERROR_HUMAN, 0, NULL },
	{ "otp_error", NULL, ANY, ERROR_HUMAN, 0, NULL },
	{ "app_blocked", NULL, ANY, ERROR_HUMAN, 0, APP_BLOCKED },
	{ "app_not_found", NULL, ANY, ERROR_HUMAN, 0, APP_BLOCKED },
	{ "fail_close_app_blocked", NULL, ANY, ERROR_HUMAN, 0, APP_BLOCKED },
	{ "oauth_policy_not_found", NULL, ANY, ERROR_HUMAN, 0, APP_BLOCKED },
	{ "ecapp_policy_not_found", NULL, ANY, ERROR_HUMAN, 0, APP_BLOCKED },
	{ "inactive_user", NULL, ANY, ERROR_HUMAN, 0, USER_INACTIVE },
	{ "inactive_org", NULL, ANY, ERROR_HUMAN, 0, ORG_INACTIVE },

	/* revoke */
	{ "unsupported_token_type", NULL, ANY, ERROR_HUMAN, 0, LOGIN_OVER },
	{ "invalid_token", NULL, ANY, ERROR_HUMAN, 0, LOGIN_OVER },

	{ "rate_limit_exceeded", NULL, ANY, ERROR_RETRY, HOUR_S, TOO_MANY },
	{ "server_error", NULL, ANY, ERROR_RETRY, 0, TRY_LATER },
	{ "system_down", NULL, ANY, ERROR_RETRY, 0, TRY_LATER },
	{ "service_unavailable", NULL, ANY, ERROR_RETRY, 0, TRY_LATER },
	{ "temporarily_unavailable", NULL, ANY, ERROR_RETRY, 0, TRY_LATER },
	{ "slow_down", NULL, ANY, ERROR_RETRY, MINUTE_S, TRY_LATER },
	{ "unknown_error", NULL, ANY, ERROR_RETRY, 0, TRY_LATER },
	{ "login_error", NULL, ANY, ERROR_RETRY, 0, TRY_LATER },
	{ "authorization_pending", NULL, ANY, ERROR_RETRY, MINUTE_S, TRY_LATER },
};

/* Where the body says nothing that we know. */
static const struct {
	int first, last;
	int wait_s; /* at least */
	const char *code, *text;
} status_rows[] = {
	{ 403, 403, 15 * MINUTE_S, "http-403",
	  "something before Salesforce (a proxy, an IP range, a firewall) refuses us" },
	{ 408, 408, 0, "http-408", TRY_LATER },
	{ 425, 425, 0, "http-425", TRY_LATER },
	{ 429, 429, MINUTE_S, "http-429", "too many requests" },
	{ 500, 599, 0, "server-trouble", TRY_LATER },
	{ 0, 999, 0, "protocol", "the OAuth endpoint's answer holds no JSON that says why" },
};

/* By its status the answer is about this request, not about the time or the way here. */
static bool may_refuse(int status)
{
	return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

static const struct row *find_row(int status, enum sf_ask ask, const char *code, const char *text)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((rows[i].asks & ask) && strcmp(rows[i].code, code) == 0 &&
		    (!rows[i].hint || strcasestr(text, rows[i].hint)))
			return rows[i].kind == ERROR_RETRY || may_refuse(status) ? &rows[i] : NULL;
	return NULL;
}

/* What OAuth's errors are called: too poor an alphabet for a secret. */
static bool is_plain_word(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz_");

	return len && len <= 40 && !text[len];
}

/* Of an assertion: it is judged by the server's clock. */
static bool may_be_clock(const struct row *row, enum sf_ask ask, const char *text)
{
	return ask == SF_ASK_JWT && row->kind == ERROR_HUMAN &&
	       (strcasestr(text, "expired") || strcasestr(text, "audience") ||
		strcasestr(text, "assertion"));
}

/* What our clock is ahead of the server's by; 0 if it does not say. */
static int64_t skew_ms(const struct http_response *response, int64_t now_ms)
{
	return response->date_ms ? now_ms - response->date_ms : 0;
}

static void blame_clock(const struct row *row, int64_t ahead_ms, struct error *err)
{
	error_set(err, row->kind, "wrong_clock",
		  "this host's clock is %lld s %s Salesforce's, so that what it signs is not "
		  "valid there: have it set by NTP ('timedatectl set-ntp true')",
		  llabs(ahead_ms) / 1000, ahead_ms > 0 ? "ahead of" : "behind");
}

static int set_from_status(int status, struct error *err)
{
	size_t i = 0;

	while (status < status_rows[i].first || status > status_rows[i].last)
		i++;
	error_set(err, ERROR_RETRY, status_rows[i].code, "%s (status %d)", status_rows[i].text,
		  status);
	return status_rows[i].wait_s;
}

bool sf_refusal(const struct http_response *response, enum sf_ask ask, int64_t now_ms,
		struct error *err)
{
	struct json_object *body = sf_json_whole(response->body, response->body_len);
	const char *code = sf_json_text_or_empty(body, "error");
	const char *text = sf_json_text_or_empty(body, "error_description");
	const struct row *row = find_row(response->status, ask, code, text);
	int wait_s = row ? row->wait_s : 0;
	int64_t ahead_ms = skew_ms(response, now_ms);

	if (row && llabs(ahead_ms) > MOST_SKEW_MS && may_be_clock(row, ask, text))
		blame_clock(row, ahead_ms, err);
	else if (row)
		error_set(err, row->kind, row->told ? row->told : row->code, "%s",
			  row->remedy ? row->remedy : settings_for(ask));
	else if (*code && may_refuse(response->status))
		error_set(err, ERROR_RETRY, "unknown-error",
			  "Salesforce refuses the request for a reason not known here (%s): look "
			  "at the user's login history in Setup",
			  is_plain_word(code) ? code : "not an error of OAuth");
	else
		wait_s = set_from_status(response->status, err);
	err->retry_after_s = response->retry_after_s > wait_s ? response->retry_after_s : wait_s;
	json_object_put(body);
	return false;
}
