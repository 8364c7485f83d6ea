/* problem.h - an error as the REST API tells it: status, errorCode, message, fields. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "sfid.h"

struct text;

struct problem {
	int status;
	const char *code;
	char message[1400];
	const char *fields[8];
	size_t field_count;
	bool has_fields; /* "fields" is written even when empty */

	/* What a duplicate rule found; `twin_of` is NULL if this is another problem. */
	const char *twin_of, *version;
	char twin[SFID_SIZE];
	bool is_alert; /* so that the record may be saved nonetheless */
};

/* A save may find several wrongs at once; more than these are not told. */
struct problems {
	struct problem list[8];
	size_t count;
};

/* Each returns false, so that a caller can `return problem_set(...)`. */
bool problem_set(struct problem *out, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
bool problem_add(struct problems *out, const char *code, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The status of the whole answer: that of the first problem. */
void problem_write(const struct problem *list, size_t count, struct text *out);

/* As one record of many tells them: statusCode, and always fields. */
void problem_write_record(const struct problem *list, size_t count, struct text *out);
