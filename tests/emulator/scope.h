/* scope.h - what a session may do, as a list of words with blanks between. */
#pragma once
#include <stdbool.h>

#define SCOPE_SIZE 160

/* `asked` in Salesforce's order and spelling (offline_access is refresh_token); false if a word is
 * unknown or not in `allowed`. */
bool scope_pick(const char *asked, const char *allowed, char out[SCOPE_SIZE]);

/* `from` without the words of `taken`. */
void scope_without(const char *from, const char *taken, char out[SCOPE_SIZE]);

bool scope_has(const char *scope, const char *word);

/* Every word of `few` is among `many`. */
bool scope_covers(const char *many, const char *few);

/* `full` opens everything but refreshing. */
bool scope_opens(const char *scope, const char *word);

/* What the approval page says of a word. */
const char *scope_label(const char *word);

/* The words in the order they are given out, by number from 0; NULL past the last. */
const char *scope_word(unsigned number);
