#include "base/utc.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MS_A_SECOND ((int64_t)1000)
#define MS_A_MINUTE (60 * MS_A_SECOND)

static bool read_digits(const char *text, size_t count, int *ret)
{
	int value = 0;

	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*ret = value;
	return true;
}

/* timegm() normalises what does not exist (31 June becomes 1 July): seen by comparing. */
static bool to_ms(const struct tm *parts, int64_t *ret_ms)
{
	struct tm copy = *parts;
	time_t seconds = timegm(&copy);

	if (copy.tm_year != parts->tm_year || copy.tm_mon != parts->tm_mon ||
	    copy.tm_mday != parts->tm_mday || copy.tm_hour != parts->tm_hour ||
	    copy.tm_min != parts->tm_min || copy.tm_sec != parts->tm_sec)
		return false;
	*ret_ms = (int64_t)seconds * MS_A_SECOND;
	return true;
}

static bool read_date(const char *text, struct tm *parts)
{
	int year, month, day;

	if (!read_digits(text, 4, &year) || text[4] != '-' || !read_digits(text + 5, 2, &month) ||
	    text[7] != '-' || !read_digits(text + 8, 2, &day))
		return false;
	if (year < 1700 || year > 4000)
		return false;
	*parts = (struct tm){ .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
	return true;
}

bool utc_is_date(const char *text, size_t len)
{
	struct tm parts;
	int64_t ms;

	return len == 10 && read_date(text, &parts) && to_ms(&parts, &ms);
}

/* "Z", "+0000", "+00:00", "-0530" -> minutes east of UTC. */
static bool read_offset(const char *text, size_t len, int *ret_minutes)
{
	int hours, minutes;

	if (len == 1 && *text == 'Z') {
		*ret_minutes = 0;
		return true;
	}
	if ((len != 5 && len != 6) || (*text != '+' && *text != '-') ||
	    !read_digits(text + 1, 2, &hours) || (len == 6 && text[3] != ':') ||
	    !read_digits(text + len - 2, 2, &minutes) || hours > 14 || minutes > 59)
		return false;
	*ret_minutes = (hours * 60 + minutes) * (*text == '-' ? -1 : 1);
	return true;
}

bool utc_parse(const char *text, size_t len, int64_t *ret_ms)
{
	struct tm parts;
	int64_t ms;
	int fraction = 0, offset;
	size_t at = 19;

	if (len < 20 || !read_date(text, &parts) || text[10] != 'T' ||
	    !read_digits(text + 11, 2, &parts.tm_hour) || text[13] != ':' ||
	    !read_digits(text + 14, 2, &parts.tm_min) || text[16] != ':' ||
	    !read_digits(text + 17, 2, &parts.tm_sec))
		return false;
	if (text[at] == '.') {
		int scale = 100;

		for (at++; at < len && text[at] >= '0' && text[at] <= '9'; at++, scale /= 10)
			fraction += (text[at] - '0') * scale;
		if (text[at - 1] == '.' || at == len)
			return false;
	}
	if (!read_offset(text + at, len - at, &offset) || !to_ms(&parts, &ms))
		return false;
	*ret_ms = ms + fraction - offset * MS_A_MINUTE;
	return true;
}

bool utc_parse_http(const char *text, int64_t *ret_ms)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm parts = { 0 };
	const char *month;
	int year;

	if (strlen(text) != 29 || text[3] != ',' || text[16] != ' ' || text[19] != ':' ||
	    text[22] != ':' || strcmp(text + 25, " GMT") != 0)
		return false;
	for (month = months; *month && strncmp(month, text + 8, 3) != 0; month += 3)
		;
	if (!*month || !read_digits(text + 5, 2, &parts.tm_mday) ||
	    !read_digits(text + 12, 4, &year) || !read_digits(text + 17, 2, &parts.tm_hour) ||
	    !read_digits(text + 20, 2, &parts.tm_min) || !read_digits(text + 23, 2, &parts.tm_sec))
		return false;
	parts.tm_mon = (int)(month - months) / 3;
	parts.tm_year = year - 1900;
	return to_ms(&parts, ret_ms);
}

static struct tm parts_of(int64_t ms, int *ret_fraction)
{
	int64_t seconds = ms / MS_A_SECOND;
	struct tm parts;

	*ret_fraction = (int)(ms % MS_A_SECOND);
	if (*ret_fraction < 0) {
		*ret_fraction += (int)MS_A_SECOND;
		seconds--;
	}
	gmtime_r(&(time_t){ seconds }, &parts);
	return parts;
}

void utc_format(int64_t ms, char out[UTC_TEXT_SIZE])
{
	int fraction;
	struct tm parts = parts_of(ms, &fraction);

	strftime(out, UTC_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void utc_format_ms(int64_t ms, char out[UTC_TEXT_SIZE])
{
	char text[UTC_TEXT_SIZE];
	int fraction;
	struct tm parts = parts_of(ms, &fraction);

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(out, UTC_TEXT_SIZE, "%.*s.%03dZ", 20, text, fraction);
}

int64_t utc_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * MS_A_SECOND + now.tv_nsec / 1000000;
}
