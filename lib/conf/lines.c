/* lines.c - in order: the file is opened and read whole, split into physical lines, joined into
 * logical ones, and each of those is a section or a key. */
#include "conf/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "conf/mistakes.h"
#include "conf/names.h"

struct reader {
	struct conf_lines *lines;
	struct conf_mistakes *mistakes;
	const char *file;
	char joined[CONF_LINE_MOST + 1];
	size_t used;
	int line;       /* the first line of `joined`; 0: nothing is being joined */
	bool too_long;  /* `joined` is; said once it ends */
	bool told_crlf; /* once a file is enough */
	bool in_pem;    /* behind a line that begins a key's text, which is one mistake */
};

static char *read_whole(const char *path, size_t *ret_len, struct conf_mistakes *mistakes);
static bool read_text(struct reader *in, const char *text, size_t len);
static void read_physical(struct reader *in, int line, const char *text, size_t len);
static void join(struct reader *in, const char *text, size_t len);
static void end_logical(struct reader *in);
static void read_logical(struct reader *in, char *text);
static void read_section(struct reader *in, char *text);
static void read_key(struct reader *in, char *text);

bool conf_lines_read(struct conf_lines *in, const char *path, struct conf_mistakes *mistakes)
{
	CLEANUP_FREE struct reader *reader = NULL;
	CLEANUP_FREE char *text = NULL;
	size_t len = 0;

	text = read_whole(path, &len, mistakes);
	if (!text)
		return false;
	reader = mem_new(struct reader);
	reader->lines = in;
	reader->mistakes = mistakes;
	reader->file = path;
	return read_text(reader, text, len);
}

void conf_lines_done(struct conf_lines *in)
{
	for (size_t i = 0; i < in->count; i++) {
		free(in->items[i].key);
		free(in->items[i].value);
	}
	free(in->items);
	*in = (struct conf_lines){ 0 };
}

/* Whoever can write to the file can send people's data elsewhere, so it must be root's or ours. */
static bool is_trusted(const char *path, const struct stat *st, struct conf_mistakes *mistakes)
{
	if (!S_ISREG(st->st_mode))
		conf_mistakes_add(mistakes, path, 0, "is not a regular file");
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		conf_mistakes_add(mistakes, path, 0,
				  "belongs to user %u; it must belong to root or to the user that "
				  "reads it: chown root",
				  (unsigned)st->st_uid);
	else if (st->st_mode & (S_IWGRP | S_IWOTH))
		conf_mistakes_add(mistakes, path, 0,
				  "can be written by its group or by everybody (mode %04o): chmod "
				  "go-w",
				  (unsigned)st->st_mode & 07777);
	else if (st->st_size > CONF_FILE_MOST)
		conf_mistakes_add(mistakes, path, 0, "is larger than 1 MiB");
	else
		return true;
	return false;
}

static char *read_whole(const char *path, size_t *ret_len, struct conf_mistakes *mistakes)
{
	CLEANUP_FREE char *text = NULL;
	size_t len = 0, size;
	ssize_t got = 1;
	struct stat st;
	/* Never waits for a pipe's other end. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) < 0) {
		conf_mistakes_add(mistakes, path, 0, "cannot be read: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (!is_trusted(path, &st, mistakes)) {
		close(fd);
		return NULL;
	}
	size = (size_t)st.st_size;
	text = mem_resize(NULL, size + 1, 1);
	while (got > 0 && len <= size) {
		got = read(fd, text + len, size + 1 - len);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			len += (size_t)got;
	}
	if (got < 0)
		conf_mistakes_add(mistakes, path, 0, "cannot be read: %s", strerror(errno));
	else if (len != size)
		conf_mistakes_add(mistakes, path, 0, "was written to while it was read");
	close(fd);
	if (got < 0 || len != size)
		return NULL;
	*ret_len = len;
	return TAKE(text);
}

/* The first line that is no text, 0 if all are. */
static int first_bad(const char *text, size_t len, bool (*is_good)(const char *text, size_t len))
{
	const char *end = text + len;

	for (int line = 1; text < end; line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		if (!is_good(text, (size_t)(stop - text)))
			return line;
		text = stop + 1;
	}
	return 0;
}

static bool has_no_nul(const char *text, size_t len)
{
	return !memchr(text, '\0', len);
}

static bool read_text(struct reader *in, const char *text, size_t len)
{
	const char *end = text + len;
	int bad = first_bad(text, len, has_no_nul);

	if (bad) {
		conf_mistakes_add(in->mistakes, in->file, bad,
				  "holds a NUL byte; the file must be UTF-8 text");
		return false;
	}
	bad = first_bad(text, len, str_is_utf8);
	if (bad) {
		conf_mistakes_add(in->mistakes, in->file, bad,
				  "is not valid UTF-8; save the file as UTF-8");
		return false;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		conf_mistakes_add(
			in->mistakes, in->file, 1,
			"begins with a byte order mark; save the file as UTF-8 without one");
		text += 3;
	}
	for (int line = 1; text < end; line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		read_physical(in, line, text, (size_t)(stop - text));
		text = stop + 1;
	}
	if (in->line) {
		conf_mistakes_add(in->mistakes, in->file, in->line,
				  "ends in a backslash, but no line follows");
		end_logical(in);
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
			return true;
	return false;
}

static void read_physical(struct reader *in, int line, const char *text, size_t len)
{
	bool goes_on;

	if (len && text[len - 1] == '\r') {
		if (!in->told_crlf)
			conf_mistakes_add(in->mistakes, in->file, line,
					  "ends in CR LF; save the file with plain line ends (LF)");
		in->told_crlf = true;
		len--;
	}
	while (len && is_blank(*text))
		text++, len--;
	while (len && is_blank(text[len - 1]))
		len--;
	if (has_control(text, len)) {
		conf_mistakes_add(in->mistakes, in->file, line, "holds a control character");
		len = 0;
	}
	if (len && (*text == '#' || *text == ';'))
		return;

	goes_on = len && text[len - 1] == '\\';
	if (!in->line)
		in->line = line;
	join(in, text, goes_on ? len - 1 : len);
	if (!goes_on)
		end_logical(in);
}

static void join(struct reader *in, const char *text, size_t len)
{
	if (in->used + 1 + len > CONF_LINE_MOST) {
		in->too_long = true;
		return;
	}
	if (in->used && !is_blank(in->joined[in->used - 1]))
		in->joined[in->used++] = ' ';
	memcpy(in->joined + in->used, text, len);
	in->used += len;
}

static void end_logical(struct reader *in)
{
	while (in->used && is_blank(in->joined[in->used - 1]))
		in->used--;
	in->joined[in->used] = '\0';
	if (in->too_long)
		conf_mistakes_add(in->mistakes, in->file, in->line, "is longer than %d bytes",
				  CONF_LINE_MOST);
	else if (in->used)
		read_logical(in, in->joined);
	in->used = 0;
	in->line = 0;
	in->too_long = false;
}

static void read_logical(struct reader *in, char *text)
{
	bool is_rest = in->in_pem && conf_is_pem_rest(text);

	in->in_pem = is_rest && *text != '-'; /* -----END */
	if (is_rest)
		return;
	if (*text == '[')
		read_section(in, text);
	else
		read_key(in, text);
}

static void keep(struct reader *in, bool is_section, const char *key, const char *value)
{
	struct conf_lines *lines = in->lines;

	lines->items = mem_resize(lines->items, lines->count + 1, sizeof(*lines->items));
	lines->items[lines->count++] = (struct conf_line){
		.file = in->file,
		.line = in->line,
		.is_section = is_section,
		.key = mem_strdup(key),
		.value = mem_strdup(value),
	};
}

/* Both ends; `text` itself is cut. */
static char *trim(char *text)
{
	size_t len;

	while (is_blank(*text))
		text++;
	len = strlen(text);
	while (len && is_blank(text[len - 1]))
		text[--len] = '\0';
	return text;
}

static void read_section(struct reader *in, char *text)
{
	size_t len = strlen(text);
	char *name;

	if (text[len - 1] != ']') {
		conf_mistakes_add(in->mistakes, in->file, in->line,
				  "a section's header must end in ]");
		keep(in, true, "", ""); /* what follows belongs to no section known */
		return;
	}
	text[len - 1] = '\0';
	text = trim(text + 1);
	name = text + strcspn(text, " \t");
	if (*name)
		*name++ = '\0';
	name = trim(name);
	if (strlen(text) > CONF_TITLE_MOST || strlen(name) > CONF_TITLE_MOST) {
		conf_mistakes_add(in->mistakes, in->file, in->line,
				  "a section's name is longer than %d bytes", CONF_TITLE_MOST);
		text = name = "";
	} else if (!*text) {
		conf_mistakes_add(in->mistakes, in->file, in->line,
				  "a section's header holds no name");
	}
	keep(in, true, text, name);
}

static void read_key(struct reader *in, char *text)
{
	char *value = strchr(text, '=');

	/* The line is never shown: it may be half of a secret. */
	if (conf_is_pem(text)) {
		conf_mistakes_add(in->mistakes, in->file, in->line,
				  "begins a key or a certificate, which never stands in this file: "
				  "hand a key in with `leadsync secret set NAME < KEY.pem`");
		in->in_pem = true;
		return;
	}
	if (!value) {
		conf_mistakes_add(in->mistakes, in->file, in->line,
				  "is neither [section], key = value nor # comment");
		return;
	}
	*value++ = '\0';
	text = trim(text);
	value = trim(value);
	in->in_pem = conf_is_pem(value);
	if (!*text)
		conf_mistakes_add(in->mistakes, in->file, in->line, "has no key before the =");
	else if (strlen(text) > CONF_KEY_MOST)
		conf_mistakes_add(in->mistakes, in->file, in->line,
				  "has a key longer than %d bytes", CONF_KEY_MOST);
	else
		keep(in, false, text, value);
}
