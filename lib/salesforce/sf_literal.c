#include "salesforce/sf_literal.h"

#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "record/schema.h"

static bool is_canonical(const struct schema_field *field, const struct value *value)
{
	CLEANUP(arena_free) struct arena *arena = arena_new();
	struct value made;
	struct error why;

	return value_canonical(field->type, field->scale, value->text, value->len, arena, &made,
			       &why) &&
	       value_equal(value, &made);
}

static bool check(const struct schema_field *field, const struct value *value, struct error *err)
{
	if (value_is_null(value) || field->type == VALUE_SET || !is_canonical(field, value))
		return error_set(err, ERROR_BUG, "bad-pick",
				 "a value to pick by %s is not %s in its canonical form",
				 field->name, value_type_name(field->type));
	return true;
}

/* Bytes of characters after their first do not count. */
static size_t character_count(const struct value *value)
{
	size_t count = 0;

	for (size_t i = 0; i < value->len; i++)
		count += ((unsigned char)value->text[i] & 0xc0) != 0x80;
	return count;
}

static void write_text(FILE *out, const struct value *value)
{
	static const char plain[] = "'\\\n\r\t\b\f", escaped[] = "'\\nrtbf";

	fputc('\'', out);
	for (size_t i = 0; i < value->len; i++) {
		unsigned char c = (unsigned char)value->text[i];
		const char *found = memchr(plain, c, sizeof(plain) - 1);

		if (found)
			fprintf(out, "\\%c", escaped[found - plain]);
		else if (c < 0x20)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('\'', out);
}

bool sf_literal_write(FILE *out, const struct schema_field *field, const struct value *value,
		      struct error *err)
{
	if (!check(field, value, err))
		return false;
	switch (field->type) {
	case VALUE_TEXT:
		if (character_count(value) > SF_LITERAL_MOST)
			return error_set(err, ERROR_RETRY, "query-too-long",
					 "a text to pick by %s has more than %d characters",
					 field->name, SF_LITERAL_MOST);
		write_text(out, value);
		break;
	case VALUE_ID: fprintf(out, "'%.*s'", (int)value->len, value->text); break;
	case VALUE_BOOLEAN: fputs(*value->text == '1' ? "true" : "false", out); break;
	case VALUE_TIME: fprintf(out, "%.*s.000Z", (int)value->len, value->text); break;
	case VALUE_INTEGER:
	case VALUE_DECIMAL:
	case VALUE_DATE:
	case VALUE_DATETIME: fwrite(value->text, 1, value->len, out); break;
	case VALUE_SET: break; /* refused above */
	}
	return true;
}
