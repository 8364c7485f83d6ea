/* flow.h - before-save flows an administrator may have set up: a save over the API sets other
 * fields too, or what was given is changed on its way. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct json_object;
struct sobject;
struct text;
struct values;

/* A flow as the admin API describes it; false with a reason if it is none. */
bool flow_add(struct json_object *from, const char **why);
void flow_clear(void);
void flow_write(struct text *out);

/* In the order they were added; a later one sees what an earlier one set. */
void flow_run(const struct sobject *of, int64_t row, struct values *values);
