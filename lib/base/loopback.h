/* loopback.h - an http URL at which this machine itself may listen for a browser. Pure: the conf is
 * read by the same rules as the listener is started by. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct error;

#define LOOPBACK_LEAST_PORT 1024 /* below, a daemon without privileges could not listen */
#define LOOPBACK_HOST_SIZE  24   /* "localhost:65535", "[::1]:65535" */

struct loopback {
	bool v4, v6; /* which addresses its host means; localhost is both */
	unsigned port;
	char host[LOOPBACK_HOST_SIZE]; /* HOST:PORT, as it stood there */
	const char *path;              /* points into what was parsed */
};

/* "http://HOST:PORT/PATH": HOST is 127.0.0.1, [::1] or localhost, PORT from 1024, PATH such that no
 * browser writes it in another way. Else ERROR_HUMAN code bad-redirect-uri. */
bool loopback_parse(const char *uri, struct loopback *ret, struct error *err);
