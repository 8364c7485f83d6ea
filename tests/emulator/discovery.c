/* discovery.c */
#include "discovery.h"

#include "call.h"
#include "limits.h"
#include "oauth_base.h"
#include "schema.h"
#include "session.h"
#include "sfid.h"
#include "store.h"

void discovery_versions(struct call *call)
{
	static const char *const seasons[] = { "Spring", "Summer", "Winter" };

	text_char(&call->out, '[');
	for (int number = 31; number <= 67; number++) { /* 31.0 is Summer '14 */
		int since = number - 30;

		text_printf(
			&call->out,
			"%s{\"label\":\"%s '%02d\",\"url\":\"/services/data/v%d.0\",\"version\":"
			"\"%d.0\"}",
			number > 31 ? "," : "", seasons[since % 3],
			14 + since / 3 + (since % 3 == 2), number, number);
	}
	text_char(&call->out, ']');
}

void discovery_resources(struct call *call)
{
	static const char *const names[] = { "sobjects",  "limits",  "query",  "queryAll", "jobs",
					     "composite", "tooling", "search", "recent" };
	char id[OAUTH_IDENTITY_SIZE];

	text_char(&call->out, '{');
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		text_printf(&call->out, "%s\"%s\":\"/services/data/%s/%s\"", i ? "," : "", names[i],
			    call->version, names[i]);
	oauth_base_identity(call->session->user, id);
	text_printf(&call->out, ",\"identity\":\"%s\"}", id);
}

void discovery_limits(struct call *call)
{
	int64_t left = limits_max() - limits_used();

	text_printf(&call->out, "{\"DailyApiRequests\":{\"Max\":%lld,\"Remaining\":%lld},",
		    (long long)limits_max(), (long long)(left > 0 ? left : 0));
	text_word(&call->out,
		  "\"DailyBulkApiBatches\":{\"Max\":15000,\"Remaining\":15000},"
		  "\"DailyBulkV2QueryJobs\":{\"Max\":10000,\"Remaining\":10000},"
		  "\"DailyBulkV2QueryFileStorageMB\":{\"Max\":976562,\"Remaining\":976562},"
		  "\"DataStorageMB\":{\"Max\":5,\"Remaining\":5},"
		  "\"DailyStreamingApiEvents\":{\"Max\":10000,\"Remaining\":10000}}");
}

void discovery_record_count(struct call *call)
{
	const char *wanted = call_param(call, "sObjects");
	const char *comma = "";

	text_word(&call->out, "{\"sObjects\":[");
	for (const struct sobject *at = schema_all(); at->name; at++) {
		int64_t count = store_count(at);
		const char *found = wanted ? strstr(wanted, at->name) : NULL;
		size_t length = strlen(at->name);

		if (!count || (wanted && (!found || (found[length] && found[length] != ','))))
			continue;
		text_printf(&call->out, "%s{\"count\":%lld,\"name\":\"%s\"}", comma,
			    (long long)count, at->name);
		comma = ",";
	}
	text_word(&call->out, "]}");
}
