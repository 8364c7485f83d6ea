/* validation.h - validation rules an administrator may have set up:
 * FIELD_CUSTOM_VALIDATION_EXCEPTION for a record that would be as the rule's condition says. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct json_object;
struct problems;
struct sobject;
struct text;
struct values;

/* A rule as the admin API describes it; false with a reason if it is none. */
bool validation_add(struct json_object *from, const char **why);
void validation_clear(void);
void validation_write(struct text *out);

/* Every rule that is broken is told. `row` is 0 for a new record. */
bool validation_allows(const struct sobject *of, int64_t row, const struct values *values,
		       struct problems *err);
