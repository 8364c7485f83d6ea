/* client.h - the command's end of the control socket (daemon/leadsyncd/control.h has the shapes).
 */
#pragma once
#include <stddef.h>

#include "base/mem.h"

struct client;
struct command_context;
struct json_object;
struct secret;

/* NULL if no daemon answers: why is said on stderr, with the remedy. */
struct client *client_open(const struct command_context *context);

/* For commands that can do without: is there a daemon? Unreachable is said on stderr; so it is where
 * --socket names the place, and nobody listens there. */
enum client_daemon { CLIENT_RUNS, CLIENT_NO_DAEMON, CLIENT_UNREACHABLE };
enum client_daemon client_try_open(const struct command_context *context, struct client **ret);
void client_close(struct client *in);
CLEANUP_DEFINE(struct client, client_close)

/* {"verb":VERB,NAME:VALUE}; NAME may be NULL. */
struct json_object *client_request(const char *verb, const char *name, const char *value);

/* Sends the request (consumed); `payload` is NULL or a secret that goes with it. */
void client_ask(struct client *in, struct json_object *request, struct secret *payload);

/* The next line of the answer, NULL at its end or if the daemon went away. The caller owns it. */
struct json_object *client_next(struct client *in);

/* One request (consumed) and its answer of one line: EXIT_DONE with *ret_answer owned by the
 * caller, or the failure printed and its exit code. The daemon may take minutes where it has to
 * ask Salesforce. */
int client_whole(const struct command_context *context, struct json_object *request,
		 struct secret *payload, struct json_object **ret_answer);

/* client_whole() of client_request(). */
int client_verb(const struct command_context *context, const char *verb, const char *name,
		const char *value, struct json_object **ret_answer);

/* As client_whole(), on a connection that is there. */
int client_whole_on(struct client *in, struct json_object *request, struct secret *payload,
		    struct json_object **ret_answer);

/* Prints an answer's "error" on stderr. */
void client_print_error(struct json_object *answer);
