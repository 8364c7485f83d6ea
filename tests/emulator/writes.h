/* writes.h - every write that came in: counted by object, record and field, and logged in order.
 *
 * What counts is what was received, whether it was done or not: a field that no test's daemon
 * should touch must not stand in any request. */
#pragma once
#include <stddef.h>

struct call;
struct text;

/* Counts what the call asks to be written, if it is a write; it is logged by writes_end(). A part
 * of a composite request takes its `write` from the whole. */
void writes_note(struct call *call);

/* The same for a call that nobody will serve: the parts of a composite request too. */
void writes_note_unserved(struct call *call, const char *outcome);

/* How it ended for the record at this place of the request; `status` is copied. Either may be NULL.
 */
void writes_tell(struct call *call, size_t at, const char *status, const char *id);

/* Records nothing was told of end as the call did. */
void writes_settle(struct call *call);
void writes_end(struct call *call);

void writes_reset(void);
void writes_write(struct text *out);
void writes_write_log(struct text *out);
