/* clock.c */
#include "clock.h"

#include <time.h>

static int64_t offset_ms_now;
static int64_t pretended_ms; /* 0: not */

int64_t clock_now_ms(void)
{
	struct timespec now;

	if (pretended_ms)
		return pretended_ms;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + offset_ms_now;
}

int64_t clock_now_s(void)
{
	return clock_now_ms() / 1000;
}

int64_t clock_offset_ms(void)
{
	return offset_ms_now;
}

void clock_set_offset_ms(int64_t offset_ms)
{
	offset_ms_now = offset_ms;
}

void clock_pretend_ms(int64_t at_ms)
{
	pretended_ms = at_ms;
}
