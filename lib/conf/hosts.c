#include "conf/hosts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

#define HOST_MOST  253 /* RFC 1035 */
#define LABEL_MOST 63

static bool is_word_char(char c)
{
	return isascii((unsigned char)c) && isalnum((unsigned char)c);
}

/* Labels of letters, digits and inner hyphens, with single dots between; or an address of four
 * numbers, which looks no different. */
static bool is_name(const char *text, size_t len)
{
	size_t label = 0;

	if (!len || len > HOST_MOST)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool inner = i && text[i - 1] != '.' && i + 1 < len && text[i + 1] != '.';

		label = text[i] == '.' ? 0 : label + 1;
		if (label > LABEL_MOST)
			return false;
		if (!is_word_char(text[i]) && !((text[i] == '-' || text[i] == '.') && inner))
			return false;
	}
	return true;
}

static bool is_ipv6(const char *text, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;

	if (len < 4 || len - 2 >= sizeof(address) || text[0] != '[' || text[len - 1] != ']')
		return false;
	memcpy(address, text + 1, len - 2);
	address[len - 2] = '\0';
	return inet_pton(AF_INET6, address, &parsed) == 1;
}

/* Where the :PORT of HOST:PORT begins; the end if there is none. */
static size_t host_length(const char *text, size_t len)
{
	const char *bracket = memchr(text, ']', len);
	size_t from = bracket ? (size_t)(bracket - text) : 0;
	const char *colon = memchr(text + from, ':', len - from);

	return colon ? (size_t)(colon - text) : len;
}

/* 0 if it is no port. */
static unsigned parse_port(const char *text, size_t len)
{
	unsigned port = 0;

	if (!len || len > 5 || *text == '0')
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	return port <= 65535 ? port : 0;
}

bool conf_host_is_valid(const char *text, size_t len)
{
	size_t host = host_length(text, len);

	if (!is_name(text, host) && !is_ipv6(text, host))
		return false;
	return host == len || parse_port(text + host + 1, len - host - 1);
}

static bool refuse(struct error *err, const char *why)
{
	return error_set(err, ERROR_HUMAN, "conf", "%s", why);
}

bool conf_url_parse(const char *text, struct conf_url *ret, struct error *err)
{
	struct conf_url url;
	const char *rest;

	if (!conf_url_split(text, &url, &rest, err))
		return false;
	if (*rest && strcmp(rest, "/") != 0)
		return refuse(err, "nothing may follow the host in the URL");
	*ret = url;
	return true;
}

bool conf_is_url_path(const char *text)
{
	if (*text != '/')
		return false;
	while (is_word_char(*text) || (*text && strchr("/-._~!$&'()*+,;=:@", *text)))
		text++;
	return !*text;
}

bool conf_url_split(const char *text, struct conf_url *ret, const char **ret_rest,
		    struct error *err)
{
	const char *host = strstr(text, "://");
	struct conf_url url = { 0 };
	size_t len, host_len;

	if (!host || host == text || (size_t)(host - text) >= sizeof(url.scheme))
		return refuse(err, "expected a URL such as https://HOST");
	memcpy(url.scheme, text, (size_t)(host - text));
	for (char *at = url.scheme; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	host += strlen("://");
	len = strcspn(host, "/?#\\");
	if (memchr(host, '@', len))
		return refuse(err, "no user or password may stand in the URL");
	host_len = host_length(host, len);
	if (!conf_host_is_valid(host, len) || host_len >= sizeof(url.host))
		return refuse(err, "the URL's host or port is not a valid one");
	for (size_t i = 0; i < host_len; i++)
		url.host[i] = (char)tolower((unsigned char)host[i]);
	if (host_len < len)
		url.port = parse_port(host + host_len + 1, len - host_len - 1);
	*ret = url;
	*ret_rest = host + len;
	return true;
}

char *conf_url_format(const struct conf_url *in)
{
	if (in->port)
		return mem_format("%s://%s:%u", in->scheme, in->host, in->port);
	return mem_format("%s://%s", in->scheme, in->host);
}

bool conf_url_is_loopback(const struct conf_url *in)
{
	return strcmp(in->host, "127.0.0.1") == 0 || strcmp(in->host, "[::1]") == 0;
}

static bool ends_in(const char *host, const char *domain)
{
	size_t host_len = strlen(host), len = strlen(domain);

	return host_len > len && strcmp(host + host_len - len, domain) == 0;
}

bool conf_url_is_admitted(const struct conf_url *in, char *const *allow_hosts, size_t count)
{
	unsigned port = in->port ? in->port : 443;

	if (port == 443 && ends_in(in->host, ".salesforce.com"))
		return true;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(allow_hosts[i]);
		size_t host = host_length(allow_hosts[i], len);
		unsigned want =
			host < len ? parse_port(allow_hosts[i] + host + 1, len - host - 1) : 443;

		if (want == port && strlen(in->host) == host &&
		    strncasecmp(in->host, allow_hosts[i], host) == 0)
			return true;
	}
	return false;
}
