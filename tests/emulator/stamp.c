/* stamp.c */
#include "stamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char day_names[] = "ThuFriSatSunMonTueWed";

int64_t stamp_day(int year, int month, int day)
{
	int64_t y = month <= 2 ? (int64_t)year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

void stamp_civil(int64_t day, int *year, int *month, int *day_of_month)
{
	int64_t z = day + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day_of_month = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

int64_t stamp_floor_day(int64_t at_s)
{
	int64_t day = at_s / STAMP_DAY_S;

	return at_s % STAMP_DAY_S < 0 ? day - 1 : day;
}

bool stamp_is_in_range(int64_t at_s)
{
	return at_s >= stamp_day(1700, 1, 1) * STAMP_DAY_S &&
	       at_s < stamp_day(4001, 1, 1) * STAMP_DAY_S;
}

static bool digits(const char *from, size_t count, int *out)
{
	int got = 0;

	for (size_t i = 0; i < count; i++) {
		if (from[i] < '0' || from[i] > '9')
			return false;
		got = got * 10 + (from[i] - '0');
	}
	*out = got;
	return true;
}

bool stamp_parse_day(const char *from, size_t length, int64_t *day)
{
	int year, month, mday, last;

	if (length != 10 || from[4] != '-' || from[7] != '-' || !digits(from, 4, &year) ||
	    !digits(from + 5, 2, &month) || !digits(from + 8, 2, &mday))
		return false;
	if (month < 1 || month > 12 || mday < 1)
		return false;
	last = month_days[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		last++;
	if (mday > last)
		return false;
	*day = stamp_day(year, month, mday);
	return true;
}

static bool parse_zone(const char *from, size_t length, int *zone_s)
{
	int hours, minutes;
	bool colon = length == 6 && from[3] == ':';

	if (length == 1 && (*from == 'Z' || *from == 'z')) {
		*zone_s = 0;
		return true;
	}
	if ((length != 5 && !colon) || (*from != '+' && *from != '-') ||
	    !digits(from + 1, 2, &hours) || !digits(from + (colon ? 4 : 3), 2, &minutes) ||
	    hours > 14 || minutes > 59)
		return false;
	*zone_s = (hours * 60 + minutes) * 60 * (*from == '-' ? -1 : 1);
	return true;
}

bool stamp_parse(const char *from, size_t length, int64_t *at_s)
{
	int hour, minute, second, zone_s;
	int64_t day;
	size_t at = 19;

	if (length < 20 || !stamp_parse_day(from, 10, &day) || from[10] != 'T' || from[13] != ':' ||
	    from[16] != ':' || !digits(from + 11, 2, &hour) || !digits(from + 14, 2, &minute) ||
	    !digits(from + 17, 2, &second) || hour > 23 || minute > 59 || second > 59)
		return false;
	if (from[at] == '.') {
		at++;
		if (from[at] < '0' || from[at] > '9')
			return false;
		while (at < length && from[at] >= '0' && from[at] <= '9')
			at++;
	}
	if (at >= length || !parse_zone(from + at, length - at, &zone_s))
		return false;
	*at_s = day * STAMP_DAY_S + hour * 3600 + minute * 60 + second - zone_s;
	return true;
}

static char *put(char *out, int number, int count)
{
	for (int i = count - 1; i >= 0; i--) {
		out[i] = (char)('0' + number % 10);
		number /= 10;
	}
	return out + count;
}

void stamp_format_day(int64_t day, char out[11])
{
	int year, month, mday;

	stamp_civil(day, &year, &month, &mday);
	out = put(out, year, 4);
	*out++ = '-';
	out = put(out, month, 2);
	*out++ = '-';
	out = put(out, mday, 2);
	*out = '\0';
}

void stamp_format(int64_t at_s, char out[29])
{
	int64_t day = stamp_floor_day(at_s);
	int left = (int)(at_s - day * STAMP_DAY_S);

	stamp_format_day(day, out);
	out[10] = 'T';
	out = put(out + 11, left / 3600, 2);
	*out++ = ':';
	out = put(out, left / 60 % 60, 2);
	*out++ = ':';
	out = put(out, left % 60, 2);
	memcpy(out, ".000+0000", 10);
}

void stamp_format_http(int64_t at_s, char out[30])
{
	int64_t day = stamp_floor_day(at_s);
	int left = (int)(at_s - day * STAMP_DAY_S);
	int year, month, mday;

	stamp_civil(day, &year, &month, &mday);
	memcpy(out, day_names + ((day % 7 + 7) % 7) * 3, 3);
	memcpy(out + 3, ", ", 2);
	put(out + 5, mday, 2);
	out[7] = ' ';
	memcpy(out + 8, month_names + (month - 1) * 3, 3);
	out[11] = ' ';
	put(out + 12, year, 4);
	out[16] = ' ';
	put(out + 17, left / 3600, 2);
	out[19] = ':';
	put(out + 20, left / 60 % 60, 2);
	out[22] = ':';
	put(out + 23, left % 60, 2);
	memcpy(out + 25, " GMT", 5);
}

bool stamp_parse_http(const char *from, int64_t *at_s)
{
	struct tm parts = { 0 };
	const char *end = strptime(from, "%a, %d %b %Y %H:%M:%S", &parts);

	if (!end || strcmp(end, " GMT") != 0)
		return false;
	*at_s = stamp_day(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday) * STAMP_DAY_S +
		parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
	return true;
}
