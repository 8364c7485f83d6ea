/* token_refresh.c - refresh_token: one at a time, and the last one given out only. */
#include "app.h"
#include "call.h"
#include "client.h"
#include "grant.h"
#include "refusal.h"
#include "session.h"
#include "token.h"
#include "token_log.h"

static bool check(const struct token_request *request, struct refusal *why, size_t *grant)
{
	enum presented what;
	size_t found = grant_find(params_find(request->form, "refresh_token"), &what);

	token_log_family(request->entry, found, what);
	if (found && token_log_is_busy(request->entry, found))
		return refusal_set(why, "invalid_grant",
				   "token request is already being processed");
	if (what == PRESENTED_SUPERSEDED) {
		grant_reused(found);
		grant_kill(found, "superseded refresh token presented");
	}
	if (!found || !grant_is_alive(found))
		return refusal_set(why, "invalid_grant", "expired access/refresh token");
	*grant = found;
	return app_lets_in(why);
}

bool token_refresh(const struct token_request *request, struct refusal *why)
{
	bool is_demanded = app()->secret_for_refresh;
	const char *before, *after;
	size_t grant;

	if (client_check(request->call, request->form, is_demanded, why) == CLIENT_REFUSED)
		return false;
	if (!params_find(request->form, "refresh_token"))
		return refusal_set(why, "invalid_request",
				   "missing required parameter: refresh_token");
	if (!check(request, why, &grant))
		return false;
	before = grant_refresh_token(grant);
	grant_use(grant);
	after = grant_refresh_token(grant);
	token_give(request,
		   &(struct token_gift){ .session = session_mint(grant_scope(grant), grant),
					 .refresh_token = after == before ? NULL : after,
					 .is_signed = true });
	return true;
}
