/* sf_call.c - in order: sf_call_start, ask, send, judge; then ask again, or finish. */
#include "salesforce/sf_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keeper.h"
#include "base/error.h"
#include "loop/loop.h"
#include "salesforce/sf_error.h"
#include "salesforce/sf_usage.h"

#define MOST_HEADERS   8
#define MOVED_EVERY_MS ((int64_t)15 * 60 * 1000)

struct sf_call {
	struct sf_call_args args;
	char *path;                   /* owned */
	char *headers[MOST_HEADERS];  /* owned; the last is NULL */
	struct keeper_wait *waiting;  /* owned; NULL unless a token is waited for */
	struct http_request *request; /* owned; NULL unless an answer is waited for */
	uint64_t generation;          /* of the token that was sent */
	bool repeated;
	sf_call_done_fn *done;
	void *done_arg;
};

static void ask(struct sf_call *in);
static void send_request(const struct keeper_lease *lease, const struct error *err, void *arg);
static void judge(const struct http_response *response, bool sent, const struct error *err,
		  void *arg);
static void finish(struct sf_call *in, const struct http_response *response,
		   const struct error *err);

struct sf_call *sf_call_start(const struct sf_call_args *args, sf_call_done_fn *done, void *arg)
{
	struct sf_call *in = mem_new(struct sf_call);
	size_t count = 0;

	*in = (struct sf_call){ .args = *args, .done = done, .done_arg = arg };
	in->path = mem_strdup(args->path);
	in->headers[count++] = mem_strdup("Accept: application/json");
	in->headers[count++] = mem_strdup("Sforce-Call-Options: client=leadsyncd");
	for (const char *const *extra = args->headers; extra && *extra && count < MOST_HEADERS - 1;
	     extra++)
		in->headers[count++] = mem_strdup(*extra);
	ask(in);
	return in;
}

static void ask(struct sf_call *in)
{
	in->waiting = keeper_get(in->args.caller->keeper, send_request, in);
}

static bool relay_body(const char *bytes, size_t len, void *arg, struct error *err)
{
	struct sf_call *in = arg;

	return in->args.on_body(bytes, len, in->done_arg, err);
}

static void send_request(const struct keeper_lease *lease, const struct error *err, void *arg)
{
	struct sf_call *in = arg;
	struct sf_caller *caller = in->args.caller;
	CLEANUP_FREE char *base = NULL;
	CLEANUP_FREE char *url = NULL;
	struct error why;

	in->waiting = NULL;
	if (err) {
		finish(in, NULL, err);
		return;
	}
	/* Stored long ago, perhaps; the hosts that are admitted may be others now. */
	base = url_base(lease->instance_url, caller->policy, "instance_url", &why);
	if (!base) {
		finish(in, NULL, &why);
		return;
	}
	snprintf(caller->org_id, sizeof(caller->org_id), "%s", lease->org_id);
	in->generation = lease->generation;
	url = mem_format("%s%s", base, in->path);
	in->request = http_start(caller->http,
				 &(struct http_call){
					 .class = in->args.class,
					 .method = "GET",
					 .url = url,
					 .headers = (const char *const *)in->headers,
					 .bearer = lease->access_token,
					 .on_body = in->args.on_body ? relay_body : NULL,
				 },
				 judge, in);
}

/* Another token, with the host that belongs to it, may be the cure. */
static bool is_moved(struct sf_caller *caller, const struct error *err)
{
	int64_t now_ms = loop_steady_ms(caller->loop);

	/* Code dns says nothing of the host: our resolver may be down, which no token cures. */
	if (strcmp(err->code, "host-moved") != 0 || now_ms - caller->moved_ms < MOVED_EVERY_MS)
		return false;
	caller->moved_ms = now_ms;
	return true;
}

static void repeat(struct sf_call *in)
{
	in->repeated = true;
	ask(in);
}

static void judge(const struct http_response *response, bool sent, const struct error *err,
		  void *arg)
{
	struct sf_call *in = arg;
	struct error why;

	(void)sent; /* reading is safe to repeat */
	in->request = NULL;
	if (response) {
		sf_usage_parse(response->limit_info, &in->args.caller->usage);
		if ((response->status >= 200 && response->status < 300) ||
		    response->status == 304) {
			keeper_proved(in->args.caller->keeper, in->generation);
			finish(in, response, NULL);
			return;
		}
		sf_error_rest(response, &why);
	} else {
		why = *err;
	}
	if (in->repeated) {
		finish(in, NULL, &why);
	} else if (why.kind == ERROR_LOGIN) {
		keeper_refused(in->args.caller->keeper, in->generation);
		repeat(in);
	} else if (is_moved(in->args.caller, &why)) {
		keeper_moved(in->args.caller->keeper, in->generation);
		repeat(in);
	} else {
		finish(in, NULL, &why);
	}
}

static void free_call(struct sf_call *in)
{
	for (size_t i = 0; in->headers[i]; i++)
		free(in->headers[i]);
	free(in->path);
	free(in);
}

static void finish(struct sf_call *in, const struct http_response *response,
		   const struct error *err)
{
	sf_call_done_fn *done = in->done;
	void *done_arg = in->done_arg;

	free_call(in);
	done(response, err, done_arg);
}

void sf_call_cancel(struct sf_call *in)
{
	if (!in)
		return;
	keeper_cancel(in->waiting);
	http_cancel(in->request);
	free_call(in);
}

void sf_caller_start(struct sf_caller *in)
{
	in->moved_ms = -MOVED_EVERY_MS;
	in->usage = (struct sf_usage){ -1, -1 };
	*in->org_id = '\0';
}
