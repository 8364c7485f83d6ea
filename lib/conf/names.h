/* names.h - the shapes of names in a conf file. */
#pragma once
#include <stdbool.h>

struct error;

/* A section's name: a letter, then letters, digits, - and _. */
bool conf_is_title(const char *text);

/* Of a credential, or of a secret in the vault. */
bool conf_is_secret_name(const char *text);

/* Begins as the text of a key or a certificate: -----BEGIN ... */
bool conf_is_pem(const char *text);

/* A line of such a text behind its first. */
bool conf_is_pem_rest(const char *text);

/* "credential:NAME" or "file:/PATH" */
bool conf_is_source(const char *value);

/* A field's API name, of the object itself: Email, Score__c. */
bool conf_is_field_name(const char *text);
bool conf_field_name_check(const char *text, struct error *err);

/* A letter, then letters, digits and _. */
bool conf_column_check(const char *text, struct error *err);

/* As a column's name, and none that the ledger or SQLite keeps for itself. */
bool conf_table_check(const char *text, struct error *err);
