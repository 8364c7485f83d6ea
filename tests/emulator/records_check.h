/* records_check.h - what a save has to do with other rows: references and unique values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct problems;
struct sobject;
struct values;

/* Ids of 15 characters become such of 18. */
bool records_check_references(struct values *in, struct problems *err);
bool records_check_unique(const struct sobject *of, int64_t row, const struct values *in,
			  struct problems *err);
