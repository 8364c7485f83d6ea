/* schema.h - the sObjects of the org and their fields.
 *
 * Names, types and attributes are those a real describe gave. A field may drift while the emulator
 * runs (hidden, read-only, retyped), as an administrator would do it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
	FIELD_ID,
	FIELD_REFERENCE,
	FIELD_STRING,
	FIELD_TEXTAREA,
	FIELD_PICKLIST,
	FIELD_MULTIPICKLIST,
	FIELD_PHONE,
	FIELD_URL,
	FIELD_EMAIL,
	FIELD_BOOLEAN,
	FIELD_INT,
	FIELD_DOUBLE,
	FIELD_CURRENCY,
	FIELD_PERCENT,
	FIELD_DATE,
	FIELD_DATETIME,
	FIELD_ADDRESS,
};

enum field_flag {
	FIELD_NILLABLE = 1 << 0,
	FIELD_CREATEABLE = 1 << 1,
	FIELD_UPDATEABLE = 1 << 2,
	FIELD_DEFAULTED = 1 << 3,
	FIELD_NO_FILTER = 1 << 4,
	FIELD_NO_SORT = 1 << 5,
	FIELD_ID_LOOKUP = 1 << 6,
	FIELD_EXTERNAL = 1 << 7,
	FIELD_UNIQUE = 1 << 8,
	FIELD_RESTRICTED = 1 << 9,
	FIELD_CUSTOM = 1 << 10,
	FIELD_NAME_FIELD = 1 << 11,
	FIELD_POLYMORPHIC = 1 << 12,
};

struct field {
	const char *name;
	const char *label;
	enum field_type type;
	int length;
	int precision; /* digits for int */
	int scale;
	unsigned flags;
	const char *compound;      /* the compound field it is part of, or NULL */
	const char *extra;         /* extraTypeInfo */
	const char *refers;        /* objects referred to, by comma; the last one is joined */
	const char *relationship;  /* relationshipName */
	const char *const *values; /* of a picklist, closed by NULL */
	const char *fallback;      /* value on create when none is given */
	const char *formula;       /* SQL over the same row: calculated, never stored */
	bool hidden;               /* drift: field-level security took it away */
	bool readonly;             /* drift */
};

enum sobject_flag {
	SOBJECT_WRITEABLE = 1 << 0,
	SOBJECT_DELETABLE = 1 << 1, /* has IsDeleted */
	SOBJECT_MERGEABLE = 1 << 2,
	SOBJECT_REPLICATEABLE = 1 << 3,
};

struct sobject {
	const char *name;
	const char *label;
	const char *plural;
	const char *prefix; /* the first three characters of its ids */
	struct field *fields;
	size_t count;
	unsigned flags;
};

/* Closed by an entry without name. */
struct sobject *schema_all(void);

/* Names are found whatever their case, as in SOQL. NULL if unknown; hidden fields are unknown. */
struct sobject *schema_find(const char *name, size_t length);
struct sobject *schema_by_prefix(const char *id);
struct field *schema_field(const struct sobject *of, const char *name, size_t length);

/* The field whose relationshipName this is, and the object it leads to (NULL if not in the org). */
struct field *schema_relation(const struct sobject *of, const char *name, size_t length,
			      struct sobject **to);
struct sobject *schema_referred(const struct field *field);

/* Drift. `change` is hide, show, readonly, writeable or retype (with a describe type name). Every
 * drift moves the Last-Modified of describe. */
bool schema_drift(struct sobject *in, const char *field, const char *change, const char *type);
int64_t schema_modified_s(void);

/* The type as describe names it, and its soapType. */
const char *schema_type_name(enum field_type type);
const char *schema_soap_type(enum field_type type);

static inline bool schema_is_text(enum field_type type)
{
	return type >= FIELD_STRING && type <= FIELD_EMAIL;
}

static inline bool schema_is_number(enum field_type type)
{
	return type >= FIELD_INT && type <= FIELD_PERCENT;
}

static inline bool schema_is_id(enum field_type type)
{
	return type == FIELD_ID || type == FIELD_REFERENCE;
}

/* The tables, one file each. */
extern struct field schema_lead_fields[];
extern const size_t schema_lead_count;
extern struct field schema_contact_fields[];
extern const size_t schema_contact_count;
