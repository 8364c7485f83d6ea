/* sf_plan.h - which member of a record's JSON is what: the fields that were asked for, as a tree,
 * and how one JSON value becomes one value of a record. For sf_page.c and its two readers. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "record/value.h"

struct arena;
struct error;
struct mapping;
struct mapping_field;
struct record;
struct sf_shape;

/* What a field is to us, several things perhaps; and it may be mapped besides. */
enum sf_role {
	SF_ROLE_ID = 1,
	SF_ROLE_STAMP = 2,
	SF_ROLE_DELETED = 4,
	SF_ROLE_MASTER = 8,
	SF_ROLE_MODIFIED = 16,
	SF_ROLE_MODIFIER = 32,
	SF_ROLE_KEY = 64,
};

/* "Owner.Email" is a node Owner with a node Email below. Children are in the order of the query, in
 * which the answer's members usually come. */
struct sf_node {
	char *key;
	size_t key_len;
	unsigned roles;                    /* of enum sf_role */
	const struct mapping_field *field; /* NULL if not mapped, or a relationship */
	size_t value;                      /* index of the field's value in the record */
	enum value_type key_type;          /* SF_ROLE_KEY */
	int key_scale;
	const char *user_id; /* SF_ROLE_MODIFIER: ours; borrowed */
	struct sf_node *children;
	size_t count;
};

/* The root. The mapping must live as long, and the shape's user_id. */
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
 * field is not what it must be, ERROR_RECORD code bad-value if the key or a mapped one is not of
 * its type. */
bool sf_plan_take(const struct sf_node *node, const struct sf_scalar *scalar, struct arena *arena,
		  struct record *record, struct error *err);

/* What people call the field. */
const char *sf_plan_name(const struct sf_node *node);

/* All below a relationship that is null is null. */
void sf_plan_take_nothing(const struct sf_node *node, struct record *record);
