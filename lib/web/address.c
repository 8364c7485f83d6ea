#include "web/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/str.h"

#define SCHEME     "http://"
#define LEAST_PORT 1024 /* below, a daemon without privileges could not listen */

static void add_v4(struct address *to, in_port_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&to->sockets[to->socket_count++];

	*in = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_port = port,
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static void add_v6(struct address *to, in_port_t port)
{
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)&to->sockets[to->socket_count++];

	*in = (struct sockaddr_in6){ .sin6_family = AF_INET6,
				     .sin6_port = port,
				     .sin6_addr = in6addr_loopback };
}

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

bool address_parse(const char *redirect_uri, struct address *ret, struct error *err)
{
	struct address in = { 0 };
	const char *host = redirect_uri + strlen(SCHEME), *path, *colon;
	unsigned long port;
	size_t len;

	if (!str_starts_with(redirect_uri, SCHEME))
		return refuse(err, "it does not begin with " SCHEME);
	path = strchr(host, '/');
	if (!path)
		return refuse(err, "it has no path");
	colon = memrchr(host, ':', (size_t)(path - host));
	if (!colon)
		return refuse(err, "it has no port");
	port = parse_port(colon + 1, (size_t)(path - colon - 1));
	if (port < LEAST_PORT)
		return refuse(err, "its port is not a number from 1024 to 65535");
	if (!is_plain_path(path))
		return refuse(err, "its path has more in it than letters, digits, '-._~' and "
				   "single slashes");
	len = (size_t)(colon - host);
	if (is_host(host, len, "127.0.0.1") || is_host(host, len, "localhost"))
		add_v4(&in, htons((in_port_t)port));
	if (is_host(host, len, "[::1]") || is_host(host, len, "localhost"))
		add_v6(&in, htons((in_port_t)port));
	if (!in.socket_count)
		return refuse(err, "its host is not this machine");
	snprintf(in.host, sizeof(in.host), "%.*s", (int)(path - host), host);
	in.path = path;
	*ret = in;
	return true;
}

void address_format(const struct sockaddr_storage *socket, char out[ADDRESS_TEXT_SIZE])
{
	if (socket->ss_family == AF_INET)
		snprintf(out, ADDRESS_TEXT_SIZE, "127.0.0.1:%u",
			 ntohs(((const struct sockaddr_in *)socket)->sin_port));
	else
		snprintf(out, ADDRESS_TEXT_SIZE, "[::1]:%u",
			 ntohs(((const struct sockaddr_in6 *)socket)->sin6_port));
}

socklen_t address_size(const struct sockaddr_storage *socket)
{
	return socket->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					    : sizeof(struct sockaddr_in6);
}
