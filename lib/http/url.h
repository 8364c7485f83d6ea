/* url.h - which URLs may be spoken to. Parsed by curl's own parser, so that what is checked is what
 * is used. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct error;

/* Who is admitted besides *.salesforce.com and *.my.salesforce.com (matched on label boundaries).
 */
struct url_policy {
	const char *const *allow_hosts; /* HOST or HOST:PORT, borrowed */
	size_t allow_count;
	bool loopback_test; /* plain http to 127.0.0.1 or [::1], any port */
};

/* "https://host[:port]" of `url`, checked: https (or what the policy adds), no user, query,
 * fragment or path beyond
 * "/", no IP literal unless allowed, no non-ASCII, no trailing dot. `what` names the key or answer
 * in the error. free() the result. */
char *url_base(const char *url, const struct url_policy *policy, const char *what,
	       struct error *err);

/* A path a server gave us for its own host ("/services/data/v66.0/query/01g...-2000"): must start
 * with "/services/data/v", hold no "//", "..", control byte, or scheme. */
bool url_is_server_path(const char *path);

/* Percent-encoded for a query or form value; free() it. */
char *url_encode(const char *text, size_t len);
