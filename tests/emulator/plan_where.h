/* plan_where.h - for plan.c: names of a query looked up, and its conditions written as SQL. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field;
struct problem;
struct sobject;
struct soql;
struct soql_node;
struct sqlite3_stmt;
struct text;

#define PLAN_LEVELS 5

/* The parent rows a query touches; SQL alias t<number>, the object itself being t0. */
struct plan_join {
	int parent, number;
	const struct field *field; /* of the parent: the reference */
	const struct sobject *to;
	const char *name; /* relationshipName */
};

struct plan_joins {
	const struct sobject *from;
	struct plan_join *list; /* owned */
	size_t count;
};

struct plan_name {
	const struct field *field;
	const struct sobject *owner;
	int join;
	size_t skipped;            /* of the text: the object's own name or alias in front */
	size_t chain[PLAN_LEVELS]; /* the joins passed, as places in plan_joins */
};

struct soql_slice;

/* The values of a condition, in the order of its question marks. */
struct plan_values {
	struct plan_value *list; /* owned */
	size_t count;
};

bool plan_find(struct plan_joins *joins, const struct soql *query, struct soql_slice path,
	       struct plan_name *out, struct problem *err);
bool plan_where(struct plan_joins *joins, const struct soql *query, const struct soql_node *node,
		struct text *sql, struct plan_values *values, struct problem *err);
bool plan_bind(const struct plan_values *values, struct sqlite3_stmt *into);
void plan_values_free(struct plan_values *in);
