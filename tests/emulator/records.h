/* records.h - saving and deleting single records, with Salesforce's checks.
 *
 * Stamps come from the emulator's clock. Ids are of 18 characters. Problems are as a REST answer
 * tells them. A save is checked in this order: the flows' values taken, rights, required, formats,
 * denials, references, validation rules, uniqueness, the duplicate rule. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "saver.h"
#include "sfid.h"

struct json_object;
struct problems;
struct sobject;
struct values;

/* Of values that were read; they are changed on their way, and stay the caller's. */
bool records_insert(const struct sobject *of, struct values *values, const struct saver *saver,
		    char id[SFID_SIZE], struct problems *err);
bool records_alter(const struct sobject *of, const char *id, struct values *values,
		   const struct saver *saver, struct problems *err);

/* Of a JSON record. */
bool records_create(const struct sobject *of, struct json_object *fields, const struct saver *saver,
		    char id[SFID_SIZE], struct problems *err);
bool records_update(const struct sobject *of, const char *id, struct json_object *fields,
		    const struct saver *saver, struct problems *err);
bool records_delete(const struct sobject *of, const char *id, const struct saver *saver,
		    struct problems *err);

/* The row of a living record; 0 with a problem if it is deleted, or unknown. */
int64_t records_find(const struct sobject *of, const char *id, struct problems *err);

/* Sets SystemModstamp, and unless `system_only` LastModifiedDate and LastModifiedById. */
void records_touch(const struct sobject *of, int64_t row, const char *user, int64_t at_s,
		   bool system_only);
