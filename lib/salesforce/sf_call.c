/* sf_call.c - in order: sf_call_start, ask, send, judge; then ask again, or finish. */
#include "salesforce/sf_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keeper.h"
#include "base/error.h"
#include "loop/loop.h"
#include "record/value.h"
#include "salesforce/sf_error.h"
#include "salesforce/sf_usage.h"

#define MOST_HEADERS   8
#define MOVED_EVERY_MS ((int64_t)15 * 60 * 1000)

struct sf_call {
	struct sf_call_args args;
	char *path;                   /* owned, as are the next */
	char *body;                   /* NULL: none */
	char *headers[MOST_HEADERS];  /* the last is NULL */
	struct keeper_wait *waiting;  /* owned; NULL unless a token is waited for */
	struct http_request *request; /* owned; NULL unless an answer is waited for */
	uint64_t generation;          /* of the token that was sent */
	bool repeated;
	int64_t server_ms; /* of the last answer; 0: not told */
	sf_call_done_fn *done;
	void *done_arg;
};

static void ask(struct sf_call *in);
static void send_request(const struct keeper_lease *lease, const struct error *err, void *arg);
static void judge(const struct http_response *response, bool sent, const struct error *err,
		  void *arg);
static void fail(struct sf_call *in, const struct error *err, enum sf_effect effect);
static void finish(struct sf_call *in, const struct sf_call_end *end);

struct sf_call *sf_call_start(const struct sf_call_args *args, sf_call_done_fn *done, void *arg)
{
	struct sf_call *in = mem_new(struct sf_call);
	size_t count = 0;

	*in = (struct sf_call){ .args = *args, .done = done, .done_arg = arg };
	if (!in->args.method)
		in->args.method = "GET";
	in->path = mem_strdup(args->path);
	in->body = args->body ? mem_strndup(args->body, args->body_len) : NULL;
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

static void keep_ids(struct sf_caller *caller, const struct keeper_lease *lease)
{
	snprintf(caller->org_id, sizeof(caller->org_id), "%s", lease->org_id);
	if (!value_id18(lease->user_id, strlen(lease->user_id), caller->user_id))
		*caller->user_id = '\0';
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
		fail(in, err, SF_NOTHING_DONE);
		return;
	}
	/* Stored long ago, perhaps; the hosts that are admitted may be others now. */
	base = url_base(lease->instance_url, caller->policy, "instance_url", &why);
	if (!base) {
		fail(in, &why, SF_NOTHING_DONE);
		return;
	}
	keep_ids(caller, lease);
	in->generation = lease->generation;
	url = mem_format("%s%s", base, in->path);
	in->request = http_start(caller->http,
				 &(struct http_call){
					 .class = in->args.class,
					 .method = in->args.method,
					 .url = url,
					 .headers = (const char *const *)in->headers,
					 .bearer = lease->access_token,
					 .body = in->body,
					 .body_len = in->args.body_len,
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

/* Is it given up, so that the keeper fetches another? */
static bool give_up_token(struct sf_call *in, const struct error *err)
{
	if (err->kind == ERROR_LOGIN)
		keeper_refused(in->args.caller->keeper, in->generation);
	else if (is_moved(in->args.caller, err))
		keeper_moved(in->args.caller->keeper, in->generation);
	else
		return false;
	return true;
}

static enum sf_effect effect_of(const struct sf_call *in, const struct http_response *response,
				bool sent, const struct error *err)
{
	if (strcmp(in->args.method, "GET") == 0)
		return SF_NOTHING_DONE;
	if (response)
		return sf_effect_of(response->status, err);
	return sent ? SF_MAY_BE_DONE : SF_NOTHING_DONE;
}

static void judge(const struct http_response *response, bool sent, const struct error *err,
		  void *arg)
{
	struct sf_call *in = arg;
	enum sf_effect effect;
	struct error why;

	in->request = NULL;
	in->server_ms = response ? response->date_ms : 0;
	if (response) {
		sf_usage_parse(response->limit_info, &in->args.caller->usage);
		if ((response->status >= 200 && response->status < 300) ||
		    response->status == 304) {
			keeper_proved(in->args.caller->keeper, in->generation);
			finish(in, &(struct sf_call_end){ .response = response });
			return;
		}
		sf_error_rest(response, &why);
	} else {
		why = *err;
	}
	effect = effect_of(in, response, sent, &why);
	if (!in->repeated && give_up_token(in, &why) && effect == SF_NOTHING_DONE) {
		in->repeated = true;
		ask(in);
	} else {
		fail(in, &why, effect);
	}
}

static void free_call(struct sf_call *in)
{
	for (size_t i = 0; in->headers[i]; i++)
		free(in->headers[i]);
	free(in->path);
	free(in->body);
	free(in);
}

static void fail(struct sf_call *in, const struct error *err, enum sf_effect effect)
{
	finish(in, &(struct sf_call_end){ .err = err, .effect = effect });
}

static void finish(struct sf_call *in, const struct sf_call_end *end)
{
	sf_call_done_fn *done = in->done;
	struct sf_call_end ended = *end;
	void *done_arg = in->done_arg;

	ended.server_ms = in->server_ms;
	free_call(in);
	done(&ended, done_arg);
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
	*in->user_id = '\0';
}
