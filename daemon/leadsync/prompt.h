/* prompt.h - what a command asks the person at the terminal. */
#pragma once
#include <stdbool.h>

struct error;
struct secret;

/* One line, unseen, from the terminal, or a private key of many (to its line of -----END); or
 * standard input to its end, where that is none. `what`
 * says what is asked for. ERROR_HUMAN code empty if nothing came. */
struct secret *prompt_secret(const char *what, struct error *err);

/* One line, seen, without its newline; free() it. NULL at the end of the input. */
char *prompt_line(const char *what);

/* As prompt_line(), into guarded memory. */
struct secret *prompt_address(const char *what);

/* "question [y/N] ": only a typed y is a yes. Where nobody can be asked, no. */
bool prompt_yes(const char *question);
