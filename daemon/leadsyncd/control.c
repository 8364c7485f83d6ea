/* control.c - a request is parsed, handed to the verb's function, and lives as a `conversation`
 * until its last line is sent. */
#include "control.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/error.h"
#include "base/log.h"
#include "conf/conf.h"
#include "daemon.h"
#include "job.h"
#include "loop/lines.h"
#include "report.h"
#include "secret/secret.h"
#include "sync/sync_store.h"

#define MOST_RUNS 1000

/* One client, one request. Whatever it waits for is cancelled when the client goes. */
struct conversation {
	LIST_ENTRY(conversation) entry;
	struct control *control;
	struct lines_client *client;
	struct lines_peer peer;
	struct json_object *answer;        /* being put together */
	struct json_object *items;         /* the answer's list; borrowed */
	size_t next;                       /* job asked next */
	struct sync_summary_call *summary; /* at most one of these three is under way */
	struct sync_runs_call *runs;
	struct job_follower *follower;
	char *job; /* runs: of this job only */
	size_t limit;
};
LIST_HEAD(conversation_list, conversation);

struct control {
	struct daemon *daemon;
	struct lines_server *server;
	struct conversation_list talks;
};

typedef void verb_fn(struct conversation *in, struct json_object *request, struct secret *payload);

static verb_fn verb_status, verb_runs, verb_run, verb_secret_set;

static const struct verb {
	const char *name;
	verb_fn *fn;
	bool changes; /* logged with who asked */
} verbs[] = {
	{ "status", verb_status, false },
	{ "runs", verb_runs, false },
	{ "run", verb_run, true },
	{ "secret-set", verb_secret_set, true },
};

static void conversation_free(struct conversation *in)
{
	LIST_REMOVE(in, entry);
	sync_summary_cancel(in->summary);
	sync_runs_cancel(in->runs);
	job_unfollow(in->follower);
	json_object_put(in->answer);
	free(in->job);
	free(in);
}

static void send_line(struct conversation *in, struct json_object *line)
{
	lines_send(in->client, json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
}

static void end_with(struct conversation *in, struct json_object *last)
{
	struct lines_client *client = in->client;

	send_line(in, last);
	json_object_put(last);
	conversation_free(in);
	lines_end(client);
}

static void end_done(struct conversation *in, struct json_object *answer)
{
	json_object_object_add(answer, "done", json_object_new_boolean(true));
	end_with(in, answer);
}

static void end_error(struct conversation *in, const struct error *err)
{
	struct json_object *answer = report_new();

	json_object_object_add(answer, "error", report_error(err));
	end_with(in, answer);
}

static const char *text_of(struct json_object *request, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(request, name, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

static struct job *job_named(struct conversation *in, const char *name, struct error *err)
{
	struct job *job = name ? daemon_find_job(in->control->daemon, name) : NULL;

	if (!job)
		error_set(err, ERROR_HUMAN, "no-such-job",
			  "no job named '%s' in the conf; `leadsync status` lists the jobs",
			  name ? name : "");
	return job;
}

/* status: the accounts at once, then each job's ledger, one after the other. */
static void next_summary(struct conversation *in);

static void add_job(const struct sync_summary *summary, const struct error *err, void *arg)
{
	struct conversation *in = arg;
	struct job *job = daemon_job(in->control->daemon, in->next++);

	in->summary = NULL;
	json_object_array_add(in->items, report_job(job, err ? NULL : summary, err));
	next_summary(in);
}

static void next_summary(struct conversation *in)
{
	struct daemon *daemon = in->control->daemon;
	struct job *job;

	if (in->next == daemon_job_count(daemon)) {
		end_done(in, TAKE(in->answer));
		return;
	}
	job = daemon_job(daemon, in->next);
	in->summary = sync_summary(job_store(job), job_conf(job)->name, add_job, in);
}

static void verb_status(struct conversation *in, struct json_object *request,
			struct secret *payload)
{
	struct daemon *daemon = in->control->daemon;
	struct json_object *accounts = json_object_new_array();

	(void)request;
	(void)payload;
	for (size_t i = 0; i < daemon_account_count(daemon); i++)
		json_object_array_add(accounts, report_account(daemon_account(daemon, i), daemon));
	in->answer = report_new();
	in->items = json_object_new_array();
	json_object_object_add(in->answer, "daemon", report_daemon(daemon));
	json_object_object_add(in->answer, "accounts", accounts);
	json_object_object_add(in->answer, "jobs", in->items);
	next_summary(in);
}

/* runs: each job's rows; the command sorts what it shows. */
static void next_runs(struct conversation *in);

static void add_runs(const struct sync_run_row *rows, size_t count, const struct error *err,
		     void *arg)
{
	struct conversation *in = arg;

	in->runs = NULL;
	in->next++;
	if (err) {
		end_error(in, err);
		return;
	}
	for (size_t i = 0; i < count; i++)
		json_object_array_add(in->items, report_run_row(&rows[i]));
	next_runs(in);
}

static void next_runs(struct conversation *in)
{
	struct daemon *daemon = in->control->daemon;

	for (; in->next < daemon_job_count(daemon); in->next++) {
		struct job *job = daemon_job(daemon, in->next);
		const char *name = job_conf(job)->name;

		if (in->job && strcmp(in->job, name) != 0)
			continue;
		in->runs = sync_runs(job_store(job), name, in->limit, add_runs, in);
		return;
	}
	end_done(in, TAKE(in->answer));
}

static void verb_runs(struct conversation *in, struct json_object *request, struct secret *payload)
{
	const char *name = text_of(request, "job");
	struct json_object *limit;
	struct error err;

	(void)payload;
	if (name && !job_named(in, name, &err)) {
		end_error(in, &err);
		return;
	}
	in->limit = 20;
	if (json_object_object_get_ex(request, "limit", &limit) && json_object_get_int64(limit) > 0)
		in->limit = (size_t)json_object_get_int64(limit);
	if (in->limit > MOST_RUNS)
		in->limit = MOST_RUNS;
	in->job = name ? mem_strdup(name) : NULL;
	in->answer = report_new();
	in->items = json_object_new_array();
	json_object_object_add(in->answer, "runs", in->items);
	next_runs(in);
}

/* run: progress as it comes, then the outcome. */
static void send_progress(const struct job_view *view, void *arg)
{
	struct conversation *in = arg;
	struct json_object *line = report_new();

	json_object_object_add(line, "progress", report_view(view));
	send_line(in, line);
	json_object_put(line);
}

static void send_outcome(const struct job_view *view, void *arg)
{
	struct conversation *in = arg;
	struct json_object *answer = report_new();

	in->follower = NULL;
	json_object_object_add(answer, "run", report_view(view));
	if (view->failed) {
		json_object_object_add(answer, "error", report_error(&view->trouble));
		end_with(in, answer);
	} else {
		end_done(in, answer);
	}
}

static void verb_run(struct conversation *in, struct json_object *request, struct secret *payload)
{
	struct json_object *full;
	struct job *job;
	struct error err;

	(void)payload;
	job = job_named(in, text_of(request, "job"), &err);
	if (!job) {
		end_error(in, &err);
		return;
	}
	if (!job_run_now(job, json_object_object_get_ex(request, "full", &full) &&
				      json_object_get_boolean(full))) {
		error_set(&err, ERROR_HUMAN, "running",
			  "a run of this job is under way; ask for the full one when it has ended");
		end_error(in, &err);
		return;
	}
	in->follower = job_follow(job, send_progress, send_outcome, in);
}

static void verb_secret_set(struct conversation *in, struct json_object *request,
			    struct secret *payload)
{
	const char *name = text_of(request, "name");
	struct error err;

	if (!name || !*name || !payload) {
		error_set(&err, ERROR_HUMAN, "bad-request", "secret-set needs a name and a secret");
		end_error(in, &err);
	} else if (!daemon_set_secret(in->control->daemon, name, payload, &err)) {
		end_error(in, &err);
	} else {
		log_notice("secret_set", LOG_STR("name", name), LOG_INT("uid", in->peer.uid));
		end_done(in, report_new());
	}
}

static const struct verb *find_verb(struct json_object *request)
{
	const char *name = text_of(request, "verb");

	for (size_t i = 0; name && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* NULL unless `text` is exactly one JSON object. */
static struct json_object *parse_object(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(8);
	struct json_object *parsed;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	parsed = json_tokener_parse_ex(tokener, text, (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != len ||
	    !json_object_is_type(parsed, json_type_object)) {
		json_object_put(parsed);
		parsed = NULL;
	}
	json_tokener_free(tokener);
	return parsed;
}

static void answer(struct lines_client *client, const struct lines_peer *peer, char *line,
		   size_t len, void *arg)
{
	struct control *control = arg;
	struct conversation *in = mem_new(struct conversation);
	char *tab = memchr(line, '\t', len);
	CLEANUP(secret_free)
	struct secret *payload = tab ? secret_new(tab + 1, len - (size_t)(tab + 1 - line)) : NULL;
	struct json_object *request = parse_object(line, tab ? (size_t)(tab - line) : len);
	const struct verb *verb = request ? find_verb(request) : NULL;
	struct error err;

	in->control = control;
	in->client = client;
	in->peer = *peer;
	LIST_INSERT_HEAD(&control->talks, in, entry);
	if (!verb) {
		error_set(&err, ERROR_HUMAN, "bad-request",
			  "not a request this daemon knows; are leadsync and leadsyncd of one "
			  "version?");
		end_error(in, &err);
	} else {
		if (verb->changes)
			log_info("control", LOG_STR("verb", verb->name), LOG_INT("uid", peer->uid),
				 LOG_INT("pid", peer->pid),
				 LOG_STR("job", text_of(request, "job")));
		verb->fn(in, request, payload);
	}
	json_object_put(request);
}

static void gone(struct lines_client *client, void *arg)
{
	struct control *control = arg;
	struct conversation *in;

	LIST_FOREACH(in, &control->talks, entry)
	{
		if (in->client == client) {
			conversation_free(in);
			return;
		}
	}
}

struct control *control_new(struct daemon *daemon, const char *path, int inherited_fd,
			    struct error *err)
{
	CLEANUP(control_free) struct control *in = mem_new(struct control);

	in->daemon = daemon;
	LIST_INIT(&in->talks);
	in->server =
		lines_server_new(daemon_loop(daemon), path, inherited_fd, answer, gone, in, err);
	return in->server ? TAKE(in) : NULL;
}

void control_free(struct control *in)
{
	struct conversation *talk;

	if (!in)
		return;
	while ((talk = LIST_FIRST(&in->talks)))
		conversation_free(talk);
	lines_server_free(in->server);
	free(in);
}
