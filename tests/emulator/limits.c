/* limits.c */
#include "limits.h"

#include <string.h>

#include "clock.h"

#define HOURS 24

static int64_t calls_max = 15000;
static int64_t calls[HOURS];
static int64_t hour_of[HOURS]; /* which hour a slot counts */

static int64_t *slot(void)
{
	int64_t hour = clock_now_s() / 3600;
	int at = (int)(hour % HOURS);

	if (hour_of[at] != hour) {
		hour_of[at] = hour;
		calls[at] = 0;
	}
	return &calls[at];
}

void limits_set_max(int64_t max)
{
	calls_max = max;
}

int64_t limits_max(void)
{
	return calls_max;
}

int64_t limits_used(void)
{
	int64_t hour = clock_now_s() / 3600, out = 0;

	for (int i = 0; i < HOURS; i++)
		if (hour_of[i] > hour - HOURS && hour_of[i] <= hour)
			out += calls[i];
	return out;
}

void limits_set_used(int64_t used)
{
	memset(calls, 0, sizeof(calls));
	*slot() = used;
}

bool limits_take(void)
{
	if (limits_used() >= calls_max)
		return false;
	(*slot())++;
	return true;
}
