#include "auth/paste.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"

/* Scheme and authority: "https://host:port". 0 if there are none. */
static size_t origin_len(const char *url, size_t len)
{
	const char *slashes = memmem(url, len, "://", 3);
	const char *at = slashes ? slashes + 3 : url;

	if (!slashes)
		return 0;
	while (at < url + len && !strchr("/?#", *at))
		at++;
	return (size_t)(at - url);
}

/* Scheme and host in any case, the rest as it is. */
static bool begins_with(const char *text, size_t len, const char *url, size_t url_len)
{
	size_t origin = origin_len(url, url_len);

	return len >= url_len && strncasecmp(text, url, origin) == 0 &&
	       memcmp(text + origin, url + origin, url_len - origin) == 0;
}

static bool is_all_of(const char *text, size_t len, const char *url, size_t url_len)
{
	return begins_with(text, len, url, url_len) &&
	       (len == url_len || text[url_len] == '?' || text[url_len] == '#');
}

static bool has_bytes_of_no_url(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return true;
	return false;
}

static bool refuse(struct error *err, const char *redirect_uri, const char *what)
{
	return error_set(err, ERROR_HUMAN, "not-the-answer",
			 "%s; what is needed is the whole address the browser ended at, which "
			 "begins with %s?",
			 what, redirect_uri);
}

static bool explain(const struct paste_login *login, const char *text, size_t len,
		    struct error *err)
{
	const char *start = login->authorize_url, *wanted = login->redirect_uri;
	size_t start_len = strcspn(start, "?#"), start_origin = origin_len(start, start_len);
	size_t wanted_origin = origin_len(wanted, strlen(wanted));

	if (len == 0)
		return refuse(err, wanted, "nothing was pasted");
	if (has_bytes_of_no_url(text, len))
		return refuse(err, wanted,
			      "this is more than an address, or was broken in two lines");
	if (origin_len(text, len) == 0)
		return refuse(err, wanted,
			      "this is no address, but perhaps the code alone, or an address "
			      "without its beginning");
	if (is_all_of(text, len, start, start_len))
		return refuse(err, wanted,
			      "this is the address where the login starts: open it in a browser "
			      "and log in there");
	if (start_origin && origin_len(text, len) == start_origin &&
	    strncasecmp(text, start, start_origin) == 0)
		return refuse(err, wanted,
			      "this is still a page of the login server: go on there, or read what "
			      "is wrong; a callback URL in the app's settings that is not the "
			      "redirect_uri is the usual reason");
	if (wanted_origin && origin_len(text, len) == wanted_origin &&
	    strncasecmp(text, wanted, wanted_origin) == 0)
		return refuse(err, wanted, "this address has another path than the redirect_uri");
	return refuse(err, wanted, "this address has another scheme, host or port");
}

bool paste_find_query(const struct paste_login *login, const char *text, size_t len,
		      const char **ret_query, size_t *ret_len, struct error *err)
{
	size_t wanted_len = strlen(login->redirect_uri);
	const char *fragment;

	for (; len && memchr(" \t\r\n", *text, 4); len--)
		text++;
	while (len && memchr(" \t\r\n", text[len - 1], 4))
		len--;
	if (has_bytes_of_no_url(text, len) ||
	    !is_all_of(text, len, login->redirect_uri, wanted_len))
		return explain(login, text, len, err);
	fragment = memchr(text, '#', len);
	if (fragment)
		len = (size_t)(fragment - text);
	if (len == wanted_len)
		return refuse(err, login->redirect_uri,
			      "this address has nothing behind it: it was cut, or opened by hand");
	*ret_query = text + wanted_len + 1;
	*ret_len = len - wanted_len - 1;
	return true;
}
