/* condition.h - what a record is about to be: the "when" of validation rules and flows. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "values.h"

struct json_object;
struct sobject;
struct text;

enum condition_kind {
	CONDITION_ALWAYS,
	CONDITION_EQUALS,
	CONDITION_DIFFERS,
	CONDITION_BLANK,
	CONDITION_GIVEN,  /* the field is in the request */
	CONDITION_CHANGED /* the field gets another value than it had */
};

struct condition {
	enum condition_kind kind;
	struct values wanted; /* one value of the field, unless always */
	bool negated;
};

/* Reads {"field":"Title","equals":"x"}, or with differs, blank, given, changed; none of these is
 * always. False with a reason if it is no condition. */
bool condition_read(const struct sobject *of, struct json_object *from, struct condition *out,
		    const char **why);
void condition_free(struct condition *in);

/* Of a record about to be saved with `values`; `row` is 0 for a new one. */
bool condition_holds(const struct condition *in, const struct sobject *of, int64_t row,
		     const struct values *values);
