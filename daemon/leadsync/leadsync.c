/* leadsync.c - the operator's command: options, the table of commands, help made from it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "daemon/exit_codes.h"

static const struct command {
	const char *name;
	const char *arguments;
	const char *help;
	command_fn *fn;
	const char *takes; /* of the options that not every command takes; NULL: none */
} commands[] = {
	{ "check", "", "read the conf, offline: every mistake with its line", command_check },
	{ "connect", "ACCOUNT", "log an account in, step by step; --paste, --yes", command_connect,
	  "py" },
	{ "disconnect", "ACCOUNT", "revoke and erase an account's token; --yes", command_disconnect,
	  "y" },
	{ "fields", "JOB", "the object's fields, what is mapped, what is wrong", command_fields },
	{ "status", "", "accounts, jobs, API calls", command_status },
	{ "run", "JOB", "run a job now and follow it; --full reads everything again", command_run,
	  "f" },
	{ "runs", "[JOB]", "what past runs did; --limit N", command_runs, "l" },
	{ "errors", "[JOB]", "what could not be taken or sent, and what to do; --all, --limit N",
	  command_errors, "al" },
	{ "conflicts", "[JOB]", "where both sides changed, and who won; --all, --limit N",
	  command_conflicts, "al" },
	{ "backlog", "[JOB]", "what waits to be sent; --limit N", command_backlog, "l" },
	{ "retry", "JOB [ID]", "try again what failed; --field F", command_retry, "F" },
	{ "ignore", "JOB ID", "do not list an error any more; --field F", command_ignore, "F" },
	{ "resolve", "JOB ID [FIELD] SIDE", "who is right in a conflict: salesforce or local",
	  command_resolve, "Fr" },
	{ "resolve", "JOB KEY --record ID", "which record a row is that matched several",
	  command_resolve, "Fr" },
	{ "pause", "JOB", "no write on any side until it is resumed", command_pause },
	{ "resume", "JOB", "let a paused job run again", command_resume },
	{ "detach", "JOB", "take a paused job's triggers and ledger out of its store; --yes",
	  command_detach, "y" },
	{ "key", "init|add [FILE]", "make a key file, or put a new key into one", command_key },
	{ "key", "rotate", "seal everything under the first key of the file", command_key },
	{ "secret", "set NAME", "type a secret into the vault, or pipe it in", command_secret },
	{ "secret", "list", "which secrets are there, and who uses them", command_secret },
	{ "secret", "delete NAME", "take a secret out of the vault", command_secret },
	{ "adopt", "", "the state directory was moved here on purpose; --yes", command_adopt, "y" },
};

static void print_help(FILE *out)
{
	fputs("Usage: leadsync [--conf FILE] [--socket PATH] [--json] COMMAND\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-10s %-19s %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fputs("\n  -c, --conf FILE   the conf file (default " LEADSYNC_CONF ")\n"
	      "      --socket PATH the daemon's control socket (default: what the conf says)\n"
	      "      --json        answers as JSON, with a version number in it\n"
	      "      --yes         ask nothing\n"
	      "      --paste       connect: the browser is elsewhere, its address is typed in\n"
	      "      --full        run: read every record again\n"
	      "      --all         listings: also what is ignored, decided or resolved\n"
	      "      --limit N     listings: so many of each job, 1 to 1000\n"
	      "      --field F     retry, ignore, resolve: of this field alone\n"
	      "      --record ID   resolve: the row is this record\n"
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

/* 0 if it is no number from 1 to 1000. */
static int64_t parse_limit(const char *text)
{
	char *end;
	long limit = strtol(text, &end, 10);

	return *text && !*end && limit >= 1 && limit <= 1000 ? limit : 0;
}

/* One option; EXIT_DONE, or what to end with. --version and --help are the caller's. */
static int take_option(int option, struct command_context *context)
{
	switch (option) {
	case 'c': context->conf = optarg; break;
	case 's': context->socket = optarg; break;
	case 'j': context->json = true; break;
	case 'f': context->full = true; break;
	case 'y': context->yes = true; break;
	case 'p': context->paste = true; break;
	case 'a': context->all = true; break;
	case 'F': context->field = optarg; break;
	case 'r': context->record = optarg; break;
	case 'l':
		context->limit = parse_limit(optarg);
		if (!context->limit)
			return command_usage("--limit takes a number from 1 to 1000");
		break;
	default: return EXIT_USAGE;
	}
	return EXIT_DONE;
}

/* An option that does nothing here was meant to do something. */
static bool takes_all(const struct command *command, const struct command_context *context)
{
	const char *takes = command->takes ? command->takes : "";

	return (!context->full || strchr(takes, 'f')) && (!context->yes || strchr(takes, 'y')) &&
	       (!context->paste || strchr(takes, 'p')) && (!context->all || strchr(takes, 'a')) &&
	       (!context->limit || strchr(takes, 'l')) && (!context->field || strchr(takes, 'F')) &&
	       (!context->record || strchr(takes, 'r'));
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
		{ "all", no_argument, NULL, 'a' },
		{ "limit", required_argument, NULL, 'l' },
		{ "field", required_argument, NULL, 'F' },
		{ "record", required_argument, NULL, 'r' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct command_context context = { .conf = LEADSYNC_CONF };
	const struct command *command;
	int option, code;

	while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
		if (option == 'v') {
			puts("leadsync " LEADSYNC_VERSION);
			return EXIT_DONE;
		}
		if (option == 'h') {
			print_help(stdout);
			return EXIT_DONE;
		}
		code = take_option(option, &context);
		if (code != EXIT_DONE)
			return code;
	}
	if (optind == argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	command = find_command(argv[optind]);
	if (!command)
		return command_usage("no such command");
	if (!takes_all(command, &context))
		return command_usage("an option that this command does not take");
	context.argc = argc - optind - 1;
	context.argv = argv + optind + 1;
	return command->fn(&context);
}
