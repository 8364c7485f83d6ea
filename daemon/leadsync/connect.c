/* connect.c - `leadsync connect ACCOUNT`: settings, credential, login, the operator's yes, the
 * field sync, the start of the jobs. In this order, one function a step. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"
#include "client.h"
#include "command.h"
#include "daemon/exit_codes.h"
#include "fields.h"
#include "json_get.h"
#include "prompt.h"
#include "secret/secret.h"
#include "settings.h"

#define MOST_PASTES 5

struct guide {
	const struct command_context *context;
	const char *name;
	struct json_object *account; /* owned: what the daemon knows of it */
	struct secret *credential;   /* owned: typed in; NULL if the daemon has it */
	struct json_object *login;   /* owned: who logged in where */
	struct json_object *stored;  /* owned: the answer to the yes */
	char *id;                    /* owned: of the login */
	bool again;                  /* another address may do */
};

static bool is(struct json_object *in, const char *member, const char *value)
{
	return strcmp(json_get_text(in, member), value) == 0;
}

static void print_json(const struct guide *in, struct json_object *line)
{
	if (in->context->json)
		puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
}

static int print_failure(const struct error *err)
{
	fprintf(stderr, "leadsync: %s (%s)\n", err->text, err->code);
	return EXIT_FAILED;
}

static int ask_account(struct guide *in)
{
	struct json_object *answer;
	int code = client_verb(in->context, "account", "account", in->name, &answer);

	if (code != EXIT_DONE)
		return code;
	in->account = json_object_get(json_get_member(answer, "account"));
	print_json(in, answer);
	json_object_put(answer);
	if (!in->context->json)
		settings_print(in->account, stdout);
	return EXIT_DONE;
}

/* A private key is a file, not a line. */
static struct secret *ask_private_key(struct error *err)
{
	CLEANUP_FREE char *path = NULL;

	if (!isatty(STDIN_FILENO))
		return secret_read_fd(STDIN_FILENO, "the private key", err);
	path = prompt_line("File with the private key (PEM): ");
	if (path && *path)
		return secret_read_file(path, err);
	error_set(err, ERROR_HUMAN, "empty", "nothing was typed; nothing is changed");
	return NULL;
}

static int ask_credential(struct guide *in)
{
	struct error err;

	if (!is(in->account, "credential", "missing"))
		return EXIT_DONE;
	in->credential = is(in->account, "flow", "jwt") ? ask_private_key(&err)
							: prompt_secret("Consumer secret", &err);
	return in->credential ? EXIT_DONE : print_failure(&err);
}

static void print_where_to_go(const struct guide *in, const char *url)
{
	const char *uri = json_get_text(in->account, "redirect_uri");
	const char *port = strrchr(uri, ':');
	char host[256] = "this-host";

	gethostname(host, sizeof(host) - 1);
	printf("Open this address in a browser, and log in as the user leadsyncd shall be:\n\n"
	       "  %s\n\n",
	       url);
	if (in->context->paste) {
		puts("The browser ends at an address that it may not be able to show: copy it all "
		     "from its address bar.");
	} else {
		int digits = port ? (int)strspn(port + 1, "0123456789") : 0;

		printf("The browser must run on this machine. If it is elsewhere, first connect "
		       "from there with\n"
		       "  ssh -L %.*s:localhost:%.*s %s\n"
		       "or give up here and use `leadsync connect %s --paste`.\n"
		       "Waiting for the login, ten minutes at most; Ctrl-C gives up.\n",
		       digits, port ? port + 1 : "", digits, port ? port + 1 : "", host, in->name);
	}
	fflush(stdout);
}

/* The answer's last line: the login is kept, or what is wrong printed. */
static int take_login(struct guide *in, struct json_object *line)
{
	const char *code = json_get_text(json_get_member(line, "error"), "code");

	if (*code) {
		client_print_error(line);
		in->again = strcmp(code, "not-the-answer") == 0 || strcmp(code, "wrong-state") == 0;
		return EXIT_FAILED;
	}
	in->login = json_object_get(json_get_member(line, "login"));
	return EXIT_DONE;
}

static int wait_for_login(struct guide *in, struct client *client)
{
	struct json_object *line;
	int code = -1;

	while (code < 0 && (line = client_next(client))) {
		const char *url = json_get_text(line, "authorize_url");

		print_json(in, line);
		if (!in->id && *json_get_text(line, "id"))
			in->id = mem_strdup(json_get_text(line, "id"));
		if (*url && !in->context->json)
			print_where_to_go(in, url);
		if (json_get_member(line, "done") || json_get_member(line, "error"))
			code = take_login(in, line);
		fflush(stdout);
		json_object_put(line);
	}
	if (code >= 0)
		return code;
	fputs("leadsync: the daemon went away; nothing was stored\n", stderr);
	return EXIT_UNREACHABLE;
}

static struct json_object *login_request(const struct guide *in, const char *verb)
{
	struct json_object *made = client_request(verb, "account", in->name);

	json_object_object_add(made, "id", json_object_new_string(in->id ? in->id : ""));
	return made;
}

/* A wrong address is told, and the login stays pending. */
static int paste_login(struct guide *in)
{
	int code = EXIT_FAILED;

	in->again = true;
	for (int tries = 0; tries < MOST_PASTES && in->again; tries++) {
		CLEANUP(secret_free)
		struct secret *address = prompt_address("Address: ");
		CLEANUP(client_close) struct client *client = NULL;

		if (!address) {
			fputs("leadsync: no address was given; nothing was stored\n", stderr);
			return EXIT_FAILED;
		}
		client = client_open(in->context);
		if (!client)
			return EXIT_UNREACHABLE;
		in->again = false;
		client_ask(client, login_request(in, "login-paste"), address);
		code = wait_for_login(in, client);
	}
	return code;
}

static int log_in(struct guide *in)
{
	CLEANUP(client_close) struct client *client = client_open(in->context);
	struct json_object *request = client_request("login", "account", in->name);
	bool paste = in->context->paste && is(in->account, "flow", "web");
	int code;

	if (!client) {
		json_object_put(request);
		return EXIT_UNREACHABLE;
	}
	json_object_object_add(request, "paste", json_object_new_boolean(paste));
	client_ask(client, request, in->credential);
	code = wait_for_login(in, client);
	return code == EXIT_DONE && paste ? paste_login(in) : code;
}

static void print_login(struct json_object *login)
{
	printf("\nLogged in:\n"
	       "  org        %s (%s), %s, %s\n"
	       "  instance   %s (%s)\n"
	       "  user       %s (%s)\n"
	       "  scopes     %s\n",
	       json_get_text(login, "org_name"), json_get_text(login, "org_id"),
	       json_get_text(login, "org_type"),
	       json_object_get_boolean(json_get_member(login, "sandbox")) ? "a SANDBOX"
									  : "PRODUCTION",
	       json_get_text(login, "instance_url"), json_get_text(login, "instance"),
	       json_get_text(login, "username"), json_get_text(login, "name"),
	       *json_get_text(login, "scope") ? json_get_text(login, "scope") : "not said");
	if (json_get_int(login, "api_calls_limit") > 0)
		printf("  API calls  %" PRId64 " of %" PRId64 " used within 24 hours\n",
		       json_get_int(login, "api_calls_used"),
		       json_get_int(login, "api_calls_limit"));
	fflush(stdout);
}

static int give_up(struct guide *in)
{
	struct json_object *answer;

	if (client_whole(in->context, login_request(in, "login-cancel"), NULL, &answer) ==
	    EXIT_DONE)
		json_object_put(answer);
	fputs("leadsync: not confirmed; nothing was stored\n", stderr);
	return EXIT_FAILED;
}

static int confirm(struct guide *in)
{
	struct json_object *request;
	int code;

	if (!in->context->json)
		print_login(in->login);
	if (!in->context->yes && !prompt_yes("Is this the right org and user? Connect?"))
		return give_up(in);
	request = login_request(in, "login-confirm");
	json_object_object_add(request, "hold",
			       json_object_get(json_get_member(in->login, "first")));
	code = client_whole(in->context, request, NULL, &in->stored);
	if (code == EXIT_DONE && !in->context->json)
		printf("Account %s is connected.\n\n", in->name);
	return code;
}

/* What is wrong with a mapping is told, and stops nothing: the rest of it flows. */
static void sync_fields(struct guide *in)
{
	struct json_object *jobs = json_get_member(in->account, "jobs"), *answer;

	for (size_t i = 0; i < json_object_array_length(jobs); i++) {
		const char *job = json_object_get_string(json_object_array_get_idx(jobs, i));

		if (fields_ask(in->context, job, &answer) != EXIT_DONE)
			continue;
		print_json(in, answer);
		if (!in->context->json)
			fields_print(json_get_member(answer, "fields"), false, stdout);
		fflush(stdout);
		json_object_put(answer);
	}
}

/* Those that the login held; what the operator paused before stays so. */
static bool start_jobs(struct guide *in)
{
	struct json_object *held = json_get_member(in->stored, "held"), *answer;
	bool started = true;

	for (size_t i = 0; i < json_object_array_length(held); i++) {
		const char *job = json_object_get_string(json_object_array_get_idx(held, i));

		if (client_verb(in->context, "resume", "job", job, &answer) == EXIT_DONE)
			json_object_put(answer);
		else
			started = false;
	}
	return started;
}

static void print_paused(struct json_object *jobs)
{
	for (size_t i = 0; i < json_object_array_length(jobs); i++) {
		const char *job = json_object_get_string(json_object_array_get_idx(jobs, i));

		printf("Job %s is paused; `leadsync resume %s` starts it.\n", job, job);
	}
}

static void print_end(const struct guide *in, bool start)
{
	struct json_object *held = json_get_member(in->stored, "held");

	if (!start)
		print_paused(held);
	else if (json_object_array_length(held))
		puts("The jobs run; `leadsync status` shows how far they are.");
	print_paused(json_get_member(in->stored, "paused"));
}

static int offer_start(struct guide *in)
{
	size_t held = json_object_array_length(json_get_member(in->stored, "held"));
	bool start = held && (in->context->yes || prompt_yes("\nStart the jobs now?"));
	bool failed = start && !start_jobs(in);
	struct json_object *last = json_object_new_object();

	json_object_object_add(last, "version", json_object_new_int(1));
	json_object_object_add(last, "done", json_object_new_boolean(true));
	json_object_object_add(last, "started", json_object_new_boolean(start && !failed));
	json_object_object_add(last, "paused",
			       json_object_get(json_get_member(in->stored, "paused")));
	print_json(in, last);
	json_object_put(last);
	if (!in->context->json && !failed)
		print_end(in, start);
	return failed ? EXIT_FAILED : EXIT_DONE;
}

static int guide(struct guide *in)
{
	static int (*const steps[])(struct guide * in) = { ask_account, ask_credential, log_in,
							   confirm };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int code = steps[i](in);

		if (code != EXIT_DONE)
			return code;
	}
	sync_fields(in);
	return offer_start(in);
}

int command_connect(const struct command_context *context)
{
	struct guide in = { .context = context };
	struct error err;
	bool locked;
	int code;

	if (context->argc != 1)
		return command_usage("connect takes the name of one account");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!secret_start(&locked, &err))
		return print_failure(&err);
	in.name = context->argv[0];
	code = guide(&in);
	json_object_put(in.account);
	json_object_put(in.login);
	json_object_put(in.stored);
	free(in.id);
	secret_free(in.credential);
	return code;
}
