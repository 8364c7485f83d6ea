/* settings.h - what is to be set in Salesforce for an account, as its Setup names it. */
#pragma once
#include <stdio.h>

struct json_object;

/* `account` is the daemon's answer to the verb `account`. Salesforce help: "Configure the External
 * Client App OAuth Settings". */
void settings_print(struct json_object *account, FILE *out);
