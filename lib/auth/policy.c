#include "auth/policy.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS   (60 * MINUTE_MS)

int64_t policy_refresh_after_ms(int64_t life_ms)
{
	int64_t after_ms = life_ms / 4 * 3;

	if (life_ms > 10 * MINUTE_MS && after_ms > life_ms - 5 * MINUTE_MS)
		after_ms = life_ms - 5 * MINUTE_MS;
	return after_ms > 0 ? after_ms : 0;
}

struct policy_verdict policy_after_failure(const struct error *err, unsigned in_a_row)
{
	static const struct {
		const char *code;
		unsigned from; /* so many in a row */
		int64_t least_wait_ms;
	} passing[] = {
		/* Trouble with the network never ends a grant, nor does a maintenance page: but one
		 * that stays is not asked for every few minutes. */
		{ "protocol", 8, 15 * MINUTE_MS },
		{ "too-large", 8, 15 * MINUTE_MS },
		{ "certificate", 1, 15 * MINUTE_MS },
	};

	switch (err->kind) {
	case ERROR_RETRY:
		for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
			if (strcmp(err->code, passing[i].code) == 0 && in_a_row >= passing[i].from)
				return (struct policy_verdict){
					.least_wait_ms = passing[i].least_wait_ms,
				};
		return (struct policy_verdict){ 0 };
	case ERROR_QUOTA: return (struct policy_verdict){ .least_wait_ms = HOUR_MS };
	case ERROR_HUMAN:
	case ERROR_STATE: return (struct policy_verdict){ .park = true };
	case ERROR_LOGIN:
	case ERROR_STALE:
	case ERROR_RECORD:
	case ERROR_FIELD:
	case ERROR_BUG: break;
	}
	/* No grant should say this: tried three times more, in case it passes. */
	return (struct policy_verdict){ .park = in_a_row > 3 };
}

unsigned policy_refusals(unsigned before, int64_t age_ms)
{
	return age_ms < 10 * MINUTE_MS ? before + 1 : 0;
}

int64_t policy_budget_wait_ms(const struct policy_budget *in, int64_t now_ms)
{
	int64_t oldest_ms = in->asked_ms[in->count % POLICY_MOST_AN_HOUR];

	if (in->count < POLICY_MOST_AN_HOUR || oldest_ms + HOUR_MS <= now_ms)
		return 0;
	return oldest_ms + HOUR_MS - now_ms;
}

void policy_budget_take(struct policy_budget *in, int64_t now_ms)
{
	in->asked_ms[in->count++ % POLICY_MOST_AN_HOUR] = now_ms;
}
