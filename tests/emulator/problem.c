/* problem.c */
#include "problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define LAST_MISSPELT 51

static size_t sequence(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Values quoted in a message are cut by bytes, or were no UTF-8 to begin with: drops the broken
 * characters, for the answer is JSON. */
static void clean(char *message)
{
	char *to = message;

	for (char *at = message; *at;) {
		size_t length = sequence((unsigned char)*at), good = 1;

		while (good < length && ((unsigned char)at[good] & 0xc0) == 0x80)
			good++;
		if (length && good == length) {
			memmove(to, at, length);
			to += length;
			at += length;
		} else {
			at++;
		}
	}
	*to = '\0';
}

bool problem_set(struct problem *out, int status, const char *code, const char *format, ...)
{
	va_list args;

	*out = (struct problem){ .status = status, .code = code };
	va_start(args, format);
	vsnprintf(out->message, sizeof(out->message), format, args);
	va_end(args);
	clean(out->message);
	return false;
}

bool problem_add(struct problems *out, const char *code, const char *field, const char *format, ...)
{
	struct problem *one;
	va_list args;

	if (out->count == sizeof(out->list) / sizeof(out->list[0]))
		return false;
	one = &out->list[out->count++];
	*one = (struct problem){ .status = 400, .code = code, .has_fields = true };
	if (field)
		one->fields[one->field_count++] = field;
	va_start(args, format);
	vsnprintf(one->message, sizeof(one->message), format, args);
	va_end(args);
	clean(one->message);
	return false;
}

static void write_fields(const struct problem *in, struct text *out)
{
	text_word(out, ",\"fields\":[");
	for (size_t i = 0; i < in->field_count; i++) {
		if (i)
			text_char(out, ',');
		text_json_word(out, in->fields[i]);
	}
	text_char(out, ']');
}

/* The key is misspelt in older versions. */
static void write_twin(const struct problem *in, struct text *out)
{
	bool is_old = strtol(in->version + 1, NULL, 10) <= LAST_MISSPELT;

	text_printf(out,
		    "\"%s\":{\"allowSave\":%s,\"duplicateRule\":\"Standard_%s_Duplicate_Rule\","
		    "\"duplicateRuleEntityType\":\"%s\",\"errorMessage\":\"%s\","
		    "\"matchResults\":[{\"entityType\":\"%s\",\"errors\":[],"
		    "\"matchEngine\":\"FuzzyMatchEngine\",\"matchRecords\":[{"
		    "\"additionalInformation\":[],\"fieldDiffs\":[],\"matchConfidence\":100.0,",
		    is_old ? "duplicateResut" : "duplicateResult", in->is_alert ? "true" : "false",
		    in->twin_of, in->twin_of, in->message, in->twin_of);
	text_printf(out,
		    "\"record\":{\"attributes\":{\"type\":\"%s\",\"url\":"
		    "\"/services/data/%s/sobjects/%s/%s\"},\"Id\":\"%s\"}}],\"rule\":"
		    "\"Standard_%s_Match_Rule_v1_0\",\"size\":1,\"success\":true}]},",
		    in->twin_of, in->version, in->twin_of, in->twin, in->twin, in->twin_of);
}

static void write_message(const struct problem *in, const char *key, struct text *out)
{
	text_word(out, "\"message\":");
	text_json_word(out, in->message);
	text_char(out, ',');
	text_json_word(out, key);
	text_char(out, ':');
	text_json_word(out, in->code);
}

void problem_write(const struct problem *list, size_t count, struct text *out)
{
	text_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		text_word(out, i ? ",{" : "{");
		if (list[i].twin_of)
			write_twin(&list[i], out);
		write_message(&list[i], "errorCode", out);
		if (list[i].has_fields)
			write_fields(&list[i], out);
		text_char(out, '}');
	}
	text_char(out, ']');
}

void problem_write_record(const struct problem *list, size_t count, struct text *out)
{
	text_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		text_word(out, i ? ",{" : "{");
		write_message(&list[i], "statusCode", out);
		write_fields(&list[i], out);
		text_char(out, '}');
	}
	text_char(out, ']');
}
