/* jwt.c - in order: decoding, the signature, the claims. */
#include "jwt.h"

#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "app.h"
#include "clock.h"
#include "json_in.h"
#include "mem.h"
#include "oauth_base.h"

#define SKEW_S       180
#define MILLISECONDS 100000000000LL /* an `exp` beyond this is no number of seconds */

/* base64url without padding; owned by the caller, NULL if it is none. */
static unsigned char *decode(const char *from, size_t length, size_t *decoded)
{
	size_t padded = (length + 3) / 4 * 4;
	char *text = mem_new(padded + 1);
	unsigned char *out = mem_new(padded / 4 * 3 + 1);
	int got = -1;

	for (size_t i = 0; i < length; i++)
		text[i] = from[i] == '-' ? '+' : from[i] == '_' ? '/' : from[i];
	memset(text + length, '=', padded - length);
	if (length && length % 4 != 1 && !memchr(from, '=', length) && !memchr(from, '+', length) &&
	    !memchr(from, '/', length))
		got = EVP_DecodeBlock(out, (const unsigned char *)text, (int)padded);
	free(text);
	if (got < 0) {
		free(out);
		return NULL;
	}
	*decoded = (size_t)got - (padded - length); /* the padding was decoded too, to zeros */
	return out;
}

/* An object, to be put; NULL if the part is none. */
static struct json_object *read_part(const char *from, size_t length)
{
	size_t decoded;
	unsigned char *text = decode(from, length, &decoded);
	struct json_object *out = NULL;

	if (text) {
		text[decoded] = '\0';
		out = json_tokener_parse((const char *)text);
	}
	free(text);
	if (json_object_is_type(out, json_type_object))
		return out;
	json_object_put(out);
	return NULL;
}

static bool is_signed(const char *assertion, size_t signed_length)
{
	const char *from = assertion + signed_length + 1;
	EVP_PKEY *key = app()->certificate ? X509_get0_pubkey(app()->certificate) : NULL;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = 0;
	unsigned char *signature = decode(from, strlen(from), &length);
	bool out = key && signature && EVP_PKEY_is_a(key, "RSA") &&
		   EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		   EVP_DigestVerify(context, signature, length, (const unsigned char *)assertion,
				    signed_length) == 1;

	EVP_MD_CTX_free(context);
	free(signature);
	return out;
}

/* Text, or NULL: a number is no name. */
static const char *claim(struct json_object *in, const char *name)
{
	struct json_object *found;

	if (!json_object_object_get_ex(in, name, &found) ||
	    !json_object_is_type(found, json_type_string))
		return NULL;
	return json_object_get_string(found);
}

static bool is_audience(const char *aud)
{
	const char *const good[] = { "https://login.salesforce.com", "https://test.salesforce.com",
				     oauth_base_url(), oauth_base_login_url() };

	for (size_t i = 0; aud && i < sizeof(good) / sizeof(good[0]); i++)
		if (strcmp(good[i], aud) == 0)
			return true;
	return false;
}

typedef bool claims_fn(struct json_object *claims, struct refusal *why);

static bool check_end(struct json_object *claims, struct refusal *why)
{
	int64_t exp = json_in_int(claims, "exp", 0);

	if (exp > MILLISECONDS)
		exp /= 1000;
	if (exp <= 0)
		return refusal_set(why, "invalid_grant", "invalid assertion");
	if (clock_now_s() - exp >= SKEW_S)
		return refusal_set(why, "invalid_grant", "expired authorization code");
	return true;
}

static bool check_user(struct json_object *claims, struct refusal *why)
{
	const char *prn = claim(claims, "prn"), *user = prn ? prn : claim(claims, "sub");

	if (!is_audience(claim(claims, "aud")))
		return refusal_set(why, "invalid_grant", "audience is invalid");
	if (!user)
		return refusal_set(why, "invalid_grant", "invalid assertion");
	if (!check_end(claims, why))
		return false;
	if (strcasecmp(user, app()->username) != 0 || !app()->approved)
		return refusal_set(why, "invalid_grant", "user hasn't approved this consumer");
	return true;
}

/* Its audience may be the token endpoint itself. */
static bool check_client(struct json_object *claims, struct refusal *why)
{
	static const char endpoint[] = "/services/oauth2/token";
	const char *sub = claim(claims, "sub"), *aud = claim(claims, "aud");
	size_t length = aud ? strlen(aud) : 0, tail = sizeof(endpoint) - 1;
	bool is_endpoint = length > tail && strcmp(aud + length - tail, endpoint) == 0;
	char *base = mem_text(aud ? aud : "", is_endpoint ? length - tail : length);
	bool out =
		sub && strcmp(sub, app()->id) == 0 && is_audience(base) && check_end(claims, why);

	free(base);
	return out;
}

static bool check_parts(const char *assertion, struct json_object *header,
			struct json_object *claims, struct refusal *why)
{
	const char *alg = claim(header, "alg"), *iss = claim(claims, "iss");

	if (!alg || strcmp(alg, "RS256") != 0 || !app()->certificate)
		return refusal_set(why, "invalid_grant", "invalid assertion");
	if (!iss || strcmp(iss, app()->id) != 0)
		return refusal_set(why, "invalid_client_id", "client identifier invalid");
	if (!is_signed(assertion, (size_t)(strrchr(assertion, '.') - assertion)))
		return refusal_set(why, "invalid_client", "invalid client credentials");
	return true;
}

static bool check(const char *assertion, claims_fn *check_claims, struct refusal *why)
{
	const char *first = assertion ? strchr(assertion, '.') : NULL;
	const char *second = first ? strchr(first + 1, '.') : NULL;
	struct json_object *header = NULL, *claims = NULL;
	bool out = false;

	if (second && !strchr(second + 1, '.')) {
		header = read_part(assertion, (size_t)(first - assertion));
		claims = read_part(first + 1, (size_t)(second - first - 1));
	}
	if (header && claims)
		out = check_parts(assertion, header, claims, why) && check_claims(claims, why);
	else
		refusal_set(why, "invalid_grant", "invalid assertion");
	json_object_put(header);
	json_object_put(claims);
	return out;
}

bool jwt_check_user(const char *assertion, struct refusal *why)
{
	return check(assertion, check_user, why);
}

bool jwt_check_client(const char *assertion, struct refusal *why)
{
	return check(assertion, check_client, why) ||
	       refusal_set(why, "invalid_client", "invalid client credentials");
}
