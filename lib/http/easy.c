/* easy.c - in order: what is sent, the rules, the handle. */
#include "http/easy.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/http.h"
#include "secret/secret.h"

/* What is sent. */

static char *host_of(const char *url, bool *ret_plain_loopback)
{
	CURLU *parts = curl_url();
	char *scheme = NULL, *name = NULL, *host;

	if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK) {
		curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
		curl_url_get(parts, CURLUPART_HOST, &name, 0);
	}
	host = mem_strdup(name ? name : "?");
	*ret_plain_loopback = scheme && strcmp(scheme, "http") == 0 &&
			      (strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0);
	curl_free(scheme);
	curl_free(name);
	curl_url_cleanup(parts);
	return host;
}

static struct secret *bearer_line(struct secret *bearer)
{
	static const char name[] = "Authorization: Bearer ";
	size_t len, name_len = sizeof(name) - 1;
	const char *token = secret_open(bearer, &len);
	char *line;
	struct secret *kept = secret_blank(name_len + len, &line);

	memcpy(line, name, name_len);
	memcpy(line + name_len, token, len);
	secret_close(kept);
	secret_close(bearer);
	return kept;
}

void easy_copy(struct easy *ret, const struct http_call *call)
{
	size_t count = 0;

	while (call->headers && call->headers[count])
		count++;
	*ret = (struct easy){
		.is_token = call->class == HTTP_TOKEN,
		.method = mem_strdup(call->method),
		.url = mem_strdup(call->url),
		.headers = mem_array(char *, count),
		.header_count = count,
		.nodes = mem_array(struct curl_slist, count + 2),
	};
	ret->host = host_of(call->url, &ret->plain_loopback);
	for (size_t i = 0; i < count; i++)
		ret->headers[i] = mem_strdup(call->headers[i]);
	if (call->bearer)
		ret->bearer_line = bearer_line(call->bearer);
	if (call->form)
		ret->form = secret_copy(call->form);
	if (call->body) {
		ret->body = mem_strndup(call->body, call->body_len);
		ret->body_len = call->body_len;
	}
}

/* The rules. */

#define set(option, value)                                                                         \
	do {                                                                                       \
		if (curl_easy_setopt(in->handle, option, value) != CURLE_OK)                       \
			abort(); /* without memory, or a curl that lacks what we need */           \
	} while (0)

static void set_rules(struct easy *in, const struct easy_rules *rules)
{
	set(CURLOPT_PROTOCOLS_STR, rules->allow_plain && in->plain_loopback ? "http" : "https");
	set(CURLOPT_REDIR_PROTOCOLS_STR, "https");
	set(CURLOPT_FOLLOWLOCATION, 0L);
	set(CURLOPT_MAXREDIRS, 0L);
	set(CURLOPT_UNRESTRICTED_AUTH, 0L);
	set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	set(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	set(CURLOPT_PROXY, rules->proxy); /* "" also stops curl from asking the environment */
	set(CURLOPT_NOPROXY, "127.0.0.1,::1");
	set(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* the proxy sees no Authorization */
	set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	set(CURLOPT_NOSIGNAL, 1L);
	set(CURLOPT_QUICK_EXIT, 1L); /* a hanging name look-up is left behind, not waited for */
	set(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	set(CURLOPT_SSL_VERIFYPEER, 1L);
	set(CURLOPT_SSL_VERIFYHOST, 2L);
	/* Unset, curl parses the bundle once and not for every connection. */
	set(CURLOPT_CAPATH, NULL);
	if (rules->ca_file)
		set(CURLOPT_CAINFO, rules->ca_file);
	/* The same for a proxy that is spoken to by TLS. */
	set(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	set(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	set(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	set(CURLOPT_PROXY_CAPATH, NULL);
	if (rules->ca_file)
		set(CURLOPT_PROXY_CAINFO, rules->ca_file);
	set(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	set(CURLOPT_HTTP09_ALLOWED, 0L);
	set(CURLOPT_ACCEPT_ENCODING, "gzip");
	set(CURLOPT_USERAGENT, rules->user_agent);
	/* Also how long each of a host's addresses is tried; the total is our own timer's. */
	set(CURLOPT_CONNECTTIMEOUT_MS, (long)EASY_CONNECT_MS);
	/* Writes are silent for minutes, which middle boxes forget. */
	set(CURLOPT_TCP_KEEPALIVE, 1L);
	set(CURLOPT_TCP_KEEPIDLE, 60L);
	set(CURLOPT_TCP_KEEPINTVL, 60L);
	set(CURLOPT_ERRORBUFFER, in->curl_text);
}

static void set_request(struct easy *in)
{
	/* No waiting for "100 Continue", and no second sending after a 417. */
	static char no_expect[] = "Expect:";
	size_t count = 0, body_len = in->body_len;
	const char *body = in->body;

	set(CURLOPT_URL, in->url);
	/* One that the server closes just then would look like a lost answer. */
	set(CURLOPT_FRESH_CONNECT, (long)in->is_token);
	if (in->form)
		body = secret_open(in->form, &body_len);
	if (body || strcmp(in->method, "POST") == 0) {
		set(CURLOPT_POST, 1L);
		set(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_len);
		set(CURLOPT_POSTFIELDS, body ? body : ""); /* not copied */
	}
	if (strcmp(in->method, "GET") != 0 && strcmp(in->method, "POST") != 0)
		set(CURLOPT_CUSTOMREQUEST, in->method);

	in->nodes[count++].data = no_expect;
	for (size_t i = 0; i < in->header_count; i++)
		in->nodes[count++].data = in->headers[i];
	if (in->bearer_line)
		in->nodes[count++].data = (char *)secret_open(in->bearer_line, &(size_t){ 0 });
	for (size_t i = 0; i + 1 < count; i++)
		in->nodes[i].next = &in->nodes[i + 1];
	set(CURLOPT_HTTPHEADER, in->nodes);
}

static void set_hooks(struct easy *in, const struct easy_hooks *hooks)
{
	set(CURLOPT_PRIVATE, hooks->arg);
	set(CURLOPT_PREREQFUNCTION, hooks->before_sending);
	set(CURLOPT_PREREQDATA, hooks->arg);
	set(CURLOPT_HEADERFUNCTION, hooks->take_header);
	set(CURLOPT_HEADERDATA, hooks->arg);
	set(CURLOPT_WRITEFUNCTION, hooks->take_body);
	set(CURLOPT_WRITEDATA, hooks->arg);
}

/* The handle. */

void easy_start(struct easy *in, const struct easy_rules *rules, const struct easy_hooks *hooks)
{
	in->handle = curl_easy_init();
	if (!in->handle)
		abort();
	set_rules(in, rules);
	set_request(in);
	set_hooks(in, hooks);
}

void easy_end(struct easy *in)
{
	curl_easy_cleanup(TAKE(in->handle));
	secret_free(TAKE(in->form));
	secret_free(TAKE(in->bearer_line));
}

void easy_done(struct easy *in)
{
	easy_end(in);
	for (size_t i = 0; i < in->header_count; i++)
		free(in->headers[i]);
	free(in->headers);
	free(in->nodes);
	free(in->method);
	free(in->url);
	free(in->host);
	free(in->body);
	*in = (struct easy){ 0 };
}
