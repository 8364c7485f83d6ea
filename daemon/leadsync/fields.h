/* fields.h - the field sync as a table. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

struct client;
struct command_context;
struct json_object;

/* `fields` is the member of the daemon's answer; with `all`, fields that nobody maps are listed,
 * too. */
void fields_print(struct json_object *fields, bool all, FILE *out);

/* Asks for one job's: an exit code, the failure printed. */
int fields_ask(const struct command_context *context, const char *job,
	       struct json_object **ret_answer);
