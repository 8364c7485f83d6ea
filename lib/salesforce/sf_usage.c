#include "salesforce/sf_usage.h"

#include <stdio.h>
#include <string.h>

#include "salesforce/salesforce.h"

bool sf_usage_parse(const char *limit_info, struct sf_usage *ret)
{
	static const char name[] = "api-usage=";
	const char *at = limit_info;
	long used, most;

	/* "per-app-api-usage=17/250" is another number. */
	while ((at = strstr(at, name)) && at > limit_info && at[-1] != ' ' && at[-1] != ';' &&
	       at[-1] != ',')
		at += sizeof(name) - 1;
	if (!at || sscanf(at + sizeof(name) - 1, "%9ld/%9ld", &used, &most) != 2 || used < 0 ||
	    most <= 0)
		return false;
	*ret = (struct sf_usage){ used, most };
	return true;
}
