#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

bool error_set(struct error *err, enum error_kind kind, const char *code, const char *format, ...)
{
	char text[2 * sizeof(err->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	*err = (struct error){ .kind = kind };
	str_copy_printable(err->code, sizeof(err->code), code, strlen(code));
	str_copy_printable(err->text, sizeof(err->text), text, strlen(text));
	return false;
}

bool error_prefix(struct error *err, const char *format, ...)
{
	char text[2 * sizeof(err->text)];
	size_t len;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(err->text), format, args);
	va_end(args);

	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, ": %s", err->text);
	str_copy_printable(err->text, sizeof(err->text), text, strlen(text));
	return false;
}

const char *error_kind_name(enum error_kind kind)
{
	switch (kind) {
	case ERROR_RETRY: return "retry";
	case ERROR_QUOTA: return "quota";
	case ERROR_LOGIN: return "login";
	case ERROR_STALE: return "stale";
	case ERROR_RECORD: return "record";
	case ERROR_FIELD: return "field";
	case ERROR_HUMAN: return "human";
	case ERROR_STATE: return "state";
	case ERROR_BUG: return "bug";
	}
	return "unknown";
}
