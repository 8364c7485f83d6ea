#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "counts.h"
#include "command.h"
#include "daemon/exit_codes.h"
#include "json_get.h"

static void print_trouble(struct json_object *trouble)
{
	if (trouble)
		printf("    %s: %s\n", json_get_text(trouble, "code"),
		       json_get_text(trouble, "text"));
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

static void print_keys(struct json_object *keys)
{
	for (size_t i = 0; keys && i < json_object_array_length(keys); i++) {
		struct json_object *key = json_object_array_get_idx(keys, i);
		bool active = json_object_get_boolean(json_get_member(key, "active"));

		if (active || json_get_int(key, "sealed"))
			printf("key %s%s: seals %" PRId64 " values%s\n", json_get_text(key, "id"),
			       active ? " (active)" : "", json_get_int(key, "sealed"),
			       active ? "" : "; `leadsync key rotate` seals them anew");
	}
}

static void print_account(struct json_object *account)
{
	int64_t age = json_get_int(account, "token_age_s");

	printf("account %s (%s): %s", json_get_text(account, "name"),
	       json_get_text(account, "flow"), json_get_text(account, "state"));
	if (*json_get_text(account, "org_id"))
		printf(", org %s at %s", json_get_text(account, "org_id"),
		       json_get_text(account, "instance_url"));
	putchar('\n');
	if (age >= 0)
		printf("    token %" PRId64 " s old, next refresh %s, expires %s (%s)\n", age,
		       or_dash(json_get_text(account, "next_refresh")),
		       json_get_text(account, "token_expires"),
		       json_get_text(account, "expiry_known_from"));
	if (age >= 0)
		printf("    last proof of life %s\n",
		       or_dash(json_get_text(account, "last_proof")));
	if (*json_get_text(account, "rotation"))
		printf("    refresh token rotation %s, unused it may end %s\n",
		       json_get_text(account, "rotation"),
		       or_dash(json_get_text(account, "idle_limit")));
	if (json_get_int(account, "api_calls_used") >= 0)
		printf("    API calls used %" PRId64 " of %" PRId64 "\n",
		       json_get_int(account, "api_calls_used"),
		       json_get_int(account, "api_calls_limit"));
	print_trouble(json_get_member(account, "trouble"));
}

static void print_run(struct json_object *run)
{
	printf("    %s run %s: read %" PRId64 ", new %" PRId64 ", changed %" PRId64
	       ", deleted %" PRId64 ", unchanged %" PRId64 ", rejected %" PRId64,
	       *json_get_text(run, "ended") ? "last" : "this", json_get_text(run, "id"),
	       json_get_int(run, "read"), json_get_int(run, "inserted"),
	       json_get_int(run, "updated"), json_get_int(run, "deleted"),
	       json_get_int(run, "unchanged"), json_get_int(run, "rejected"));
	if (*json_get_text(run, "ended"))
		printf(" (%" PRId64 " ms)", json_get_int(run, "ms"));
	else if (json_get_int(run, "leg_total") > 0)
		printf(" (%s, %" PRId64 " of %" PRId64 ")", json_get_text(run, "phase"),
		       json_get_int(run, "leg_read"), json_get_int(run, "leg_total"));
	else if (*json_get_text(run, "phase"))
		printf(" (%s)", json_get_text(run, "phase"));
	putchar('\n');
	counts_print(run);
	print_trouble(json_get_member(run, "trouble"));
}

/* "40 s", "12 min", "5 h", "3 days". */
static void print_age(int64_t age_s)
{
	if (age_s < 120)
		printf("%" PRId64 " s", age_s);
	else if (age_s < 120 * 60)
		printf("%" PRId64 " min", age_s / 60);
	else if (age_s < 48 * 3600)
		printf("%" PRId64 " h", age_s / 3600);
	else
		printf("%" PRId64 " days", age_s / 86400);
}

/* What owes Salesforce something, and what waits for a person. */
static void print_backlog(struct json_object *job, struct json_object *ledger)
{
	struct json_object *backlog = json_get_member(ledger, "backlog");
	int64_t conflicts = json_get_int(ledger, "conflicts");

	printf("    backlog: %" PRId64 " waiting", json_get_int(backlog, "waiting"));
	if (*json_get_text(backlog, "oldest")) {
		fputs(" (oldest ", stdout);
		print_age(json_get_int(backlog, "oldest_age_s"));
		putchar(')');
	}
	printf(", %" PRId64 " sent, %" PRId64 " unknown, %" PRId64 " rejected, %" PRId64 " held\n",
	       json_get_int(backlog, "sent"), json_get_int(backlog, "unknown"),
	       json_get_int(backlog, "rejected"), json_get_int(backlog, "held"));
	if (conflicts)
		printf("    %" PRId64 " conflicts wait for a person: `leadsync conflicts %s`\n",
		       conflicts, json_get_text(job, "name"));
}

static void print_job(struct json_object *job)
{
	struct json_object *ledger = json_get_member(job, "ledger");
	struct json_object *run = json_get_member(job, "run");

	printf("job %s: %s, %s -> %s.%s", json_get_text(job, "name"), json_get_text(job, "state"),
	       json_get_text(job, "object"), json_get_text(job, "store"),
	       json_get_text(job, "table"));
	if (strcmp(json_get_text(job, "state"), "paused") == 0)
		printf(" (`leadsync resume %s`)", json_get_text(job, "name"));
	if (*json_get_text(job, "next_run"))
		printf(", next run %s", json_get_text(job, "next_run"));
	putchar('\n');
	if (ledger) {
		printf("    %" PRId64 " linked, %" PRId64 " deleted, %" PRId64
		       " out of sight, %" PRId64 " rejected; ",
		       json_get_int(ledger, "linked"), json_get_int(ledger, "deleted"),
		       json_get_int(ledger, "out_of_sight"), json_get_int(ledger, "rejects"));
		if (*json_get_text(ledger, "complete_until"))
			printf("complete until %s\n", json_get_text(ledger, "complete_until"));
		else
			puts("first load not ended");
		if (json_object_get_boolean(json_get_member(job, "sends")))
			print_backlog(job, ledger);
	}
	if (run)
		print_run(run);
	print_trouble(json_get_member(job, "ledger_trouble"));
}

static void print_status(struct json_object *answer)
{
	struct json_object *daemon = json_get_member(answer, "daemon");
	struct json_object *accounts = json_get_member(answer, "accounts");
	struct json_object *jobs = json_get_member(answer, "jobs");

	printf("leadsyncd %s, pid %" PRId64 ", since %s\n", json_get_text(daemon, "version"),
	       json_get_int(daemon, "pid"), json_get_text(daemon, "started"));
	if (json_object_get_boolean(json_get_member(daemon, "loopback_test")))
		puts("TEST SET-UP: loopback_test is on, plain http to loopback is admitted");
	print_keys(json_get_member(answer, "keys"));
	for (size_t i = 0; i < json_object_array_length(accounts); i++)
		print_account(json_object_array_get_idx(accounts, i));
	for (size_t i = 0; i < json_object_array_length(jobs); i++)
		print_job(json_object_array_get_idx(jobs, i));
}

int command_status(const struct command_context *context)
{
	struct json_object *answer;
	int code;

	if (context->argc)
		return command_usage("status takes no argument");
	code = client_verb(context, "status", NULL, NULL, &answer);
	if (code != EXIT_DONE)
		return code;
	if (context->json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	else
		print_status(answer);
	json_object_put(answer);
	return EXIT_DONE;
}
