/* pause.c - `leadsync pause JOB` and `leadsync resume JOB`. */
#include <json-c/json.h>
#include <stdio.h>

#include "client.h"
#include "command.h"
#include "daemon/exit_codes.h"

static int tell_job(const struct command_context *context, const char *verb, const char *now)
{
	struct json_object *answer;
	int code = client_verb(context, verb, "job", context->argv[0], &answer);

	if (code != EXIT_DONE)
		return code;
	if (context->json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	else
		printf("job %s %s\n", context->argv[0], now);
	json_object_put(answer);
	return EXIT_DONE;
}

int command_pause(const struct command_context *context)
{
	if (context->argc != 1)
		return command_usage("pause takes the name of one job");
	return tell_job(context, "pause", "is paused: nothing is written until it is resumed");
}

int command_resume(const struct command_context *context)
{
	if (context->argc != 1)
		return command_usage("resume takes the name of one job");
	return tell_job(context, "resume", "runs");
}
