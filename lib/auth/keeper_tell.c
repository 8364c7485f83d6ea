/* keeper_tell.c - how the keeper stands: what the daemon shows, and who is told of a change. */
#include <string.h>

#include "auth/keeper_private.h"
#include "base/mem.h"

#define DAY_MS        ((int64_t)24 * 3600 * 1000)
#define UNUSED_END_MS (30 * DAY_MS)

/* Told from the loop; the callback last, as it may free the keeper. */

static void tell_state(void *arg)
{
	struct keeper *in = arg;

	in->tell_state = NULL;
	if (in->changed)
		in->changed(in, KEEPER_NEWS_STATE, in->changed_arg);
}

static void tell_moved(void *arg)
{
	struct keeper *in = arg;

	in->tell_moved = NULL;
	if (in->changed)
		in->changed(in, KEEPER_NEWS_MOVED, in->changed_arg);
}

static void remind(void *arg)
{
	struct keeper *in = arg;

	in->remind = loop_after(in->args.loop, DAY_MS, remind, in);
	if (in->changed)
		in->changed(in, KEEPER_NEWS_REMINDER, in->changed_arg);
}

static void tell_settled(void *arg)
{
	struct keeper *in = arg;

	in->tell_settled = NULL;
	if (!keeper_is_busy(in))
		in->settled(in->settled_arg);
}

static void tell_settled_soon(struct keeper *in)
{
	if (in->settled && !in->tell_settled && !keeper_is_busy(in))
		in->tell_settled = loop_soon(in->args.loop, tell_settled, in);
}

void keeper_tell_state(struct keeper *in)
{
	if (!in->tell_state)
		in->tell_state = loop_soon(in->args.loop, tell_state, in);
	loop_timer_cancel(TAKE(in->remind));
	if (in->state == KEEPER_PARKED)
		in->remind = loop_after(in->args.loop, DAY_MS, remind, in);
	tell_settled_soon(in);
}

void keeper_tell_moved(struct keeper *in)
{
	if (!in->tell_moved)
		in->tell_moved = loop_soon(in->args.loop, tell_moved, in);
}

void keeper_tell_nobody(struct keeper *in)
{
	loop_timer_cancel(TAKE(in->tell_state));
	loop_timer_cancel(TAKE(in->tell_moved));
	loop_timer_cancel(TAKE(in->tell_settled));
	loop_timer_cancel(TAKE(in->remind));
}

void keeper_on_change(struct keeper *in, keeper_changed_fn *fn, void *arg)
{
	in->changed = fn;
	in->changed_arg = arg;
}

bool keeper_is_busy(const struct keeper *in)
{
	return (in->state == KEEPER_REFRESHING && in->args.grant->by_login) ||
	       in->uncommitted.access_token;
}

void keeper_on_settled(struct keeper *in, keeper_settled_fn *fn, void *arg)
{
	loop_timer_cancel(TAKE(in->tell_settled));
	in->settled = fn;
	in->settled_arg = arg;
	if (fn)
		tell_settled_soon(in);
	else
		keeper_resume(in);
}

/* What the daemon shows. */

static const char *parked_name(const struct keeper *in)
{
	if (in->known.disconnected)
		return "disconnected";
	return in->args.grant->by_login && policy_login_mends(in->trouble.code) ? "needs-login"
										: "needs-admin";
}

static const char *state_name(const struct keeper *in, enum keeper_state state)
{
	switch (state) {
	case KEEPER_EMPTY: return "empty";
	case KEEPER_FRESH: return "fresh";
	case KEEPER_REFRESHING: return "refreshing";
	case KEEPER_WAITING: return "waiting";
	case KEEPER_PARKED: return parked_name(in);
	}
	return "?";
}

static const char *expiry_name(const struct keeper *in)
{
	if (!in->token.access_token)
		return "";
	switch (in->token.expiry) {
	case VAULT_EXPIRY_ASSUMED: return "session_lifetime";
	case VAULT_EXPIRY_LEARNED: return "learned";
	case VAULT_EXPIRY_SAID: return "answer";
	case VAULT_EXPIRY_INTROSPECTED: return "introspection";
	}
	return "";
}

static const char *rotation_name(const struct keeper *in)
{
	if (!in->args.grant->by_login)
		return "";
	switch (in->token.rotation) {
	case VAULT_ROTATION_UNKNOWN: return "unknown";
	case VAULT_ROTATION_OFF: return "off";
	case VAULT_ROTATION_ON: return "on";
	}
	return "";
}

void keeper_health(const struct keeper *in, struct keeper_health *ret)
{
	/* A token nobody used may have come to its end unnoticed. */
	enum keeper_state state =
		in->state == KEEPER_FRESH && !keeper_is_good(in) ? KEEPER_EMPTY : in->state;

	*ret = (struct keeper_health){
		.state = state,
		.state_name = state_name(in, state),
		.obtained_ms = in->token.obtained_ms,
		.expires_ms = in->token.expires_ms,
		.expiry = expiry_name(in),
		.rotation = rotation_name(in),
		.proved_ms = in->proved_ms,
		.idle_ends_ms = in->args.grant->by_login && in->token.refresh_token
					? in->token.obtained_ms + UNUSED_END_MS
					: 0,
		.next_refresh_ms = in->next_ms,
		.instance_url = in->token.instance_url ? in->token.instance_url : "",
		.org_id = in->token.org_id ? in->token.org_id : "",
		.trouble = in->failures ? &in->trouble : NULL,
		.token_requests = in->requests,
	};
}
