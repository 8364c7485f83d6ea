/* leadsync.c - the operator's command: options, the table of commands, help made from it. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "daemon/exit_codes.h"

static const struct command {
	const char *name;
	const char *arguments;
	const char *help;
	command_fn *fn;
} commands[] = {
	{ "check", "", "read the conf, offline: every mistake with its line", command_check },
	{ "status", "", "accounts, jobs, API calls", command_status },
	{ "run", "JOB [--full]", "run a job now and follow it; --full reads everything again",
	  command_run },
	{ "runs", "[JOB]", "what past runs did", command_runs },
	{ "key", "init [FILE]", "make a seal key file, never below the state directory",
	  command_key },
	{ "secret", "set NAME",
	  "type a secret into the vault (terminal without echo, or standard "
	  "input)",
	  command_secret },
};

static void print_help(FILE *out)
{
	fputs("Usage: leadsync [--conf FILE] [--socket PATH] [--json] COMMAND\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-7s %-15s %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fputs("\n  -c, --conf FILE   the conf file (default " LEADSYNC_CONF ")\n"
	      "      --socket PATH the daemon's control socket (default: what the conf says)\n"
	      "      --json        listings as JSON, with a version number in it\n"
	      "      --version     print the version\n"
	      "  -h, --help        print this\n"
	      "\n"
	      "Exit codes: 0 done; 1 the command failed; 2 wrong command line; 3 no daemon "
	      "answers;\n"
	      "78 the conf has mistakes. See leadsync(1).\n",
	      out);
}

int command_usage(const char *text)
{
	fprintf(stderr, "leadsync: %s; see leadsync --help\n", text);
	return EXIT_USAGE;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "conf", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "full", no_argument, NULL, 'f' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct command_context context = { .conf = LEADSYNC_CONF };
	const struct command *command;
	int option;

	while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
		switch (option) {
		case 'c': context.conf = optarg; break;
		case 's': context.socket = optarg; break;
		case 'j': context.json = true; break;
		case 'f': context.full = true; break;
		case 'v': puts("leadsync " LEADSYNC_VERSION); return EXIT_DONE;
		case 'h': print_help(stdout); return EXIT_DONE;
		default: return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	command = find_command(argv[optind]);
	if (!command)
		return command_usage("no such command");
	context.argc = argc - optind - 1;
	context.argv = argv + optind + 1;
	return command->fn(&context);
}
