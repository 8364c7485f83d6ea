/* saver.h - who saves a record, and what he asks of the org's rules. */
#pragma once
#include <stdbool.h>

struct call;

struct saver {
	const char *user;
	const char
		*version; /* "v66.0"; NULL: not over the API, and then no rule stands in the way */
	bool allow_duplicates; /* those an alert tells of; a block stays one */
	bool assign;           /* the active assignment rule may give the record away */
};

/* The caller of a REST request, with its headers Sforce-Duplicate-Rule-Header (from v52 on) and
 * Sforce-Auto-Assign. */
struct saver saver_of(const struct call *call);

/* A person in front of the user interface, whom no test's rule hinders. */
struct saver saver_person(const char *user);
