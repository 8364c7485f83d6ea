/* sf_error.h - what an answer of the REST API that is no success means, and what to do about it.
 *
 * Decided by status and error code; by text only where the code alone does not tell: two refusals
 * of a session that a new token does not cure, and which allowance is spent. `code` of the error is
 * the server's own where it named one, else one of ours:
 *
 *   host-moved      the host does not serve this org any more: take a new token for the new host
 *   not-json        a login or maintenance page
 *   server-trouble  a 5xx that says nothing more
 *   http-NNN        another status that says nothing more */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct http_response;

/* Of the REST API: a JSON array of errors, one object, HTML, or nothing. Answers false. */
bool sf_error_rest(const struct http_response *response, struct error *err);

/* One error code of the same table, as a record of a batch has it. False: the table does not know
 * it, and `err` is as it was. */
bool sf_error_code(const char *code, const char *message, struct error *err);
