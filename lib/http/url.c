#include "http/url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

/* One part of a parsed URL, or NULL; to be freed by curl_free(). */
static char *part_of(CURLU *parts, CURLUPart which)
{
	char *part = NULL;

	return curl_url_get(parts, which, &part, 0) == CURLUE_OK ? part : NULL;
}

static bool has_part(CURLU *parts, CURLUPart which)
{
	char *part = part_of(parts, which);
	bool has = part != NULL;

	curl_free(part);
	return has;
}

static bool is_below(const char *host, const char *domain)
{
	size_t len = strlen(host), domain_len = strlen(domain);

	return len > domain_len + 1 && host[len - domain_len - 1] == '.' &&
	       strcasecmp(host + len - domain_len, domain) == 0;
}

/* `port` is NULL where it is the scheme's own. */
static bool is_listed(const char *host, const char *port, const struct url_policy *policy)
{
	char asked[300];

	snprintf(asked, sizeof(asked), "%s%s%s", host, port ? ":" : "", port ? port : "");
	for (size_t i = 0; i < policy->allow_count; i++)
		if (strcasecmp(asked, policy->allow_hosts[i]) == 0 ||
		    (!port && strncasecmp(policy->allow_hosts[i], host, strlen(host)) == 0 &&
		     strcmp(policy->allow_hosts[i] + strlen(host), ":443") == 0))
			return true;
	return false;
}

static bool is_admitted(const char *scheme, const char *host, const char *port,
			const struct url_policy *policy)
{
	if (policy->loopback_test && (strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0))
		return true;
	return strcmp(scheme, "https") == 0 &&
	       (is_listed(host, port, policy) || (!port && is_below(host, "salesforce.com")));
}

/* Whatever curl makes of escapes, only these bytes are a host. */
static bool is_plain_host(const char *host)
{
	for (; *host; host++)
		if (!isascii((unsigned char)*host) ||
		    (!isalnum((unsigned char)*host) && !strchr(".-[]:", *host)))
			return false;
	return true;
}

static char *base_of(CURLU *parts, const struct url_policy *policy, const char *what,
		     struct error *err)
{
	char *scheme = part_of(parts, CURLUPART_SCHEME), *host = part_of(parts, CURLUPART_HOST);
	char *port = part_of(parts, CURLUPART_PORT), *base = NULL;
	const char *own_port = scheme && strcmp(scheme, "http") == 0 ? "80" : "443";
	const char *said_port = port && strcmp(port, own_port) != 0 ? port : NULL;

	if (!scheme || !host || !is_plain_host(host))
		error_set(err, ERROR_HUMAN, "url", "%s: this is not https://HOST", what);
	else if (!is_admitted(scheme, host, said_port, policy))
		error_set(err, ERROR_HUMAN, "url",
			  "%s: %s://%s%s%s is not admitted: it must be https, below "
			  "salesforce.com or named by allow_host",
			  what, scheme, host, said_port ? ":" : "", said_port ? said_port : "");
	else
		base = mem_format("%s://%s%s%s", scheme, host, said_port ? ":" : "",
				  said_port ? said_port : "");
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	for (char *at = base; at && *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return base;
}

char *url_base(const char *url, const struct url_policy *policy, const char *what,
	       struct error *err)
{
	CURLU *parts = curl_url();
	char *path, *base = NULL;
	bool bare;

	if (!parts)
		abort();
	if (!str_is_utf8(url, strlen(url)) ||
	    curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK) {
		error_set(err, ERROR_HUMAN, "url", "%s: this is not https://HOST", what);
		curl_url_cleanup(parts);
		return NULL;
	}
	path = part_of(parts, CURLUPART_PATH);
	bare = path && strcmp(path, "/") == 0 && !has_part(parts, CURLUPART_USER) &&
	       !has_part(parts, CURLUPART_PASSWORD) && !has_part(parts, CURLUPART_QUERY) &&
	       !has_part(parts, CURLUPART_FRAGMENT) && !has_part(parts, CURLUPART_ZONEID) &&
	       !strpbrk(url, "?#@");
	curl_free(path);
	if (bare)
		base = base_of(parts, policy, what, err);
	else
		error_set(err, ERROR_HUMAN, "url",
			  "%s: there must be nothing but https://HOST: no user, path or query",
			  what);
	curl_url_cleanup(parts);
	return base;
}

bool url_is_server_path(const char *path)
{
	static const char start[] = "/services/data/v";

	if (!str_starts_with(path, start) || !isdigit((unsigned char)path[sizeof(start) - 1]))
		return false;
	if (strstr(path, "//") || strstr(path, "..") || strcasestr(path, "%2e"))
		return false;
	for (; *path; path++)
		if (*path <= ' ' || *path >= 0x7f || strchr("\\#\"<>", *path))
			return false;
	return true;
}

char *url_encode(const char *text, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = mem_zeroed(3 * len + 1, 1), *to = out;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (isascii(byte) && (isalnum(byte) || strchr("-._~", byte)) && byte) {
			*to++ = (char)byte;
		} else {
			*to++ = '%';
			*to++ = hex[byte >> 4];
			*to++ = hex[byte & 15];
		}
	}
	return out;
}
