#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "daemon/exit_codes.h"
#include "json_get.h"
#include "prompt.h"

static const char *said_of(const char *revoked)
{
	if (strcmp(revoked, "yes") == 0)
		return "its token is erased here, and revoked at Salesforce";
	if (strcmp(revoked, "queued") == 0)
		return "its token is erased here, and revoked as soon as Salesforce answers";
	return "it had no token that could be revoked";
}

int command_disconnect(const struct command_context *context)
{
	CLEANUP_FREE char *question = NULL;
	struct json_object *answer;
	const char *account;
	int code;

	if (context->argc != 1)
		return command_usage("disconnect takes the name of one account");
	account = context->argv[0];
	question = mem_format("Revoke and erase the token of account %s? Its jobs stop.", account);
	if (!context->yes && !prompt_yes(question)) {
		fputs("leadsync: nothing was changed; --yes needs no answer\n", stderr);
		return EXIT_FAILED;
	}
	code = client_verb(context, "disconnect", "account", account, &answer);
	if (code != EXIT_DONE)
		return code;
	if (context->json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	else
		printf("account %s is disconnected: %s\n", account,
		       said_of(json_get_text(answer, "revoked")));
	json_object_put(answer);
	return EXIT_DONE;
}
