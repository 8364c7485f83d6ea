/* login.c - in order: login_new, came_back or login_paste, take_answer, exchange or deny, finish.
 */
#include "auth/login.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/grant.h"
#include "auth/paste.h"
#include "auth/redirect.h"
#include "base/error.h"
#include "loop/loop.h"
#include "secret/secret.h"
#include "web/callback.h"

#define RANDOM_BYTES 32

enum login_phase {
	LOGIN_PENDING,    /* the browser is away */
	LOGIN_EXCHANGING, /* its code is with the grant */
	LOGIN_OVER,       /* `done` was called, or is about to be */
};

struct login {
	struct login_args args;
	char *redirect_uri, *url;
	enum login_phase phase;
	struct secret *state;      /* while pending */
	struct secret *verifier;   /* until it is over, as the next */
	struct secret *code;       /* once it came */
	struct callback *callback; /* NULL if not listening; outlives the phase for its page */
	int64_t expires_steady_ms;
	struct loop_timer *end;         /* the expiry, or a denial that is to be told */
	struct grant_request *exchange; /* while exchanging */
	struct error denial;
};

static enum callback_verdict came_back(const char *query, size_t len, void *arg);
static bool take_answer(struct login *in, const char *query, size_t len, struct error *err);
static void exchange(struct login *in, struct redirect *answer);
static void exchanged(struct vault_token *token, const struct error *err, bool unknown, void *arg);
static void deny(struct login *in, const struct redirect *answer);
static void expire(void *arg);
static void finish(struct login *in, struct vault_token *token, const struct error *err);

static char *make_url(struct login *in)
{
	CLEANUP_FREE char *challenge = secret_sha256(in->verifier);
	size_t len;
	char *url = in->args.grant->authorize_url(in->args.grant->self,
						  secret_open(in->state, &len), challenge);

	secret_close(in->state);
	return url;
}

struct login *login_new(const struct login_args *args, struct error *err)
{
	CLEANUP(login_free) struct login *in = mem_new(struct login);

	*in = (struct login){
		.args = *args,
		.redirect_uri = mem_strdup(args->redirect_uri),
		.state = secret_random(RANDOM_BYTES),
		.verifier = secret_random(RANDOM_BYTES),
	};
	in->args.redirect_uri = in->redirect_uri;
	if (args->listen) {
		in->callback = callback_new(args->loop, in->redirect_uri, came_back, in, err);
		if (!in->callback)
			return NULL;
	}
	in->url = make_url(in);
	in->expires_steady_ms = loop_steady_ms(args->loop) + (int64_t)LOGIN_LASTS_S * 1000;
	in->end = loop_after(args->loop, (int64_t)LOGIN_LASTS_S * 1000, expire, in);
	return TAKE(in);
}

static void forget_secrets(struct login *in)
{
	secret_free(TAKE(in->state));
	secret_free(TAKE(in->verifier));
	secret_free(TAKE(in->code));
}

void login_free(struct login *in)
{
	if (!in)
		return;
	if (in->exchange)
		in->args.grant->cancel(in->exchange);
	callback_free(in->callback);
	loop_timer_cancel(in->end);
	forget_secrets(in);
	if (in->url)
		secret_wipe(in->url, strlen(in->url)); /* the state is in it */
	free(in->url);
	free(in->redirect_uri);
	free(in);
}

const char *login_url(const struct login *in)
{
	return in->url;
}

/* The answer. */

static enum callback_verdict came_back(const char *query, size_t len, void *arg)
{
	struct login *in = arg;
	struct error why; /* the browser gets a constant page */

	if (!take_answer(in, query, len, &why))
		return CALLBACK_WRONG;
	return in->phase == LOGIN_EXCHANGING ? CALLBACK_DONE : CALLBACK_DENIED;
}

bool login_paste(struct login *in, struct secret *url, struct error *err)
{
	const struct paste_login login = { .redirect_uri = in->redirect_uri,
					   .authorize_url = in->url };
	const char *query, *text;
	size_t query_len, len;
	bool took;

	text = secret_open(url, &len);
	took = paste_find_query(&login, text, len, &query, &query_len, err) &&
	       take_answer(in, query, query_len, err);
	secret_close(url);
	if (took)
		callback_free(TAKE(in->callback));
	return took;
}

static bool is_pending(struct login *in, struct error *err)
{
	if (in->phase != LOGIN_PENDING)
		return error_set(err, ERROR_HUMAN, "not-the-answer",
				 "this login had its answer already, or is over: an answer is good "
				 "once");
	if (loop_steady_ms(in->args.loop) < in->expires_steady_ms)
		return true;
	/* The machine slept, and its timers are not awake yet. */
	loop_timer_cancel(in->end);
	in->end = loop_soon(in->args.loop, expire, in);
	return error_set(err, ERROR_HUMAN, "login-expired",
			 "this login is over: its %d minutes have passed; log in again",
			 LOGIN_LASTS_S / 60);
}

static bool is_ours(struct login *in, const struct redirect *answer, struct error *err)
{
	if (!secret_equal(in->state, answer->state))
		return error_set(err, ERROR_HUMAN, "wrong-state",
				 "this answer belongs to another login, an older one perhaps: open "
				 "the address that was shown last");
	if (!redirect_is_from(answer, in->url))
		return error_set(err, ERROR_HUMAN, "not-the-answer",
				 "this answer names another login server (iss) than the one the "
				 "browser was sent to: check login_url, then log in again");
	return true;
}

/* True: it was this login's, and is used up. */
static bool take_answer(struct login *in, const char *query, size_t len, struct error *err)
{
	struct redirect answer;
	bool ours;

	if (!is_pending(in, err) || !redirect_parse(query, len, &answer, err))
		return false;
	ours = is_ours(in, &answer, err);
	if (ours) {
		loop_timer_cancel(TAKE(in->end));
		secret_free(TAKE(in->state));
		if (answer.code)
			exchange(in, &answer);
		else
			deny(in, &answer);
	}
	redirect_done(&answer);
	return ours;
}

static void exchange(struct login *in, struct redirect *answer)
{
	const struct grant *grant = in->args.grant;

	in->phase = LOGIN_EXCHANGING;
	in->code = TAKE(answer->code);
	in->exchange = grant->exchange(grant->self, in->code, in->verifier, exchanged, in);
}

static void exchanged(struct vault_token *token, const struct error *err, bool unknown, void *arg)
{
	struct login *in = arg;
	struct error lost;

	in->exchange = NULL;
	/* What a person must mend is no news of the network: it says more than that. */
	if (err && unknown && err->kind == ERROR_RETRY) {
		error_set(&lost, ERROR_HUMAN, "exchange-lost",
			  "the login's answer was lost: its code was sent and works once, so log "
			  "in again (%s)",
			  err->text);
		err = &lost;
	}
	finish(in, token, err);
}

/* Not from inside the call that brought it: the listener is still at it. */
static void tell_denial(void *arg)
{
	struct login *in = arg;

	in->end = NULL;
	finish(in, NULL, &in->denial);
}

static bool is_refusal(const char *error)
{
	return strcmp(error, "access_denied") == 0 || strcmp(error, "access-denied") == 0;
}

static void deny(struct login *in, const struct redirect *answer)
{
	bool refused = is_refusal(answer->error);

	error_set(&in->denial, ERROR_HUMAN, "login-denied",
		  "%s; %s. The login server says: \"%s\"%s%s%s",
		  refused ? "access was refused at the browser" : "the login failed at the browser",
		  refused ? "log in again and allow it there, as a user whom the app admits"
			  : "look at the app's settings and the user's permissions, then log in "
			    "again",
		  answer->error, answer->description ? ", \"" : "",
		  answer->description ? answer->description : "", answer->description ? "\"" : "");
	in->phase = LOGIN_OVER;
	in->end = loop_soon(in->args.loop, tell_denial, in);
}

static void expire(void *arg)
{
	struct login *in = arg;
	struct error err;

	in->end = NULL;
	callback_free(TAKE(in->callback));
	error_set(&err, ERROR_HUMAN, "login-expired",
		  "nobody came back from the browser within %d minutes: log in again",
		  LOGIN_LASTS_S / 60);
	finish(in, NULL, &err);
}

/* `token` may be there beside `err`. Last: `done` may free the login. */
static void finish(struct login *in, struct vault_token *token, const struct error *err)
{
	in->phase = LOGIN_OVER;
	forget_secrets(in);
	in->args.done(token, err, in->args.arg);
}
