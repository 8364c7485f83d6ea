/* stamp.h - instants and days, as text and as numbers.
 *
 * An instant is UTC seconds since 1970; Salesforce keeps no finer ones. A day is days since 1970.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMP_DAY_S 86400

/* Valid range of Salesforce: 1700-01-01 to 4000-12-31. */
bool stamp_is_in_range(int64_t at_s);

int64_t stamp_day(int year, int month, int day);
void stamp_civil(int64_t day, int *year, int *month, int *day_of_month);
int64_t stamp_floor_day(int64_t at_s);

/* "2026-01-02"; nothing may follow. */
bool stamp_parse_day(const char *from, size_t length, int64_t *day);

/* "2026-01-02T03:04:05", an optional fraction, then Z, +01:00 or +0100. */
bool stamp_parse(const char *from, size_t length, int64_t *at_s);

/* "2026-01-02T03:04:05.000+0000" and "2026-01-02": exactly 28 and 10 characters, plus NUL. */
void stamp_format(int64_t at_s, char out[29]);
void stamp_format_day(int64_t day, char out[11]);

/* "Fri, 02 Jan 2026 03:04:05 GMT" */
bool stamp_parse_http(const char *from, int64_t *at_s);
void stamp_format_http(int64_t at_s, char out[30]);
