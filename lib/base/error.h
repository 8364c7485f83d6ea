/* error.h - one failure, and what happens next because of it.
 *
 * A function that can fail is `bool f(..., struct error *err)`: `err` is never NULL, is set only
 * when the answer is false, and no output is touched then. A failure is classified once, where it
 * enters the program; whoever passes it on may put context before its text, never change its kind.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* What to do next. Not where it came from. */
enum error_kind {
	ERROR_RETRY,  /* passing trouble: try again after a back-off */
	ERROR_QUOTA,  /* the provider's allowance is spent: wait until it grows again */
	ERROR_LOGIN,  /* the access token is refused: a fresh one may be accepted */
	ERROR_STALE,  /* the read position is gone: read on from the last committed cursor */
	ERROR_RECORD, /* this record only; the others go on */
	ERROR_FIELD,  /* this field only; the rest of the record goes on */
	ERROR_HUMAN,  /* stays until somebody mends conf, permission, grant or schema: stop the job
		       */
	ERROR_STATE,  /* key, ledger, store or org is not ours or is damaged: exit 78, touch nothing
		       */
	ERROR_BUG,    /* cannot happen: report it */
};

struct error {
	enum error_kind kind;
	char code[56];  /* stable name: the server's code or ours, e.g. INVALID_FIELD, disk-full */
	char text[512]; /* one line for a person: what is wrong, what was expected, what to do */
	int64_t retry_after_s; /* what the server asked for; 0 if it said nothing */
};

/* Fills in `err` and answers false, so that a failing function may end in `return error_set(...)`.
 * Control bytes in the formatted text are replaced, so that no server can write a log line of ours.
 */
bool error_set(struct error *err, enum error_kind kind, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts "context: " before the text; answers false. */
bool error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "retry", "quota", ... for logs and --json. */
const char *error_kind_name(enum error_kind kind);
