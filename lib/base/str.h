/* str.h - questions about text that the C library has no name for, and escaping for people's eyes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* ^[A-Za-z][A-Za-z0-9_]*$, the shape of a name in Salesforce and in SQL tables we make. */
bool str_is_name(const char *text);

bool str_starts_with(const char *text, const char *prefix);

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms), no NUL inside. */
bool str_is_utf8(const char *text, size_t len);

/* "LastModifiedDate" -> "last_modified_date", "Lead_Score__c" -> "lead_score", "Owner.Email" ->
 * "owner_email". free() it. */
char *str_snake_case(const char *api_name);

/* Copies at most `size - 1` bytes of `text`, never half a UTF-8 character, with every control byte,
 * DEL and broken UTF-8 replaced by '?'. Always NUL-terminated. For texts of servers and conf files
 * that people will read. */
void str_copy_printable(char *out, size_t size, const char *text, size_t len);
