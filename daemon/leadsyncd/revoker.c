/* revoker.c - a pass goes from id to id: next, ask, asked, next, ...; then the back-off. */
#include "revoker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "account.h"
#include "auth/grant.h"
#include "base/error.h"
#include "base/log.h"
#include "loop/backoff.h"
#include "loop/loop.h"
#include "vault/vault.h"

#define MINUTE_MS    ((int64_t)60 * 1000)
#define HOUR_MS      (60 * MINUTE_MS)
#define GIVE_UP_MS   (30 * 24 * HOUR_MS)
#define PASS_SOON_MS 1000

struct revoker_wait {
	LIST_ENTRY(revoker_wait) entry;
	char *account;
	bool left; /* a token of it is still queued */
	revoker_passed_fn *passed;
	void *arg;
};
LIST_HEAD(wait_list, revoker_wait);

struct revoker {
	struct revoker_args args;
	struct backoff backoff;
	struct loop_timer *next; /* a pass to come; NULL while one is under way or none is needed */
	const struct grant *grant; /* of the one being asked */
	struct grant_request *asking;
	struct vault_revocation entry; /* being asked for */
	int64_t after;                 /* id of the last one seen in this pass */
	size_t left;                   /* of this pass, still queued */
	bool again;                    /* kicked during a pass */
	struct wait_list waits;
};

static void begin_pass(void *arg);
static void step(struct revoker *in);
static void asked(const struct error *err, void *arg);
static void end_pass(struct revoker *in);

struct revoker *revoker_new(const struct revoker_args *args)
{
	struct revoker *in = mem_new(struct revoker);

	*in = (struct revoker){ .args = *args,
				.backoff = { .first_ms = MINUTE_MS, .most_ms = 6 * HOUR_MS } };
	LIST_INIT(&in->waits);
	in->next = loop_after(args->loop, PASS_SOON_MS, begin_pass, in);
	return in;
}

void revoker_free(struct revoker *in)
{
	struct revoker_wait *wait;

	if (!in)
		return;
	while ((wait = LIST_FIRST(&in->waits)))
		revoker_unwait(wait);
	loop_timer_cancel(in->next);
	if (in->asking)
		in->grant->cancel(in->asking);
	vault_revocation_done(&in->entry);
	free(in);
}

void revoker_kick(struct revoker *in)
{
	if (in->asking) {
		in->again = true;
		return;
	}
	loop_timer_cancel(in->next);
	in->next = loop_soon(in->args.loop, begin_pass, in);
}

struct revoker_wait *revoker_wait(struct revoker *in, const char *account,
				  revoker_passed_fn *passed, void *arg)
{
	struct revoker_wait *wait = mem_new(struct revoker_wait);

	*wait = (struct revoker_wait){ .account = mem_strdup(account),
				       .passed = passed,
				       .arg = arg };
	LIST_INSERT_HEAD(&in->waits, wait, entry);
	/* A pass under way may have gone past its tokens already. */
	revoker_kick(in);
	return wait;
}

void revoker_unwait(struct revoker_wait *wait)
{
	if (!wait)
		return;
	LIST_REMOVE(wait, entry);
	free(wait->account);
	free(wait);
}

static void begin_pass(void *arg)
{
	struct revoker *in = arg;
	struct revoker_wait *wait;

	in->next = NULL;
	in->after = 0;
	in->left = 0;
	LIST_FOREACH(wait, &in->waits, entry)
	{
		wait->left = false;
	}
	step(in);
}

/* Whose endpoint the token came from. */
static const struct grant *find_grant(const struct revoker *in,
				      const struct vault_revocation *entry)
{
	for (size_t i = 0; i < in->args.account_count; i++) {
		const struct grant *grant = account_grant(in->args.accounts[i]);

		if (strcmp(account_name(in->args.accounts[i]), entry->account) == 0 &&
		    strcmp(grant->source, entry->source) == 0)
			return grant;
	}
	return NULL;
}

static void keep(struct revoker *in)
{
	struct revoker_wait *wait;

	in->left++;
	LIST_FOREACH(wait, &in->waits, entry)
	{
		if (strcmp(wait->account, in->entry.account) == 0)
			wait->left = true;
	}
}

static void drop(struct revoker *in)
{
	struct error why;

	if (!vault_revocation_delete(in->args.vault, in->entry.id, &why)) {
		log_warning("revocation_not_deleted", LOG_STR("account", in->entry.account),
			    LOG_STR("code", why.code), LOG_STR("text", why.text));
		keep(in);
	}
}

/* One that somebody changed: nobody knows where it would be sent. */
static void drop_tampered(struct revoker *in)
{
	log_warning("revocation_dropped", LOG_STR("account", in->entry.account),
		    LOG_STR("code", "tampered"),
		    LOG_STR("text", "its row was changed by somebody else"));
	drop(in);
}

/* False at the end of the queue, and where it cannot be read: the next pass tries again. */
static bool read_next(struct revoker *in)
{
	struct revoker_wait *wait;
	struct error why;
	bool found;

	vault_revocation_done(&in->entry);
	if (vault_revocation_next(in->args.vault, in->after, &in->entry, &found, &why)) {
		in->after = in->entry.id;
		return found;
	}
	log_warning("revocations_unreadable", LOG_STR("code", why.code), LOG_STR("text", why.text));
	in->left++;
	LIST_FOREACH(wait, &in->waits, entry)
	{
		wait->left = true;
	}
	return false;
}

static int64_t age_ms(const struct revoker *in)
{
	return loop_now_ms(in->args.loop) - in->entry.since_ms;
}

static void give_up(struct revoker *in, const char *code, const char *text)
{
	log_warning("revocation_given_up", LOG_STR("account", in->entry.account),
		    LOG_STR("code", code), LOG_STR("text", text));
	drop(in);
}

/* The next entry that can be asked for, if there is one. */
static bool find_next(struct revoker *in)
{
	while (read_next(in)) {
		if (!in->entry.token) {
			drop_tampered(in);
			continue;
		}
		in->grant = find_grant(in, &in->entry);
		if (in->grant)
			return true;
		if (age_ms(in) > GIVE_UP_MS)
			give_up(in, "nobody", "no account of the conf has this endpoint any more");
		else
			keep(in);
	}
	return false;
}

static void step(struct revoker *in)
{
	if (find_next(in))
		in->asking = in->grant->revoke(in->grant->self, in->entry.token, asked, in);
	else
		end_pass(in);
}

static void asked(const struct error *err, void *arg)
{
	struct revoker *in = arg;

	in->asking = NULL;
	if (!err) {
		log_notice("token_revoked", LOG_STR("account", in->entry.account));
		drop(in);
	} else if (age_ms(in) > GIVE_UP_MS) {
		give_up(in, err->code, err->text);
	} else {
		log_info("revocation_delayed", LOG_STR("account", in->entry.account),
			 LOG_STR("code", err->code), LOG_STR("text", err->text));
		keep(in);
	}
	step(in);
}

static void end_pass(struct revoker *in)
{
	struct revoker_wait *wait;

	vault_revocation_done(&in->entry);
	if (in->again) {
		in->again = false;
		in->next = loop_soon(in->args.loop, begin_pass, in);
		return;
	}
	if (in->left)
		in->next =
			loop_after(in->args.loop, backoff_next_ms(&in->backoff, 0), begin_pass, in);
	else
		backoff_reset(&in->backoff);
	while ((wait = LIST_FIRST(&in->waits))) {
		revoker_passed_fn *passed = wait->passed;
		void *wait_arg = wait->arg;
		bool left = wait->left;

		revoker_unwait(wait);
		passed(!left, wait_arg);
	}
}
