/* denial.h - saves and deletes that the org refuses because a test said so: a locked row, a full
 * storage, whatever no data can bring about. */
#pragma once
#include <stdbool.h>

struct json_object;
struct problems;
struct sobject;
struct text;
struct values;

enum denial_of { DENIAL_CREATE, DENIAL_UPDATE, DENIAL_DELETE };

/* A denial as the admin API describes it; false with a reason if it is none. */
bool denial_add(struct json_object *from, const char **why);
void denial_clear(void);
void denial_write(struct text *out);

/* `id` is NULL for a new record, `values` for a delete. The first denial that meets is told. */
bool denial_allows(enum denial_of what, const struct sobject *of, const char *id,
		   const struct values *values, struct problems *err);
