#include "prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "secret/secret.h"

#define CTRL_C 3

/* What the kernel takes as one line of a terminal; and a private key, of many. */
#define LINE_MOST  4096
#define TYPED_MOST ((size_t)16 * 1024)

/* A private key is pasted line by line: its rest must not be left for the shell. */
static bool goes_on(const char *typed, size_t len, size_t last_line)
{
	return len - last_line < LINE_MOST && strncmp(typed, "-----BEGIN", 10) == 0 &&
	       strncmp(typed + last_line, "-----END", 8) != 0;
}

/* read(2), not stdio: a stream's buffer would keep a copy. The terminal gives one line at a time. */
static struct secret *read_typed(void)
{
	struct secret *made = NULL;
	char typed[TYPED_MOST + 1] = "";
	size_t len = 0, last_line;
	ssize_t got;

	do {
		last_line = len;
		got = read(STDIN_FILENO, typed + len, TYPED_MOST - len);
		len += got > 0 ? (size_t)got : 0;
		typed[len] = '\0';
	} while (got > 0 && len < TYPED_MOST && goes_on(typed, len, last_line));
	if (got > 0 && len > 1 && typed[len - 1] == '\n' && !memchr(typed, CTRL_C, len))
		made = secret_new(typed, len - 1);
	secret_wipe(typed, sizeof(typed));
	return made;
}

struct secret *prompt_secret(const char *what, struct error *err)
{
	struct termios before, silent;
	struct secret *typed;

	if (!isatty(STDIN_FILENO))
		return secret_read_fd(STDIN_FILENO, what, err);
	if (tcgetattr(STDIN_FILENO, &before) != 0) {
		error_set(err, ERROR_HUMAN, "terminal", "cannot silence the terminal");
		return NULL;
	}
	silent = before;
	/* No signals either: Ctrl-C would leave the terminal silent. It arrives as a byte instead.
	 */
	silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	/* Silent before it asks: who types at once is neither shown nor lost. */
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	fprintf(stderr, "%s (not shown): ", what);
	typed = read_typed();
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	if (!typed)
		error_set(err, ERROR_HUMAN, "empty", "nothing was typed; nothing is changed");
	return typed;
}

/* -1 at the end of the input; *ret may be there all the same, with *ret_size bytes. */
static ssize_t ask_line(const char *what, char **ret, size_t *ret_size)
{
	ssize_t len;

	fprintf(stderr, "%s", what);
	len = getline(ret, ret_size, stdin);
	if (len > 0 && (*ret)[len - 1] == '\n')
		(*ret)[--len] = '\0';
	return len;
}

char *prompt_line(const char *what)
{
	CLEANUP_FREE char *line = NULL;
	size_t size = 0;

	return ask_line(what, &line, &size) < 0 ? NULL : TAKE(line);
}

struct secret *prompt_address(const char *what)
{
	CLEANUP_FREE char *line = NULL;
	size_t size = 0;
	ssize_t len = ask_line(what, &line, &size);
	struct secret *made = len > 0 ? secret_new(line, (size_t)len) : NULL;

	if (line)
		secret_wipe(line, size);
	return made;
}

bool prompt_yes(const char *question)
{
	CLEANUP_FREE char *asked = mem_format("%s [y/N] ", question);
	CLEANUP_FREE char *line = NULL;
	size_t size = 0;

	return ask_line(asked, &line, &size) > 0 &&
	       (strcmp(line, "y") == 0 || strcmp(line, "yes") == 0);
}
