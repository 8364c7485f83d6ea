/* browser.c */
#include "browser.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "clock.h"
#include "mem.h"
#include "minted.h"
#include "oauth_base.h"
#include "session.h"

static struct login {
	const char *sid;
	int64_t used_s;
} * list;
static size_t count;

void browser_begin(struct call *call)
{
	const char *sid = minted_make(MINTED_COOKIE, "", 60, "");
	bool is_https = strncmp(oauth_base_url(), "https:", 6) == 0;
	char cookie[200];

	list = mem_grow(list, (count + 1) * sizeof(*list));
	list[count++] = (struct login){ sid, clock_now_s() };
	snprintf(cookie, sizeof(cookie), "sid=%s; Path=/; HttpOnly; SameSite=Lax%s", sid,
		 is_https ? "; Secure" : "");
	call_add_header(call, "Set-Cookie", cookie);
}

static const char *find_cookie(const char *header, size_t *length)
{
	const char *at = header;

	while (at && *at) {
		at += strspn(at, "; ");
		if (strncmp(at, "sid=", 4) == 0) {
			*length = strcspn(at + 4, "; ");
			return at + 4;
		}
		at += strcspn(at, ";");
	}
	return NULL;
}

bool browser_is_known(const struct call *call)
{
	size_t length = 0;
	const char *sid = find_cookie(call_header(call, "Cookie"), &length);

	for (size_t i = 0; sid && i < count; i++) {
		if (strlen(list[i].sid) != length || memcmp(list[i].sid, sid, length) != 0)
			continue;
		if (clock_now_s() - list[i].used_s >= session_timeout_s())
			return false;
		list[i].used_s = clock_now_s();
		return true;
	}
	return false;
}

void browser_end_all(void)
{
	count = 0;
}
