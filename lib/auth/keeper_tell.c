/* keeper_tell.c - how the keeper stands: what the daemon shows, and who is told of a change. */
#include <string.h>

#include "auth/grant.h"
#include "auth/keeper_private.h"

static void tell_changed(void *arg)
{
	struct keeper *in = arg;

	in->tell = NULL;
	in->changed(in, KEEPER_NEWS_STATE, in->changed_arg);
}

void keeper_tell_state(struct keeper *in)
{
	if (in->changed && !in->tell)
		in->tell = loop_soon(in->args.loop, tell_changed, in);
}

static const char *parked_name(const struct keeper *in)
{
	if (strcmp(in->trouble.code, "needs-login") == 0 || in->token.refresh_token)
		return "needs-login";
	return "needs-admin";
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
		.next_refresh_ms = in->next_ms,
		.instance_url = in->token.instance_url ? in->token.instance_url : "",
		.org_id = in->token.org_id ? in->token.org_id : "",
		.trouble = in->has_trouble ? &in->trouble : NULL,
		.token_requests = in->requests,
	};
}

void keeper_on_change(struct keeper *in, keeper_changed_fn *fn, void *arg)
{
	in->changed = fn;
	in->changed_arg = arg;
}
