#include "conf/kinds.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/loopback.h"
#include "base/mem.h"
#include "base/str.h"
#include "conf/condition.h"
#include "conf/hosts.h"
#include "conf/lists.h"
#include "conf/names.h"
#include "conf/words.h"

#define NAME_MOST 100

static bool refuse(struct error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool refuse(struct error *err, const char *format, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(err, ERROR_HUMAN, "conf", "%s", text);
}

/* The types behind the enums must be as wide as what is written there. */
_Static_assert(sizeof(enum conf_section) == sizeof(int), "enums are ints");

static void put_text(void *at, const char *text)
{
	char *old, *new = mem_strdup(text);

	memcpy(&old, at, sizeof(old));
	free(old);
	memcpy(at, &new, sizeof(new));
}

static bool parse_flag(const struct conf_key *key, const char *value,
		       const struct conf_kind_context *context, void *at, struct error *err)
{
	bool yes = strcmp(value, "yes") == 0;

	(void)key;
	(void)context;
	if (!yes && strcmp(value, "no") != 0)
		return refuse(err, "expected yes or no, not `%.60s`", value);
	memcpy(at, &yes, sizeof(yes));
	return true;
}

static bool parse_word(const struct conf_key *key, const char *value,
		       const struct conf_kind_context *context, void *at, struct error *err)
{
	int word;

	(void)context;
	if (!conf_words_find(key->words, value, &word, err))
		return false;
	memcpy(at, &word, sizeof(word));
	return true;
}

/* Digits only; false if there are none or too many. */
static bool parse_digits(const char *text, size_t len, int64_t *ret)
{
	int64_t number = 0;

	if (!len || len > 12)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (text[i] - '0');
	}
	*ret = number;
	return true;
}

static bool parse_count(const struct conf_key *key, const char *value,
			const struct conf_kind_context *context, void *at, struct error *err)
{
	unsigned count;
	int64_t number;

	(void)context;
	if (!parse_digits(value, strlen(value), &number) || number < key->min || number > key->max)
		return refuse(err, "expected a number from %" PRId64 " to %" PRId64 ", not `%.60s`",
			      key->min, key->max, value);
	count = (unsigned)number;
	memcpy(at, &count, sizeof(count));
	return true;
}

static const struct {
	char name;
	int64_t seconds;
} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

/* In the largest unit that goes evenly. free() it. */
static char *format_duration(int64_t seconds)
{
	for (size_t i = 0; i < UNIT_COUNT; i++)
		if (seconds && seconds % units[i].seconds == 0)
			return mem_format("%" PRId64 "%c", seconds / units[i].seconds,
					  units[i].name);
	return mem_strdup("0s");
}

static bool parse_duration(const struct conf_key *key, const char *value,
			   const struct conf_kind_context *context, void *at, struct error *err)
{
	size_t len = strlen(value);
	int64_t number, seconds = -1;

	(void)context;
	if (parse_digits(value, len, &number))
		return refuse(err, "`%.20s` has no unit: write %.20ss, %.20sm, %.20sh or %.20sd",
			      value, value, value, value, value);
	if (!parse_digits(value, len - 1, &number))
		return refuse(err, "expected a time such as 90s, 5m, 2h or 1d, not `%.60s`", value);
	for (size_t i = 0; i < UNIT_COUNT; i++)
		if (value[len - 1] == units[i].name)
			seconds = number * units[i].seconds;
	if (seconds < 0)
		return refuse(err, "`%.60s` has an unknown unit: use s, m, h or d", value);
	if (seconds < key->min || seconds > key->max) {
		CLEANUP_FREE char *bounds = conf_kind_bounds(key);

		return refuse(err, "`%.60s` is out of bounds: %s", value, bounds);
	}
	memcpy(at, &seconds, sizeof(seconds));
	return true;
}

static bool parse_version(const struct conf_key *key, const char *value,
			  const struct conf_kind_context *context, void *at, struct error *err)
{
	size_t len = strlen(value);
	int64_t number = 0;

	(void)context;
	if (len < 3 || strcmp(value + len - 2, ".0") != 0 || *value == '0' ||
	    !parse_digits(value, len - 2, &number))
		return refuse(err, "expected a version such as 66.0, not `%.60s`", value);
	if (number < key->min || number > key->max)
		return refuse(err, "%.60s is out of bounds: from %" PRId64 ".0 to %" PRId64 ".0",
			      value, key->min, key->max);
	put_text(at, value);
	return true;
}

static bool parse_text(const struct conf_key *key, const char *value,
		       const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)context;
	for (const char *c = value; *c; c++)
		if (!isgraph((unsigned char)*c) || !isascii((unsigned char)*c))
			return refuse(err, "only printable ASCII without blanks is expected");
	if (strlen(value) > (size_t)key->max)
		return refuse(err, "is longer than %" PRId64 " bytes", key->max);
	put_text(at, value);
	return true;
}

static bool check_path(const char *path, size_t most, struct error *err)
{
	if (*path != '/')
		return refuse(err, "expected an absolute path, one that begins with /");
	if (strlen(path) > most)
		return refuse(err, "the path is longer than %zu bytes", most);
	return true;
}

static bool parse_path(const struct conf_key *key, const char *value,
		       const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)context;
	if (!check_path(value, (size_t)key->max, err))
		return false;
	put_text(at, value);
	return true;
}

static bool parse_program(const struct conf_key *key, const char *value,
			  const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)context;
	if (!check_path(value, (size_t)key->max, err))
		return false;
	if (value[strcspn(value, " \t")])
		return refuse(err,
			      "expected a program's path alone: no blank and no argument; what "
			      "else it needs belongs into a script of its own");
	put_text(at, value);
	return true;
}

static bool parse_seal_key(const struct conf_key *key, const char *value,
			   const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)key;
	(void)context;
	if (!conf_is_source(value))
		return refuse(err, "expected credential:NAME or file:/PATH; the key itself never "
				   "stands in this file: `leadsync key init` makes one");
	put_text(at, value);
	return true;
}

/* vault, vault:NAME, or a source outside of it. */
static bool is_place_of_secret(const char *value)
{
	if (str_starts_with(value, "vault:"))
		return conf_is_secret_name(value + strlen("vault:"));
	return strcmp(value, "vault") == 0 || conf_is_source(value);
}

static bool parse_secret(const struct conf_key *key, const char *value,
			 const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)key;
	if (!is_place_of_secret(value))
		return refuse(err,
			      "expected vault, vault:NAME, credential:NAME or file:/PATH; a secret "
			      "never stands in this file: write vault, and type the secret in with "
			      "`leadsync secret set %s`",
			      context->title);
	put_text(at, value);
	return true;
}

static bool parse_private_key(const struct conf_key *key, const char *value,
			      const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)key;
	if (!is_place_of_secret(value))
		return refuse(err,
			      "expected vault, vault:NAME, credential:NAME or file:/PATH; a key "
			      "never stands in this file: write vault, and hand the key in with "
			      "`leadsync secret set %s < KEY.pem`",
			      context->title);
	put_text(at, value);
	return true;
}

/* https, and in tests http to loopback. */
static bool check_scheme(const struct conf_url *url, const struct conf_kind_context *context,
			 struct error *err)
{
	if (strcmp(url->scheme, "https") == 0)
		return true;
	if (strcmp(url->scheme, "http") != 0 || !conf_url_is_loopback(url))
		return refuse(err, "expected https://HOST");
	return context->loopback_test ||
	       refuse(err, "plain http is for tests: it needs loopback_test = yes in [daemon]; "
			   "otherwise https://HOST is expected");
}

static bool parse_login_url(const struct conf_key *key, const char *value,
			    const struct conf_kind_context *context, void *at, struct error *err)
{
	CLEANUP_FREE char *text = NULL;
	struct conf_url url;

	(void)key;
	if (!conf_url_parse(value, &url, err) || !check_scheme(&url, context, err))
		return false;
	text = conf_url_format(&url);
	put_text(at, text);
	return true;
}

/* The login page of a site stands below a path; the slash at its end does not count. */
static bool parse_audience(const struct conf_key *key, const char *value,
			   const struct conf_kind_context *context, void *at, struct error *err)
{
	CLEANUP_FREE char *base = NULL, *text = NULL;
	struct conf_url url;
	const char *rest;
	size_t len;

	(void)key;
	if (!conf_url_split(value, &url, &rest, err) || !check_scheme(&url, context, err))
		return false;
	if (*rest && !conf_is_url_path(rest))
		return refuse(err, "expected https://HOST or https://HOST/PATH and nothing behind "
				   "it");
	for (len = strlen(rest); len && rest[len - 1] == '/';)
		len--;
	base = conf_url_format(&url);
	text = mem_format("%s%.*s", base, (int)len, rest);
	put_text(at, text);
	return true;
}

/* What the listener takes; or another's page, whose address is pasted. */
static bool is_redirect(const struct conf_url *url, const char *rest, const char *value)
{
	struct loopback at;
	struct error unused;

	if (strcmp(url->scheme, "https") == 0)
		return !*rest || conf_is_url_path(rest);
	return loopback_parse(value, &at, &unused);
}

static bool parse_redirect_uri(const struct conf_key *key, const char *value,
			       const struct conf_kind_context *context, void *at, struct error *err)
{
	CLEANUP_FREE char *base = NULL;
	struct conf_url url;
	const char *rest;

	(void)context;
	if (!conf_url_split(value, &url, &rest, err))
		return false;
	if (strlen(value) > (size_t)key->max)
		return refuse(err, "is longer than %" PRId64 " bytes", key->max);
	base = conf_url_format(&url);
	if (!str_starts_with(value, base))
		return refuse(err,
			      "write %s in lower case: the app's callback URLs are compared to the "
			      "letter",
			      base);
	if (!is_redirect(&url, rest, value))
		return refuse(err,
			      "expected http://localhost:PORT/PATH (or 127.0.0.1, or [::1]) with a "
			      "port from 1024 to 65535 and a path of letters, digits, '-._~' and "
			      "single slashes, or, for logins by paste only, an https URL; no "
			      "query, no fragment");
	put_text(at, value);
	return true;
}

static bool parse_username(const struct conf_key *key, const char *value,
			   const struct conf_kind_context *context, void *at, struct error *err)
{
	const char *sign = strchr(value, '@');

	if (!sign || sign == value || !sign[1])
		return refuse(err,
			      "expected a Salesforce username, which has the form of an e-mail "
			      "address, such as sync@acme.example");
	return parse_text(key, value, context, at, err);
}

static bool parse_proxy(const struct conf_key *key, const char *value,
			const struct conf_kind_context *context, void *at, struct error *err)
{
	CLEANUP_FREE char *text = NULL;
	struct conf_url url;

	(void)key;
	(void)context;
	if (!conf_url_parse(value, &url, err))
		return false;
	if ((strcmp(url.scheme, "http") != 0 && strcmp(url.scheme, "https") != 0) || !url.port)
		return refuse(err, "expected http://HOST:PORT or https://HOST:PORT");
	text = conf_url_format(&url);
	put_text(at, text);
	return true;
}

_Static_assert(sizeof(struct conf_list) == sizeof(char **) + sizeof(size_t),
	       "as the sections have it");

/* The key may be repeated: what is there already stays. */
static bool parse_hosts(const struct conf_key *key, const char *value,
			const struct conf_kind_context *context, void *at, struct error *err)
{
	struct conf_list hosts;

	(void)key;
	(void)context;
	memcpy(&hosts, at, sizeof(hosts));
	if (!conf_list_add_hosts(&hosts, value, err))
		return false;
	memcpy(at, &hosts, sizeof(hosts));
	return true;
}

static bool parse_fields(const struct conf_key *key, const char *value,
			 const struct conf_kind_context *context, void *at, struct error *err)
{
	struct conf_list fields = { 0 };

	(void)key;
	(void)context;
	if (!conf_list_add_fields(&fields, value, err))
		return false;
	memcpy(at, &fields, sizeof(fields));
	return true;
}

static bool parse_field(const struct conf_key *key, const char *value,
			const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)key;
	(void)context;
	if (!conf_field_name_check(value, err))
		return false;
	put_text(at, value);
	return true;
}

static bool parse_name(const struct conf_key *key, const char *value,
		       const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)key;
	(void)context;
	if (!str_is_name(value) || strlen(value) > NAME_MOST)
		return refuse(err, "expected an API name such as Contact or Thing__c, not `%.60s`",
			      value);
	put_text(at, value);
	return true;
}

static bool parse_column(const struct conf_key *key, const char *value,
			 const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)key;
	(void)context;
	if (!conf_column_check(value, err))
		return false;
	put_text(at, value);
	return true;
}

static bool parse_table(const struct conf_key *key, const char *value,
			const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)key;
	(void)context;
	if (!conf_table_check(value, err))
		return false;
	put_text(at, value);
	return true;
}

static bool parse_title(const struct conf_key *key, const char *value,
			const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)context;
	if (!conf_is_title(value))
		return refuse(err, "expected the name of an [%s NAME] section, not `%.60s`",
			      key->name, value);
	put_text(at, value);
	return true;
}

static bool parse_condition(const struct conf_key *key, const char *value,
			    const struct conf_kind_context *context, void *at, struct error *err)
{
	(void)key;
	(void)context;
	if (!conf_condition_check(value, err))
		return false;
	put_text(at, value);
	return true;
}

typedef bool parse_fn(const struct conf_key *key, const char *value,
		      const struct conf_kind_context *context, void *at, struct error *err);

static const struct {
	parse_fn *parse;
	bool is_text; /* a char * that is ours to free */
} kinds[] = {
	[CONF_KIND_FLAG] = { parse_flag, false },
	[CONF_KIND_WORD] = { parse_word, false },
	[CONF_KIND_COUNT] = { parse_count, false },
	[CONF_KIND_DURATION] = { parse_duration, false },
	[CONF_KIND_VERSION] = { parse_version, true },
	[CONF_KIND_TEXT] = { parse_text, true },
	[CONF_KIND_PATH] = { parse_path, true },
	[CONF_KIND_PROGRAM] = { parse_program, true },
	[CONF_KIND_SEAL_KEY] = { parse_seal_key, true },
	[CONF_KIND_SECRET] = { parse_secret, true },
	[CONF_KIND_PRIVATE_KEY] = { parse_private_key, true },
	[CONF_KIND_LOGIN_URL] = { parse_login_url, true },
	[CONF_KIND_AUDIENCE] = { parse_audience, true },
	[CONF_KIND_REDIRECT_URI] = { parse_redirect_uri, true },
	[CONF_KIND_USERNAME] = { parse_username, true },
	[CONF_KIND_PROXY] = { parse_proxy, true },
	[CONF_KIND_HOSTS] = { parse_hosts, false },
	[CONF_KIND_NAME] = { parse_name, true },
	[CONF_KIND_FIELD] = { parse_field, true },
	[CONF_KIND_FIELDS] = { parse_fields, false },
	[CONF_KIND_COLUMN] = { parse_column, true },
	[CONF_KIND_TABLE] = { parse_table, true },
	[CONF_KIND_TITLE] = { parse_title, true },
	[CONF_KIND_CONDITION] = { parse_condition, true },
};

bool conf_kind_parse(const struct conf_key *key, const char *value,
		     const struct conf_kind_context *context, void *section, struct error *err)
{
	return kinds[key->kind].parse(key, value, context, (char *)section + key->offset, err);
}

void conf_kind_done(const struct conf_key *key, void *section)
{
	void *at = (char *)section + key->offset;

	if (kinds[key->kind].is_text) {
		char *text;

		memcpy(&text, at, sizeof(text));
		free(text);
	} else if (key->kind == CONF_KIND_HOSTS || key->kind == CONF_KIND_FIELDS) {
		struct conf_list list;

		memcpy(&list, at, sizeof(list));
		conf_list_done(&list);
	}
}

char *conf_kind_bounds(const struct conf_key *key)
{
	if (key->kind == CONF_KIND_DURATION) {
		CLEANUP_FREE char *min = format_duration(key->min);
		CLEANUP_FREE char *max = format_duration(key->max);

		return mem_format("from %s to %s", min, max);
	}
	if (key->kind == CONF_KIND_COUNT)
		return mem_format("from %" PRId64 " to %" PRId64, key->min, key->max);
	if (key->kind == CONF_KIND_VERSION)
		return mem_format("from %" PRId64 ".0 to %" PRId64 ".0", key->min, key->max);
	if (key->kind == CONF_KIND_FLAG)
		return mem_strdup("yes or no");
	if (key->kind == CONF_KIND_WORD)
		return conf_words_list(key->words);
	return mem_strdup("");
}
