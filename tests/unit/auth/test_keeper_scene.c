/* test_keeper_scene.c - in order: the token endpoint; keepers and vaults; what a test does. */
#include "test_keeper_scene.h"

#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct script script;
struct scene at;
struct grant grant;

struct grant_request {
	struct script *script;
	grant_done_fn *done;
	grant_looked_fn *looked;
	void *arg;
	struct loop_timer *answer;
	bool refused;
};

/* The linker puts it in front of the real one. */
int64_t __real_utc_now_ms(void);
int64_t __wrap_utc_now_ms(void);
int64_t __wrap_utc_now_ms(void)
{
	return __real_utc_now_ms() + at.wall_ms;
}

static struct secret *secret_text(const char *text)
{
	return secret_new(text, strlen(text));
}

static struct vault_token token_of(const struct script *in, unsigned number)
{
	struct vault_token token = { 0 };
	char text[32];

	snprintf(text, sizeof(text), "access-%u", number);
	token.access_token = secret_text(text);
	token.instance_url = mem_strdup(in->instance_url);
	token.org_id = mem_strdup(in->org_id);
	token.user_id = mem_strdup("005000000000001AAA");
	token.obtained_ms = loop_now_ms(at.loop);
	token.expires_ms = in->life_ms ? token.obtained_ms + in->life_ms : 0;
	return token;
}

static struct secret *refresh_of(unsigned number)
{
	char text[32];

	snprintf(text, sizeof(text), "refresh-%u", number);
	return secret_text(text);
}

static void grant_answer(void *arg)
{
	struct grant_request ended = *(struct grant_request *)arg;
	struct script *in = ended.script;
	struct vault_token token;
	struct error err;

	free(arg);
	in->pending = NULL;
	if (in->say == LOSE) {
		error_set(&err, ERROR_RETRY, "timeout", "no answer within 30 s");
		ended.done(NULL, &err, true, ended.arg);
	} else if (ended.refused) {
		error_set(&err, ERROR_HUMAN, "invalid_grant", "expired access/refresh token");
		ended.done(NULL, &err, false, ended.arg);
	} else if (in->say == LOSE_SAID) {
		ended.done(NULL, &in->err, true, ended.arg);
	} else if (in->say == FAIL_ROTATED) {
		token = (struct vault_token){ .refresh_token = refresh_of(in->current) };
		ended.done(&token, &in->err, false, ended.arg);
	} else if (in->say == FAIL) {
		ended.done(NULL, &in->err, false, ended.arg);
	} else {
		token = token_of(in, in->requests);
		if (in->rotates)
			token.refresh_token = refresh_of(in->current);
		else if (in->say == GIVE_ROTATED)
			token.refresh_token = refresh_of(in->requests);
		ended.done(&token, NULL, false, ended.arg);
	}
}

/* RFC 9700 section 4.14.2: a refresh token that comes again ends all that came of it. */
static void serve(struct script *in, struct grant_request *request)
{
	unsigned number = 0;

	if (sscanf(in->had_refresh, "refresh-%u", &number) == 1 &&
	    number < sizeof(in->sent) / sizeof(in->sent[0]))
		in->sent[number]++;
	if (!in->current || in->say == FAIL)
		return;
	if (number != in->current)
		in->ended = true;
	request->refused = in->ended;
	if (in->rotates && !in->ended)
		in->current++;
}

static struct grant_request *grant_start(void *self, const struct vault_token *current,
					 grant_done_fn *done, void *arg)
{
	struct grant_request *request = mem_new(struct grant_request);
	struct script *in = self;
	size_t len;

	assert_null(in->pending); /* one at a time */
	*request = (struct grant_request){ .script = in, .done = done, .arg = arg };
	in->requests++;
	in->asked_with_token = current != NULL;
	in->had_refresh[0] = '\0';
	if (current && current->refresh_token) {
		snprintf(in->had_refresh, sizeof(in->had_refresh), "%s",
			 secret_open(current->refresh_token, &len));
		secret_close(current->refresh_token);
	}
	if (in->before)
		in->before();
	serve(in, request);
	if (in->say != HANG)
		request->answer = loop_soon(at.loop, grant_answer, request);
	in->pending = request;
	return request;
}

void answer(void)
{
	grant_answer(script.pending);
}

static void grant_look_answer(void *arg)
{
	struct grant_request ended = *(struct grant_request *)arg;
	struct script *in = ended.script;

	free(arg);
	in->looking = NULL;
	if (in->look == LOOK_FAIL)
		ended.looked(false, 0, &in->err, ended.arg);
	else
		ended.looked(in->look == LOOK_ACTIVE,
			     in->look == LOOK_ACTIVE ? in->look_expires_ms : 0, NULL, ended.arg);
}

struct grant_request *grant_introspect(void *self, struct secret *access_token,
				       grant_looked_fn *done, void *arg)
{
	struct grant_request *request = mem_new(struct grant_request);
	struct script *in = self;

	assert_non_null(access_token);
	assert_null(in->looking);
	*request = (struct grant_request){ .script = in, .looked = done, .arg = arg };
	in->looks++;
	if (in->look != LOOK_HANG)
		request->answer = loop_soon(at.loop, grant_look_answer, request);
	in->looking = request;
	return request;
}

static void grant_cancel(struct grant_request *in)
{
	if (!in)
		return;
	loop_timer_cancel(in->answer);
	if (in->script->pending == in)
		in->script->pending = NULL;
	else
		in->script->looking = NULL;
	free(in);
}

struct grant grant_of(struct script *in)
{
	return (struct grant){
		.self = in, .source = "here", .start = grant_start, .cancel = grant_cancel
	};
}

static void changed(struct keeper *in, enum keeper_news news, void *arg)
{
	struct keeper_health got;

	(void)arg;
	keeper_health(in, &got);
	switch (news) {
	case KEEPER_NEWS_STATE:
		at.states++;
		if (strlen(at.names) + 20 < sizeof(at.names)) {
			strcat(at.names, got.state_name);
			strcat(at.names, " ");
		}
		break;
	case KEEPER_NEWS_MOVED: at.moves++; break;
	case KEEPER_NEWS_REMINDER: at.reminders++; break;
	}
}

struct keeper *new_keeper(const char *account, const struct grant *by)
{
	const struct keeper_args args = { .loop = at.loop,
					  .vault = at.vault,
					  .grant = by,
					  .account = account,
					  .session_lifetime_s = at.lifetime_s };
	struct error err;
	struct keeper *made = keeper_new(&args, &err);

	if (!made)
		fail_msg("%s", err.text);
	return made;
}

void open_keeper(void)
{
	at.keeper = new_keeper("production", &grant);
	keeper_on_change(at.keeper, changed, NULL);
}

void open_all(void)
{
	CLEANUP_FREE char *state_dir = mem_format("%s/state", at.dir);
	struct error err;

	at.vault = vault_open(state_dir, at.ring, &err);
	if (!at.vault)
		fail_msg("%s", err.text);
	open_keeper();
}

void close_all(void)
{
	keeper_free(TAKE(at.keeper));
	vault_close(TAKE(at.vault));
}

int set_up(void **state)
{
	CLEANUP_FREE char *key = NULL, *state_dir = NULL;
	struct error err;

	(void)state;
	memset(&at, 0, sizeof(at));
	memset(&script, 0, sizeof(script));
	script.org_id = ORG_A;
	script.instance_url = ACME;
	grant = grant_of(&script);
	snprintf(at.dir, sizeof(at.dir), "/tmp/test_keeper.XXXXXX");
	assert_non_null(mkdtemp(at.dir));
	key = mem_format("file:%s/key", at.dir);
	state_dir = mem_format("%s/state", at.dir);
	assert_true(keyring_make_file(key + 5, state_dir, &err));
	at.ring = keyring_load(key, state_dir, &err);
	assert_non_null(at.ring);
	at.loop = loop_new();
	at.lifetime_s = 7200;
	open_all();
	return 0;
}

struct vault_token a_login(void)
{
	struct vault_token token = token_of(&script, 900 + ++script.current);

	script.ended = false;
	token.refresh_token = refresh_of(script.current);
	return token;
}

void log_in(void)
{
	struct vault_token token = a_login();
	struct error err;

	if (!keeper_login(at.keeper, &token, &err))
		fail_msg("%s", err.text);
	assert_null(token.access_token);
	assert_null(token.org_id);
}

int set_up_login(void **state)
{
	set_up(state);
	close_all();
	grant.by_login = true;
	open_all();
	log_in();
	settle();
	at.names[0] = '\0';
	return 0;
}

static int drop_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int tear_down(void **state)
{
	(void)state;
	close_all();
	keyring_free(at.ring);
	loop_free(at.loop);
	return nftw(at.dir, drop_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void leased(const struct keeper_lease *lease, const struct error *err, void *arg)
{
	size_t len;

	if (arg)
		*(bool *)arg = true;
	if (err) {
		assert_null(lease);
		at.errors++;
		at.kind = err->kind;
		snprintf(at.code, sizeof(at.code), "%s", err->code);
		snprintf(at.text, sizeof(at.text), "%s", err->text);
		return;
	}
	at.leases++;
	at.generation = lease->generation;
	snprintf(at.token, sizeof(at.token), "%s", secret_open(lease->access_token, &len));
	secret_close(lease->access_token);
	snprintf(at.org_id, sizeof(at.org_id), "%s", lease->org_id);
	snprintf(at.instance_url, sizeof(at.instance_url), "%s", lease->instance_url);
	if (at.free_in_lease)
		keeper_free(TAKE(at.keeper));
}

static void mark(void *arg)
{
	*(bool *)arg = true;
}

void settle(void)
{
	for (int i = 0; i < 6; i++) {
		bool came = false;

		loop_soon(at.loop, mark, &came);
		while (!came)
			loop_once(at.loop);
	}
}

void get(void)
{
	bool done = false;

	keeper_get(at.keeper, leased, &done);
	assert_false(done);
	for (int i = 0; i < 20 && !done; i++)
		settle();
	assert_true(done);
}

void pass(int64_t ms)
{
	settle();
	loop_test_advance(at.loop, ms);
	settle();
}

void want_for(int64_t ms)
{
	for (; ms > 0; ms -= MINUTE_MS) {
		keeper_get(at.keeper, leased, NULL);
		pass(MINUTE_MS);
	}
}

void fail_with(enum error_kind kind, const char *code)
{
	script.say = FAIL;
	error_set(&script.err, kind, code, "scripted %s", code);
}

struct keeper_health health(void)
{
	struct keeper_health got;

	keeper_health(at.keeper, &got);
	return got;
}

struct vault_account in_vault(void)
{
	struct vault_account got = { 0 };
	struct error err;

	if (!vault_account_get(at.vault, "production", &got, &err))
		fail_msg("%s", err.text);
	return got;
}

struct vault_token token_in_vault(void)
{
	struct vault_token got = { 0 };
	struct error err;
	bool found;

	if (!vault_token_get(at.vault, "production", &got, &found, &err))
		fail_msg("%s", err.text);
	assert_true(found);
	return got;
}

static struct rlimit room;

void fill_disk(void)
{
	struct rlimit none;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &room), 0);
	none = (struct rlimit){ 0, room.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
}

/* Nothing can be printed while it is full, so a test empties it before it asserts. */
void empty_disk(void)
{
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &room), 0);
}

int scene_run(const char *group, const struct CMUnitTest *tests, size_t count)
{
	struct error err;
	bool locked;

	if (!secret_start(&locked, &err))
		return 1;
	return _cmocka_run_group_tests(group, tests, count, NULL, NULL);
}
