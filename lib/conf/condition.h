/* condition.h - the one SOQL condition of a job's `where`. */
#pragma once
#include <stdbool.h>

struct error;

/* It is put between parentheses into a longer query, and must not reach out of them: quotes and
 * parentheses are balanced, and no other clause stands in it. */
bool conf_condition_check(const char *text, struct error *err);
