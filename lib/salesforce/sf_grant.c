/* sf_grant.c - the three flows as one grant: the settings, then what each question is made of. */
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"
#include "base/error.h"
#include "base/str.h"
#include "loop/loop.h"
#include "salesforce/salesforce.h"
#include "salesforce/sf_form.h"
#include "salesforce/sf_request.h"
#include "secret/secret.h"
#include "vault/vault.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* What Salesforce allows at most, and its own clock may differ by as much. */
#define ASSERTION_LASTS_S 180

struct sf_grant {
	struct grant interface;
	struct sf_grant_args args; /* its texts are not used: they are copied to here */
	char *base;                /* owned, as all below; "https://login.salesforce.com" */
	char *token_url, *introspect_url, *revoke_url;
	char *source;
	char *client_id;
	char *redirect_uri, *username, *audience; /* NULL where the flow has none */
};

static struct grant_request *start(void *self, const struct vault_token *current,
				   grant_done_fn *done, void *arg);
static char *authorize_url(void *self, const char *state, const char *challenge);
static struct grant_request *exchange(void *self, struct secret *code, struct secret *verifier,
				      grant_done_fn *done, void *arg);
static struct grant_request *introspect(void *self, struct secret *access_token,
					grant_looked_fn *done, void *arg);
static struct grant_request *revoke(void *self, struct secret *token, grant_revoked_fn *done,
				    void *arg);

/* --- the settings --- */

static bool is_blank(const char *text)
{
	return !text || !*text;
}

static bool check_args(const struct sf_grant_args *args, struct error *err)
{
	if (is_blank(args->client_id))
		return error_set(err, ERROR_HUMAN, "no-client-id", "client_id is empty");
	if (args->flow == SF_FLOW_WEB && is_blank(args->redirect_uri))
		return error_set(err, ERROR_HUMAN, "no-redirect-uri",
				 "redirect_uri is empty: the web flow needs the callback URL that "
				 "the app has");
	if (args->flow == SF_FLOW_JWT && is_blank(args->username))
		return error_set(err, ERROR_HUMAN, "no-username",
				 "username is empty: the jwt flow needs the Salesforce user it is "
				 "for");
	if (args->flow != SF_FLOW_WEB && !args->credential)
		return error_set(err, ERROR_BUG, "no-credential",
				 "only the web flow can do without a credential");
	return true;
}

/* Salesforce compares it to the letter, and knows its own hosts without a slash at the end. */
static char *audience_of(const struct sf_grant_args *args, const char *base)
{
	const char *text = is_blank(args->audience) ? base : args->audience;
	size_t len = strlen(text);

	while (len && text[len - 1] == '/')
		len--;
	return mem_strndup(text, len);
}

/* A token of another endpoint, app or user is not this account's. */
static char *source_of(const struct sf_grant *in)
{
	return in->username ? mem_format("%s %s %s", in->token_url, in->client_id, in->username)
			    : mem_format("%s %s", in->token_url, in->client_id);
}

static void set_interface(struct sf_grant *in)
{
	in->interface = (struct grant){
		.self = in,
		.source = in->source,
		.start = start,
		.introspect = introspect,
		.revoke = revoke,
		.cancel = sf_request_cancel,
	};
	if (in->args.flow == SF_FLOW_WEB) {
		in->interface.by_login = true;
		in->interface.authorize_url = authorize_url;
		in->interface.exchange = exchange;
	}
}

struct sf_grant *sf_grant_new(const struct sf_grant_args *args, struct error *err)
{
	CLEANUP_FREE char *base = url_base(args->login_url, args->policy, "login_url", err);
	struct sf_grant *in;

	if (!base || !check_args(args, err))
		return NULL;
	in = mem_new(struct sf_grant);
	in->args = *args;
	in->base = TAKE(base);
	in->token_url = mem_format("%s/services/oauth2/token", in->base);
	in->introspect_url = mem_format("%s/services/oauth2/introspect", in->base);
	in->revoke_url = mem_format("%s/services/oauth2/revoke", in->base);
	in->client_id = mem_strdup(args->client_id);
	if (args->flow == SF_FLOW_WEB)
		in->redirect_uri = mem_strdup(args->redirect_uri);
	if (args->flow == SF_FLOW_JWT) {
		in->username = mem_strdup(args->username);
		in->audience = audience_of(args, in->base);
	}
	in->source = source_of(in);
	set_interface(in);
	return in;
}

void sf_grant_free(struct sf_grant *in)
{
	if (!in)
		return;
	free(in->base);
	free(in->token_url);
	free(in->introspect_url);
	free(in->revoke_url);
	free(in->source);
	free(in->client_id);
	free(in->redirect_uri);
	free(in->username);
	free(in->audience);
	free(in);
}

const struct grant *sf_grant_interface(struct sf_grant *in)
{
	return &in->interface;
}

static char *authorize_url(void *self, const char *state, const char *challenge)
{
	const struct sf_grant *in = self;
	CLEANUP_FREE char *client_id = url_encode(in->client_id, strlen(in->client_id));
	CLEANUP_FREE char *redirect_uri = url_encode(in->redirect_uri, strlen(in->redirect_uri));
	CLEANUP_FREE char *state_text = url_encode(state, strlen(state));
	CLEANUP_FREE char *challenge_text = url_encode(challenge, strlen(challenge));

	return mem_format("%s/services/oauth2/authorize?response_type=code&client_id=%s&"
			  "redirect_uri=%s&scope=api%%20refresh_token&state=%s&code_challenge=%s&"
			  "code_challenge_method=S256",
			  in->base, client_id, redirect_uri, state_text, challenge_text);
}

/* --- questions --- */

static struct sf_question question_of(const struct sf_grant *in, enum sf_ask ask, const char *url,
				      struct secret *form, const struct error *why)
{
	return (struct sf_question){
		.loop = in->args.loop,
		.http = in->args.http,
		.policy = in->args.policy,
		.ask = ask,
		.url = url,
		.form = form,
		.why = why,
	};
}

/* *ret is NULL for a public client. */
static bool fetch_credential(const struct sf_grant *in, struct secret **ret, struct error *err)
{
	*ret = in->args.credential ? in->args.credential(in->args.arg, err) : NULL;
	return *ret || !in->args.credential;
}

#define MOST_FIELDS 4

/* Asks for a token as an app that has a secret, or as a public one: its id and secret are put behind
 * the at most MOST_FIELDS `fields`. */
static struct grant_request *ask_token(const struct sf_grant *in, enum sf_ask ask,
				       const struct sf_form_field *fields, size_t count,
				       grant_done_fn *done, void *arg)
{
	CLEANUP(secret_free) struct secret *secret = NULL;
	CLEANUP(secret_free) struct secret *form = NULL;
	struct sf_form_field all[MOST_FIELDS + 2];
	struct sf_question question;
	struct error why;

	if (fetch_credential(in, &secret, &why)) {
		memcpy(all, fields, count * sizeof(*fields));
		all[count++] = (struct sf_form_field){ "client_id", .text = in->client_id };
		all[count++] = (struct sf_form_field){ "client_secret", .secret = secret };
		form = sf_form_make(all, count, &why);
	}
	question = question_of(in, ask, in->token_url, form, &why);
	return sf_request_token(&question, TAKE(secret), done, arg);
}

static struct grant_request *refresh(const struct sf_grant *in, const struct vault_token *current,
				     grant_done_fn *done, void *arg)
{
	const struct sf_form_field fields[] = {
		{ "grant_type", .text = "refresh_token" },
		{ "refresh_token", .secret = current->refresh_token },
	};

	return ask_token(in, SF_ASK_REFRESH, fields, LEN(fields), done, arg);
}

static struct grant_request *exchange(void *self, struct secret *code, struct secret *verifier,
				      grant_done_fn *done, void *arg)
{
	const struct sf_grant *in = self;
	const struct sf_form_field fields[] = {
		{ "grant_type", .text = "authorization_code" },
		{ "code", .secret = code },
		{ "redirect_uri", .text = in->redirect_uri },
		{ "code_verifier", .secret = verifier },
	};

	return ask_token(in, SF_ASK_EXCHANGE, fields, LEN(fields), done, arg);
}

static struct grant_request *ask_as_client(const struct sf_grant *in, grant_done_fn *done,
					   void *arg)
{
	const struct sf_form_field fields[] = {
		{ "grant_type", .text = "client_credentials" },
	};

	return ask_token(in, SF_ASK_CLIENT, fields, LEN(fields), done, arg);
}

static struct secret *sign_assertion(const struct sf_grant *in, struct error *err)
{
	struct jwt_claims claims = {
		.issuer = in->client_id,
		.subject = in->username,
		.audience = in->audience,
		.expires_s = loop_now_ms(in->args.loop) / 1000 + ASSERTION_LASTS_S,
	};
	CLEANUP(secret_free) struct secret *key = in->args.credential(in->args.arg, err);

	return key ? jwt_sign(key, &claims, err) : NULL;
}

static struct grant_request *ask_by_assertion(const struct sf_grant *in, grant_done_fn *done,
					      void *arg)
{
	struct error why;
	CLEANUP(secret_free) struct secret *assertion = sign_assertion(in, &why);
	CLEANUP(secret_free) struct secret *form = NULL;
	struct sf_question question;

	if (assertion) {
		const struct sf_form_field fields[] = {
			{ "grant_type", .text = "urn:ietf:params:oauth:grant-type:jwt-bearer" },
			{ "assertion", .secret = assertion },
		};

		form = sf_form_make(fields, LEN(fields), &why);
	}
	question = question_of(in, SF_ASK_JWT, in->token_url, form, &why);
	return sf_request_token(&question, NULL, done, arg);
}

static struct grant_request *start(void *self, const struct vault_token *current,
				   grant_done_fn *done, void *arg)
{
	const struct sf_grant *in = self;

	switch (in->args.flow) {
	case SF_FLOW_WEB: return refresh(in, current, done, arg);
	case SF_FLOW_JWT: return ask_by_assertion(in, done, arg);
	case SF_FLOW_CLIENT_CREDENTIALS: return ask_as_client(in, done, arg);
	}
	abort();
}

/* The credential of the jwt flow is no secret that could be sent: there the app's setting decides
 * whether its id alone will do. */
static struct grant_request *introspect(void *self, struct secret *access_token,
					grant_looked_fn *done, void *arg)
{
	const struct sf_grant *in = self;
	CLEANUP(secret_free) struct secret *secret = NULL;
	CLEANUP(secret_free) struct secret *form = NULL;
	struct sf_question question;
	struct error why;

	if (in->args.flow == SF_FLOW_JWT || fetch_credential(in, &secret, &why)) {
		const struct sf_form_field fields[] = {
			{ "token", .secret = access_token },
			{ "token_type_hint", .text = "access_token" },
			{ "client_id", .text = in->client_id },
			{ "client_secret", .secret = secret },
		};

		form = sf_form_make(fields, LEN(fields), &why);
	}
	question = question_of(in, SF_ASK_ABOUT, in->introspect_url, form, &why);
	return sf_request_introspect(&question, done, arg);
}

static struct grant_request *revoke(void *self, struct secret *token, grant_revoked_fn *done,
				    void *arg)
{
	const struct sf_grant *in = self;
	const struct sf_form_field fields[] = { { "token", .secret = token } };
	CLEANUP(secret_free) struct secret *form = NULL;
	struct sf_question question;
	struct error why;

	form = sf_form_make(fields, LEN(fields), &why);
	question = question_of(in, SF_ASK_ABOUT, in->revoke_url, form, &why);
	return sf_request_revoke(&question, done, arg);
}
