#include "counts.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "json_get.h"

void counts_print(struct json_object *run)
{
	static const struct {
		const char *name, *word;
	} counts[] = {
		{ "sent_created", "new" },     { "sent_updated", "changed" },
		{ "sent_deleted", "deleted" }, { "refused", "refused" },
		{ "unknown", "unanswered" },   { "conflicts", "conflicts" },
		{ "put_back", "put back" },
	};
	const char *before = "    to Salesforce: ";

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		int64_t count = json_get_int(run, counts[i].name);

		if (!count)
			continue;
		printf("%s%" PRId64 " %s", before, count, counts[i].word);
		before = ", ";
	}
	if (*before == ',')
		putchar('\n');
}
