/* key.c - `leadsync key init|add|rotate`: key files, and sealing the vault anew. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "base/str.h"
#include "client.h"
#include "command.h"
#include "conf/conf.h"
#include "daemon/conf_report.h"
#include "daemon/exit_codes.h"
#include "json_get.h"
#include "offline.h"
#include "secret/keyring.h"
#include "secret/secret.h"
#include "vault/vault.h"

/* The file that is named, or that of the conf; NULL with a usage error printed. */
static const char *file_of(const struct command_context *context, const struct conf *conf)
{
	const char *source = conf->daemon.seal_key;

	if (context->argc == 2)
		return context->argv[1];
	if (str_starts_with(source, "file:"))
		return source + strlen("file:");
	command_usage("seal_key in the conf names no file: give one, and seal it with "
		      "systemd-creds encrypt");
	return NULL;
}

static int init(const struct command_context *context)
{
	CLEANUP(conf_free) struct conf *conf = conf_report_read(context->conf, stderr);
	const char *path = conf ? file_of(context, conf) : NULL;
	struct error err;

	if (!path)
		return conf ? EXIT_USAGE : EXIT_NOT_OURS;
	if (!keyring_make_file(path, conf->daemon.state_dir, &err))
		return offline_fail(&err);
	if (context->argc == 1)
		offline_hand_over(path, conf->daemon.state_dir);
	printf("made %s; keep a copy away from the backups of %s\n", path, conf->daemon.state_dir);
	return EXIT_DONE;
}

static int add(const struct command_context *context)
{
	CLEANUP(conf_free) struct conf *conf = conf_report_read(context->conf, stderr);
	const char *path = conf ? file_of(context, conf) : NULL;
	struct error err;

	if (!path)
		return conf ? EXIT_USAGE : EXIT_NOT_OURS;
	if (!keyring_add_to_file(path, conf->daemon.state_dir, &err))
		return offline_fail(&err);
	printf("%s begins with a new key now; ", path);
	if (str_starts_with(conf->daemon.seal_key, "file:"))
		puts("`leadsync key rotate` seals everything with it");
	else
		puts("encrypt it with systemd-creds, restart the daemon, then `leadsync key "
		     "rotate`");
	return EXIT_DONE;
}

static void print_rotated(const char *key, int64_t count)
{
	printf("%" PRId64 " values are sealed with key %s now; older keys may go from the file\n",
	       count, key);
}

static int rotate_offline(const struct command_context *context)
{
	struct offline offline;
	struct error err;
	size_t count;
	int code = offline_open(&offline, context);

	if (code == EXIT_DONE && !vault_reseal(offline.vault, offline.keyring, &count, &err))
		code = offline_fail(&err);
	if (code == EXIT_DONE)
		print_rotated(keyring_active_id(offline.keyring), (int64_t)count);
	offline_close(&offline);
	return code;
}

static int rotate(const struct command_context *context)
{
	CLEANUP(client_close) struct client *client = NULL;
	struct json_object *answer;
	int code;

	switch (client_try_open(context, &client)) {
	case CLIENT_UNREACHABLE: return EXIT_UNREACHABLE;
	case CLIENT_NO_DAEMON: return rotate_offline(context);
	case CLIENT_RUNS: break;
	}
	code = client_whole_on(client, client_request("key-rotate", NULL, NULL), NULL, &answer);
	if (code != EXIT_DONE)
		return code;
	if (context->json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	else
		print_rotated(json_get_text(answer, "key"), json_get_int(answer, "resealed"));
	json_object_put(answer);
	return EXIT_DONE;
}

int command_key(const struct command_context *context)
{
	const char *what = context->argc ? context->argv[0] : "";
	struct error err;
	bool locked;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!secret_start(&locked, &err))
		return offline_fail(&err);
	if (context->argc <= 2 && strcmp(what, "init") == 0)
		return init(context);
	if (context->argc <= 2 && strcmp(what, "add") == 0)
		return add(context);
	if (context->argc == 1 && strcmp(what, "rotate") == 0)
		return rotate(context);
	return command_usage("it is: key init [FILE], key add [FILE], or key rotate");
}
