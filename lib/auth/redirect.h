/* redirect.h - what an authorization server lets the browser bring to the redirect_uri (RFC 6749
 * sections 4.1.2 and 4.1.2.1, RFC 9207). Pure.
 *
 * All of it may be an attacker's: whoever knows the port can send a browser there. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct error;
struct secret;

struct redirect {
	struct secret *state;
	struct secret *code; /* NULL if there is an error instead */
	char *error;         /* printable ASCII without quotes and cut, as the next; or NULL */
	char *description;   /* NULL if not said */
	char *iss;           /* NULL if not said */
};

/* `query`: what stands behind the '?'. `state` and one of `code` and `error` must be there once
 * each; `error_description` and `iss` at most once; others are nobody's. Decoded once, names too.
 * Else ERROR_HUMAN code not-the-answer. */
bool redirect_parse(const char *query, size_t len, struct redirect *ret, struct error *err);
void redirect_done(struct redirect *in);

/* Nothing is said of an issuer, or it lives where the browser was sent: another server's answer,
 * brought here by a mix-up, is none. A path in the issuer is not compared, since one server may
 * have issuers by tenant, and which is known only from its metadata. */
bool redirect_is_from(const struct redirect *in, const char *authorize_url);
