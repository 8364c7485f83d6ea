/* keys.h - the one table of what a conf file can say: sections, and the keys in them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_section {
	CONF_DAEMON,
	CONF_ACCOUNT,
	CONF_STORE,
	CONF_JOB,
	CONF_FIELDS,
	CONF_SECTION_COUNT /* none of them */
};

/* What a value is, and the type of the field it goes to. */
enum conf_kind {
	CONF_KIND_FLAG,         /* bool: yes, no */
	CONF_KIND_WORD,         /* an enum: one of `words` */
	CONF_KIND_COUNT,        /* unsigned, from min to max */
	CONF_KIND_DURATION,     /* int64_t seconds, from min to max: 90s, 5m, 2h, 1d */
	CONF_KIND_VERSION,      /* char *: "66.0", from min to max */
	CONF_KIND_TEXT,         /* char *: printable ASCII without blanks, at most max bytes */
	CONF_KIND_PATH,         /* char *: absolute, at most max bytes */
	CONF_KIND_PROGRAM,      /* char *: as that, without blanks */
	CONF_KIND_SEAL_KEY,     /* char *: credential:NAME, file:PATH */
	CONF_KIND_SECRET,       /* char *: as that, and vault, vault:NAME; never shown */
	CONF_KIND_PRIVATE_KEY,  /* char *: as that */
	CONF_KIND_LOGIN_URL,    /* char * */
	CONF_KIND_AUDIENCE,     /* char *: as that, a path may follow */
	CONF_KIND_REDIRECT_URI, /* char * */
	CONF_KIND_USERNAME,     /* char *: at most max bytes */
	CONF_KIND_PROXY,        /* char * */
	CONF_KIND_HOSTS,        /* char ** and, behind it, size_t; the key may be repeated */
	CONF_KIND_NAME,         /* char *: an object's API name */
	CONF_KIND_FIELD,        /* char *: a field's API name, of the object itself */
	CONF_KIND_FIELDS,       /* char ** and, behind it, size_t: one or several of them */
	CONF_KIND_COLUMN,       /* char * */
	CONF_KIND_TABLE,        /* char *: none of the ledger's */
	CONF_KIND_TITLE,        /* char *: the name of another section */
	CONF_KIND_CONDITION,    /* char *: of SOQL */
};

struct conf_word {
	const char *name; /* NULL ends the list */
	int value;
};

/* A set of an account's flows (enum conf_flow). */
#define CONF_IN(flow) (1u << (flow))

struct conf_key {
	enum conf_section section;
	const char *name;
	enum conf_kind kind;
	size_t offset;       /* in the section's struct */
	bool required;       /* then `preset` is NULL */
	unsigned flows;      /* of an account: those it belongs to; 0: all of them */
	unsigned needed_in;  /* those in which it is required */
	const char *preset;  /* the default as text; NULL: none */
	const char *example; /* for the listing, where there is no default */
	int64_t min, max;    /* as the kind says; 0, 0: none */
	const struct conf_word *words;
	const char *help;
};

extern const struct conf_key conf_keys[];
extern const size_t conf_key_count;

/* NULL: there is none of that name. */
const struct conf_key *conf_key_find(enum conf_section section, const char *name);

struct conf_section_row {
	const char *word;
	const char *example; /* of the name in [account NAME]; NULL: it takes none */
	const char *help;
};
extern const struct conf_section_row conf_sections[CONF_SECTION_COUNT];
