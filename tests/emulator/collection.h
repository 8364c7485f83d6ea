/* collection.h - the records of one collections request, from what came to the results told. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "sfid.h"
#include "text.h"
#include "values.h"

#define COLLECTION_MAX 200

struct call;
struct json_object;
struct problems;
struct sobject;

struct item {
	const struct sobject *of; /* NULL if the id given is none */
	struct values values;
	char id[SFID_SIZE]; /* empty if there is none yet */
	char *given;        /* owned: the id or key as it was given, or NULL */
	bool has_given;     /* null may be given too */
	bool is_created;
	bool shows_id;      /* a failure tells the id as it was given */
	const char *failed; /* the statusCode, or NULL */
	struct text errors; /* of a failure */
};

struct collection {
	struct item *items; /* owned */
	size_t count;
	bool all_or_none;
};

/* Reads a body with records; `id_name` is the member that is no value: the id, or none if NULL.
 * With `of` all records are of that object. False if the call has ended. */
bool collection_read(struct call *call, const struct sobject *of, const char *id_name,
		     struct collection *out);

/* Reads the ids of a DELETE. */
bool collection_read_ids(struct call *call, struct collection *out);
void collection_free(struct collection *in);

void collection_fail(struct item *in, const struct problems *problems);

/* Fails each record whose id or key another one has too; `what` is that, in the message. */
void collection_fail_twins(struct collection *in, const char *what);

/* Ends the transaction, and writes the results; `tells_created` is for upserts. */
void collection_finish(struct call *call, struct collection *in, bool tells_created);
