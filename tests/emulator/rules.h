/* rules.h - what an administrator may have set up: a duplicate rule, an assignment rule.
 *
 * Both are off to begin with. The duplicate rule is on equal Email within an object: an alert,
 * which Sforce-Duplicate-Rule-Header may let pass, or a block. The assignment rule gives a lead to
 * a salesperson unless Sforce-Auto-Assign is FALSE. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct problems;
struct saver;
struct sobject;
struct values;

enum rules_duplicates { RULES_DUPLICATES_OFF, RULES_DUPLICATES_ALERT, RULES_DUPLICATES_BLOCK };

void rules_set(enum rules_duplicates duplicates, bool assignment);

/* The last check of a save; `row` is 0 for a new record. */
bool rules_allow(const struct sobject *of, int64_t row, const struct values *values,
		 const struct saver *saver, struct problems *err);

/* After a save. */
void rules_assign(const struct sobject *of, int64_t row, const struct saver *saver);
