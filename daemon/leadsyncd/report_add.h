/* report_add.h - members of what is told, in the one form that each kind has; for report.c and
 * report_ledger.c alone. */
#pragma once
#include <stdint.h>

struct json_object;

void report_add_text(struct json_object *to, const char *name, const char *text); /* NULL: null */
void report_add_int(struct json_object *to, const char *name, int64_t value);

/* Points in time are ISO text, UTC; 0 stands for none: null. */
void report_add_time(struct json_object *to, const char *name, int64_t ms);
