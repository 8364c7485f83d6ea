/* oauth.c - in order: errors and clients, token, introspection, revocation. */
#include "oauth.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "call.h"
#include "clock.h"
#include "oauth_base.h"
#include "session.h"
#include "sfid.h"

static const char *known_id, *known_secret;
static char base_url[200];
static char org_id[SFID_SIZE] = SFID_ORG;

struct client {
	char id[200];
	char secret[200];
};

void oauth_configure(const char *client_id, const char *client_secret, const char *base)
{
	known_id = client_id;
	known_secret = client_secret;
	snprintf(base_url, sizeof(base_url), "%s", base);
}

bool oauth_move(const char *base, const char *org)
{
	if (base && strlen(base) >= sizeof(base_url))
		return false;
	if (org && !sfid_parse(org, strlen(org), org_id))
		return false;
	if (base)
		snprintf(base_url, sizeof(base_url), "%s", base);
	return true;
}

const char *oauth_org_id(void)
{
	return org_id;
}

const char *oauth_base_url(void)
{
	return base_url;
}

static void refuse(struct call *call, const char *error, const char *description)
{
	call->out.used = 0;
	call->status = 400;
	text_word(&call->out, "{\"error\":");
	text_json_word(&call->out, error);
	text_word(&call->out, ",\"error_description\":");
	text_json_word(&call->out, description);
	text_char(&call->out, '}');
}

static bool open_form(struct call *call, struct params *form)
{
	const char *type = call_header(call, "Content-Type");

	*form = (struct params){ 0 };
	if (call->verb != VERB_POST) {
		refuse(call, "invalid_request", "must use HTTP POST");
		return false;
	}
	if (type && strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0) {
		refuse(call, "unsupported_grant_type", "grant type not supported");
		return false;
	}
	params_parse(call->body ? call->body : "", call->body_length, form);
	return true;
}

static bool basic_client(const char *header, struct client *out)
{
	unsigned char plain[400];
	size_t length = strlen(header);
	char *id, *secret;
	const char *colon;
	int got;

	if (length % 4 != 0 || length > 500)
		return false;
	got = EVP_DecodeBlock(plain, (const unsigned char *)header, (int)length);
	if (got < 0)
		return false;
	plain[got] = '\0'; /* padding decodes to NULs, which end the text as well */
	colon = strchr((const char *)plain, ':');
	if (!colon)
		return false;
	id = params_decode((const char *)plain, (size_t)(colon - (const char *)plain), true);
	secret = params_decode(colon + 1, strlen(colon + 1), true);
	snprintf(out->id, sizeof(out->id), "%s", id);
	snprintf(out->secret, sizeof(out->secret), "%s", secret);
	free(id);
	free(secret);
	return true;
}

/* The body's values win over the header's. */
static bool check_client(struct call *call, const struct params *form)
{
	const char *id = params_find(form, "client_id"),
		   *secret = params_find(form, "client_secret");
	const char *header = call_header(call, "Authorization");
	struct client basic = { 0 };

	if (header && strncasecmp(header, "Basic ", 6) == 0 && !basic_client(header + 6, &basic)) {
		refuse(call, "invalid_basic_auth_header", "invalid basic auth header");
		return false;
	}
	if (!id && *basic.id)
		id = basic.id;
	if (!secret && *basic.secret)
		secret = basic.secret;
	if (!id || strcmp(id, known_id) != 0) {
		refuse(call, "invalid_client_id", "client identifier invalid");
		return false;
	}
	if (!secret || strcmp(secret, known_secret) != 0) {
		refuse(call, "invalid_client", "invalid client credentials");
		return false;
	}
	return true;
}

static void write_signature(struct text *out, const char *id, const char *issued_at)
{
	unsigned char mac[EVP_MAX_MD_SIZE], printed[4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1];
	unsigned length = 0;
	char message[400];

	snprintf(message, sizeof(message), "%s%s", id, issued_at);
	HMAC(EVP_sha256(), known_secret, (int)strlen(known_secret), (const unsigned char *)message,
	     strlen(message), mac, &length);
	EVP_EncodeBlock(printed, mac, (int)length);
	text_json_word(out, (const char *)printed);
}

static void client_credentials(struct call *call, const struct params *form)
{
	const struct session *session;
	char id[300], issued_at[24];

	if (!check_client(call, form))
		return;
	session = session_mint(org_id, SFID_USER, known_id, "id api");
	snprintf(id, sizeof(id), "%s/id/%s/%s", base_url, org_id, session->user);
	snprintf(issued_at, sizeof(issued_at), "%lld", (long long)clock_now_ms());
	text_word(&call->out, "{\"access_token\":");
	text_json_word(&call->out, session->token);
	text_word(&call->out, ",\"signature\":");
	write_signature(&call->out, id, issued_at);
	text_printf(
		&call->out,
		",\"scope\":\"%s\",\"instance_url\":\"%s\",\"id\":\"%s\",\"token_type\":\"Bearer\","
		"\"issued_at\":\"%s\",\"api_instance_url\":\"https://api.salesforce.com\"}",
		session->scope, base_url, id, issued_at);
}

static const struct {
	const char *name;
	void (*run)(struct call *call, const struct params *form);
} grants[] = {
	{ "client_credentials", client_credentials },
};

void oauth_token(struct call *call)
{
	struct params form;
	const char *wanted;
	bool known = false;

	call_add_header(call, "Cache-Control", "no-store");
	if (!open_form(call, &form))
		return;
	wanted = params_find(&form, "grant_type");
	for (size_t i = 0; wanted && i < sizeof(grants) / sizeof(grants[0]); i++) {
		if (strcmp(grants[i].name, wanted) == 0) {
			grants[i].run(call, &form);
			known = true;
		}
	}
	if (!wanted)
		refuse(call, "invalid_request", "missing required parameter: grant_type");
	else if (!known)
		refuse(call, "unsupported_grant_type", "grant type not supported");
	params_free(&form);
}

void oauth_introspect(struct call *call)
{
	const struct session *found;
	struct params form;

	if (!open_form(call, &form))
		return;
	if (check_client(call, &form)) {
		found = session_find(params_find(&form, "token"));
		if (!found)
			text_word(&call->out, "{\"active\":false}");
		else
			text_printf(
				&call->out,
				"{\"active\":true,\"scope\":\"%s\",\"client_id\":\"%s\","
				"\"username\":\"sync@acme.example\",\"sub\":\"%s/id/%s/"
				"%s\",\"token_type\":\"access_token\",\"exp\":%lld,\"iat\":%lld,"
				"\"nbf\":%lld}",
				found->scope, found->client_id, base_url, org_id, found->user,
				(long long)session_end_s(found), (long long)found->issued_s,
				(long long)found->issued_s);
	}
	params_free(&form);
}

void oauth_revoke(struct call *call)
{
	struct params form = { 0 };
	const char *token;

	if (call->verb == VERB_GET)
		token = call_param(call, "token");
	else if (open_form(call, &form))
		token = params_find(&form, "token");
	else
		return;
	if (session_revoke(token))
		call_empty(call, 200);
	else
		refuse(call, "invalid_token", "invalid token");
	params_free(&form);
}
