/* log.h - one event, one line, typed fields.
 *
 *     log_info("run_done", LOG_STR("job", name), LOG_INT("kept", kept));
 *
 * Under systemd (stderr is the journal's stream) events are native journal entries: MESSAGE is the
 * key=value line, and each field stands beside it in upper case (JOB=, RUN=, ACCOUNT=, CODE=).
 * Otherwise the line goes to stderr: `2026-01-02T03:04:05.678Z info event=run_done job=contacts`.
 * Text is escaped here, in one place, and cut at 511 bytes; there is no field kind for a secret,
 * and no field value of a record is ever logged.
 *
 * Only daemon/ and lib/sync log above debug; lower rooms return errors. Callable from any thread.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};
enum log_field_kind { LOG_FIELD_END, LOG_FIELD_STR, LOG_FIELD_INT };

struct log_field {
	enum log_field_kind kind;
	const char *name; /* lower_case */
	const char *text; /* NULL is written as "-" */
	int64_t number;
};

#define LOG_STR(name_, text_)                                                                      \
	{                                                                                          \
		.kind = LOG_FIELD_STR, .name = (name_), .text = (text_)                            \
	}
#define LOG_INT(name_, number_)                                                                    \
	{                                                                                          \
		.kind = LOG_FIELD_INT, .name = (name_), .number = (number_)                        \
	}

/* Before the first event; `ident` must outlive the program. */
void log_open(const char *ident, enum log_level most);

void log_event(enum log_level level, const char *event, const struct log_field *fields);

#define log_fields_(...)                                                                           \
	((const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ .kind = LOG_FIELD_END } })
#define log_error(event, ...)   log_event(LOG_LEVEL_ERR, event, log_fields_(__VA_ARGS__))
#define log_warning(event, ...) log_event(LOG_LEVEL_WARNING, event, log_fields_(__VA_ARGS__))
#define log_notice(event, ...)  log_event(LOG_LEVEL_NOTICE, event, log_fields_(__VA_ARGS__))
#define log_info(event, ...)    log_event(LOG_LEVEL_INFO, event, log_fields_(__VA_ARGS__))
#define log_debug(event, ...)   log_event(LOG_LEVEL_DEBUG, event, log_fields_(__VA_ARGS__))
