/* write_log.h - every write that came in: counted by object, record and field, and logged in order.
 *
 * What counts is what was received, whether it was done or not: a field that a client should leave
 * alone must not stand in any request. */
#pragma once
#include <stddef.h>

struct call;
struct json_object;
struct text;

/* Begins the call's entry; a part of a composite request has that of the whole already. */
void write_log_open(struct call *call);

/* One record of the call. `which` is "id" or "key", and `name` that; both NULL for a new record.
 * `body` has the fields; it may be NULL. */
void write_log_add(struct call *call, const char *object, const char *which, const char *name,
		   struct json_object *body);

/* How it ended for the record at this place of the call. `id` may be NULL. */
void write_log_tell(struct call *call, size_t at, const char *status, const char *id);

/* Records nothing was told of end as the call did. */
void write_log_settle(struct call *call);

/* The entry is done; nothing happens if there is none. */
void write_log_end(struct call *call);
void write_log_end_unserved(struct call *call, const char *outcome);

void write_log_reset(void);
void write_log_write_counts(struct text *out);
void write_log_write(struct text *out);
