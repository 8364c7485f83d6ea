/* Whose a new token is: two queries against a scripted server, without a keeper. */
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

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))
#define TOKEN     "00D8d0000004QxR!AQ.CANARY"
#define JSON      "Content-Type: application/json;charset=UTF-8\r\n"
#define USAGE(n)  JSON "Sforce-Limit-Info: api-usage=" n "/15000\r\n"

#define PAGE(record)           "{\"totalSize\":1,\"done\":true,\"records\":[" record "]}"
#define ATTRIBUTES             "\"attributes\":{\"type\":\"X\"},"
#define ORG_OF(id, rest)       PAGE("{" ATTRIBUTES "\"Id\":\"" id "\"," rest "}")
#define ORG                    ORG_OF("00D8d0000004QxREAU", DETAILS)
#define USER                   PAGE("{" ATTRIBUTES "\"Username\":\"sync@acme.example\",\"Name\":\"Sync User\"}")
#define FAILURE(code, message) "[{\"message\":\"" message "\",\"errorCode\":\"" code "\"}]"
#define DETAILS                                                                                    \
	"\"Name\":\"Acme\",\"OrganizationType\":\"Enterprise Edition\",\"IsSandbox\":true,"        \
	"\"InstanceName\":\"EU47\""

static struct {
	struct loop *loop;
	struct peer *peer;
	struct http_client *http;
	struct vault_token token;
	unsigned ends;
	bool failed;
	struct error err;
	char said[700];
} at;

static int set_up(void **state)
{
	struct http_options options = { .user_agent = "test", .allow_plain = true };
	struct error err;

	(void)state;
	memset(&at, 0, sizeof(at));
	at.loop = loop_new();
	at.peer = peer_new(at.loop);
	at.http = http_client_new(at.loop, &options, &err);
	at.token = (struct vault_token){
		.access_token = secret_new(TOKEN, strlen(TOKEN)),
		.instance_url = mem_strdup(peer_url(at.peer)),
		.org_id = mem_strdup("00D8d0000004QxREAU"),
		.user_id = mem_strdup("0058d000002Kp7ZAAS"),
	};
	return at.http ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	vault_token_done(&at.token);
	http_client_free(at.http);
	peer_free(at.peer);
	loop_free(at.loop);
	return 0;
}

static void have_who(const struct sf_whoami *who, const struct error *err, void *arg)
{
	assert_ptr_equal(arg, &at);
	assert_int_equal(who == NULL, err != NULL);
	at.ends++;
	at.failed = err != NULL;
	if (err) {
		at.err = *err;
		assert_null(strcasestr(err->text, "CANARY"));
		return;
	}
	snprintf(at.said, sizeof(at.said), "%s|%s|%s|%s|%s|%s|%ld/%ld", who->org_name,
		 who->org_type, who->instance, who->sandbox ? "sandbox" : "production",
		 who->username, who->name, who->calls_used, who->calls_most);
}

static struct sf_whoami_call *begin(void)
{
	struct sf_whoami_call *made;

	at.ends = 0;
	made = sf_whoami_start(&(struct sf_whoami_args){ .http = at.http,
							 .api_version = "66.0",
							 .token = &at.token },
			       have_who, &at);
	assert_int_equal(at.ends, 0);
	return made;
}

static void ask(void)
{
	begin();
	while (!at.ends)
		loop_once(at.loop);
	assert_int_equal(at.ends, 1);
}

static void org_and_user_are_named(void **state)
{
	const char *request;

	(void)state;
	peer_answer(at.peer, 200, USAGE("18"), ORG);
	peer_answer(at.peer, 200, USAGE("19"), USER);
	begin();
	vault_token_done(&at.token); /* borrowed during the start only */
	while (!at.ends)
		loop_once(at.loop);
	assert_false(at.failed);
	assert_string_equal(at.said,
			    "Acme|Enterprise Edition|EU47|sandbox|sync@acme.example|Sync User|"
			    "19/15000");
	request = peer_request(at.peer, 0);
	assert_non_null(strstr(request, "GET /services/data/v66.0/query?q=SELECT%20Id%2C%20Name%2C"
					"%20OrganizationType%2C%20IsSandbox%2C%20InstanceName%20"
					"FROM%20Organization"));
	assert_non_null(strstr(request, "Authorization: Bearer " TOKEN "\r\n"));
	request = peer_request(at.peer, 1);
	assert_non_null(strstr(request, "GET /services/data/v66.0/query?q=SELECT%20Username%2C%20"
					"Name%20FROM%20User%20WHERE%20Id%20%3D%20%27"
					"0058d000002Kp7ZAAS%27 HTTP"));
	assert_non_null(strstr(request, "Authorization: Bearer " TOKEN "\r\n"));
}

static void what_is_not_said_is_empty(void **state)
{
	(void)state;
	peer_answer(at.peer, 200, JSON,
		    ORG_OF("00D8d0000004QxR", "\"Name\":\"A\\u001b[2J\\nB\",\"IsSandbox\":false,"
					      "\"InstanceName\":null"));
	peer_answer(at.peer, 200, JSON, PAGE("{}"));
	ask();
	assert_string_equal(at.said, "A?[2J?B|||production|||-1/-1");
}

static void failures(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *body;
		const char *code;
		enum error_kind kind;
		const char *says;
	} rows[] = {
		{ "no scope", 401, FAILURE("INVALID_SESSION_ID", "Session expired or invalid"),
		  "INVALID_SESSION_ID", ERROR_HUMAN, "(api)', and" },
		{ "no REST", 401,
		  FAILURE("INVALID_SESSION_ID",
			  "This session is not valid for use with the REST API"),
		  "INVALID_SESSION_ID", ERROR_HUMAN, "'API Enabled'" },
		{ "403", 403, FAILURE("FORBIDDEN", "x"), "FORBIDDEN", ERROR_HUMAN, "API Enabled" },
		{ "403, another", 403, FAILURE("INSUFFICIENT_ACCESS", "x"), "INSUFFICIENT_ACCESS",
		  ERROR_HUMAN, "API Enabled" },
		{ "403 of identity", 403, "Bad_OAuth_Token", "Bad_OAuth_Token", ERROR_HUMAN,
		  "API Enabled" },
		{ "401 as XML", 401, "<response>", "http-401", ERROR_HUMAN, "API Enabled" },
		{ "no API in the edition", 403, FAILURE("API_DISABLED_FOR_ORG", "x"),
		  "API_DISABLED_FOR_ORG", ERROR_HUMAN, "asking whose the token is" },
		{ "403 of a firewall", 403, "<html>", "http-403", ERROR_RETRY, "firewall" },
		{ "404", 404, FAILURE("NOT_FOUND", "x"), "NOT_FOUND", ERROR_HUMAN, "" },
		{ "version", 410, "", "http-410", ERROR_HUMAN, "api_version" },
		{ "500", 500, "", "server-trouble", ERROR_RETRY, "" },
		{ "allowance", 403, FAILURE("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit"),
		  "REQUEST_LIMIT_EXCEEDED", ERROR_QUOTA, "" },
		{ "HTML", 200, "<html>", "protocol", ERROR_RETRY, "" },
		{ "none", 200, "{\"records\":[]}", "protocol", ERROR_RETRY, "" },
		{ "two", 200, "{\"records\":[{},{}]}", "protocol", ERROR_RETRY, "" },
		{ "no object", 200, "{\"records\":[5]}", "protocol", ERROR_RETRY, "" },
		{ "an array", 200, "[]", "protocol", ERROR_RETRY, "" },
		{ "no id", 200, PAGE("{" DETAILS "}"), "protocol", ERROR_RETRY, "" },
		{ "sandbox as text", 200, ORG_OF("00D8d0000004QxREAU", "\"IsSandbox\":\"false\""),
		  "protocol", ERROR_RETRY, "" },
		{ "another org", 200, ORG_OF("00D8d0000004QxSEAU", DETAILS), "protocol",
		  ERROR_RETRY, "of org 00D8d0000004QxREAU" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		peer_answer(at.peer, rows[i].status, JSON, rows[i].body);
		ask();
		if (!at.failed || strcmp(at.err.code, rows[i].code) != 0 ||
		    at.err.kind != rows[i].kind || !strstr(at.err.text, rows[i].says))
			fail_msg("%s: %s %s", rows[i].name, at.err.code, at.err.text);
	}
	assert_int_equal(peer_count(at.peer), LEN(rows));
}

static void the_second_query_may_fail(void **state)
{
	(void)state;
	peer_answer(at.peer, 200, JSON, ORG);
	peer_answer(at.peer, 200, JSON, "{\"records\":[]}");
	ask();
	assert_string_equal(at.err.code, "protocol");

	peer_answer(at.peer, 200, JSON, ORG);
	peer_answer(at.peer, 403, JSON, FAILURE("FORBIDDEN", "x"));
	ask();
	assert_int_equal(at.err.kind, ERROR_HUMAN);
	assert_non_null(strstr(at.err.text, "API Enabled"));
}

static void offline(void **state)
{
	(void)state;
	peer_refuse(at.peer);
	ask();
	assert_int_equal(at.err.kind, ERROR_RETRY);
	assert_string_equal(at.err.code, "connect");
}

static void a_cancel_is_silent(void **state)
{
	(void)state;
	sf_whoami_cancel(begin());
	for (size_t answered = 0; answered < 2; answered++) {
		size_t before = peer_count(at.peer);
		struct sf_whoami_call *call = begin();

		if (answered)
			peer_answer(at.peer, 200, JSON, ORG);
		while (peer_count(at.peer) < before + 1 + answered)
			loop_once(at.loop);
		sf_whoami_cancel(call);
	}
	sf_whoami_cancel(NULL);
	assert_int_equal(at.ends, 0);
}

static int start(void **state)
{
	struct error err;
	bool locked;

	(void)state;
	return secret_start(&locked, &err) ? 0 : -1;
}

#define WHOAMI_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WHOAMI_TEST(org_and_user_are_named),
		WHOAMI_TEST(what_is_not_said_is_empty),
		WHOAMI_TEST(failures),
		WHOAMI_TEST(the_second_query_may_fail),
		WHOAMI_TEST(offline),
		WHOAMI_TEST(a_cancel_is_silent),
	};

	return cmocka_run_group_tests_name("sf_whoami", tests, start, NULL);
}
