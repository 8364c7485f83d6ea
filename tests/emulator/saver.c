/* saver.c */
#include "saver.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "call.h"
#include "session.h"

#define DUPLICATE_HEADER_SINCE 52

/* Whether "name=value; name=value" says that this name is true. */
static bool says_true(const char *header, const char *name)
{
	const char *at = header ? strcasestr(header, name) : NULL;

	if (!at)
		return false;
	at += strlen(name);
	while (*at == ' ' || *at == '=')
		at++;
	return strncasecmp(at, "true", 4) == 0;
}

struct saver saver_of(const struct call *call)
{
	const char *assign = call_header(call, "Sforce-Auto-Assign");

	return (struct saver){
		.user = call->session->user,
		.version = call->version,
		.allow_duplicates =
			strtol(call->version + 1, NULL, 10) >= DUPLICATE_HEADER_SINCE &&
			says_true(call_header(call, "Sforce-Duplicate-Rule-Header"), "allowSave"),
		.assign = !assign || strcasecmp(assign, "FALSE") != 0,
	};
}

struct saver saver_person(const char *user)
{
	return (struct saver){ .user = user };
}
