/* address.h - where a redirect_uri points to: which sockets, which Host, which path. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct error;

#define ADDRESS_MOST_SOCKETS 2
#define ADDRESS_HOST_SIZE    24 /* "localhost:65535", "[::1]:65535" */

struct address {
	struct sockaddr_storage sockets[ADDRESS_MOST_SOCKETS];
	size_t socket_count;
	char host[ADDRESS_HOST_SIZE]; /* HOST:PORT, as a browser is to say it */
	const char *path;             /* points into what was parsed */
};

/* "http://HOST:PORT/PATH": HOST is 127.0.0.1, [::1] or localhost (both), PORT from 1024, PATH such
 * that no browser writes it in another way. Else ERROR_HUMAN code bad-redirect-uri. */
bool address_parse(const char *redirect_uri, struct address *ret, struct error *err);

/* "127.0.0.1:8717", "[::1]:8717". */
#define ADDRESS_TEXT_SIZE 24
void address_format(const struct sockaddr_storage *socket, char out[ADDRESS_TEXT_SIZE]);
socklen_t address_size(const struct sockaddr_storage *socket);
