/* sf_request.c - in order: start, then answer (or fail, if there was nothing to ask with), then the
 * end that belongs to what was asked. */
#include "salesforce/sf_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "http/http.h"
#include "loop/loop.h"
#include "salesforce/sf_introspection.h"
#include "salesforce/sf_refusal.h"
#include "salesforce/sf_token.h"
#include "secret/secret.h"
#include "vault/vault.h"

/* Tells who asked. `in` is not in use any more; `response` or `err`. */
typedef void end_fn(const struct grant_request *in, const struct http_response *response, bool sent,
		    const struct error *err);

struct grant_request {
	struct loop *loop; /* borrowed, as the next */
	const struct url_policy *policy;
	enum sf_ask ask;
	struct secret *client_secret; /* owned; NULL if none */
	struct loop_timer *failing;   /* owned; NULL unless it ends with `why` without asking */
	struct error why;
	struct http_request *asking; /* owned; NULL unless an answer is waited for */
	end_fn *end;
	union {
		grant_done_fn *token;
		grant_looked_fn *introspect;
		grant_revoked_fn *revoke;
	} done;
	void *done_arg;
};

static void fail(void *arg);
static void answer(const struct http_response *response, bool sent, const struct error *err,
		   void *arg);

static struct grant_request *start(const struct sf_question *question, end_fn *end, void *arg)
{
	static const char *const headers[] = { "Accept: application/json",
					       "Content-Type: application/x-www-form-urlencoded",
					       NULL };
	struct grant_request *in = mem_new(struct grant_request);

	*in = (struct grant_request){
		.loop = question->loop,
		.policy = question->policy,
		.ask = question->ask,
		.end = end,
		.done_arg = arg,
	};
	if (question->form) {
		in->asking = http_start(question->http,
					&(struct http_call){ .class = HTTP_TOKEN,
							     .method = "POST",
							     .url = question->url,
							     .headers = headers,
							     .form = question->form },
					answer, in);
	} else {
		in->why = *question->why;
		in->failing = loop_soon(question->loop, fail, in);
	}
	return in;
}

static void finish(struct grant_request *in, const struct http_response *response, bool sent,
		   const struct error *err)
{
	struct grant_request ended = *in;

	free(in);
	ended.end(&ended, response, sent, err);
	secret_free(ended.client_secret);
}

static void fail(void *arg)
{
	struct grant_request *in = arg;
	struct error why = in->why;

	in->failing = NULL;
	finish(in, NULL, false, &why);
}

static void answer(const struct http_response *response, bool sent, const struct error *err,
		   void *arg)
{
	finish(arg, response, sent, err);
}

void sf_request_cancel(struct grant_request *in)
{
	if (!in)
		return;
	loop_timer_cancel(in->failing);
	http_cancel(in->asking);
	secret_free(in->client_secret);
	free(in);
}

/* --- the ends --- */

/* False: as sf_token_parse(). A refusal brings nothing, and leaves nothing unknown. */
static bool understand_token(const struct grant_request *in, const struct http_response *response,
			     struct vault_token *ret, bool *ret_unknown, struct error *err)
{
	struct sf_token_terms terms = {
		.policy = in->policy,
		.ask = in->ask,
		.client_secret = in->client_secret,
		.now_ms = loop_now_ms(in->loop),
	};

	if (response->status != 200)
		return sf_refusal(response, in->ask, terms.now_ms, err);
	return sf_token_parse(response->body, response->body_len, &terms, ret, ret_unknown, err);
}

static void end_token(const struct grant_request *in, const struct http_response *response,
		      bool sent, const struct error *err)
{
	struct vault_token token = { 0 };
	bool unknown = false;
	struct error why;

	if (err)
		in->done.token(NULL, err, sent, in->done_arg);
	else if (understand_token(in, response, &token, &unknown, &why))
		in->done.token(&token, NULL, false, in->done_arg);
	else
		in->done.token(token.refresh_token ? &token : NULL, &why, unknown, in->done_arg);
}

struct grant_request *sf_request_token(const struct sf_question *question,
				       struct secret *client_secret, grant_done_fn *done, void *arg)
{
	struct grant_request *in = start(question, end_token, arg);

	in->client_secret = client_secret;
	in->done.token = done;
	return in;
}

static void end_introspect(const struct grant_request *in, const struct http_response *response,
			   bool sent, const struct error *err)
{
	int64_t now_ms = loop_now_ms(in->loop), expires_ms = 0;
	bool active = false;
	struct error why;

	(void)sent; /* looking changes nothing */
	if (!err &&
	    (response->status == 200 ? !sf_introspection_parse(response->body, response->body_len,
							       now_ms, &active, &expires_ms, &why)
				     : !sf_refusal(response, in->ask, now_ms, &why)))
		err = &why;
	in->done.introspect(active, expires_ms, err, in->done_arg);
}

struct grant_request *sf_request_introspect(const struct sf_question *question,
					    grant_looked_fn *done, void *arg)
{
	struct grant_request *in = start(question, end_introspect, arg);

	in->done.introspect = done;
	return in;
}

/* Not a token there, or not any more: as good as revoked. */
static bool is_gone(const struct error *err)
{
	return strcmp(err->code, "invalid_token") == 0 ||
	       strcmp(err->code, "unsupported_token_type") == 0;
}

static void end_revoke(const struct grant_request *in, const struct http_response *response,
		       bool sent, const struct error *err)
{
	struct error why;

	(void)sent; /* revoking twice does no harm */
	if (!err && response->status != 200 &&
	    !sf_refusal(response, in->ask, loop_now_ms(in->loop), &why) && !is_gone(&why))
		err = &why;
	in->done.revoke(err, in->done_arg);
}

struct grant_request *sf_request_revoke(const struct sf_question *question, grant_revoked_fn *done,
					void *arg)
{
	struct grant_request *in = start(question, end_revoke, arg);

	in->done.revoke = done;
	return in;
}
