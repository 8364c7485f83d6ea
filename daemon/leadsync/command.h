/* command.h - what every command of leadsync gets, and how it asks the daemon. */
#pragma once
#include <stdbool.h>

struct json_object;

struct command_context {
	const char *conf;   /* path of the conf file */
	const char *socket; /* --socket, or NULL: what the conf says */
	bool json;          /* --json: print the daemon's answer as it is */
	bool full;          /* --full */
	bool yes;           /* --yes: nobody is asked */
	bool paste;         /* --paste */
	int argc;           /* what is left after the options and the command's name */
	char **argv;
};

/* Each answers with an exit code of exit_codes.h. */
typedef int command_fn(const struct command_context *context);
command_fn command_adopt, command_check, command_connect, command_disconnect, command_fields,
	command_key, command_pause, command_resume, command_run, command_runs, command_secret,
	command_status;

/* Says what is wrong with the command line, on stderr. */
int command_usage(const char *text);
