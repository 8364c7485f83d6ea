#include "terminal.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "json_get.h"

#define VALUE_MOST ((size_t)160)

void terminal_text(const char *text)
{
	size_t len = strlen(text);
	CLEANUP_FREE char *shown = mem_zeroed(len + 1, 1);

	str_copy_printable(shown, len + 1, text, len);
	fputs(shown, stdout);
}

void terminal_value(struct json_object *value)
{
	const char *text = value ? json_object_get_string(value) : NULL;
	char shown[VALUE_MOST + 1];

	if (!text) {
		fputs("(blank)", stdout);
		return;
	}
	str_copy_printable(shown, sizeof(shown), text, strlen(text));
	printf("\"%s%s\"", shown, strlen(text) > VALUE_MOST ? "..." : "");
}

char *terminal_word(const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "@%_+=:,./-";
	size_t len = strlen(text), used = 0;
	char *made;

	if (len && strspn(text, plain) == len)
		return mem_strdup(text);
	made = mem_zeroed(4 * len + 3, 1);
	made[used++] = '\'';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\'') {
			memcpy(made + used, "'\\''", 4);
			used += 4;
		} else {
			made[used++] = text[i];
		}
	}
	made[used] = '\'';
	return made;
}

void terminal_pair(struct json_object *line)
{
	const char *record = json_get_text(line, "record_id"), *key = json_get_text(line, "key");

	if (*record)
		printf("record %s", record);
	if (*record && *key)
		fputs(", ", stdout);
	if (*key) {
		fputs("row ", stdout);
		terminal_text(key);
	}
}
