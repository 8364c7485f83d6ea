/* rest.c - in order: the routes, the checks, finding. A new endpoint is a row of the table. */
#include "rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "batch.h"
#include "call.h"
#include "changes.h"
#include "collections.h"
#include "composite.h"
#include "describe.h"
#include "discovery.h"
#include "limits.h"
#include "query.h"
#include "rest_record.h"
#include "session.h"
#include "tree.h"
#include "writes.h"

#define OLDEST_VERSION 31
#define NEWEST_VERSION 67

/* Where the parts behind /services/data/vN.N begin. */
#define BASE 3

static void next_page(struct call *call)
{
	query_more(call, call->parts[BASE + 1]);
}

/* A * stands for one part. */
static const struct route {
	enum verb verb;
	const char *pattern;
	enum kind kind;
	void (*run)(struct call *call);
} routes[] = {
	{ VERB_GET, "", KIND_RESOURCES, discovery_resources },
	{ VERB_GET, "limits", KIND_LIMITS, discovery_limits },
	{ VERB_GET, "limits/recordCount", KIND_RECORD_COUNT, discovery_record_count },
	{ VERB_GET, "query", KIND_QUERY, query_run },
	{ VERB_GET, "queryAll", KIND_QUERY_ALL, query_run },
	{ VERB_GET, "query/*", KIND_QUERY_MORE, next_page },
	{ VERB_GET, "queryAll/*", KIND_QUERY_MORE, next_page },
	{ VERB_GET, "sobjects", KIND_DESCRIBE_GLOBAL, describe_global },
	{ VERB_GET, "sobjects/*", KIND_SOBJECT, describe_brief },
	{ VERB_POST, "sobjects/*", KIND_CREATE, rest_record_create },
	{ VERB_GET, "sobjects/*/describe", KIND_DESCRIBE, describe_full },
	{ VERB_GET, "sobjects/*/updated", KIND_UPDATED, changes_updated },
	{ VERB_GET, "sobjects/*/deleted", KIND_DELETED, changes_deleted },
	{ VERB_GET, "sobjects/*/*", KIND_READ, rest_record_read },
	{ VERB_PATCH, "sobjects/*/*", KIND_UPDATE, rest_record_update },
	{ VERB_DELETE, "sobjects/*/*", KIND_DELETE, rest_record_delete },
	{ VERB_POST, "composite", KIND_COMPOSITE, composite_run },
	{ VERB_POST, "composite/batch", KIND_BATCH, batch_run },
	{ VERB_POST, "composite/tree/*", KIND_TREE, tree_create },
	{ VERB_POST, "composite/sobjects", KIND_COLLECTIONS, collections_create },
	{ VERB_PATCH, "composite/sobjects", KIND_COLLECTIONS, collections_update },
	{ VERB_DELETE, "composite/sobjects", KIND_COLLECTIONS, collections_delete },
	{ VERB_GET, "composite/sobjects/*", KIND_COLLECTIONS_READ, collections_read },
	{ VERB_POST, "composite/sobjects/*", KIND_COLLECTIONS_READ, collections_read },
	{ VERB_PATCH, "composite/sobjects/*/*", KIND_COLLECTIONS, collections_upsert },
	{ VERB_GET, "sobjects/*/*/*", KIND_READ, rest_record_read_external },
	{ VERB_PATCH, "sobjects/*/*/*", KIND_UPSERT, rest_record_upsert },
	{ VERB_DELETE, "sobjects/*/*/*", KIND_DELETE, rest_record_delete_external },
};

static bool matches(const struct call *call, const char *pattern)
{
	size_t part = BASE;

	while (*pattern) {
		size_t length = strcspn(pattern, "/");

		if (part >= call->part_count)
			return false;
		if (!(length == 1 && *pattern == '*') &&
		    (strlen(call->parts[part]) != length ||
		     strncasecmp(call->parts[part], pattern, length) != 0))
			return false;
		part++;
		pattern += length + (pattern[length] == '/');
	}
	return part == call->part_count;
}

static const struct route *find_route(const struct call *call, bool any_verb)
{
	enum verb verb = call->verb == VERB_HEAD ? VERB_GET : call->verb;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (matches(call, routes[i].pattern) && (any_verb || routes[i].verb == verb))
			return &routes[i];
	return NULL;
}

static bool check_version(struct call *call)
{
	char *end;
	const char *text = call->parts[2];
	long number = *text == 'v' ? strtol(text + 1, &end, 10) : 0;

	if (number < 20 || number > NEWEST_VERSION || strcmp(end, ".0") != 0) {
		call_not_found(call);
		return false;
	}
	if (number < OLDEST_VERSION) {
		call_error(call, 410, "UNSUPPORTED_API_VERSION",
			   "Requested API version is not supported.");
		return false;
	}
	call->version = text;
	return true;
}

static bool check_session(struct call *call)
{
	const char *header = call_header(call, "Authorization");
	size_t skip = header && strncasecmp(header, "Bearer ", 7) == 0  ? 7
		      : header && strncasecmp(header, "OAuth ", 6) == 0 ? 6
									: 0;

	if (!skip) {
		call_error(call, 401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE");
		return false;
	}
	while (header[skip] == ' ')
		skip++;
	call->session = session_find(header + skip);
	if (!call->session) {
		call_error(call, 401, "INVALID_SESSION_ID", "Session expired or invalid");
		return false;
	}
	if (!scope_opens(call->session->scope, "api")) {
		call_error(call, 401, "INVALID_SESSION_ID",
			   "This session is not valid for use with the REST API");
		return false;
	}
	session_touch(call->session);
	return true;
}

bool rest_admit(struct call *call)
{
	if (!check_version(call) || !check_session(call))
		return false;
	if (limits_take())
		return true;
	call_error(call, 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
	return false;
}

bool rest_has_json(struct call *call)
{
	const char *type = call_header(call, "Content-Type");

	if (type && strncasecmp(type, "application/json", 16) == 0)
		return true;
	call_error(call, 415, "UNSUPPORTED_MEDIA_TYPE",
		   "Content-Type header specified in HTTP request "
		   "is not supported");
	return false;
}

static void answer(struct call *call)
{
	const struct route *route;

	if (call->session ? !check_version(call) : !rest_admit(call)) {
		writes_note(call);
		return;
	}
	route = find_route(call, false);
	writes_note(call);
	if (route)
		route->run(call);
	else if (find_route(call, true))
		call_not_allowed(call);
	else
		call_not_found(call);
}

void (*rest_find(struct call *call))(struct call *call)
{
	const struct route *route;

	if (call->part_count == 2) {
		call->kind = KIND_VERSIONS;
		return discovery_versions;
	}
	route = find_route(call, false);
	if (!route)
		route = find_route(call, true);
	if (route)
		call->kind = route->kind;
	return answer;
}
