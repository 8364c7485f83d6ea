/* soql_dates.c - relative dates: TODAY, LAST_WEEK, LAST_N_DAYS:3 and their kin, in UTC. */
#include "soql.h"

#include <stdlib.h>
#include <string.h>

#include "stamp.h"

enum unit { DAY, WEEK, MONTH, QUARTER, YEAR };

static int64_t first_of(enum unit unit, int64_t day, int64_t step)
{
	int year, month, mday;
	int64_t months;

	stamp_civil(day, &year, &month, &mday);
	months = (int64_t)year * 12 + month - 1;
	switch (unit) {
	case DAY: return day + step;
	case WEEK: return day - ((day + 4) % 7 + 7) % 7 + step * 7; /* from Sunday, as in en_US */
	case MONTH: months += step; break;
	case QUARTER: months = (months / 3 + step) * 3; break;
	case YEAR: months = ((int64_t)year + step) * 12; break;
	}
	return stamp_day((int)(months / 12), (int)(months % 12) + 1, 1);
}

static bool plain(const struct soql_value *value, int64_t today, int64_t *start, int64_t *end)
{
	static const struct {
		const char *name;
		enum unit unit;
		int step;
	} known[] = {
		{ "TODAY", DAY, 0 },
		{ "YESTERDAY", DAY, -1 },
		{ "TOMORROW", DAY, 1 },
		{ "THIS_WEEK", WEEK, 0 },
		{ "LAST_WEEK", WEEK, -1 },
		{ "NEXT_WEEK", WEEK, 1 },
		{ "THIS_MONTH", MONTH, 0 },
		{ "LAST_MONTH", MONTH, -1 },
		{ "NEXT_MONTH", MONTH, 1 },
		{ "THIS_QUARTER", QUARTER, 0 },
		{ "LAST_QUARTER", QUARTER, -1 },
		{ "NEXT_QUARTER", QUARTER, 1 },
		{ "THIS_YEAR", YEAR, 0 },
		{ "LAST_YEAR", YEAR, -1 },
		{ "NEXT_YEAR", YEAR, 1 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (soql_is(value->text, known[i].name)) {
			*start = first_of(known[i].unit, today, known[i].step);
			*end = first_of(known[i].unit, today, known[i].step + 1);
			return true;
		}
	}
	if (soql_is(value->text, "LAST_90_DAYS")) {
		*start = today - 90;
		*end = today + 1;
		return true;
	}
	if (soql_is(value->text, "NEXT_90_DAYS")) {
		*start = today + 1;
		*end = today + 91;
		return true;
	}
	return false;
}

bool soql_relative_days(const struct soql_value *value, int64_t today, int64_t *start, int64_t *end)
{
	static const struct {
		const char *name;
		enum unit unit;
	} known[] = { { "DAYS", DAY },
		      { "WEEKS", WEEK },
		      { "MONTHS", MONTH },
		      { "QUARTERS", QUARTER },
		      { "YEARS", YEAR } };
	struct soql_slice rest = value->text;
	bool last = rest.length > 7 && soql_is((struct soql_slice){ rest.at, 7 }, "LAST_N_");
	bool next = rest.length > 7 && soql_is((struct soql_slice){ rest.at, 7 }, "NEXT_N_");
	int64_t count;

	if (!value->count.at)
		return plain(value, today, start, end);
	count = atoll(value->count.at);
	if ((!last && !next) || count < 1 || count > 10000)
		return false;
	rest.at += 7;
	rest.length -= 7;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!soql_is(rest, known[i].name))
			continue;
		*start = first_of(known[i].unit, today, last ? -count : 1);
		*end = first_of(known[i].unit, today, last ? 0 : count + 1);
		if (last && known[i].unit == DAY)
			*end = today + 1; /* includes today */
		return true;
	}
	return false;
}
