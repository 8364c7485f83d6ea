/* remote.h - what a provider of records can do. No code: a provider is a folder that fills in one
 * table.
 *
 * All on the loop. Starts cannot fail; `done` comes once and later, with the handle dead; a cancel
 * means it never comes. Whatever is passed in need only live during the start, except
 * `remote_query`'s mapping, which is shared. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct mapping;
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
};

struct remote_query {
	const char *object;
	struct mapping *mapping;
	enum remote_order order;
	const char *where; /* the operator's condition, verbatim; NULL: none */
	const char
		*after_id; /* BY_ID: ids after this one (NULL: from the start). BY_STAMP: with
			      from_ms, those of that stamp after this id; NULL: all of that stamp */
	int64_t from_ms;   /* BY_STAMP: this stamp and later */
	int64_t until_ms;  /* BY_STAMP: before this stamp */
	bool ids_only;     /* only id, stamp, deletion: values stay null */
	unsigned batch;    /* records a page, a hint; 0: the provider's most */
};

/* `schema` belongs to the remote and is good until the next describe of that object; `server_ms` is
 * the server's clock. `changed` is false if it is the one given last time. */
typedef void remote_schema_fn(const struct schema *schema, bool changed, int64_t server_ms,
			      const struct error *err, void *arg);

/* `page` belongs to the callee (record_page_free); NULL on failure. ERROR_STALE: the position
 * behind `next` is gone, start a new query from the cursor. */
typedef void remote_page_fn(struct record_page *page, const struct error *err, void *arg);

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

	void (*cancel)(struct remote_call *call);

	/* The org the remote is logged in to; "" before the first answer. */
	const char *(*org_id)(struct remote *in);
};

/* A provider embeds this first in its own struct. */
struct remote {
	const struct remote_ops *ops;
};
