/* detach.c - `leadsync detach JOB`: what is forgotten is shown, and asked about, first. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "daemon/exit_codes.h"
#include "json_get.h"
#include "prompt.h"

/* Of the answer to status; NULL if there is no such job. */
static struct json_object *find_job(struct json_object *status, const char *name)
{
	struct json_object *jobs = json_get_member(status, "jobs");

	for (size_t i = 0; jobs && i < json_object_array_length(jobs); i++) {
		struct json_object *job = json_object_array_get_idx(jobs, i);

		if (strcmp(json_get_text(job, "name"), name) == 0)
			return job;
	}
	return NULL;
}

static void print_loss(struct json_object *job)
{
	struct json_object *ledger = json_get_member(job, "ledger");
	struct json_object *backlog = json_get_member(ledger, "backlog");
	int64_t owed = json_get_int(backlog, "waiting") + json_get_int(backlog, "sent") +
		       json_get_int(backlog, "unknown") + json_get_int(backlog, "rejected") +
		       json_get_int(backlog, "held");

	fprintf(stderr,
		"Out of store %s go the triggers of job %s and all that the ledger has of it:\n"
		"%" PRId64 " links, %" PRId64 " changes that Salesforce did not get yet, %" PRId64
		" errors, %" PRId64 " open conflicts,\nand the history of its runs and values. "
		"Table %s stays, with every row.\n",
		json_get_text(job, "store"), json_get_text(job, "name"),
		json_get_int(ledger, "linked"), owed, json_get_int(ledger, "rejects"),
		json_get_int(ledger, "conflicts"), json_get_text(job, "table"));
}

/* The daemon says the same, but only once it was answered. */
static bool is_paused(struct json_object *job)
{
	const char *name = json_get_text(job, "name"), *state = json_get_text(job, "state");

	if (strcmp(state, "paused") == 0)
		return true;
	fprintf(stderr,
		"leadsync: job %s is %s: `leadsync pause %s` first, which also ends a run under "
		"way (not-paused)\n",
		name, state, name);
	return false;
}

static bool is_wanted_of(struct json_object *job)
{
	if (!is_paused(job))
		return false;
	print_loss(job);
	if (prompt_yes("Detach it?"))
		return true;
	fputs("leadsync: nothing was changed; --yes needs no answer\n", stderr);
	return false;
}

/* False: *ret_code is what to end with. What is no job is not asked about: the daemon refuses it. */
static bool is_wanted(const struct command_context *context, int *ret_code)
{
	struct json_object *status, *job;

	*ret_code = client_verb(context, "status", NULL, NULL, &status);
	if (*ret_code != EXIT_DONE)
		return false;
	job = find_job(status, context->argv[0]);
	if (job && !is_wanted_of(job))
		*ret_code = EXIT_FAILED;
	json_object_put(status);
	return *ret_code == EXIT_DONE;
}

int command_detach(const struct command_context *context)
{
	struct json_object *answer;
	int code;

	if (context->argc != 1)
		return command_usage("detach takes the name of one job");
	if (!context->yes && !is_wanted(context, &code))
		return code;
	code = client_verb(context, "detach", "job", context->argv[0], &answer);
	if (code != EXIT_DONE)
		return code;
	if (context->json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	else
		printf("job %s is detached from store %s; table %s stays.\nTake the job out of the "
		       "conf: once resumed, it would begin anew, and make\nanew each row that it "
		       "does not match.\n",
		       context->argv[0], json_get_text(answer, "store"),
		       json_get_text(answer, "table"));
	json_object_put(answer);
	return EXIT_DONE;
}
