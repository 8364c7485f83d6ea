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
	{ "connect", "ACCOUNT", "log an account in, step by step; --paste, --yes",
	  command_connect },
	{ "disconnect", "ACCOUNT", "revoke and erase an account's token; --yes",
	  command_disconnect },
	{ "fields", "JOB", "the object's fields, what is mapped, what is wrong", command_fields },
	{ "status", "", "accounts, jobs, API calls", command_status },
	{ "run", "JOB", "run a job now and follow it; --full reads everything again", command_run },
	{ "runs", "[JOB]", "what past runs did", command_runs },
	{ "pause", "JOB", "no write on any side until it is resumed", command_pause },
	{ "resume", "JOB", "let a paused job run again", command_resume },
	{ "key", "init|add [FILE]", "make a key file, or put a new key into one", command_key },
	{ "key", "rotate", "seal everything under the first key of the file", command_key },
	{ "secret", "set NAME", "type a secret into the vault, or pipe it in", command_secret },
	{ "secret", "list", "which secrets are there, and who uses them", command_secret },
	{ "secret", "delete NAME", "take a secret out of the vault", command_secret },
	{ "adopt", "", "the state directory was moved here on purpose; --yes", command_adopt },
};

static void print_help(FILE *out)
{
	fputs("Usage: leadsync [--conf FILE] [--socket PATH] [--json] COMMAND\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-10s %-15s %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fputs("\n  -c, --conf FILE   the conf file (default " LEADSYNC_CONF ")\n"
	      "      --socket PATH the daemon's control socket (default: what the conf says)\n"
	      "      --json        answers as JSON, with a version number in it\n"
	      "      --yes         ask nothing\n"
	      "      --paste       connect: the browser is elsewhere, its address is typed in\n"
	      "      --full        run: read every record again\n"
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
		{ "yes", no_argument, NULL, 'y' },
		{ "paste", no_argument, NULL, 'p' },
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
		case 'y': context.yes = true; break;
		case 'p': context.paste = true; break;
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
