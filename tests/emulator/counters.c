/* counters.c */
#include "counters.h"

#include <string.h>

#include "text.h"

static const char *const names[KIND_MAX] = {
	[KIND_AUTHORIZE] = "authorize",
	[KIND_TOKEN] = "token",
	[KIND_INTROSPECT] = "introspect",
	[KIND_REVOKE] = "revoke",
	[KIND_USERINFO] = "userinfo",
	[KIND_IDENTITY] = "identity",
	[KIND_VERSIONS] = "versions",
	[KIND_RESOURCES] = "resources",
	[KIND_LIMITS] = "limits",
	[KIND_RECORD_COUNT] = "record_count",
	[KIND_DESCRIBE_GLOBAL] = "describe_global",
	[KIND_SOBJECT] = "sobject",
	[KIND_DESCRIBE] = "describe",
	[KIND_QUERY] = "query",
	[KIND_QUERY_ALL] = "query_all",
	[KIND_QUERY_MORE] = "query_more",
	[KIND_UPDATED] = "updated",
	[KIND_DELETED] = "deleted",
	[KIND_CREATE] = "create",
	[KIND_READ] = "read",
	[KIND_UPDATE] = "update",
	[KIND_DELETE] = "delete",
	[KIND_UPSERT] = "upsert",
	[KIND_COLLECTIONS] = "collections",
	[KIND_COLLECTIONS_READ] = "collections_read",
	[KIND_COMPOSITE] = "composite",
	[KIND_BATCH] = "batch",
	[KIND_TREE] = "tree",
	[KIND_JOBS] = "jobs",
	[KIND_UNKNOWN] = "unknown",
	[KIND_ADMIN] = "admin",
};

#define STATUS_MAX 600

static uint64_t by_kind[KIND_MAX];
static uint64_t by_status[STATUS_MAX]; /* 0: no answer at all */
static uint64_t faulted_count;

const char *kind_name(enum kind kind)
{
	return names[kind];
}

void counters_add(enum kind kind)
{
	by_kind[kind]++;
}

void counters_add_status(int status, bool faulted)
{
	by_status[status > 0 && status < STATUS_MAX ? status : 0]++;
	faulted_count += faulted;
}

void counters_reset(void)
{
	memset(by_kind, 0, sizeof(by_kind));
	memset(by_status, 0, sizeof(by_status));
	faulted_count = 0;
}

void counters_write(struct text *out)
{
	uint64_t total = 0;
	const char *comma = "";

	for (int i = 0; i < KIND_MAX; i++)
		total += by_kind[i];
	text_printf(out, "{\"total\":%llu,\"by_kind\":{", (unsigned long long)total);
	for (int i = 0; i < KIND_ADMIN; i++) {
		text_printf(out, "%s\"%s\":%llu", comma, names[i], (unsigned long long)by_kind[i]);
		comma = ",";
	}
	text_word(out, "},\"by_status\":{");
	comma = "";
	for (int i = 0; i < STATUS_MAX; i++) {
		if (by_status[i])
			text_printf(out, "%s\"%d\":%llu", comma, i,
				    (unsigned long long)by_status[i]);
		if (by_status[i])
			comma = ",";
	}
	text_printf(out, "},\"faulted\":%llu}", (unsigned long long)faulted_count);
}
