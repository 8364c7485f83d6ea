/* oauth_base.c */
#include "oauth_base.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sfid.h"

static char base_now[200], login_now[200];
static char org_now[SFID_SIZE] = SFID_ORG;

void oauth_base_configure(const char *base_url, const char *login_url)
{
	snprintf(base_now, sizeof(base_now), "%s", base_url);
	snprintf(login_now, sizeof(login_now), "%s", login_url ? login_url : "");
}

bool oauth_base_move(const char *base_url, const char *org_id)
{
	if (base_url && strlen(base_url) >= sizeof(base_now))
		return false;
	if (org_id && !sfid_parse(org_id, strlen(org_id), org_now))
		return false;
	if (base_url)
		snprintf(base_now, sizeof(base_now), "%s", base_url);
	return true;
}

const char *oauth_base_org_id(void)
{
	return org_now;
}

const char *oauth_base_url(void)
{
	return base_now;
}

const char *oauth_base_login_url(void)
{
	return *login_now ? login_now : base_now;
}

bool oauth_base_is_login(const char *host)
{
	const char *name = *login_now ? strstr(login_now, "//") + 2 : "";
	size_t length = strcspn(name, ":");

	return host && length && strncasecmp(host, name, length) == 0 &&
	       (host[length] == '\0' || host[length] == ':');
}

void oauth_base_identity(const char *user, char out[OAUTH_IDENTITY_SIZE])
{
	snprintf(out, OAUTH_IDENTITY_SIZE, "%s/id/%s/%s", oauth_base_login_url(), org_now, user);
}
