/* month.c - a month of two accounts against a real org, in a minute: a loop, an HTTP client,
 * grants, keepers and a vault as the daemon has them, and clocks that jump in step with the org's.
 *
 *     month EMULATOR_URL CLIENT_ID REDIRECT_URI SESSION_LIFETIME_S DAYS FOLDER
 *
 * Reads the app's secret from stdin, then logs in: for each account it prints where a browser is to
 * go, and reads the address at which it ended. At last it prints what it did, as JSON. Account
 * "busy" makes a call every five minutes, but for two long pauses a day; "idle" is left alone for a
 * week and then used now and then. In the middle everything is closed and opened again. What the
 * org saw of all this is for the caller to judge. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keeper.h"
#include "auth/login.h"
#include "base/error.h"
#include "http/http.h"
#include "loop/loop.h"
#include "salesforce/salesforce.h"
#include "salesforce/sf_call.h"
#include "secret/keyring.h"
#include "secret/secret.h"
#include "vault/vault.h"

#define STEP_S      300
#define STEPS_A_DAY (24 * 3600 / STEP_S)

struct account {
	const char *name;
	struct sf_grant *grant;
	struct keeper *keeper;
	struct sf_caller caller;
	unsigned calls, failed;
	uint64_t requests; /* of keepers that are gone */
};

static struct {
	struct loop *loop;
	struct http_client *http;
	struct keyring *ring;
	struct vault *vault;
	const char *org, *folder, *client_id, *redirect_uri;
	int64_t lifetime_s;
	char secret[128];
} at;

static struct account busy = { .name = "busy" }, idle = { .name = "idle" };
static struct account *const accounts[] = { &busy, &idle };
static const struct url_policy policy = { .loopback_test = true };

#define ACCOUNTS (sizeof(accounts) / sizeof(accounts[0]))

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "month: %s: %s\n", what, why);
	exit(1);
}

static void run_until(const bool *done)
{
	while (!*done)
		loop_once(at.loop);
}

/* Wiring. */

static struct secret *app_secret(void *arg, struct error *err)
{
	(void)arg;
	(void)err;
	return secret_new(at.secret, strlen(at.secret));
}

static void open_account(struct account *in)
{
	struct error err;

	in->keeper = keeper_new(&(struct keeper_args){ .loop = at.loop,
						       .vault = at.vault,
						       .grant = sf_grant_interface(in->grant),
						       .account = in->name,
						       .session_lifetime_s = at.lifetime_s },
				&err);
	if (!in->keeper)
		fail(in->name, err.text);
	in->caller = (struct sf_caller){
		.loop = at.loop, .http = at.http, .keeper = in->keeper, .policy = &policy
	};
	sf_caller_start(&in->caller);
}

static void open_vault(void)
{
	CLEANUP_FREE char *key = mem_format("file:%s/key", at.folder);
	CLEANUP_FREE char *state = mem_format("%s/state", at.folder);
	struct error err;

	at.ring = keyring_load(key, state, &err);
	if (!at.ring)
		fail("key", err.text);
	at.vault = vault_open(state, at.ring, &err);
	if (!at.vault)
		fail("vault", err.text);
	for (size_t i = 0; i < ACCOUNTS; i++)
		open_account(accounts[i]);
}

static void close_vault(void)
{
	struct keeper_health health;

	for (size_t i = 0; i < ACCOUNTS; i++) {
		keeper_health(accounts[i]->keeper, &health);
		accounts[i]->requests += health.token_requests;
		keeper_free(TAKE(accounts[i]->keeper));
	}
	vault_close(TAKE(at.vault));
	keyring_free(TAKE(at.ring));
}

static void new_grant(struct account *in)
{
	struct error err;

	in->grant = sf_grant_new(&(struct sf_grant_args){ .loop = at.loop,
							  .http = at.http,
							  .policy = &policy,
							  .flow = SF_FLOW_WEB,
							  .login_url = at.org,
							  .client_id = at.client_id,
							  .redirect_uri = at.redirect_uri,
							  .credential = app_secret },
				 &err);
	if (!in->grant)
		fail(in->name, err.text);
}

static void wire(void)
{
	CLEANUP_FREE char *key = mem_format("%s/key", at.folder);
	CLEANUP_FREE char *state = mem_format("%s/state", at.folder);
	/* One request after the other, so that one that is done was the last under way. */
	const struct http_options options = { .user_agent = "month",
					      .parallel = 1,
					      .allow_plain = true };
	struct error err;
	bool locked;

	if (!secret_start(&locked, &err))
		fail("secrets", err.text);
	at.loop = loop_new();
	at.http = http_client_new(at.loop, &options, &err);
	if (!at.http)
		fail("http", err.text);
	if (!keyring_make_file(key, state, &err))
		fail("key", err.text);
	for (size_t i = 0; i < ACCOUNTS; i++)
		new_grant(accounts[i]);
	open_vault();
}

/* Logging in. */

struct waiting {
	struct account *account;
	bool done;
};

static void read_line(char *out, int size)
{
	if (!fgets(out, size, stdin))
		fail("stdin", "ended");
	out[strcspn(out, "\n")] = '\0';
}

static void logged_in(struct vault_token *token, const struct error *err, void *arg)
{
	struct waiting *in = arg;
	struct error why;

	if (err)
		fail(in->account->name, err->text);
	if (!keeper_login(in->account->keeper, token, &why))
		fail(in->account->name, why.text);
	in->done = true;
}

static void log_in(struct account *in)
{
	struct waiting waiting = { .account = in };
	CLEANUP(login_free) struct login *login = NULL;
	CLEANUP(secret_free) struct secret *answer = NULL;
	char address[2048];
	struct error err;

	login = login_new(&(struct login_args){ .loop = at.loop,
						.grant = sf_grant_interface(in->grant),
						.redirect_uri = at.redirect_uri,
						.done = logged_in,
						.arg = &waiting },
			  &err);
	if (!login)
		fail(in->name, err.text);
	printf("%s\n", login_url(login));
	fflush(stdout);
	read_line(address, sizeof(address));
	answer = secret_new(address, strlen(address));
	if (!login_paste(login, answer, &err))
		fail(in->name, err.text);
	run_until(&waiting.done);
}

/* Time. */

static void answered(const struct http_response *response, bool sent, const struct error *err,
		     void *arg)
{
	bool *done = arg;

	(void)sent;
	if (err || response->status != 200)
		fail("clock", err ? err->text : "refused");
	*done = true;
}

static void ask_clock(const char *method, const char *body)
{
	CLEANUP_FREE char *url = mem_format("%s/_emulator/clock", at.org);
	bool done = false;

	http_start(at.http,
		   &(struct http_call){ .class = HTTP_META,
					.method = method,
					.url = url,
					.body = body,
					.body_len = body ? strlen(body) : 0 },
		   answered, &done);
	run_until(&done);
}

static void move_clocks(void)
{
	CLEANUP_FREE char *body = mem_format("{\"advance_s\":%d}", STEP_S);

	ask_clock("POST", body);
	loop_test_advance(at.loop, (int64_t)STEP_S * 1000);
}

/* Any request will do: it comes after whatever was asked before. */
static void wait_for_answers(void)
{
	ask_clock("GET", NULL);
}

static bool is_refreshing(void)
{
	struct keeper_health health;

	for (size_t i = 0; i < ACCOUNTS; i++) {
		keeper_health(accounts[i]->keeper, &health);
		if (health.state == KEEPER_REFRESHING)
			return true;
	}
	return false;
}

/* Nothing is under way afterwards: what is would be overtaken by the clock. */
static void settle(void)
{
	wait_for_answers();
	while (is_refreshing()) {
		while (is_refreshing())
			loop_once(at.loop);
		wait_for_answers();
	}
}

static void pass_step(void)
{
	move_clocks();
	settle();
}

/* Use. */

static void called(const struct sf_call_end *end, void *arg)
{
	struct waiting *in = arg;

	in->account->calls++;
	if (end->err) {
		in->account->failed++;
		fprintf(stderr, "month: %s: %s (%s)\n", in->account->name, end->err->text,
			end->err->code);
	}
	in->done = true;
}

static void call(struct account *in)
{
	struct waiting waiting = { .account = in };

	sf_call_start(&(struct sf_call_args){ .caller = &in->caller,
					      .class = HTTP_READ,
					      .path = "/services/data/v66.0/limits/" },
		      called, &waiting);
	run_until(&waiting.done);
	settle();
}

/* A hundred minutes, at noon and in the evening. */
static bool is_pause(int step)
{
	int minute = step % STEPS_A_DAY * STEP_S / 60, noon = 12 * 60, evening = 18 * 60;

	return (minute > noon && minute < noon + 100) ||
	       (minute > evening && minute < evening + 100);
}

/* Days and minutes at which the idle one is used. */
static bool is_odd_moment(int step)
{
	static const struct {
		int day, minute;
	} moments[] = { { 7, 185 },  { 7, 190 },   { 8, 1435 }, { 12, 5 },
			{ 19, 730 }, { 19, 1105 }, { 28, 0 },   { 29, 1430 } };

	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++)
		if (step == moments[i].day * STEPS_A_DAY + moments[i].minute * 60 / STEP_S)
			return true;
	return false;
}

static void compare_health(const struct account *in, const struct keeper_health *before)
{
	struct keeper_health now;

	keeper_health(in->keeper, &now);
	if (now.obtained_ms != before->obtained_ms || now.expires_ms != before->expires_ms)
		fail(in->name, "the token's times are others after a restart");
	/* Both are constant texts. */
	if (strcmp(now.expiry, before->expiry) != 0 || strcmp(now.rotation, before->rotation) != 0)
		fail(in->name, "what is known of the token is something else after a restart");
	if (now.state == KEEPER_PARKED || (in == &busy && now.state != before->state))
		fail(in->name, "the state is another after a restart");
}

static void restart(void)
{
	struct keeper_health before[ACCOUNTS];

	for (size_t i = 0; i < ACCOUNTS; i++)
		keeper_health(accounts[i]->keeper, &before[i]);
	close_vault();
	open_vault();
	for (size_t i = 0; i < ACCOUNTS; i++)
		compare_health(accounts[i], &before[i]);
	settle();
}

static void live(int days)
{
	for (int step = 0; step < days * STEPS_A_DAY; step++) {
		pass_step();
		if (!is_pause(step))
			call(&busy);
		if (is_odd_moment(step))
			call(&idle);
		if (step == days * STEPS_A_DAY / 2 + 7)
			restart();
	}
	for (size_t i = 0; i < ACCOUNTS; i++)
		call(accounts[i]);
}

static void tell(const struct account *in, const char *end)
{
	struct keeper_health health;

	keeper_health(in->keeper, &health);
	printf("\"%s\":{\"calls\":%u,\"failed\":%u,\"requests\":%llu,\"state\":\"%s\","
	       "\"expiry\":\"%s\",\"life_s\":%lld,\"rotation\":\"%s\"}%s",
	       in->name, in->calls, in->failed,
	       (unsigned long long)(in->requests + health.token_requests), health.state_name,
	       health.expiry, (long long)(health.expires_ms - health.obtained_ms) / 1000,
	       health.rotation, end);
}

int main(int argc, char **argv)
{
	if (argc != 7)
		fail("usage", "EMULATOR_URL CLIENT_ID REDIRECT_URI SESSION_LIFETIME_S DAYS FOLDER");
	at.org = argv[1];
	at.client_id = argv[2];
	at.redirect_uri = argv[3];
	at.lifetime_s = atoll(argv[4]);
	at.folder = argv[6];
	read_line(at.secret, sizeof(at.secret));
	wire();
	for (size_t i = 0; i < ACCOUNTS; i++)
		log_in(accounts[i]);
	settle();
	live(atoi(argv[5]));
	printf("{");
	tell(&busy, ",");
	tell(&idle, "}\n");
	close_vault();
	for (size_t i = 0; i < ACCOUNTS; i++)
		sf_grant_free(accounts[i]->grant);
	http_client_free(at.http);
	loop_free(at.loop);
	return 0;
}
