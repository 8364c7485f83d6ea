/* precondition.h - the If-… headers of a request for one record.
 *
 * Times are compared with LastModifiedDate, by seconds; entity tags are those of Account rows only.
 * A delete heeds none of them. */
#pragma once
#include <stdbool.h>

struct call;
struct sobject;

/* False if the call has ended: 304 for a read, 412, or 400 for a header that is no time. */
bool precondition_holds(struct call *call, const struct sobject *of, const char *id);

/* Last-Modified, and ETag of an Account, of a row that is read. */
void precondition_tell(struct call *call, const struct sobject *of, const char *id);
