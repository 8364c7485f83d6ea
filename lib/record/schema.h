/* schema.h - what a provider's object looks like to our user: its describe, provider-neutral. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "record/value.h"

struct schema_field {
	char *name; /* "Email", or "Owner.Email" where a mapping reaches through a relationship */
	char *label;
	char *type_name; /* the provider's own word: "picklist", "currency" */
	enum value_type type;
	int length; /* characters; 0: no limit known */
	int precision;
	int scale;
	bool readable; /* can be had as one scalar value (compounds and binaries cannot) */
	bool createable;
	bool updateable;
	bool nillable;
	bool calculated; /* can change without moving a stamp */
	bool external_id;
	bool unique;
	bool filterable;
	char *relationship; /* "Owner" for OwnerId; NULL if none */
	char *reference_to; /* the object it points to, User where that is one of several; NULL if
			       none */
};

struct schema {
	char *object;
	char *label;
	char *version; /* the provider's word for this state of it: another one, another state; NULL:
			  it has none */
	struct schema_field *fields; /* by name, sorted ignoring case */
	size_t count;
	const char *stamp_field; /* what increments are read by: SystemModstamp, else
				    LastModifiedDate, else CreatedDate; NULL: cannot */
	bool has_deleted;        /* IsDeleted */
	bool has_master;         /* MasterRecordId */
	bool queryable;
	bool replicateable;
};

struct schema *schema_new(const char *object);
void schema_free(struct schema *in);
CLEANUP_DEFINE(struct schema, schema_free)

/* Takes over the strings. The pointer is good until the next add. */
struct schema_field *schema_add(struct schema *in, struct schema_field field);

/* After the last add: sorts, finds the system fields. */
void schema_finish(struct schema *in);

/* Ignores case, as Salesforce does; NULL if there is none. */
const struct schema_field *schema_find(const struct schema *in, const char *name);
