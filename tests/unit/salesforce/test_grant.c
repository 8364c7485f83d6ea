/* The three flows against scripted OAuth endpoints: what is on the wire, and what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "../base64url.h"
#include "base/error.h"
#include "http/http.h"
#include "loop/loop.h"
#include "peer.h"
#include "salesforce/salesforce.h"
#include "secret/secret.h"
#include "vault/vault.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))

/* Canaries: none of them may come up in an error. */
#define CLIENT_SECRET "7F00+CANARY&secret"
#define REFRESH_TOKEN "5Aep861.CANARY_refresh"
#define ACCESS_TOKEN  "00D8d0000004QxR!AQ.CANARY_access"
#define CODE          "aPrxYz.CANARY+code/=="
#define VERIFIER      "dBjftJeZ4CVP-CANARY_verifier~x"

#define FORM_HEAD "Content-Type: application/x-www-form-urlencoded\r\n"

static struct {
	EVP_PKEY *key; /* as long as the program */
	struct loop *loop;
	struct peer *peer;
	struct http_client *http;
	struct sf_grant *owner;
	const struct grant *grant;
	enum sf_flow flow;
	bool no_credential;
	unsigned ends;
	struct vault_token token;
	bool has_token, unknown, active, failed;
	int64_t expires_ms;
	struct error err;
} at;

static const struct url_policy policy = { .loopback_test = true };

static struct secret *key_as_pem(void)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct secret *made;
	char *text;
	long len;

	PEM_write_bio_PKCS8PrivateKey(bio, at.key, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(bio, &text);
	made = secret_new(text, (size_t)len);
	BIO_free(bio);
	return made;
}

static struct secret *fetch_credential(void *arg, struct error *err)
{
	assert_ptr_equal(arg, &at);
	if (at.no_credential) {
		error_set(err, ERROR_HUMAN, "no-secret", "type it in");
		return NULL;
	}
	return at.flow == SF_FLOW_JWT ? key_as_pem()
				      : secret_new(CLIENT_SECRET, strlen(CLIENT_SECRET));
}

static struct sf_grant_args args_of(enum sf_flow flow)
{
	return (struct sf_grant_args){
		.loop = at.loop,
		.http = at.http,
		.policy = &policy,
		.flow = flow,
		.login_url = peer_url(at.peer),
		.client_id = "3MVG9.example&key",
		.redirect_uri = "http://localhost:8765/callback?a=b",
		.username = "sync@acme.example",
		.audience = "https://login.salesforce.com/",
		.credential = fetch_credential,
		.arg = &at,
	};
}

static void use_args(const struct sf_grant_args *args)
{
	struct error err;

	sf_grant_free(at.owner);
	at.flow = args->flow;
	at.owner = sf_grant_new(args, &err);
	assert_non_null(at.owner);
	at.grant = sf_grant_interface(at.owner);
}

static void use_flow(enum sf_flow flow)
{
	struct sf_grant_args args = args_of(flow);

	use_args(&args);
}

static int set_up(void **state)
{
	struct http_options options = { .user_agent = "test", .allow_plain = true };
	EVP_PKEY *key = at.key;
	struct error err;

	(void)state;
	memset(&at, 0, sizeof(at));
	at.key = key;
	at.loop = loop_new();
	at.peer = peer_new(at.loop);
	at.http = http_client_new(at.loop, &options, &err);
	use_flow(SF_FLOW_CLIENT_CREDENTIALS);
	return at.http ? 0 : -1;
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

/* --- asking --- */

static void have_error(const struct error *err)
{
	at.ends++;
	at.failed = err != NULL;
	if (!err)
		return;
	at.err = *err;
	if (strcasestr(err->text, "CANARY") || strcasestr(err->code, "CANARY"))
		fail_msg("%s %s", err->code, err->text);
}

static void have_token(struct vault_token *token, const struct error *err, bool unknown, void *arg)
{
	assert_ptr_equal(arg, &at);
	assert_true(token || err);
	vault_token_done(&at.token);
	at.has_token = token && !err;
	at.unknown = unknown;
	at.token = token ? *token : (struct vault_token){ 0 };
	have_error(err);
}

static void have_look(bool active, int64_t expires_ms, const struct error *err, void *arg)
{
	assert_ptr_equal(arg, &at);
	at.active = active;
	at.expires_ms = expires_ms;
	have_error(err);
}

static void have_revoked(const struct error *err, void *arg)
{
	assert_ptr_equal(arg, &at);
	have_error(err);
}

static void wait_for_end(void)
{
	assert_int_equal(at.ends, 0);
	while (!at.ends)
		loop_once(at.loop);
	assert_int_equal(at.ends, 1);
	at.ends = 0;
}

/* What is handed over is borrowed during the start only: it is gone before anything is sent. */
static struct grant_request *begin(void)
{
	struct vault_token current = { .refresh_token =
					       secret_new(REFRESH_TOKEN, strlen(REFRESH_TOKEN)) };
	struct grant_request *made =
		at.grant->start(at.grant->self, at.grant->by_login ? &current : NULL, have_token,
				&at);

	vault_token_done(&current);
	return made;
}

static void ask(void)
{
	begin();
	wait_for_end();
}

static void exchange(void)
{
	CLEANUP(secret_free) struct secret *code = secret_new(CODE, strlen(CODE));
	CLEANUP(secret_free) struct secret *verifier = secret_new(VERIFIER, strlen(VERIFIER));

	at.grant->exchange(at.grant->self, code, verifier, have_token, &at);
	secret_free(TAKE(code));
	secret_free(TAKE(verifier));
	wait_for_end();
}

static void introspect(void)
{
	CLEANUP(secret_free) struct secret *token = secret_new(ACCESS_TOKEN, strlen(ACCESS_TOKEN));

	at.grant->introspect(at.grant->self, token, have_look, &at);
	secret_free(TAKE(token));
	wait_for_end();
}

static void revoke(void)
{
	CLEANUP(secret_free)
	struct secret *token = secret_new(REFRESH_TOKEN, strlen(REFRESH_TOKEN));

	at.grant->revoke(at.grant->self, token, have_revoked, &at);
	secret_free(TAKE(token));
	wait_for_end();
}

/* The body of a token's answer, with `more` members. free() it. */
static char *token_body(const char *more)
{
	return mem_format("{\"access_token\":\"" ACCESS_TOKEN "\",\"instance_url\":\"%s\","
			  "\"id\":\"%s/id/00D8d0000004QxREAU/0058d000002Kp7ZAAS\","
			  "\"token_type\":\"Bearer\"%s}",
			  peer_url(at.peer), peer_url(at.peer), more);
}

static void answer_token(const char *more)
{
	CLEANUP_FREE char *body = token_body(more);

	peer_answer(at.peer, 200, "", body);
}

/* The last request, from its body on. */
static const char *last_form(const char *path)
{
	const char *request = peer_request(at.peer, peer_count(at.peer) - 1);
	CLEANUP_FREE char *first = mem_format("POST %s HTTP/1.1\r\n", path);

	assert_true(strncmp(request, first, strlen(first)) == 0);
	assert_non_null(strstr(request, FORM_HEAD));
	assert_null(strstr(request, "Authorization"));
	return strstr(request, "\r\n\r\n") + 4;
}

static void assert_secret(struct secret *secret, const char *want)
{
	size_t len;

	assert_non_null(secret);
	assert_string_equal(secret_open(secret, &len), want);
	secret_close(secret);
}

#define TOKEN_PATH "/services/oauth2/token"
#define ID         "client_id=3MVG9.example%26key"
#define ID_SECRET  ID "&client_secret=7F00%2BCANARY%26secret"

/* --- client_credentials --- */

static void client_credentials(void **state)
{
	(void)state;
	answer_token("");
	ask();
	assert_true(at.has_token);
	assert_false(at.unknown);
	assert_string_equal(at.token.org_id, "00D8d0000004QxREAU");
	assert_string_equal(at.token.instance_url, peer_url(at.peer));
	assert_int_equal(at.token.expires_ms, 0);
	assert_string_equal(last_form(TOKEN_PATH), "grant_type=client_credentials&" ID_SECRET);
	assert_false(at.grant->by_login);
	assert_null(at.grant->exchange);
}

/* --- web --- */

static void refresh_with_a_new_refresh_token(void **state)
{
	(void)state;
	use_flow(SF_FLOW_WEB);
	assert_true(at.grant->by_login);
	answer_token(",\"refresh_token\":\"5Aep861.CANARY_next\",\"expires_in\":7200");
	ask();
	assert_true(at.has_token);
	assert_secret(at.token.access_token, ACCESS_TOKEN);
	assert_secret(at.token.refresh_token, "5Aep861.CANARY_next");
	assert_int_equal(at.token.expiry, VAULT_EXPIRY_SAID);
	assert_int_equal(at.token.expires_ms - at.token.obtained_ms, 7200 * 1000);
	assert_string_equal(last_form(TOKEN_PATH),
			    "grant_type=refresh_token&refresh_token=" REFRESH_TOKEN "&" ID_SECRET);
}

static void refresh_without_a_new_refresh_token(void **state)
{
	(void)state;
	use_flow(SF_FLOW_WEB);
	answer_token("");
	ask();
	assert_true(at.has_token);
	assert_null(at.token.refresh_token);
	assert_int_equal(at.token.expiry, VAULT_EXPIRY_ASSUMED);
}

static void a_public_client_sends_no_secret(void **state)
{
	struct sf_grant_args args = args_of(SF_FLOW_WEB);

	(void)state;
	args.credential = NULL;
	use_args(&args);
	answer_token(",\"signature\":\"of a secret we do not have\"");
	ask();
	assert_true(at.has_token);
	assert_string_equal(last_form(TOKEN_PATH),
			    "grant_type=refresh_token&refresh_token=" REFRESH_TOKEN "&" ID);
	answer_token(",\"refresh_token\":\"5Aep\"");
	exchange();
	assert_true(at.has_token);
	assert_null(strstr(last_form(TOKEN_PATH), "client_secret"));
}

static void a_code_is_exchanged(void **state)
{
	(void)state;
	use_flow(SF_FLOW_WEB);
	answer_token(",\"refresh_token\":\"" REFRESH_TOKEN "\",\"scope\":\"refresh_token api\"");
	exchange();
	assert_true(at.has_token);
	assert_secret(at.token.refresh_token, REFRESH_TOKEN);
	assert_string_equal(at.token.scope, "refresh_token api");
	assert_string_equal(last_form(TOKEN_PATH),
			    "grant_type=authorization_code&code=aPrxYz.CANARY%2Bcode%2F%3D%3D&"
			    "redirect_uri=http%3A%2F%2Flocalhost%3A8765%2Fcallback%3Fa%3Db&"
			    "code_verifier=" VERIFIER "&" ID_SECRET);
}

static void a_login_without_the_future_is_refused(void **state)
{
	(void)state;
	use_flow(SF_FLOW_WEB);
	answer_token("");
	exchange();
	assert_false(at.has_token);
	assert_int_equal(at.err.kind, ERROR_HUMAN);
	assert_string_equal(at.err.code, "no-refresh-token");
	answer_token(",\"refresh_token\":\"5Aep\",\"scope\":\"id refresh_token\"");
	exchange();
	assert_string_equal(at.err.code, "missing-scope");
}

static void the_browser_is_sent_with_pkce(void **state)
{
	CLEANUP_FREE char *url = NULL;
	CLEANUP_FREE char *want = NULL;

	(void)state;
	use_flow(SF_FLOW_WEB);
	url = at.grant->authorize_url(at.grant->self, "q4W-Zp0n1s",
				      "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
	want = mem_format("%s/services/oauth2/authorize?response_type=code&%s"
			  "&redirect_uri=http%%3A%%2F%%2Flocalhost%%3A8765%%2Fcallback%%3Fa%%3Db&"
			  "scope=api%%20refresh_token&state=q4W-Zp0n1s&"
			  "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&"
			  "code_challenge_method=S256",
			  peer_url(at.peer), ID);
	assert_string_equal(url, want);
}

/* --- jwt --- */

static bool is_signed_by_us(const char *assertion)
{
	const char *end = strrchr(assertion, '.');
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t len;
	unsigned char *signature = base64url_decode(end + 1, strlen(end + 1), &len);
	bool ok = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, at.key) == 1 &&
		  EVP_DigestVerify(context, signature, len, (const unsigned char *)assertion,
				   (size_t)(end - assertion)) == 1;

	EVP_MD_CTX_free(context);
	free(signature);
	return ok;
}

static void assert_claims(const char *assertion, const char *audience)
{
	const char *body = strchr(assertion, '.') + 1;
	size_t len;
	CLEANUP_FREE unsigned char *claims = base64url_decode(body, strcspn(body, "."), &len);
	CLEANUP_FREE char *want =
		mem_format("{\"iss\":\"3MVG9.example&key\",\"sub\":\"sync@acme.example\","
			   "\"aud\":\"%s\",\"exp\":",
			   audience);
	long long ahead_s;

	assert_true(strncmp((char *)claims, want, strlen(want)) == 0);
	ahead_s = atoll((char *)claims + strlen(want)) - loop_now_ms(at.loop) / 1000;
	assert_true(ahead_s > 170 && ahead_s <= 180);
}

static void an_assertion_is_sent(void **state)
{
	static const char head[] =
		"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
	struct sf_grant_args args = args_of(SF_FLOW_JWT);
	const char *form;

	(void)state;
	use_args(&args);
	/* There is no client secret that it could be checked with. */
	answer_token(",\"signature\":\"x\",\"refresh_token\":\"5Aep\"");
	ask();
	assert_true(at.has_token);
	assert_null(at.token.refresh_token);
	form = last_form(TOKEN_PATH);
	assert_true(strncmp(form, head, strlen(head)) == 0);
	form += strlen(head);
	assert_null(strpbrk(form, "&%="));
	assert_true(is_signed_by_us(form));
	assert_claims(form, "https://login.salesforce.com");

	args.audience = NULL;
	use_args(&args);
	answer_token("");
	ask();
	assert_claims(last_form(TOKEN_PATH) + strlen(head), peer_url(at.peer));
}

static struct secret *bad_key(void *arg, struct error *err)
{
	(void)arg;
	(void)err;
	return secret_new("CANARY of a key", 15);
}

static void a_bad_key_asks_nothing(void **state)
{
	struct sf_grant_args args = args_of(SF_FLOW_JWT);

	(void)state;
	args.credential = bad_key;
	use_args(&args);
	ask();
	assert_string_equal(at.err.code, "bad-key");
	assert_false(at.unknown);
	assert_int_equal(peer_connections(at.peer), 0);
}

static void a_wrong_clock_is_named(void **state)
{
	(void)state;
	use_flow(SF_FLOW_JWT);
	peer_answer(at.peer, 400, "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
		    "{\"error\":\"invalid_grant\",\"error_description\":\"invalid assertion\"}");
	ask();
	assert_int_equal(at.err.kind, ERROR_HUMAN);
	assert_non_null(strstr(at.err.text, "ahead of Salesforce's"));
}

/* --- all flows --- */

static void without_a_credential_nothing_is_asked(void **state)
{
	static const enum sf_flow flows[] = { SF_FLOW_WEB, SF_FLOW_JWT,
					      SF_FLOW_CLIENT_CREDENTIALS };

	(void)state;
	at.no_credential = true;
	for (size_t i = 0; i < LEN(flows); i++) {
		use_flow(flows[i]);
		at.no_credential = true;
		ask();
		assert_string_equal(at.err.code, "no-secret");
		assert_false(at.unknown);
	}
	use_flow(SF_FLOW_WEB);
	exchange();
	assert_string_equal(at.err.code, "no-secret");
	introspect();
	assert_string_equal(at.err.code, "no-secret");
	assert_int_equal(peer_connections(at.peer), 0);
}

static void a_wrong_signature_is_refused(void **state)
{
	(void)state;
	answer_token(",\"issued_at\":\"1767323045123\",\"signature\":"
		     "\"qQ0xNn8m1O0pO4o0tM2wFJp8a2hHqk0wS1b8j4T6c1M=\"");
	ask();
	assert_string_equal(at.err.code, "protocol");
	assert_int_equal(at.err.kind, ERROR_RETRY);
	assert_false(at.unknown);
}

/* The answer is refused, and the new refresh token in it is the only one that is good any more. */
static void a_new_refresh_token_is_never_lost(void **state)
{
	static const struct {
		const char *more, *code;
	} rows[] = {
		{ ",\"scope\":\"id refresh_token\"", "missing-scope" },
		{ ",\"instance_url\":\"https://acme.my.elsewhere.example\"", "url" },
		{ ",\"issued_at\":\"1767323045123\",\"signature\":\"x\"", "protocol" },
		{ ",\"access_token\":\"00D8d0000004QxS!CANARY\"", "protocol" },
		{ ",\"access_token\":null", "protocol" },
	};

	(void)state;
	use_flow(SF_FLOW_WEB);
	for (size_t i = 0; i < 2 * LEN(rows); i++) {
		CLEANUP_FREE char *more = mem_format(",\"refresh_token\":\"5Aep861.CANARY_next\"%s",
						     rows[i / 2].more);

		answer_token(more);
		if (i % 2)
			exchange();
		else
			ask();
		assert_true(at.failed);
		assert_string_equal(at.err.code, rows[i / 2].code);
		assert_false(at.unknown);
		assert_secret(at.token.refresh_token, "5Aep861.CANARY_next");
		assert_null(at.token.access_token);
	}
}

/* What the refresh token that was sent may have come to. */
static void what_is_unknown(void **state)
{
#define RAW(text)   .raw = text, .raw_len = sizeof(text) - 1
#define OAUTH(code) "{\"error\":\"" code "\",\"error_description\":\"CANARY\"}"
	static const struct {
		const char *name;
		int status; /* 0: `raw` */
		const char *body;
		const char *raw;
		size_t raw_len;
		enum peer_then then;
		const char *code;
		enum error_kind kind;
		bool unknown;
	} rows[] = {
		{ "refused", 400, OAUTH("invalid_grant"), .code = "invalid_grant",
		  .kind = ERROR_HUMAN },
		{ "refused, 401", 401, OAUTH("invalid_client"), .code = "invalid_client",
		  .kind = ERROR_HUMAN },
		{ "an error nobody knows", 400, OAUTH("brand_new"), .code = "unknown-error",
		  .kind = ERROR_RETRY },
		{ "500", 500, "<html>CANARY", .code = "server-trouble", .kind = ERROR_RETRY },
		{ "503", 503, "", .code = "server-trouble", .kind = ERROR_RETRY },
		{ "302", 302, "", .code = "protocol", .kind = ERROR_RETRY },
		{ "201", 201, "{}", .code = "protocol", .kind = ERROR_RETRY },
		{ "403 of a firewall", 403, "<html>", .code = "http-403", .kind = ERROR_RETRY },
		{ "400 as HTML", 400, "<html>", .code = "protocol", .kind = ERROR_RETRY },
		{ "200 as HTML", 200, "<html>CANARY", .code = "protocol", .kind = ERROR_RETRY },
		{ "200 as text", 200, "Down for maintenance", .code = "protocol",
		  .kind = ERROR_RETRY },
		{ "200, empty", 200, "", .code = "protocol", .kind = ERROR_RETRY },
		{ "200, half of it", 200, "{\"access_token\":\"CANARY", .code = "protocol",
		  .kind = ERROR_RETRY, .unknown = true },
		{ "200, a refresh token that is none", 200, "{\"refresh_token\":\"CANARY \"}",
		  .code = "protocol", .kind = ERROR_RETRY, .unknown = true },
		{ "200, more behind it", 200, "{\"access_token\":\"CANARY\"}<html>",
		  .code = "protocol", .kind = ERROR_RETRY, .unknown = true },
		{ "200 with an error", 200, OAUTH("invalid_grant"), .code = "protocol",
		  .kind = ERROR_RETRY },
		{ "200 without a token", 200, "{}", .code = "protocol", .kind = ERROR_RETRY },
		{ "200 without a new refresh token", 200, "{\"access_token\":\"CANARY\"}",
		  .code = "protocol", .kind = ERROR_RETRY },
		{ "half a page", RAW("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<html>"),
		  .then = PEER_CLOSE, .code = "reset", .kind = ERROR_RETRY, .unknown = true },
		{ "half a body", RAW("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"access_t"),
		  .then = PEER_CLOSE, .code = "reset", .kind = ERROR_RETRY, .unknown = true },
		{ "half a refusal", RAW("HTTP/1.1 400 Bad\r\nContent-Length: 99\r\n\r\n{\"err"),
		  .then = PEER_CLOSE, .code = "reset", .kind = ERROR_RETRY, .unknown = true },
		{ "half a head", RAW("HTTP/1.1 2"), .then = PEER_RESET, .code = "reset",
		  .kind = ERROR_RETRY, .unknown = true },
		{ "hung up", RAW(""), .then = PEER_CLOSE, .code = "reset", .kind = ERROR_RETRY,
		  .unknown = true },
	};

	(void)state;
	use_flow(SF_FLOW_WEB);
	for (size_t i = 0; i < LEN(rows); i++) {
		size_t before = peer_count(at.peer);

		if (rows[i].status)
			peer_answer(at.peer, rows[i].status, "", rows[i].body);
		else
			peer_answer_raw(at.peer, rows[i].raw, rows[i].raw_len, rows[i].then);
		ask();
		if (at.has_token || strcmp(at.err.code, rows[i].code) != 0 ||
		    at.err.kind != rows[i].kind || at.unknown != rows[i].unknown)
			fail_msg("%s: %s %s, %s", rows[i].name, at.err.code, at.err.text,
				 at.unknown ? "unknown" : "known");
		/* Never asked again by itself. */
		assert_int_equal(peer_count(at.peer), before + 1);
	}
}

/* It is read as far as it goes: a page has brought nothing, JSON may have brought a token. */
static void a_body_without_end(void **state)
{
	static const struct {
		const char *begins;
		bool unknown;
	} rows[] = { { "<html>", false }, { "{\"access_token\":\"CANARY\",\"x\":\"", true } };

	(void)state;
	use_flow(SF_FLOW_WEB);
	for (size_t i = 0; i < LEN(rows); i++) {
		CLEANUP_FREE char *filling = mem_zeroed(100001, 1);
		CLEANUP_FREE char *body = NULL;

		memset(filling, 'x', 100000);
		body = mem_format("%s%s", rows[i].begins, filling);
		peer_answer(at.peer, 200, "", body);
		ask();
		assert_string_equal(at.err.code, "protocol");
		assert_int_equal(at.err.kind, ERROR_RETRY);
		assert_int_equal(at.unknown, rows[i].unknown);
	}
}

static void what_never_left_is_known(void **state)
{
	(void)state;
	use_flow(SF_FLOW_WEB);
	peer_refuse(at.peer);
	ask();
	assert_string_equal(at.err.code, "connect");
	assert_int_equal(at.err.kind, ERROR_RETRY);
	assert_false(at.unknown);
	exchange();
	assert_false(at.unknown);
}

static void a_silent_endpoint_is_given_up(void **state)
{
	(void)state;
	use_flow(SF_FLOW_WEB);
	begin();
	while (!peer_count(at.peer))
		loop_once(at.loop);
	loop_test_advance(at.loop, 31000);
	wait_for_end();
	assert_string_equal(at.err.code, "timeout");
	assert_int_equal(at.err.kind, ERROR_RETRY);
	assert_true(at.unknown);
}

/* --- introspect and revoke --- */

static void introspection(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *body;
		const char *code; /* NULL: an answer */
		enum error_kind kind;
		bool active;
		int64_t exp_s; /* from now; 0: not known */
	} rows[] = {
		{ "active", 200, "{\"active\":true,\"exp\":%lld}", .active = true, .exp_s = 7200 },
		{ "active, no end", 200, "{\"active\":true}", .active = true },
		{ "active, an end of long ago", 200, "{\"active\":true,\"exp\":1767330245}",
		  .active = true },
		{ "active, an end in milliseconds", 200, "{\"active\":true,\"exp\":%lld000}",
		  .active = true, .exp_s = 0 },
		{ "active, an end as text", 200, "{\"active\":true,\"exp\":\"%lld\"}",
		  .active = true },
		{ "inactive", 200, "{\"active\":false}" },
		{ "inactive with an end", 200, "{\"active\":false,\"exp\":%lld}" },
		{ "refused", 400, "{\"error\":\"invalid_client_id\"}", "invalid_client_id",
		  ERROR_HUMAN },
		{ "refused, 401", 401, "{\"error\":\"invalid_client\"}", "invalid_client",
		  ERROR_HUMAN },
		{ "may not", 403, "{\"error\":\"unauthorized_client\"}", "unauthorized_client",
		  ERROR_HUMAN },
		{ "HTML", 200, "<html>CANARY", "protocol", ERROR_RETRY },
		{ "an array", 200, "[]", "protocol", ERROR_RETRY },
		{ "not said", 200, "{}", "protocol", ERROR_RETRY },
		{ "said as text", 200, "{\"active\":\"true\"}", "protocol", ERROR_RETRY },
		{ "more than JSON", 200, "{\"active\":true}x", "protocol", ERROR_RETRY },
		{ "trouble", 503, "", "server-trouble", ERROR_RETRY },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		long long exp_s = loop_now_ms(at.loop) / 1000 + 7200;
		const char *place = strstr(rows[i].body, "%lld");
		CLEANUP_FREE char *body =
			place ? mem_format("%.*s%lld%s", (int)(place - rows[i].body), rows[i].body,
					   exp_s, place + 4)
			      : mem_strdup(rows[i].body);

		peer_answer(at.peer, rows[i].status, "", body);
		introspect();
		if (at.failed != (rows[i].code != NULL) || at.active != rows[i].active ||
		    at.expires_ms != (rows[i].exp_s ? exp_s * 1000 : 0))
			fail_msg("%s: %s %lld", rows[i].name, at.failed ? at.err.text : "good",
				 (long long)at.expires_ms);
		if (at.failed) {
			assert_string_equal(at.err.code, rows[i].code);
			assert_int_equal(at.err.kind, rows[i].kind);
		}
	}
}

static void introspection_on_the_wire(void **state)
{
#define ABOUT "token=00D8d0000004QxR%21AQ.CANARY_access&token_type_hint=access_token&"
	static const struct {
		enum sf_flow flow;
		const char *form;
	} rows[] = {
		{ SF_FLOW_WEB, ABOUT ID_SECRET },
		{ SF_FLOW_CLIENT_CREDENTIALS, ABOUT ID_SECRET },
		{ SF_FLOW_JWT, ABOUT ID },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		use_flow(rows[i].flow);
		peer_answer(at.peer, 200, "", "{\"active\":false}");
		introspect();
		assert_string_equal(last_form("/services/oauth2/introspect"), rows[i].form);
	}
}

static void revocation(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *body;
		const char *code; /* NULL: revoked */
		enum error_kind kind;
	} rows[] = {
		{ "revoked", 200, "", NULL, 0 },
		{ "not a token any more", 400, "{\"error\":\"invalid_token\"}", NULL, 0 },
		{ "nor ever", 400, "{\"error\":\"unsupported_token_type\"}", NULL, 0 },
		{ "trouble", 503, "{\"error\":\"invalid_token\"}", "server-trouble", ERROR_RETRY },
		{ "HTML", 400, "<html>invalid_token", "protocol", ERROR_RETRY },
		{ "elsewhere", 302, "", "protocol", ERROR_RETRY },
		{ "refused", 400, "{\"error\":\"invalid_request\"}", "invalid_request",
		  ERROR_HUMAN },
	};

	(void)state;
	use_flow(SF_FLOW_WEB);
	for (size_t i = 0; i < LEN(rows); i++) {
		peer_answer(at.peer, rows[i].status, "", rows[i].body);
		revoke();
		if (at.failed != (rows[i].code != NULL))
			fail_msg("%s: %s", rows[i].name, at.failed ? at.err.text : "revoked");
		if (at.failed) {
			assert_string_equal(at.err.code, rows[i].code);
			assert_int_equal(at.err.kind, rows[i].kind);
		}
		assert_string_equal(last_form("/services/oauth2/revoke"), "token=" REFRESH_TOKEN);
	}
}

static void offline(void **state)
{
	(void)state;
	use_flow(SF_FLOW_WEB);
	peer_refuse(at.peer);
	introspect();
	assert_string_equal(at.err.code, "connect");
	at.err.code[0] = '\0';
	revoke();
	assert_string_equal(at.err.code, "connect");
	assert_int_equal(at.err.kind, ERROR_RETRY);
}

/* --- the handle --- */

static void a_cancel_is_silent(void **state)
{
	struct grant_request *request;

	(void)state;
	request = begin();
	at.grant->cancel(request);
	at.no_credential = true;
	request = begin();
	at.grant->cancel(request);
	at.no_credential = false;
	request = begin();
	while (!peer_count(at.peer))
		loop_once(at.loop);
	at.grant->cancel(request);
	at.grant->cancel(NULL);
	assert_int_equal(at.ends, 0);
}

static void sources_tell_apart(void **state)
{
	static const enum sf_flow flows[] = { SF_FLOW_WEB, SF_FLOW_JWT,
					      SF_FLOW_CLIENT_CREDENTIALS };

	(void)state;
	for (size_t i = 0; i < LEN(flows); i++) {
		CLEANUP_FREE char *want =
			mem_format("%s" TOKEN_PATH " 3MVG9.example&key%s", peer_url(at.peer),
				   flows[i] == SF_FLOW_JWT ? " sync@acme.example" : "");

		use_flow(flows[i]);
		assert_string_equal(at.grant->source, want);
	}
}

static void bad_settings_are_refused(void **state)
{
	static const struct {
		enum sf_flow flow;
		const char *login_url, *client_id, *redirect_uri, *username, *code;
	} rows[] = {
		{ SF_FLOW_WEB, "http://login.salesforce.com", "x", "u", "n", "url" },
		{ SF_FLOW_WEB, "https://evil.example", "x", "u", "n", "url" },
		{ SF_FLOW_WEB, "https://login.salesforce.com", "", "u", "n", "no-client-id" },
		{ SF_FLOW_WEB, "https://login.salesforce.com", "x", NULL, "n", "no-redirect-uri" },
		{ SF_FLOW_WEB, "https://login.salesforce.com", "x", "", "n", "no-redirect-uri" },
		{ SF_FLOW_JWT, "https://login.salesforce.com", "x", "u", NULL, "no-username" },
		{ SF_FLOW_JWT, "https://login.salesforce.com", "x", "u", "", "no-username" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct sf_grant_args args = args_of(rows[i].flow);
		struct error err;

		args.login_url = rows[i].login_url;
		args.client_id = rows[i].client_id;
		args.redirect_uri = rows[i].redirect_uri;
		args.username = rows[i].username;
		assert_null(sf_grant_new(&args, &err));
		assert_string_equal(err.code, rows[i].code);
		assert_int_equal(err.kind, ERROR_HUMAN);
	}
}

static int start(void **state)
{
	struct error err;
	bool locked;

	(void)state;
	at.key = EVP_RSA_gen(2048);
	return secret_start(&locked, &err) && at.key ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	EVP_PKEY_free(at.key);
	return 0;
}

#define GRANT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		GRANT_TEST(client_credentials),
		GRANT_TEST(refresh_with_a_new_refresh_token),
		GRANT_TEST(refresh_without_a_new_refresh_token),
		GRANT_TEST(a_public_client_sends_no_secret),
		GRANT_TEST(a_code_is_exchanged),
		GRANT_TEST(a_login_without_the_future_is_refused),
		GRANT_TEST(the_browser_is_sent_with_pkce),
		GRANT_TEST(an_assertion_is_sent),
		GRANT_TEST(a_bad_key_asks_nothing),
		GRANT_TEST(a_wrong_clock_is_named),
		GRANT_TEST(without_a_credential_nothing_is_asked),
		GRANT_TEST(a_wrong_signature_is_refused),
		GRANT_TEST(a_new_refresh_token_is_never_lost),
		GRANT_TEST(what_is_unknown),
		GRANT_TEST(a_body_without_end),
		GRANT_TEST(what_never_left_is_known),
		GRANT_TEST(a_silent_endpoint_is_given_up),
		GRANT_TEST(introspection),
		GRANT_TEST(introspection_on_the_wire),
		GRANT_TEST(revocation),
		GRANT_TEST(offline),
		GRANT_TEST(a_cancel_is_silent),
		GRANT_TEST(sources_tell_apart),
		GRANT_TEST(bad_settings_are_refused),
	};

	return cmocka_run_group_tests_name("sf_grant", tests, start, end);
}
