/* sf_literal.h - a value as a condition of SOQL has it.
 *
 * Text and ids in quotes, the rest bare: a quoted number or date is an error to Salesforce.
 * (SOQL and SOSL Reference: "Quoted String Escape Sequences", "Date Formats and Date Literals".) */
#pragma once
#include <stdbool.h>
#include <stdio.h>

struct error;
struct schema_field;
struct value;

#define SF_LITERAL_MOST 4000 /* characters of a text */

/* A value that is null, or not in the canonical form of the field's type, or of a type that cannot
 * be compared (a set): ERROR_BUG code bad-pick. A text longer than a literal may be: ERROR_RETRY
 * code query-too-long. */
bool sf_literal_write(FILE *out, const struct schema_field *field, const struct value *value,
		      struct error *err);
