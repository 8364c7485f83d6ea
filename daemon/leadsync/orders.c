/* orders.c - `leadsync retry`, `leadsync ignore`, `leadsync resolve`: what is done about errors and
 * conflicts. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "daemon/exit_codes.h"
#include "json_get.h"

static void add_text(struct json_object *to, const char *name, const char *text)
{
	if (text)
		json_object_object_add(to, name, json_object_new_string(text));
}

/* {"verb":VERB,"job":JOB,"id":ID,"field":FIELD}; all but the first two may be NULL. */
static struct json_object *order_request(const char *verb, const char *job, const char *id,
					 const char *field)
{
	struct json_object *request = client_request(verb, "job", job);

	add_text(request, "id", id);
	add_text(request, "field", field);
	return request;
}

/* "1 error", "2 errors". */
static void print_touched(const char *what, struct json_object *answer)
{
	int64_t count = json_get_int(answer, "touched");

	printf("%" PRId64 " %s%s", count, what, count == 1 ? "" : "s");
}

/* What the job does about it. */
static void print_next(const char *job, struct json_object *answer)
{
	const char *state = json_get_text(answer, "state");

	if (json_object_get_boolean(json_get_member(answer, "runs")))
		printf("; job %s runs now\n", job);
	else if (strcmp(state, "paused") == 0)
		printf("; job %s is paused: `leadsync resume %s`\n", job, job);
	else if (strcmp(state, "running") == 0)
		puts("; the run under way does it, or the next one");
	else
		printf("; job %s is %s: `leadsync status` says why\n", job, state);
}

/* Sends the request (consumed): EXIT_DONE with *ret_answer, printed already if it is JSON that was
 * asked for. */
static int send_order(const struct command_context *context, struct json_object *request,
		      struct json_object **ret_answer)
{
	int code = client_whole(context, request, NULL, ret_answer);

	if (code == EXIT_DONE && context->json)
		puts(json_object_to_json_string_ext(*ret_answer, JSON_C_TO_STRING_PLAIN));
	return code;
}

int command_retry(const struct command_context *context)
{
	struct json_object *answer;
	const char *job;
	int code;

	if (context->argc < 1 || context->argc > 2)
		return command_usage("retry takes the name of one job, and perhaps one id");
	job = context->argv[0];
	code = send_order(context,
			  order_request("retry", job, context->argc > 1 ? context->argv[1] : NULL,
					context->field),
			  &answer);
	if (code != EXIT_DONE)
		return code;
	if (!context->json && json_get_int(answer, "touched")) {
		print_touched("error", answer);
		fputs(" forgotten, to be tried again", stdout);
		print_next(job, answer);
	} else if (!context->json) {
		printf("job %s has no errors to be tried again\n", job);
	}
	json_object_put(answer);
	return EXIT_DONE;
}

int command_ignore(const struct command_context *context)
{
	struct json_object *answer;
	int code;

	if (context->argc != 2)
		return command_usage("ignore takes the name of one job and one id");
	code = send_order(context,
			  order_request("ignore", context->argv[0], context->argv[1],
					context->field),
			  &answer);
	if (code != EXIT_DONE)
		return code;
	if (!context->json) {
		print_touched("error", answer);
		puts(" no longer listed; tried again when row, record or mapping change");
	}
	json_object_put(answer);
	return EXIT_DONE;
}

/* The store's word for a side; NULL if it is none. */
static const char *parse_side(const char *text)
{
	if (strcmp(text, "salesforce") == 0)
		return "remote";
	return strcmp(text, "local") == 0 ? "local" : NULL;
}

/* JOB KEY --record ID, or JOB ID [FIELD] SIDE: the request, or NULL. */
static struct json_object *parse_resolve(const struct command_context *context)
{
	char **argv = context->argv;
	struct json_object *request;
	const char *side, *field;

	if (context->record) {
		if (context->argc != 2 || context->field)
			return NULL;
		request = order_request("resolve", argv[0], argv[1], NULL);
		add_text(request, "record", context->record);
		return request;
	}
	if (context->argc != 3 && context->argc != 4)
		return NULL;
	side = parse_side(argv[context->argc - 1]);
	field = context->argc == 4 ? argv[2] : context->field;
	if (!side || (context->argc == 4 && context->field))
		return NULL;
	request = order_request("resolve", argv[0], argv[1], field);
	add_text(request, "winner", side);
	return request;
}

int command_resolve(const struct command_context *context)
{
	struct json_object *request = parse_resolve(context), *answer;
	int code;

	if (!request)
		return command_usage("resolve takes JOB ID [FIELD] and salesforce or local, or "
				     "JOB KEY --record ID");
	code = send_order(context, request, &answer);
	if (code != EXIT_DONE)
		return code;
	if (!context->json) {
		print_touched("conflict", answer);
		fputs(" resolved", stdout);
		print_next(context->argv[0], answer);
	}
	json_object_put(answer);
	return EXIT_DONE;
}
