/* data.h - the records an org begins with, and awkward values for later edits.
 *
 * The same counts give the same records, whatever the day; the first records of a bigger org are
 * those of a smaller one. In every 5,000 some 2,600 and some 400 share one SystemModstamp. */
#pragma once
#include <stdint.h>

struct json_object;

/* One transaction; indexes are the caller's. */
void data_fill(int64_t contacts, int64_t leads);

/* Deterministic numbers: advances the state. */
uint64_t data_random(uint64_t *state);

/* New values for one to four fields, or all that a new record needs. Owned by the caller. */
struct json_object *data_edit(uint64_t *state, const char *object);
struct json_object *data_record(uint64_t *state, const char *object);

/* A value that fits the field; for a reference there is none, NULL. */
struct field;
struct json_object *data_value(uint64_t *state, const struct field *field);

/* A salesperson of the org, who is not the sync user. */
const char *data_salesperson(int which);
