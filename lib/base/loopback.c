#include "base/loopback.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/str.h"

#define SCHEME "http://"

/* No sign, no leading zero, no blank; 0 if it is none. */
static unsigned long parse_port(const char *text, size_t len)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long port;

	if (len == 0 || len > 5 || digits < len || text[0] == '0')
		return 0;
	port = strtoul(text, NULL, 10);
	return port <= 65535 ? port : 0;
}

static bool is_dots(const char *segment, size_t len)
{
	return (len == 1 && segment[0] == '.') || (len == 2 && memcmp(segment, "..", 2) == 0);
}

/* Unreserved bytes only, no empty segment but a last one, no dots to be resolved. */
static bool is_plain_path(const char *path)
{
	if (*path != '/')
		return false;
	while (*path == '/') {
		size_t len = strcspn(++path, "/");

		if ((len == 0 && *path == '/') || is_dots(path, len))
			return false;
		for (; len; len--, path++)
			if (!isascii((unsigned char)*path) ||
			    (!isalnum((unsigned char)*path) && !strchr("-._~", *path)))
				return false;
	}
	return true;
}

static bool is_host(const char *host, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(host, name, len) == 0;
}

static bool refuse(struct error *err, const char *what)
{
	return error_set(
		err, ERROR_HUMAN, "bad-redirect-uri",
		"redirect_uri: %s; it must be http://localhost:PORT/PATH, with 127.0.0.1 "
		"or [::1] for localhost if you like, and the same as in the app's settings",
		what);
}

bool loopback_parse(const char *uri, struct loopback *ret, struct error *err)
{
	struct loopback in = { 0 };
	const char *host = uri + strlen(SCHEME), *colon;
	unsigned long port;
	size_t len;

	if (!str_starts_with(uri, SCHEME))
		return refuse(err, "it does not begin with " SCHEME);
	in.path = strchr(host, '/');
	if (!in.path)
		return refuse(err, "it has no path");
	colon = memrchr(host, ':', (size_t)(in.path - host));
	if (!colon)
		return refuse(err, "it has no port");
	port = parse_port(colon + 1, (size_t)(in.path - colon - 1));
	if (port < LOOPBACK_LEAST_PORT)
		return refuse(err, "its port is not a number from 1024 to 65535");
	in.port = (unsigned)port;
	if (!is_plain_path(in.path))
		return refuse(err, "its path has more in it than letters, digits, '-._~' and "
				   "single slashes");
	len = (size_t)(colon - host);
	in.v4 = is_host(host, len, "127.0.0.1") || is_host(host, len, "localhost");
	in.v6 = is_host(host, len, "[::1]") || is_host(host, len, "localhost");
	if (!in.v4 && !in.v6)
		return refuse(err, "its host is not this machine");
	snprintf(in.host, sizeof(in.host), "%.*s", (int)(in.path - host), host);
	*ret = in;
	return true;
}
