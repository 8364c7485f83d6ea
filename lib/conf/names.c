#include "conf/names.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/str.h"

#define COLUMN_MOST 63 /* as PostgreSQL has it */
#define SECRET_MOST 64
#define FIELD_MOST  80
#define PATH_MOST   4095

bool conf_is_title(const char *text)
{
	if (!isascii((unsigned char)*text) || !isalpha((unsigned char)*text))
		return false;
	for (; *text; text++)
		if (!isascii((unsigned char)*text) ||
		    (!isalnum((unsigned char)*text) && *text != '-' && *text != '_'))
			return false;
	return true;
}

bool conf_is_secret_name(const char *text)
{
	if (!*text || *text == '.' || strlen(text) > SECRET_MOST)
		return false;
	for (; *text; text++)
		if (!isascii((unsigned char)*text) ||
		    (!isalnum((unsigned char)*text) && !strchr("._-", *text)))
			return false;
	return true;
}

bool conf_is_pem(const char *text)
{
	return str_starts_with(text, "-----BEGIN");
}

bool conf_is_pem_rest(const char *text)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	size_t len = strspn(text, base64);

	return str_starts_with(text, "-----END") || (*text && !text[len + strspn(text + len, "=")]);
}

bool conf_is_source(const char *value)
{
	if (str_starts_with(value, "credential:"))
		return conf_is_secret_name(value + strlen("credential:"));
	return str_starts_with(value, "file:/") && strlen(value) <= PATH_MOST + 5;
}

bool conf_is_field_name(const char *text)
{
	return strlen(text) <= FIELD_MOST && str_is_name(text);
}

bool conf_field_name_check(const char *text, struct error *err)
{
	if (conf_is_field_name(text))
		return true;
	if (strchr(text, '.'))
		return error_set(err, ERROR_HUMAN, "conf",
				 "`%.60s` is not of the object itself: expected API names of its "
				 "own fields such as Email or Score__c",
				 text);
	return error_set(err, ERROR_HUMAN, "conf",
			 "expected a field's API name such as Email or Score__c, not `%.60s`",
			 text);
}

bool conf_column_check(const char *text, struct error *err)
{
	if (!str_is_name(text))
		return error_set(err, ERROR_HUMAN, "conf",
				 "`%.60s` is no plain name of a table or column: a letter, then "
				 "letters, digits and _",
				 text);
	if (strlen(text) > COLUMN_MOST)
		return error_set(err, ERROR_HUMAN, "conf", "`%.70s` is longer than %d bytes", text,
				 COLUMN_MOST);
	return true;
}

bool conf_table_check(const char *text, struct error *err)
{
	if (!conf_column_check(text, err))
		return false;
	if (strncasecmp(text, "leadsync_", 9) == 0 || strncasecmp(text, "sqlite_", 7) == 0)
		return error_set(err, ERROR_HUMAN, "conf",
				 "`%.60s`: names that begin with leadsync_ or sqlite_ are taken",
				 text);
	return true;
}
