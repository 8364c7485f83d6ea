/* utc.h - points in time: int64 milliseconds since 1970-01-01T00:00:00Z, before it negative.
 *
 * Proleptic Gregorian, years 1700 to 4000 as Salesforce has them; no leap seconds, no local time.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTC_TEXT_SIZE 32

/* ISO 8601 with an offset: "2026-01-02T03:04:05.000+0000", "...Z", "...+00:00". Needs all of `len`.
 */
bool utc_parse(const char *text, size_t len, int64_t *ret_ms);

/* IMF-fixdate of RFC 9110 section 5.6.7: "Fri, 02 Jan 2026 03:04:05 GMT". */
bool utc_parse_http(const char *text, int64_t *ret_ms);

/* "2026-01-02": true if the day exists. */
bool utc_is_date(const char *text, size_t len);

/* "2026-01-02T03:04:05Z"; milliseconds are cut off. */
void utc_format(int64_t ms, char out[UTC_TEXT_SIZE]);

/* "2026-01-02T03:04:05.678Z". */
void utc_format_ms(int64_t ms, char out[UTC_TEXT_SIZE]);

/* The real clock. What must be movable by a test asks loop_now_ms() instead. */
int64_t utc_now_ms(void);
