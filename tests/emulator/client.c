/* client.c */
#include "client.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <strings.h>

#include "app.h"
#include "call.h"
#include "jwt.h"
#include "mem.h"

#define BASIC_MAX      500
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

struct basic {
	char id[200];
	char secret[200];
};

static bool read_basic(const char *header, struct basic *out)
{
	unsigned char plain[BASIC_MAX];
	size_t length = strlen(header);
	char *id, *secret;
	const char *colon;
	int got;

	if (length % 4 != 0 || length > BASIC_MAX)
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

static bool check_assertion(const struct params *form, struct refusal *why)
{
	const char *type = params_find(form, "client_assertion_type");
	const char *id = params_find(form, "client_id");

	if (!type || strcmp(type, ASSERTION_TYPE) != 0)
		return refusal_set(why, "invalid_assertion_type", "assertion type not supported");
	if (id && strcmp(id, app()->id) != 0)
		return refusal_set(why, "invalid_client_id", "client identifier invalid");
	return jwt_check_client(params_find(form, "client_assertion"), why);
}

enum client_proof client_check(struct call *call, const struct params *form,
			       bool is_secret_demanded, struct refusal *why)
{
	const char *id = params_find(form, "client_id");
	const char *secret = params_find(form, "client_secret");
	const char *header = call_header(call, "Authorization");
	struct basic basic = { 0 };

	if (params_find(form, "client_assertion"))
		return check_assertion(form, why) ? CLIENT_PROVEN : CLIENT_REFUSED;
	if (header && strncasecmp(header, "Basic ", 6) == 0 && !read_basic(header + 6, &basic)) {
		refusal_set(why, "invalid_basic_auth_header", "invalid basic auth header");
		return CLIENT_REFUSED;
	}
	if (!id && *basic.id)
		id = basic.id;
	if (!secret && *basic.secret)
		secret = basic.secret;
	if (!id || strcmp(id, app()->id) != 0) {
		refusal_set(why, "invalid_client_id", "client identifier invalid");
		return CLIENT_REFUSED;
	}
	if (secret ? strcmp(secret, app()->secret) != 0 : is_secret_demanded) {
		refusal_set(why, "invalid_client", "invalid client credentials");
		return CLIENT_REFUSED;
	}
	return secret ? CLIENT_PROVEN : CLIENT_NAMED;
}
