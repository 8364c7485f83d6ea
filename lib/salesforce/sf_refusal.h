/* sf_refusal.h - what an answer of an OAuth endpoint that is no 200 means, and what to do about it.
 *
 * Decided by status and `error`; by `error_description` only where `error` does not tell, which is
 * mostly with invalid_grant. A refusal is believed of a 4xx only, and only if we know it: nothing
 * else may end a grant. No word of the description is quoted, since it may echo what was sent.
 * `code` is Salesforce's `error` where we know it, else one of ours:
 *
 *   inactive_user, inactive_org, user_locked, ip_restricted, not_approved, wrong_audience,
 *   wrong_host, no_run_as_user, wrong_clock
 *                   an invalid_grant that does not mean that the login is over: the same grant may
 *                   be good again when that is mended
 *   unknown-error   a refusal that is not in the table: ERROR_RETRY
 *   http-NNN        403 without a word of Salesforce (a firewall, a proxy), 408, 425, 429
 *   server-trouble  a 5xx
 *   protocol        anything else */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "salesforce/sf_ask.h"

struct error;
struct http_response;

/* ERROR_RETRY, or ERROR_HUMAN with the remedy. `now_ms` is held against the answer's Date, where a
 * wrong clock may be why. Answers false. */
bool sf_refusal(const struct http_response *response, enum sf_ask ask, int64_t now_ms,
		struct error *err);
