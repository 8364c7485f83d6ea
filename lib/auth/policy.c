#include "auth/policy.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* Salesforce's session timeouts are 15 minutes to 24 hours; clocks differ by a few minutes. */
#define LEAST_TIMEOUT_M 15
#define SLACK_M         5

int64_t policy_refresh_after_ms(int64_t life_ms)
{
	int64_t after_ms = life_ms / 4 * 3;

	if (life_ms > 10 * MINUTE_MS && after_ms > life_ms - 5 * MINUTE_MS)
		after_ms = life_ms - 5 * MINUTE_MS;
	return after_ms > 0 ? after_ms : 0;
}

enum policy_step policy_next_step(const struct policy_grant *in)
{
	if (!in->has_refresh_token)
		return in->good ? POLICY_USE_OLD : POLICY_NEEDS_LOGIN;
	/* Sending a superseded refresh token ends its successor, too. */
	if (in->asked == 0 || in->rotation == VAULT_ROTATION_OFF)
		return POLICY_SEND;
	if (in->good)
		return POLICY_USE_OLD;
	return in->asked == 1 ? POLICY_SEND : POLICY_ANSWER_LOST;
}

/* Trouble that a person need not mend, by its code. */
static const struct {
	const char *code;
	unsigned from; /* so many in a row */
	int64_t least_wait_ms;
} passing[] = {
	/* Trouble with the network never ends a grant, nor does a maintenance page: but one that
	 * stays is not asked for every few minutes. */
	{ "protocol", 8, 15 * MINUTE_MS },
	{ "too-large", 8, 15 * MINUTE_MS },
	{ "certificate", 1, 15 * MINUTE_MS },
};

struct policy_verdict policy_after_failure(const struct error *err, unsigned in_a_row)
{
	/* An OAuth error that no table of ours has: it may pass, but not many do. */
	if (strcmp(err->code, "unknown-error") == 0)
		return (struct policy_verdict){ .park = in_a_row >= 3, .least_wait_ms = MINUTE_MS };
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

/* What is wrong with a login. `only`: asking again would be in vain, or would do harm. */
static const struct {
	const char *code;
	bool only;
} of_logins[] = {
	{ "invalid_grant", true },   { "needs-login", true },   { "stale-token", true },
	{ "answer-lost", true },     { "tampered", false },     { "other-org", false },
	{ "inactive_user", false },  { "inactive_org", false }, { "user_locked", false },
	{ "ip_restricted", false },  { "not_approved", false }, { "wrong_host", false },
	{ "wrong_audience", false },
};

bool policy_login_mends(const char *code)
{
	for (size_t i = 0; i < sizeof(of_logins) / sizeof(of_logins[0]); i++)
		if (strcmp(of_logins[i].code, code) == 0)
			return true;
	return false;
}

bool policy_only_login_mends(const char *code)
{
	for (size_t i = 0; i < sizeof(of_logins) / sizeof(of_logins[0]); i++)
		if (strcmp(of_logins[i].code, code) == 0)
			return of_logins[i].only;
	return false;
}

/* Learned that long ago; a clock that was set back a little does not matter. */
static bool is_remembered(const struct vault_account *account, int64_t now_ms)
{
	int64_t age_ms = now_ms - account->learned_ms;

	return account->learned_life_s > 0 && age_ms > -DAY_MS && age_ms < 7 * DAY_MS;
}

struct policy_life policy_life(int64_t ceiling_s, const struct vault_account *account,
			       int64_t now_ms)
{
	if (is_remembered(account, now_ms) && account->learned_life_s < ceiling_s)
		return (struct policy_life){ account->learned_life_s, VAULT_EXPIRY_LEARNED };
	return (struct policy_life){ ceiling_s, VAULT_EXPIRY_ASSUMED };
}

int64_t policy_lesson_s(int64_t ceiling_s, const struct vault_account *account, int64_t unused_ms,
			int64_t now_ms)
{
	static const int64_t timeouts_m[] = { 24 * 60, 12 * 60, 8 * 60, 4 * 60,
					      2 * 60,  60,      30,     LEAST_TIMEOUT_M };
	int64_t life_s = policy_life(ceiling_s, account, now_ms).life_s;

	if (unused_ms < LEAST_TIMEOUT_M * MINUTE_MS || unused_ms >= life_s * 1000)
		return 0;
	/* A step a day: one bad day must not make it a quarter of an hour for a week. */
	if (is_remembered(account, now_ms) && now_ms - account->learned_ms < DAY_MS)
		return 0;
	for (size_t i = 0; i < sizeof(timeouts_m) / sizeof(timeouts_m[0]); i++)
		if (timeouts_m[i] * 60 < life_s)
			return timeouts_m[i] * 60;
	return 0;
}

bool policy_is_life(int64_t life_ms)
{
	return life_ms >= (LEAST_TIMEOUT_M - SLACK_M) * MINUTE_MS &&
	       life_ms <= DAY_MS + SLACK_M * MINUTE_MS;
}

static bool proved_refused(struct policy_refusals *in, int64_t now_ms)
{
	int64_t oldest_ms;

	in->proved_ms[in->proved++ % POLICY_MOST_PROVED_REFUSALS] = now_ms;
	oldest_ms = in->proved_ms[in->proved % POLICY_MOST_PROVED_REFUSALS];
	return in->proved >= POLICY_MOST_PROVED_REFUSALS && now_ms - oldest_ms < HOUR_MS;
}

bool policy_refused(struct policy_refusals *in, bool proved, int64_t age_ms, int64_t now_ms)
{
	if (age_ms >= 10 * MINUTE_MS) {
		*in = (struct policy_refusals){ 0 };
		return false;
	}
	if (proved)
		return proved_refused(in, now_ms);
	return ++in->unproved >= POLICY_MOST_REFUSALS;
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
