/* sf_form.h - application/x-www-form-urlencoded bodies that hold secrets. */
#pragma once
#include <stddef.h>

struct error;
struct secret;

/* One value, as `text` or as `secret`; with neither the field is left out. Names are sent as they
 * are. */
struct sf_form_field {
	const char *name;
	const char *text;
	struct secret *secret;
};

/* "name=value&...", percent-encoded, in guarded memory only. Too long: NULL, ERROR_HUMAN code
 * secret-too-long. */
struct secret *sf_form_make(const struct sf_form_field *fields, size_t count, struct error *err);
