/* sf_page.h - the answer of a query, from bytes as they arrive to a page of records.
 *
 * The answer is never held whole: each record's bytes are found, parsed by themselves and dropped.
 * Complete or nothing: no page comes out of an answer that is cut, goes on behind its end, lacks
 * what was asked for, or promises more without bringing any. One bad value spoils its record only
 * (record.reject). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "record/value.h"

struct error;
struct mapping;
struct record_page;
struct sf_page;

/* What a query asked for besides the fields of its mapping. */
struct sf_shape {
	const char *stamp_field; /* NULL: none; borrowed, as all texts here */
	bool has_deleted;        /* IsDeleted */
	bool has_master;         /* MasterRecordId */
	bool has_modified;       /* LastModifiedDate */
	bool has_modifier;       /* LastModifiedById, to be compared with */
	const char *user_id; /* our user's, in 18 characters: must live as long as the page, and may
				be written until its first bytes come. NULL: not known */
	const char *key_field; /* NULL: none */
	enum value_type key_type;
	int key_scale;
	bool ids_only; /* none of the mapping's fields */
};

/* Both are good for as long as needed: the mapping is shared, the shape copied, but
 * for the user_id. */
struct sf_page *sf_page_new(struct mapping *mapping, const struct sf_shape *shape);
void sf_page_free(struct sf_page *in);
CLEANUP_DEFINE(struct sf_page, sf_page_free)

/* The next bytes, in pieces of any size. False: the answer is not what Salesforce sends
 * (ERROR_RETRY code not-json or protocol); feed no more. */
bool sf_page_feed(struct sf_page *in, const char *bytes, size_t len, struct error *err);

/* After the last byte: the page, now the caller's, its `next` the server's path; NULL if the answer
 * is not whole. Once. */
struct record_page *sf_page_end(struct sf_page *in, struct error *err);
