/* address.h - where a redirect_uri points to: which sockets, which Host, which path. Pure.
 *
 * What it may be is base/loopback.h's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/loopback.h"

struct error;

#define ADDRESS_MOST_SOCKETS 2

struct address {
	struct sockaddr_storage sockets[ADDRESS_MOST_SOCKETS];
	size_t socket_count;
	char host[LOOPBACK_HOST_SIZE]; /* HOST:PORT, as a browser is to say it */
	const char *path;              /* points into what was parsed */
};

/* By loopback_parse(), and with its error. */
bool address_parse(const char *redirect_uri, struct address *ret, struct error *err);

/* "127.0.0.1:8717", "[::1]:8717". */
#define ADDRESS_TEXT_SIZE 24
void address_format(const struct sockaddr_storage *socket, char out[ADDRESS_TEXT_SIZE]);
socklen_t address_size(const struct sockaddr_storage *socket);
