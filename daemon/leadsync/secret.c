/* secret.c - `leadsync secret set|list|delete`: through the running daemon, or, if none runs, in
 * its vault. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "client.h"
#include "command.h"
#include "daemon/credential_check.h"
#include "daemon/exit_codes.h"
#include "daemon/secret_report.h"
#include "json_get.h"
#include "offline.h"
#include "prompt.h"
#include "secret/secret.h"
#include "vault/vault.h"

/* set */

static int set_offline(const struct command_context *context, const char *name,
		       struct secret *value)
{
	struct offline offline;
	struct error err;
	int code = offline_open(&offline, context);

	if (code == EXIT_DONE && (!credential_check_named(offline.conf, name, value, &err) ||
				  !vault_secret_set(offline.vault, name, value, &err)))
		code = offline_fail(&err);
	offline_close(&offline);
	return code;
}

static int set(const struct command_context *context, const char *name)
{
	CLEANUP(client_close) struct client *client = NULL;
	CLEANUP(secret_free) struct secret *value = NULL;
	struct json_object *answer;
	struct error err;
	int code = EXIT_UNREACHABLE;

	value = prompt_secret(name, &err);
	if (!value)
		return offline_fail(&err);
	switch (client_try_open(context, &client)) {
	case CLIENT_UNREACHABLE: break;
	case CLIENT_NO_DAEMON: code = set_offline(context, name, value); break;
	case CLIENT_RUNS:
		code = client_whole_on(client, client_request("secret-set", "name", name), value,
				       &answer);
		if (code == EXIT_DONE)
			json_object_put(answer);
		break;
	}
	if (code == EXIT_DONE)
		printf("sealed as %s\n", name);
	return code;
}

/* list */

static void print_secret(struct json_object *secret)
{
	struct json_object *users = json_get_member(secret, "accounts");
	size_t count = json_object_array_length(users);

	printf("%-24s set %s, used by", json_get_text(secret, "name"),
	       json_get_text(secret, "set"));
	for (size_t i = 0; i < count; i++)
		printf("%s %s", i ? "," : "",
		       json_object_get_string(json_object_array_get_idx(users, i)));
	puts(count ? "" : " no account");
}

static struct json_object *list_offline(const struct command_context *context, int *ret_code)
{
	struct json_object *answer = NULL, *secrets;
	struct offline offline;
	struct error err;

	*ret_code = offline_open(&offline, context);
	if (*ret_code == EXIT_DONE) {
		secrets = secret_report(offline.vault, offline.conf, &err);
		if (secrets) {
			answer = json_object_new_object();
			json_object_object_add(answer, "version", json_object_new_int(1));
			json_object_object_add(answer, "done", json_object_new_boolean(true));
			json_object_object_add(answer, "secrets", secrets);
		} else {
			*ret_code = offline_fail(&err);
		}
	}
	offline_close(&offline);
	return answer;
}

static int list(const struct command_context *context)
{
	CLEANUP(client_close) struct client *client = NULL;
	struct json_object *answer = NULL, *secrets;
	int code = EXIT_UNREACHABLE;

	switch (client_try_open(context, &client)) {
	case CLIENT_UNREACHABLE: break;
	case CLIENT_NO_DAEMON: answer = list_offline(context, &code); break;
	case CLIENT_RUNS:
		code = client_whole_on(client, client_request("secret-list", NULL, NULL), NULL,
				       &answer);
		break;
	}
	if (code != EXIT_DONE)
		return code;
	secrets = json_get_member(answer, "secrets");
	if (context->json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	for (size_t i = 0; !context->json && i < json_object_array_length(secrets); i++)
		print_secret(json_object_array_get_idx(secrets, i));
	json_object_put(answer);
	return EXIT_DONE;
}

/* delete */

static int drop_offline(const struct command_context *context, const char *name)
{
	struct offline offline;
	struct error err;
	int code = offline_open(&offline, context);

	if (code == EXIT_DONE && !vault_secret_delete(offline.vault, name, &err))
		code = offline_fail(&err);
	offline_close(&offline);
	return code;
}

static int drop(const struct command_context *context, const char *name)
{
	CLEANUP(client_close) struct client *client = NULL;
	struct json_object *answer;
	int code = EXIT_UNREACHABLE;

	switch (client_try_open(context, &client)) {
	case CLIENT_UNREACHABLE: break;
	case CLIENT_NO_DAEMON: code = drop_offline(context, name); break;
	case CLIENT_RUNS:
		code = client_whole_on(client, client_request("secret-delete", "name", name), NULL,
				       &answer);
		if (code == EXIT_DONE)
			json_object_put(answer);
		break;
	}
	if (code == EXIT_DONE)
		printf("%s is deleted\n", name);
	return code;
}

int command_secret(const struct command_context *context)
{
	const char *what = context->argc ? context->argv[0] : "";
	struct error err;
	bool locked;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!secret_start(&locked, &err))
		return offline_fail(&err);
	if (context->argc == 2 && strcmp(what, "set") == 0)
		return set(context, context->argv[1]);
	if (context->argc == 1 && strcmp(what, "list") == 0)
		return list(context);
	if (context->argc == 2 && strcmp(what, "delete") == 0)
		return drop(context, context->argv[1]);
	return command_usage("it is: secret set NAME, secret list, or secret delete NAME");
}
