/* fields.h - the lines of a [fields] section: `Field = <-> column, conflict=newest`. */
#pragma once
#include <stdbool.h>

#include "conf/conf.h"

struct error;

/* Fills field, column and direction of `ret`, and conflict and blank where the line says so; the
 * caller frees the first two. */
bool conf_field_parse(const char *field, const char *value, struct conf_field *ret,
		      struct error *err);

/* One field or one column twice: told at the later line. */
void conf_fields_check(const struct conf_job *job, struct conf_mistakes *mistakes);

/* Is `field`, which cannot be written, brought to a column, be it by `*`? */
bool conf_fields_read(const struct conf_job *job, const char *field);
