/* identity.c - userinfo and the identity URL, which fail in text and not in JSON. */
#include "oauth.h"

#include <stdio.h>
#include <strings.h>

#include "app.h"
#include "call.h"
#include "oauth_base.h"
#include "session.h"
#include "sfid.h"

static const char *token_of(const struct call *call)
{
	const char *header = call_header(call, "Authorization");

	if (header && strncasecmp(header, "Bearer ", 7) == 0)
		return header + 7;
	if (header && strncasecmp(header, "OAuth ", 6) == 0)
		return header + 6;
	return call_param(call, "oauth_token") ? call_param(call, "oauth_token")
					       : call_param(call, "access_token");
}

/* `scope` may be NULL: any will do. */
static bool is_let_in(struct call *call, const char *scope)
{
	const char *token = token_of(call);

	call->session = session_find(token);
	if (call->session && (!scope || scope_opens(call->session->scope, scope))) {
		session_touch(call->session);
		return true;
	}
	call_plain(call, 403, token ? "Bad_OAuth_Token" : "Missing_OAuth_Token");
	return false;
}

static void write_links(struct text *out, const char *version)
{
	static const char *const links[][2] = {
		{ "enterprise", "/services/Soap/c/%s/00D8d0000004QxR" },
		{ "metadata", "/services/Soap/m/%s/00D8d0000004QxR" },
		{ "partner", "/services/Soap/u/%s/00D8d0000004QxR" },
		{ "rest", "/services/data/v%s/" },
		{ "sobjects", "/services/data/v%s/sobjects/" },
		{ "search", "/services/data/v%s/search/" },
		{ "query", "/services/data/v%s/query/" },
		{ "recent", "/services/data/v%s/recent/" },
		{ "tooling_soap", "/services/Soap/T/%s/00D8d0000004QxR" },
		{ "tooling_rest", "/services/data/v%s/tooling/" },
	};

	text_word(out, "\"urls\":{");
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		const char *mark = strstr(links[i][1], "%s");

		text_printf(out, "%s\"%s\":\"%s%.*s%s%s\"", i ? "," : "", links[i][0],
			    oauth_base_url(), (int)(mark - links[i][1]), links[i][1], version,
			    mark + 2);
	}
	text_printf(out, ",\"profile\":\"%s/" SFID_USER "\",\"custom_domain\":\"%s\"}",
		    oauth_base_url(), oauth_base_url());
}

static const char *version_of(const struct call *call)
{
	const char *asked = call_param(call, "version");

	return asked && strcmp(asked, "latest") == 0 ? "67.0" : "{version}";
}

void oauth_userinfo(struct call *call)
{
	const char *base = oauth_base_url();
	char id[OAUTH_IDENTITY_SIZE];

	if (!is_let_in(call, NULL))
		return;
	oauth_base_identity(call->session->user, id);
	text_printf(&call->out,
		    "{\"sub\":\"%s\",\"user_id\":\"%s\",\"organization_id\":\"%s\","
		    "\"preferred_username\":",
		    id, call->session->user, oauth_base_org_id());
	text_json_word(&call->out, app()->username);
	text_printf(&call->out,
		    ",\"nickname\":\"sync\",\"name\":\"Sync User\",\"email\":\"ops@acme.example\","
		    "\"email_verified\":true,\"given_name\":\"Sync\",\"family_name\":\"User\","
		    "\"zoneinfo\":\"GMT\",\"photos\":{\"picture\":\"%s/profilephoto/005/F\","
		    "\"thumbnail\":\"%s/profilephoto/005/T\"},\"profile\":\"%s/%s\","
		    "\"picture\":\"%s/profilephoto/005/F\",\"address\":{},",
		    base, base, base, call->session->user, base);
	write_links(&call->out, version_of(call));
	text_word(&call->out, ",\"active\":true,\"user_type\":\"STANDARD\",\"language\":\"en_US\","
			      "\"locale\":\"en_US\",\"utcOffset\":0,"
			      "\"updated_at\":\"2025-12-01T09:14:05Z\"}");
}

void oauth_identity(struct call *call)
{
	const char *base = oauth_base_url();
	char id[OAUTH_IDENTITY_SIZE], org[SFID_SIZE], user[SFID_SIZE];

	if (!is_let_in(call, "id"))
		return;
	if (call->part_count != 3 || !sfid_parse(call->parts[1], strlen(call->parts[1]), org) ||
	    !sfid_parse(call->parts[2], strlen(call->parts[2]), user)) {
		call_plain(call, 404, "Bad_Id");
		return;
	}
	if (strcmp(org, oauth_base_org_id()) != 0) {
		call_plain(call, 403, "Wrong_Org");
		return;
	}
	if (strcmp(user, call->session->user) != 0) {
		call_plain(call, 404, "Bad_Id");
		return;
	}
	oauth_base_identity(user, id);
	text_printf(&call->out,
		    "{\"id\":\"%s\",\"asserted_user\":true,\"user_id\":\"%s\","
		    "\"organization_id\":\"%s\",\"username\":",
		    id, user, oauth_base_org_id());
	text_json_word(&call->out, app()->username);
	text_printf(&call->out,
		    ",\"nick_name\":\"sync\",\"display_name\":\"Sync User\","
		    "\"email\":\"ops@acme.example\",\"email_verified\":true,"
		    "\"first_name\":\"Sync\",\"last_name\":\"User\",\"timezone\":\"GMT\","
		    "\"photos\":{\"picture\":\"%s/profilephoto/005/F\","
		    "\"thumbnail\":\"%s/profilephoto/005/T\"},\"addr_street\":null,"
		    "\"addr_city\":null,\"addr_state\":null,\"addr_country\":null,"
		    "\"addr_zip\":null,\"mobile_phone\":null,\"mobile_phone_verified\":false,"
		    "\"is_lightning_login_user\":false,"
		    "\"status\":{\"created_date\":null,\"body\":null},",
		    base, base);
	write_links(&call->out, version_of(call));
	text_word(&call->out, ",\"active\":true,\"user_type\":\"STANDARD\",\"language\":\"en_US\","
			      "\"locale\":\"en_US\",\"utcOffset\":0,\"last_modified_date\":"
			      "\"2025-12-01T09:14:05Z\",\"is_app_installed\":true}");
}
