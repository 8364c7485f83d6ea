#include "fields.h"

#include <inttypes.h>
#include <json-c/json.h>

#include "client.h"
#include "command.h"
#include "daemon/exit_codes.h"
#include "json_get.h"

static void print_line(struct json_object *line, FILE *out)
{
	struct json_object *problem = json_get_member(line, "problem");
	int64_t length = json_get_int(line, "length");
	char type[64];

	if (length)
		snprintf(type, sizeof(type), "%.40s(%" PRId64 ")", json_get_text(line, "type"),
			 length);
	else
		snprintf(type, sizeof(type), "%.40s", json_get_text(line, "type"));
	fprintf(out, "  %s %-32s %-3s %-28s %s%s\n", problem ? "!" : " ",
		json_get_text(line, "field"), json_get_text(line, "arrow"),
		json_get_text(line, "column"), type,
		json_object_get_boolean(json_get_member(line, "writable")) ? "" : ", read-only");
	if (problem)
		fprintf(out, "      line %" PRId64 ": %s (%s)\n", json_get_int(line, "line"),
			json_get_text(problem, "text"), json_get_text(problem, "code"));
}

void fields_print(struct json_object *fields, bool all, FILE *out)
{
	struct json_object *lines = json_get_member(fields, "lines");
	size_t count = json_object_array_length(lines), unmapped = 0;

	fprintf(out, "Job %s: %" PRId64 " fields of %s mapped, %" PRId64 " rules wrong\n",
		json_get_text(fields, "job"), json_get_int(fields, "mapped"),
		json_get_text(fields, "object"), json_get_int(fields, "wrong"));
	for (size_t i = 0; i < count; i++) {
		struct json_object *line = json_object_array_get_idx(lines, i);

		if (all || json_get_member(line, "column"))
			print_line(line, out);
		else
			unmapped++;
	}
	if (unmapped)
		fprintf(out, "    %zu fields are not mapped; `leadsync fields %s` lists them\n",
			unmapped, json_get_text(fields, "job"));
}

int fields_ask(const struct command_context *context, const char *job,
	       struct json_object **ret_answer)
{
	return client_verb(context, "fields", "job", job, ret_answer);
}

int command_fields(const struct command_context *context)
{
	struct json_object *answer;
	int code;

	if (context->argc != 1)
		return command_usage("fields takes the name of one job");
	code = fields_ask(context, context->argv[0], &answer);
	if (code != EXIT_DONE)
		return code;
	if (context->json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	else
		fields_print(json_get_member(answer, "fields"), true, stdout);
	json_object_put(answer);
	return EXIT_DONE;
}
