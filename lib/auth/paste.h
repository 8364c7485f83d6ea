/* paste.h - what a person copies from a browser's address bar, and what they copy by mistake. Pure.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct error;

/* What a pasted text is measured by. */
struct paste_login {
	const char *redirect_uri;
	const char *authorize_url;
};

/* Finds what stands behind the '?' of the redirect_uri in `text`, into which *ret_query points.
 * Blanks around it are cut, and a fragment, which no server would have been sent either. Else
 * ERROR_HUMAN code not-the-answer; nothing of the text is quoted. */
bool paste_find_query(const struct paste_login *login, const char *text, size_t len,
		      const char **ret_query, size_t *ret_len, struct error *err);
