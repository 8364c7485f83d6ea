#include "salesforce/sf_introspection.h"

#include <json-c/json.h>

#include "base/error.h"
#include "salesforce/sf_json.h"

/* A longer life than a year is a mistake, not a life. */
#define MOST_LIFE_MS ((int64_t)366 * 24 * 3600 * 1000)

/* `exp` is in seconds. One that is over, of a token that lives: our clock is wrong, or theirs. */
static int64_t expiry_of(struct json_object *in, int64_t now_ms)
{
	struct json_object *value;
	int64_t expires_s;

	if (!json_object_object_get_ex(in, "exp", &value) ||
	    !json_object_is_type(value, json_type_int))
		return 0;
	expires_s = json_object_get_int64(value);
	if (expires_s <= now_ms / 1000 || expires_s > (now_ms + MOST_LIFE_MS) / 1000)
		return 0;
	return expires_s * 1000;
}

bool sf_introspection_parse(const char *body, size_t len, int64_t now_ms, bool *ret_active,
			    int64_t *ret_expires_ms, struct error *err)
{
	struct json_object *in = sf_json_whole(body, len);
	struct json_object *active = NULL;
	bool ok = json_object_is_type(in, json_type_object) &&
		  json_object_object_get_ex(in, "active", &active) &&
		  json_object_is_type(active, json_type_boolean);
	if (ok) {
		*ret_active = json_object_get_boolean(active);
		*ret_expires_ms = *ret_active ? expiry_of(in, now_ms) : 0;
	} else {
		error_set(err, ERROR_RETRY, "protocol",
			  "the introspection endpoint does not say whether the token is active");
	}
	json_object_put(in);
	return ok;
}
