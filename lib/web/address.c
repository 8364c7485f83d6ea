#include "web/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

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

bool address_parse(const char *redirect_uri, struct address *ret, struct error *err)
{
	struct address in = { 0 };
	struct loopback at;

	if (!loopback_parse(redirect_uri, &at, err))
		return false;
	if (at.v4)
		add_v4(&in, htons((in_port_t)at.port));
	if (at.v6)
		add_v6(&in, htons((in_port_t)at.port));
	memcpy(in.host, at.host, sizeof(in.host));
	in.path = at.path;
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
