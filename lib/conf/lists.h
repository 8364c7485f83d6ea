/* lists.h - values that are several, one behind the other. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct error;

struct conf_list {
	char **items;
	size_t count;
};
void conf_list_done(struct conf_list *in);

/* "HOST HOST:PORT", put behind what is there. If one is no host, none of them is. */
bool conf_list_add_hosts(struct conf_list *in, const char *text, struct error *err);

/* "Email, Phone", commas or not, likewise. None may be there twice, and one there must be. */
bool conf_list_add_fields(struct conf_list *in, const char *text, struct error *err);
