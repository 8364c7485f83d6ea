/* app.c - in order: configuration, callbacks, letting in, switches. */
#include "app.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "browser.h"
#include "grant.h"
#include "json_in.h"
#include "mem.h"
#include "minted.h"
#include "session.h"
#include "text.h"

#define CERTIFICATE_MAX 4096 /* bytes, as in Salesforce */

static struct app now;
static char **callbacks; /* owned, as are its members */
static size_t callback_count, callback_bytes;

static const struct {
	const char *name;
	size_t at;
} switches[] = {
	{ "rotate", offsetof(struct app, rotate) },
	{ "require_pkce", offsetof(struct app, require_pkce) },
	{ "secret_for_code", offsetof(struct app, secret_for_code) },
	{ "secret_for_refresh", offsetof(struct app, secret_for_refresh) },
	{ "introspect", offsetof(struct app, introspect) },
	{ "run_as", offsetof(struct app, run_as) },
	{ "approved", offsetof(struct app, approved) },
	{ "app_access", offsetof(struct app, app_access) },
	{ "app_blocked", offsetof(struct app, app_blocked) },
	{ "user_active", offsetof(struct app, user_active) },
	{ "ip_restricted", offsetof(struct app, ip_restricted) },
	{ "login_rate_exceeded", offsetof(struct app, login_rate_exceeded) },
};

#define SWITCHES (sizeof(switches) / sizeof(switches[0]))

static void set_secret(const char *secret)
{
	snprintf(now.secret, sizeof(now.secret), "%s", secret);
	minted_keep(MINTED_SECRET, now.secret);
}

static bool read_certificate(const char *name)
{
	FILE *file = fopen(name, "re");
	long length = -1;

	if (file) {
		now.certificate = PEM_read_X509(file, NULL, NULL, NULL);
		fseek(file, 0, SEEK_END);
		length = ftell(file);
		fclose(file);
	}
	if (now.certificate && length <= CERTIFICATE_MAX)
		return true;
	fprintf(stderr,
		"leadsync-emulator: %s is no X.509 certificate in PEM of at most %d bytes\n", name,
		CERTIFICATE_MAX);
	return false;
}

bool app_configure(const struct app_options *options)
{
	now = (struct app){
		.id = options->client_id,
		.username = options->username,
		.password = options->password,
		.scopes = "id api web full refresh_token",
		.rotate = options->rotate,
		.secret_for_code = !options->is_public,
		.secret_for_refresh = !options->is_public,
		.introspect = true,
		.run_as = true,
		.approved = true,
		.app_access = true,
		.user_active = true,
	};
	set_secret(options->client_secret);
	minted_keep(MINTED_SECRET, now.password);
	return !options->certificate || read_certificate(options->certificate);
}

const struct app *app(void)
{
	return &now;
}

bool app_add_callback(const char *uri)
{
	size_t length = strlen(uri);

	if (!length || callback_bytes + length > APP_CALLBACKS_MAX)
		return false;
	callbacks = mem_grow(callbacks, (callback_count + 1) * sizeof(*callbacks));
	callbacks[callback_count++] = mem_text(uri, length);
	callback_bytes += length;
	return true;
}

bool app_has_callback(const char *uri)
{
	for (size_t i = 0; i < callback_count; i++)
		if (!uri || strcmp(callbacks[i], uri) == 0)
			return true;
	return false;
}

bool app_lets_in(struct refusal *why)
{
	if (now.app_blocked)
		return refusal_set(why, "app_blocked", "this app is blocked by admin");
	if (now.login_rate_exceeded)
		return refusal_set(why, "rate_limit_exceeded", "Number of logins exceeded");
	if (!now.user_active)
		return refusal_set(why, "invalid_grant", "inactive user");
	if (now.ip_restricted)
		return refusal_set(why, "invalid_grant", "ip restricted");
	if (!now.app_access)
		return refusal_set(why, "invalid_app_access",
				   "user is not admin approved to access this app");
	return true;
}

static bool *find_switch(const char *name)
{
	for (size_t i = 0; i < SWITCHES; i++)
		if (strcmp(switches[i].name, name) == 0)
			return (bool *)((char *)&now + switches[i].at);
	return NULL;
}

static bool check(const char *name, struct json_object *value, const char **why)
{
	char scope[SCOPE_SIZE];
	bool good = false;

	if (find_switch(name)) {
		good = json_object_is_type(value, json_type_boolean);
	} else if (strcmp(name, "idle_limit_s") == 0) {
		good = json_object_is_type(value, json_type_int);
	} else if (strcmp(name, "secret") == 0) {
		good = json_object_is_type(value, json_type_string) &&
		       strlen(json_object_get_string(value)) < sizeof(now.secret);
	} else if (strcmp(name, "redirect_uri") == 0) {
		good = json_object_is_type(value, json_type_string);
	} else if (strcmp(name, "scopes") == 0) {
		good = json_object_is_type(value, json_type_string) &&
		       scope_pick(json_object_get_string(value), json_object_get_string(value),
				  scope);
	} else {
		*why = "unknown switch";
		return false;
	}
	*why = "a switch of another type";
	return good;
}

static void set(const char *name, struct json_object *value)
{
	bool *found = find_switch(name);

	if (found) {
		*found = json_object_get_boolean(value);
	} else if (strcmp(name, "idle_limit_s") == 0) {
		now.idle_limit_s = json_object_get_int64(value);
	} else if (strcmp(name, "secret") == 0) {
		set_secret(json_object_get_string(value));
		grant_kill_all("consumer secret changed");
		session_expire_all();
	} else if (strcmp(name, "scopes") == 0) {
		snprintf(now.scopes, sizeof(now.scopes), "%s", json_object_get_string(value));
	}
}

bool app_switch(struct json_object *from, const char **why)
{
	const char *callback = json_in_text(from, "redirect_uri");

	json_object_object_foreach(from, checked, first)
	{
		if (!check(checked, first, why))
			return false;
	}
	if (callback && !app_has_callback(callback) && !app_add_callback(callback)) {
		*why = "no room for that redirect_uri";
		return false;
	}
	json_object_object_foreach(from, name, value)
	{
		set(name, value);
	}
	if (!now.user_active) { /* a frozen user has no sessions; the grants wait for the thaw */
		session_expire_all();
		browser_end_all();
	}
	return true;
}

void app_write(struct text *out)
{
	text_char(out, '{');
	for (size_t i = 0; i < SWITCHES; i++) {
		text_printf(out, "\"%s\":", switches[i].name);
		text_bool(out, *find_switch(switches[i].name));
		text_char(out, ',');
	}
	text_printf(out, "\"idle_limit_s\":%lld,\"secret\":", (long long)now.idle_limit_s);
	text_json_word(out, now.secret);
	text_printf(out, ",\"scopes\":\"%s\",\"redirect_uris\":[", now.scopes);
	for (size_t i = 0; i < callback_count; i++) {
		if (i)
			text_char(out, ',');
		text_json_word(out, callbacks[i]);
	}
	text_word(out, "]}");
}
