/* params.h - name=value pairs of a query string or a form body. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct text;

struct param {
	char *name;
	char *value;
};

struct params {
	struct param *list; /* owned */
	size_t count;
};

/* A bare + is a blank, as in every form. */
void params_parse(const char *from, size_t length, struct params *out);
void params_free(struct params *in);

/* The first value of that name, or NULL. */
const char *params_find(const struct params *in, const char *name);

/* Percent-decoded copy, owned by the caller. */
char *params_decode(const char *from, size_t length, bool plus_is_blank);

/* As in a form: a blank becomes +. */
void params_encode(const char *from, struct text *out);
