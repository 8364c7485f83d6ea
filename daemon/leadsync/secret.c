/* secret.c - `leadsync secret set NAME`: through the running daemon, or, if none runs, into its
 * vault. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "client.h"
#include "command.h"
#include "conf/conf.h"
#include "daemon/conf_report.h"
#include "daemon/conf_secret.h"
#include "daemon/exit_codes.h"
#include "secret/keyring.h"
#include "secret/secret.h"
#include "vault/vault.h"

#define CTRL_C 3

static int print(const struct error *err)
{
	fprintf(stderr, "leadsync: %s (%s)\n", err->text, err->code);
	return EXIT_FAILED;
}

/* One line from the terminal, unseen; or standard input to its end. */
static struct secret *read_secret(const char *name, struct error *err)
{
	struct termios before, silent;
	struct secret *typed;
	char line[4096];
	bool got;

	if (!isatty(STDIN_FILENO))
		return secret_read_fd(STDIN_FILENO, name, err);
	if (tcgetattr(STDIN_FILENO, &before) != 0) {
		error_set(err, ERROR_HUMAN, "terminal", "cannot silence the terminal");
		return NULL;
	}
	silent = before;
	/* No signals either: Ctrl-C would leave the terminal silent. It arrives as a byte instead.
	 */
	silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	fprintf(stderr, "%s (not shown): ", name);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	/* read(2), not stdio: a stream's buffer would keep a copy. The terminal gives one line. */
	ssize_t len = read(STDIN_FILENO, line, sizeof(line));
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	got = len > 1 && line[len - 1] == '\n' && !memchr(line, CTRL_C, (size_t)len);
	typed = got ? secret_new(line, (size_t)len - 1) : NULL;
	secret_wipe(line, sizeof(line));
	if (!typed)
		error_set(err, ERROR_HUMAN, "empty", "nothing was typed; the vault is as it was");
	return typed;
}

/* A secret of an app is one line; a cut one would be worse than none. */
static bool is_one_line(struct secret *value, struct error *err)
{
	size_t len;
	const char *bytes = secret_open(value, &len);
	bool plain = !memchr(bytes, '\n', len) && !memchr(bytes, '\0', len);

	secret_close(value);
	return plain || error_set(err, ERROR_HUMAN, "not-one-line",
				  "what was given has more than one line; the vault is as it was");
}

static int through_daemon(struct client *client, const char *name, struct secret *value)
{
	struct json_object *request = json_object_new_object(), *answer;
	int code;

	json_object_object_add(request, "verb", json_object_new_string("secret-set"));
	json_object_object_add(request, "name", json_object_new_string(name));
	client_ask(client, request, value);
	code = client_whole_answer(client, &answer);
	if (code == EXIT_DONE)
		json_object_put(answer);
	return code;
}

/* The state belongs to the daemon's user: root must not leave files behind that it cannot open. */
static bool become_owner(const char *state_dir, struct error *err)
{
	struct stat st;

	if (geteuid() != 0 || stat(state_dir, &st) != 0 || st.st_uid == 0)
		return true;
	if (setegid(st.st_gid) == 0 && seteuid(st.st_uid) == 0)
		return true;
	return error_set(err, ERROR_HUMAN, "owner", "cannot act as the owner of %s", state_dir);
}

static int into_vault(const struct command_context *context, const char *name, struct secret *value)
{
	CLEANUP(conf_free) struct conf *conf = conf_report_read(context->conf, stderr);
	CLEANUP(keyring_free) struct keyring *keyring = NULL;
	CLEANUP(vault_close) struct vault *vault = NULL;
	struct error err;

	if (!conf)
		return EXIT_NOT_OURS;
	if (!conf_secret_is_used(conf, name)) {
		error_set(&err, ERROR_HUMAN, "unused-name",
			  "no account's client_secret in %s is the vault's '%s'", context->conf,
			  name);
		return print(&err);
	}
	if (!(keyring = keyring_load(conf->daemon.seal_key, conf->daemon.state_dir, &err)) ||
	    !become_owner(conf->daemon.state_dir, &err) ||
	    !(vault = vault_open(conf->daemon.state_dir, keyring, &err)) ||
	    !vault_secret_set(vault, name, value, &err))
		return print(&err);
	return EXIT_DONE;
}

int command_secret(const struct command_context *context)
{
	CLEANUP(client_close) struct client *client = NULL;
	CLEANUP(secret_free) struct secret *value = NULL;
	struct error err;
	bool locked;
	int code;

	if (context->argc != 2 || strcmp(context->argv[0], "set") != 0)
		return command_usage("it is: secret set NAME");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!secret_start(&locked, &err) || !(value = read_secret(context->argv[1], &err)) ||
	    !is_one_line(value, &err))
		return print(&err);
	client = client_try_open(context);
	code = client ? through_daemon(client, context->argv[1], value)
		      : into_vault(context, context->argv[1], value);
	if (code == EXIT_DONE)
		printf("sealed as %s\n", context->argv[1]);
	return code;
}
