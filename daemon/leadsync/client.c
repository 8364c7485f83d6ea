#include "client.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "command.h"
#include "conf/conf.h"
#include "daemon/exit_codes.h"
#include "secret/secret.h"

/* An answer waits for the page that the store's thread has in hand, or for a token and one answer
 * of Salesforce, no longer. */
#define ANSWER_S 300

#define DEFAULT_SOCKET "/run/leadsync.sock"

struct client {
	int fd;
	FILE *answers;
	char *line;
	size_t line_size;
};

/* A conf with mistakes still leads to the default socket: the daemon may well run on an older, good
 * one. */
static char *socket_path(const struct command_context *context)
{
	struct conf_mistakes mistakes = { 0 };
	CLEANUP(conf_free) struct conf *conf = NULL;

	if (context->socket)
		return mem_strdup(context->socket);
	conf = conf_read(context->conf, &mistakes);
	conf_mistakes_done(&mistakes);
	return mem_strdup(conf ? conf->daemon.control : DEFAULT_SOCKET);
}

static struct client *open_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client *in;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int why = errno;

		close(fd);
		errno = why;
		return NULL;
	}
	in = mem_new(struct client);
	in->fd = fd;
	in->answers = fdopen(fd, "r");
	if (!in->answers)
		abort();
	return in;
}

static void print_unreachable(const char *path, int why)
{
	if (why == EACCES)
		fprintf(stderr,
			"leadsync: %s: permission denied; members of group "
			"leadsyncd-admin and root may use it\n",
			path);
	else
		fprintf(stderr,
			"leadsync: %s: %s; is the daemon running? "
			"(systemctl status leadsyncd)\n",
			path, strerror(why));
}

struct client *client_open(const struct command_context *context)
{
	CLEANUP_FREE char *path = socket_path(context);
	struct client *in = open_path(path);

	if (!in)
		print_unreachable(path, errno);
	return in;
}

enum client_daemon client_try_open(const struct command_context *context, struct client **ret)
{
	CLEANUP_FREE char *path = socket_path(context);

	*ret = open_path(path);
	if (*ret)
		return CLIENT_RUNS;
	if (!context->socket && (errno == ENOENT || errno == ECONNREFUSED))
		return CLIENT_NO_DAEMON;
	print_unreachable(path, errno);
	return CLIENT_UNREACHABLE;
}

void client_close(struct client *in)
{
	if (!in)
		return;
	fclose(in->answers);
	free(in->line);
	free(in);
}

static void write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		/* A daemon that went away shows as the missing answer. */
		if (sent < 0 && errno != EINTR)
			return;
		if (sent > 0) {
			bytes += sent;
			len -= (size_t)sent;
		}
	}
}

struct json_object *client_request(const char *verb, const char *name, const char *value)
{
	struct json_object *made = json_object_new_object();

	json_object_object_add(made, "verb", json_object_new_string(verb));
	if (name)
		json_object_object_add(made, name, json_object_new_string(value));
	return made;
}

void client_ask(struct client *in, struct json_object *request, struct secret *payload)
{
	const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);

	write_all(in->fd, text, strlen(text));
	if (payload) {
		CLEANUP(secret_free) struct secret *encoded = secret_to_text(payload);
		size_t len;
		const char *bytes = secret_open(encoded, &len);

		write_all(in->fd, "\t", 1);
		write_all(in->fd, bytes, len);
		secret_close(encoded);
	}
	write_all(in->fd, "\n", 1);
	json_object_put(request);
}

struct json_object *client_next(struct client *in)
{
	return getline(&in->line, &in->line_size, in->answers) > 0 ? json_tokener_parse(in->line)
								   : NULL;
}

void client_print_error(struct json_object *answer)
{
	struct json_object *error, *code, *text;

	if (json_object_object_get_ex(answer, "error", &error) &&
	    json_object_object_get_ex(error, "code", &code) &&
	    json_object_object_get_ex(error, "text", &text))
		fprintf(stderr, "leadsync: %s (%s)\n", json_object_get_string(text),
			json_object_get_string(code));
}

int client_whole_on(struct client *in, struct json_object *request, struct secret *payload,
		    struct json_object **ret_answer)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	struct json_object *answer;

	setsockopt(in->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	client_ask(in, request, payload);
	answer = client_next(in);
	if (!answer) {
		fputs("leadsync: the daemon went away, or did not answer within five minutes; see "
		      "its log\n",
		      stderr);
		return EXIT_UNREACHABLE;
	}
	if (json_object_object_get(answer, "error")) {
		client_print_error(answer);
		json_object_put(answer);
		return EXIT_FAILED;
	}
	*ret_answer = answer;
	return EXIT_DONE;
}

int client_whole(const struct command_context *context, struct json_object *request,
		 struct secret *payload, struct json_object **ret_answer)
{
	CLEANUP(client_close) struct client *client = client_open(context);

	if (client)
		return client_whole_on(client, request, payload, ret_answer);
	json_object_put(request);
	return EXIT_UNREACHABLE;
}

int client_verb(const struct command_context *context, const char *verb, const char *name,
		const char *value, struct json_object **ret_answer)
{
	return client_whole(context, client_request(verb, name, value), NULL, ret_answer);
}
