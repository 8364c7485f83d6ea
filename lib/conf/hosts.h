/* hosts.h - the hosts that a conf file names. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct error;

/* SCHEME://HOST[:PORT][/] taken apart. */
struct conf_url {
	char scheme[8];
	char host[256]; /* lower case; an IPv6 address in brackets */
	unsigned port;  /* 0: none is named */
};

/* A user, a path, a query or a fragment is refused. The error's text does not show the URL, which
 * may hold a password. */
bool conf_url_parse(const char *text, struct conf_url *ret, struct error *err);

/* The same, but anything may follow the host: it is left to the caller, in `ret_rest`. */
bool conf_url_split(const char *text, struct conf_url *ret, const char **ret_rest,
		    struct error *err);

/* /PATH of letters, digits and plain punctuation: no percent sign, query or fragment. */
bool conf_is_url_path(const char *text);

/* "https://host" or "https://host:port". free() it. */
char *conf_url_format(const struct conf_url *in);

bool conf_url_is_loopback(const struct conf_url *in); /* 127.0.0.1 or [::1], literally */

/* HOST or HOST:PORT, `len` bytes. */
bool conf_host_is_valid(const char *text, size_t len);

/* At salesforce.com on the usual port, or one of `allow_hosts`. */
bool conf_url_is_admitted(const struct conf_url *in, char *const *allow_hosts, size_t count);
