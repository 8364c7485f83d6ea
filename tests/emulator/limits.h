/* limits.h - API calls of the rolling 24 hours. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

void limits_set_max(int64_t max);
int64_t limits_max(void);
int64_t limits_used(void);
void limits_set_used(int64_t used);

/* Counts a call; false, counting nothing, if the budget is spent. */
bool limits_take(void);
