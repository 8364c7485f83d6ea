/* sf_usage.h - how many API calls the org has used, as a header of every answer says. */
#pragma once
#include <stdbool.h>

struct sf_usage;

/* "api-usage=18/15000" among what Sforce-Limit-Info says. False: it says nothing of it. */
bool sf_usage_parse(const char *limit_info, struct sf_usage *ret);
