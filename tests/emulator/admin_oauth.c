/* admin_oauth.c - in order: sessions and revoking, grants, the log, the switches, the instance. */
#include "admin.h"

#include <sqlite3.h>

#include "app.h"
#include "call.h"
#include "grant.h"
#include "json_in.h"
#include "minted.h"
#include "oauth_base.h"
#include "session.h"
#include "store.h"
#include "token_log.h"

static void bad(struct call *call, const char *why)
{
	call_error(call, 400, "EMULATOR", why);
}

static void done(struct call *call)
{
	text_word(&call->out, "{\"ok\":true}");
}

void admin_write_sessions(struct call *call)
{
	minted_write(&call->out);
}

void admin_expire_sessions(struct call *call, struct json_object *in)
{
	(void)in;
	session_expire_all();
	done(call);
}

void admin_set_session_timeout(struct call *call, struct json_object *in)
{
	int64_t timeout_s = json_in_int(in, "seconds", -1);

	if (timeout_s < 0)
		return bad(call, "give seconds");
	session_set_timeout(timeout_s);
	done(call);
}

void admin_revoke(struct call *call, struct json_object *in)
{
	const char *token = json_in_text(in, "token");
	enum presented what;
	size_t grant = grant_find(token, &what);

	if (grant)
		grant_kill(grant, "revoked by an administrator");
	else if (token)
		session_revoke(token);
	else
		session_expire_all();
	if (json_in_bool(in, "grants"))
		grant_kill_all("revoked by an administrator");
	done(call);
}

void admin_write_grants(struct call *call)
{
	grant_write(&call->out);
}

void admin_write_token_log(struct call *call)
{
	token_log_write(&call->out);
}

void admin_write_oauth(struct call *call)
{
	app_write(&call->out);
}

void admin_set_oauth(struct call *call, struct json_object *in)
{
	const char *why = "";

	if (!app_switch(in, &why))
		return bad(call, why);
	app_write(&call->out);
}

/* The org's own record goes by the same id. */
static void rename_org(const char *org_id)
{
	sqlite3_stmt *statement = store_prepare("UPDATE Organization SET Id = ?");

	sqlite3_bind_text(statement, 1, org_id, -1, SQLITE_STATIC);
	store_finish(statement);
}

void admin_move_instance(struct call *call, struct json_object *in)
{
	if (!oauth_base_move(json_in_text(in, "url"), json_in_text(in, "org_id")))
		return bad(call, "url is too long, or org_id is no id");
	rename_org(oauth_base_org_id());
	done(call);
}
