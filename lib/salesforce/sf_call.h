/* sf_call.h - one request with the account's token.
 *
 * If the token is refused, or the host does not serve the org any more, the token counts as spent:
 * the keeper fetches another, with the host that belongs to it, and the request is made once more;
 * a write only if it is certain that nothing was done (sf_effect.h). For the host's sake only once
 * in 15 minutes, since it may as well be under maintenance; and only if it answers so, not if it is
 * not found or reached. Never more than two requests a call; everything else is for the caller to
 * retry. A success is told to the keeper: the token lives. */
#pragma once
#include "base/mem.h"
#include "http/http.h"
#include "salesforce/salesforce.h"
#include "salesforce/sf_effect.h"

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
	char user_id[19];      /* and which user's, in 18 characters */
};

struct sf_call_args {
	struct sf_caller *caller;
	enum http_class class;
	const char *method;         /* NULL: GET. Any other is a write */
	const char *path;           /* below the instance_url */
	const char *const *headers; /* beside those every call has; NULL-terminated, or NULL */
	const char *body;           /* of a write; NULL: none. Copied, as all the texts are */
	size_t body_len;
	http_body_fn *on_body; /* bytes of a success; `arg` is that of the call */
};

struct sf_call_end {
	const struct http_response *response; /* a 2xx or 304; else NULL */
	const struct error *err; /* unless there is a response; of sf_error_rest, http or keeper */
	enum sf_effect effect;   /* of what failed; a read has none */
	int64_t server_ms;       /* the Date of the last answer, whatever it was; 0: not told */
};

/* Once, from the loop, with the handle dead; all good only during the call. */
typedef void sf_call_done_fn(const struct sf_call_end *end, void *arg);

/* Cannot fail at once. */
struct sf_call *sf_call_start(const struct sf_call_args *args, sf_call_done_fn *done, void *arg);
void sf_call_cancel(struct sf_call *in);

/* Before the first call; the fields above `moved_ms` are then set by the owner. */
void sf_caller_start(struct sf_caller *in);
