#include "base/log.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* We know no code location worth a field, and sd-journal would add one per call otherwise. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/str.h"
#include "base/utc.h"

#define LINE_SIZE 4096
/* An error's text must not lose its remedy; what is foreign in it was cut where it came in. */
#define VALUE_SIZE  512
#define MOST_FIELDS 20

static struct {
	const char *ident;
	enum log_level most;
	bool journal;
} sink = { .ident = "leadsyncd", .most = LOG_LEVEL_INFO };

/* systemd.exec(5), $JOURNAL_STREAM: stderr is the journal if device and inode are the same. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_open(const char *ident, enum log_level most)
{
	sink.ident = ident;
	sink.most = most;
	sink.journal = stderr_is_journal();
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERR: return "error";
	case LOG_LEVEL_WARNING: return "warning";
	case LOG_LEVEL_NOTICE: return "notice";
	case LOG_LEVEL_INFO: return "info";
	case LOG_LEVEL_DEBUG: return "debug";
	}
	return "?";
}

static void value_text(const struct log_field *field, char out[VALUE_SIZE])
{
	if (field->kind == LOG_FIELD_INT)
		snprintf(out, VALUE_SIZE, "%" PRId64, field->number);
	else if (!field->text)
		snprintf(out, VALUE_SIZE, "-");
	else
		str_copy_printable(out, VALUE_SIZE, field->text, strlen(field->text));
}

/* Adds name=value, quoted where a reader could not tell where it ends; a field that does not fit is
 * left out whole. */
static size_t append_field(char *line, size_t used, const struct log_field *field)
{
	char value[VALUE_SIZE], piece[2 * VALUE_SIZE + 64];
	bool quote;
	size_t len;

	value_text(field, value);
	quote = !*value || strpbrk(value, " =\"\\");
	len = (size_t)snprintf(piece, sizeof(piece), " %s=%s", field->name, quote ? "\"" : "");
	for (const char *at = value; *at; at++) {
		if (*at == '"' || *at == '\\')
			piece[len++] = '\\';
		piece[len++] = *at;
	}
	if (quote)
		piece[len++] = '"';
	if (used + len >= LINE_SIZE)
		return used;
	memcpy(line + used, piece, len);
	line[used + len] = '\0';
	return used + len;
}

static void send_to_journal(enum log_level level, const char *line, const struct log_field *fields)
{
	char texts[MOST_FIELDS + 3][VALUE_SIZE + 64], message[LINE_SIZE + 16];
	struct iovec parts[MOST_FIELDS + 3];
	int count = 0;

	snprintf(message, sizeof(message), "MESSAGE=%s", line);
	parts[count++] = (struct iovec){ message, strlen(message) };
	snprintf(texts[count], sizeof(texts[0]), "PRIORITY=%d", level);
	parts[count] = (struct iovec){ texts[count], strlen(texts[count]) };
	count++;
	snprintf(texts[count], sizeof(texts[0]), "SYSLOG_IDENTIFIER=%s", sink.ident);
	parts[count] = (struct iovec){ texts[count], strlen(texts[count]) };
	count++;
	for (; fields->kind != LOG_FIELD_END && count < MOST_FIELDS + 3; fields++, count++) {
		char value[VALUE_SIZE];
		char *text = texts[count];
		size_t len = 0;

		value_text(fields, value);
		for (const char *at = fields->name; *at && len < 40; at++)
			text[len++] = (char)toupper((unsigned char)*at);
		snprintf(text + len, sizeof(texts[0]) - len, "=%s", value);
		parts[count] = (struct iovec){ text, strlen(text) };
	}
	sd_journal_sendv(parts, count);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	char line[LINE_SIZE + 1];
	size_t start, used;

	if (level > sink.most)
		return;
	/* The stamp and level are the journal's own business there. */
	if (sink.journal) {
		start = 0;
	} else {
		utc_format_ms(utc_now_ms(), line);
		start = strlen(line);
		start += (size_t)snprintf(line + start, 32, " %s ", level_name(level));
	}
	used = start + (size_t)snprintf(line + start, 128, "event=%s", event);
	for (const struct log_field *field = fields; field->kind != LOG_FIELD_END; field++)
		used = append_field(line, used, field);
	if (sink.journal) {
		send_to_journal(level, line, fields);
		return;
	}
	line[used++] = '\n';
	/* One write a line, so that lines of two threads do not mix; nowhere to report a failure
	 * to. */
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}
