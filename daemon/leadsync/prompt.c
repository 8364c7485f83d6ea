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

/* What the kernel takes as one line of a terminal. */
#define LINE_MOST 4096

/* read(2), not stdio: a stream's buffer would keep a copy. The terminal gives one line. */
static struct secret *read_typed(void)
{
	struct secret *typed;
	char line[LINE_MOST];
	ssize_t len;
	bool got;

	len = read(STDIN_FILENO, line, sizeof(line));
	got = len > 1 && line[len - 1] == '\n' && !memchr(line, CTRL_C, (size_t)len);
	typed = got ? secret_new(line, (size_t)len - 1) : NULL;
	secret_wipe(line, sizeof(line));
	return typed;
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

static ssize_t ask_line(const char *what, char **ret)
{
	size_t size = 0;
	ssize_t len;

	fprintf(stderr, "%s", what);
	len = getline(ret, &size, stdin);
	if (len > 0 && (*ret)[len - 1] == '\n')
		(*ret)[--len] = '\0';
	return len;
}

char *prompt_line(const char *what)
{
	CLEANUP_FREE char *line = NULL;

	return ask_line(what, &line) < 0 ? NULL : TAKE(line);
}

struct secret *prompt_address(const char *what)
{
	CLEANUP_FREE char *line = NULL;
	ssize_t len = ask_line(what, &line);
	struct secret *made = len > 0 ? secret_new(line, (size_t)len) : NULL;

	if (line)
		secret_wipe(line, strlen(line));
	return made;
}

bool prompt_yes(const char *question)
{
	CLEANUP_FREE char *asked = mem_format("%s [y/N] ", question);
	CLEANUP_FREE char *line = NULL;

	return ask_line(asked, &line) > 0 && (strcmp(line, "y") == 0 || strcmp(line, "yes") == 0);
}
