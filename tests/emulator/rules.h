/* rules.h - what an administrator may have set up: a duplicate rule, an assignment rule.
 *
 * Both are off to begin with. The duplicate rule is an alert on equal Email within an object, which
 * Sforce-Duplicate-Rule-Header may let pass. The assignment rule gives a lead to a salesperson
 * unless Sforce-Auto-Assign is FALSE. */
#pragma once
#include <stdbool.h>

struct call;
struct json_object;
struct sobject;

void rules_set(bool duplicates, bool assignment);

/* False if the save must not be, and then the call has ended. `id` is NULL for a new record. */
bool rules_allow(struct call *call, const struct sobject *of, const char *id,
		 struct json_object *fields);

/* After a save. */
void rules_assign(const struct call *call, const struct sobject *of, const char *id);
