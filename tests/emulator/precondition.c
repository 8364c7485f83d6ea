/* precondition.c */
#include "precondition.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "schema.h"
#include "stamp.h"
#include "store.h"

static bool has_tags(const struct sobject *of)
{
	return strcmp(of->name, "Account") == 0;
}

static void make_tag(int64_t row, int64_t modified_s, char out[40])
{
	snprintf(out, 40, "\"%llx%llx\"", (unsigned long long)row * 2654435761u,
		 (unsigned long long)modified_s);
}

/* Whether the header lists the tag, or any. */
static bool lists(const char *header, const char *tag)
{
	return strcmp(header, "*") == 0 || strstr(header, tag);
}

static bool fail(struct call *call)
{
	call_error(call, 412, "PRECONDITION_FAILED", "The record has been modified since");
	return false;
}

static bool unchanged(struct call *call)
{
	call_empty(call, 304);
	return false;
}

/* False if the call has ended; without the header there is no time, -1. */
static bool read_time(struct call *call, const char *name, int64_t *at_s)
{
	const char *header = call_header(call, name);

	*at_s = -1;
	if (!header || stamp_parse_http(header, at_s))
		return true;
	call_error(call, 400, "INVALID_ARGUMENT", "invalid date in an If- header");
	return false;
}

bool precondition_holds(struct call *call, const struct sobject *of, const char *id)
{
	const char *match = has_tags(of) ? call_header(call, "If-Match") : NULL;
	const char *none = has_tags(of) ? call_header(call, "If-None-Match") : NULL;
	int64_t row = store_row(of, id), modified_s, since_s, unmodified_s;
	bool reads = call->verb == VERB_GET || call->verb == VERB_HEAD;
	char tag[40];

	if (!read_time(call, "If-Modified-Since", &since_s) ||
	    !read_time(call, "If-Unmodified-Since", &unmodified_s))
		return false;
	if (!row)
		return true;
	modified_s = store_int(of, row, "LastModifiedDate");
	make_tag(row, modified_s, tag);
	if ((match && !lists(match, tag)) || (unmodified_s >= 0 && modified_s > unmodified_s))
		return fail(call);
	if (none && lists(none, tag))
		return reads ? unchanged(call) : fail(call);
	return since_s < 0 || modified_s > since_s || !reads || unchanged(call);
}

void precondition_tell(struct call *call, const struct sobject *of, const char *id)
{
	int64_t row = store_row(of, id), modified_s = store_int(of, row, "LastModifiedDate");
	char text[40];

	stamp_format_http(modified_s, text);
	call_add_header(call, "Last-Modified", text);
	if (!has_tags(of))
		return;
	make_tag(row, modified_s, text);
	call_add_header(call, "ETag", text);
}
