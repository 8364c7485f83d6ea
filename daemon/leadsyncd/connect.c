/* connect.c - in order: connect_new, login_ended or token_came, looked, settle; then confirm. */
#include "connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "account.h"
#include "auth/grant.h"
#include "auth/login.h"
#include "base/error.h"
#include "base/log.h"
#include "conf/conf.h"
#include "daemon/conf_secret.h"
#include "loop/loop.h"
#include "secret/secret.h"
#include "vault/vault.h"

#define CONFIRM_WITHIN_MS ((int64_t)10 * 60 * 1000)

enum connect_state {
	CONNECT_BROWSER, /* the authorize URL is out, its answer is waited for */
	CONNECT_ASKING,  /* for a token */
	CONNECT_LOOKING, /* whom it is for */
	CONNECT_FOUND,   /* the operator is asked */
	CONNECT_STORED,
	CONNECT_FAILED,
};

struct connect {
	struct connect_args args;
	char id[17];
	enum connect_state state;
	struct sf_grant *grant;
	struct login *login;            /* CONNECT_BROWSER only */
	struct grant_request *asking;   /* CONNECT_ASKING only */
	struct sf_whoami_call *looking; /* CONNECT_LOOKING only */
	struct vault_token token;       /* from CONNECT_LOOKING on */
	struct connect_found found;     /* CONNECT_FOUND; borrows from `token` */
	struct error failure;           /* CONNECT_FAILED */
	struct loop_timer *turn;        /* of who waits */
	struct loop_timer *end;         /* ten minutes for the yes */
	connect_ready_fn *ready;
	void *ready_arg;
};

static void login_ended(struct vault_token *token, const struct error *err, void *arg);
static void token_came(struct vault_token *token, const struct error *err, bool unknown, void *arg);
static void looked(const struct sf_whoami *who, const struct error *err, void *arg);
static void settle(struct connect *in, enum connect_state state, const struct error *err);

static struct secret *typed_credential(void *arg, struct error *err)
{
	struct connect *in = arg;

	return in->args.credential ? secret_copy(in->args.credential)
				   : account_credential(in->args.account, err);
}

static bool begin(struct connect *in, struct error *err)
{
	const struct conf_account *conf = account_conf(in->args.account);
	bool has_credential = in->args.credential || conf_credential(conf);
	const struct grant *grant;

	in->grant = account_new_grant(in->args.account, has_credential ? typed_credential : NULL,
				      in, err);
	if (!in->grant)
		return false;
	grant = sf_grant_interface(in->grant);
	if (!grant->by_login) {
		in->state = CONNECT_ASKING;
		in->asking = grant->start(grant->self, NULL, token_came, in);
		return true;
	}
	in->state = CONNECT_BROWSER;
	in->login = login_new(&(struct login_args){ .loop = in->args.loop,
						    .grant = grant,
						    .redirect_uri = conf->redirect_uri,
						    .listen = !in->args.paste,
						    .done = login_ended,
						    .arg = in },
			      err);
	return in->login != NULL;
}

static void make_id(char out[17])
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		abort(); /* not possible on a Linux that has finished booting */
	snprintf(out, 17, "%016" PRIx64, number);
}

struct connect *connect_new(const struct connect_args *args, struct error *err)
{
	CLEANUP(connect_free) struct connect *in = mem_new(struct connect);

	in->args = *args;
	make_id(in->id);
	if (!begin(in, err)) {
		error_prefix(err, "account %s", account_name(args->account));
		return NULL;
	}
	log_notice("login_started", LOG_STR("account", account_name(args->account)),
		   LOG_STR("by", in->state == CONNECT_BROWSER ? "browser" : "credential"));
	return TAKE(in);
}

static void look(struct connect *in, struct vault_token *token)
{
	in->token = *token;
	*token = (struct vault_token){ 0 };
	in->state = CONNECT_LOOKING;
	in->looking = sf_whoami_start(
		&(struct sf_whoami_args){
			.http = account_http(in->args.account),
			.api_version = account_conf(in->args.account)->api_version,
			.token = &in->token,
		},
		looked, in);
}

static void login_ended(struct vault_token *token, const struct error *err, void *arg)
{
	struct connect *in = arg;

	/* Of an answer that is refused, too: there may be something to revoke. */
	if (err && token) {
		in->token = *token;
		*token = (struct vault_token){ 0 };
	}
	if (err)
		settle(in, CONNECT_FAILED, err);
	else
		look(in, token);
}

static void token_came(struct vault_token *token, const struct error *err, bool unknown, void *arg)
{
	struct connect *in = arg;

	(void)unknown; /* nothing was used up by asking */
	in->asking = NULL;
	if (err)
		settle(in, CONNECT_FAILED, err);
	else
		look(in, token);
}

static void take_found(struct connect *in, const struct sf_whoami *who)
{
	struct keeper_health health;

	keeper_health(account_keeper(in->args.account), &health);
	in->found = (struct connect_found){
		.who = *who,
		.org_id = in->token.org_id,
		.user_id = in->token.user_id,
		.instance_url = in->token.instance_url,
		.scope = in->token.scope ? in->token.scope : "",
	};
	snprintf(in->found.pinned_org, sizeof(in->found.pinned_org), "%s", health.org_id);
}

static bool is_pinned_elsewhere(const struct connect *in)
{
	return *in->found.pinned_org && strcmp(in->found.pinned_org, in->found.org_id) != 0;
}

static void looked(const struct sf_whoami *who, const struct error *err, void *arg)
{
	struct connect *in = arg;
	struct error why;

	in->looking = NULL;
	if (err) {
		settle(in, CONNECT_FAILED, err);
		return;
	}
	take_found(in, who);
	if (!is_pinned_elsewhere(in)) {
		settle(in, CONNECT_FOUND, NULL);
		return;
	}
	error_set(&why, ERROR_HUMAN, "other-org",
		  "account %s belongs to org %s, but this login is for org %s (%s): nothing was "
		  "stored; log in to the first, or, if the account shall move for good, "
		  "`leadsync disconnect %s` first",
		  account_name(in->args.account), in->found.pinned_org, in->found.org_id,
		  in->found.who.org_name, account_name(in->args.account));
	settle(in, CONNECT_FAILED, &why);
}

/* The end, for whoever waits. */

static void tell(void *arg)
{
	struct connect *in = arg;
	connect_ready_fn *ready = in->ready;

	in->turn = NULL;
	in->ready = NULL;
	if (ready)
		ready(in->state == CONNECT_FOUND ? &in->found : NULL,
		      in->state == CONNECT_FOUND ? NULL : &in->failure, in->ready_arg);
	else if (in->state == CONNECT_FAILED)
		in->args.ended(in, in->args.arg);
}

static void too_late(void *arg)
{
	struct connect *in = arg;
	struct error why;

	in->end = NULL;
	error_set(&why, ERROR_HUMAN, "login-expired",
		  "the login was not confirmed within ten minutes and is forgotten: `leadsync "
		  "connect %s` begins anew",
		  account_name(in->args.account));
	settle(in, CONNECT_FAILED, &why);
}

/* A refresh token is a grant that lives on at the provider; other tokens just end, and may be one
 * with the token in use. */
static void give_back(struct connect *in)
{
	struct error why;

	if (in->token.refresh_token &&
	    !vault_revocation_add(in->args.vault, account_name(in->args.account),
				  account_grant(in->args.account)->source, in->token.refresh_token,
				  loop_now_ms(in->args.loop), &why))
		log_warning("revocation_not_queued",
			    LOG_STR("account", account_name(in->args.account)),
			    LOG_STR("code", why.code), LOG_STR("text", why.text));
	vault_token_done(&in->token);
}

static void settle(struct connect *in, enum connect_state state, const struct error *err)
{
	in->state = state;
	if (state == CONNECT_FAILED) {
		in->failure = *err;
		give_back(in);
		log_warning("login_failed", LOG_STR("account", account_name(in->args.account)),
			    LOG_STR("code", err->code), LOG_STR("text", err->text));
	} else {
		in->end = loop_after(in->args.loop, CONFIRM_WITHIN_MS, too_late, in);
	}
	if (!in->turn)
		in->turn = loop_soon(in->args.loop, tell, in);
}

const char *connect_id(const struct connect *in)
{
	return in->id;
}

struct account *connect_account(const struct connect *in)
{
	return in->args.account;
}

const char *connect_url(const struct connect *in)
{
	return in->login ? login_url(in->login) : NULL;
}

bool connect_paste(struct connect *in, struct secret *url, struct error *err)
{
	if (in->state != CONNECT_BROWSER)
		return error_set(err, ERROR_HUMAN, "no-login",
				 "account %s: no login waits for an address",
				 account_name(in->args.account));
	return login_paste(in->login, url, err);
}

const struct connect_found *connect_found(const struct connect *in)
{
	return in->state == CONNECT_FOUND ? &in->found : NULL;
}

void connect_wait(struct connect *in, connect_ready_fn *ready, void *arg)
{
	in->ready = ready;
	in->ready_arg = arg;
	if (!in->turn && (in->state == CONNECT_FOUND || in->state == CONNECT_FAILED))
		in->turn = loop_soon(in->args.loop, tell, in);
}

bool connect_is_awaited(const struct connect *in)
{
	return in->ready != NULL;
}

/* The refresh token that the new one replaces: it counts among the few approvals Salesforce keeps
 * per user and app. */
static struct secret *old_refresh_token(struct connect *in, char **ret_source)
{
	const char *account = account_name(in->args.account);
	struct vault_token old = { 0 };
	struct vault_account known;
	struct secret *taken;
	struct error unreadable;
	bool found;

	/* One from a backup may have a successor that another machine lives on. */
	if (!vault_account_get(in->args.vault, account, &known, &unreadable) || known.stale ||
	    !vault_token_get(in->args.vault, account, &old, &found, &unreadable) || !found)
		return NULL;
	taken = TAKE(old.refresh_token);
	*ret_source = TAKE(old.source);
	vault_token_done(&old);
	return taken;
}

static bool store(struct connect *in, struct error *err)
{
	const char *name = conf_secret_name(account_conf(in->args.account));

	if (in->args.credential && name &&
	    !vault_secret_set(in->args.vault, name, in->args.credential, err))
		return false;
	return keeper_login(account_keeper(in->args.account), &in->token, err);
}

bool connect_confirm(struct connect *in, struct error *err)
{
	const char *account = account_name(in->args.account);
	CLEANUP(secret_free) struct secret *old = NULL;
	CLEANUP_FREE char *source = NULL;
	struct error why;
	bool is_same;

	if (in->state != CONNECT_FOUND)
		return error_set(err, ERROR_HUMAN, "no-login",
				 "account %s: no login waits for a yes; `leadsync connect %s` "
				 "begins one",
				 account, account);
	old = old_refresh_token(in, &source);
	is_same = old && in->token.refresh_token && secret_equal(old, in->token.refresh_token);
	if (!store(in, err))
		return false;
	log_notice("connected", LOG_STR("account", account), LOG_STR("org", in->found.org_id),
		   LOG_STR("user", in->found.user_id), LOG_INT("sandbox", in->found.who.sandbox));
	if (old && !is_same &&
	    !vault_revocation_add(in->args.vault, account, source, old, loop_now_ms(in->args.loop),
				  &why))
		log_warning("revocation_not_queued", LOG_STR("account", account),
			    LOG_STR("code", why.code), LOG_STR("text", why.text));
	in->state = CONNECT_STORED;
	loop_timer_cancel(TAKE(in->end));
	return true;
}

void connect_free(struct connect *in)
{
	connect_ready_fn *ready;
	void *ready_arg;
	struct error why;

	if (!in)
		return;
	ready = in->ready;
	ready_arg = in->ready_arg;
	error_set(&why, ERROR_HUMAN, "login-cancelled",
		  "account %s: the login was given up, or replaced by another",
		  account_name(in->args.account));
	loop_timer_cancel(in->turn);
	loop_timer_cancel(in->end);
	sf_whoami_cancel(in->looking);
	login_free(in->login);
	if (in->grant)
		sf_grant_interface(in->grant)->cancel(in->asking);
	sf_grant_free(in->grant);
	give_back(in);
	secret_free(in->args.credential);
	free(in);
	if (ready)
		ready(NULL, &why, ready_arg);
}
