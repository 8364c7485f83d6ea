/* One login, from the address to the token: a scripted grant, a browser on loopback, pastes, and a
 * clock that the test moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "auth/grant.h"
#include "auth/login.h"
#include "base/error.h"
#include "loop/loop.h"
#include "secret/secret.h"
#include "vault/vault.h"

#include "browser.h"

#define MINUTE_MS ((int64_t)60000)
#define START     "https://login.salesforce.com/services/oauth2/authorize?"

/* The grant: answers an exchange as `say` has it. */
static struct {
	enum {
		GIVE,
		FAIL,
		LOSE,
		LOSE_SAID,     /* unknown, but a person must act */
		FAIL_ANSWERED, /* the answer is refused, and brought a refresh token */
		HANG
	} say;
	unsigned exchanges, cancels;
	char code[64], verifier[64], challenge[64];
	struct grant_request *pending;
} script;

struct grant_request {
	grant_done_fn *done;
	void *arg;
	struct loop_timer *answer;
};

static struct {
	struct loop *loop;
	int port;
	char uri[64];
	struct login *login;
	char state[64];
	bool listen, free_in_done;
	/* What `done` said. */
	unsigned ends;
	bool got_token, got_refresh_token;
	struct error err;
} at;

static char *authorize_url(void *self, const char *state, const char *challenge)
{
	assert_ptr_equal(self, &script);
	snprintf(at.state, sizeof(at.state), "%s", state);
	snprintf(script.challenge, sizeof(script.challenge), "%s", challenge);
	return mem_format(START "state=%s&code_challenge=%s", state, challenge);
}

static void grant_answer(void *arg)
{
	struct grant_request ended = *(struct grant_request *)arg;
	struct vault_token token = { 0 };
	struct error err;

	free(arg);
	script.pending = NULL;
	if (script.say == GIVE) {
		token.access_token = secret_new("canary-token", 12);
		ended.done(&token, NULL, false, ended.arg);
		return;
	}
	if (script.say == FAIL)
		error_set(&err, ERROR_HUMAN, "invalid_grant", "expired authorization code");
	else if (script.say == LOSE)
		error_set(&err, ERROR_RETRY, "timeout", "no answer within 30 s");
	else
		error_set(&err, ERROR_HUMAN, "wrong-host", "the answer is of evil.example");
	if (script.say == FAIL_ANSWERED)
		token.refresh_token = secret_new("canary-refresh", 14);
	ended.done(token.refresh_token ? &token : NULL, &err,
		   script.say == LOSE || script.say == LOSE_SAID, ended.arg);
}

static void copy_out(struct secret *in, char out[64])
{
	size_t len;

	snprintf(out, 64, "%s", secret_open(in, &len));
	assert_int_equal(strlen(out), len);
	secret_close(in);
}

static struct grant_request *exchange(void *self, struct secret *code, struct secret *verifier,
				      grant_done_fn *done, void *arg)
{
	struct grant_request *in = mem_new(struct grant_request);

	assert_ptr_equal(self, &script);
	*in = (struct grant_request){ .done = done, .arg = arg };
	script.exchanges++;
	copy_out(code, script.code);
	copy_out(verifier, script.verifier);
	if (script.say != HANG)
		in->answer = loop_soon(at.loop, grant_answer, in);
	script.pending = in;
	return in;
}

static void grant_cancel(struct grant_request *in)
{
	loop_timer_cancel(in->answer);
	script.cancels++;
	script.pending = NULL;
	free(in);
}

static const struct grant grant = {
	.self = &script,
	.source = "here",
	.by_login = true,
	.authorize_url = authorize_url,
	.exchange = exchange,
	.cancel = grant_cancel,
};

static void ended(struct vault_token *token, const struct error *err, void *arg)
{
	assert_ptr_equal(arg, &at);
	at.ends++;
	assert_true(token || err);
	at.got_token = token && token->access_token;
	at.got_refresh_token = token && token->refresh_token;
	if (token)
		vault_token_done(token);
	if (err)
		at.err = *err;
	if (at.free_in_done)
		login_free(TAKE(at.login));
}

static bool open_login(struct error *err)
{
	const struct login_args args = {
		.loop = at.loop,
		.grant = &grant,
		.redirect_uri = at.uri,
		.listen = at.listen,
		.done = ended,
		.arg = &at,
	};

	at.login = login_new(&args, err);
	return at.login != NULL;
}

static int set_up(void **state)
{
	struct error err;

	(void)state;
	memset(&at, 0, sizeof(at));
	memset(&script, 0, sizeof(script));
	at.loop = loop_new();
	at.port = browser_free_port();
	at.listen = true;
	snprintf(at.uri, sizeof(at.uri), "http://localhost:%d/callback", at.port);
	if (!open_login(&err))
		fail_msg("%s", err.text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	login_free(at.login);
	assert_null(script.pending);
	loop_free(at.loop);
	return 0;
}

static int dial(void)
{
	return browser_dial(at.loop, AF_INET, at.port);
}

static char *request_of(const char *format)
{
	CLEANUP_FREE char *query = mem_format("%s%s", format, at.state);

	return mem_format("GET /callback?%s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", query,
			  at.port);
}

/* What a browser is answered that comes back with this and the right state behind it. */
static const char *come_back(const char *query)
{
	CLEANUP_FREE char *request = request_of(query);
	const char *answer;
	int fd = dial();

	assert_true(fd >= 0);
	browser_say(at.loop, fd, request, strlen(request));
	answer = browser_hear(at.loop, fd);
	close(fd);
	assert_non_null(answer);
	assert_null(strstr(answer, "canary"));
	return answer;
}

static bool paste(const char *text, struct error *err)
{
	CLEANUP(secret_free) struct secret *url = secret_new(text, strlen(text));

	return login_paste(at.login, url, err);
}

static bool paste_answer(const char *query, struct error *err)
{
	CLEANUP_FREE char *text = mem_format("%s?%s%s", at.uri, query, at.state);

	return paste(text, err);
}

#define OK_    "HTTP/1.1 200 "
#define WRONG_ "HTTP/1.1 400 "
#define assert_begins(text_, start_)                                                               \
	assert_int_equal(strncmp((text_), (start_), sizeof(start_) - 1), 0)

static void assert_end(const char *code)
{
	browser_settle(at.loop);
	assert_int_equal(at.ends, 1);
	assert_false(at.got_token);
	assert_int_equal(at.err.kind, ERROR_HUMAN);
	assert_string_equal(at.err.code, code);
}

static void assert_still_pending(void)
{
	browser_settle(at.loop);
	assert_int_equal(at.ends, 0);
	assert_int_equal(script.exchanges, 0);
	assert_begins(come_back("code=canary-code&state="), OK_);
	assert_int_equal(at.ends, 1);
	assert_true(at.got_token);
}

static void the_address_has_a_state_and_a_challenge(void **state)
{
	char first_state[64], first_challenge[64];
	struct error err;

	(void)state;
	assert_begins(login_url(at.login), START);
	assert_non_null(strstr(login_url(at.login), at.state));
	assert_int_equal(strlen(at.state), 43);
	assert_int_equal(strlen(script.challenge), 43);
	strcpy(first_state, at.state);
	strcpy(first_challenge, script.challenge);
	login_free(TAKE(at.login));
	assert_true(open_login(&err));
	assert_string_not_equal(at.state, first_state);
	assert_string_not_equal(script.challenge, first_challenge);
}

static void a_code_becomes_a_token(void **state)
{
	CLEANUP(secret_free) struct secret *verifier = NULL;
	CLEANUP_FREE char *challenge = NULL;

	(void)state;
	assert_begins(come_back("code=canary%3D%3D&state="), OK_);
	assert_int_equal(script.exchanges, 1);
	assert_string_equal(script.code, "canary==");
	assert_int_equal(strlen(script.verifier), 43);
	verifier = secret_new(script.verifier, strlen(script.verifier));
	challenge = secret_sha256(verifier);
	assert_string_equal(script.challenge, challenge);
	assert_string_not_equal(script.verifier, at.state);
	assert_null(strstr(login_url(at.login), script.verifier));
	assert_int_equal(at.ends, 1);
	assert_true(at.got_token);
	assert_int_equal(dial(), -1);
	/* Nothing comes after the end. */
	loop_test_advance(at.loop, 11 * MINUTE_MS);
	browser_settle(at.loop);
	assert_int_equal(at.ends, 1);
}

static void wrong_answers_leave_it_pending(void **state)
{
	static const char *const rows[] = {
		"code=canary&state=x",                         /* a byte before the right one */
		"code=canary&x=",                              /* no state */
		"state=",                                      /* no code */
		"code=&state=",                                /* empty */
		"code=canary&code=canary&state=",              /* doubled */
		"code=canary&state=x&state=",                  /* doubled */
		"code=canary&error=canary&state=",             /* both */
		"error=canary&state=x",                        /* somebody else's denial */
		"error=access_denied&x=",                      /* a denial without a state */
		"code=canary%00&state=",                       /* a NUL */
		"code=canary&iss=https://evil.example&state=", /* another server */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_begins(come_back(rows[i]), WRONG_);
	at.state[42] = at.state[42] == 'A' ? 'B' : 'A'; /* the last byte of the state */
	assert_begins(come_back("code=canary&state="), WRONG_);
	at.state[42] = '\0'; /* a byte less */
	assert_begins(come_back("code=canary&state="), WRONG_);
	assert_int_equal(at.ends, 0);
	login_free(TAKE(at.login));
}

static void a_wrong_answer_does_not_use_up_the_state(void **state)
{
	(void)state;
	assert_begins(come_back("code=canary&state=x"), WRONG_);
	assert_begins(come_back("code=canary&iss=https://evil.example&state="), WRONG_);
	assert_still_pending();
}

static void the_right_issuer_is_welcome(void **state)
{
	(void)state;
	assert_begins(come_back("iss=https%3A%2F%2Flogin.salesforce.com&code=canary&state="), OK_);
	assert_true(at.got_token);
}

static void a_code_is_exchanged_once(void **state)
{
	CLEANUP_FREE char *again = request_of("code=canary-again&state=");
	struct error err;
	int early = dial();

	(void)state;
	script.say = HANG;
	assert_begins(come_back("code=canary&state="), OK_);
	browser_say(at.loop, early, again, strlen(again));
	assert_begins(browser_hear(at.loop, early), "HTTP/1.1 404 ");
	close(early);
	assert_int_equal(dial(), -1);
	assert_false(paste_answer("code=canary&state=", &err));
	assert_string_equal(err.code, "not-the-answer");
	assert_non_null(strstr(err.text, "once"));
	assert_int_equal(script.exchanges, 1);
	assert_int_equal(at.ends, 0);
	/* Not even the ten minutes end what is with the grant. */
	loop_test_advance(at.loop, 11 * MINUTE_MS);
	browser_settle(at.loop);
	assert_int_equal(at.ends, 0);
	login_free(TAKE(at.login));
	assert_int_equal(script.cancels, 1);
	assert_int_equal(at.ends, 0);
}

static void a_denial_ends_it(void **state)
{
	static const struct {
		const char *query;
		const char *says[3];
	} rows[] = {
		{ "error=access_denied&error_description=end-user+denied+authorization&state=",
		  { "access was refused", "allow it", "\"end-user denied authorization\"" } },
		{ "error=access-denied&state=",
		  { "access was refused", "allow it", "\"access-denied\"" } },
		{ "error=%1b%5b2Jserver_error&error_description=%22%0aFAKE+line&state=",
		  { "the login failed", "app's settings",
		    "\"?[2Jserver_error\", \"??FAKE line\"" } },
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *page;

		if (i) {
			login_free(TAKE(at.login));
			at.ends = 0;
			assert_true(open_login(&err));
		}
		page = come_back(rows[i].query);
		assert_begins(page, OK_);
		assert_non_null(strstr(page, "denied"));
		assert_end("login-denied");
		for (size_t j = 0; j < 3; j++)
			if (!strstr(at.err.text, rows[i].says[j]))
				fail_msg("no %s in: %s", rows[i].says[j], at.err.text);
		assert_int_equal(script.exchanges, 0);
		assert_int_equal(dial(), -1);
	}
}

static void a_long_denial_is_cut(void **state)
{
	char query[2000] = "error_description=";

	(void)state;
	memset(query + strlen(query), 'x', 1500);
	strcat(query, "&error=e&state=");
	assert_begins(come_back(query), OK_);
	assert_end("login-denied");
	assert_true(strlen(at.err.text) < 400);
	assert_non_null(strstr(at.err.text, "xxx...\""));
}

/* The page goes out although nobody is left when it does. */
static void the_page_outlives_the_login(void **state)
{
	static const struct {
		const char *query, *page;
	} rows[] = {
		{ "code=canary&state=", "You may close this window" },
		{ "error=access_denied&state=", "Access was denied" },
	};
	struct error err;

	(void)state;
	at.free_in_done = true;
	for (size_t i = 0; i < 2; i++) {
		if (i)
			assert_true(open_login(&err));
		assert_non_null(strstr(come_back(rows[i].query), rows[i].page));
		assert_null(at.login);
		assert_int_equal(at.ends, i + 1);
	}
}

static void what_the_grant_says_is_passed_on(void **state)
{
	(void)state;
	script.say = FAIL;
	assert_begins(come_back("code=canary&state="), OK_);
	assert_end("invalid_grant");
	assert_string_equal(at.err.text, "expired authorization code");
}

static void a_lost_exchange_is_not_repeated(void **state)
{
	(void)state;
	script.say = LOSE;
	assert_begins(come_back("code=canary&state="), OK_);
	assert_end("exchange-lost");
	assert_non_null(strstr(at.err.text, "log in again (no answer within 30 s)"));
	loop_test_advance(at.loop, 60 * MINUTE_MS);
	browser_settle(at.loop);
	assert_int_equal(script.exchanges, 1);
	assert_int_equal(at.ends, 1);
}

static void a_refused_answer_says_why(void **state)
{
	static const struct {
		int say;
		bool refresh_token;
	} rows[] = { { LOSE_SAID, false }, { FAIL_ANSWERED, true } };

	for (size_t i = 0; i < 2; i++) {
		script.say = rows[i].say;
		assert_begins(come_back("code=canary&state="), OK_);
		assert_end("wrong-host");
		assert_int_equal(at.err.kind, ERROR_HUMAN);
		assert_string_equal(at.err.text, "the answer is of evil.example");
		/* To be revoked, if there is one. */
		assert_int_equal(at.got_refresh_token, rows[i].refresh_token);
		tear_down(state);
		set_up(state);
	}
}

static void ten_minutes_it_lasts(void **state)
{
	(void)state;
	loop_test_advance(at.loop, 10 * MINUTE_MS - 1000);
	browser_settle(at.loop);
	assert_int_equal(at.ends, 0);
	close(dial());
	loop_test_advance(at.loop, 1000);
	assert_end("login-expired");
	assert_int_equal(dial(), -1);
}

static void nine_minutes_are_not_too_late(void **state)
{
	(void)state;
	loop_test_advance(at.loop, 9 * MINUTE_MS);
	assert_still_pending();
}

/* The machine slept: no timer has run yet when the answer comes. */
static void an_answer_after_its_time_is_refused(void **state)
{
	struct error err;

	(void)state;
	at.free_in_done = true;
	loop_test_advance(at.loop, 10 * MINUTE_MS);
	assert_false(paste_answer("code=canary&state=", &err));
	assert_string_equal(err.code, "login-expired");
	assert_false(paste_answer("code=canary&state=", &err));
	assert_int_equal(at.ends, 0); /* not from inside */
	assert_end("login-expired");
	assert_int_equal(script.exchanges, 0);
	assert_null(at.login);
}

static void an_answer_may_be_pasted(void **state)
{
	struct error err;

	(void)state;
	at.listen = false;
	login_free(TAKE(at.login));
	assert_true(open_login(&err));
	assert_int_equal(dial(), -1);
	assert_false(paste_answer("code=canary&state=x", &err));
	assert_string_equal(err.code, "wrong-state");
	assert_true(paste_answer("code=canary%3D&state=", &err));
	assert_int_equal(at.ends, 0); /* not from inside */
	browser_settle(at.loop);
	assert_string_equal(script.code, "canary=");
	assert_int_equal(at.ends, 1);
	assert_true(at.got_token);
	assert_false(paste_answer("code=canary%3D&state=", &err));
	assert_int_equal(script.exchanges, 1);
}

static void a_denial_may_be_pasted(void **state)
{
	struct error err;

	(void)state;
	assert_true(paste_answer("error=access_denied&state=", &err));
	assert_int_equal(at.ends, 0);
	assert_int_equal(dial(), -1); /* the page has gone with it */
	assert_end("login-denied");
}

static void a_paste_ends_listening(void **state)
{
	struct error err;
	int fd = dial();

	(void)state;
	script.say = HANG;
	assert_true(paste_answer("code=canary&state=", &err));
	assert_int_equal(dial(), -1);
	assert_string_equal(browser_hear(at.loop, fd), "");
	close(fd);
}

static void a_wrong_paste_leaves_it_pending(void **state)
{
	static const struct {
		const char *format; /* of the state */
		const char *code;
	} rows[] = {
		{ "", "not-the-answer" },
		{ "canary-code", "not-the-answer" },
		{ START "state=%s", "not-the-answer" },
		{ "https://login.salesforce.com/error?error=canary&state=%s", "not-the-answer" },
		{ "http://localhost:1/callback?code=canary&state=%s", "not-the-answer" },
		{ "%U", "not-the-answer" },
		{ "%U?state=%s", "not-the-answer" },
		{ "%U/?code=canary&state=%s", "not-the-answer" },
		{ "%U?code=canary&code=canary&state=%s", "not-the-answer" },
		{ "%U?code=canary&state=%s&iss=https://evil.example", "not-the-answer" },
		{ "%U?code=canary&state=canary", "wrong-state" },
		{ "%U?code=canary&state=%sx", "wrong-state" },
		{ "%U?error=canary&state=canary", "wrong-state" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[256], *to = text;
		struct error err;

		for (const char *from = rows[i].format; *from; from++) {
			if (*from == '%')
				to += sprintf(to, "%s", *++from == 'U' ? at.uri : at.state);
			else
				*to++ = *from;
		}
		*to = '\0';
		if (paste(text, &err))
			fail_msg("%s was taken", text);
		assert_int_equal(err.kind, ERROR_HUMAN);
		assert_string_equal(err.code, rows[i].code);
		assert_null(strstr(err.text, "canary"));
		assert_null(strstr(err.text, at.state));
	}
	assert_still_pending();
}

static void a_taken_port_is_told(void **state)
{
	struct login *first = TAKE(at.login);
	struct error err;

	(void)state;
	assert_false(open_login(&err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "port-taken");
	login_free(first);
	assert_true(open_login(&err));
	login_free(TAKE(at.login));
	strcpy(at.uri, "http://example.com/callback");
	assert_false(open_login(&err));
	assert_string_equal(err.code, "bad-redirect-uri");
	/* Where nothing is listened on, it is the browser's affair. */
	at.listen = false;
	assert_true(open_login(&err));
}

/* At once, and nothing is told: with the browser away, at the door, half in, with the code at the
 * grant, its answer on the way, or a denial on the way. */
static void it_may_be_freed_at_any_time(void **state)
{
	CLEANUP_FREE char *half = NULL;
	struct error err;
	int fd;

	(void)state;
	login_free(NULL);
	login_free(TAKE(at.login));

	assert_true(open_login(&err));
	fd = dial();
	half = request_of("code=canary&state=");
	browser_say(at.loop, fd, half, strlen(half) - 5);
	login_free(TAKE(at.login));
	assert_string_equal(browser_hear(at.loop, fd), "");
	close(fd);

	assert_true(open_login(&err));
	assert_true(paste_answer("code=canary&state=", &err)); /* its answer on the way */
	assert_non_null(script.pending);
	login_free(TAKE(at.login));
	assert_int_equal(script.cancels, 1);

	assert_true(open_login(&err));
	assert_true(paste_answer("error=x&state=", &err));
	login_free(TAKE(at.login));

	script.say = HANG;
	assert_true(open_login(&err));
	assert_begins(come_back("code=canary&state="), OK_);
	login_free(TAKE(at.login));
	assert_int_equal(script.cancels, 2);

	loop_test_advance(at.loop, 11 * MINUTE_MS);
	browser_settle(at.loop);
	assert_int_equal(at.ends, 0);
}

int main(void)
{
#define row(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		row(the_address_has_a_state_and_a_challenge),
		row(a_code_becomes_a_token),
		row(wrong_answers_leave_it_pending),
		row(a_wrong_answer_does_not_use_up_the_state),
		row(the_right_issuer_is_welcome),
		row(a_code_is_exchanged_once),
		row(a_denial_ends_it),
		row(a_long_denial_is_cut),
		row(the_page_outlives_the_login),
		row(what_the_grant_says_is_passed_on),
		row(a_lost_exchange_is_not_repeated),
		row(a_refused_answer_says_why),
		row(ten_minutes_it_lasts),
		row(nine_minutes_are_not_too_late),
		row(an_answer_after_its_time_is_refused),
		row(an_answer_may_be_pasted),
		row(a_denial_may_be_pasted),
		row(a_paste_ends_listening),
		row(a_wrong_paste_leaves_it_pending),
		row(a_taken_port_is_told),
		row(it_may_be_freed_at_any_time),
	};
	struct error err;
	bool locked;

	return secret_start(&locked, &err) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
