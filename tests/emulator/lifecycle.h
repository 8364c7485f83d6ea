/* lifecycle.h - what happens to records but by no REST verb: undelete, purge, merge, conversion. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "sfid.h"

struct problems;
struct sobject;

bool lifecycle_undelete(const struct sobject *of, const char *id, const char *user,
			struct problems *err);

/* Out of the recycle bin for good; the delete log keeps it. */
bool lifecycle_purge(const struct sobject *of, const char *id, struct problems *err);

/* One loser into the winner: it is deleted, its MasterRecordId is set, its children move. */
bool lifecycle_merge(const struct sobject *of, const char *winner, const char *loser,
		     const char *user, struct problems *err);

struct lifecycle_conversion {
	const char *lead;
	const char *account; /* NULL: a new one */
	const char *contact; /* NULL: a new one */
	const char *user;
	bool with_opportunity;
};

struct lifecycle_converted {
	char account[SFID_SIZE], contact[SFID_SIZE], opportunity[SFID_SIZE];
};

bool lifecycle_convert(const struct lifecycle_conversion *how, struct lifecycle_converted *out,
		       struct problems *err);
