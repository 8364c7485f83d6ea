/* sf_plan.h - which member of a record's JSON is what: the fields that were asked for, as a tree,
 * and how one JSON value becomes one value of a record. For sf_page.c and its two readers. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct arena;
struct error;
struct mapping;
struct mapping_field;
struct record;
struct sf_shape;

/* One field may be both a system field and mapped. */
enum sf_role { SF_ROLE_NONE, SF_ROLE_ID, SF_ROLE_STAMP, SF_ROLE_DELETED, SF_ROLE_MASTER };

/* "Owner.Email" is a node Owner with a node Email below. Children are in the order of the query, in
 * which the answer's members usually come. */
struct sf_node {
	char *key;
	size_t key_len;
	enum sf_role role;
	const struct mapping_field *field; /* NULL if only a system field or a relationship */
	size_t value;                      /* index of the field's value in the record */
	struct sf_node *children;
	size_t count;
};

/* The root. The mapping must live as long. */
struct sf_node *sf_plan_new(const struct mapping *mapping, const struct sf_shape *shape);
void sf_plan_free(struct sf_node *root);
CLEANUP_DEFINE(struct sf_node, sf_plan_free)

/* NULL if it was not asked for. `expected` is where to look first. */
const struct sf_node *sf_plan_find(const struct sf_node *in, size_t expected, const char *key,
				   size_t key_len);

enum sf_json { SF_JSON_NULL, SF_JSON_STRING, SF_JSON_NUMBER, SF_JSON_BOOLEAN, SF_JSON_OTHER };

/* A scalar as JSON has it, escapes undone; a boolean is "0" or "1". The text is only lent. */
struct sf_scalar {
	enum sf_json kind;
	const char *text;
	size_t len;
};

/* Puts it into the record as its node says: false with `err` ERROR_RETRY code protocol if a system
 * field is not what it must be, ERROR_RECORD code bad-value if a mapped one is not of its type. */
bool sf_plan_take(const struct sf_node *node, const struct sf_scalar *scalar, struct arena *arena,
		  struct record *record, struct error *err);

/* All below a relationship that is null is null. */
void sf_plan_take_nothing(const struct sf_node *node, struct record *record);
