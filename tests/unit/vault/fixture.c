#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <sqlite3.h>
#include <systemd/sd-id128.h>

static const char instance_url[] = "https://acme.my.salesforce.com";
static const char org_id[] = "00D000000000001EAA";

struct keyring *ring_of(const struct place *place, const char *keys)
{
	struct error err;
	struct keyring *ring;

	write_file(PATH_IN(place, "seal.key"), keys, strlen(keys));
	ring = keyring_load(PATH_IN(place, "seal.key"), PATH_IN(place, "state"), &err);
	if (!ring)
		fail_msg("%s", err.text);
	return ring;
}

struct vault *must_open(const struct place *place, struct keyring *ring)
{
	struct error err;
	struct vault *vault = vault_open(PATH_IN(place, "state"), ring, &err);

	if (!vault)
		fail_msg("%s", err.text);
	return vault;
}

void set_secret(struct vault *vault, const char *name, const char *text)
{
	struct error err;
	CLEANUP(secret_free) struct secret *value = secret_new(text, strlen(text));

	if (!vault_secret_set(vault, name, value, &err))
		fail_msg("%s", err.text);
}

struct vault_token token_of(const char *access, const char *refresh)
{
	return (struct vault_token){
		.access_token = secret_new(access, strlen(access)),
		.refresh_token = refresh ? secret_new(refresh, strlen(refresh)) : NULL,
		.instance_url = mem_strdup(instance_url),
		.org_id = mem_strdup(org_id),
		.user_id = mem_strdup("005000000000001AAA"),
		.scope = refresh ? mem_strdup("api refresh_token") : NULL,
		.obtained_ms = 1000,
		.source = mem_strdup("https://login.example client"),
		.expires_ms = 2000,
	};
}

uint64_t put_token(struct vault *vault, const char *account, const char *access,
		   const char *refresh)
{
	struct vault_token token = token_of(access, refresh);
	struct error err;
	uint64_t generation;

	if (!vault_token_put(vault, account, &token, &err))
		fail_msg("%s", err.text);
	generation = token.generation;
	vault_token_done(&token);
	return generation;
}

void assert_token(struct vault *vault, const char *account, const char *access, const char *refresh,
		  uint64_t generation)
{
	struct vault_token token;
	struct error err;
	bool found;

	if (!vault_token_get(vault, account, &token, &found, &err))
		fail_msg("%s", err.text);
	assert_true(found);
	assert_secret(token.access_token, access, strlen(access));
	if (refresh) {
		assert_secret(token.refresh_token, refresh, strlen(refresh));
		assert_string_equal(token.scope, "api refresh_token");
	} else {
		assert_null(token.refresh_token);
		assert_null(token.scope);
	}
	assert_string_equal(token.instance_url, instance_url);
	assert_string_equal(token.org_id, org_id);
	assert_string_equal(token.user_id, "005000000000001AAA");
	assert_int_equal(token.obtained_ms, 1000);
	assert_int_equal(token.expires_ms, 2000);
	assert_int_equal(token.generation, generation);
	vault_token_done(&token);
	assert_null(token.access_token);
}

/* By SQLite itself, with the vault closed. */
void change_row(const struct place *place, const char *sql)
{
	sqlite3 *other;

	assert_int_equal(sqlite3_open(PATH_IN(place, "state/state.db"), &other), SQLITE_OK);
	if (sqlite3_exec(other, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(other));
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
}

unsigned char *read_all(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "r");
	unsigned char *bytes;
	struct stat st;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	bytes = mem_zeroed(1, (size_t)st.st_size + 1);
	*ret_len = fread(bytes, 1, (size_t)st.st_size, file);
	fclose(file);
	return bytes;
}

static bool holds(const char *path, const char *form)
{
	size_t len;
	CLEANUP_FREE unsigned char *bytes = read_all(path, &len);

	return memmem(bytes, len, form, strlen(form)) != NULL;
}

/* Base64 shows a text in three ways, by where in a group of three it begins; the first and last
 * characters depend on the neighbours. */
static void base64_core(const char *text, size_t shift, int variant, char out[200])
{
	char shifted[100] = "", coded[200];
	size_t len = strlen(text) + shift, whole;

	memcpy(shifted + shift, text, strlen(text));
	sodium_bin2base64(coded, sizeof(coded), (unsigned char *)shifted, len, variant);
	whole = len / 3 * 4;
	coded[whole] = '\0';
	snprintf(out, 200, "%s", coded + (shift ? 4 : 0));
}

static size_t hits_in_file(const char *path, const char *canary)
{
	char hex[200], form[200];
	size_t hits = holds(path, canary);

	sodium_bin2hex(hex, sizeof(hex), (const unsigned char *)canary, strlen(canary));
	hits += holds(path, hex);
	for (char *at = hex; *at; at++)
		*at = *at >= 'a' ? (char)(*at - 'a' + 'A') : *at;
	hits += holds(path, hex);
	for (size_t shift = 0; shift < 3; shift++) {
		base64_core(canary, shift, sodium_base64_VARIANT_ORIGINAL, form);
		hits += holds(path, form);
		base64_core(canary, shift, sodium_base64_VARIANT_URLSAFE, form);
		hits += holds(path, form);
	}
	return hits;
}

size_t hits_in_state(const struct place *place, const char *canary)
{
	DIR *folder = opendir(PATH_IN(place, "state"));
	size_t hits = 0, files = 0;

	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		char path[PATH_SIZE + 256];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", PATH_IN(place, "state"), entry->d_name);
		hits += hits_in_file(path, canary);
		files++;
	}
	closedir(folder);
	assert_true(files >= 2); /* the database and the lock, if nothing else */
	return hits;
}

static const char *machine = "here";

void be_machine(const char *name)
{
	machine = name;
}

/* libsystemd's question, answered here: the id is the name's own bytes. */
int sd_id128_get_machine_app_specific(sd_id128_t app_id, sd_id128_t *ret)
{
	(void)app_id;
	if (!*machine)
		return -ENOENT;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, machine, strlen(machine));
	return 0;
}

int64_t ask_row(const struct place *place, const char *sql)
{
	sqlite3_stmt *s;
	sqlite3 *other;
	int64_t answer;

	assert_int_equal(sqlite3_open(PATH_IN(place, "state/state.db"), &other), SQLITE_OK);
	if (sqlite3_prepare_v2(other, sql, -1, &s, NULL) != SQLITE_OK ||
	    sqlite3_step(s) != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(other));
	answer = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	return answer;
}

void assert_marks(const struct place *place, const char *want)
{
	size_t len;
	CLEANUP_FREE unsigned char *text = read_all(PATH_IN(place, "state/marks"), &len);

	assert_string_equal((char *)text, want);
}

struct vault_account account_of(struct vault *vault, const char *account)
{
	struct vault_account about;
	struct error err;

	if (!vault_account_get(vault, account, &about, &err))
		fail_msg("%s", err.text);
	return about;
}

int64_t queue(struct vault *vault, const char *account, const char *text)
{
	CLEANUP(secret_free) struct secret *token = secret_new(text, strlen(text));
	struct vault_revocation last = { 0 };
	struct error err;
	bool found = true;
	int64_t id = 0;

	if (!vault_revocation_add(vault, account, "source", token, 3000, &err))
		fail_msg("%s", err.text);
	for (;;) {
		assert_true(vault_revocation_next(vault, id, &last, &found, &err));
		if (!found)
			return id;
		id = last.id;
		vault_revocation_done(&last);
	}
}

void assert_queued(struct vault *vault, int64_t after, const char *account, const char *text)
{
	struct vault_revocation next;
	struct error err;
	bool found;

	if (!vault_revocation_next(vault, after, &next, &found, &err))
		fail_msg("%s", err.text);
	assert_int_equal(found, text != NULL);
	if (!text)
		return;
	assert_string_equal(next.account, account);
	assert_secret(next.token, text, strlen(text));
	vault_revocation_done(&next);
}
