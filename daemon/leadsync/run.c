#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#include "client.h"
#include "counts.h"
#include "command.h"
#include "daemon/exit_codes.h"
#include "json_get.h"

#define BAR_WIDTH 30

static int64_t sent_of(struct json_object *counts)
{
	return json_get_int(counts, "sent_created") + json_get_int(counts, "sent_updated") +
	       json_get_int(counts, "sent_deleted");
}

/* One line that overwrites itself; only on a terminal. */
static void draw_bar(struct json_object *progress)
{
	int64_t done = json_get_int(progress, "leg_read"),
		total = json_get_int(progress, "leg_total");
	int64_t sent = sent_of(progress), refused = json_get_int(progress, "refused");
	int filled = total > 0 ? (int)(done * BAR_WIDTH / total) : 0;

	fprintf(stderr, "\r%-8s [", json_get_text(progress, "phase"));
	for (int i = 0; i < BAR_WIDTH; i++)
		fputc(i < filled ? '#' : '.', stderr);
	fprintf(stderr, "] %" PRId64 " ", done);
	if (total > 0)
		fprintf(stderr, "of %" PRId64 " ", total);
	if (sent || refused)
		fprintf(stderr, "sent %" PRId64 ", refused %" PRId64 " ", sent, refused);
	fputs("\033[K", stderr); /* the line before may have been longer */
	fflush(stderr);
}

static void print_outcome(const char *job, struct json_object *run)
{
	printf("job %s, run %s: read %" PRId64 ", new %" PRId64 ", changed %" PRId64
	       ", deleted %" PRId64 ", unchanged %" PRId64 ", rejected %" PRId64 " in %" PRId64
	       " ms\n",
	       job, json_get_text(run, "id"), json_get_int(run, "read"),
	       json_get_int(run, "inserted"), json_get_int(run, "updated"),
	       json_get_int(run, "deleted"), json_get_int(run, "unchanged"),
	       json_get_int(run, "rejected"), json_get_int(run, "ms"));
	counts_print(run);
}

/* Lines until the last one: EXIT_DONE or EXIT_FAILED as that says. */
static int follow(struct client *client, const struct command_context *context)
{
	bool bar = !context->json && isatty(STDERR_FILENO), drawn = false;
	struct json_object *line;
	int code = -1;

	while (code < 0 && (line = client_next(client))) {
		struct json_object *progress = json_get_member(line, "progress");
		struct json_object *run = json_get_member(line, "run");

		if (context->json)
			puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
		if (progress) {
			if (bar)
				draw_bar(progress);
			drawn = bar;
		} else {
			if (drawn)
				fputs("\r\033[K", stderr);
			if (run && !context->json)
				print_outcome(context->argv[0], run);
			client_print_error(line);
			code = json_get_member(line, "error") ? EXIT_FAILED : EXIT_DONE;
		}
		json_object_put(line);
	}
	if (code < 0) {
		fputs("leadsync: the daemon went away before the run ended; the next one goes on "
		      "from there\n",
		      stderr);
		return EXIT_UNREACHABLE;
	}
	return code;
}

int command_run(const struct command_context *context)
{
	CLEANUP(client_close) struct client *client = NULL;
	struct json_object *request;

	if (context->argc != 1)
		return command_usage("run takes the name of one job");
	client = client_open(context);
	if (!client)
		return EXIT_UNREACHABLE;
	request = json_object_new_object();
	json_object_object_add(request, "verb", json_object_new_string("run"));
	json_object_object_add(request, "job", json_object_new_string(context->argv[0]));
	json_object_object_add(request, "full", json_object_new_boolean(context->full));
	client_ask(client, request, NULL);
	return follow(client, context);
}
