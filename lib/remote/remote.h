/* remote.h - what a provider of records can do: a provider is a folder that fills in one table.
 *
 * All on the loop. Starts cannot fail; `done` comes once and later, with the handle dead; a cancel
 * means it never comes. Whatever is passed in need only live during the start, except
 * `remote_query`'s mapping, which is shared. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/mem.h"
#include "record/value.h"

struct mapping;
struct mapping_field;
struct record_page;
struct remote;
struct remote_call;
struct schema;

/* Where reading goes on, and how far. Every read is a keyset over a total order, so that it can be
 * begun again anywhere. */
enum remote_order {
	REMOTE_BY_ID,    /* all that live now, in the server's order of ids: first loads and full
			    compares */
	REMOTE_BY_STAMP, /* what changed, deletions included, in order of (stamp, id) */
	REMOTE_PICKED, /* those with a certain value in a certain field, deletions included, in any
			    order */
};

struct remote_query {
	const char *object;
	struct mapping *mapping;
	enum remote_order order;
	const char *where;      /* the operator's condition, verbatim; NULL: none */
	const char *after_id;   /* BY_ID: ids after this one (NULL: from the start). BY_STAMP: with
			      from_ms, those of that stamp after this id; NULL: all of that stamp */
	int64_t from_ms;        /* BY_STAMP: this stamp and later */
	int64_t until_ms;       /* BY_STAMP: before this stamp */
	const char *pick_field; /* PICKED: ids if NULL; text compares without case */
	const struct value *picks; /* PICKED: at least one */
	size_t pick_count;         /* too many for a request, or one too long for any: ERROR_RETRY
				      code query-too-long */
	const char *key_field;     /* read into record.key; NULL: none */
	bool ids_only;             /* only id, stamp, deletion: values and key stay null */
	unsigned batch;            /* records a page, a hint; 0: the provider's most */
};

/* `schema` belongs to the remote and is good until the next describe of that object; `server_ms` is
 * the server's clock. `changed` is false if it is the one given last time. */
typedef void remote_schema_fn(const struct schema *schema, bool changed, int64_t server_ms,
			      const struct error *err, void *arg);

/* `page` belongs to the callee (record_page_free); NULL on failure. ERROR_STALE: the position
 * behind `next` is gone, start a new query from the cursor. */
typedef void remote_page_fn(struct record_page *page, const struct error *err, void *arg);

/* --- writing --- */

#define REMOTE_WRITE_MOST 200 /* changes a request */

enum remote_operation {
	REMOTE_CREATE, /* not to be repeated if unanswered: it may have been done */
	REMOTE_UPDATE,
	REMOTE_UPSERT, /* by key: may be repeated */
	REMOTE_DELETE,
};

/* Of one record; all borrowed. */
struct remote_change {
	const char *id;             /* of update and delete: 18 characters; else NULL */
	const char *key;            /* of upsert: canonical text; else NULL */
	const struct value *values; /* one per field of the mapping, canonical; */
	const bool *set;            /* those that travel. Neither is looked at for a delete */
};

struct remote_batch {
	enum remote_operation operation;
	const char *object;
	const char *key_field; /* of upsert: a unique external id field; else NULL */
	struct mapping *mapping;
	const struct remote_change *changes;
	size_t count;
};

/* What became of one change. */
enum remote_outcome {
	REMOTE_DONE,
	REMOTE_GONE, /* of a delete: it was deleted before, or our user cannot see it; `err` says */
	REMOTE_REFUSED, /* `err` says what to do; nothing of this change was written */
};

struct remote_result {
	enum remote_outcome outcome;
	char id[19];  /* of what is done or gone; else "" */
	bool created; /* done, by a create or an upsert */
	struct error
		err; /* unless done. ERROR_RETRY: may be sent again; ERROR_RECORD, ERROR_FIELD */
	const char **fields; /* with ERROR_FIELD, those of the mapping that were sent and are to be
				set aside; else what the server names. In the results' arena */
	size_t field_count;
	char holder[19]; /* the record that has a value which must be unique; "" if not told. Read
			    from words for people: to be looked at before it is believed */
};

struct remote_results {
	struct arena *arena;           /* which holds this struct, too */
	struct remote_result *records; /* one a change, in their order */
	size_t count;
};
static inline void remote_results_free(struct remote_results *in)
{
	if (in)
		arena_free(in->arena);
}
CLEANUP_DEFINE(struct remote_results, remote_results_free)

/* How a write ended as a whole. */
enum remote_end {
	REMOTE_ANSWERED, /* each change by itself */
	REMOTE_NOT_DONE, /* nothing of it was done, nor will be */
	REMOTE_UNKNOWN,  /* it may have been done, or may yet be */
};

struct remote_written {
	enum remote_end end;
	struct remote_results *results; /* ANSWERED: the callee's; else NULL */
	int64_t server_ms;              /* the server's clock when it answered; 0: not told */
	const struct error *err;        /* unless answered. ERROR_RETRY code batch-too-large: the
					   first `at` changes fit, send those first. ERROR_RECORD,
					   ERROR_FIELD: change `at` (field `field`) is at fault, or
					   if `at` is the count, one of them is */
	size_t at;
	const struct mapping_field *field; /* NULL if it is none in particular */
};
typedef void remote_written_fn(const struct remote_written *written, void *arg);

struct remote_ops {
	/* The fields of `object` as our user sees them. Whoever maps Owner.Email asks for User too.
	 */
	struct remote_call *(*describe)(struct remote *in, const char *object,
					remote_schema_fn *done, void *arg);

	/* What describe learned last; NULL if never asked. */
	const struct schema *(*schema)(struct remote *in, const char *object);

	/* First page of a query. */
	struct remote_call *(*read)(struct remote *in, const struct remote_query *query,
				    remote_page_fn *done, void *arg);

	/* The page behind `next` of an earlier page, with that page's mapping. */
	struct remote_call *(*read_more)(struct remote *in, struct mapping *mapping,
					 const char *next, remote_page_fn *done, void *arg);

	/* All changes in one request. Never repeated here unless it is certain that nothing was
	 * done. NULL: a provider that is only read. */
	struct remote_call *(*write)(struct remote *in, const struct remote_batch *batch,
				     remote_written_fn *done, void *arg);

	/* A write that was begun is REMOTE_UNKNOWN then. */
	void (*cancel)(struct remote_call *call);

	/* The org the remote is logged in to; "" before the first answer. */
	const char *(*org_id)(struct remote *in);
};

/* A provider embeds this first in its own struct. */
struct remote {
	const struct remote_ops *ops;
};
