/* The client_credentials grant against a scripted token endpoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "http/http.h"
#include "loop/loop.h"
#include "peer.h"
#include "salesforce/salesforce.h"
#include "secret/secret.h"
#include "vault/vault.h"

static struct {
	struct loop *loop;
	struct peer *peer;
	struct http_client *http;
	struct sf_grant *owner;
	const struct grant *grant;
	bool no_secret;
	unsigned ends;
	struct vault_token token;
	bool has_token;
	struct error err;
} at;

static const struct url_policy policy = { .loopback_test = true };

static struct secret *fetch_secret(void *arg, struct error *err)
{
	assert_ptr_equal(arg, &at);
	if (!at.no_secret)
		return secret_new("7F00+EXAMPLE", 12);
	error_set(err, ERROR_HUMAN, "no-secret", "type it in");
	return NULL;
}

static int set_up(void **state)
{
	struct http_options options = { .user_agent = "test", .allow_plain = true };
	struct error err;

	(void)state;
	memset(&at, 0, sizeof(at));
	at.loop = loop_new();
	at.peer = peer_new(at.loop);
	at.http = http_client_new(at.loop, &options, &err);
	at.owner = sf_grant_new(&(struct sf_grant_args){ .loop = at.loop,
							 .http = at.http,
							 .policy = &policy,
							 .login_url = peer_url(at.peer),
							 .client_id = "3MVG9.example",
							 .flow = SF_FLOW_CLIENT_CREDENTIALS, .credential = fetch_secret,
							 .arg = &at },
				&err);
	at.grant = at.owner ? sf_grant_interface(at.owner) : NULL;
	return at.grant ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	vault_token_done(&at.token);
	sf_grant_free(at.owner);
	http_client_free(at.http);
	peer_free(at.peer);
	loop_free(at.loop);
	return 0;
}

static void have_token(struct vault_token *token, const struct error *err, bool unknown, void *arg)
{
	(void)unknown;
	assert_ptr_equal(arg, &at);
	assert_int_equal(token == NULL, err != NULL);
	at.ends++;
	at.has_token = token != NULL;
	if (token)
		at.token = *token;
	else
		at.err = *err;
}

static void ask(void)
{
	at.ends = 0;
	at.grant->start(at.grant->self, NULL, have_token, &at);
	assert_int_equal(at.ends, 0);
	while (!at.ends)
		loop_once(at.loop);
	assert_int_equal(at.ends, 1);
}

static void a_token_is_asked_for(void **state)
{
	CLEANUP_FREE char *body = mem_format(
		"{\"access_token\":\"00D8d0000004QxR!AQ.x\",\"instance_url\":\"%s\","
		"\"id\":\"%s/id/00D8d0000004QxREAU/0058d000002Kp7ZAAS\",\"token_type\":\"Bearer\"}",
		peer_url(at.peer), peer_url(at.peer));
	const char *request;

	(void)state;
	peer_answer(at.peer, 200, "", body);
	ask();
	assert_true(at.has_token);
	assert_string_equal(at.token.org_id, "00D8d0000004QxREAU");
	assert_string_equal(at.token.instance_url, peer_url(at.peer));
	assert_int_equal(at.token.expires_ms, 0);
	request = peer_request(at.peer, 0);
	assert_non_null(strstr(request, "POST /services/oauth2/token HTTP/1.1\r\n"));
	assert_non_null(strstr(request, "Content-Type: application/x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(request, "\r\n\r\ngrant_type=client_credentials&"
					"client_id=3MVG9.example&client_secret=7F00%2BEXAMPLE"));
	assert_null(strstr(request, "Authorization"));
}

static void refusals(void **state)
{
	static const struct {
		int status;
		const char *body, *code;
		enum error_kind kind;
	} rows[] = {
		{ 400,
		  "{\"error\":\"invalid_grant\",\"error_description\":\"no client credentials "
		  "user enabled\"}",
		  "invalid_grant", ERROR_HUMAN },
		{ 401, "{\"error\":\"invalid_client\",\"error_description\":\"x\"}",
		  "invalid_client", ERROR_HUMAN },
		{ 400, "{\"error\":\"rate_limit_exceeded\"}", "rate_limit_exceeded", ERROR_RETRY },
		{ 302, "", "protocol", ERROR_RETRY },
		{ 200, "<html>", "protocol", ERROR_RETRY },
		{ 201, "{}", "protocol", ERROR_RETRY },
		{ 200, "{}", "protocol", ERROR_RETRY },
		{ 503, "<html>", "server-trouble", ERROR_RETRY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		peer_answer(at.peer, rows[i].status, "", rows[i].body);
		ask();
		assert_false(at.has_token);
		assert_string_equal(at.err.code, rows[i].code);
		assert_int_equal(at.err.kind, rows[i].kind);
		assert_null(strstr(at.err.text, "EXAMPLE"));
	}
	assert_int_equal(peer_count(at.peer), sizeof(rows) / sizeof(rows[0]));
}

static void without_a_secret_nothing_is_asked(void **state)
{
	(void)state;
	at.no_secret = true;
	ask();
	assert_string_equal(at.err.code, "no-secret");
	assert_int_equal(peer_connections(at.peer), 0);
}

static void a_silent_endpoint_is_given_up(void **state)
{
	(void)state;
	at.grant->start(at.grant->self, NULL, have_token, &at);
	while (!peer_count(at.peer))
		loop_once(at.loop);
	loop_test_advance(at.loop, 31000);
	while (!at.ends)
		loop_once(at.loop);
	assert_string_equal(at.err.code, "timeout");
	assert_int_equal(at.err.kind, ERROR_RETRY);
}

static void a_cancel_is_silent(void **state)
{
	struct grant_request *request;

	(void)state;
	request = at.grant->start(at.grant->self, NULL, have_token, &at);
	at.grant->cancel(request);
	request = at.grant->start(at.grant->self, NULL, have_token, &at);
	while (!peer_count(at.peer))
		loop_once(at.loop);
	at.grant->cancel(request);
	at.grant->cancel(NULL);
	assert_int_equal(at.ends, 0);
}

static void bad_settings_are_refused(void **state)
{
	static const struct {
		const char *login_url, *client_id, *code;
	} rows[] = {
		{ "http://login.salesforce.com", "x", "url" },
		{ "https://evil.example", "x", "url" },
		{ "https://login.salesforce.com", "", "no-client-id" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err;

		assert_null(sf_grant_new(&(struct sf_grant_args){ .loop = at.loop,
								  .http = at.http,
								  .policy = &policy,
								  .login_url = rows[i].login_url,
								  .client_id = rows[i].client_id },
					 &err));
		assert_string_equal(err.code, rows[i].code);
		assert_int_equal(err.kind, ERROR_HUMAN);
	}
}

static int start(void **state)
{
	struct error err;
	bool locked;

	(void)state;
	return secret_start(&locked, &err) ? 0 : -1;
}

#define GRANT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		GRANT_TEST(a_token_is_asked_for),
		GRANT_TEST(refusals),
		GRANT_TEST(without_a_secret_nothing_is_asked),
		GRANT_TEST(a_silent_endpoint_is_given_up),
		GRANT_TEST(a_cancel_is_silent),
		GRANT_TEST(bad_settings_are_refused),
	};

	return cmocka_run_group_tests_name("sf_grant", tests, start, NULL);
}
