/* sf_write.h - a batch of changes as one request of sObject Collections.
 *
 *   create  POST   .../composite/sobjects
 *   update  PATCH  .../composite/sobjects                  each record with its "id"
 *   upsert  PATCH  .../composite/sobjects/OBJECT/KEYFIELD  each record with the key
 *   delete  DELETE .../composite/sobjects?ids=...
 *
 * Never all or none, so that one bad record does not hold up the others. Only what is set travels:
 * a field sent with the value it has would still move the record's stamp, and null clears. Without
 * "Sforce-Auto-Assign: FALSE" the org's assignment rules run and may change the owner; "Sforce-Mru"
 * keeps what we write out of the user's recent items.
 *
 * One literal that is not of its field's type would fail the whole request, and so would one id or
 * key that stands in it twice fail both records: both are found before anything is sent.
 * (REST API Developer Guide: "sObject Collections", "Assignment Rule Header", "Most Recently Used
 * Header".) */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "remote/remote.h"

#define SF_WRITE_MOST_BYTES ((size_t)6 * 1024 * 1024)

struct sf_write {
	const char *method;
	char *path;                 /* below the instance_url; owned */
	const char *const *headers; /* beside those every call has; NULL-terminated */
	char *body;                 /* owned; NULL for a delete */
	size_t body_len;
};

/* What the building of a request stumbled over. */
struct sf_write_stop {
	size_t at; /* which change; batch->count if it is none in particular */
	const struct mapping_field *field; /* the mapping's; NULL if it is none in particular */
};

/* What is wrong is told by `err` and `ret_stop`, which is set only then:
 *
 *   ERROR_FIELD bad-value          a value is not of its field's type, or not canonical (a boolean
 *                                  that is null is neither): set this field of this record aside
 *   ERROR_RECORD record-too-large  it alone is more than SF_WRITE_MOST_BYTES
 *   ERROR_RETRY batch-too-large    together they are: the first `at` changes fit, send those first
 *   ERROR_BUG                      doubled-key (the text names it), bad-id, bad-key, bad-name,
 *                                  no-changes, empty-change, not-writable, repeated-key,
 *                                  too-many-changes */
bool sf_write_build(const char *api_version, const struct remote_batch *batch, struct sf_write *ret,
		    struct sf_write_stop *ret_stop, struct error *err);

/* What it owns; `in` itself is the caller's. */
void sf_write_clear(struct sf_write *in);
