#include "salesforce/sf_token.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/url.h"
#include "record/value.h"
#include "salesforce/sf_json.h"
#include "salesforce/sf_signature.h"
#include "secret/secret.h"
#include "vault/vault.h"

#define MOST_TOKEN 8192
/* A longer life than a year is a mistake, not a life. */
#define MOST_LIFE_S ((int64_t)366 * 24 * 3600)

static bool protocol(struct error *err, const char *what)
{
	return error_set(err, ERROR_RETRY, "protocol",
			 "the token endpoint's answer is not what Salesforce sends: %s", what);
}

/* What may stand in a header: no blanks, no line ends. */
static bool is_token(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x21 || text[i] > 0x7e)
			return false;
	return len && len <= MOST_TOKEN;
}

/* "https://login.salesforce.com/id/00D.../005..." */
static bool take_identity(const char *id, const struct url_policy *policy, struct vault_token *ret,
			  struct error *err)
{
	const char *path = strstr(id, "/id/");
	CLEANUP_FREE char *host = path ? mem_strndup(id, (size_t)(path - id)) : NULL;
	CLEANUP_FREE char *base = NULL;
	char org_id[19], user_id[19];
	const char *user;

	if (!path)
		return protocol(err, "id is no identity URL");
	path += strlen("/id/");
	user = strchr(path, '/');
	if (!user || user - path != 18 || strlen(user + 1) != 18 || !value_id18(path, 18, org_id) ||
	    !value_id18(user + 1, 18, user_id) || !str_starts_with(org_id, "00D") ||
	    !str_starts_with(user_id, "005"))
		return protocol(err, "id does not end in the ids of an org and a user");
	base = url_base(host, policy, "id", err);
	if (!base)
		return false;
	ret->org_id = mem_strdup(org_id);
	ret->user_id = mem_strdup(user_id);
	return true;
}

/* An opaque token begins with its org's id and a '!'; others (a JWT) say nothing here. */
static bool is_of_org(const char *token, const char *org_id)
{
	char id[19];

	if (strcspn(token, "!") != 15 || !value_id18(token, 15, id))
		return true;
	return strcmp(id, org_id) == 0;
}

static int64_t life_of(struct json_object *in)
{
	struct json_object *value;
	int64_t life_s;

	if (!json_object_object_get_ex(in, "expires_in", &value))
		return 0;
	life_s = json_object_get_int64(value);
	return life_s > 0 && life_s <= MOST_LIFE_S ? life_s : 0;
}

/* Absent is borne: not every flow sends it. */
static bool is_signed(struct json_object *in, struct secret *client_secret)
{
	struct json_object *any;
	const char *signature = sf_json_text(in, "signature"), *id = sf_json_text(in, "id"),
		   *issued_at = sf_json_text(in, "issued_at");

	if (!client_secret || !json_object_object_get_ex(in, "signature", &any))
		return true;
	return signature && id && issued_at &&
	       sf_signature_fits(signature, id, issued_at, client_secret);
}

/* `scope` is a list of words, in any order. */
static bool has_scope(const char *scope, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = scope + strspn(scope, " "); *at; at += strspn(at, " ")) {
		size_t here = strcspn(at, " ");

		if (here == len && strncmp(at, word, len) == 0)
			return true;
		at += here;
	}
	return false;
}

/* A token that would be of no use to us. */
static bool is_enough(const struct vault_token *token, enum sf_ask ask, struct error *err)
{
	if (token->scope && !has_scope(token->scope, "api") && !has_scope(token->scope, "full"))
		return error_set(err, ERROR_HUMAN, "missing-scope",
				 "the token may not use the API: in Setup give the app the scope "
				 "'Manage user data via APIs (api)'");
	if (ask == SF_ASK_EXCHANGE && !token->refresh_token)
		return error_set(err, ERROR_HUMAN, "no-refresh-token",
				 "the login brings no refresh token, and would be over within "
				 "hours: in Setup give the app the scope 'Perform requests at any "
				 "time (refresh_token, offline_access)'");
	return true;
}

static bool has_member(struct json_object *in, const char *key)
{
	return json_object_object_get(in, key) != NULL;
}

/* None is well; one that cannot be read is not. */
static bool take_refresh_token(struct json_object *in, enum sf_ask ask, struct vault_token *ret,
			       struct error *err)
{
	const char *refresh = sf_json_text(in, "refresh_token");

	if (!has_member(in, "refresh_token"))
		return true;
	if (!refresh || !is_token(refresh))
		return protocol(err, "refresh_token is no token");
	/* Where none is asked for, none is of use. */
	if (ask == SF_ASK_EXCHANGE || ask == SF_ASK_REFRESH)
		ret->refresh_token = secret_new(refresh, strlen(refresh));
	return true;
}

static bool take_token(struct json_object *in, const struct sf_token_terms *terms,
		       struct vault_token *ret, struct error *err)
{
	const char *access = sf_json_text(in, "access_token");
	const char *instance = sf_json_text(in, "instance_url"), *id = sf_json_text(in, "id");
	const char *type = sf_json_text(in, "token_type"), *scope = sf_json_text(in, "scope");
	int64_t life_s = life_of(in);

	if (!access || !is_token(access))
		return protocol(err, "access_token is missing or no token");
	if (!instance || !id)
		return protocol(err, "instance_url or id is missing");
	if (type && strcasecmp(type, "Bearer") != 0)
		return protocol(err, "token_type is not Bearer");
	if (!is_signed(in, terms->client_secret))
		return protocol(err, "its signature was not made with the app's client secret");
	if (!take_identity(id, terms->policy, ret, err))
		return false;
	if (!is_of_org(access, ret->org_id))
		return protocol(err, "access_token and id are of two orgs");
	ret->instance_url = url_base(instance, terms->policy, "instance_url", err);
	if (!ret->instance_url)
		return false;
	ret->access_token = secret_new(access, strlen(access));
	ret->scope = scope && *scope ? mem_strdup(scope) : NULL;
	ret->obtained_ms = terms->now_ms;
	if (life_s) {
		ret->expires_ms = terms->now_ms + life_s * 1000;
		ret->expiry = VAULT_EXPIRY_SAID;
	}
	return is_enough(ret, terms->ask, err);
}

static void wipe(struct json_object *in, const char *key)
{
	struct json_object *value;

	if (json_object_object_get_ex(in, key, &value) &&
	    json_object_is_type(value, json_type_string))
		secret_wipe((char *)(uintptr_t)json_object_get_string(value),
			    (size_t)json_object_get_string_len(value));
}

/* No JSON, but what is left of some that may have had a token: cut, or spoilt. A page is not. */
static bool is_wreck(const char *body, size_t len, bool cut)
{
	CLEANUP_FREE char *text = mem_strndup(body, len);
	bool is_object = text[strspn(text, " \t\r\n")] == '{';
	bool has_token = strstr(text, "\"access_token\"") || strstr(text, "\"refresh_token\"");

	secret_wipe(text, strlen(text));
	return is_object && (cut || has_token);
}

/* Of a failure, all but the refresh token. */
static struct vault_token keep_refresh_token(struct vault_token *in)
{
	struct vault_token kept = { .refresh_token = TAKE(in->refresh_token) };

	vault_token_done(in);
	return kept;
}

bool sf_token_parse(const char *body, size_t len, const struct sf_token_terms *terms,
		    struct vault_token *ret, bool *ret_unknown, struct error *err)
{
	bool whole, ok;
	struct json_object *in = sf_json_parse(body, len, &whole);
	struct vault_token made = { 0 };

	*ret_unknown = false;
	if (!json_object_is_type(in, json_type_object)) {
		/* What json-c read to its end without a result goes on somewhere else. */
		*ret_unknown = !in && is_wreck(body, len, whole);
		ok = protocol(err, *ret_unknown ? "its JSON is cut or spoilt"
						: "a page instead of JSON");
	} else if (!take_refresh_token(in, terms->ask, &made, err)) {
		*ret_unknown = true;
		ok = false;
	} else if (!whole) {
		*ret_unknown = !made.refresh_token && has_member(in, "access_token");
		ok = protocol(err, "it goes on behind its end");
	} else {
		ok = take_token(in, terms, &made, err);
	}
	wipe(in, "access_token");
	wipe(in, "refresh_token");
	wipe(in, "id_token");
	wipe(in, "signature");
	json_object_put(in);
	*ret = ok ? made : keep_refresh_token(&made);
	return ok;
}
