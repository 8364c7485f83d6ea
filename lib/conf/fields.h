/* fields.h - the lines of a [fields] section: `Field = -> column`. */
#pragma once
#include <stdbool.h>

#include "conf/conf.h"

struct error;

/* Fills field, column and direction of `ret`; the caller frees the first two. */
bool conf_field_parse(const char *field, const char *arrow, struct conf_field *ret,
		      struct error *err);

/* One field or one column twice: told at the later line. */
void conf_fields_check(const struct conf_job *job, struct conf_mistakes *mistakes);

/* Is `field` mapped, be it by `*`? */
bool conf_fields_have(const struct conf_job *job, const char *field);
