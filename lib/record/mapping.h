/* mapping.h - which field of a remote object is kept in which column, resolved against the object's
 * schema.
 *
 * Rules come from the conf; `* = ->` becomes a rule for every readable field that no other rule
 * names. Immutable once resolved, so loop and worker may both read it; shared by count. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "record/field.h"
#include "record/value.h"

struct error;
struct schema;

enum mapping_direction { MAPPING_DOWN, MAPPING_UP, MAPPING_BOTH };

/* As written in the conf; strings borrowed. field "*" and column NULL: all others, each in the
 * column of its snake_case name; with BOTH those that cannot be written are DOWN. Another field and
 * column NULL: it is not mapped, by "*" neither. */
struct mapping_rule {
	const char *field;
	const char *column;
	enum mapping_direction direction;
	int line;             /* of the conf file, for messages */
	enum field_rule rule; /* of what goes both ways */
	enum field_blank blank;
};

struct mapping_field {
	char *field; /* as the provider spells it: "Email", "Owner.Email" */
	char *column;
	enum value_type type;
	int scale;
	int length;
	enum mapping_direction direction;
	bool calculated; /* or reached through a relationship: changes without moving a stamp */
	bool createable, updateable; /* by our user, at present */
	enum field_rule rule;
	enum field_blank blank;
};

struct mapping {
	struct mapping_field *fields; /* in the order of the rules, "*" last and by name */
	size_t count;
	unsigned shares;
};

/* A rule that the schema does not bear out, by itself: the others stay. ERROR_FIELD, its code
 * no-such-field, not-readable, not-writable, field-twice, column-taken or bad-column. For "*" once
 * per field that could not be taken. */
typedef void mapping_problem_fn(const struct mapping_rule *rule, const struct error *problem,
				void *arg);

/* `related` finds the schema of the object behind a relationship ("Owner" of Contact -> User) or
 * NULL if not known; may be NULL. Two rules on one column or one field twice is refused by the conf
 * already. No rule left at all: NULL, ERROR_HUMAN. */
typedef const struct schema *mapping_related_fn(const char *object, void *arg);
struct mapping *mapping_resolve(const struct mapping_rule *rules, size_t count,
				const struct schema *schema, mapping_related_fn *related,
				mapping_problem_fn *problem, void *arg, struct error *err);

struct mapping *mapping_share(struct mapping *in); /* from any one thread at a time: the count is
						      not atomic; share before handing over */
void mapping_free(struct mapping *in);             /* drops a share */
CLEANUP_DEFINE(struct mapping, mapping_free)

/* Text that is equal exactly if field, column, type, scale and whether the column is filled from
 * the field are, in any order of rules: what the ledger remembers of the mapping it was filled
 * with. One "field\tcolumn\ttype\tscale\tdown\n" per field, or "up" for one that only goes up,
 * sorted. free() it. */
char *mapping_print(const struct mapping *in);

/* Has `now` a line that `then` has not? Then records must be read again to fill it. */
bool mapping_has_new(const char *then, const char *now);
