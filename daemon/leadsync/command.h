/* command.h - what every command of leadsync gets, and how it asks the daemon. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct json_object;

struct command_context {
	const char *conf;   /* path of the conf file */
	const char *socket; /* --socket, or NULL: what the conf says */
	bool json;          /* --json: print the daemon's answer as it is */
	bool full;          /* --full */
	bool yes;           /* --yes: nobody is asked */
	bool paste;         /* --paste */
	bool all;           /* --all */
	int64_t limit;      /* --limit, 1 to 1000; 0: not given */
	const char *field;  /* --field, or NULL */
	const char *record; /* --record, or NULL */
	int argc;           /* what is left after the options and the command's name */
	char **argv;
};

/* Each answers with an exit code of exit_codes.h. */
typedef int command_fn(const struct command_context *context);
command_fn command_adopt, command_backlog, command_check, command_conflicts, command_connect,
	command_detach, command_disconnect, command_errors, command_fields, command_ignore,
	command_key, command_pause, command_resolve, command_resume, command_retry, command_run,
	command_runs, command_secret, command_status;

/* Says what is wrong with the command line, on stderr. */
int command_usage(const char *text);
