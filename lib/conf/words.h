/* words.h - a value that is one of a few words. */
#pragma once
#include <stdbool.h>

struct conf_word;
struct error;

/* Gives the value of the word. The error's text names all of them, and the one probably meant. */
bool conf_words_find(const struct conf_word *words, const char *text, int *ret, struct error *err);

/* "a, b or c". free() it. */
char *conf_words_list(const struct conf_word *words);
