/* kinds.h - a value's text, checked and put where its key says. */
#pragma once
#include <stdbool.h>

#include "conf/keys.h"

struct error;

/* What a value's meaning may depend on. */
struct conf_kind_context {
	const char *title;  /* its section's name */
	bool loopback_test; /* plain http to loopback is admitted */
};

/* Writes into the struct at `section`. The error's text says what was expected, without the key's
 * name; nothing of a value that may be secret stands in it. */
bool conf_kind_parse(const struct conf_key *key, const char *value,
		     const struct conf_kind_context *context, void *section, struct error *err);

/* Frees what conf_kind_parse() made at that key. */
void conf_kind_done(const struct conf_key *key, void *section);

/* "from 10s to 7d", "error, warning, ...": one line for people; "" if there is nothing to say.
 * free() it. */
char *conf_kind_bounds(const struct conf_key *key);
