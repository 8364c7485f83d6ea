#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "counts.h"
#include "command.h"
#include "daemon/exit_codes.h"
#include "json_get.h"

/* Newest first; started is ISO text, so text order is the order in time. */
static int by_start(const void *a, const void *b)
{
	struct json_object *const *left = a, *const *right = b;

	return strcmp(json_get_text(*right, "started"), json_get_text(*left, "started"));
}

/* Equal failures one after the other are one line in the ledger. */
static void print_failure(struct json_object *run)
{
	int64_t times = json_get_int(run, "repeats");

	printf("    %s: %s", json_get_text(run, "code"), json_get_text(run, "text"));
	if (times > 1)
		printf(" (%" PRId64 " times)", times);
	putchar('\n');
}

static void print_runs(struct json_object *runs)
{
	printf("%-20s  %-8s  %-12s  %-8s %8s %8s %8s %8s %8s\n", "STARTED", "RUN", "JOB", "OUTCOME",
	       "READ", "NEW", "CHANGED", "DELETED", "REJECTED");
	for (size_t i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		printf("%-20s  %-8s  %-12s  %-8s %8" PRId64 " %8" PRId64 " %8" PRId64 " %8" PRId64
		       " %8" PRId64 "\n",
		       json_get_text(run, "started"), json_get_text(run, "id"),
		       json_get_text(run, "job"), json_get_text(run, "outcome"),
		       json_get_int(run, "read"), json_get_int(run, "inserted"),
		       json_get_int(run, "updated"), json_get_int(run, "deleted"),
		       json_get_int(run, "rejected"));
		counts_print(run);
		if (*json_get_text(run, "code"))
			print_failure(run);
	}
}

int command_runs(const struct command_context *context)
{
	struct json_object *request, *answer, *runs;
	int code;

	if (context->argc > 1)
		return command_usage("runs takes the name of one job, or none");
	request = client_request("runs", context->argc ? "job" : NULL, context->argv[0]);
	if (context->limit)
		json_object_object_add(request, "limit", json_object_new_int64(context->limit));
	code = client_whole(context, request, NULL, &answer);
	if (code != EXIT_DONE)
		return code;
	runs = json_get_member(answer, "runs");
	json_object_array_sort(runs, by_start);
	if (context->json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	else
		print_runs(runs);
	json_object_put(answer);
	return EXIT_DONE;
}
