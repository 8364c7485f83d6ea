/* sf_record.h - one record of an answer: read by the book, or fast where that is safe. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct error;
struct json_object;
struct record;
struct sf_node;

/* By the book: from json-c's tree of one record. A value that is not of its type ends up in
 * record->reject. False: ERROR_RETRY code protocol. */
bool sf_record_read(const struct sf_node *root, struct json_object *object, struct arena *arena,
		    struct record *record, struct error *err);

/* Straight from the bytes, without a tree: one record that begins at `bytes` and ends before `end`.
 * Takes only what is beyond doubt and good, and answers with the first byte behind it. NULL says
 * nothing but that json-c must judge (or that the record is not whole), and leaves the record to be
 * filled anew. */
const char *sf_record_scan(const struct sf_node *root, const char *bytes, const char *end,
			   struct arena *arena, struct record *record);
