/* listings.c - `leadsync errors`, `leadsync conflicts`, `leadsync backlog`: the ledger, readable. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client.h"
#include "command.h"
#include "daemon/exit_codes.h"
#include "json_get.h"
#include "terminal.h"

struct listing {
	const char *name;  /* of the verb, and of the answer's list */
	const char *none;  /* said if it is empty */
	const char *title; /* printed before the first line; may be "" */
	void (*print)(struct json_object *line);
};

static int show_listing(const struct command_context *context, const struct listing *listing)
{
	CLEANUP_FREE char *usage =
		mem_format("%s takes the name of one job, or none", listing->name);
	struct json_object *request, *answer, *lines;
	int code;

	if (context->argc > 1)
		return command_usage(usage);
	request = client_request(listing->name, context->argc ? "job" : NULL, context->argv[0]);
	json_object_object_add(request, "all", json_object_new_boolean(context->all));
	if (context->limit)
		json_object_object_add(request, "limit", json_object_new_int64(context->limit));
	code = client_whole(context, request, NULL, &answer);
	if (code != EXIT_DONE)
		return code;
	lines = json_get_member(answer, listing->name);
	if (context->json) {
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	} else {
		size_t count = lines ? json_object_array_length(lines) : 0;

		fputs(count ? listing->title : listing->none, stdout);
		for (size_t i = 0; i < count; i++)
			listing->print(json_object_array_get_idx(lines, i));
		if (json_object_get_boolean(json_get_member(answer, "more")))
			puts("There are more; --limit N shows up to 1000 of each job.");
	}
	json_object_put(answer);
	return EXIT_DONE;
}

static void print_reject(struct json_object *line)
{
	const char *field = json_get_text(line, "field");
	bool up = strcmp(json_get_text(line, "direction"), "up") == 0;

	printf("%-20s  %s  %s  ", json_get_text(line, "at"), json_get_text(line, "job"),
	       up ? "to Salesforce" : "from Salesforce");
	terminal_pair(line);
	if (json_object_get_boolean(json_get_member(line, "ignored")))
		fputs(" (ignored)", stdout);
	fputs("\n    ", stdout);
	terminal_text(json_get_text(line, "code"));
	if (*field) {
		fputs(", field ", stdout);
		terminal_text(field);
	}
	if (json_object_get_boolean(json_get_member(line, "field_only")))
		fputs("; the other fields go on", stdout);
	fputs("\n    ", stdout);
	terminal_text(json_get_text(line, "text"));
	putchar('\n');
	if (*json_get_text(line, "remedy")) {
		fputs("    -> ", stdout);
		terminal_text(json_get_text(line, "remedy"));
		putchar('\n');
	}
}

int command_errors(const struct command_context *context)
{
	return show_listing(context, &(struct listing){ .name = "errors",
							.none = "no errors\n",
							.title = "",
							.print = print_reject });
}

static void print_side(const char *name, struct json_object *value, const char *edited)
{
	printf("    %-11s ", name);
	terminal_value(value);
	if (*edited)
		printf("  edited %s", edited);
	putchar('\n');
}

/* "    leadsync resolve JOB ID FIELD SIDE", of the sides that can be chosen. */
static void print_choices(struct json_object *line)
{
	static const char *const sides[] = { "salesforce", "local" };
	const char *record = json_get_text(line, "record_id");
	CLEANUP_FREE char *id = terminal_word(*record ? record : json_get_text(line, "key"));
	CLEANUP_FREE char *field = terminal_word(json_get_text(line, "field"));
	bool whole = !*json_get_text(line, "field");

	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
		printf("    leadsync resolve %s%s ", *id == '-' ? "-- " : "",
		       json_get_text(line, "job"));
		terminal_text(id);
		if (!whole) {
			putchar(' ');
			terminal_text(field);
		}
		printf(" %s\n", sides[i]);
	}
}

/* A row matched several records, or a record several rows: which they are, is to be found out. */
static void print_match(struct json_object *line)
{
	const char *record = json_get_text(line, "record_id"), *key = json_get_text(line, "key");
	CLEANUP_FREE char *id = *key ? terminal_word(key) : mem_strdup("KEY");

	printf("    leadsync resolve --record %s %s%s ", *record ? record : "ID",
	       *id == '-' ? "-- " : "", json_get_text(line, "job"));
	terminal_text(id);
	puts(*key ? "    (ID: of the right record)" : "    (KEY: of the right row)");
}

static const char *side_name(const char *winner)
{
	return strcmp(winner, "remote") == 0 ? "salesforce" : winner;
}

static void print_decision(struct json_object *line)
{
	const char *winner = json_get_text(line, "winner"), *state = json_get_text(line, "state");
	bool open = strcmp(state, "open") == 0;

	printf("    %-11s ", state);
	if (*winner)
		printf("%s: ", side_name(winner));
	terminal_text(json_get_text(line, "reason"));
	if (*json_get_text(line, "run"))
		printf(", run %s", json_get_text(line, "run"));
	putchar('\n');
	if (open && strcmp(json_get_text(line, "kind"), "several-matches") == 0)
		print_match(line);
	else if (open)
		print_choices(line);
}

static void print_conflict(struct json_object *line)
{
	struct json_object *local = json_get_member(line, "local");
	struct json_object *remote = json_get_member(line, "remote");

	printf("%-20s  %s  ", json_get_text(line, "at"), json_get_text(line, "job"));
	terminal_pair(line);
	if (*json_get_text(line, "field")) {
		fputs(", ", stdout);
		terminal_text(json_get_text(line, "field"));
	}
	printf(": %s\n", json_get_text(line, "kind"));
	if (*json_get_text(line, "field") || local || remote) {
		print_side("local", local, json_get_text(line, "local_edited"));
		print_side("salesforce", remote, json_get_text(line, "remote_edited"));
	}
	print_decision(line);
}

int command_conflicts(const struct command_context *context)
{
	return show_listing(context,
			    &(struct listing){ .name = "conflicts",
					       .none = context->all ? "no conflicts\n"
								    : "no open conflicts\n",
					       .title = "",
					       .print = print_conflict });
}

static void print_due(struct json_object *line)
{
	const char *since = json_get_text(line, "since");
	const char *record = json_get_text(line, "record_id");

	printf("%-20s  %-8s  %5" PRId64 "  %-18s  %-12s  ", *since ? since : "-",
	       json_get_text(line, "state"), json_get_int(line, "tries"), *record ? record : "-",
	       json_get_text(line, "job"));
	terminal_text(*json_get_text(line, "key") ? json_get_text(line, "key") : "-");
	if (*json_get_text(line, "not_before"))
		printf("\n    not before %s", json_get_text(line, "not_before"));
	putchar('\n');
}

int command_backlog(const struct command_context *context)
{
	return show_listing(
		context,
		&(struct listing){
			.name = "backlog",
			.none = "nothing waits for Salesforce\n",
			.title = "SINCE                 STATE     TRIES  RECORD              "
				 "JOB           ROW\n",
			.print = print_due });
}
