/* sf_grant.c - in order: sf_grant_new, start, ask, answer, finish. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "http/http.h"
#include "loop/loop.h"
#include "salesforce/salesforce.h"
#include "salesforce/sf_error.h"
#include "salesforce/sf_token.h"
#include "secret/secret.h"
#include "vault/vault.h"

struct sf_grant {
	struct grant interface;
	struct sf_grant_args args;
	char *token_url; /* owned, as the next two */
	char *client_id;
	char *source;
};

struct grant_request {
	struct sf_grant *grant;
	struct loop_timer *first;    /* owned; NULL once begun */
	struct http_request *asking; /* owned; NULL unless an answer is waited for */
	bool unknown;                /* the request left, and nothing says what became of it */
	grant_done_fn *done;
	void *done_arg;
};

static struct grant_request *start(void *self, const struct vault_token *current,
				   grant_done_fn *done, void *arg);
static void ask(void *arg);
static void answer(const struct http_response *response, bool sent, const struct error *err,
		   void *arg);
static void finish(struct grant_request *in, struct vault_token *token, const struct error *err);
static void cancel(struct grant_request *in);

struct sf_grant *sf_grant_new(const struct sf_grant_args *args, struct error *err)
{
	CLEANUP_FREE char *base = url_base(args->login_url, args->policy, "login_url", err);
	struct sf_grant *in;

	if (!base)
		return NULL;
	if (!*args->client_id) {
		error_set(err, ERROR_HUMAN, "no-client-id", "client_id is empty");
		return NULL;
	}
	in = mem_new(struct sf_grant);
	in->args = *args;
	in->token_url = mem_format("%s/services/oauth2/token", base);
	in->client_id = mem_strdup(args->client_id);
	in->source = mem_format("%s %s", in->token_url, in->client_id);
	in->interface = (struct grant){
		.self = in, .source = in->source, .start = start, .cancel = cancel
	};
	return in;
}

void sf_grant_free(struct sf_grant *in)
{
	if (!in)
		return;
	free(in->token_url);
	free(in->client_id);
	free(in->source);
	free(in);
}

const struct grant *sf_grant_interface(struct sf_grant *in)
{
	return &in->interface;
}

/* This flow needs no earlier token. */
static struct grant_request *start(void *self, const struct vault_token *current,
				   grant_done_fn *done, void *arg)
{
	struct grant_request *in = mem_new(struct grant_request);

	(void)current;
	*in = (struct grant_request){ .grant = self, .done = done, .done_arg = arg };
	in->first = loop_soon(in->grant->args.loop, ask, in);
	return in;
}

static void ask(void *arg)
{
	static const char *const headers[] = { "Accept: application/json",
					       "Content-Type: application/x-www-form-urlencoded",
					       NULL };
	struct grant_request *in = arg;
	const struct sf_grant_args *args = &in->grant->args;
	CLEANUP(secret_free) struct secret *secret = NULL;
	CLEANUP(secret_free) struct secret *form = NULL;
	struct error why;

	in->first = NULL;
	secret = args->credential(args->arg, &why);
	form = secret ? sf_token_form(in->grant->client_id, secret, &why) : NULL;
	if (form)
		in->asking = http_start(args->http,
					&(struct http_call){ .class = HTTP_TOKEN,
							     .method = "POST",
							     .url = in->grant->token_url,
							     .headers = headers,
							     .form = form },
					answer, in);
	else
		finish(in, NULL, &why);
}

static void answer(const struct http_response *response, bool sent, const struct error *err,
		   void *arg)
{
	struct grant_request *in = arg;
	const struct sf_grant_args *args = &in->grant->args;
	struct vault_token token = { 0 };
	struct error why;

	in->asking = NULL;
	in->unknown = err ? sent : response->status == 200;
	if (err)
		finish(in, NULL, err);
	else if (response->status != 200 && !sf_error_token(response, &why))
		finish(in, NULL, &why);
	else if (!sf_token_parse(response->body, response->body_len, args->policy,
				 loop_now_ms(args->loop), &token, &why))
		finish(in, NULL, &why);
	else
		finish(in, &token, NULL);
}

static void finish(struct grant_request *in, struct vault_token *token, const struct error *err)
{
	struct grant_request ended = *in;

	free(in);
	ended.done(token, err, ended.unknown, ended.done_arg);
}

static void cancel(struct grant_request *in)
{
	if (!in)
		return;
	loop_timer_cancel(in->first);
	http_cancel(in->asking);
	free(in);
}
