/* sf_quote.h - what a server said, as far as it may be shown.
 *
 * An error may echo what was sent, and with it the Authorization header: whatever is longer than a
 * word is left out. An access token has over 100 characters. */
#pragma once

#define SF_QUOTE_SIZE 201

/* `text` with every run of more than 40 characters without a blank as "…", and cut after 200 bytes.
 * Answers `out`. */
const char *sf_quote(const char *text, char out[SF_QUOTE_SIZE]);
