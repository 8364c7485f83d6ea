/* sf_call.h - one request with the account's token.
 *
 * If the token is refused, or the host does not serve the org any more, the token counts as spent:
 * the keeper fetches another, with the host that belongs to it, and the request is made once more.
 * For the host's sake only once in 15 minutes, since it may as well be under maintenance; and only
 * if it answers so, not if it is not found or reached. Never more than two requests a call;
 * everything else is for the caller to retry. A success is told to the keeper: the token lives. */
#pragma once
#include "base/mem.h"
#include "http/http.h"
#include "salesforce/salesforce.h"

struct error;
struct keeper;
struct loop;
struct sf_call;

/* What the calls of one account share; it must outlive them. */
struct sf_caller {
	struct loop *loop; /* borrowed, as all down to the policy */
	struct http_client *http;
	struct keeper *keeper;
	const struct url_policy *policy;
	int64_t moved_ms; /* by loop_steady_ms(): when a token was last given up for its host */
	struct sf_usage usage; /* as the last answer said; -1 before */
	char org_id[19];       /* whose the last token was; "" before */
};

struct sf_call_args {
	struct sf_caller *caller;
	enum http_class class;
	const char *path;           /* below the instance_url */
	const char *const *headers; /* beside those every call has; NULL-terminated, or NULL */
	http_body_fn *on_body;      /* bytes of a success; `arg` is that of the call */
};

/* The end: a 2xx or 304 with `response`, or `err` (of sf_error_rest, http or keeper). Once, from
 * the loop, with the handle dead; all good only during the call. */
typedef void sf_call_done_fn(const struct http_response *response, const struct error *err,
			     void *arg);

/* A GET. Cannot fail at once. */
struct sf_call *sf_call_start(const struct sf_call_args *args, sf_call_done_fn *done, void *arg);
void sf_call_cancel(struct sf_call *in);

/* Before the first call; the fields above `moved_ms` are then set by the owner. */
void sf_caller_start(struct sf_caller *in);
