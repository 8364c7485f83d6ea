/* easy.h - one request as curl has it: what is sent, and the rules of every handle. Private to
 * lib/http.
 *
 * There is no other place where a handle is made. */
#pragma once
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct http_call;
struct secret;

#define EASY_CONNECT_MS 10000

struct easy {
	char *method, *url;
	char *host;          /* for error texts; "?" if the URL has none */
	bool is_token;       /* HTTP_TOKEN: on no connection that was used before */
	bool plain_loopback; /* the URL's scheme and host: nobody but this machine can be asked */
	char *body;          /* NULL: `form`, or none */
	size_t body_len;
	struct secret *form, *bearer_line; /* open while there is a handle */
	char **headers;
	size_t header_count;
	struct curl_slist *nodes; /* an array, since curl's own list would copy the bearer */
	CURL *handle;             /* from easy_start() to easy_end() */
	char curl_text[CURL_ERROR_SIZE];
};

/* The same for all requests of a client. */
struct easy_rules {
	char *user_agent;
	char *ca_file; /* NULL: the system's */
	char *proxy;   /* "": none */
	bool allow_plain;
};

/* Curl's callbacks; `arg` is also the handle's CURLINFO_PRIVATE. */
struct easy_hooks {
	curl_prereq_callback before_sending;
	curl_write_callback take_header, take_body;
	void *arg;
};

/* Copies what is to be sent; `ret` must not move until easy_done(). */
void easy_copy(struct easy *ret, const struct http_call *call);

/* Makes the handle. `rules` must last until easy_end(). */
void easy_start(struct easy *in, const struct easy_rules *rules, const struct easy_hooks *hooks);

/* The handle is gone and the secrets with it; not within a callback. Nothing if it never began. */
void easy_end(struct easy *in);

void easy_done(struct easy *in);
