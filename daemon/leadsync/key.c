#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"
#include "command.h"
#include "conf/conf.h"
#include "daemon/conf_report.h"
#include "daemon/exit_codes.h"
#include "secret/keyring.h"
#include "secret/secret.h"

int command_key(const struct command_context *context)
{
	CLEANUP(conf_free) struct conf *conf = NULL;
	const char *path;
	struct error err;
	bool locked;

	if (context->argc < 1 || context->argc > 2 || strcmp(context->argv[0], "init") != 0)
		return command_usage("it is: key init [FILE]");
	conf = conf_report_read(context->conf, stderr);
	if (!conf)
		return EXIT_NOT_OURS;
	path = context->argc == 2                                ? context->argv[1]
	       : str_starts_with(conf->daemon.seal_key, "file:") ? conf->daemon.seal_key + 5
								 : NULL;
	if (!path)
		return command_usage("seal_key in the conf names no file: give one, "
				     "and seal it with systemd-creds encrypt");
	if (!secret_start(&locked, &err) ||
	    !keyring_make_file(path, conf->daemon.state_dir, &err)) {
		fprintf(stderr, "leadsync: %s (%s)\n", err.text, err.code);
		return EXIT_FAILED;
	}
	printf("made %s; keep a copy away from the backups of %s\n", path, conf->daemon.state_dir);
	return EXIT_DONE;
}
