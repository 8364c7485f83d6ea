/* scope.c */
#include "scope.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *word;
	const char *label;
} known[] = {
	{ "id", "Access the identity URL service" },
	{ "api", "Manage user data via APIs" },
	{ "web", "Manage user data via Web browsers" },
	{ "full", "Full access" },
	{ "chatter_api", "Access Connect REST API resources" },
	{ "content", "Access content resources" },
	{ "lightning", "Access Lightning applications" },
	{ "pardot_api", "Manage Pardot services" },
	{ "sfap_api", "Access the Salesforce API Platform" },
	{ "refresh_token", "Perform requests at any time" },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

static bool is_word(const char *at, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(at, word, length) == 0;
}

bool scope_has(const char *scope, const char *word)
{
	for (const char *at = scope; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");

		if (is_word(at, length, word))
			return true;
		at += length;
	}
	return false;
}

bool scope_opens(const char *scope, const char *word)
{
	return scope_has(scope, word) ||
	       (strcmp(word, "refresh_token") != 0 && scope_has(scope, "full"));
}

static void write(const bool given[KNOWN], char out[SCOPE_SIZE])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < KNOWN; i++)
		if (given[i])
			used += (size_t)snprintf(out + used, SCOPE_SIZE - used, "%s%s",
						 used ? " " : "", known[i].word);
}

bool scope_pick(const char *asked, const char *allowed, char out[SCOPE_SIZE])
{
	bool given[KNOWN] = { false };

	for (const char *at = asked + strspn(asked, " "); *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " "), i = 0;

		while (i < KNOWN && !is_word(at, length, known[i].word) &&
		       !(is_word(at, length, "offline_access") &&
			 strcmp(known[i].word, "refresh_token") == 0))
			i++;
		if (i == KNOWN || !scope_has(allowed, known[i].word))
			return false;
		given[i] = true;
		at += length;
	}
	write(given, out);
	return true;
}

void scope_without(const char *from, const char *taken, char out[SCOPE_SIZE])
{
	bool given[KNOWN];

	for (size_t i = 0; i < KNOWN; i++)
		given[i] = scope_has(from, known[i].word) && !scope_has(taken, known[i].word);
	write(given, out);
}

bool scope_covers(const char *many, const char *few)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (scope_has(few, known[i].word) && !scope_has(many, known[i].word))
			return false;
	return true;
}

const char *scope_label(const char *word)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (strcmp(known[i].word, word) == 0)
			return known[i].label;
	return word;
}

const char *scope_word(unsigned number)
{
	return number < KNOWN ? known[number].word : NULL;
}
